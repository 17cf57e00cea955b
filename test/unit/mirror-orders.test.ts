/** Rows of a reign that lost, resync by order, and since when the pair is in step. */

import test from 'ava';
import { CALL_TABLES } from '../../src/call/switch.ts';
import type { Image } from '../../src/ledger/image.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { FRAME, positionFrame } from '../../src/wire/frame.ts';
import { Bench } from './engine-pair.ts';
import { register } from './phone-words.ts';

function pair(): Bench {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  bench.advance(300);
  return bench;
}

function registrations(image: Image): number {
  const l = new Ledger(CALL_TABLES, { ringBytes: 1 << 20, slabBytes: 1 << 16 });
  const { rows } = image.load(0);
  l.applyOps(rows, 0, rows.length, true);
  return l.tables.list[0]?.rows.size ?? 0;
}

/** Both lead: a goes on with 12 of its own while b takes over with 3 of its own. */
function split(): Bench {
  const bench = pair();
  for (let i = 0; i < 5; i += 1) register(bench.a, 1000 + i);
  bench.settle();
  bench.cut = true;
  bench.a.give({ kind: 'link-down' });
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  for (let i = 0; i < 12; i += 1) register(bench.a, 1100 + i);
  bench.advance(300);
  bench.crown('b');
  for (let i = 0; i < 3; i += 1) register(bench.b, 1200 + i);
  bench.advance(300);
  bench.cut = false;
  return bench;
}

test('what the loser of two reigns held is set aside with its name, once', (t) => {
  const bench = split();
  bench.followAll('a');
  bench.connect();
  bench.advance(300);
  t.is(bench.a.engine.view(false).registrations, 8);
  t.deepEqual(
    bench.a.lost.map(({ epoch, state }) => [epoch, registrations(state)]),
    [[1, 17]],
  );
  t.true(
    bench.a.logs.some((l) => l === 'rows of a reign that lost are kept in lost-1, and not merged'),
  );
  t.is(registrations(bench.a.disk), 8);
  // a second snapshot finds nothing of its own any more
  bench.a.give({ kind: 'order', order: { kind: 'resync' } });
  bench.settle();
  bench.connect();
  bench.advance(300);
  t.is(bench.a.lost.length, 1);
  t.is(bench.b.lost.length, 0);
});

test('also when the loser was restarted before it was given the other history', (t) => {
  const bench = split();
  bench.followAll('a');
  bench.advance(300);
  t.false(bench.a.disk.box?.primary, 'it follows, and its word says so');
  bench.a.restart(bench.now, 4);
  bench.settle();
  bench.followAll('a');
  bench.connect();
  bench.advance(300);
  t.deepEqual(
    bench.a.lost.map(({ epoch, state }) => [epoch, registrations(state)]),
    [[1, 17]],
  );
});

test('a primary that died and comes back by the ring has lost nothing: nothing is set aside', (t) => {
  const bench = pair();
  for (let i = 0; i < 5; i += 1) register(bench.a, 1000 + i);
  bench.advance(300);
  bench.b.give({ kind: 'link-down' });
  bench.a.restart(bench.now, 4);
  bench.settle();
  bench.crown('b');
  register(bench.b, 1300);
  bench.followAll('a');
  bench.connect();
  bench.advance(300);
  t.is(bench.b.engine.view(false).catchUps, 1);
  t.is(bench.a.disk.box?.led, 0);
  // whatever comes later is not its reign any more
  bench.a.give({ kind: 'order', order: { kind: 'resync' } });
  bench.settle();
  bench.connect();
  bench.advance(300);
  t.is(bench.a.lost.length, 0);
});

test('resync by order: from either box the backup gets a whole copy and is in step again', (t) => {
  for (const name of ['a', 'b'] as const) {
    const bench = pair();
    for (let i = 0; i < 30; i += 1) register(bench.a, 1000 + i);
    bench.advance(300);
    const before = bench.a.engine.view(false);
    bench.b.reports = [];
    bench.hands[name].give({ kind: 'order', order: { kind: 'resync' } });
    bench.settle();
    t.false(bench.a.engine.standing.inStep);
    t.true(bench.a.engine.standing.peerStale, 'said at once');
    bench.connect();
    bench.advance(100);
    t.true(bench.a.engine.standing.inStep && bench.b.engine.standing.inStep);
    const after = bench.a.engine.view(true);
    t.is(after.snapshots, before.snapshots + 1);
    t.is(after.resyncs, before.resyncs + (name === 'a' ? 1 : 0));
    t.deepEqual(bench.b.engine.view(true).tables, after.tables);
    // the primary lives, and the backup that asked knows why its link went
    if (name === 'b') t.deepEqual(bench.b.reports, []);
  }
});

test('resync is refused where there is no role', (t) => {
  const bench = new Bench();
  bench.a.give({ kind: 'order', order: { kind: 'resync' } });
  bench.settle();
  t.true(bench.a.logs.some((l) => l === 'resync: not while idle'));
});

test('since when the pair is in step is one moment of the pair clock on both boxes', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  t.is(bench.a.engine.standing.inStepAt, 0);
  t.is(bench.b.engine.standing.inStepAt, 0);
  const from = bench.a.engine.pairNow();
  bench.connect();
  const at = bench.a.engine.standing.inStepAt;
  t.true(at >= from && at <= bench.a.engine.pairNow());
  t.is(bench.b.engine.standing.inStepAt, at);
  bench.advance(1000);
  bench.a.give({ kind: 'link-down' });
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  t.is(bench.a.engine.standing.inStepAt, at, 'the last time');
  bench.connect();
  t.true(bench.a.engine.standing.inStepAt >= at + 1000);
  t.is(bench.b.engine.standing.inStepAt, bench.a.engine.standing.inStepAt);
});

test('an older release says no time with "in step": it is the moment it was heard', (t) => {
  const bench = pair();
  bench.advance(500);
  const { ledger } = bench.b.engine;
  const bytes = positionFrame(FRAME.inStep, ledger.position());
  bench.b.give({ kind: 'link-data', bytes });
  bench.settle();
  t.is(bench.b.engine.standing.inStepAt, bench.b.engine.pairNow());
});
