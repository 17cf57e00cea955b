import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../../src/base/fault.ts';
import {
  decodeHeartbeat,
  encodeHeartbeat,
  FLAGS,
  HEARTBEAT_MAX,
  HEARTBEAT_ROLES,
  HEARTBEAT_SIZE,
  type Heartbeat,
} from '../../src/wire/heartbeat.ts';
import { heartbeatOf } from './heartbeat-of.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);

const EXAMPLE = heartbeatOf({
  box: 'a',
  role: 'primary',
  epoch: 7,
  lsn: 258,
  chain: 0x01020304,
  recordEpoch: 6,
  pairNow: 1000.5,
  boot: '00112233aabbccdd',
  sequence: 5,
  echoBoot: '8899aabb00112233',
  echoSequence: 4,
});

function refusal(bytes: Uint8Array, key: Uint8Array = KEY): string {
  const result = decodeHeartbeat(bytes, key);
  return isFault(result) ? result.fault : 'accepted';
}

test('the worked example, byte for byte', (t) => {
  const drawn = `
    73704842 02 61 78 00  00112233aabbccdd 0500000000000000
    0b8d9618efbe8890ed4214b3fc93a49d5b266d0b3206271aa1c6c647b1c80bcd2af6d99f
    a6ec2d682ec84a4b9918c9f2ac8d8d13
    90fc060c5f41b831e1c956d01ceefc05`;
  const bytes = encodeHeartbeat(EXAMPLE, KEY);
  t.is(Buffer.from(bytes).toString('hex'), drawn.replace(/\s/g, ''));
  t.deepEqual(decodeHeartbeat(bytes, KEY), EXAMPLE);
});

const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const boot = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((b) => Buffer.from(b).toString('hex'));
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({
  box: fc.constantFrom('a', 'b'),
  path: fc.constantFrom('x', 'l'),
  role: fc.constantFrom(...HEARTBEAT_ROLES),
  inStep: fc.boolean(),
  peerStale: fc.boolean(),
  alone: fc.boolean(),
  engineOk: fc.boolean(),
  query: fc.boolean(),
  reply: fc.boolean(),
  loaded: fc.boolean(),
  fit: fc.boolean(),
  fresh: fc.boolean(),
  lanUp: fc.boolean(),
  witnessKnown: fc.boolean(),
  witnessSeen: fc.boolean(),
  gone: fc.boolean(),
  flapHold: fc.boolean(),
  conflict: fc.boolean(),
  yields: fc.boolean(),
  epoch: u32,
  lsn: count,
  chain: u32,
  recordEpoch: u32,
  pairNow: fc.double({ noNaN: true, noDefaultInfinity: true }),
  boot,
  sequence: count,
  echoBoot: boot,
  echoSequence: count,
});

test('what is encoded is decoded', (t) => {
  fc.assert(
    fc.property(heartbeat, (h) => {
      t.deepEqual(decodeHeartbeat(encodeHeartbeat(h, KEY), KEY), h);
    }),
  );
  t.pass();
});

test('every flag has a bit of its own', (t) => {
  const off = Object.fromEntries(FLAGS.map((name) => [name, false]));
  for (const name of FLAGS) {
    const h = { ...EXAMPLE, ...off, [name]: true } as Heartbeat;
    t.deepEqual(decodeHeartbeat(encodeHeartbeat(h, KEY), KEY), h);
  }
});

test('one changed bit anywhere is refused, and so is another key', (t) => {
  const good = encodeHeartbeat(EXAMPLE, KEY);
  for (let bit = 0; bit < 8 * HEARTBEAT_SIZE; bit += 1) {
    const bad = Uint8Array.from(good);
    bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
    const code = bit < 32 ? 'heartbeat-magic' : bit < 40 ? 'heartbeat-version' : 'heartbeat-forged';
    t.is(refusal(bad), code, `bit ${bit}`);
  }
  const wrong = KEY.map((n) => n ^ 1);
  t.is(refusal(good, wrong), 'heartbeat-forged');
  t.is(refusal(good), 'accepted', 'after all of these');
});

test('any run of bytes overwritten, any cut, any pasting of two frames is refused', (t) => {
  fc.assert(
    fc.property(
      heartbeat,
      heartbeat,
      fc.nat(HEARTBEAT_SIZE - 1),
      fc.uint8Array({ minLength: 1, maxLength: 16 }),
      (h, other, at, junk) => {
        const good = encodeHeartbeat(h, KEY);
        const bad = Uint8Array.from(good);
        bad.set(junk.subarray(0, HEARTBEAT_SIZE - at), at);
        if (Buffer.compare(bad, good) !== 0) t.not(refusal(bad), 'accepted');
        t.not(refusal(good.subarray(0, at)), 'accepted');
        const pasted = Uint8Array.from(good);
        pasted.set(encodeHeartbeat(other, KEY).subarray(at), at);
        const whole = [good, encodeHeartbeat(other, KEY)];
        if (whole.every((one) => Buffer.compare(one, pasted) !== 0)) {
          t.not(refusal(pasted), 'accepted');
        }
      },
    ),
  );
  t.pass();
});

