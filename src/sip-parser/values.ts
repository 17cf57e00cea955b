// Values of the headers that extensions bring, one parser a header: reliable provisional responses
// (RFC 3262), session timers (4028), events (6665, 3903), asserted identity (3325), lists of
// addresses and of option tags, and a few small numbers. Header values of transfer are in
// `transfer.ts`. All take the value as `SipMessage.header` gives it, and never throw.

import {
  decimal,
  equalsLower,
  findParam,
  paramValueEnd,
  quote,
  SEMI,
  skipClass,
  skipWs,
  TOKEN,
  trimEnd,
} from './chars.ts';
import { isFault, type SipFault, type SipFaultCode, sipFault } from './faults.ts';
import { H } from './headers.ts';
import { CSEQ_END, EXPIRES_MAX, LIMITS } from './limits.ts';
import type { SipMessage } from './message.ts';
import { METHODS, methodIdAt } from './methods.ts';
import { checkParams, type NameAddr, param, parseNameAddr } from './name-addr.ts';

/** RSeq is a number from 1 to 2**32 - 1 (RFC 3262 7.1). */
export const RSEQ_MAX = 2 ** 32 - 1;

/** What a PRACK acknowledges (RFC 3262 7.2). */
export type RAck = {
  readonly rseq: number;
  readonly cseq: number;
  readonly method: string;
  /** A value of `M`, 0 for an unknown method. */
  readonly methodId: number;
};

/** Parses RAck: response-num LWS CSeq-num LWS Method. Fault `bad-rack`. */
export function parseRAck(text: string): RAck | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  const rseqEnd = digitsEnd(text, start, end);
  const rseq = decimal(text, start, rseqEnd);
  if (rseq < 1 || rseq > RSEQ_MAX) return sipFault('bad-rack', start);
  const second = skipWs(text, rseqEnd, end);
  const cseqEnd = digitsEnd(text, second, end);
  const cseq = decimal(text, second, cseqEnd);
  if (second === rseqEnd || cseq < 0 || cseq >= CSEQ_END) return sipFault('bad-rack', second);
  const at = skipWs(text, cseqEnd, end);
  if (at === cseqEnd || at === end || skipClass(text, at, end, TOKEN) !== end) {
    return sipFault('bad-rack', at);
  }
  const id = methodIdAt(text, at, end);
  const method = id > 0 ? (METHODS[id] as string) : text.slice(at, end);
  return { rseq, cseq, method, methodId: id };
}

/** The text of a RAck value. */
export function formatRAck(r: Pick<RAck, 'rseq' | 'cseq' | 'method'>): string {
  return `${r.rseq} ${r.cseq} ${r.method}`;
}

/** Parses RSeq (RFC 3262 7.1): a number from 1 to `RSEQ_MAX`. Fault `bad-rseq`. */
export function parseRSeq(text: string): number | SipFault {
  const n = wholeNumber(text);
  return n >= 1 && n <= RSEQ_MAX ? n : sipFault('bad-rseq', 0);
}

/** A session interval and who refreshes it (RFC 4028 4). */
export type SessionExpires = {
  /** At most `EXPIRES_MAX`. Values below 90 are returned as they are: 422 is the caller's answer. */
  readonly seconds: number;
  /** '' when absent or neither of the two. */
  readonly refresher: '' | 'uac' | 'uas';
};

/** Parses Session-Expires (`x`). Fault `bad-session-expires`. */
export function parseSessionExpires(text: string): SessionExpires | SipFault {
  const v = deltaAndParams(text, 'bad-session-expires');
  if (isFault(v)) return v;
  const who = (param(v.params, 'refresher') ?? '').toLowerCase();
  return { seconds: v.seconds, refresher: who === 'uac' || who === 'uas' ? who : '' };
}

/** The text of a Session-Expires value. */
export function formatSessionExpires(s: SessionExpires): string {
  return s.refresher === '' ? `${s.seconds}` : `${s.seconds};refresher=${s.refresher}`;
}

/** Parses Min-SE: seconds, parameters ignored (RFC 4028 5). Fault `bad-min-se`. */
export function parseMinSe(text: string): number | SipFault {
  const v = deltaAndParams(text, 'bad-min-se');
  return isFault(v) ? v : v.seconds;
}

