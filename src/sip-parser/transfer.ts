// Values of the headers with which one party moves another's call: Refer-To (RFC 3515), Referred-By
// (3892), Replaces (3891), and the headers inside a URI (RFC 3261 19.1.1) that carry a Replaces to
// whoever is to send it. What stands there is text of a stranger that we would put into a request
// of our own, so a line end or any other control character in it is a fault.

import { HEX, isClass, skipClass, skipWs, TOKEN, trimEnd, WORD } from './chars.ts';
import { isFault, type SipFault, sipFault } from './faults.ts';
import { H, headerId } from './headers.ts';
import { LIMITS } from './limits.ts';
import { checkParams, type NameAddr, param, parseNameAddr, withoutParam } from './name-addr.ts';
import { formatUri, parseUri, type SipUri, unescapeUser, uriParam } from './uri.ts';
import { repeats, tokenParam } from './values.ts';

/** The dialog that a new one takes the place of (RFC 3891 6.1). */
export type Replaces = {
  readonly callId: string;
  /** The local tag of whoever receives the header. */
  readonly toTag: string;
  /** The remote tag of whoever receives the header. */
  readonly fromTag: string;
  readonly earlyOnly: boolean;
};

/**
 * Parses Replaces: exactly one to-tag, one from-tag, at most one early-only. Fault `bad-replaces`.
 */
export function parseReplaces(text: string): Replaces | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  const stop = skipClass(text, start, end, WORD);
  if (stop === start) return sipFault('bad-replaces', start);
  const semi = skipWs(text, stop, end);
  if (checkParams(text, semi, end) !== end) return sipFault('bad-replaces', semi);
  const params = text.slice(semi, end);
  const toTag = tokenParam(params, 'to-tag') ?? '';
  const fromTag = tokenParam(params, 'from-tag') ?? '';
  const early = param(params, 'early-only');
  const twice = ['to-tag', 'from-tag', 'early-only'].some((name) => repeats(params, name));
  if (toTag === '' || fromTag === '' || twice) return sipFault('bad-replaces', semi);
  return { callId: text.slice(start, stop), toTag, fromTag, earlyOnly: early !== undefined };
}

/** The text of a Replaces value; `escapeUriHeader` makes it fit for a URI. */
export function formatReplaces(r: Replaces): string {
  const tail = r.earlyOnly ? ';early-only' : '';
  return `${r.callId};to-tag=${r.toTag};from-tag=${r.fromTag}${tail}`;
}

/** Whom to call, and how (RFC 3515 2.1). */
export type ReferTo = {
  readonly display: string;
  /** The URI to be sent to: without `method` parameter and without headers. */
  readonly uri: string;
  readonly scheme: string;
  /** Of the URI's `method` parameter; INVITE when absent (RFC 3261 19.1.5). */
  readonly method: string;
  /** Of the URI's headers. */
  readonly replaces: Replaces | undefined;
  /** The URI's other headers, names as spelled, unescaped. Not to be obeyed unseen (19.1.5). */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Header parameters, `;a=b`, raw. */
  readonly params: string;
};

/** Parses Refer-To (`r`). Fault `bad-refer-to`, also for a Replaces in it that is malformed. */
export function parseReferTo(text: string): ReferTo | SipFault {
  const a = parseNameAddr(text);
  if (isFault(a)) return sipFault('bad-refer-to', a.at);
  const uri = parseUri(a.uri);
  if (isFault(uri)) return sipFault('bad-refer-to', uri.at);
  const all = uriHeaders(uri);
  if (isFault(all)) return sipFault('bad-refer-to', all.at);
  const method = uriParam(uri, 'method') ?? 'INVITE';
  if (method === '' || skipClass(method, 0, method.length, TOKEN) !== method.length) {
    return sipFault('bad-refer-to', 0);
  }
  let replaces: Replaces | undefined;
  const headers: (readonly [string, string])[] = [];
  for (const [name, value] of all) {
    if (headerId(name) !== H.Replaces) {
      headers.push([name, value]);
      continue;
    }
    const r = parseReplaces(value);
    if (isFault(r) || replaces !== undefined) return sipFault('bad-refer-to', 0);
    replaces = r;
  }
  const target = { ...uri, headers: '', params: withoutParam(uri.params, 'method') };
  const { display, params } = a;
  return {
    display,
    uri: formatUri(target),
    scheme: uri.scheme,
    method,
    replaces,
    headers,
    params,
  };
}

/** The text of a Refer-To that asks for an INVITE to `uri`, in the place of a dialog if given. */
export function formatReferTo(uri: string, replaces: Replaces | undefined): string {
  if (replaces === undefined) return `<${uri}>`;
  const mark = uri.includes('?') ? '&' : '?';
  return `<${uri}${mark}Replaces=${escapeUriHeader(formatReplaces(replaces))}>`;
}

/** Who referred (RFC 3892 2): an address, and the body part that proves it. */
export type ReferredBy = NameAddr & {
  /** Content-ID of the token, without brackets and quotes; '' when absent. */
  readonly cid: string;
};

/** Parses Referred-By (`b`). Fault `bad-name-addr`. */
export function parseReferredBy(text: string): ReferredBy | SipFault {
  const a = parseNameAddr(text);
  return isFault(a) ? a : { ...a, cid: param(a.params, 'cid') ?? '' };
}

/**
 * The headers of a URI in order, unescaped. Fault `bad-uri`: a name that is no token, a malformed
 * escape, a control character, or more than `LIMITS.uriHeaders`.
 */
export function uriHeaders(
  uri: SipUri,
): readonly (readonly [name: string, value: string])[] | SipFault {
  const out: (readonly [string, string])[] = [];
  const text = uri.headers;
  for (let pos = 0; pos < text.length; ) {
    const and = text.indexOf('&', pos);
    const end = and < 0 ? text.length : and;
    const equal = text.indexOf('=', pos);
    if (equal < 0 || equal >= end || out.length >= LIMITS.uriHeaders)
      return sipFault('bad-uri', pos);
    const name = unescapeStrict(text.slice(pos, equal));
    const value = unescapeStrict(text.slice(equal + 1, end));
    if (name === undefined || value === undefined || name === '') return sipFault('bad-uri', pos);
    if (skipClass(name, 0, name.length, TOKEN) !== name.length) return sipFault('bad-uri', pos);
    out.push([name, value]);
    pos = end + 1;
  }
  return out;
}

/** Escapes a text for the value of a URI header (RFC 3261 25.1, hvalue). */
export function escapeUriHeader(text: string): string {
  return text.replace(
    /[^A-Za-z0-9\-_.!~*'()[\]/?:+$]/g,
    (c) => `%${(c.charCodeAt(0) & 255).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** Undefined when an escape is malformed or what comes out has a control character. */
function unescapeStrict(text: string): string | undefined {
  for (let p = text.indexOf('%'); p >= 0; p = text.indexOf('%', p + 3)) {
    if (!isClass(text, p + 1, HEX) || !isClass(text, p + 2, HEX)) return undefined;
  }
  const plain = unescapeUser(text);
  for (let p = 0; p < plain.length; p += 1) {
    const c = plain.charCodeAt(p);
    if ((c < 32 && c !== 9) || c === 127) return undefined;
  }
  return plain;
}
