// What can be wrong with bytes from the network, and what to do about each: answer a request with a
// status, or drop in silence (0). One list, so that no caller compares texts or invents a status.
// A response is never answered and neither is an ACK: for those every fault means "drop".

type Verdict = { readonly status: number; readonly text: string };

const table = {
  keepalive: { status: 0, text: 'Only CRLF: a keep-alive, not a message' },
  'not-sip': { status: 0, text: 'The bytes do not begin like a SIP message' },
  'message-too-large': { status: 513, text: 'Message Too Large' },
  'too-many-headers': { status: 400, text: 'Too many header lines' },
  'line-too-long': { status: 400, text: 'A line is too long' },
  'bad-line-end': { status: 400, text: 'CR or LF outside a line end' },
  'bad-header-line': { status: 400, text: 'A header line has no valid name' },
  'headers-unterminated': { status: 400, text: 'No empty line after the headers' },
  'bad-start-line': { status: 400, text: 'Malformed start line' },
  'bad-status': { status: 0, text: 'Malformed status code' },
  'bad-version': { status: 505, text: 'Version Not Supported' },
  'bad-request-uri': { status: 400, text: 'Malformed Request-URI' },
  'bad-content-length': { status: 400, text: 'Malformed Content-Length' },
  'body-too-short': { status: 400, text: 'Body shorter than Content-Length' },
  'missing-content-length': { status: 400, text: 'Content-Length is required on a stream' },
  'stream-closed': { status: 0, text: 'Bytes after a framing error' },
  'missing-via': { status: 0, text: 'No Via: there is nowhere to answer' },
  'missing-header': { status: 400, text: 'A mandatory header is missing' },
  'duplicate-header': { status: 400, text: 'A header that must be single is repeated' },
  'bad-via': { status: 400, text: 'Malformed Via' },
  'bad-branch': { status: 400, text: 'The branch is only the magic cookie' },
  'bad-from': { status: 400, text: 'Malformed From' },
  'bad-to': { status: 400, text: 'Malformed To' },
  'bad-contact': { status: 400, text: 'Malformed Contact' },
  'bad-route': { status: 400, text: 'Malformed Route or Record-Route' },
  'bad-call-id': { status: 400, text: 'Malformed Call-ID' },
  'bad-cseq': { status: 400, text: 'Malformed CSeq' },
  'cseq-method': { status: 400, text: 'CSeq method differs from the request method' },
  'bad-max-forwards': { status: 400, text: 'Malformed Max-Forwards' },
  'bad-uri': { status: 400, text: 'Malformed URI' },
  'bad-name-addr': { status: 400, text: 'Malformed name-addr' },
  'bad-auth': { status: 400, text: 'Malformed challenge or credentials' },
  'bad-rack': { status: 400, text: 'Malformed RAck' },
  'bad-rseq': { status: 400, text: 'Malformed RSeq' },
  'bad-session-expires': { status: 400, text: 'Malformed Session-Expires' },
  'bad-min-se': { status: 400, text: 'Malformed Min-SE' },
  'bad-flow-timer': { status: 400, text: 'Malformed Flow-Timer' },
  'bad-retry-after': { status: 400, text: 'Malformed Retry-After' },
  'bad-event': { status: 400, text: 'Malformed Event' },
  'bad-subscription-state': { status: 400, text: 'Malformed Subscription-State' },
  'bad-reason': { status: 400, text: 'Malformed Reason' },
  'bad-etag': { status: 400, text: 'Malformed entity tag' },
  'bad-replaces': { status: 400, text: 'Malformed Replaces' },
  'bad-refer-to': { status: 400, text: 'Malformed Refer-To' },
  'bad-multipart': { status: 400, text: 'Malformed multipart body' },
  'bad-sdp': { status: 400, text: 'Malformed session description' },
} as const satisfies Record<string, Verdict>;

export type SipFaultCode = keyof typeof table;

/** A fault in remote bytes. `at` is the octet offset in the text that was examined. */
export type SipFault = { readonly fault: SipFaultCode; readonly at: number };

/** For each fault the status a request is answered with (0: drop silently) and one sentence. */
export const SIP_FAULTS: { readonly [code in SipFaultCode]: Verdict } = table;

/** Makes a fault value. */
export function sipFault(code: SipFaultCode, at: number): SipFault {
  return { fault: code, at };
}

/** True when a parse result is a fault. */
export function isFault(x: unknown): x is SipFault {
  return typeof x === 'object' && x !== null && typeof (x as SipFault).fault === 'string';
}
