// A received message as an index over its text: one small integer a header line (offset and header
// number packed) and nothing else, no substring, no object. A value is cut out when somebody asks.
// The index is made by `parse.ts`.
//
// `text` is latin1: one character is one octet on the wire, so offsets and lengths are octets.

import {
  COLON,
  COMMA,
  decimal,
  findParam,
  GT,
  HT,
  LT,
  paramsStart,
  paramValueEnd,
  QUOTE,
  SEMI,
  SLASH,
  SP,
  skipClass,
  skipQuoted,
  skipWs,
  TOKEN,
  trimEnd,
} from './chars.ts';
import { H, HEADERS, type HeaderId, headerId, OTHER } from './headers.ts';
import { EXPIRES_MAX, LIMITS } from './limits.ts';
import { METHODS, methodIdAt } from './methods.ts';

/** The type nearly every body has. */
const SDP = 'application/sdp';

/** What the version of a start line is: `SIP/2.0`, another SIP version, or not a version. */
export const VERSION = { sip2: 0, other: 1, malformed: 2 } as const;

/** What the start line of a message says; filled by the parser. */
export type StartLine = {
  isRequest: boolean;
  method: string;
  methodId: number;
  status: number;
  version: number;
  argStart: number;
  argEnd: number;
};

/**
 * One request or response. Made by `parseMessage`; header values are sliced from `text` on demand.
 * Nothing here throws; an absent string is '' or undefined as said at the member.
 */
export class SipMessage {
  /** The whole message, unfolded and cut to its framing; latin1. */
  readonly text: string;
  readonly isRequest: boolean;
  /** Method of a request ('' in a response; `cseqMethod` tells). */
  readonly method: string;
  /** A value of `M`; 0 for an unknown method and for a response. */
  readonly methodId: number;
  /** Status of a response, 0 in a request. */
  readonly status: number;
  /** A value of `VERSION`. */
  readonly version: number;
  /** Offset of the first octet of the body in `text`. */
  readonly bodyStart: number;
  /** Bit h is set when header h (below 30) is present. */
  readonly seen: number;
  /** Bit h is set when header h (below 30) is present on more than one line. */
  readonly repeated: number;
  // Start line: the Request-URI or the reason phrase stands in [argStart, argEnd).
  readonly argStart: number;
  readonly argEnd: number;
  // One 31-bit number a header line: offset of the line (16 bits), distance from there to its value
  // (8, 255: look for it), header number (7). The last entry is the offset behind the last line.
  private readonly index: number[];
  // The top Via, found on first use: -2 not looked at, -1 not readable.
  private viaAt: number;
  private viaHostAt: number;
  private viaHostEnd: number;
  private viaParamsAt: number;
  private viaStop: number;

  constructor(text: string, start: StartLine, index: number[], bodyStart: number, bits: number[]) {
    this.text = text;
    this.isRequest = start.isRequest;
    this.method = start.method;
    this.methodId = start.methodId;
    this.status = start.status;
    this.version = start.version;
    this.bodyStart = bodyStart;
    this.seen = bits[0] as number;
    this.repeated = bits[1] as number;
    this.argStart = start.argStart;
    this.argEnd = start.argEnd;
    this.index = index;
    this.viaAt = -2;
    this.viaHostAt = 0;
    this.viaHostEnd = 0;
    this.viaParamsAt = 0;
    this.viaStop = 0;
  }

  /** The Request-URI as it stands in the request line; '' in a response. */
  get requestUri(): string {
    return this.isRequest ? this.text.slice(this.argStart, this.argEnd) : '';
  }

  /** The reason phrase, may be ''; '' in a request. */
  get reason(): string {
    return this.isRequest ? '' : this.text.slice(this.argStart, this.argEnd);
  }

  /** The body, '' when there is none. */
  get body(): string {
    return this.text.slice(this.bodyStart);
  }

  /** Number of header lines. */
  get lineCount(): number {
    return this.index.length - 1;
  }

  /** Header number of line `i` (0 to lineCount - 1), `OTHER` for an unknown name. */
  lineId(i: number): number {
    return (this.index[i] as number) & 127;
  }

  /** Name of header line `i` as received. */
  lineName(i: number): string {
    const start = (this.index[i] as number) >> 15;
    const colon = this.text.indexOf(':', start);
    return this.text.slice(start, trimEnd(this.text, start, colon));
  }

