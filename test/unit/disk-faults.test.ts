/** A disk that is slow, stands still, refuses or is damaged: calls go on from memory, and it recovers. */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { CALL_TABLES } from '../../src/call/switch.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { Bench, type Hand } from './engine-pair.ts';
import { register } from './phone-words.ts';

const RELEASED = LIMITS.diskWaitMs + 120;
const alarms = (hand: Hand): string[] => hand.logs.filter((l) => /^disk: .*from memory/.test(l));
const recoveries = (hand: Hand): number => hand.logs.filter((l) => /writes again/.test(l)).length;

/** a leads alone; its disk answers until told otherwise. */
function alone(): Bench {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  bench.advance(100);
  bench.a.sent = [];
  return bench;
}

/** What the disk of a box holds, as tables. */
function stored(hand: Hand): ReturnType<Ledger['tables']['digests']> {
  const twin = new Ledger(CALL_TABLES, LIMITS);
  const { rows } = hand.disk.load(0);
  if (twin.applyOps(rows, 0, rows.length, true) !== undefined) throw new Error('unreadable');
  return twin.tables.digests();
}

test('alone, a disk that stands still for ten seconds holds a call for half a second, once', (t) => {
  const bench = alone();
  bench.a.diskWorks = false;
  register(bench.a, 1000);
  bench.advance(LIMITS.diskWaitMs - 50);
  t.is(bench.a.sent.length, 0, 'it may still answer');
  bench.advance(170);
  t.is(bench.a.sent.length, 1);
  t.is(bench.a.engine.gate, 'open');
  for (let i = 1; i <= 900; i += 1) {
    register(bench.a, 1000 + (i % 900), 1 + i);
    bench.advance(10);
    t.is(bench.a.sent.length, 1 + i, 'at once, from memory');
  }
  t.deepEqual(alarms(bench.a).length, 1);
  t.regex(alarms(bench.a)[0]!, /no answer for \d+ ms/);
  t.true(bench.a.unanswered.length <= LIMITS.diskBatches);
  t.is(bench.a.engine.view(false).diskStalls, 1);
  bench.a.diskWorks = true;
  bench.advance(300);
  t.is(bench.a.engine.gate, 'disk');
  t.is(recoveries(bench.a), 0, 'not believed at once');
  bench.advance(LIMITS.diskStallMs);
  t.is(recoveries(bench.a), 1);
  t.deepEqual(stored(bench.a), bench.a.engine.ledger.tables.digests());
});

test('a disk that is slow every time is one alarm', (t) => {
  const bench = alone();
  bench.a.diskWorks = false;
  for (let i = 0; i < 20; i += 1) {
    register(bench.a, 1000 + i);
    bench.advance(700);
    bench.a.commitAll();
  }
  t.is(alarms(bench.a).length, 1);
  t.is(recoveries(bench.a), 0);
  t.true(bench.a.sent.length >= 19);
});

test('a takeover does not hang on a disk that stands still', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  for (let i = 0; i < 20; i += 1) register(bench.a, 1000 + i);
  bench.settle();
  bench.b.diskWorks = false;
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  const epoch = bench.b.engine.standing.epoch + 1;
  bench.b.give({ kind: 'order', order: { kind: 'reign', epoch, cause: 'peer-silent' } });
  bench.advance(RELEASED);
  t.deepEqual(bench.b.reports.at(-1), { kind: 'reigning', epoch });
  bench.b.give({ kind: 'order', order: { kind: 'speak', epoch } });
  bench.b.sent = [];
  register(bench.b, 1500);
  bench.settle();
  t.is(bench.b.sent.length, 1);
  bench.b.diskWorks = true;
  bench.advance(400);
  t.is(bench.b.engine.gate, 'disk');
  t.like(bench.b.disk.box, { epoch, primary: true, peerStale: true });
});

test('a pair comes in step over a disk that stands still, and nothing waits for it', (t) => {
  const bench = alone();
  bench.a.diskWorks = false;
  register(bench.a, 1000);
  bench.advance(RELEASED);
  bench.followAll('b');
  bench.connect();
  t.true(bench.a.engine.standing.inStep);
  bench.a.sent = [];
  register(bench.a, 1001);
  bench.settle();
  t.is(bench.a.sent.length, 1);
  t.is(bench.a.engine.gate, 'peer');
});

test('a backup notices by itself that its disk stands still', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  bench.b.diskWorks = false;
  register(bench.a, 1000);
  bench.advance(LIMITS.diskStallMs + 500);
  t.is(bench.b.engine.view(false).disk, 'stalls');
  t.is(alarms(bench.b).length, 1);
  t.is(alarms(bench.a).length, 0);
});

test('a full disk is told once, counted each time, and forgotten when it is free again', (t) => {
  const bench = alone();
  bench.a.diskWorks = false;
  for (let i = 0; i < 30; i += 1) {
    register(bench.a, 1000 + i);
    bench.a.give({ kind: 'disk-fault', text: 'the file system is full: free space on it' });
    bench.advance(1000);
  }
  t.is(bench.a.sent.length, 30);
  t.deepEqual(alarms(bench.a), [
    'disk: the file system is full: free space on it: going on from memory',
  ]);
  t.is(bench.a.engine.view(false).diskFaults, 30);
  bench.a.give({ kind: 'disk-fault', text: 'the file system is read-only' });
  bench.settle();
  t.is(alarms(bench.a).length, 2, 'another reason is another alarm');
  bench.a.diskWorks = true;
  bench.advance(LIMITS.diskStallMs + 500);
  t.is(bench.a.engine.gate, 'disk');
  t.is(recoveries(bench.a), 1);
  t.deepEqual(stored(bench.a), bench.a.engine.ledger.tables.digests());
});

test('a damaged database is written anew from memory, word and rows', (t) => {
  const bench = alone();
  for (let i = 0; i < 200; i += 1) register(bench.a, 1000 + i);
  bench.advance(100);
  bench.a.diskWorks = false;
  register(bench.a, 1300);
  bench.a.turn(bench.now);
  t.is(bench.a.unanswered.length, 1);
  bench.a.replaceDisk();
  register(bench.a, 1301);
  bench.a.turn(bench.now);
  bench.a.diskWorks = true;
  bench.advance(300);
  t.true(bench.a.logs.some((l) => l.includes('set aside as beside')));
  t.is(bench.a.engine.view(false).diskReplaced, 1);
  t.is(bench.a.engine.gate, 'disk');
  t.deepEqual(stored(bench.a), bench.a.engine.ledger.tables.digests());
  t.like(bench.a.disk.box, { primary: true, peerStale: true, lsn: bench.a.engine.ledger.lsn });
  t.is(bench.a.sent.length, 202);
});

test('a word that waits behind a silent disk is the newest one when it goes', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.a.diskWorks = false;
  for (let epoch = 1; epoch <= 12; epoch += 1) {
    bench.a.give({ kind: 'order', order: { kind: 'reign', epoch, cause: 'operator' } });
    bench.a.turn(bench.now);
    bench.a.give({ kind: 'order', order: { kind: 'follow', epoch } });
    bench.a.turn(bench.now);
  }
  t.is(bench.a.unanswered.length, LIMITS.diskBatches);
  bench.a.give({ kind: 'order', order: { kind: 'reign', epoch: 13, cause: 'operator' } });
  bench.a.turn(bench.now);
  bench.a.reports = [];
  bench.a.diskWorks = true;
  bench.settle();
  t.deepEqual(bench.a.reports, [{ kind: 'reigning', epoch: 13 }]);
  t.like(bench.a.disk.box, { epoch: 13, primary: true });
});
