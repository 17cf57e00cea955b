// The one pass over a message: the start line, then a number a header line. Parsing keeps no
// substring and no object a header. Folded lines (rare) are joined before the pass, so everything
// after it sees one line a header.

import { CR, decimal, HT, LF, SLASH, SP, skipClass, skipWs, TOKEN, trimEnd } from './chars.ts';
import { type SipFault, type SipFaultCode, sipFault } from './faults.ts';
import { H, headerIdAt, OTHER } from './headers.ts';
import { LIMITS } from './limits.ts';
import { SipMessage, type StartLine, VERSION } from './message.ts';
import { M, METHODS, methodIdAt } from './methods.ts';

const NO_LINES: number[] = [];

// Scratch of one parse: parsing is synchronous and never re-entered, so one set serves all
// messages.
const line: StartLine & { fault: SipFaultCode | '' } = {
  isRequest: false,
  method: '',
  methodId: 0,
  status: 0,
  version: 0,
  argStart: 0,
  argEnd: 0,
  fault: '',
};
const bits: number[] = [0, 0];
const head = {
  bodyStart: 0,
  contentLengthLine: -1,
  // The last colon found; beyond the line it was sought for, it serves the lines up to it.
  colon: -1,
  folded: false,
  fault: '' as SipFaultCode | '',
  at: 0,
};

/**
 * Parses one datagram. The body is Content-Length octets and the rest is dropped; without
 * Content-Length it runs to the end (RFC 3261 18.3). CRLFs before the start line are skipped (7.5);
 * a datagram of nothing else is the fault `keepalive`. Never throws.
 */
export function parseMessage(text: string): SipMessage | SipFault {
  return parse(text, false);
}

/**
 * The request inside a text that `parseMessage` faulted, as far as it can be read, only to answer
 * it with the status of the fault: faulty lines are left out, the body is whatever follows.
 * Undefined when there is nothing to answer: not a request, an ACK, no Via, or a fault that is
 * dropped.
 */
export function salvage(text: string): SipMessage | undefined {
  const m = parse(
    text.length > LIMITS.messageBytes ? text.slice(0, LIMITS.messageBytes) : text,
    true,
  );
  if (!(m instanceof SipMessage)) return undefined;
  return m.isRequest && m.methodId !== M.ACK && m.has(H.Via) ? m : undefined;
}

function parse(input: string, lenient: boolean): SipMessage | SipFault {
  let text = input;
  if (text.length > LIMITS.messageBytes) return sipFault('message-too-large', LIMITS.messageBytes);
  let start = 0;
  while (text.charCodeAt(start) === CR && text.charCodeAt(start + 1) === LF) start += 2;
  if (start === text.length) return sipFault('keepalive', 0);
  let index: number[] = [];
  let pos = scanStart(text, start);
  if (line.fault !== '') return sipFault(line.fault, start);
  index = scanHeaders(text, pos, lenient);
  if (head.folded) {
    text = unfold(text, pos);
    pos = scanStart(text, start);
    index = scanHeaders(text, pos, lenient);
  }
  if (head.fault !== '') return sipFault(head.fault, head.at);
  if (head.folded) return sipFault('bad-line-end', pos);
  let end = text.length;
  const bodyStart = head.bodyStart;
  if (head.contentLengthLine >= 0 && !lenient) {
    const size = contentLength(text, head.contentLengthLine, bodyStart);
    if (size < 0) return sipFault('bad-content-length', head.contentLengthLine);
    if (((bits[1] as number) & (1 << H.ContentLength)) !== 0) {
      return sipFault('duplicate-header', head.contentLengthLine);
    }
    // RFC 3261 18.3: a datagram that ends before the body does is answered 400 if it is a request.
    if (bodyStart + size > end) return sipFault('body-too-short', end);
    end = bodyStart + size;
  }
  if (end < text.length) text = text.slice(0, end);
  return new SipMessage(text, line, index, bodyStart, bits);
}

/** Reads the start line at `start` into `line`; the offset of the first header line. */
function scanStart(text: string, start: number): number {
  const lf = text.indexOf('\n', start);
  line.fault = '';
  if (lf < 0 || lf - start > LIMITS.lineBytes) {
    line.fault = looksLikeSip(text, start)
      ? lf < 0
        ? 'headers-unterminated'
        : 'line-too-long'
      : 'not-sip';
    return start;
  }
  const eol = lf - 1;
  if (text.indexOf('\r', start) !== eol) {
    line.fault = looksLikeSip(text, start) ? 'bad-line-end' : 'not-sip';
    return start;
  }
  if (isVersionAt(text, start)) scanStatusLine(text, start, eol);
  else scanRequestLine(text, start, eol);
  return lf + 1;
}

function looksLikeSip(text: string, start: number): boolean {
  const end = Math.min(text.length, start + 256);
  if (isVersionAt(text, start)) return true;
  const sp = skipClass(text, start, end, TOKEN);
  return sp > start && sp < end && text.charCodeAt(sp) === SP;
}

function isVersionAt(text: string, p: number): boolean {
  return (
    text.charCodeAt(p + 3) === SLASH &&
    (text.charCodeAt(p) | 32) === 115 &&
    (text.charCodeAt(p + 1) | 32) === 105 &&
    (text.charCodeAt(p + 2) | 32) === 112
  );
}

