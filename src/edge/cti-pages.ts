/**
 * What the port of the programs serves besides WebSocket: the document of the services, the client
 * library for browsers, and the wallboard, which is made of the files in `edge/web/`.
 */

import { stripTypeScriptTypes } from 'node:module';
import { isIPv6 } from 'node:net';
import { extname } from 'node:path';
import { openRpcText } from '../cti/document.ts';
import { type AssetFolder, assetNames, assetText } from './assets.ts';
import { RELEASE } from './config.ts';
import type { CtiSettings } from './config-cti.ts';

export type Page = {
  readonly type: string;
  readonly body: string | Uint8Array;
  /** Content-Security-Policy: what a browser may load and connect to for it. */
  readonly policy: string;
};

/** @returns what is at a path; undefined: nothing. */
export type PageMaker = (path: string) => Page | undefined;

type PageSettings = {
  readonly box: 'a' | 'b';
  readonly address: string;
  readonly peerAddress: string;
  readonly cti: CtiSettings;
};

const TYPES: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

type Made = Omit<Page, 'policy'>;

/** Only what lies in these folders is served, by its name; nothing of a request is a path. */
function filesOf(folder: AssetFolder, prefix: string, made: Map<string, () => Made>): void {
  for (const name of assetNames(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined || name === 'tsconfig.json') continue;
    made.set(`${prefix}${name}`, () => {
      const text = assetText(folder, name);
      // a browser reads no types
      return { type, body: name.endsWith('.ts') ? stripTypeScriptTypes(text) : text };
    });
  }
}

/** Where a page finds both boxes: host and port as they stand in a URL. */
function hostsOf({ address, peerAddress, cti }: PageSettings, port: 'port' | 'tlsPort'): string[] {
  if (cti[port] === 0) return [];
  const host = (ip: string): string => (isIPv6(ip) ? `[${ip}]` : ip);
  return [address, peerAddress].map((ip) => `${host(ip)}:${cti[port]}`);
}

/** No foreign scripts, no inline ones, no other connection than to the boxes. */
function policyOf(settings: PageSettings): string {
  const boxes = [
    ...hostsOf(settings, 'port').map((host) => `ws://${host}`),
    ...hostsOf(settings, 'tlsPort').map((host) => `wss://${host}`),
  ];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${boxes.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** For the wallboard: both boxes, this one first; the page takes those of its own scheme. */
function boxesText(settings: PageSettings): string {
  const names = settings.box === 'a' ? ['a', 'b'] : ['b', 'a'];
  const plain = hostsOf(settings, 'port');
  const secure = hostsOf(settings, 'tlsPort');
  const boxes = names.map((box, i) => ({
    box,
    ...(plain[i] === undefined ? {} : { url: `ws://${plain[i]}/` }),
    ...(secure[i] === undefined ? {} : { secureUrl: `wss://${secure[i]}/` }),
  }));
  return JSON.stringify({ boxes, release: RELEASE });
}

/** Everything there is; each is made when it is first asked for. */
export function pages(settings: PageSettings): PageMaker {
  const made = new Map<string, () => Made>();
  filesOf('web', '/wallboard/', made);
  filesOf('client', '/client/', made);
  const board = made.get('/wallboard/wallboard.html');
  if (board !== undefined) {
    made.set('/wallboard', board);
    made.set('/wallboard/', board);
  }
  const json = (text: () => string) => () => ({ type: 'application/json', body: text() });
  made.set(
    '/wallboard.json',
    json(() => boxesText(settings)),
  );
  made.set(
    '/openrpc.json',
    json(() => openRpcText(RELEASE)),
  );
  const kept = new Map<string, Page>();
  const policy = policyOf(settings);
  return (path) => {
    const known = kept.get(path);
    if (known !== undefined) return known;
    const found = made.get(path)?.();
    if (found === undefined) return undefined;
    const page = { ...found, policy };
    kept.set(path, page);
    return page;
  };
}