/** Parses Flow-Timer: seconds (RFC 5626 10). Fault `bad-flow-timer`. */
export function parseFlowTimer(text: string): number | SipFault {
  const n = wholeNumber(text);
  return n < 1 ? sipFault('bad-flow-timer', 0) : Math.min(n, EXPIRES_MAX);
}

/** How long to stay away (RFC 3261 20.33). */
export type RetryAfter = {
  readonly seconds: number;
  /** Parameter `duration`: how long the answerer will be there afterwards, -1 when absent. */
  readonly duration: number;
};

/** Parses Retry-After; comments are skipped. Fault `bad-retry-after`. */
export function parseRetryAfter(text: string): RetryAfter | SipFault {
  const start = skipWs(text, 0, text.length);
  const stop = digitsEnd(text, start, text.length);
  const n = decimal(text, start, stop);
  if (n < 0) return sipFault('bad-retry-after', start);
  const end = trimEnd(text, stop, text.length);
  const p = skipComment(text, skipWs(text, stop, end), end);
  if (p < 0 || checkParams(text, p, end) !== end) return sipFault('bad-retry-after', stop);
  const duration = param(text.slice(p, end), 'duration');
  return {
    seconds: Math.min(n, EXPIRES_MAX),
    duration: duration === undefined ? -1 : decimal(duration, 0, duration.length),
  };
}

/** An event package with its template and identification (RFC 6665 8.2.1). */
export type EventType = {
  /** `dialog`, `presence`, `message-summary`: as spelled, for it is compared byte by byte. */
  readonly package: string;
  /** What follows the first dot: `winfo`, `winfo.winfo`; '' when there is none. */
  readonly template: string;
  /** '' when absent. */
  readonly id: string;
  /** All parameters, `;a=b`, raw. */
  readonly params: string;
};

/** Parses Event (`o`). Fault `bad-event`. */
export function parseEvent(text: string): EventType | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  const stop = skipClass(text, start, end, TOKEN);
  const type = text.slice(start, stop);
  // Between the dots stand tokens without dots, none of them empty.
  if (type === '' || type.startsWith('.') || type.endsWith('.') || type.includes('..')) {
    return sipFault('bad-event', start);
  }
  const semi = skipWs(text, stop, end);
  if (checkParams(text, semi, end) !== end) return sipFault('bad-event', stop);
  const params = text.slice(semi, end);
  const id = tokenParam(params, 'id');
  if (id === undefined || repeats(params, 'id')) return sipFault('bad-event', stop);
  const dot = type.indexOf('.');
  return {
    package: dot < 0 ? type : type.slice(0, dot),
    template: dot < 0 ? '' : type.slice(dot + 1),
    id,
    params,
  };
}

/** The text of an Event value without other parameters than `id`. */
export function formatEvent(e: Pick<EventType, 'package' | 'template' | 'id'>): string {
  const template = e.template === '' ? '' : `.${e.template}`;
  return `${e.package}${template}${e.id === '' ? '' : `;id=${e.id}`}`;
}

/** RFC 6665 8.2.1: type and id are compared byte by byte, other parameters not at all. */
export function sameEvent(a: EventType, b: EventType): boolean {
  return a.package === b.package && a.template === b.template && a.id === b.id;
}

/** State of a subscription (RFC 6665 8.2.3). */
export type SubscriptionState = {
  /** Lower case: `active`, `pending`, `terminated` or an extension. */
  readonly state: string;
  /** Lower case: `deactivated`, `timeout`, `noresource`, ...; '' when absent. */
  readonly reason: string;
  /** Seconds, -1 when absent or malformed. */
  readonly expires: number;
  /** Seconds, -1 when absent or malformed. */
  readonly retryAfter: number;
};

