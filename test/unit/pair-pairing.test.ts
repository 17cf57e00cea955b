/** Pairing: two boxes agree, every wrong message has its code, and nobody fits in between. */

import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../../src/base/fault.ts';
import { PAIRING_CHANCE, PAIRING_WORDS, Pairing } from '../../src/pair/pairing.ts';

/** Random enough, and the same every time. */
function chance(seed: string): Uint8Array {
  const half = (n: number): Buffer => createHash('sha256').update(`${seed} ${n}`).digest();
  return Buffer.concat([half(0), half(1)]).subarray(0, PAIRING_CHANCE);
}

type Keys = { readonly a?: Uint8Array; readonly b?: Uint8Array };

const two = (n = 0, keys: Keys = {}): { a: Pairing; b: Pairing } => ({
  a: new Pairing('a', chance(`a ${n}`), keys.a),
  b: new Pairing('b', chance(`b ${n}`), keys.b),
});

/** What a box answers to bytes; a fault is an error of the test. */
function say(to: Pairing, bytes: Uint8Array): readonly Uint8Array[] {
  const result = to.data(bytes);
  if (isFault(result)) throw new Error(result.fault);
  return result as readonly Uint8Array[];
}

function code(to: Pairing, bytes: Uint8Array): string {
  const result = to.data(bytes);
  return isFault(result) ? result.fault : 'taken';
}

/** Up to the digits. */
function introduced(n = 0, keys: Keys = {}): { a: Pairing; b: Pairing } {
  const { a, b } = two(n, keys);
  const fromA = say(a, b.begin())[0]!;
  const fromB = say(b, a.begin())[0]!;
  say(a, fromB);
  say(b, fromA);
  return { a, b };
}

test('two boxes, two operators, one key', (t) => {
  const { a, b } = introduced();
  t.is(a.state, 'compare');
  t.regex(a.digits, /^\d{6}$/);
  t.is(a.digits, b.digits);
  t.is(a.key, undefined);
  const yesA = a.accept()!;
  t.is(a.key, undefined, 'one yes is not enough');
  t.is(a.accept(), undefined, 'said once');
  say(b, yesA);
  t.is(b.key, undefined);
  say(a, b.accept()!);
  t.deepEqual([a.state, b.state], ['agreed', 'agreed']);
  t.is(a.key?.length, 32);
  t.deepEqual(a.key, b.key);
  const storedA = a.stored()!;
  say(a, b.stored()!);
  say(b, storedA);
  t.deepEqual([a.state, b.state], ['done', 'done']);
});

const [ONE, OTHER] = [new Uint8Array(32).fill(0x11), new Uint8Array(32).fill(0x22)];
/** Who says yes first. */
const FIRST = ['a', 'b'] as const;

/** Both say yes; what is said arrives at once, or as the second answers. */
function agreed(keys: Keys, first: 'a' | 'b'): { a: Pairing; b: Pairing } {
  const both = introduced(0, keys);
  const [one, two] = first === 'a' ? [both.a, both.b] : [both.b, both.a];
  const back = say(two, one.accept()!);
  if (back.length > 0) throw new Error('nothing is said before the own yes');
  const out = say(one, two.accept()!);
  for (const bytes of out) say(two, bytes);
  return both;
}

for (const first of FIRST) {
  test(`a box without a key gets the one its peer has; ${first} says yes first`, (t) => {
    for (const [keys, a, b] of [
      [{ a: ONE }, 'own', 'given'],
      [{ b: ONE }, 'given', 'own'],
    ] as const) {
      const both = agreed(keys, first);
      t.deepEqual([both.a.origin, both.b.origin], [a, b]);
      t.deepEqual(both.a.key, ONE);
      t.deepEqual(both.b.key, ONE);
      const stored = both.a.stored()!;
      say(both.a, both.b.stored()!);
      say(both.b, stored);
      t.deepEqual([both.a.state, both.b.state], ['done', 'done']);
    }
  });

  test(`two boxes with a key each make a new one; ${first} says yes first`, (t) => {
    for (const keys of [{ a: ONE, b: OTHER }, { a: ONE, b: ONE }, {}]) {
      const { a, b } = agreed(keys, first);
      t.deepEqual([a.origin, b.origin], ['made', 'made']);
      t.deepEqual(a.key, b.key);
      t.notDeepEqual(a.key, ONE);
      t.notDeepEqual(a.key, OTHER);
    }
  });
}

