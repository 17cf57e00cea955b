// name-addr and addr-spec with header parameters (RFC 3261 20.10, 25.1): From, To, Contact, Route,
// Refer-To and their like. `checkAddr` validates in place; `parseNameAddr` makes the parts; the
// rest edits a parameter string such as `;tag=1;q=0.5`.

import {
  COMMA,
  EQUAL,
  findParam,
  GT,
  HT,
  isClass,
  LT,
  PVALUE,
  paramValueEnd,
  QUESTION,
  QUOTE,
  quote,
  SEMI,
  SP,
  STAR,
  skipClass,
  skipQuoted,
  skipWs,
  TOKEN,
  trimEnd,
  unquote,
} from './chars.ts';
import { type SipFault, sipFault } from './faults.ts';
import { checkUri } from './uri.ts';

/** One address with its header parameters. */
export type NameAddr = {
  /** Display name without quotes and backslashes, '' when absent. */
  readonly display: string;
  /** URI without brackets. */
  readonly uri: string;
  /** `;a=b;c` with the leading semicolon, or ''. */
  readonly params: string;
};

/**
 * Checks `*( SEMI generic-param )` from `p`: `end` or the offset of a comma when it is well formed,
 * else `~offset` (negative) of the fault. White space may stand around ";" and "=" (RFC 3261 25.1).
 */
export function checkParams(text: string, start: number, end: number): number {
  let p = skipWs(text, start, end);
  while (p < end) {
    const c = text.charCodeAt(p);
    if (c === COMMA) return p;
    if (c !== SEMI) return ~p;
    const name = skipWs(text, p + 1, end);
    p = skipClass(text, name, end, TOKEN);
    if (p === name) return ~p; // RFC 4475 3.1.2.1: an empty parameter is an error
    p = skipWs(text, p, end);
    if (p < end && text.charCodeAt(p) === EQUAL) {
      p = skipWs(text, p + 1, end);
      if (p < end && text.charCodeAt(p) === QUOTE) {
        const q = skipQuoted(text, p, end);
        if (q < 0) return ~p;
        p = q;
      } else {
        const q = skipClass(text, p, end, PVALUE);
        if (q === p) return ~p;
        p = q;
      }
      p = skipWs(text, p, end);
    }
  }
  return end;
}

/**
 * Checks one name-addr or addr-spec with parameters from `start`: the offset of the comma after it
 * or `end`, else `~offset` of the fault. `brackets` demands the <> form (Route, Record-Route).
 */
export function checkAddr(text: string, start: number, end: number, brackets: boolean): number {
  const p = skipWs(text, start, end);
  const lt = displayEnd(text, p, end);
  if (lt < 0) return lt;
  if (lt < end && text.charCodeAt(lt) === LT) {
    let gt = lt + 1;
    while (gt < end && text.charCodeAt(gt) !== GT) gt += 1;
    if (gt === end) return ~lt;
    const bad = checkUri(text, lt + 1, gt);
    return bad >= 0 ? ~bad : checkParams(text, gt + 1, end);
  }
  if (brackets) return ~p;
  // RFC 3261 20: without brackets a comma, semicolon or question mark cannot belong to the URI.
  let q = p;
  for (; q < end; q += 1) {
    const c = text.charCodeAt(q);
    if (c === SEMI || c === COMMA || c === SP || c === HT) break;
    if (c === QUESTION) return ~q;
  }
  const bad = checkUri(text, p, q);
  return bad >= 0 ? ~bad : checkParams(text, q, end);
}

/**
 * Offset of "<" after a display name, `p` itself when the text begins with no display name (then it
 * is an addr-spec), or `~offset`. display-name = *( token LWS ) / quoted-string; octets above 127
 * pass.
 */
function displayEnd(text: string, p: number, end: number): number {
  if (p < end && text.charCodeAt(p) === LT) return p;
  if (p < end && text.charCodeAt(p) === QUOTE) {
    const q = skipQuoted(text, p, end);
    const lt = q < 0 ? end : skipWs(text, q, end);
    return lt < end && text.charCodeAt(lt) === LT ? lt : ~p;
  }
  let q = p;
  while (q < end) {
    const c = text.charCodeAt(q);
    if (c === LT) return q;
    if (c !== SP && c !== HT && c < 128 && !isClass(text, q, TOKEN)) return p;
    q += 1;
  }
  return p;
}

/** Parses one address (RFC 3261 20.10). Fault `bad-name-addr` with the offset. Never throws. */
export function parseNameAddr(text: string): NameAddr | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  if (end - start === 1 && text.charCodeAt(start) === STAR) {
    return { display: '', uri: '*', params: '' };
  }
  const stop = checkAddr(text, start, end, false);
  if (stop < 0) return sipFault('bad-name-addr', ~stop);
  if (stop < end) return sipFault('bad-name-addr', stop);
  const lt = displayEnd(text, start, end);
  if (text.charCodeAt(lt) === LT) {
    const gt = text.indexOf('>', lt);
    const display = unquote(text.slice(start, trimEnd(text, start, lt)));
    const params = text.slice(skipWs(text, gt + 1, end), end);
    return { display, uri: text.slice(lt + 1, gt), params };
  }
  const semi = text.indexOf(';', start);
  const uriEnd = semi < 0 || semi > end ? end : semi;
  return {
    display: '',
    uri: text.slice(start, trimEnd(text, start, uriEnd)),
    params: text.slice(uriEnd, end),
  };
}

/** The text of an address, always with brackets: `"Name" <uri>;params`. `*` stays `*`. */
export function formatNameAddr(a: NameAddr): string {
  if (a.uri === '*') return '*';
  return `${a.display === '' ? '' : `${quote(a.display)} `}<${a.uri}>${a.params}`;
}

/**
 * Value of a header parameter by any-case name: quotes removed, '' for one without value, undefined
 * when absent. `params` is `;a=b;c` or a whole Content-Type-like value.
 */
export function param(params: string, name: string): string | undefined {
  const at = findParam(params, 0, params.length, name.toLowerCase());
  if (at < 0) return undefined;
  return unquote(params.slice(at, paramValueEnd(params, at, params.length)));
}

/** `params` without the parameter `name`, however often it stands there. */
export function withoutParam(params: string, name: string): string {
  const lower = name.toLowerCase();
  const end = params.length;
  let out = '';
  let kept = 0;
  for (let at = findParam(params, 0, end, lower); at >= 0; ) {
    const stop = paramValueEnd(params, at, end);
    out += params.slice(kept, semicolonBefore(params, at));
    kept = skipWs(params, stop, end);
    at = findParam(params, stop, end, lower);
  }
  return kept === 0 ? params : out + params.slice(kept);
}

/** `params` with the parameter set, quoted when it is not a token; '' sets it without a value. */
export function setParam(params: string, name: string, value: string): string {
  const rest = withoutParam(params, name);
  if (value === '') return `${rest};${name}`;
  const plain = skipClass(value, 0, value.length, PVALUE) === value.length;
  return `${rest};${name}=${plain ? value : quote(value)}`;
}

// The value begins at `at`: its own semicolon is the nearest one before, for neither the name nor
// the space and "=" between can hold one.
function semicolonBefore(text: string, at: number): number {
  let p = at - 1;
  while (p > 0 && text.charCodeAt(p) !== SEMI) p -= 1;
  return p;
}