/** Parses Subscription-State. Fault `bad-subscription-state`. */
export function parseSubscriptionState(text: string): SubscriptionState | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  const stop = skipClass(text, start, end, TOKEN);
  if (stop === start) return sipFault('bad-subscription-state', start);
  const semi = skipWs(text, stop, end);
  if (checkParams(text, semi, end) !== end) return sipFault('bad-subscription-state', stop);
  const params = text.slice(semi, end);
  return {
    state: text.slice(start, stop).toLowerCase(),
    reason: (tokenParam(params, 'reason') ?? '').toLowerCase(),
    expires: secondsOf(params, 'expires'),
    retryAfter: secondsOf(params, 'retry-after'),
  };
}

/** The text of a Subscription-State value. */
export function formatSubscriptionState(s: SubscriptionState): string {
  let out = s.state;
  if (s.reason !== '') out += `;reason=${s.reason}`;
  if (s.expires >= 0) out += `;expires=${s.expires}`;
  return s.retryAfter >= 0 ? `${out};retry-after=${s.retryAfter}` : out;
}

/** Why a request was sent (RFC 3326): `Q.850;cause=16;text="..."`. */
export type Reason = {
  /** As spelled: `SIP`, `Q.850`. */
  readonly protocol: string;
  /** -1 when absent or malformed. */
  readonly cause: number;
  readonly text: string;
};

/** Parses one Reason value. Fault `bad-reason`. */
export function parseReason(text: string): Reason | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  const stop = skipClass(text, start, end, TOKEN);
  if (stop === start || checkParams(text, stop, end) !== end) return sipFault('bad-reason', start);
  const params = text.slice(skipWs(text, stop, end), end);
  const cause = param(params, 'cause') ?? '';
  return {
    protocol: text.slice(start, stop),
    cause: decimal(cause, 0, cause.length),
    text: param(params, 'text') ?? '',
  };
}

/** The text of a Reason value. */
export function formatReason(r: Reason): string {
  const cause = r.cause < 0 ? '' : `;cause=${r.cause}`;
  return `${r.protocol}${cause}${r.text === '' ? '' : `;text=${quote(r.text)}`}`;
}

/** Parses an entity tag, SIP-ETag and SIP-If-Match: a token (RFC 3903 11.3). Fault `bad-etag`. */
export function parseEtag(text: string): string | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  if (start === end || skipClass(text, start, end, TOKEN) !== end) {
    return sipFault('bad-etag', start);
  }
  return text.slice(start, end);
}

type TagHeader =
  | typeof H.Supported
  | typeof H.Require
  | typeof H.ProxyRequire
  | typeof H.Unsupported
  | typeof H.AllowEvents
  | typeof H.Allow;

/**
 * The words of a list header in order, as spelled: option tags, methods, event packages. A word
 * that is no token is returned like any other: it is simply none that anybody supports.
 */
export function words(m: SipMessage, h: TagHeader): readonly string[] {
  return m.values(h);
}

/**
 * True when list header `h` has `word`. Option tags compare in any case (RFC 3261 7.3.1); methods
 * (7.1) and event packages (RFC 6665 8.2.1) byte by byte.
 */
export function hasWord(m: SipMessage, h: TagHeader, word: string): boolean {
  if (!m.has(h)) return false;
  const exact = h === H.Allow || h === H.AllowEvents;
  const wanted = exact ? word : word.toLowerCase();
  return m.values(h).some((v) => (exact ? v : v.toLowerCase()) === wanted);
}

type AddressHeader =
  | typeof H.Route
  | typeof H.RecordRoute
  | typeof H.Path
  | typeof H.ServiceRoute
  | typeof H.Contact
  | typeof H.PAssertedIdentity
  | typeof H.PPreferredIdentity
  | typeof H.Diversion
  | typeof H.HistoryInfo
  | typeof H.RemotePartyId;

/**
 * Every address of header `h`, in order; [] when it is absent. One that is malformed faults the
 * whole: a route with a hop left out leads elsewhere. So does one more than `LIMITS.listValues`.
 * Fault `bad-route`, `bad-contact` or `bad-name-addr` at the number of the value.
 */
