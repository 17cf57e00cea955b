import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../../src/base/fault.ts';
import {
  decodeHeartbeat,
  encodeHeartbeat,
  FLAGS,
  HEARTBEAT_ROLES,
  HEARTBEAT_SIZE,
  type Heartbeat,
} from '../../src/wire/heartbeat.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);

const EXAMPLE: Heartbeat = {
  box: 'a',
  path: 'x',
  role: 'primary',
  inStep: true,
  peerStale: false,
  alone: false,
  engineOk: true,
  query: false,
  reply: false,
  loaded: true,
  fit: true,
  fresh: false,
  lanUp: true,
  epoch: 7,
  lsn: 258,
  chain: 0x01020304,
  pairNow: 1000.5,
  boot: '00112233aabbccdd',
  sequence: 5,
  echoBoot: '8899aabb00112233',
  echoSequence: 4,
};

test('the worked example, byte for byte', (t) => {
  const drawn = `
    73704842 01 61 78 04 c9020000  07000000 0201000000000000 04030201  0000000000448f40
    00112233aabbccdd 0500000000000000  8899aabb00112233 0400000000000000
    6c1df686ef094f0228d5b2c0eb01b0ce`;
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
  epoch: u32,
  lsn: count,
  chain: u32,
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
    const result = decodeHeartbeat(bad, KEY);
    const code = bit < 32 ? 'heartbeat-magic' : bit < 40 ? 'heartbeat-version' : 'heartbeat-forged';
    t.is(isFault(result) ? result.fault : 'accepted', code, `bit ${bit}`);
  }
  const wrong = decodeHeartbeat(
    good,
    KEY.map((n) => n ^ 1),
  );
  t.is(isFault(wrong) ? wrong.fault : 'accepted', 'heartbeat-forged');
});

test('too short, too long, rubbish: a fault, never a throw', (t) => {
  const good = encodeHeartbeat(EXAMPLE, KEY);
  for (let length = 0; length < HEARTBEAT_SIZE; length += 1) {
    const result = decodeHeartbeat(good.subarray(0, length), KEY);
    t.deepEqual(result, { fault: 'heartbeat-length', at: length });
  }
  const long = new Uint8Array(HEARTBEAT_SIZE + 1);
  long.set(good);
  t.true(isFault(decodeHeartbeat(long, KEY)));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 84, maxLength: 84 }), (bytes) =>
      isFault(decodeHeartbeat(bytes, KEY)),
    ),
  );
});

test('authentic, but with a value this version does not know', (t) => {
  for (const [change, at] of [
    [{ box: 'c' }, 5],
    [{ path: 'w' }, 6],
    [{ role: 'unheard-of' }, 7],
    [{ pairNow: Number.NaN }, 28],
  ] as const) {
    const bytes = encodeHeartbeat({ ...EXAMPLE, ...change } as Heartbeat, KEY);
    t.deepEqual(decodeHeartbeat(bytes, KEY), { fault: 'heartbeat-field', at });
  }
});

test('reads a frame that lies inside a larger buffer', (t) => {
  const buffer = new Uint8Array(200);
  buffer.set(encodeHeartbeat(EXAMPLE, KEY), 37);
  t.deepEqual(decodeHeartbeat(buffer.subarray(37, 37 + HEARTBEAT_SIZE), KEY), EXAMPLE);
});
