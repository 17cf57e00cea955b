// Message framing on a byte stream (RFC 3261 7.5, 18.3; keep-alives of RFC 5626 3.5.1). Sans-I/O:
// bytes in, frames out. Each octet is looked at once while the head is open, so a sender of one
// octet a packet costs no more than its packets; what is kept is bounded by `LIMITS`.

import { COLON, CR, decimal, HT, LF, SP, skipClass, skipWs, TOKEN, trimEnd } from './chars.ts';
import { type SipFault, sipFault } from './faults.ts';
import { H, headerIdAt } from './headers.ts';
import { LIMITS } from './limits.ts';

/**
 * What a stream yields: a whole message text for `parseMessage`; a `ping` (two CRLFs, to be
 * answered with one); a `pong` (one CRLF); or a fault, after which the stream cannot be framed any
 * more: answer if `salvage(text)` gives a request, then close the connection.
 */
export type StreamFrame =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'fault'; readonly fault: SipFault; readonly text: string };

const PING: StreamFrame = { kind: 'ping' };
const PONG: StreamFrame = { kind: 'pong' };

/** One direction of one connection. */
export class StreamFramer {
  // Unconsumed octets; grows by concatenation and is cut once a push.
  private buffer = '';
  // Its last octets while a head is open: the end of the head may stand across two chunks.
  private tail = '';
  // How far the search for the end of the head has come.
  private scanned = 0;
  // End of the current message in `buffer` once its head is whole, else -1.
  private need = -1;
  // A CRLF was reported as pong; another one right behind it makes both a ping.
  private halfPing = false;
  private closed = false;

  /** Octets held back for a message that is not yet whole. */
  get pending(): number {
    return this.buffer.length;
  }

  /** Takes a chunk (latin1) and returns the frames it completes, in order. */
  push(chunk: string): StreamFrame[] {
    const out: StreamFrame[] = [];
    if (this.closed) {
      out.push({ kind: 'fault', fault: sipFault('stream-closed', 0), text: '' });
      return out;
    }
    const before = this.buffer.length;
    this.buffer += chunk;
    if (this.need > this.buffer.length) return out;
    // One octet that waits may be the CR of a CRLF between messages.
    if (this.need < 0 && before > 1 && !this.headMayEnd(chunk)) return out;
    this.drain(out);
    this.tail = this.buffer.slice(-3);
    return out;
  }

  // While a head is open a chunk that does not end it is only kept: a look into the buffer would
  // make one string of all chunks, each time anew.
  private headMayEnd(chunk: string): boolean {
    const near = this.tail + chunk;
    this.tail = near.slice(-3);
    return near.includes('\r\n\r\n') || this.buffer.length > LIMITS.headBytes;
  }

  private drain(out: StreamFrame[]): void {
    let pos = 0;
    const buffer = this.buffer;
    for (;;) {
      if (this.need < 0) {
        const start = this.skipCrlf(pos, out);
        if (start !== pos) {
          pos = start;
          this.scanned = pos;
        }
        if (pos >= buffer.length || !this.findHead(pos, out)) break;
      }
      if (this.need > buffer.length) break;
      out.push({ kind: 'message', text: buffer.slice(pos, this.need) });
      pos = this.need;
      this.scanned = pos;
      this.need = -1;
    }
    this.buffer = this.closed ? '' : buffer.slice(pos);
    this.scanned = Math.max(0, this.scanned - pos);
    if (this.need >= 0) this.need -= pos;
  }

  /** Consumes CRLFs between messages; a lone CR at the end waits for its LF. */
  private skipCrlf(from: number, out: StreamFrame[]): number {
    let pos = from;
    const b = this.buffer;
    while (b.charCodeAt(pos) === CR && b.charCodeAt(pos + 1) === LF) {
      pos += 2;
      if (this.halfPing) {
        this.halfPing = false;
        out.push(PING);
      } else if (b.charCodeAt(pos) === CR && b.charCodeAt(pos + 1) === LF) {
        pos += 2;
        out.push(PING);
      } else {
        this.halfPing = true;
        out.push(PONG);
      }
    }
    if (pos < b.length && b.charCodeAt(pos) !== CR) this.halfPing = false;
    return pos;
  }

  /**
   * Looks for the end of the head of the message at `pos`; sets `need`. False: more octets first.
   */
  private findHead(pos: number, out: StreamFrame[]): boolean {
    const b = this.buffer;
    const blank = b.indexOf('\r\n\r\n', Math.max(pos, this.scanned - 3));
    const size = blank < 0 ? b.length - pos : blank - pos;
    if (size > LIMITS.headBytes) return this.fail(sipFault('message-too-large', pos), pos, out);
    if (blank < 0) {
      this.scanned = b.length;
      return false;
    }
    const length = headContentLength(b, pos, blank + 2);
    if (length === -1) return this.fail(sipFault('missing-content-length', pos), pos, out);
    if (length === -2) return this.fail(sipFault('bad-content-length', pos), pos, out);
    if (blank + 4 + length - pos > LIMITS.messageBytes) {
      return this.fail(sipFault('message-too-large', pos), pos, out);
    }
    this.need = blank + 4 + length;
    return true;
  }

  private fail(fault: SipFault, pos: number, out: StreamFrame[]): boolean {
    out.push({ kind: 'fault', fault, text: this.buffer.slice(pos, pos + LIMITS.headBytes) });
    this.closed = true;
    return false;
  }
}

/** Content-Length in the head [start, end): -1 absent, -2 malformed or repeated. */
function headContentLength(text: string, start: number, end: number): number {
  let found = -1;
  let pos = text.indexOf('\n', start) + 1;
  while (pos > 0 && pos < end) {
    const lf = text.indexOf('\n', pos);
    const nameEnd = skipClass(text, pos, lf, TOKEN);
    if (headerIdAt(text, pos, nameEnd) === H.ContentLength) {
      const colon = skipWs(text, nameEnd, lf);
      if (text.charCodeAt(colon) !== COLON || found !== -1) return -2;
      let at = skipWs(text, colon + 1, lf);
      let eol = lf - 1;
      // The value may be folded onto further lines (7.3.1).
      while (at >= eol && isFold(text, eol + 2, end)) {
        const next = text.indexOf('\n', eol + 2);
        at = skipWs(text, eol + 2, next - 1);
        eol = next - 1;
      }
      if (isFold(text, eol + 2, end)) return -2;
      found = decimal(text, at, trimEnd(text, at, eol));
      if (found < 0) return -2;
    }
    pos = lf + 1;
  }
  return found;
}

function isFold(text: string, p: number, end: number): boolean {
  return p < end && (text.charCodeAt(p) === SP || text.charCodeAt(p) === HT);
}