test('a key that is kept leaves after both yes, sealed, and is opened unchanged only', (t) => {
  const { a, b } = introduced(0, { a: ONE });
  const yes = a.accept()!;
  t.is(yes.length, 41, 'a confirm and nothing else');
  say(b, yes);
  const [keep] = say(a, b.accept()!);
  t.is(keep!.length, 56);
  t.false(Buffer.from(keep!).includes(Buffer.from(ONE.subarray(0, 8))));
  t.deepEqual([b.state, b.key, b.stored()], ['agreed', undefined, undefined]);
  const spoilt = Uint8Array.from(keep!);
  spoilt[20]! ^= 1;
  t.is(code(b, spoilt), 'pairing-confirm');
  t.is(b.key, undefined);
});

test('all that the quicker box has to say may arrive in one piece', (t) => {
  const { a, b } = introduced(0, { a: ONE });
  say(a, b.accept()!);
  const yes = a.accept()!;
  say(b, Buffer.concat([yes, a.stored()!]));
  t.deepEqual([b.state, b.key, b.origin], ['done', ONE, 'given']);
});

test('other chance, other digits and another key', (t) => {
  const seen = new Set<string>();
  const keys = new Set<string>();
  for (let n = 0; n < 20; n += 1) {
    const { a, b } = introduced(n);
    say(b, a.accept()!);
    say(a, b.accept()!);
    seen.add(a.digits);
    keys.add(Buffer.from(a.key!).toString('hex'));
  }
  t.is(seen.size, 20);
  t.is(keys.size, 20);
});

test('bytes may come in any pieces', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), (size) => {
      const { a, b } = two();
      const stream = Buffer.concat([b.begin(), ...say(b, a.begin())]);
      let answers = 0;
      for (let at = 0; at < stream.length; at += size) {
        answers += say(a, stream.subarray(at, at + size)).length;
      }
      t.is(answers, 1);
      t.is(a.state, 'compare');
    }),
  );
});

test('every wrong message has its code and ends the exchange', (t) => {
  const hello = two().b.begin();
  const change = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const other = Uint8Array.from(bytes);
    other[at] = value;
    return other;
  };
  const revealOf = (n: number): Uint8Array => {
    const { a, b } = two(n);
    return say(b, a.begin())[0]!;
  };
  const confirm = introduced().b.accept()!;
  const keep = (): Uint8Array => {
    const both = introduced(0, { b: ONE });
    say(both.b, both.a.accept()!);
    return both.b.accept()!.subarray(41);
  };
  // whoever takes the key from the exchange has no proof of it
  const unkept = (): Uint8Array => change(introduced(0, { b: ONE }).b.accept()!, 8, 0);
  const stored = new Uint8Array([0x73, 0x70, 0x50, 0x52, 2, 4, 0, 0]);
  const refuse = change(stored, 5, 5);
  const met = (): Pairing => {
    const { a } = two();
    say(a, hello);
    return a;
  };
  const cases: readonly (readonly [string, Pairing, Uint8Array])[] = [
    ['pairing-magic', two().a, new TextEncoder().encode('SSH-2.0-OpenSSH_10.0')],
    ['pairing-version', two().a, change(hello, 4, 1)],
    ['pairing-type', two().a, change(hello, 5, 7)],
    ['pairing-type', two().a, change(hello, 5, 0)],
    ['pairing-length', two().a, change(hello, 7, 34)],
    ['pairing-length', two().a, new Uint8Array(1000)],
    ['pairing-self', two().a, two().a.begin()],
    ['pairing-self', two().a, change(hello, 8, 0x63)],
    ['pairing-order', two().a, revealOf(0)],
    ['pairing-order', two().a, confirm],
    ['pairing-order', two().a, stored],
    ['pairing-order', met(), hello],
    ['pairing-order', met(), confirm],
    ['pairing-commit', met(), revealOf(1)],
    ['pairing-commit', met(), change(revealOf(0), 71, revealOf(0)[71]! ^ 1)],
    ['pairing-order', introduced().a, revealOf(0)],
    ['pairing-order', introduced().a, stored],
    ['pairing-order', introduced().a, keep()],
    ['pairing-order', agreed({}, 'a').a, keep()],
    ['pairing-order', agreed({ a: ONE }, 'a').b, keep()],
    ['pairing-confirm', introduced(0, { b: ONE }).a, unkept()],
    ['pairing-confirm', introduced().a, change(confirm, 9, confirm[9]! ^ 1)],
    ['pairing-confirm', introduced().a, introduced().a.accept()!],
    ['pairing-refused', introduced().a, refuse],
  ];
  const met2 = new Set(cases.map(([wanted]) => wanted));
  t.deepEqual(
    [...met2].sort(),
    Object.keys(PAIRING_WORDS)
      .filter((c) => c !== 'pairing-point')
      .sort(),
  );
  for (const [i, [wanted, machine, bytes]] of cases.entries()) {
    t.is(code(machine, bytes), wanted, `case ${i}`);
    t.is(machine.state, 'failed');
    t.is(machine.key, undefined);
    t.is(machine.accept(), undefined);
    t.is(code(machine, hello), 'pairing-order', 'over is over');
  }
});

