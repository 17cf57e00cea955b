// Work is bounded by the size of what comes, and what is kept by the limits: ten times the text may
// take ten times the work and a little more, for every shape that makes a careless parser start
// over. Nothing here looks at a clock.

import test, { type ExecutionContext } from 'ava';
import { Counted } from './counted-work.ts';

const counted = new Counted();
counted.start();
// Behind `start`: what was compiled before it is not counted.
const sip = await import('../../src/sip-parser/index.ts');
const { LIMITS, H, HEADERS, StreamFramer } = sip;

test.after(() => counted.stop());

/** Ten times the text may cost so many times the work. */
const GROWTH = 13;

function linear(
  t: ExecutionContext,
  name: string,
  n: number,
  job: (n: number) => () => void,
): void {
  const small = job(n);
  const large = job(10 * n);
  small();
  large();
  const one = counted.work(small);
  const ten = counted.work(large);
  t.true(one > 0, `${name}: nothing was counted`);
  t.true(ten <= GROWTH * one + 3000, `${name}: ${one} for ${n}, ${ten} for ${10 * n}`);
}

const BASE =
  'Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: i\r\nCSeq: 1 INVITE\r\n';

function readMessage(text: string): void {
  const m = sip.parseMessage(text);
  const s = sip.salvage(text);
  for (const x of [m, s]) {
    if (!(x instanceof sip.SipMessage)) continue;
    sip.validateRequest(x);
    for (const { id } of HEADERS) if (x.has(id)) x.values(id);
    const parts = { toTag: 't', contact: '', extra: '', contentType: '', body: '' };
    sip.responseText(x, 200, 'OK', { ...parts, received: '::1', rport: 7 });
    const numbers = [x.cseq, x.expires, x.viaPort, x.viaTtl, x.maxForwards];
    const words = [x.branch, x.viaMaddr, x.viaReceived, x.fromTag, x.toTag, x.contactUri];
    if (numbers.length + words.length + x.contentType.length + x.viaTransport.length < 0) return;
    sip.addresses(x, H.Route);
    sip.assertedIdentity(x);
    sip.hasWord(x, H.Supported, 'x');
    sip.bodyOfType(x, 'application/sdp');
  }
}

const FILLERS = [
  ...[
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
    '%41',
    'a@',
    ':',
  ],
  ...['[', ' ', '\t', '(', '(a', '&a=b', 'SIP/2.0/UDP h,', '<sip:a@b>,', '"a" <sip:b>;c="d",'],
  ...[';to-tag=1', ';rport', '; received = 1', ';lr ;', 'a.', '1', '=', ' =', '?', ';%61=b', '[:'],
];

const UNIT = Math.floor((LIMITS.lineBytes - 200) / 10);
const fill = (s: string, size: number): string =>
  s.repeat(Math.max(1, Math.floor(size / s.length)));

const NAMES = [
  'Via',
  'From',
  'Contact',
  'Route',
  'P-Asserted-Identity',
  'Content-Type',
  'CSeq',
  'Z',
];

for (const name of NAMES) {
  test.serial(`one long ${name}, of whatever it is made`, (t) => {
    for (const s of FILLERS) {
      for (const head of ['', name === 'Via' ? 'SIP/2.0/UDP h' : '"a" <sip:a@b>', '<sip:']) {
        linear(t, `${name}: ${head}${s}`, UNIT, (n) => {
          const text = `INVITE sip:a SIP/2.0\r\n${name}: ${head}${fill(s, n)}\r\n${BASE}\r\n`;
          return () => readMessage(text);
        });
      }
    }
  });
}

