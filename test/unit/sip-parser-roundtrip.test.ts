// What is written is read back: the values of extensions, parts of a body, and hostile streams in
// any chunks. The values of RFC 3261 are in sip-parser-property.test.ts.

import test from 'ava';
import fc from 'fast-check';
import {
  escapeUriHeader,
  formatEvent,
  formatRAck,
  formatReason,
  formatReferTo,
  formatReplaces,
  formatSessionExpires,
  formatSubscriptionState,
  isFault,
  LIMITS,
  methodId,
  parseEvent,
  parseMultipart,
  parseRAck,
  parseReason,
  parseReferTo,
  parseReplaces,
  parseSessionExpires,
  parseSubscriptionState,
  parseUri,
  StreamFramer,
  uriHeaders,
} from '../../src/sip-parser/index.ts';

const chars = (alphabet: string, min: number, max: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...alphabet), { minLength: min, maxLength: max })
    .map((parts) => parts.join(''));
const TOKEN = "abzAZ09-.!%*_+`'~";
const token = chars(TOKEN, 1, 10);
const word = chars(`${TOKEN}()<>:\\"/[]?{}@`, 1, 12);
const atom = chars(TOKEN.replace('.', ''), 1, 8);
const seconds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const maybe = fc.oneof(fc.constant(-1), seconds);
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
});
const visible = fc.string({
  unit: fc.integer({ min: 32, max: 255 }).map((c) => String.fromCharCode(c === 127 ? 32 : c)),
});
const replaces = fc.record({
  callId: word,
  toTag: token,
  fromTag: token,
  earlyOnly: fc.boolean(),
});

test('RFC 3262 7.2: a RAck is read back', (t) => {
  const rack = fc.record({
    rseq: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    cseq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    method: fc.oneof(fc.constantFrom('INVITE', 'PRACK', 'UPDATE'), token),
  });
  fc.assert(
    fc.property(rack, (r) => {
      t.deepEqual(parseRAck(formatRAck(r)), { ...r, methodId: methodId(r.method) });
    }),
  );
});

test('RFC 4028 4, RFC 6665 8.2, RFC 3326 2: timers, events, states and reasons are read back', (t) => {
  const interval = fc.record({ seconds, refresher: fc.constantFrom('', 'uac', 'uas') });
  const event = fc.record({
    package: atom,
    template: fc.array(atom, { maxLength: 2 }).map((parts) => parts.join('.')),
    id: fc.oneof(fc.constant(''), token),
  });
  const state = fc.record({
    state: token.map((s) => s.toLowerCase()),
    reason: fc.oneof(
      fc.constant(''),
      token.map((s) => s.toLowerCase()),
    ),
    expires: maybe,
    retryAfter: maybe,
  });
  const reason = fc.record({ protocol: token, cause: maybe, text: visible });
  fc.assert(
    fc.property(interval, event, state, reason, (i, e, s, r) => {
      t.deepEqual(parseSessionExpires(formatSessionExpires(i)), i);
      const params = e.id === '' ? '' : `;id=${e.id}`;
      t.deepEqual(parseEvent(formatEvent(e)), { ...e, params });
      t.deepEqual(parseSubscriptionState(formatSubscriptionState(s)), s);
      t.deepEqual(parseReason(formatReason(r)), r);
    }),
  );
});

test('RFC 3891 6.1, RFC 3515 2.1: Replaces, alone and inside a Refer-To, is read back', (t) => {
  const target = fc.constantFrom('sip:c@h', 'sips:c;x=y@[::1]:5061;transport=tcp', 'sip:h;lr?a=b');
  fc.assert(
    fc.property(replaces, target, (r, uri) => {
      t.deepEqual(parseReplaces(formatReplaces(r)), r);
      const refer = parseReferTo(formatReferTo(uri, r));
      if (isFault(refer)) return t.fail(`${refer.fault} at ${refer.at}`);
      t.deepEqual(refer.replaces, r);
      t.true(uri.startsWith(refer.uri));
    }),
  );
});

test('RFC 3261 19.1.1: an escaped header of a URI is read back, or refused for a control', (t) => {
  fc.assert(
    fc.property(token, latin1, (name, value) => {
      const uri = parseUri(`sip:h?${escapeUriHeader(name)}=${escapeUriHeader(value)}`);
      if (isFault(uri)) return t.fail(uri.fault);
      const got = uriHeaders(uri);
      const control = [...value].some((c) => (c < ' ' && c !== '\t') || c === '\x7f');
      if (control) t.true(isFault(got));
      else t.deepEqual(got, [[name, value]]);
    }),
  );
});

test('RFC 2046 5.1.1: parts are read back, whatever octets they have', (t) => {
  const boundary = 'fYq-3x';
  const part = fc.record({ type: fc.constantFrom('a/b', 'application/sdp;x="--y"'), body: latin1 });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const text = parts.map(
        (p) => `--${boundary}\r\nContent-Type: ${p.type}\r\n\r\n${p.body}\r\n`,
      );
      const got = parseMultipart(`m/x;boundary=${boundary}`, `${text.join('')}--${boundary}--\r\n`);
      if (isFault(got)) return t.fail(`${got.fault} at ${got.at}`);
      t.deepEqual(
        got.map((p) => ({ type: p.contentType, body: p.body })),
        parts,
      );
    }),
  );
});

type Outcome = { readonly messages: string[]; readonly fault: string; readonly pending: number };

function outcome(pieces: readonly string[]): Outcome {
  const framer = new StreamFramer();
  const messages: string[] = [];
  let fault = '';
  for (const piece of pieces) {
    for (const frame of framer.push(piece)) {
      if (frame.kind === 'message') messages.push(frame.text);
      if (frame.kind === 'fault' && fault === '') fault = frame.fault.fault;
    }
  }
  return { messages, fault, pending: framer.pending };
}

test('RFC 3261 18.3: what a hostile stream yields does not depend on its chunks', (t) => {
  const bit = fc.oneof(
    fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      '\r\n\r\n',
      '\r\n ',
      'INVITE sip:a SIP/2.0\r\n',
      'A: b\r\n',
    ),
    fc.constantFrom(
      'l: 0\r\n',
      'l: 5\r\n',
      'Content-Length:\r\n 3\r\n',
      'l: x\r\n',
      'l: 99999\r\n',
    ),
    fc.constantFrom('abc', 'abcde', ':', 'X'.repeat(LIMITS.headBytes / 2)),
  );
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(bit, { maxLength: 16 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      (bits, sizes) => {
        const text = bits.join('');
        const pieces: string[] = [];
        for (let at = 0, i = 0; at < text.length; i += 1) {
          // Long runs in long chunks, or the test takes minutes.
          const size = (sizes[i % sizes.length] ?? 1) * (text.length > 2000 ? 500 : 1);
          pieces.push(text.slice(at, at + size));
          at += size;
        }
        const whole = outcome([text]);
        t.deepEqual(outcome(pieces), whole);
        const key = whole.fault === '' ? `${whole.messages.length} messages` : whole.fault;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      },
    ),
    { numRuns: 1500, seed: 183 },
  );
  for (const key of [
    '1 messages',
    'missing-content-length',
    'bad-content-length',
    'message-too-large',
  ]) {
    t.true((seen.get(key) ?? 0) > 0, `${key}: ${[...seen.keys()].join(', ')}`);
  }
});
