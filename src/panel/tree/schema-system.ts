/** The machine around the daemon: clock, log, SNMP, metrics, lights, console. Nearly all of it is live. */

import { type Leaf, nodes, type Type } from './terms.ts';

const { leaf, list, group, map } = nodes('live');
/** The daemon itself sends to Homer. */
const restart = nodes('restart');
const HOST: Type = { type: 'host' };
const TEXT: Type = { type: 'text' };
const NAME: Type = {
  type: 'text',
  max: 32,
  pattern: '[A-Za-z0-9][A-Za-z0-9_.-]*',
  what: 'a name of letters, digits, _ . -',
};
const PORT: Type = { type: 'port' };

/** RFC 3414 11.2: a password of USM is at least eight characters. */
const SNMP_KEY: Type = {
  type: 'text',
  max: 128,
  pattern: '[^"\\\\\\s]{8,}',
  what: 'a password of at least 8 characters without spaces and quotes',
};

const SYSLOG = map(
  'Log servers',
  { keyName: 'name', key: NAME, most: 8 },
  {
    address: leaf('Host', HOST, { must: true }),
    port: leaf('Port; by default 514, with TLS 6514', PORT),
    transport: leaf(
      'Transport',
      {
        type: 'enum',
        words: { udp: 'UDP (RFC 5426)', tcp: 'TCP (RFC 6587)', tls: 'TLS (RFC 5425)' },
      },
      { default: 'udp' },
    ),
    level: leaf(
      'What is sent: this and worse',
      {
        type: 'enum',
        words: {
          critical: 'The service is in danger',
          error: 'Something failed',
          warning: 'Something will fail',
          notice: 'What an operator wants to know',
          info: 'Everything but details',
          debug: 'Everything',
        },
      },
      { default: 'notice' },
    ),
  },
);

const SNMP = group('SNMP agent', {
  enabled: leaf('It answers', { type: 'flag' }, { default: false }),
  location: leaf('sysLocation', TEXT),
  contact: leaf('sysContact', TEXT),
  users: map(
    'SNMPv3 users: SHA-256 and AES-128, read only',
    { keyName: 'name', key: NAME, most: 16 },
    {
      authKey: leaf('Authentication password', SNMP_KEY, { must: true, secret: true }),
      privKey: leaf('Privacy password', SNMP_KEY, { must: true, secret: true }),
    },
  ),
  community: leaf(
    'SNMPv2c community, read only; unset: v2c is off',
    { type: 'text', max: 32, pattern: '[^"\\\\\\s]+', what: 'a word without quotes' },
    { secret: true },
  ),
  traps: map(
    'Who is told of alarms and changes',
    { keyName: 'name', key: NAME, most: 8 },
    {
      address: leaf('Address', { type: 'ip' }, { must: true }),
      port: leaf('UDP port', PORT, { default: 162 }),
      kind: leaf(
        'How it is told',
        { type: 'enum', words: { trap: 'Once', inform: 'Until it says that it knows' } },
        { default: 'trap' },
      ),
      user: leaf('SNMPv3 user', { type: 'name', of: ['system snmp users'] }, { must: true }),
    },
  ),
});

function led(what: string): { readonly [colour: string]: Leaf } {
  const name: Type = {
    type: 'text',
    max: 64,
    pattern: '(?=.*[^.])[\\w:.+-]+',
    what: 'a name of /sys/class/leds',
  };
  const of = (colour: string): Leaf =>
    leaf(`LED of the kernel that lights ${what} ${colour}`, name);
  return { green: of('green'), amber: of('amber'), red: of('red') };
}

export const SYSTEM = group(
  'The machine: clock, log, SNMP, metrics, lights, console',
  {
    timeZone: leaf('Time zone, as Europe/Berlin', { type: 'timeZone' }, { default: 'UTC' }),
    ntp: list('Time servers', HOST, 8),
    syslog: SYSLOG,
    snmp: SNMP,
    metrics: group('Prometheus: /metrics and /health', {
      port: leaf('TCP port, as 9464; 0: closed', { type: 'port', off: true }, { default: 0 }),
      allow: list('Networks that may ask; without, everybody', { type: 'prefix' }, 32),
    }),
    hep: restart.group('Every SIP message goes to Homer (HEP3)', {
      address: restart.leaf('Address of the collector', { type: 'ip' }, { must: true }),
      port: restart.leaf('UDP port', PORT, { default: 9060 }),
      id: restart.leaf('Capture agent id; by default 1 of box a, 2 of box b', {
        type: 'int',
        min: 0,
        max: 4_294_967_295,
      }),
      key: restart.leaf(
        'Authentication key',
        { type: 'text', max: 64, pattern: '\\S+', what: 'a text without spaces' },
        { secret: true },
      ),
    }),
    leds: group('Lights of this kind of box', {
      power: group('The light PWR', led('PWR')),
      status: group('The light STATUS', led('STATUS')),
      ha: group('The light HA', led('HA')),
      alarm: group('The light ALARM', led('ALARM')),
    }),
    console: group('The serial console', {
      idleMin: leaf('Logged off when idle for so long; 0: never', minutes(0, 1440), {
        default: 15,
      }),
      attempts: leaf(
        'Wrong passwords until it is locked',
        { type: 'int', min: 3, max: 20 },
        {
          default: 5,
        },
      ),
      lockMin: leaf('Locked for so long, longer each time', minutes(1, 60), { default: 5 }),
    }),
  },
  { must: true },
);

function minutes(min: number, max: number): Type {
  return { type: 'int', min, max, unit: 'min' };
}