test('what a heartbeat says is not in it in clear, and never twice the same', (t) => {
  const first = encodeHeartbeat(EXAMPLE, KEY);
  const next = encodeHeartbeat({ ...EXAMPLE, sequence: 6 }, KEY);
  const restarted = encodeHeartbeat({ ...EXAMPLE, boot: '00112233aabbccde' }, KEY);
  const peer = encodeHeartbeat({ ...EXAMPLE, box: 'b' }, KEY);
  const bodies = [first, next, restarted, peer].map((b) =>
    Buffer.from(b.subarray(24)).toString('hex'),
  );
  t.is(new Set(bodies).size, 4);
  for (const body of bodies) t.false(body.includes('8899aabb00112233'), 'the echo');
  // under one key stream the difference of two bodies would be the difference of what they say
  const mixed = first.subarray(24, 76).map((byte, i) => byte ^ (next[24 + i] as number));
  t.true(mixed.some((byte) => byte !== 0));
});

test('a newer release may say more: what it appends is authenticated and left alone', (t) => {
  const tail = Uint8Array.from({ length: 24 }, (_, i) => 200 + i);
  const longer = encodeHeartbeat(EXAMPLE, KEY, tail);
  t.is(longer.length, HEARTBEAT_SIZE + 24);
  t.deepEqual(decodeHeartbeat(longer, KEY), EXAMPLE);
  for (let at = 24; at < longer.length; at += 1) {
    const bad = Uint8Array.from(longer);
    bad[at] = (bad[at] as number) ^ 0x10;
    t.is(refusal(bad), 'heartbeat-forged', `byte ${at}`);
  }
  t.is(refusal(longer.subarray(0, longer.length - 1)), 'heartbeat-forged');
  const most = encodeHeartbeat(EXAMPLE, KEY, new Uint8Array(HEARTBEAT_MAX - HEARTBEAT_SIZE));
  t.is(refusal(most), 'accepted');
  const more = encodeHeartbeat(EXAMPLE, KEY, new Uint8Array(HEARTBEAT_MAX - HEARTBEAT_SIZE + 1));
  t.is(refusal(more), 'heartbeat-length');
});

test('a frame of version 1 is refused by its version, whatever its length', (t) => {
  const old = Buffer.from(
    '7370484201617804c9020000070000000201000000000000040302010000000000448f40' +
      '00112233aabbccdd05000000000000008899aabb001122330400000000000000' +
      '6c1df686ef094f0228d5b2c0eb01b0ce',
    'hex',
  );
  t.deepEqual(decodeHeartbeat(old, KEY), { fault: 'heartbeat-version', at: 4 });
});

test('too short, rubbish: a fault, never a throw', (t) => {
  const good = encodeHeartbeat(EXAMPLE, KEY);
  for (let length = 0; length < HEARTBEAT_SIZE; length += 1) {
    const result = decodeHeartbeat(good.subarray(0, length), KEY);
    t.deepEqual(result, { fault: 'heartbeat-length', at: length });
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, dressed) => {
      if (dressed && bytes.length >= 24) bytes.set(good.subarray(0, 8));
      return refusal(bytes) !== 'accepted';
    }),
  );
  t.pass();
});

test('authentic, but with a value this version does not know', (t) => {
  for (const [change, at] of [
    [{ box: 'c' }, 5],
    [{ path: 'w' }, 6],
    [{ role: 'unheard-of' }, 24],
    [{ pairNow: Number.NaN }, 52],
  ] as const) {
    const bytes = encodeHeartbeat({ ...EXAMPLE, ...change } as Heartbeat, KEY);
    t.deepEqual(decodeHeartbeat(bytes, KEY), { fault: 'heartbeat-field', at });
  }
});

test('a flood of boots that were never ours leaves no trace', (t) => {
  const good = encodeHeartbeat(EXAMPLE, KEY);
  for (let i = 0; i < 1000; i += 1) {
    const bad = Uint8Array.from(good);
    new DataView(bad.buffer).setUint32(8, i);
    t.is(refusal(bad), 'heartbeat-forged');
  }
  t.deepEqual(decodeHeartbeat(good, KEY), EXAMPLE);
  // more boots of our own than are kept: each is derived again
  const boots = Array.from({ length: 20 }, (_, i) => `00112233aabb${(4096 + i).toString(16)}`);
  for (const one of [...boots, ...boots]) {
    const h = { ...EXAMPLE, boot: one };
    t.deepEqual(decodeHeartbeat(encodeHeartbeat(h, KEY), KEY), h);
  }
});

test('reads a frame that lies inside a larger buffer', (t) => {
  const buffer = new Uint8Array(200);
  buffer.set(encodeHeartbeat(EXAMPLE, KEY), 37);
  t.deepEqual(decodeHeartbeat(buffer.subarray(37, 37 + HEARTBEAT_SIZE), KEY), EXAMPLE);
});
