// Properties of sip-parser that hold for all inputs: what is built is read back, nothing throws on
// any bytes, framing does not depend on chunks, and the fast shapes of validation accept nothing
// that the exact grammar refuses.

import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import {
  escapeUser,
  formatSdp,
  formatUri,
  H,
  HEADERS,
  isFault,
  LIMITS,
  param,
  parseAuth,
  parseMessage,
  parseNameAddr,
  parseSdp,
  parseUri,
  parseVia,
  type RequestParts,
  requestText,
  responseText,
  rewriteSdpOrigin,
  SIP_FAULTS,
  SipMessage,
  StreamFramer,
  salvage,
  setParam,
  unescapeUser,
  uriEquals,
  validateRequest,
  validateResponse,
  withoutParam,
} from '../../src/sip-parser/index.ts';
import { checkAddr } from '../../src/sip-parser/name-addr.ts';
import { checkUri } from '../../src/sip-parser/uri.ts';
import { isUsualAddr, isUsualRequestUri, isUsualVia } from '../../src/sip-parser/usual.ts';
import { checkVia } from '../../src/sip-parser/via.ts';

const chars = (alphabet: string, min: number, max: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...alphabet), { minLength: min, maxLength: max })
    .map((parts) => parts.join(''));
const alnum = 'abcXYZ0189';
const token = chars(`${alnum}-.!%*_+\`'~`, 1, 12);
const host = fc.oneof(
  chars(`${alnum}-`, 1, 8),
  fc.constantFrom('192.0.2.1', '[2001:db8::1]', 'a.example.com'),
);
const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
});
const userinfo = anyText.map((s) => escapeUser(s)).filter((s) => s !== '');
const port = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 65_535 }));
const uri = fc
  .tuple(fc.constantFrom('sip', 'sips'), fc.option(userinfo, { nil: '' }), host, port, token)
  .map(([scheme, user, h, p, name]) =>
    formatUri({
      scheme,
      user,
      password: '',
      host: h,
      port: p,
      params: `;x=${name.replaceAll('`', '').replaceAll('%', '')}`,
      headers: '',
      opaque: '',
    }),
  );
const body = fc.oneof(fc.constant(''), anyText);
const requestParts: fc.Arbitrary<RequestParts> = fc.record({
  method: fc.oneof(fc.constantFrom('INVITE', 'BYE', 'OPTIONS'), token),
  uri,
  via: fc
    .tuple(host, port, token)
    .map(([h, p, b]) => `SIP/2.0/UDP ${h}${p === 0 ? '' : `:${p}`};rport;branch=z9hG4bK${b}`),
  from: fc.tuple(uri, token).map(([u, tag]) => `"A \\" b" <${u}>;tag=${tag}`),
  to: uri.map((u) => `<${u}>`),
  callId: token,
  cseq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  maxForwards: fc.integer({ min: 0, max: 255 }),
  contact: fc.oneof(
    fc.constant(''),
    uri.map((u) => `<${u}>`),
  ),
  routes: fc.array(uri, { maxLength: 3 }).map((us) => us.map((u) => `Route: <${u}>\r\n`).join('')),
  extra: fc.constantFrom('', 'X-Y: z\r\n', 'Supported: timer, 100rel\r\n'),
  contentType: fc.constant('application/octet-stream'),
  body,
});

test('RFC 3261 7: requestText then parseMessage gives back every part', (t) => {
  fc.assert(
    fc.property(requestParts, (o) => {
      const m = parseMessage(requestText(o));
      if (isFault(m)) throw new Error(m.fault);
      const v = validateRequest(m);
      if (v !== undefined) throw new Error(`${v.fault} at ${v.at}`);
      const got: RequestParts = {
        method: m.method,
        uri: m.requestUri,
        via: m.lines(H.Via).slice(5, -2),
        from: m.header(H.From) ?? '',
        to: m.header(H.To) ?? '',
        callId: m.callId,
        cseq: m.cseq,
        maxForwards: m.maxForwards,
        contact: m.header(H.Contact) ?? '',
        routes: m.lines(H.Route),
        extra: o.extra,
        contentType: o.contentType,
        body: m.body,
      };
      t.deepEqual(got, o);
      t.is(m.branch, o.via.slice(o.via.indexOf('branch=') + 7));
      t.is(m.fromTag, o.from.slice(o.from.lastIndexOf(';tag=') + 5));
      t.is(m.contactUri, o.contact.slice(1, -1));
      t.is(m.text, requestText(o));
    }),
    { numRuns: 400 },
  );
});

