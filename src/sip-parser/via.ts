// Via (RFC 3261 20.42, RFC 3581). The top Via of a message is read in place by `SipMessage`; this
// is the whole value for those that need every part, and the validator.

import {
  COLON,
  COMMA,
  DIGIT,
  decimal,
  equalsLower,
  SLASH,
  skipClass,
  skipWs,
  TOKEN,
  trimEnd,
} from './chars.ts';
import { type SipFault, sipFault } from './faults.ts';
import { checkParams, param } from './name-addr.ts';
import { hostEnd } from './uri.ts';

/** One Via value. */
export type Via = {
  /** Upper case. */
  readonly transport: string;
  /** Host name, IPv4, or IPv6 with brackets. */
  readonly host: string;
  /** 0 when absent. */
  readonly port: number;
  readonly branch: string;
  /** Address where the request came from, as given (with or without brackets), '' when absent. */
  readonly received: string;
  /** undefined: absent; '': asked for; else the port it was answered with (RFC 3581). */
  readonly rport: string | undefined;
  readonly maddr: string;
  /** -1 when absent or malformed. */
  readonly ttl: number;
  /** All parameters, `;a=b`, raw. */
  readonly params: string;
};

/**
 * Checks one Via value from `start`: the offset of the comma after it or `end`, else `~offset`.
 * sent-protocol LWS sent-by *( SEMI via-params ), with white space around "/" and ":" (25.1).
 */
export function checkVia(text: string, start: number, end: number): number {
  let p = skipWs(text, start, end);
  if (!equalsLower(text, p, 'sip')) return ~p;
  p = skipWs(text, p + 3, end);
  if (p >= end || text.charCodeAt(p) !== SLASH) return ~p;
  p = skipWs(text, p + 1, end);
  if (!text.startsWith('2.0', p)) return ~p;
  p = skipWs(text, p + 3, end);
  if (p >= end || text.charCodeAt(p) !== SLASH) return ~p;
  p = skipWs(text, p + 1, end);
  const transport = p;
  p = skipClass(text, p, end, TOKEN);
  if (p === transport) return ~p;
  const host = skipWs(text, p, end);
  if (host === p) return ~p;
  p = hostEnd(text, host, end);
  if (p < 0) return ~host;
  p = skipWs(text, p, end);
  if (p < end && text.charCodeAt(p) === COLON) {
    const digits = skipWs(text, p + 1, end);
    p = skipClass(text, digits, end, DIGIT);
    const port = decimal(text, digits, p);
    if (port < 1 || port > 65_535) return ~digits;
  }
  return checkParams(text, p, end);
}

/** Parses one Via value. Fault `bad-via` with the offset. Never throws. */
export function parseVia(text: string): Via | SipFault {
  const end = trimEnd(text, 0, text.length);
  const stop = checkVia(text, 0, end);
  if (stop < 0) return sipFault('bad-via', ~stop);
  if (stop < end && text.charCodeAt(stop) === COMMA) return sipFault('bad-via', stop);
  const protocol = text.indexOf('/', text.indexOf('/') + 1);
  const at = skipWs(text, protocol + 1, end);
  const transportEnd = skipClass(text, at, end, TOKEN);
  const host = skipWs(text, transportEnd, end);
  const hostStop = hostEnd(text, host, end);
  let p = skipWs(text, hostStop, end);
  let port = 0;
  if (p < end && text.charCodeAt(p) === COLON) {
    const digits = skipWs(text, p + 1, end);
    p = skipClass(text, digits, end, DIGIT);
    port = decimal(text, digits, p);
  }
  const params = text.slice(skipWs(text, p, end), end);
  const ttl = param(params, 'ttl');
  return {
    transport: text.slice(at, transportEnd).toUpperCase(),
    host: text.slice(host, hostStop),
    port,
    branch: param(params, 'branch') ?? '',
    received: param(params, 'received') ?? '',
    rport: param(params, 'rport'),
    maddr: param(params, 'maddr') ?? '',
    ttl: ttl === undefined ? -1 : decimal(ttl, 0, ttl.length),
    params,
  };
}

/** The text of a Via value without white space. */
export function formatVia(via: Pick<Via, 'transport' | 'host' | 'port' | 'params'>): string {
  const port = via.port === 0 ? '' : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${via.host}${port}${via.params}`;
}
