/**
 * The crossover and the mirror when the way is bad or the way back is long: late again and again,
 * a peer away for longer than the ring, a snapshot while calls go on.
 */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { Bench, carry, type Hand, inStep } from './engine-pair.ts';
import { invite, register, statuses } from './phone-words.ts';

/** Both boxes for so long, with a wire that takes `delay` ms each way; a phone speaks every 20 ms. */
function slowly(bench: Bench, ms: number, delay: (at: number) => number): void {
  const { a, b } = bench;
  const way: { at: number; to: Hand; bytes: Uint8Array }[] = [];
  const last = new Map<Hand, number>();
  const end = bench.now + ms;
  for (; bench.now < end; bench.now += 5) {
    if (bench.now % 20 === 0) register(a, 1000 + (bench.now % 900), bench.now);
    for (const one of way.filter((w) => w.at <= bench.now)) {
      one.to.give({ kind: 'link-data', bytes: one.bytes });
      way.splice(way.indexOf(one), 1);
    }
    for (const [hand, to] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!hand.idle(bench.now)) {
        hand.turn(bench.now);
        hand.turn(bench.now);
      }
      for (const bytes of hand.wire) {
        const at = Math.max(last.get(to) ?? 0, bench.now + delay(bench.now));
        last.set(to, at);
        way.push({ at, to, bytes });
      }
      hand.wire = [];
    }
  }
}

test('a crossover that is slow again and again: alone for longer and longer, one alarm', (t) => {
  const bench = inStep();
  // 60 ms there and back for a moment of each second, else at once
  slowly(bench, 60_000, (at) => (at % 1000 < 100 ? 60 : 0));
  const { wentAlone, lateTimes } = bench.a.engine.view(false);
  t.true(lateTimes >= 3 && lateTimes <= 14, `${lateTimes} times late`);
  t.is(wentAlone, lateTimes);
  const alarms = bench.a.logs.filter((l) =>
    l.includes('acknowledgements are late: going on alone'),
  );
  t.is(alarms.length, 1);
  t.true(bench.a.logs.some((l) => l.includes('late again')));
  t.is(bench.a.engine.view(false).snapshots, 1, 'the chain proves the history: no resync');
  // the way is good again
  slowly(bench, LIMITS.trustMaxMs + 500, () => 0);
  t.true(bench.a.engine.standing.inStep);
  t.true(bench.b.engine.standing.inStep);
  t.deepEqual(bench.b.engine.view(true).tables, bench.a.engine.view(true).tables);
});

test('a way that stays slow is left alone: calls wait for the disk, not for it', (t) => {
  const bench = inStep();
  slowly(bench, 3000, (at) => (at * 7) % 50);
  bench.a.sent = [];
  const before = bench.a.engine.view(false).lateTimes;
  slowly(bench, 20_000, (at) => (at * 7) % 50);
  t.is(bench.a.engine.view(false).lateTimes, before, 'never believed meanwhile');
  t.is(bench.a.engine.gate, 'disk');
  t.true(bench.a.sent.length >= 999, `${bench.a.sent.length}`);
  t.is(bench.a.engine.view(false).held, 0);
});

test('a peer away for longer than the ring gets a snapshot, one away for less the ring', (t) => {
  for (const [users, how] of [
    [5, 'catchUps'],
    [400, 'snapshots'],
  ] as const) {
    const bench = inStep(new Bench('hot-standby', {}, { ringBytes: 40_000, slabBytes: 1 << 16 }));
    const before = bench.a.engine.view(false)[how];
    bench.a.give({ kind: 'link-down' });
    bench.b.give({ kind: 'link-down' });
    bench.settle();
    for (let i = 0; i < users; i += 1) {
      register(bench.a, 1000 + i);
      bench.settle();
    }
    bench.connect();
    t.true(bench.a.engine.standing.inStep);
    t.is(bench.a.engine.view(false)[how], before + 1, how);
    t.deepEqual(bench.b.engine.view(true).tables, bench.a.engine.view(true).tables);
  }
});

test('a snapshot of 12 000 rows while a thousand calls a minute begin: small steps, nobody waits', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  for (let i = 0; i < 12_000; i += 1) register(bench.a, 1000 + (i % 900), 1 + i, `dev${i}`);
  bench.settle();
  const rows = Object.values(bench.a.engine.ledger.tables.digests(false));
  t.true(rows.reduce((n, table) => n + table.count, 0) > 10_000);
  bench.followAll('b');
  bench.a.sent = [];
  bench.a.give({ kind: 'link-up' });
  bench.b.give({ kind: 'link-up' });
  let calls = 0;
  let steps = 0;
  let filling = 0;
  let longest = 0;
  const turnOfA = (): void => {
    const before = bench.a.wire.length;
    bench.a.turn(bench.now);
    const made = bench.a.wire.slice(before);
    longest = Math.max(
      longest,
      made.reduce((n, bytes) => n + bytes.length, 0),
    );
  };
  while (!bench.a.engine.standing.inStep && steps < 5000) {
    steps += 1;
    // every step is 2 ms; 1000 calls a minute are one every 60 ms
    if (steps % 30 === 0) {
      calls += 1;
      invite(bench.a, 1000, 1001, calls);
    }
    turnOfA();
    if (bench.a.engine.view(false).mirror === 'feed-rows') filling += 1;
    carry(bench.a, bench.b);
    bench.b.turn(bench.now);
    carry(bench.b, bench.a);
    turnOfA();
    t.is(bench.a.engine.view(false).held, 0, 'said as soon as the own disk has it');
    bench.now += 2;
  }
  t.true(bench.a.engine.standing.inStep, `after ${steps} steps`);
  t.true(filling > 20, `${filling} steps of snapshot`);
  t.true(longest < LIMITS.chunkBytes + LIMITS.sipBytes, `${longest} bytes in a turn`);
  t.is(statuses(bench.a).filter((s) => s === '100').length, calls);
  bench.settle();
  t.deepEqual(bench.b.engine.view(true).tables, bench.a.engine.view(true).tables);
});

test('a peer that is late for long does not make the primary spin', (t) => {
  const bench = inStep();
  register(bench.a, 1000);
  bench.settle();
  for (let time = 0; time < 2; time += 1) {
    // late once, and once more: now a wait is due
    bench.cut = true;
    register(bench.a, 1001, 2 + time);
    let turns = 0;
    for (let ms = 0; ms < 1000; ms += 1) {
      bench.now += 1;
      if (bench.a.idle(bench.now)) continue;
      turns += 1;
      bench.a.turn(bench.now);
    }
    t.is(bench.a.engine.view(false).mirror, 'feed-late');
    t.true(turns < 150, `${turns} turns in a second`);
    bench.cut = false;
    carry(bench.a, bench.b);
    for (let ms = 0; ms < 1000; ms += 10) bench.advance(10);
    t.true(bench.a.engine.standing.inStep);
  }
  t.is(bench.a.engine.view(false).lateTimes, 2);
});
