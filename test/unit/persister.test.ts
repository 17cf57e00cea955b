/** The disk behind an engine: what it says at every moment must be a state that was, and not too early. */

import test from 'ava';
import { Bench, carry, type Hand } from './engine-pair.ts';
import { register } from './phone-words.ts';

/** What the disk would give a process that starts now. */
function onDisk(hand: Hand): { lsn: number; bindings: number } {
  return { lsn: hand.disk.box?.lsn ?? -1, bindings: hand.disk.tables.get(1)?.size ?? 0 };
}

/**
 * b returns with a longer history that lost, and is given the shorter one that won (3 bindings
 * instead of 50), while its disk still works on the batch before.
 */
function filledOverAnOlderDisk(): Bench {
  const bench = new Bench();
  bench.settle();
  bench.crown('b');
  for (let i = 0; i < 50; i += 1) register(bench.b, 1000 + i);
  bench.settle();
  bench.b.restart(bench.now, 3);
  bench.settle();
  bench.crown('a');
  for (let i = 0; i < 3; i += 1) register(bench.a, 1800 + i);
  bench.settle();
  bench.b.diskWorks = false;
  bench.followAll('b');
  bench.connect();
  return bench;
}

test('a reign right after a snapshot is durable together with the rows of that snapshot', (t) => {
  const bench = filledOverAnOlderDisk();
  t.is(bench.b.engine.view(false).registrations, 3);
  t.is(onDisk(bench.b).bindings, 50, 'the old state, still');
  bench.b.give({ kind: 'link-down' });
  const epoch = bench.b.engine.standing.epoch + 1;
  bench.b.give({ kind: 'order', order: { kind: 'reign', epoch, cause: 'peer-silent' } });
  bench.b.turn(bench.now);
  // the disk commits what it was given, and the power goes before anything else happens
  bench.b.commitAll();
  t.is(bench.b.disk.box?.primary, true);
  t.is(onDisk(bench.b).bindings, 3);
});

test('after a shorter history replaced a longer one nothing counts as durable too early', (t) => {
  const bench = filledOverAnOlderDisk();
  bench.b.give({ kind: 'link-down' });
  const epoch = bench.b.engine.standing.epoch + 1;
  bench.b.give({ kind: 'order', order: { kind: 'reign', epoch, cause: 'peer-silent' } });
  bench.b.turn(bench.now);
  // the disk takes what it has, and stalls
  bench.b.commitAll();
  bench.b.turn(bench.now);
  bench.b.give({ kind: 'order', order: { kind: 'speak', epoch } });
  bench.b.turn(bench.now);
  bench.b.sent = [];
  register(bench.b, 1900);
  bench.settle();
  t.is(bench.b.engine.gate, 'disk');
  t.deepEqual(bench.b.sent, [], 'not on the disk, not said');
  bench.b.diskWorks = true;
  bench.settle();
  t.is(bench.b.sent.length, 1);
  t.is(onDisk(bench.b).bindings, 4);
});

test('led by order with half a snapshot: disk and memory agree', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.crown('b');
  for (let i = 0; i < 900; i += 1) register(bench.b, 1000 + i);
  bench.settle();
  bench.b.restart(bench.now, 3);
  bench.settle();
  bench.crown('a');
  for (let i = 0; i < 1500; i += 1) register(bench.a, 1100 + (i % 800), 1 + i);
  bench.settle();
  bench.followAll('b');
  bench.a.give({ kind: 'link-up' });
  bench.b.give({ kind: 'link-up' });
  for (let i = 0; i < 4; i += 1) {
    bench.a.turn(bench.now);
    carry(bench.a, bench.b);
    bench.b.turn(bench.now);
    carry(bench.b, bench.a);
  }
  t.is(bench.b.engine.view(false).mirror, 'follow-filling');
  bench.b.give({ kind: 'link-down' });
  bench.crown('b');
  bench.settle();
  t.is(onDisk(bench.b).bindings, bench.b.engine.view(false).registrations);
  t.is(onDisk(bench.b).lsn, bench.b.engine.ledger.lsn);
});

test('"alone" taken back while it was being written does not count as written', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  bench.advance(300);
  bench.a.diskWorks = false;
  register(bench.a, 1000);
  bench.a.turn(bench.now);
  bench.now += 60;
  bench.a.give({ kind: 'tick' });
  bench.a.turn(bench.now);
  t.true(bench.a.engine.standing.peerStale, 'alone');
  carry(bench.a, bench.b);
  bench.settle();
  t.false(bench.a.engine.standing.peerStale, 'in step again before the disk answered');
  // the disk answers for "alone" only, and stalls
  bench.a.commitAll();
  bench.a.turn(bench.now);
  bench.a.give({ kind: 'link-down' });
  bench.a.turn(bench.now);
  t.true(bench.a.engine.standing.peerStale);
  bench.now += 100;
  bench.a.give({ kind: 'tick' });
  bench.a.turn(bench.now);
  t.is(bench.a.engine.gate, 'shut', 'the second "alone" is not on the disk');
  bench.a.diskWorks = true;
  bench.advance(100);
  t.is(bench.a.engine.gate, 'disk');
});

test('a reign calls the peer stale from its first record on, and not when it came to nothing', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  register(bench.a, 1000);
  bench.settle();
  const { a } = bench;
  t.true(a.engine.standing.inStep && !a.engine.standing.peerStale);
  a.restart(bench.now, 3);
  bench.settle();
  const { epoch, recordEpoch } = a.engine.standing;
  a.give({ kind: 'order', order: { kind: 'reign', epoch: epoch + 1, cause: 'cold-start' } });
  bench.settle();
  t.is(a.engine.standing.epoch, epoch + 1);
  t.false(a.engine.standing.peerStale, 'nothing was said in it');
  t.is(a.engine.standing.recordEpoch, recordEpoch);
  t.true(a.disk.box?.peerStale, 'so that speaking waits for no second word');
  a.give({ kind: 'order', order: { kind: 'speak', epoch: epoch + 1 } });
  bench.settle();
  t.true(a.engine.standing.peerStale);
  // it lays its voice down to stand once more: what the peer lacks it still lacks
  a.give({ kind: 'order', order: { kind: 'follow', epoch: epoch + 1 } });
  a.give({ kind: 'order', order: { kind: 'reign', epoch: epoch + 2, cause: 'cold-start' } });
  bench.settle();
  t.true(a.engine.standing.peerStale);
});