test('RFC 3261 8.2.6: responseText then parseMessage belongs to its request', (t) => {
  const parts = fc.record({
    toTag: fc.oneof(fc.constant(''), token),
    contact: fc.constantFrom('', '<sip:me>'),
    extra: fc.constantFrom('', 'Supported: timer\r\n'),
    contentType: fc.constant('a/b'),
    body,
    received: fc.constantFrom('', '192.0.2.7', '2001:db8::7'),
    rport: port,
  });
  fc.assert(
    fc.property(requestParts, fc.integer({ min: 100, max: 699 }), parts, (o, status, p) => {
      const req = parseMessage(requestText(o));
      if (isFault(req)) throw new Error(req.fault);
      const m = parseMessage(responseText(req, status, 'Why Not', p));
      if (isFault(m)) throw new Error(m.fault);
      t.is(validateResponse(m), undefined);
      t.is(m.status, status);
      t.is(m.reason, 'Why Not');
      t.is(m.branch, req.branch);
      t.is(m.callId, req.callId);
      t.is(m.cseq, req.cseq);
      t.is(m.cseqMethod, req.method);
      t.is(m.fromTag, req.fromTag);
      t.is(m.toTag, p.toTag);
      t.is(m.viaReceived, p.received);
      t.is(m.viaHost, req.viaHost);
      t.is(m.body, p.body);
    }),
    { numRuns: 400 },
  );
});

/** Calls everything that reads remote bytes; returns what the verdict was. */
function exercise(text: string): string {
  const m = parseMessage(text);
  const s = salvage(text);
  for (const message of [m, s]) if (message instanceof SipMessage) readAll(message);
  for (const frame of new StreamFramer().push(text)) {
    if (frame.kind === 'message') parseMessage(frame.text);
  }
  if (isFault(m)) return SIP_FAULTS[m.fault].text;
  const f = m.isRequest ? validateRequest(m) : validateResponse(m);
  return f === undefined ? '' : SIP_FAULTS[f.fault].text;
}

function readAll(m: SipMessage): void {
  validateRequest(m);
  validateResponse(m);
  for (const facts of HEADERS) {
    m.has(facts.id);
    m.lines(facts.id);
    for (const value of m.values(facts.id)) {
      parseNameAddr(value);
      parseVia(value);
      parseAuth(value);
      param(value, 'tag');
      setParam(withoutParam(value, 'lr'), 'x', 'y');
    }
  }
  m.other('x-none');
  parseUri(m.requestUri);
  uriEquals(m.requestUri, m.contactUri);
  unescapeUser(m.requestUri);
  const sdp = parseSdp(m.body);
  if (!isFault(sdp)) formatSdp(sdp);
  rewriteSdpOrigin(m.body, '1', '2');
  const numbers = [m.cseq, m.maxForwards, m.expires, m.viaPort, m.viaTtl, m.status];
  if (numbers.some(Number.isNaN)) throw new Error('NaN');
  const texts =
    m.callId + m.cseqMethod + m.fromTag + m.toTag + m.branch + m.viaHost + m.viaTransport;
  if (/[\r\n]/.test(texts + m.viaMaddr + m.viaReceived + m.contactUri + m.contentType)) {
    throw new Error('a line end inside a value');
  }
  const o = {
    toTag: 't',
    contact: '',
    extra: '',
    contentType: '',
    body: '',
    received: '::1',
    rport: 5,
  };
  const head = responseText(m, 400, 'Bad Request', o);
  if (/\r(?!\n)|[^\r]\n/.test(head)) throw new Error('a bare line end in a response');
}

const root = new URL('../vectors/', import.meta.url);
const vectors = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((f) => f.endsWith('.dat') && /rfc4475|rfc5118/.test(f))
  .sort()
  .map((f) => readFileSync(new URL(f, root), 'latin1'));

