/** The messages the parsers are measured with: four kinds, each in many variants. */

export const KINDS = ['REGISTER', 'INVITE with SDP', '200 OK', 'large INVITE'] as const;

export type Kind = (typeof KINDS)[number];

/** What is read out of a message; the same for every parser, or the figures compare nothing. */
export type Reading = {
  readonly method: string;
  readonly status: number;
  readonly branch: string;
  readonly viaHost: string;
  readonly fromTag: string;
  readonly toTag: string;
  readonly callId: string;
  readonly cseq: number;
  readonly cseqMethod: string;
  /** User part of the first Contact. */
  readonly contact: string;
  readonly bodyLength: number;
};

const SDP =
  'v=0\r\no=- 3747 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n' +
  'm=audio 49170 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n' +
  'a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n';

const LARGE_SDP =
  SDP +
  Array.from(
    { length: 48 },
    (_, i) =>
      `a=candidate:${i} 1 udp ${2_130_706_431 - i} 192.0.2.${i + 1} ${50_000 + i} typ host\r\n`,
  ).join('');

function message(start: string, lines: readonly string[], body: string): string {
  const type = body === '' ? [] : ['Content-Type: application/sdp'];
  return `${[start, ...lines, ...type, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
}

function common(i: number, method: string): string[] {
  return [
    `Via: SIP/2.0/UDP 192.0.2.${(i % 250) + 1}:5060;branch=z9hG4bK776asdhds${i};rport`,
    'Max-Forwards: 70',
    `From: "Alice ${i}" <sip:alice${i}@example.com>;tag=1928301774${i}`,
    `Call-ID: a84b4c76e66710-${i}@192.0.2.10`,
    `CSeq: ${314_159 + i} ${method}`,
  ];
}

const ALLOW =
  'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, PRACK';

const MAKERS: { readonly [kind in Kind]: (i: number) => string } = {
  REGISTER: (i) =>
    message(
      'REGISTER sip:example.com SIP/2.0',
      [
        ...common(i, 'REGISTER'),
        `To: <sip:alice${i}@example.com>`,
        `Contact: <sip:alice${i}@192.0.2.10:5060;transport=udp>;expires=3600`,
        `Authorization: Digest username="alice${i}", realm="example.com", ` +
          'nonce="84a4cc6f3082121f32b42a2187831a9e", uri="sip:example.com", ' +
          'response="7587245234b3434cc3412213e5f113a5", algorithm=MD5',
        'Expires: 3600',
        'User-Agent: Phone/1.0',
        'Supported: path, outbound, gruu',
      ],
      '',
    ),
  'INVITE with SDP': (i) =>
    message(
      `INVITE sip:bob${i}@example.com SIP/2.0`,
      [
        ...common(i, 'INVITE'),
        `To: <sip:bob${i}@example.com>`,
        `Contact: <sip:alice${i}@192.0.2.10:5060>`,
        ALLOW,
        'Supported: replaces, timer, 100rel',
        'Session-Expires: 1800',
        'User-Agent: Phone/1.0',
      ],
      SDP,
    ),
  '200 OK': (i) =>
    message(
      'SIP/2.0 200 OK',
      [
        ...common(i, 'INVITE'),
        `To: <sip:bob${i}@example.com>;tag=a6c85cf${i}`,
        `Contact: <sip:bob${i}@192.0.2.20:5060>`,
        'Record-Route: <sip:192.0.2.1;lr>',
        ALLOW,
        'Server: Phone/2.0',
      ],
      SDP,
    ),
  'large INVITE': (i) =>
    message(
      `INVITE sip:bob${i}@example.com;user=phone SIP/2.0`,
      [
        ...common(i, 'INVITE'),
        ...Array.from(
          { length: 8 },
          (_, k) =>
            `Via: SIP/2.0/TCP proxy${k}.example.net:5060;branch=z9hG4bK${k}abcdef${i};received=198.51.100.${k + 1}`,
        ),
        ...Array.from(
          { length: 8 },
          (_, k) => `Record-Route: <sip:proxy${k}.example.net;lr;did=${k}.${i}>`,
        ),
        `To: "Bob the Builder" <sip:bob${i}@example.com;user=phone>`,
        `Contact: "Alice" <sip:alice${i}@192.0.2.10:5060;transport=tcp>`,
        ALLOW,
        'Supported: replaces, timer, 100rel, path, outbound, gruu, histinfo, norefersub',
        `P-Asserted-Identity: "Alice" <sip:alice${i}@example.com>`,
        ...Array.from({ length: 12 }, (_, k) => `X-Vendor-Header-${k}: ${'value '.repeat(8)}${i}`),
        'User-Agent: Phone/1.0',
      ],
      LARGE_SDP,
    ),
};

/** `count` messages of a kind that differ in what differs on the wire. */
export function variants(kind: Kind, count: number): string[] {
  // Through a buffer, so that each is one flat string as one from a socket is.
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(MAKERS[kind](i), 'latin1').toString('latin1'),
  );
}
