/**
 * SIP as the phones of the world read and write it: RFC 3261 with rport, and not one line of the
 * product's. Strict: a phone that accepted anything would notice nothing.
 */

export type Msg = {
  readonly text: string;
  /** Request: method and URI. Response: '' and ''. */
  readonly method: string;
  readonly uri: string;
  /** Response: status code. Request: 0. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
  readonly callId: string;
  readonly cseq: number;
  readonly cseqMethod: string;
  readonly fromTag: string;
  readonly toTag: string;
  readonly from: string;
  readonly to: string;
  readonly branch: string;
  /** URI of the first Contact, '' for none. */
  readonly contact: string;
};

const COMPACT: { readonly [short: string]: string } = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
};

function tagOf(value: string): string {
  return /;\s*tag=([^;\s>]+)/.exec(value.slice(value.lastIndexOf('>') + 1))?.[1] ?? '';
}

/** @returns the message, or what is wrong with it. */
export function readSip(text: string): Msg | string {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return 'no end of headers';
  const lines = text.slice(0, end).split('\r\n');
  const start = lines[0] as string;
  const request = /^([A-Z]+) (sips?:\S+) SIP\/2\.0$/.exec(start);
  const response = /^SIP\/2\.0 ([1-6]\d\d) /.exec(start);
  if (request === null && response === null) return `start line: ${start}`;
  const headers = new Map<string, string[]>();
  for (let i = 1; i < lines.length; i += 1) {
    const line = lines[i] as string;
    const colon = line.indexOf(':');
    if (colon <= 0) return `header line: ${line}`;
    const given = line.slice(0, colon).trim().toLowerCase();
    const name = COMPACT[given] ?? given;
    const value = line.slice(colon + 1).trim();
    const list = headers.get(name);
    if (list === undefined) headers.set(name, [value]);
    else list.push(value);
  }
  for (const name of ['via', 'from', 'to', 'call-id', 'cseq', 'content-length']) {
    if (!headers.has(name)) return `no ${name}`;
  }
  const only = (name: string): string => (headers.get(name) as string[])[0] as string;
  for (const name of ['from', 'to', 'call-id', 'cseq', 'content-length']) {
    if ((headers.get(name) as string[]).length > 1) return `two of ${name}`;
  }
  const body = text.slice(end + 4);
  if (Number(only('content-length')) !== body.length) return 'content length';
  const cseq = /^(\d+)\s+([A-Z]+)$/.exec(only('cseq'));
  if (cseq === null) return `cseq: ${only('cseq')}`;
  const branch = /;\s*branch=([^;,\s]+)/.exec(only('via'))?.[1];
  if (branch === undefined || !branch.startsWith('z9hG4bK')) return `via: ${only('via')}`;
  const fromTag = tagOf(only('from'));
  if (fromTag === '') return 'no From tag';
  if (request !== null && request[1] !== cseq[2]) return 'CSeq names another method';
  const contact = headers.get('contact')?.[0] ?? '';
  return {
    text,
    method: request?.[1] ?? '',
    uri: request?.[2] ?? '',
    status: response === null ? 0 : Number(response[1]),
    headers,
    body,
    callId: only('call-id'),
    cseq: Number(cseq[1]),
    cseqMethod: cseq[2] as string,
    fromTag,
    toTag: tagOf(only('to')),
    from: only('from'),
    to: only('to'),
    branch,
    contact: /<([^>]+)>/.exec(contact)?.[1] ?? contact,
  };
}

/** A short line for histories: what this message is. */
export function gist(text: string): string {
  const start = text.slice(0, text.indexOf('\r\n'));
  const cseq = /\r\nCSeq:\s*([^\r]*)/i.exec(text)?.[1] ?? '';
  const callId = /\r\n(?:Call-ID|i):\s*([^\r]*)/i.exec(text)?.[1] ?? '';
  return `${start} | ${cseq} | ${callId}`;
}

export type RequestParts = {
  readonly method: string;
  readonly uri: string;
  readonly via: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  readonly extra: readonly string[];
  readonly body: string;
};

export function writeRequest(p: RequestParts): string {
  const type = p.body === '' ? '' : 'Content-Type: application/sdp\r\n';
  const extra = p.extra.map((line) => `${line}\r\n`).join('');
  return (
    `${p.method} ${p.uri} SIP/2.0\r\nVia: ${p.via}\r\nMax-Forwards: 70\r\n` +
    `From: ${p.from}\r\nTo: ${p.to}\r\nCall-ID: ${p.callId}\r\n` +
    `CSeq: ${p.cseq} ${p.method}\r\n${extra}${type}Content-Length: ${p.body.length}\r\n\r\n${p.body}`
  );
}

const REASONS: { readonly [code: number]: string } = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  302: 'Moved Temporarily',
  405: 'Method Not Allowed',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  500: 'Server Internal Error',
  603: 'Decline',
};

/** A response to `request`: Via, From, Call-ID and CSeq copied, To with our tag (RFC 3261 §8.2.6). */
export function writeResponse(
  request: Msg,
  status: number,
  toTag: string,
  extra: readonly string[],
  body: string,
): string {
  const vias = (request.headers.get('via') as string[]).map((v) => `Via: ${v}\r\n`).join('');
  const to = request.toTag !== '' || toTag === '' ? request.to : `${request.to};tag=${toTag}`;
  const type = body === '' ? '' : 'Content-Type: application/sdp\r\n';
  return (
    `SIP/2.0 ${status} ${REASONS[status] ?? 'Whatever'}\r\n${vias}From: ${request.from}\r\n` +
    `To: ${to}\r\nCall-ID: ${request.callId}\r\nCSeq: ${request.cseq} ${request.cseqMethod}\r\n` +
    `${extra.map((line) => `${line}\r\n`).join('')}${type}` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

/** A session description that names its call in `s=`, so that both ends of a B2BUA can be matched. */
export function sdp(ip: string, call: string, version: number, direction: string): string {
  return (
    `v=0\r\no=- 1 ${version} IN IP4 ${ip}\r\ns=${call}\r\nc=IN IP4 ${ip}\r\nt=0 0\r\n` +
    `m=audio 4000 RTP/AVP 0 8\r\na=${direction}\r\n`
  );
}

const ORIGIN = /\r\no=(\S+ \S+) (\d+) ([^\r]+)/;

/** A session description without its o= line. */
export function bare(body: string): string {
  return body.replace(ORIGIN, '');
}

/** True when the o= line of `now` goes on with that of `before`: a higher version, or the same words. */
export function goesOn(before: string, now: string): boolean {
  const [a, b] = [ORIGIN.exec(before), ORIGIN.exec(now)];
  if (a === null || b === null || a[1] !== b[1] || a[3] !== b[3]) return false;
  return Number(b[2]) > Number(a[2]) || before === now;
}

/** The call named in a session description, '' for none. */
export function callOf(body: string): string {
  return /\r\ns=([^\r]+)/.exec(body)?.[1] ?? '';
}
