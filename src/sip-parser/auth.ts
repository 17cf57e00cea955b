// Challenges and credentials (RFC 3261 20.7, 20.44; RFC 7616 for Digest): a scheme and its
// parameters.

import {
  COMMA,
  EQUAL,
  equalsLower,
  QUOTE,
  skipClass,
  skipQuoted,
  skipWs,
  TOKEN,
  trimEnd,
  unquote,
} from './chars.ts';
import { type SipFault, sipFault } from './faults.ts';
import { LIMITS } from './limits.ts';

/** Parameter names are lower case, values without quotes. */
export type Auth = { readonly scheme: string; readonly params: Map<string, string> };

/**
 * Parses the value of WWW-Authenticate, Authorization and their proxy forms. The scheme is kept as
 * spelled. A scheme with one opaque token (Basic, Bearer) yields the parameter `token68`. A
 * repeated parameter is a fault: two readers could take different ones. Fault `bad-auth`. Never
 * throws.
 */
export function parseAuth(text: string): Auth | SipFault {
  const end = trimEnd(text, 0, text.length);
  const start = skipWs(text, 0, end);
  let p = skipClass(text, start, end, TOKEN);
  if (p === start) return sipFault('bad-auth', p);
  const scheme = text.slice(start, p);
  const params = new Map<string, string>();
  const first = skipWs(text, p, end);
  if (first === p && p < end) return sipFault('bad-auth', p);
  const digest = equalsLower(scheme, 0, 'digest');
  if (!digest && /^[A-Za-z0-9\-._~+/]+=*$/.test(text.slice(first, end))) {
    params.set('token68', text.slice(first, end));
    return { scheme, params };
  }
  p = first;
  while (p < end) {
    const nameEnd = skipClass(text, p, end, TOKEN);
    const equal = skipWs(text, nameEnd, end);
    if (nameEnd === p || equal >= end || text.charCodeAt(equal) !== EQUAL) {
      return sipFault('bad-auth', p);
    }
    const name = text.slice(p, nameEnd).toLowerCase();
    const at = skipWs(text, equal + 1, end);
    const stop = valueEnd(text, at, end);
    if (stop < 0 || params.has(name) || params.size >= LIMITS.authParams) {
      return sipFault('bad-auth', at);
    }
    params.set(name, unquote(text.slice(at, stop)));
    p = skipWs(text, stop, end);
    if (p === end) break;
    if (text.charCodeAt(p) !== COMMA) return sipFault('bad-auth', p);
    p = skipWs(text, p + 1, end);
    if (p === end) return sipFault('bad-auth', p);
  }
  return { scheme, params };
}

// A value is a quoted string or runs to the comma; digest-uri unquoted (old senders) may hold "="
// or ":".
function valueEnd(text: string, at: number, end: number): number {
  if (at < end && text.charCodeAt(at) === QUOTE) return skipQuoted(text, at, end);
  let p = at;
  while (p < end) {
    const c = text.charCodeAt(p);
    if (c === COMMA || c <= 32 || c === QUOTE) break;
    p += 1;
  }
  return p === at ? -1 : p;
}