const piece = fc.oneof(
  fc.constantFrom(...';,<>"\\@:?=/ \t%[]*\0\r\n'),
  fc.constantFrom(
    '\r\n',
    '\r\n ',
    '\r\n\r\n',
    'Via: ',
    'l: 5\r\n',
    'SIP/2.0',
    ';tag=',
    '\xff',
    '99999999999',
  ),
  fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
);
const edit = fc.record({
  at: fc.nat(4000),
  cut: fc.nat(20),
  put: fc.array(piece, { maxLength: 4 }),
});
const mutant = fc
  .tuple(fc.constantFrom(...vectors), fc.array(edit, { minLength: 1, maxLength: 6 }))
  .map(([text, edits]) =>
    edits.reduce((s, e) => {
      const at = e.at % (s.length + 1);
      return s.slice(0, at) + e.put.join('') + s.slice(at + e.cut);
    }, text),
  );

test('RFC 4475: mutated torture messages never throw, and some still pass', (t) => {
  t.true(vectors.length >= 66);
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(mutant, (text) => {
      const verdict = exercise(text);
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
    }),
    // the seed is fixed because what follows counts
    { numRuns: 4000, seed: 4475 },
  );
  // The mutants must reach deep as well as be refused early, or the test says nothing.
  t.true((seen.get('') ?? 0) > 100);
  t.true(seen.size > 12);
});

test('any octets never throw', (t) => {
  fc.assert(
    fc.property(anyText, (text) => typeof exercise(text) === 'string'),
    { numRuns: 1000 },
  );
  t.pass();
});

// Each shape makes one scanner run as far as it can; all are as large as a datagram may be. A
// scanner that starts over at every character would need hours for this test, not the fraction of a
// second it takes.
const FULL = LIMITS.messageBytes - 600;
const BASE =
  'Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: i\r\nCSeq: 1 INVITE\r\n';
const line = (s: string): string => s.repeat(Math.floor((LIMITS.lineBytes - 20) / s.length));
const fillers = [
  ';',
  ',',
  '"',
  '\\',
  '<',
  '>',
  '" ',
  '="',
  ';tag',
  ';a=b',
  '<>,',
  '%',
  '%4',
  'a@',
  ':',
  '[',
  ' ',
  '\t',
  'SIP/2.0/UDP h,',
  '(',
  '<sip:a@b>,',
];
const names = ['Via', 'From', 'Contact', 'Route', 'Authorization', 'Content-Type', 'X'];
const hostile: string[] = [
  ...fillers.flatMap((s) =>
    names.map(
      (n) =>
        `INVITE sip:a SIP/2.0\r\n${`${n}: ${line(s)}\r\n`.repeat(8).slice(0, FULL)}\r\n${BASE}\r\n`,
    ),
  ),
  ...fillers.map((s) => `INVITE sip:${line(s)} SIP/2.0\r\n${BASE}\r\n`),
  `INVITE sip:a SIP/2.0\r\n${'X:\r\n '.repeat(FULL / 8)}\r\n${BASE}\r\n`,
  `INVITE sip:a SIP/2.0\r\nX: ${' '.repeat(FULL)}\r\n${BASE}\r\n`,
  `INVITE sip:a SIP/2.0\r\nX:\r\n${' \r\n'.repeat(FULL / 4)} y\r\n${BASE}\r\n`,
  `INVITE sip:a SIP/2.0\r\n${'a'.repeat(FULL)}`,
  `INVITE sip:a SIP/2.0\r\n${'i:1\r\n'.repeat(255)}${BASE}\r\n`,
  '\r\n'.repeat(LIMITS.messageBytes / 2),
  'v=0\r\n'.repeat(FULL / 5),
];

test('limits: hostile shapes of full size are judged', (t) => {
  t.true(hostile.length > 150);
  for (const text of hostile) {
    exercise(text);
    parseSdp(text);
    parseSdp(`v=0\r\no=${text}`);
    rewriteSdpOrigin(text, '1', '1');
    parseNameAddr(text);
    parseVia(text);
    parseUri(`sip:${text}`);
    parseAuth(`Digest ${text}`);
    unescapeUser(text);
  }
  t.pass();
});

const request = (o: RequestParts): string => requestText(o);
const streamPiece = fc.oneof(
  requestParts.map(request),
  fc.constantFrom('\r\n\r\n', ...vectors.slice(0, 3)),
);

