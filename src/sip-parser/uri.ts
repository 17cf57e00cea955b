// SIP and SIPS URIs (RFC 3261 19.1), and as much of any other URI as routing needs. `checkUri` is
// the validator that runs for every message and makes nothing; `parseUri` makes the parts.

import {
  AT,
  COLON,
  DIGIT,
  decimal,
  equalsLower,
  findParam,
  HEX,
  HOST,
  isClass,
  PERCENT,
  paramValueEnd,
  QUESTION,
  SEMI,
  skipClass,
  URI,
  USER,
} from './chars.ts';
import { isFault, type SipFault, sipFault } from './faults.ts';

/** The parts of a URI, raw: escapes are kept as received. */
export type SipUri = {
  /** Lower case, for example `sip`, `sips`, `tel`. */
  readonly scheme: string;
  /** User part without password; the number of a tel URI; '' when absent. */
  readonly user: string;
  readonly password: string;
  /** Host name, IPv4 or IPv6 with brackets; '' for other schemes than sip and sips. */
  readonly host: string;
  /** 0 when absent. */
  readonly port: number;
  /** `;a=b;c` with the leading semicolon, or ''. */
  readonly params: string;
  /** `a=b&c=d` without the question mark, or ''. */
  readonly headers: string;
  /** What follows the colon of any scheme other than sip, sips and tel; else ''. */
  readonly opaque: string;
};

/** True when the text at `p` begins with `sip:` or `sips:`, any case. */
export function isSipScheme(text: string, p: number): boolean {
  return equalsLower(text, p, 'sip:') || equalsLower(text, p, 'sips:');
}

/** End of a URI scheme at `start` (the offset of its colon), or -1 (RFC 3986 3.1). */
function schemeEnd(text: string, start: number, end: number): number {
  const first = text.charCodeAt(start) | 32;
  if (start >= end || first < 97 || first > 122) return -1;
  for (let p = start + 1; p < end; p += 1) {
    const c = text.charCodeAt(p);
    if (c === COLON) return p;
    const letter = (c | 32) >= 97 && (c | 32) <= 122;
    if (!letter && !(c >= 48 && c <= 57) && c !== 43 && c !== 45 && c !== 46) return -1;
  }
  return -1;
}

/** Runs over class characters and well-formed %HH escapes. */
function skipEscaped(text: string, start: number, end: number, bits: number): number {
  let p = start;
  for (;;) {
    p = skipClass(text, p, end, bits);
    if (p + 2 >= end || text.charCodeAt(p) !== PERCENT) return p;
    if (!isClass(text, p + 1, HEX) || !isClass(text, p + 2, HEX)) return p;
    p += 3;
  }
}

const URI_PLAIN = URI; // includes "%": the escapes of parameters and headers are checked on use

/** End of the host at `start`, or -1: a name, an IPv4 address or `[` IPv6 `]`. */
export function hostEnd(text: string, start: number, end: number): number {
  if (start < end && text.charCodeAt(start) === 91) {
    let p = start + 1;
    let colons = 0;
    for (; p < end; p += 1) {
      const c = text.charCodeAt(p);
      if (c === 93) return colons >= 2 ? p + 1 : -1;
      if (c === COLON) colons += 1;
      // RFC 5118 4.10: the grammar of RFC 3261 yields ":::"; it has to be tolerated.
      else if (!isClass(text, p, HEX) && c !== 46) return -1;
    }
    return -1;
  }
  const p = skipClass(text, start, end, HOST);
  return p > start ? p : -1;
}

/** -1 when [start, end) is a well-formed URI of any scheme, else the offset of the first fault. */
export function checkUri(text: string, start: number, end: number): number {
  if (!isSipScheme(text, start)) {
    const colon = schemeEnd(text, start, end);
    if (colon < 0 || colon + 1 >= end) return start;
    const p = skipClass(text, colon + 1, end, URI);
    return p === end ? -1 : p;
  }
  let p = text.charCodeAt(start + 3) === COLON ? start + 4 : start + 5;
  // The user part may hold ";", "?" and "/", so it is whatever ends in the first "@".
  const user = skipEscaped(text, p, end, USER);
  if (user < end && text.charCodeAt(user) === AT) {
    if (user === p) return user;
    p = user + 1;
  } else if (user < end && text.charCodeAt(user) === COLON) {
    const password = skipEscaped(text, user + 1, end, USER);
    if (password < end && text.charCodeAt(password) === AT) {
      if (user === p) return user;
      p = password + 1;
    }
  }
  const host = hostEnd(text, p, end);
  if (host < 0) return p;
  p = host;
  if (p < end && text.charCodeAt(p) === COLON) {
    const digits = skipClass(text, p + 1, end, DIGIT);
    const port = decimal(text, p + 1, digits);
    if (port < 1 || port > 65_535) return p;
    p = digits;
  }
  if (p === end) return -1;
  const c = text.charCodeAt(p);
  if (c !== SEMI && c !== QUESTION) return p;
  p = skipClass(text, p, end, URI_PLAIN);
  return p === end ? -1 : p;
}

/**
 * Parses a URI without brackets (RFC 3261 19.1.1). Fault `bad-uri` with the offset. Never throws.
 */