  /** Offset of the value of header line `i`. */
  valueStart(i: number): number {
    const entry = this.index[i] as number;
    const distance = (entry >> 7) & 255;
    if (distance !== 255) return (entry >> 15) + distance;
    const colon = this.text.indexOf(':', entry >> 15);
    return skipWs(this.text, colon + 1, this.lineEnd(i));
  }

  /** Offset of the end of the value of header line `i`, trailing space left out. */
  valueEnd(i: number, start: number): number {
    return trimEnd(this.text, start, this.lineEnd(i));
  }

  /** Line number of the first occurrence of header `h` at or after line `from`; -1 when none. */
  find(h: number, from: number): number {
    const index = this.index;
    for (let i = from; i < index.length - 1; i += 1) {
      if (((index[i] as number) & 127) === h) return i;
    }
    return -1;
  }

  /** True when header `h` is present. */
  has(h: HeaderId): boolean {
    return h < 30 ? (this.seen & (1 << h)) !== 0 : this.find(h, 0) >= 0;
  }

  /** Value of the first line of header `h`, trimmed and unfolded, else undefined. */
  header(h: HeaderId): string | undefined {
    const i = this.find(h, 0);
    return i < 0 ? undefined : this.valueAt(i);
  }

  /** Value of header line `i`, trimmed and unfolded. */
  valueAt(i: number): string {
    const start = this.valueStart(i);
    return this.text.slice(start, this.valueEnd(i, start));
  }

  /**
   * All values of header `h` in order. Headers that are lists are split at top-level commas
   * (outside quoted strings and <>), empty values left out; of others each line is one value. At
   * most `LIMITS.listValues` values.
   */
  values(h: HeaderId): string[] {
    const out: string[] = [];
    const list = (HEADERS[h] as { list: boolean }).list;
    for (
      let i = this.find(h, 0);
      i >= 0 && out.length < LIMITS.listValues;
      i = this.find(h, i + 1)
    ) {
      const start = this.valueStart(i);
      const end = this.valueEnd(i, start);
      if (list) splitInto(out, this.text, start, end);
      else out.push(this.text.slice(start, end));
    }
    return out;
  }

  /** All lines of header `h` as canonical `Name: value CRLF`, values verbatim, in order; or ''. */
  lines(h: HeaderId): string {
    let out = '';
    for (let i = this.find(h, 0); i >= 0; i = this.find(h, i + 1)) {
      out += `${(HEADERS[h] as { name: string }).name}: ${this.valueAt(i)}\r\n`;
    }
    return out;
  }

  /** First value of a header by name, any case; for names outside `H`, such as `X-Attached`. */
  other(name: string): string | undefined {
    const known = headerId(name);
    if (known >= 0) return this.header(known as HeaderId);
    const lower = name.toLowerCase();
    for (let i = this.find(OTHER, 0); i >= 0; i = this.find(OTHER, i + 1)) {
      if (this.lineName(i).toLowerCase() === lower) return this.valueAt(i);
    }
    return undefined;
  }

  /** Call-ID, '' when absent. */
  get callId(): string {
    return this.header(H.CallId) ?? '';
  }

  /** CSeq number; -1 when absent or malformed; not yet checked against 2**31. */
  get cseq(): number {
    const i = this.find(H.CSeq, 0);
    if (i < 0) return -1;
    const start = this.valueStart(i);
    const end = this.valueEnd(i, start);
    return decimal(this.text, start, digitsEnd(this.text, start, end));
  }

  /** CSeq method, '' when absent. */
  get cseqMethod(): string {
    const i = this.find(H.CSeq, 0);
    if (i < 0) return '';
    const start = this.valueStart(i);
    const end = this.valueEnd(i, start);
    const at = skipWs(this.text, digitsEnd(this.text, start, end), end);
    const id = methodIdAt(this.text, at, end);
    return id > 0 ? (METHODS[id] as string) : this.text.slice(at, end);
  }

  /** Tag of From, '' when absent (RFC 2543 callers). */
  get fromTag(): string {
    return this.tagOf(H.From);
  }

  /** Tag of To, '' when absent. */
  get toTag(): string {
    return this.tagOf(H.To);
  }