// SIP-Version SP Request-URI SP Method, RFC 3261 7.1: single spaces. A line that breaks this keeps
// its place (the URI gets the surplus space, or the version is malformed) and validation refuses
// it, so that the request can still be answered.
function scanRequestLine(text: string, start: number, eol: number): void {
  const sp = skipClass(text, start, eol, TOKEN);
  if (sp === start || sp >= eol || text.charCodeAt(sp) !== SP) {
    line.fault = 'not-sip';
    return;
  }
  const id = methodIdAt(text, start, sp);
  line.isRequest = true;
  line.methodId = id;
  line.method = id > 0 ? (METHODS[id] as string) : text.slice(start, sp);
  line.status = 0;
  line.argStart = sp + 1;
  if (text.startsWith(' SIP/2.0', eol - 8) && eol - 8 > sp) {
    line.argEnd = eol - 8;
    line.version = VERSION.sip2;
    return;
  }
  const last = text.lastIndexOf(' ', eol - 1);
  line.argEnd = last > sp ? last : eol;
  line.version = last > sp ? versionKind(text.slice(last + 1, eol)) : VERSION.malformed;
}

function versionKind(version: string): number {
  if (!/^SIP\/\d+\.\d+$/i.test(version)) return VERSION.malformed;
  return version.slice(4) === '2.0' ? VERSION.sip2 : VERSION.other;
}

function scanStatusLine(text: string, start: number, eol: number): void {
  let sp = start;
  while (sp < eol && text.charCodeAt(sp) !== SP) sp += 1;
  const end = Math.min(sp + 4, eol);
  const status = decimal(text, sp + 1, end);
  line.isRequest = false;
  line.methodId = 0;
  line.method = '';
  line.status = status;
  line.version = text.startsWith('SIP/2.0 ', start)
    ? VERSION.sip2
    : versionKind(text.slice(start, sp));
  line.argStart = Math.min(end + 1, eol);
  line.argEnd = eol;
  // Exactly three digits, then a space or (from careless senders) the end of the line.
  if (end - sp !== 4 || status < 100 || status > 699) line.fault = 'bad-status';
  else if (end < eol && text.charCodeAt(end) !== SP) line.fault = 'bad-status';
}

/** Indexes the header lines from `from`; results in the return value, `head` and `bits`. */
function scanHeaders(text: string, from: number, lenient: boolean): number[] {
  const index: number[] = [];
  let seen = 0;
  let repeated = 0;
  let pos = from;
  head.fault = '';
  head.folded = false;
  head.contentLengthLine = -1;
  head.colon = -1;
  for (;;) {
    const lf = text.indexOf('\n', pos);
    if (lf < 0) {
      if (!lenient) return headFault('headers-unterminated', pos);
      break;
    }
    const eol = lf - 1;
    if (eol === pos && text.charCodeAt(pos) === CR) {
      index.push(pos << 15);
      head.bodyStart = pos + 2;
      bits[0] = seen;
      bits[1] = repeated;
      return index;
    }
    // A bare CR or LF in a value we copy would be a line of its own to a liberal neighbour.
    if (text.indexOf('\r', pos) !== eol) {
      if (!lenient) return headFault('bad-line-end', pos);
      break;
    }
    if (index.length >= LIMITS.headerLines) {
      if (!lenient) return headFault('too-many-headers', pos);
      break;
    }
    if (lf - pos > LIMITS.lineBytes) {
      if (!lenient) return headFault('line-too-long', pos);
      break;
    }
    const next = text.charCodeAt(lf + 1);
    if (next === SP || next === HT) {
      head.folded = true;
      return NO_LINES;
    }
    const entry = indexEntry(text, pos, eol);
    if (entry < 0) {
      if (!lenient) return headFault('bad-header-line', pos);
      // The line is given to no header, but keeps its place so that line ends stay known.
      index.push((pos << 15) | 126);
    } else {
      const id = entry & 127;
      index.push(entry);
      if (id < 30) {
        const bit = 1 << id;
        repeated |= seen & bit;
        seen |= bit;
        if (id === H.ContentLength) head.contentLengthLine = pos;
      }
    }
    pos = lf + 1;
  }
  index.push(pos << 15);
  head.bodyStart = pos;
  bits[0] = seen;
  bits[1] = repeated;
  return index;
}

function headFault(code: SipFaultCode, at: number): number[] {
  head.fault = code;
  head.at = at;
  return NO_LINES;
}

/**
 * The index entry of the line in [pos, eol): offset, distance to the value and header number,
 * packed as `SipMessage` says; -1 when the line has no valid name.
 */
function indexEntry(text: string, pos: number, eol: number): number {
  if (head.colon < pos) {
    const found = text.indexOf(':', pos);
    head.colon = found < 0 ? text.length : found;
  }
  const colon = head.colon;
  if (colon >= eol) return -1;
  const nameEnd = trimEnd(text, pos, colon); // HCOLON = *( SP / HTAB ) ":" SWS
  const id = headerIdAt(text, pos, nameEnd);
  // A known name consists of token characters; an unknown one has to be looked at.
  if (id === OTHER && (nameEnd === pos || skipClass(text, pos, nameEnd, TOKEN) !== nameEnd)) {
    return -1;
  }
  const value = skipWs(text, colon + 1, eol) - pos;
  return (pos << 15) | (Math.min(value, 255) << 7) | id;
}

/** Content-Length value of the line at `pos`, -1 when it is not a number. */
function contentLength(text: string, pos: number, limit: number): number {
  const colon = text.indexOf(':', pos);
  const at = skipWs(text, colon + 1, limit);
  const eol = text.indexOf('\r', at);
  return decimal(text, at, trimEnd(text, at, eol));
}

/** Joins folded lines of the head with one space (RFC 3261 7.3.1); the body is left alone. */
function unfold(text: string, from: number): string {
  const blank = text.indexOf('\r\n\r\n', from - 2);
  const end = blank < 0 ? text.length : blank;
  const joined = text.slice(from, end).replace(/\r\n[ \t]+/g, ' ');
  return text.slice(0, from) + joined + text.slice(end);
}