export function parseUri(text: string): SipUri | SipFault {
  const end = text.length;
  const bad = checkUri(text, 0, end);
  if (bad >= 0) return sipFault('bad-uri', bad);
  const colon = text.indexOf(':');
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return parseOther(text, scheme, colon + 1);
  let p = colon + 1;
  let user = '';
  let password = '';
  const userEnd = skipEscaped(text, p, end, USER);
  if (userEnd < end && text.charCodeAt(userEnd) === AT) {
    user = text.slice(p, userEnd);
    p = userEnd + 1;
  } else if (userEnd < end && text.charCodeAt(userEnd) === COLON) {
    const at = skipEscaped(text, userEnd + 1, end, USER);
    if (at < end && text.charCodeAt(at) === AT) {
      user = text.slice(p, userEnd);
      password = text.slice(userEnd + 1, at);
      p = at + 1;
    }
  }
  const host = hostEnd(text, p, end);
  let port = 0;
  let q = host;
  if (q < end && text.charCodeAt(q) === COLON) {
    q = skipClass(text, q + 1, end, DIGIT);
    port = decimal(text, host + 1, q);
  }
  const question = text.indexOf('?', q);
  const paramsEnd = question < 0 ? end : question;
  return {
    scheme,
    user,
    password,
    host: text.slice(p, host),
    port,
    params: text.slice(q, paramsEnd),
    headers: question < 0 ? '' : text.slice(question + 1),
    opaque: '',
  };
}

function parseOther(text: string, scheme: string, start: number): SipUri {
  const none = { password: '', host: '', port: 0, headers: '' };
  if (scheme !== 'tel') {
    return { scheme, ...none, user: '', params: '', opaque: text.slice(start) };
  }
  const semi = text.indexOf(';', start);
  const end = semi < 0 ? text.length : semi;
  return { scheme, ...none, user: text.slice(start, end), params: text.slice(end), opaque: '' };
}

/** The text of a URI; `parseUri` of it gives the same parts. */
export function formatUri(uri: SipUri): string {
  if (uri.scheme === 'tel') return `tel:${uri.user}${uri.params}`;
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return `${uri.scheme}:${uri.opaque}`;
  const password = uri.password === '' ? '' : `:${uri.password}`;
  const userinfo = uri.user === '' ? '' : `${uri.user}${password}@`;
  const port = uri.port === 0 ? '' : `:${uri.port}`;
  const headers = uri.headers === '' ? '' : `?${uri.headers}`;
  return `${uri.scheme}:${userinfo}${uri.host}${port}${uri.params}${headers}`;
}

/** Decodes %HH escapes once; a malformed escape stays as it is. The result is latin1 octets. */
export function unescapeUser(user: string): string {
  if (!user.includes('%')) return user;
  return user.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Escapes a text for the user part: every octet the grammar of `user` does not allow. */
export function escapeUser(user: string): string {
  // a number most often
  if (/^[A-Za-z0-9+]*$/.test(user)) return user;
  return user.replace(
    /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/g,
    (c) => `%${(c.charCodeAt(0) & 255).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/**
 * Value of a URI parameter by lower-case or any-case name, escapes decoded once; '' for a parameter
 * without value, undefined when absent. Escaped names are recognised (RFC 3261 19.1.2).
 */
export function uriParam(uri: SipUri, name: string): string | undefined {
  const params = uri.params;
  const lower = name.toLowerCase();
  if (!params.includes('%')) {
    const at = findParam(params, 0, params.length, lower);
    return at < 0 ? undefined : params.slice(at, paramValueEnd(params, at, params.length));
  }
  return uriParams(params).get(lower);
}

function uriParams(params: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const part of params.split(';')) {
    if (part === '') continue;
    const equal = part.indexOf('=');
    const name = unescapeUser(equal < 0 ? part : part.slice(0, equal)).toLowerCase();
    if (!out.has(name)) out.set(name, equal < 0 ? '' : unescapeUser(part.slice(equal + 1)));
  }
  return out;
}

// RFC 3261 19.1.4: these, present in only one of two URIs, make them differ. The sentence names
// user, ttl, method and maddr; its table of unequal examples adds transport.
const MUST_MATCH = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** A character outside the reserved set equals its escape; a reserved one does not (19.1.4). */
function canonicalEscapes(s: string): string {
  if (!s.includes('%')) return s;
  return s.replace(/%([0-9A-Fa-f]{2})/g, (escaped, hex: string) => {
    const c = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9\-_.!~*'()]/.test(c) ? c : escaped.toUpperCase();
  });
}

/**
 * Equality of two URIs by RFC 3261 19.1.4; texts or parsed. URIs of other schemes compare as texts
 * with the scheme in any case. False when either is malformed.
 */
export function uriEquals(a: SipUri | string, b: SipUri | string): boolean {
  const x = typeof a === 'string' ? parseUri(a) : a;
  const y = typeof b === 'string' ? parseUri(b) : b;
  if (isFault(x) || isFault(y) || x.scheme !== y.scheme) return false;
  if (x.opaque !== y.opaque || x.port !== y.port) return false;
  if (x.host.toLowerCase() !== y.host.toLowerCase()) return false;
  if (canonicalEscapes(x.user) !== canonicalEscapes(y.user)) return false;
  if (canonicalEscapes(x.password) !== canonicalEscapes(y.password)) return false;
  return paramsEqual(x.params, y.params) && headersEqual(x.headers, y.headers);
}

function paramsEqual(a: string, b: string): boolean {
  if (a === b) return true;
  const x = uriParams(a);
  const y = uriParams(b);
  for (const [name, value] of x) {
    const other = y.get(name);
    if (other !== undefined && other.toLowerCase() !== value.toLowerCase()) return false;
  }
  return MUST_MATCH.every((name) => x.has(name) === y.has(name));
}

function headersEqual(a: string, b: string): boolean {
  if (a === b) return true;
  const sorted = (s: string) =>
    s
      .split('&')
      .map((part) => {
        const equal = part.indexOf('=');
        const name = equal < 0 ? part : part.slice(0, equal);
        return `${unescapeUser(name).toLowerCase()}=${canonicalEscapes(part.slice(name.length + 1))}`;
      })
      .sort()
      .join('&');
  return sorted(a) === sorted(b);
}