  /** Max-Forwards, -1 when absent or malformed. */
  get maxForwards(): number {
    return this.numberOf(H.MaxForwards);
  }

  /**
   * Expires in seconds, -1 when absent. A malformed value counts as 3600 (RFC 3261 20.19 with
   * 10.2.1.1), a larger one than 2**32 - 1 as that.
   */
  get expires(): number {
    if (!this.has(H.Expires)) return -1;
    const n = this.numberOf(H.Expires);
    return n < 0 ? 3600 : Math.min(n, EXPIRES_MAX);
  }

  /** URI of the first Contact without brackets, '*' for the wildcard, '' when there is none. */
  get contactUri(): string {
    const i = this.find(H.Contact, 0);
    if (i < 0) return '';
    const start = this.valueStart(i);
    return addrUri(this.text, start, this.valueEnd(i, start));
  }

  /** Content-Type without its parameters, lower case; '' when absent. */
  get contentType(): string {
    const i = this.find(H.ContentType, 0);
    if (i < 0) return '';
    const start = this.valueStart(i);
    const end = trimEnd(this.text, start, paramsStart(this.text, start, this.valueEnd(i, start)));
    if (end - start === SDP.length && this.text.startsWith(SDP, start)) return SDP;
    return this.text.slice(start, end).toLowerCase();
  }

  /** Transport of the top Via in upper case, '' when there is no readable Via. */
  get viaTransport(): string {
    if (this.scanVia() < 0) return '';
    const at = this.viaAt;
    const end = skipClass(this.text, at, this.viaHostAt, TOKEN);
    if (end - at === 3) {
      if (this.text.startsWith('UDP', at)) return 'UDP';
      if (this.text.startsWith('TCP', at)) return 'TCP';
      if (this.text.startsWith('TLS', at)) return 'TLS';
    }
    return this.text.slice(at, end).toUpperCase();
  }

  /** Host of the top Via, an IPv6 address with its brackets; '' when there is no readable Via. */
  get viaHost(): string {
    return this.scanVia() < 0 ? '' : this.text.slice(this.viaHostAt, this.viaHostEnd);
  }

  /** Port of the top Via, 0 when absent. */
  get viaPort(): number {
    if (this.scanVia() < 0) return 0;
    const colon = skipWs(this.text, this.viaHostEnd, this.viaParamsAt);
    if (colon >= this.viaParamsAt || this.text.charCodeAt(colon) !== COLON) return 0;
    const at = skipWs(this.text, colon + 1, this.viaParamsAt);
    const n = decimal(this.text, at, trimEnd(this.text, at, this.viaParamsAt));
    return n > 0 && n < 65_536 ? n : 0;
  }

  /** branch of the top Via, '' when absent. */
  get branch(): string {
    return this.viaParam('branch') ?? '';
  }

  /** True when the top Via asks for symmetric response routing: `rport` present (RFC 3581). */
  get viaRport(): boolean {
    return (
      this.scanVia() >= 0 && findParam(this.text, this.viaParamsAt, this.viaStop, 'rport') >= 0
    );
  }

  /** received of the top Via, '' when absent. */
  get viaReceived(): string {
    return this.viaParam('received') ?? '';
  }

  /** maddr of the top Via, '' when absent. */
  get viaMaddr(): string {
    return this.viaParam('maddr') ?? '';
  }

  /** ttl of the top Via, -1 when absent or malformed. */
  get viaTtl(): number {
    const ttl = this.viaParam('ttl');
    return ttl === undefined ? -1 : decimal(ttl, 0, ttl.length);
  }

  /** Offsets of the top Via value in `text`: [start, end). [0, 0) when there is none. */
  get viaSpan(): readonly [number, number] {
    const i = this.find(H.Via, 0);
    return i < 0 || this.scanVia() < 0 ? [0, 0] : [this.valueStart(i), this.viaStop];
  }

  private viaParam(lower: string): string | undefined {
    if (this.scanVia() < 0) return undefined;
    const from = this.viaParamsAt;
    // Most senders put the branch first.
    const at =
      lower === 'branch' && this.text.startsWith(';branch=', from)
        ? from + 8
        : findParam(this.text, from, this.viaStop, lower);
    return at < 0 ? undefined : this.text.slice(at, paramValueEnd(this.text, at, this.viaStop));
  }

