/**
 * SIP text of the precise client: as little as it needs, and nothing of the product, so that what
 * the product sends is judged by eyes that are not its own. Strings are latin1, one character an
 * octet.
 */

export type Message = {
  readonly text: string;
  /** '' for a response. */
  readonly method: string;
  readonly uri: string;
  /** 0 for a request. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
};

const LONG: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
};

/** @returns undefined when it is no SIP message, or its Content-Length is not that of its body. */
export function read(text: string): Message | undefined {
  const gap = text.indexOf('\r\n\r\n');
  if (gap < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, gap).split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) return undefined;
    const name = line.slice(0, colon).trim().toLowerCase();
    const long = LONG[name] ?? name;
    const values = headers.get(long);
    if (values === undefined) headers.set(long, [line.slice(colon + 1).trim()]);
    else values.push(line.slice(colon + 1).trim());
  }
  const body = text.slice(gap + 4);
  if (Number(headers.get('content-length')?.[0] ?? -1) !== body.length) return undefined;
  const rest = { text, headers, body };
  const status = /^SIP\/2\.0 ([1-6]\d\d) /.exec(first);
  if (status !== null) return { method: '', uri: '', status: Number(status[1]), ...rest };
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(first);
  if (request === null) return undefined;
  return { method: request[1] ?? '', uri: request[2] ?? '', status: 0, ...rest };
}

/** First value of a header, '' when there is none. */
export function one(m: Message, name: string): string {
  return m.headers.get(name)?.[0] ?? '';
}

/** A parameter behind the address: `tag`, `branch`. */
export function param(value: string, name: string): string {
  const after = value.slice(value.lastIndexOf('>') + 1);
  return new RegExp(`;${name}=([^;,\\s]+)`, 'i').exec(after)?.[1] ?? '';
}

export function uriIn(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? '';
}

export function cseqOf(m: Message): { readonly number: number; readonly method: string } {
  const [number = '', method = ''] = one(m, 'cseq').split(' ');
  return { number: Number(number), method };
}

/** One text of a message: start line, header lines, body. */
export function write(first: string, lines: readonly string[], body = ''): string {
  const type = body === '' ? [] : ['Content-Type: application/sdp'];
  const all = [first, ...lines, ...type, `Content-Length: ${body.length}`];
  return `${all.join('\r\n')}\r\n\r\n${body}`;
}

/** A response: what RFC 3261 8.2.6.2 copies, the To tag if it has none yet, and `lines`. */
export function answerTo(
  m: Message,
  status: number,
  reason: string,
  tag: string,
  lines: readonly string[] = [],
  body = '',
): string {
  const to = one(m, 'to');
  return write(
    `SIP/2.0 ${status} ${reason}`,
    [
      ...(m.headers.get('via') ?? []).map((v) => `Via: ${v}`),
      ...(m.headers.get('record-route') ?? []).map((v) => `Record-Route: ${v}`),
      `From: ${one(m, 'from')}`,
      `To: ${to}${param(to, 'tag') === '' && tag !== '' ? `;tag=${tag}` : ''}`,
      `Call-ID: ${one(m, 'call-id')}`,
      `CSeq: ${one(m, 'cseq')}`,
      ...lines,
    ],
    body,
  );
}

/** A session description; `version` grows with every offer, `way` is sendrecv, sendonly, ... */
export function sdp(address: string, version: number, way = 'sendrecv'): string {
  return (
    `v=0\r\no=- 1 ${version} IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\n` +
    `m=audio 40000 RTP/AVP 0\r\na=${way}\r\n`
  );
}
