// The checks a message must pass before anybody uses it (RFC 3261 8.1.1, 8.2, 16.3, 20, 25.1). They
// run for every message, in place, and make nothing but the fault. What depends on what the box
// offers (416 for the scheme, 420, 415, 501, 482, 483) is not decided here.

import { AT, COMMA, decimal, QUESTION, STAR, skipClass, skipWs, WORD } from './chars.ts';
import { type SipFault, type SipFaultCode, sipFault } from './faults.ts';
import { H, SINGLE_MASK } from './headers.ts';
import { CSEQ_END } from './limits.ts';
import { type SipMessage, VERSION } from './message.ts';
import { checkAddr } from './name-addr.ts';
import { checkUri, isSipScheme } from './uri.ts';
import { isUsualAddr, isUsualRequestUri, isUsualVia } from './usual.ts';
import { checkVia } from './via.ts';

const MANDATORY = (1 << H.Via) | (1 << H.From) | (1 << H.To) | (1 << H.CallId) | (1 << H.CSeq);

const CHECKED = MANDATORY | (1 << H.Contact) | (1 << H.Route) | (1 << H.RecordRoute);

/**
 * Checks a request: version, Request-URI, mandatory headers present, single and well formed.
 * Undefined when it may be used. The status to answer with is in `SIP_FAULTS`; an ACK is never
 * answered. From without tag, Via without branch and a missing Max-Forwards pass: RFC 2543 callers
 * send that.
 */
export function validateRequest(m: SipMessage): SipFault | undefined {
  if (m.version !== VERSION.sip2) {
    return sipFault(m.version === VERSION.other ? 'bad-version' : 'bad-start-line', 0);
  }
  return checkHeaders(m) ?? checkRequestUri(m) ?? checkMaxForwards(m) ?? checkBranch(m);
}

/** Checks a response in the same way. Any fault means: drop it (RFC 3261 8.1.3.3, 18.1.2). */
export function validateResponse(m: SipMessage): SipFault | undefined {
  if (m.version !== VERSION.sip2) return sipFault('bad-version', 0);
  return checkHeaders(m);
}

function checkHeaders(m: SipMessage): SipFault | undefined {
  const missing = MANDATORY & ~m.seen;
  if (missing !== 0) {
    return sipFault(missing & (1 << H.Via) ? 'missing-via' : 'missing-header', m.bodyStart);
  }
  if ((m.repeated & SINGLE_MASK) !== 0) return repeatedFault(m);
  for (let i = 0; i < m.lineCount; i += 1) {
    const at = checkLine(m, i);
    if (at >= 0) return sipFault(lineFault(m.lineId(i), m, i, at), at);
  }
  return undefined;
}

function repeatedFault(m: SipMessage): SipFault {
  const bits = m.repeated & SINGLE_MASK;
  const h = 31 - Math.clz32(bits);
  return sipFault('duplicate-header', m.valueStart(m.find(h, m.find(h, 0) + 1)));
}

/** -1 when the value of line `i` is well formed or of no concern, else the offset of the fault. */
function checkLine(m: SipMessage, i: number): number {
  const id = m.lineId(i);
  if (id > H.RecordRoute || ((1 << id) & CHECKED) === 0) return -1;
  const start = m.valueStart(i);
  if (id === H.Via) {
    if (isUsualVia(m.text, start)) return -1;
  } else if (id !== H.CallId && id !== H.CSeq && isUsualAddr(m.text, start)) return -1;
  const end = m.valueEnd(i, start);
  switch (id) {
    case H.Via:
      return checkViaList(m.text, start, end);
    case H.From:
    case H.To: {
      const stop = checkAddr(m.text, start, end, false);
      return stop < 0 ? ~stop : stop < end ? stop : -1;
    }
    case H.CallId:
      return end > start && skipClass(m.text, start, end, WORD) === end ? -1 : start;
    case H.CSeq:
      return checkCSeq(m, start, end);
    case H.Contact:
      // "*" stands alone, without brackets (20.10).
      if (end - start === 1 && m.text.charCodeAt(start) === STAR) return -1;
      return checkAddrList(m.text, start, end, false);
    case H.Route:
    case H.RecordRoute:
      return checkAddrList(m.text, start, end, true);
    default:
      return -1;
  }
}

function lineFault(id: number, m: SipMessage, i: number, at: number): SipFaultCode {
  switch (id) {
    case H.Via:
      return 'bad-via';
    case H.From:
      return 'bad-from';
    case H.To:
      return 'bad-to';
    case H.CallId:
      return 'bad-call-id';
    case H.Contact:
      return 'bad-contact';
    case H.CSeq:
      return at > m.valueStart(i) ? 'cseq-method' : 'bad-cseq';
    default:
      return 'bad-route';
  }
}

function checkViaList(text: string, start: number, end: number): number {
  let p = start;
  for (;;) {
    const stop = checkVia(text, p, end);
    if (stop < 0) return ~stop;
    if (stop >= end) return -1;
    p = stop + 1;
  }
}

function checkAddrList(text: string, start: number, end: number, brackets: boolean): number {
  let p = start;
  for (;;) {
    const stop = checkAddr(text, p, end, brackets);
    if (stop < 0) return ~stop;
    if (stop >= end) return -1;
    if (text.charCodeAt(stop) !== COMMA) return stop;
    p = stop + 1;
  }
}

/**
 * CSeq = 1*DIGIT LWS Method; below 2**31 (8.1.1.5); of a request the method must be its own (8.2).
 */
function checkCSeq(m: SipMessage, start: number, end: number): number {
  let p = start;
  while (p < end && m.text.charCodeAt(p) >= 48 && m.text.charCodeAt(p) <= 57) p += 1;
  const n = decimal(m.text, start, p);
  const method = skipWs(m.text, p, end);
  if (n < 0 || n >= CSEQ_END || method === p || method >= end) return start;
  if (!m.isRequest) return -1;
  const same = end - method === m.method.length && m.text.startsWith(m.method, method);
  return same ? -1 : method;
}

/**
 * A Request-URI has no brackets, no white space and no headers (19.1.1 table, RFC 4475
 * 3.1.2.7-11).
 */
function checkRequestUri(m: SipMessage): SipFault | undefined {
  if (isUsualRequestUri(m.text, m.argStart)) return undefined;
  const bad = checkUri(m.text, m.argStart, m.argEnd);
  if (bad >= 0) return sipFault('bad-request-uri', bad);
  if (!isSipScheme(m.text, m.argStart)) return undefined;
  // "?" is legal in a user part, so only one behind the "@" begins headers.
  let question = -1;
  for (let p = m.argStart; p < m.argEnd; p += 1) {
    const c = m.text.charCodeAt(p);
    if (c === QUESTION && question < 0) question = p;
    else if (c === AT && question >= 0) question = -1;
  }
  return question >= 0 ? sipFault('bad-request-uri', question) : undefined;
}

function checkMaxForwards(m: SipMessage): SipFault | undefined {
  if (!m.has(H.MaxForwards)) return undefined;
  const n = m.maxForwards;
  if (n >= 0 && n <= 255) return undefined;
  return sipFault('bad-max-forwards', m.valueStart(m.find(H.MaxForwards, 0)));
}

/** RFC 4475 3.2.1: the cookie with nothing behind it identifies no transaction. */
function checkBranch(m: SipMessage): SipFault | undefined {
  return m.branch === 'z9hG4bK' ? sipFault('bad-branch', m.viaSpan[0]) : undefined;
}