  private lineEnd(i: number): number {
    return ((this.index[i + 1] as number) >> 15) - 2;
  }

  private numberOf(h: HeaderId): number {
    const i = this.find(h, 0);
    if (i < 0) return -1;
    const start = this.valueStart(i);
    return decimal(this.text, start, this.valueEnd(i, start));
  }

  private tagOf(h: HeaderId): string {
    const i = this.find(h, 0);
    if (i < 0) return '';
    const start = this.valueStart(i);
    const end = this.lineEnd(i);
    const params = paramsStart(this.text, start, end);
    if (params >= end) return '';
    // Nearly always the first parameter.
    const at = this.text.startsWith(';tag=', params)
      ? params + 5
      : findParam(this.text, params, end, 'tag');
    return at < 0 ? '' : this.text.slice(at, paramValueEnd(this.text, at, end));
  }

  // sent-protocol LWS sent-by *( SEMI via-params ); white space may stand around "/" and ":".
  private scanVia(): number {
    if (this.viaAt !== -2) return this.viaAt;
    this.viaAt = -1;
    const i = this.find(H.Via, 0);
    if (i < 0) return -1;
    const text = this.text;
    const end = this.lineEnd(i);
    let p = this.valueStart(i);
    if (text.startsWith('SIP/2.0/', p)) p += 8;
    else {
      for (let slash = 0; slash < 2; slash += 1) {
        p = skipWs(text, skipClass(text, p, end, TOKEN), end);
        if (p >= end || text.charCodeAt(p) !== SLASH) return -1;
        p = skipWs(text, p + 1, end);
      }
    }
    const transport = p;
    p = skipWs(text, skipClass(text, p, end, TOKEN), end);
    this.viaHostAt = p;
    let c = 0;
    while (p < end) {
      c = text.charCodeAt(p);
      if (c === SEMI || c === COMMA || c === SP || c === HT) break;
      if (c === COLON && text.charCodeAt(this.viaHostAt) !== 91) break;
      p += 1;
      if (c === 93) break;
    }
    this.viaHostEnd = p;
    while (p < end && text.charCodeAt(p) !== SEMI && text.charCodeAt(p) !== COMMA) p += 1;
    this.viaParamsAt = p;
    const comma = text.indexOf(',', p);
    if (comma < 0 || comma >= end) p = end;
    while (p < end && text.charCodeAt(p) !== COMMA) {
      if (text.charCodeAt(p) === QUOTE) {
        p = skipQuoted(text, p, end);
        if (p < 0) return -1;
      } else p += 1;
    }
    this.viaStop = trimEnd(text, this.viaParamsAt, p);
    this.viaAt = transport;
    return transport;
  }
}

/** Splits [start, end) at top-level commas and appends the trimmed, non-empty values. */
export function splitInto(out: string[], text: string, start: number, end: number): void {
  let from = start;
  let p = start;
  while (p <= end && out.length < LIMITS.listValues) {
    const c = p < end ? text.charCodeAt(p) : COMMA;
    if (c === QUOTE) {
      const q = skipQuoted(text, p, end);
      p = q < 0 ? end : q;
    } else if (c === LT) {
      while (p < end && text.charCodeAt(p) !== GT) p += 1;
    } else {
      if (c === COMMA) {
        const s = skipWs(text, from, p);
        const e = trimEnd(text, s, p);
        if (e > s) out.push(text.slice(s, e));
        from = p + 1;
      }
      p += 1;
    }
  }
}

/** The URI of the first name-addr or addr-spec in [start, end). */
function addrUri(text: string, start: number, end: number): string {
  let p = start;
  while (p < end) {
    const c = text.charCodeAt(p);
    if (c === QUOTE) {
      p = skipQuoted(text, p, end);
      if (p < 0) return '';
    } else if (c === LT) {
      const gt = text.indexOf('>', p);
      return text.slice(p + 1, gt < 0 || gt > end ? end : gt);
    } else if (c === SEMI || c === COMMA) break;
    else p += 1;
  }
  return text.slice(start, trimEnd(text, start, p));
}

function digitsEnd(text: string, start: number, end: number): number {
  let p = start;
  while (p < end && text.charCodeAt(p) >= 48 && text.charCodeAt(p) <= 57) p += 1;
  return p;
}