const SHAPES: readonly (readonly [name: string, n: number, text: (n: number) => string])[] = [
  ['header lines', 24, (n) => `INVITE sip:a SIP/2.0\r\n${'i:1\r\n'.repeat(n)}${BASE}\r\n`],
  [
    'Via lines',
    24,
    (n) => `INVITE sip:a SIP/2.0\r\n${'v: SIP/2.0/UDP h\r\n'.repeat(n)}${BASE}\r\n`,
  ],
  [
    'unknown header lines',
    24,
    (n) => `INVITE sip:a SIP/2.0\r\n${'Zz: 1\r\n'.repeat(n)}${BASE}\r\n`,
  ],
  ['lines without a colon', 24, (n) => `INVITE sip:a SIP/2.0\r\n${BASE}${'zz\r\n'.repeat(n)}\r\n`],
  ['folds', 700, (n) => `INVITE sip:a SIP/2.0\r\nX: a${'\r\n '.repeat(n)}b\r\n${BASE}\r\n`],
  ['folds of space', 700, (n) => `INVITE sip:a SIP/2.0\r\nX: a\r\n${fill(' ', n)}b\r\n${BASE}\r\n`],
  ['folded headers', 24, (n) => `INVITE sip:a SIP/2.0\r\n${'X:\r\n a\r\n'.repeat(n)}${BASE}\r\n`],
  ['CRLFs before a message', 3000, (n) => `${'\r\n'.repeat(n)}INVITE sip:a SIP/2.0\r\n${BASE}\r\n`],
  ['only CRLFs', 3000, (n) => '\r\n'.repeat(n)],
  ['no line end', 6000, (n) => `INVITE ${fill('a', n)}`],
  ['bare LFs', 6000, (n) => `INVITE sip:a SIP/2.0\r\n${'\n'.repeat(n)}`],
  ['bare CRs', 6000, (n) => `INVITE sip:a SIP/2.0\r\n${'\r'.repeat(n)}`],
  ['a Request-URI', UNIT, (n) => `INVITE sip:${fill('a@;?', n)} SIP/2.0\r\n${BASE}\r\n`],
  ['a method', UNIT, (n) => `${fill('A', n)} sip:a SIP/2.0\r\n${BASE}\r\n`],
  ['digits', UNIT, (n) => `INVITE sip:a SIP/2.0\r\n${BASE}Expires: ${fill('9', n)}\r\n\r\n`],
  ['a body', 6000, (n) => `INVITE sip:a SIP/2.0\r\n${BASE}\r\n${fill('x', n)}`],
];

test.serial('one message of many lines', (t) => {
  for (const [name, n, text] of SHAPES) {
    linear(t, name, n, (k) => {
      const whole = text(k);
      return () => readMessage(whole);
    });
  }
});

const READERS: readonly (readonly [string, (text: string) => unknown])[] = [
  ['name-addr', sip.parseNameAddr],
  ['URI', (s) => sip.parseUri(`sip:${s}`)],
  ['URI equality', (s) => sip.uriEquals(`sip:a;x=${s}`, `sip:a;x=${s}%`)],
  ['URI headers', (s) => sip.parseReferTo(`<sip:a?${s}>`)],
  ['Via', (s) => sip.parseVia(`SIP/2.0/UDP h;x=${s}`)],
  ['credentials', (s) => sip.parseAuth(`Digest ${s}`)],
  ['opaque credentials', (s) => sip.parseAuth(`Basic ${s}`)],
  ['RAck', (s) => sip.parseRAck(`1 ${s}`)],
  ['Session-Expires', (s) => sip.parseSessionExpires(`90;x=${s}`)],
  ['Retry-After', (s) => sip.parseRetryAfter(`1 (${s}`)],
  ['Event', (s) => sip.parseEvent(`a${s}`)],
  ['Subscription-State', (s) => sip.parseSubscriptionState(`active;x=${s}`)],
  ['Replaces', (s) => sip.parseReplaces(`a;to-tag=1;from-tag=2;x=${s}`)],
  ['Reason', (s) => sip.parseReason(`SIP;text="${s}"`)],
  ['param', (s) => sip.param(`;a=1${s}`, 'zz')],
  ['withoutParam', (s) => sip.withoutParam(`;a=1${s}`, 'a')],
  ['setParam', (s) => sip.setParam('', 'a', s)],
  ['unescapeUser', sip.unescapeUser],
  ['escapeUser', sip.escapeUser],
  ['quote', (s) => sip.unquote(sip.quote(s))],
  ['SDP origin', (s) => sip.rewriteSdpOrigin(`o=${s}`, '1', '2')],
  ['SDP line', (s) => sip.parseSdp(`v=0\r\no=${s}\r\nm=${s}\r\n`)],
];

test.serial('one long value, by every reader of values', (t) => {
  for (const [name, read] of READERS) {
    for (const s of FILLERS) {
      linear(t, `${name}: ${s}`, 1500, (n) => {
        const text = fill(s, n);
        return () => void read(text);
      });
    }
  }
});

