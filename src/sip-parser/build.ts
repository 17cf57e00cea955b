// Messages as text, by concatenation: one string, no intermediate object. The caller gives complete
// header values; what is copied from a request is copied verbatim, in canonical names.

import { findParam, paramValueEnd, trimEnd } from './chars.ts';
import { H } from './headers.ts';
import type { SipMessage } from './message.ts';
import { M } from './methods.ts';
import { withoutParam } from './name-addr.ts';

/** What a response adds to the request it answers. All strings may be ''. */
export type ResponseParts = {
  /** Added to To when the request has none there (RFC 3261 8.2.6.2). */
  readonly toTag: string;
  /** Complete Contact value, such as `<sip:a@b>`. */
  readonly contact: string;
  /** Complete header lines, each with CRLF. */
  readonly extra: string;
  readonly contentType: string;
  /** latin1: one character is one octet. */
  readonly body: string;
  /** Source address of the request, when it has to be said (18.2.1); IPv6 without brackets. */
  readonly received: string;
  /**
   * Source port of the request, written only into an `rport` that asks for it (RFC 3581 4); or 0.
   */
  readonly rport: number;
};

/** Parts of a request. `via`, `from`, `to`, `contact` are complete values; strings may be ''. */
export type RequestParts = {
  readonly method: string;
  readonly uri: string;
  readonly via: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  readonly maxForwards: number;
  readonly contact: string;
  /** Complete Route lines, each with CRLF. */
  readonly routes: string;
  /** Complete header lines, each with CRLF. */
  readonly extra: string;
  readonly contentType: string;
  /** latin1: one character is one octet. */
  readonly body: string;
};

/**
 * The response to `req` (RFC 3261 8.2.6): Via, From, To, Call-ID and CSeq are copied, the top Via
 * gets `received` and `rport` when given, To its tag. Record-Route is copied into 101 to 299 for
 * the methods that form dialogs (12.1.1), Timestamp into 100 (8.2.6.1). Headers the request lacks
 * are left out.
 */
export function responseText(
  req: SipMessage,
  status: number,
  reason: string,
  o: ResponseParts,
): string {
  let out = `SIP/2.0 ${status} ${reason}\r\n`;
  out += o.received === '' && o.rport === 0 ? req.lines(H.Via) : viaLines(req, o);
  if (status > 100 && status < 300 && formsDialog(req.methodId)) out += req.lines(H.RecordRoute);
  out += copy('From: ', req.header(H.From));
  const to = req.header(H.To);
  const tag = o.toTag !== '' && to !== undefined && req.toTag === '' ? `;tag=${o.toTag}` : '';
  if (to !== undefined) out += `To: ${to}${tag}\r\n`;
  out += copy('Call-ID: ', req.header(H.CallId));
  out += copy('CSeq: ', req.header(H.CSeq));
  if (status === 100) out += copy('Timestamp: ', req.header(H.Timestamp));
  if (o.contact !== '') out += `Contact: ${o.contact}\r\n`;
  return out + o.extra + bodyText(o.contentType, o.body);
}

/** A request (RFC 3261 8.1.1). Contact is left out when ''. */
export function requestText(o: RequestParts): string {
  let out = `${o.method} ${o.uri} SIP/2.0\r\nVia: ${o.via}\r\nMax-Forwards: ${o.maxForwards}\r\n`;
  out += `${o.routes}From: ${o.from}\r\nTo: ${o.to}\r\nCall-ID: ${o.callId}\r\n`;
  out += `CSeq: ${o.cseq} ${o.method}\r\n`;
  if (o.contact !== '') out += `Contact: ${o.contact}\r\n`;
  return out + o.extra + bodyText(o.contentType, o.body);
}

function copy(prefix: string, value: string | undefined): string {
  return value === undefined ? '' : `${prefix}${value}\r\n`;
}

function bodyText(contentType: string, body: string): string {
  if (body === '') return 'Content-Length: 0\r\n\r\n';
  const type = contentType === '' ? '' : `Content-Type: ${contentType}\r\n`;
  return `${type}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function formsDialog(method: number): boolean {
  return method === M.INVITE || method === M.SUBSCRIBE || method === M.REFER || method === M.NOTIFY;
}

/** All Via lines, the top value with the source of the request written into it. */
function viaLines(req: SipMessage, o: ResponseParts): string {
  const [start, end] = req.viaSpan;
  if (end === 0) return req.lines(H.Via);
  const line = req.find(H.Via, 0);
  const rest = req.text.slice(end, req.valueEnd(line, start));
  let out = `Via: ${markSource(req, start, end, o)}${rest}\r\n`;
  for (let i = req.find(H.Via, line + 1); i >= 0; i = req.find(H.Via, i + 1)) {
    out += `Via: ${req.valueAt(i)}\r\n`;
  }
  return out;
}

// A received or rport value the sender wrote itself is not believed: ours takes its place.
function markSource(req: SipMessage, start: number, end: number, o: ResponseParts): string {
  const text = req.text;
  const at = o.rport === 0 ? -1 : findParam(text, start, end, 'rport');
  const stop = at < 0 ? end : paramValueEnd(text, at, end);
  let value = text.slice(start, end);
  if (at >= 0) {
    const asked = text.slice(start, trimEnd(text, start, at));
    value = `${asked}${asked.endsWith('=') ? '' : '='}${o.rport}${text.slice(stop, end)}`;
  }
  if (o.received === '') return value;
  const own = findParam(text, start, end, 'received') >= 0;
  return `${own ? withoutParam(value, 'received') : value};received=${o.received}`;
}
