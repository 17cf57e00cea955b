/** What phones, programs and media meet: `sip`, `users`, `cti`, `media`, `dns`. */

import { LIMITS } from '../../base/limits.ts';
import { type Container, type Node, nodes, type Type } from './terms.ts';

const live = nodes('live');
const { leaf, group } = nodes('restart');
const PORT: Type = { type: 'port' };
const FLAG: Type = { type: 'flag' };

function secure(help: string, port: number): Container {
  return group(
    help,
    {
      port: leaf('TCP port', PORT, { default: port }),
      certificate: leaf('File of the certificate; without, one made from the pair key', {
        type: 'path',
      }),
      key: leaf('File of its private key', { type: 'path' }),
      ca: leaf('File of who may sign certificates of clients', { type: 'path' }),
      mutual: leaf('Clients must show a certificate', FLAG, { default: false }),
    },
    { presence: true },
  );
}

function seconds(min: number, max: number): Type {
  return { type: 'int', min, max, unit: 's' };
}

const EXTENSION: Type = { type: 'int', min: 0, max: 999_999_999 };

export const SIP: { readonly [name: string]: Node } = {
  sip: group('How SIP is spoken at the virtual address', {
    port: leaf('UDP and TCP port', PORT, { default: 5060 }),
    tcp: leaf('SIP over TCP is served', FLAG, { default: true }),
    tls: secure('SIP over TLS', 5061),
    ws: group(
      'SIP over WebSocket',
      { port: leaf('TCP port', PORT, { default: 8080 }) },
      { presence: true },
    ),
    wss: secure('SIP over WebSocket in TLS', 8443),
    outgoing: group('Connections of ours inside TLS', {
      ca: leaf('File of who signs certificates; without, those of the system', { type: 'path' }),
      insecure: leaf('Nobody looks at certificates', FLAG, { default: false }),
    }),
    sessionExpiresS: live.leaf('Session interval asked for; 0: none', seconds(0, 86_400), {
      default: 1800,
    }),
    minSeS: live.leaf('Shortest session interval accepted', seconds(90, 86_400), { default: 90 }),
  }),
  users: group(
    'The extensions of the site',
    {
      from: live.leaf('First extension', EXTENSION, { must: true }),
      to: live.leaf('Last extension', EXTENSION, { must: true }),
      auth: live.leaf('Phones prove themselves by the password of their extension', FLAG, {
        default: false,
      }),
      digest: live.list(
        'Digest algorithms offered, preferred first; by default both',
        {
          type: 'enum',
          words: { 'SHA-256': 'RFC 7616', MD5: 'RFC 2617: what old phones know' },
        },
        2,
      ),
      voicemail: live.list(
        'Voice mail services: addresses they send from, or extensions',
        {
          type: 'text',
          pattern: '[1-9]\\d{0,8}|[0-9.]{7,15}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*',
          what: 'an address or an extension',
        },
        100,
      ),
    },
    { must: true },
  ),
  cti: group('Where programs connect', {
    enabled: leaf('Programs may connect', FLAG, { default: true }),
    port: leaf(
      'WebSocket port at each box; 0: off',
      { type: 'port', off: true },
      { default: 8088 },
    ),
    tlsPort: leaf('The same in TLS; 0: off', { type: 'port', off: true }, { default: 0 }),
    periodMs: leaf(
      'Either side gives a sign of life this often',
      { type: 'int', min: 100, max: 60_000, unit: 'ms' },
      { default: 1000 },
    ),
    misses: leaf(
      'So many missing make the other side dead',
      { type: 'int', min: 2, max: 20 },
      {
        default: 3,
      },
    ),
  }),
  media: group('Music, announcements and conferences of the box itself', {
    ports: leaf('UDP ports, first and last', { type: 'ports' }, { default: '16384-18383' }),
    prompts: leaf('Folder of prompts (WAV); by default on the data partition', { type: 'path' }),
    max: leaf(
      'Sessions at once; 0: off',
      { type: 'int', min: 0, max: LIMITS.mediaSessions },
      {
        default: LIMITS.mediaSessions,
      },
    ),
  }),
  dns: live.group('Name servers', {
    servers: live.list('Name servers, asked in turn', { type: 'server' }, 8),
    timeoutMs: live.leaf(
      'How long one may take',
      { type: 'int', min: 100, max: 30_000, unit: 'ms' },
      { default: 1000 },
    ),
  }),
};
