/**
 * SIP as the demo phones speak it. Written apart from `src/` on purpose: a phone that shared the
 * boxes' parser would agree with their mistakes.
 */

import { createHash } from 'node:crypto';

export type Message = {
  /** Request: method; response: ''. */
  readonly method: string;
  /** Request-URI; '' in a response. */
  readonly uri: string;
  /** Status code; 0 in a request. */
  readonly code: number;
  readonly reason: string;
  /** Header lines in order: lower-case long name, value. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
};

const LONG: Readonly<Record<string, string>> = {
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  f: 'from',
  k: 'supported',
  t: 'to',
  v: 'via',
};

/** Undefined: not SIP. */
export function parse(text: string): Message | undefined {
  const gap = text.indexOf('\r\n\r\n');
  if (gap < 0) return undefined;
  // RFC 3261 §7.3.1: a line that begins with white space continues the one before.
  const lines = text
    .slice(0, gap)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const first = lines.shift() ?? '';
  const headers: (readonly [string, string])[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) return undefined;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.push([LONG[name] ?? name, line.slice(colon + 1).trim()]);
  }
  const rest = { headers, body: text.slice(gap + 4) };
  const status = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(first);
  if (status !== null) {
    return { method: '', uri: '', code: Number(status[1]), reason: status[2] ?? '', ...rest };
  }
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(first);
  if (request === null) return undefined;
  return { method: request[1] ?? '', uri: request[2] ?? '', code: 0, reason: '', ...rest };
}

/** First value of a header, '' if there is none. */
export function header(message: Message, name: string): string {
  return message.headers.find(([n]) => n === name)?.[1] ?? '';
}

export function all(message: Message, name: string): string[] {
  return message.headers.filter(([n]) => n === name).map(([, value]) => value);
}

/** A parameter outside the angle brackets: `tag` of From and To, `branch` of Via. */
export function param(value: string, name: string): string {
  const after = value.slice(value.lastIndexOf('>') + 1);
  return new RegExp(`;\\s*${name}\\s*=\\s*"?([^;,\\s"]+)`, 'i').exec(after)?.[1] ?? '';
}

/** The URI of a name-addr or addr-spec. */
export function uriOf(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.replace(/;.*$/, '').trim();
}

export function userOf(uri: string): string {
  return /^sips?:([^@;>]+)@/.exec(uri)?.[1] ?? '';
}

export function cseqOf(message: Message): { readonly number: number; readonly method: string } {
  const match = /^(\d+)\s+([A-Z]+)$/.exec(header(message, 'cseq'));
  return { number: Number(match?.[1] ?? -1), method: match?.[2] ?? '' };
}

export type Line = readonly [string, string];

export function requestText(
  method: string,
  uri: string,
  lines: readonly Line[],
  body = '',
): string {
  return whole(`${method} ${uri} SIP/2.0`, lines, body);
}

/** Via, From, To, Call-ID and CSeq come from the request (RFC 3261 §8.2.6.2). */
export function responseText(
  request: Message,
  code: number,
  reason: string,
  toTag: string,
  lines: readonly Line[] = [],
  body = '',
): string {
  const to = header(request, 'to');
  const copied: Line[] = [
    ...all(request, 'via').map((v): Line => ['Via', v]),
    ...all(request, 'record-route').map((v): Line => ['Record-Route', v]),
    ['From', header(request, 'from')],
    ['To', param(to, 'tag') !== '' || toTag === '' ? to : `${to};tag=${toTag}`],
    ['Call-ID', header(request, 'call-id')],
    ['CSeq', header(request, 'cseq')],
  ];
  return whole(`SIP/2.0 ${code} ${reason}`, [...copied, ...lines], body);
}

function whole(first: string, lines: readonly Line[], body: string): string {
  const type: Line[] = body === '' ? [] : [['Content-Type', 'application/sdp']];
  const full = [...lines, ...type, ['Content-Length', String(Buffer.byteLength(body))] as const];
  return `${first}\r\n${full.map(([n, v]) => `${n}: ${v}`).join('\r\n')}\r\n\r\n${body}`;
}

const HASHES: Readonly<Record<string, string>> = { md5: 'md5', 'sha-256': 'sha256' };

export type Credentials = {
  readonly user: string;
  readonly password: string;
  readonly cnonce: string;
};

/**
 * The answer to a challenge (RFC 7616 §3.4): the first one of the response whose algorithm we know,
 * for the server lists them by preference (RFC 8760 §2.4). Undefined: none.
 */
export function authorization(
  response: Message,
  method: string,
  uri: string,
  credentials: Credentials,
): Line | undefined {
  const proxy = response.code === 407;
  for (const value of all(response, proxy ? 'proxy-authenticate' : 'www-authenticate')) {
    const answer = digest(value, method, uri, credentials);
    if (answer !== undefined) return [proxy ? 'Proxy-Authorization' : 'Authorization', answer];
  }
  return undefined;
}

export function digest(
  challenge: string,
  method: string,
  uri: string,
  credentials: Credentials,
): string | undefined {
  if (!/^digest\s/i.test(challenge)) return undefined;
  const field = (name: string): string => {
    const match = new RegExp(`[\\s,]${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^,\\s]+))`, 'i');
    const found = match.exec(challenge);
    return found?.[1] ?? found?.[2] ?? '';
  };
  const algorithm = field('algorithm') || 'MD5';
  const name = HASHES[algorithm.toLowerCase()];
  if (name === undefined) return undefined;
  const hash = (text: string) => createHash(name).update(text).digest('hex');
  const [realm, nonce, opaque] = [field('realm'), field('nonce'), field('opaque')];
  const { user, password, cnonce } = credentials;
  const secret = hash(`${user}:${realm}:${password}`);
  const what = hash(`${method}:${uri}`);
  const qop = field('qop')
    .split(',')
    .some((q) => q.trim() === 'auth');
  const tail = qop ? `00000001:${cnonce}:auth:` : '';
  const parts = [
    `username="${user}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${hash(`${secret}:${nonce}:${tail}${what}`)}"`,
    `algorithm=${algorithm}`,
    ...(opaque === '' ? [] : [`opaque="${opaque}"`]),
    ...(qop ? ['qop=auth', 'nc=00000001', `cnonce="${cnonce}"`] : []),
  ];
  return `Digest ${parts.join(', ')}`;
}