test('RFC 3261 18.3: frames of a stream do not depend on its chunks', (t) => {
  fc.assert(
    fc.property(
      fc.array(streamPiece, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
      (pieces, sizes) => {
        const text = pieces.join('');
        const whole = messages(new StreamFramer().push(text));
        const framer = new StreamFramer();
        const parts: string[] = [];
        for (let at = 0, i = 0; at < text.length; i += 1) {
          const size = sizes[i % sizes.length] ?? 1;
          parts.push(...messages(framer.push(text.slice(at, at + size))));
          at += size;
        }
        t.deepEqual(parts, whole);
      },
    ),
    { numRuns: 300 },
  );
});

test('RFC 3261 18.3: octet by octet a stream of 64 KiB is framed too', (t) => {
  const body = 'b'.repeat(30_000);
  const text = `INVITE sip:a SIP/2.0\r\n${BASE}X: ${'y'.repeat(30_000)}\r\nl: ${body.length}\r\n\r\n${body}`;
  const framer = new StreamFramer();
  const out: string[] = [];
  for (const c of text) out.push(...messages(framer.push(c)));
  t.deepEqual(out, [text]);
});

function messages(frames: ReturnType<StreamFramer['push']>): string[] {
  return frames.flatMap((f) => (f.kind === 'message' ? [f.text] : []));
}

test('RFC 3261 25.1: the usual shapes accept nothing the exact grammar refuses', (t) => {
  const bits = fc.constantFrom(
    'sip:',
    'sips:',
    'a',
    'b-1.x',
    '@',
    ':',
    '5060',
    '65536',
    '64999',
    '0',
    ';',
    'lr',
    '=',
    'tag',
    '<',
    '>',
    '"',
    'q q',
    ' ',
    'SIP/2.0/UDP ',
    ',',
    '?',
    '%41',
    '[::1]',
    '+',
    '*',
    '_',
    '~',
    '.',
    "'",
  );
  const addrText = fc.oneof(
    { weight: 1, arbitrary: fc.array(bits, { maxLength: 14 }).map((p) => p.join('')) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.array(bits, { maxLength: 3 }),
          fc.array(bits, { maxLength: 3 }),
          fc.array(bits, { maxLength: 5 }),
        )
        .map(([d, u, p]) => `${d.join('')}<sip:${u.join('')}>${p.join('')}`),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(
          fc.constantFrom('', 'Bob ', '"B; <x>" ', '"a\\"', 'B,', '"'),
          fc.constantFrom('', 'a@', 'a%41@', 'a:b@', '@'),
          fc.constantFrom(
            'h',
            'h:5060',
            'h:64999',
            'h:65536',
            'h:',
            '[::1]',
            'h;lr',
            'h;a=b;c',
            'h;;',
            'h?x=y',
            ' h',
          ),
          fc.constantFrom('', ';tag=1', ';a="x;,"', ';a="x', ';', ';a;b=2', ',', ' ;a', ';a='),
        )
        .map(([d, u, h, q]) => `${d}<sip:${u}${h}>${q}`),
    },
    {
      weight: 2,
      arbitrary: fc.array(bits, { maxLength: 7 }).map((p) => `SIP/2.0/UDP ${p.join('')}`),
    },
    { weight: 2, arbitrary: fc.array(bits, { maxLength: 5 }).map((p) => `sip:${p.join('')}`) },
  );
  const hits = [0, 0, 0];
  fc.assert(
    fc.property(addrText, (s) => {
      if (isUsualAddr(`${s}\r\n`, 0)) {
        hits[0] = (hits[0] ?? 0) + 1;
        t.is(checkAddr(s, 0, s.length, true), s.length, s);
      }
      if (isUsualVia(`${s}\r\n`, 0)) {
        hits[1] = (hits[1] ?? 0) + 1;
        t.is(checkVia(s, 0, s.length), s.length, s);
      }
      if (isUsualRequestUri(`${s} SIP/2.0\r\n`, 0)) {
        hits[2] = (hits[2] ?? 0) + 1;
        t.is(checkUri(s, 0, s.length), -1, s);
      }
    }),
    { numRuns: 8000 },
  );
  t.true(
    hits.every((n) => n > 20),
    `shapes were hit ${hits.join(' ')} times`,
  );
});

test('RFC 3261 19.1.4: a URI equals itself read back, and with its letters escaped', (t) => {
  fc.assert(
    fc.property(uri, (text) => {
      const u = parseUri(text);
      if (isFault(u)) throw new Error(u.fault);
      t.is(formatUri(u), text);
      t.true(uriEquals(text, u));
      const escaped = u.user.replace(/(?<!%.?)[a-z]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
      t.true(uriEquals(formatUri({ ...u, user: escaped }), u));
    }),
  );
});