test.serial('bodies: lines, media, parts, and delimiters that are none', (t) => {
  const bodies: readonly (readonly [string, number, (n: number) => string])[] = [
    ['attributes', 90, (n) => `v=0\r\no=a 1 2 IN IP4 h\r\n${'a=x\r\n'.repeat(n)}`],
    ['media', 6, (n) => `v=0\r\no=a 1 2 IN IP4 h\r\n${'m=audio 5 RTP/AVP 0\r\na=x\r\n'.repeat(n)}`],
    ['formats', 500, (n) => `v=0\r\no=a 1 2 IN IP4 h\r\nm=audio 5 RTP/AVP ${'0 '.repeat(n)}\r\n`],
    ['empty lines', 2000, (n) => `v=0\r\n${'\r\n'.repeat(n)}`],
    ['versions', 1000, (n) => 'v=0\r\n'.repeat(n)],
  ];
  for (const [name, n, text] of bodies) {
    linear(t, name, n, (k) => {
      const body = text(k);
      return () => {
        const sdp = sip.parseSdp(body);
        if (!sip.isFault(sdp)) sip.formatSdp(sdp);
      };
    });
  }
  const parts: readonly (readonly [string, number, (n: number) => string])[] = [
    ['parts', 3, (n) => `${'--b\r\n\r\nx\r\n'.repeat(n)}--b--`],
    ['no delimiters', 700, (n) => `--b\r\n\r\n${'\r\n--bc'.repeat(n)}\r\n--b--`],
    ['no end', 700, (n) => `--b\r\n\r\n${'\r\n--b '.repeat(n)}`],
    ['folds', 700, (n) => `--b\r\nA: b${'\r\n c'.repeat(n)}\r\n\r\nx\r\n--b--`],
    ['space behind', 700, (n) => `--b${fill(' ', n)}\r\n\r\nx\r\n--b${fill('\t', n)}--`],
  ];
  for (const [name, n, text] of parts) {
    linear(t, name, n, (k) => {
      const body = text(k);
      return () => void sip.parseMultipart('multipart/x;boundary=b', body);
    });
  }
});

/** Pushes `text` in pieces of `size`. */
function pushed(text: string, size: number): () => void {
  return () => {
    const framer = new StreamFramer();
    for (let at = 0; at < text.length; at += size) framer.push(text.slice(at, at + size));
  };
}

test.serial('a stream of any pieces: each octet is looked at a few times', (t) => {
  const head = `INVITE sip:a SIP/2.0\r\n${BASE}`;
  const texts: readonly (readonly [string, (n: number) => string])[] = [
    ['an endless head', (n) => `${head}X: ${fill('y', n)}`],
    ['an endless head of lines', (n) => `${head}${fill('X: y\r\n', n)}`],
    ['an endless head of folds', (n) => `${head}X: y${fill('\r\n ', n)}`],
    ['an endless head of LFs', (n) => `${head}${fill('\n', n)}`],
    ['an endless head of CRs', (n) => `${head}${fill('\r', n)}`],
    ['a body', (n) => `${head}l: ${n}\r\n\r\n${fill('z', n)}`],
    ['keep-alives', (n) => fill('\r\n', n)],
    ['small messages', (n) => fill(`${head}l: 0\r\n\r\n`, n)],
    ['folded lengths', (n) => `${head}l:${fill('\r\n ', n)} 0\r\n\r\n`],
  ];
  for (const [name, text] of texts) {
    for (const size of [1, 2, 7, 100_000]) {
      linear(t, `${name} by ${size}`, 3000, (n) => pushed(text(n), size));
    }
  }
});

test.serial('a stream keeps no more than its limits and the last chunk', (t) => {
  const head = `INVITE sip:a SIP/2.0\r\n${BASE}`;
  const streams = [
    `${head}${'X: y\r\n'.repeat(20_000)}`,
    'x'.repeat(200_000),
    `${head}l: 60000\r\n\r\n${'z'.repeat(200_000)}`,
    `${head}l: 99999999\r\n\r\n${'z'.repeat(200_000)}`,
    `${'\r\n'.repeat(50_000)}x`,
  ];
  for (const text of streams) {
    for (const size of [1, 1460, 65_536]) {
      const framer = new StreamFramer();
      let most = 0;
      for (let at = 0; at < text.length; at += size) {
        framer.push(text.slice(at, at + size));
        most = Math.max(most, framer.pending);
      }
      t.true(most <= LIMITS.messageBytes + size, `${most} octets were kept`);
      t.true(most <= LIMITS.headBytes + size || text.includes('l: 60000'), `${most} of a head`);
    }
  }
});

test.serial('keep-alives: as many frames as CRLFs at most, and none is kept', (t) => {
  const framer = new StreamFramer();
  let frames = 0;
  for (let i = 0; i < 1000; i += 1) frames += framer.push('\r\n'.repeat(10)).length;
  t.true(frames <= 10_000);
  t.is(framer.pending, 0);
});

test.serial('the count sees what is not linear', (t) => {
  const text = (n: number) => `;a=1${';a'.repeat(n)}`;
  const quadratic = (s: string) => {
    for (let at = 0; at < s.length; at += 2) sip.param(s.slice(at), 'zz');
  };
  const native = (s: string) => {
    for (let at = 0; at < s.length; at += 2) s.indexOf('z', at);
  };
  for (const job of [quadratic, native]) {
    const one = counted.work(() => job(text(50)));
    const ten = counted.work(() => job(text(500)));
    t.true(ten > 40 * one, `${one} ${ten}`);
  }
});