export function addresses(m: SipMessage, h: AddressHeader): readonly NameAddr[] | SipFault {
  const route = h === H.Route || h === H.RecordRoute || h === H.Path || h === H.ServiceRoute;
  const code = route ? 'bad-route' : h === H.Contact ? 'bad-contact' : 'bad-name-addr';
  const values = m.values(h);
  // `values` stops at the limit: whether it was reached or passed cannot be told any more.
  if (values.length >= LIMITS.listValues) return sipFault(code, values.length);
  const out: NameAddr[] = [];
  for (const value of values) {
    const a = parseNameAddr(value);
    if (isFault(a)) return sipFault(code, out.length);
    // Routes are name-addr only (RFC 3261 20.30, 20.34; RFC 3327 4; RFC 3608 5).
    if (route && !value.includes('<')) return sipFault(code, out.length);
    out.push(a);
  }
  return out;
}

/** Who calls, as a trusted neighbour says (RFC 3325 9.1). */
export type AssertedIdentity = {
  readonly sip: NameAddr | undefined;
  readonly tel: NameAddr | undefined;
};

/**
 * Reads P-Asserted-Identity, or P-Preferred-Identity when asked for: at most one sip or sips and
 * one tel address. Fault `bad-name-addr`, also for a second one of a kind or another scheme.
 */
export function assertedIdentity(
  m: SipMessage,
  h: typeof H.PAssertedIdentity | typeof H.PPreferredIdentity = H.PAssertedIdentity,
): AssertedIdentity | SipFault {
  const all = addresses(m, h);
  if (isFault(all)) return all;
  let sip: NameAddr | undefined;
  let tel: NameAddr | undefined;
  for (const [i, a] of all.entries()) {
    const isTel = equalsLower(a.uri, 0, 'tel:');
    const isSip = equalsLower(a.uri, 0, 'sip:') || equalsLower(a.uri, 0, 'sips:');
    if (isTel && tel === undefined) tel = a;
    else if (isSip && sip === undefined) sip = a;
    else return sipFault('bad-name-addr', i);
  }
  return { sip, tel };
}

/** True when the parameter `lower` stands more than once in `params`. */
export function repeats(params: string, lower: string): boolean {
  const end = params.length;
  const at = findParam(params, 0, end, lower);
  return at >= 0 && findParam(params, paramValueEnd(params, at, end), end, lower) >= 0;
}

/** Value of a parameter whose grammar is a token: '' when absent, undefined when it is none. */
export function tokenParam(params: string, name: string): string | undefined {
  const value = param(params, name) ?? '';
  return skipClass(value, 0, value.length, TOKEN) === value.length ? value : undefined;
}

function secondsOf(params: string, name: string): number {
  const value = param(params, name);
  if (value === undefined) return -1;
  return Math.min(decimal(value, 0, value.length), EXPIRES_MAX);
}

/** delta-seconds *( SEMI generic-param ). */
function deltaAndParams(
  text: string,
  code: SipFaultCode,
): { readonly seconds: number; readonly params: string } | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  const stop = digitsEnd(text, start, end);
  const n = decimal(text, start, stop);
  if (n < 0) return sipFault(code, start);
  const p = skipWs(text, stop, end);
  if (p < end && text.charCodeAt(p) !== SEMI) return sipFault(code, p);
  const checked = checkParams(text, p, end);
  if (checked !== end) return sipFault(code, checked < 0 ? ~checked : checked);
  return { seconds: Math.min(n, EXPIRES_MAX), params: text.slice(p, end) };
}

/** The number that is the whole of `text` but for space around it, or -1. */
function wholeNumber(text: string): number {
  const end = trimEnd(text, 0, text.length);
  return decimal(text, skipWs(text, 0, end), end);
}

function digitsEnd(text: string, start: number, end: number): number {
  let p = start;
  while (p < end && text.charCodeAt(p) >= 48 && text.charCodeAt(p) <= 57) p += 1;
  return p;
}

/** Behind a comment at `p`, nested ones with it (RFC 3261 25.1); `p` when none; -1: never closed. */
function skipComment(text: string, p: number, end: number): number {
  if (p >= end || text.charCodeAt(p) !== 40) return p;
  let depth = 0;
  for (let q = p; q < end; q += 1) {
    const c = text.charCodeAt(q);
    if (c === 92) q += 1;
    else if (c === 40) depth += 1;
    else if (c === 41) {
      depth -= 1;
      if (depth === 0) return skipWs(text, q + 1, end);
    }
  }
  return -1;
}