test('a key of small order gives no secret', (t) => {
  const { a } = two();
  const point = new Uint8Array(32);
  const number = new Uint8Array(32);
  const label = createHash('sha256').update('sipair pairing commitment b');
  const hello = Uint8Array.from(two().b.begin());
  hello.set(label.update(point).update(number).digest(), 9);
  say(a, hello);
  const reveal = new Uint8Array(72);
  reveal.set([0x73, 0x70, 0x50, 0x52, 2, 2, 0, 64]);
  t.is(code(a, reveal), 'pairing-point');
});

test('in between: other digits on the two consoles, always', (t) => {
  let same = 0;
  for (let n = 0; n < 300; n += 1) {
    const { a, b } = two(n);
    // m is "b" to a, and "a" to b
    const toA = new Pairing('b', chance(`m ${n}`));
    const toB = new Pairing('a', chance(`m ${n}`));
    const aHello = a.begin();
    const bHello = b.begin();
    const aReveal = say(a, toA.begin())[0]!;
    const bReveal = say(b, toB.begin())[0]!;
    const mToA = say(toA, aHello)[0]!;
    const mToB = say(toB, bHello)[0]!;
    say(toA, aReveal);
    say(toB, bReveal);
    say(a, mToA);
    say(b, mToB);
    t.is(a.digits, toA.digits);
    t.is(b.digits, toB.digits);
    if (a.digits === b.digits) same += 1;
  }
  t.is(same, 0);
});

test('in between: a key chosen after the others were seen is not taken', (t) => {
  // he waits for a's reveal, then looks for a key that gives b the digits he likes
  const { a, b } = two();
  const first = new Pairing('b', chance('first'));
  const reveal = say(a, first.begin())[0]!;
  t.truthy(reveal);
  const better = new Pairing('b', chance('better'));
  const changed = say(better, a.begin())[0]!;
  t.is(code(a, changed), 'pairing-commit');
  // or passes the hello of the true box on and reveals his own
  const c = two().a;
  say(c, b.begin());
  t.is(code(c, changed), 'pairing-commit');
});

test('in between: our own voice played back to us', (t) => {
  const { a } = two();
  t.is(code(a, a.begin()), 'pairing-self');
  const renamed = Uint8Array.from(two().a.begin());
  renamed[8] = 0x62;
  const again = two().a;
  const reveal = say(again, renamed)[0]!;
  t.is(code(again, reveal), 'pairing-commit', 'the name is in the commitment');
});

test('no means no on both sides', (t) => {
  const { a, b } = introduced();
  const yes = a.accept()!;
  const no = b.reject();
  t.is(code(a, no), 'pairing-refused');
  t.is(code(b, yes), 'pairing-order');
  t.deepEqual([a.key, b.key], [undefined, undefined]);
});

test('rubbish: a fault, never a throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, dressed) => {
      const machine = introduced().a;
      if (dressed && bytes.length > 6) bytes.set([0x73, 0x70, 0x50, 0x52, 2]);
      machine.data(bytes);
      return machine.key === undefined;
    }),
  );
  t.pass();
});
