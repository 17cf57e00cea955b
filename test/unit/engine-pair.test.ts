/** What an engine promises towards its peer, its disk and the outside (PAIR: gate, mirror, takeover). */

import test from 'ava';
import { samePosition } from '../../src/ledger/record.ts';
import { Bench, inStep } from './engine-pair.ts';
import { register, statuses } from './phone-words.ts';

test('a joining backup gets a snapshot, is compared and is in step', (t) => {
  const bench = new Bench();
  bench.crown('a');
  for (let i = 0; i < 700; i += 1) register(bench.a, 1000 + i);
  bench.settle();
  bench.followAll('b');
  bench.connect();
  t.true(bench.a.engine.standing.inStep);
  t.true(bench.b.engine.standing.inStep);
  t.is(bench.a.engine.gate, 'peer');
  t.is(bench.b.engine.view(true).registrations, 700);
  t.deepEqual(bench.b.engine.view(true).tables, bench.a.engine.view(true).tables);
  t.true(samePosition(bench.a.engine.ledger.position(), bench.b.engine.ledger.position()));
});

test('hot standby: an answer waits for the peer, not for the disk', (t) => {
  const bench = inStep();
  bench.a.diskWorks = false;
  bench.a.sent = [];
  bench.cut = true;
  register(bench.a, 1000);
  bench.a.turn(bench.now);
  t.deepEqual(bench.a.sent, [], 'not acknowledged, not said');
  bench.cut = false;
  for (const bytes of bench.a.wire) bench.b.give({ kind: 'link-data', bytes });
  bench.a.wire = [];
  bench.settle();
  t.deepEqual(statuses(bench.a), ['200']);
});

test('late acknowledgements: alone durably first, then the disk opens the gate', (t) => {
  const bench = inStep();
  bench.cut = true;
  bench.a.sent = [];
  register(bench.a, 1000);
  bench.advance(40);
  t.deepEqual(bench.a.sent, []);
  bench.a.diskWorks = false;
  bench.advance(40);
  t.true(bench.a.engine.standing.peerStale, 'said at once');
  t.deepEqual(bench.a.sent, [], 'but not yet durable');
  bench.a.diskWorks = true;
  bench.advance(100);
  t.true(bench.a.disk.box?.peerStale);
  t.is(bench.a.engine.gate, 'disk');
  t.deepEqual(statuses(bench.a), ['200']);
});

test('a backup says nothing', (t) => {
  const bench = inStep();
  bench.b.sent = [];
  register(bench.b, 1000);
  bench.settle();
  t.deepEqual(bench.b.sent, []);
  t.is(bench.b.engine.view(false).registrations, 0);
});

test('without a lease nothing leaves', (t) => {
  const bench = inStep();
  bench.a.sent = [];
  bench.a.lease = bench.now - 1;
  register(bench.a, 1000);
  bench.settle();
  t.deepEqual(bench.a.sent, []);
  bench.a.lease = Number.POSITIVE_INFINITY;
  bench.advance(20);
  t.deepEqual(statuses(bench.a), ['200']);
});

test('without a lease it does not call its peer stale: that one may be leading by now', (t) => {
  const bench = inStep();
  bench.cut = true;
  bench.a.lease = bench.now - 1;
  register(bench.a, 1000);
  bench.advance(1000);
  t.false(bench.a.engine.standing.peerStale);
  t.not(bench.a.disk.box?.peerStale, true);
  bench.a.lease = Number.POSITIVE_INFINITY;
  bench.advance(200);
  t.true(bench.a.disk.box?.peerStale, 'with one it is decided');
});

test('the backup leads with every acknowledged row; the old primary returns by the ring or a snapshot', (t) => {
  const bench = inStep();
  for (let i = 0; i < 50; i += 1) register(bench.a, 1000 + i);
  bench.settle();
  // a dies with one record that b never got
  bench.cut = true;
  register(bench.a, 1500);
  bench.a.turn(bench.now);
  bench.a.restart(bench.now, 7);
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  t.deepEqual(bench.b.reports.map((r) => r.kind).slice(-1), ['link-closed']);
  bench.crown('b');
  t.is(bench.b.engine.view(false).registrations, 50);
  t.is(bench.b.engine.gate, 'disk');
  register(bench.b, 1600);
  bench.settle();
  bench.cut = false;
  bench.followAll('a');
  bench.connect();
  t.true(bench.b.engine.standing.inStep);
  t.deepEqual(bench.a.engine.view(true).tables, bench.b.engine.view(true).tables);
  t.is(bench.a.engine.view(false).registrations, 51);
});

test('planned: flushed when nothing is held, goodbye carries the last position', (t) => {
  const bench = inStep();
  register(bench.a, 1000);
  bench.settle();
  bench.a.reports = [];
  bench.b.reports = [];
  bench.a.give({ kind: 'order', order: { kind: 'resign' } });
  bench.settle();
  t.deepEqual(bench.a.reports, [{ kind: 'flushed' }]);
  bench.a.give({ kind: 'order', order: { kind: 'hand-over' } });
  bench.settle();
  t.deepEqual(bench.b.reports, [{ kind: 'goodbye', epoch: 1 }]);
  bench.crown('b', 'switchover');
  bench.followAll('a');
  t.true(bench.b.engine.standing.inStep, 'the old primary follows on the same link');
  t.is(bench.b.engine.view(false).snapshots, 0, 'by the ring');
  t.is(bench.b.engine.gate, 'peer');
});

test('planned: what reached the old primary too late is answered by the new one', (t) => {
  const bench = inStep();
  bench.a.give({ kind: 'order', order: { kind: 'resign' } });
  bench.settle();
  bench.a.give({ kind: 'order', order: { kind: 'hand-over' } });
  register(bench.a, 1000);
  bench.settle();
  t.is(bench.b.engine.view(false).registrations, 0, 'not before it speaks');
  bench.crown('b', 'switchover');
  t.is(bench.b.engine.view(false).registrations, 1);
  bench.followAll('a');
  t.deepEqual(statuses(bench.b), ['200']);
  register(bench.a, 1001);
  bench.settle();
  t.is(bench.b.engine.view(false).registrations, 1, 'a backup that follows passes nothing on');
});

test('a box that was alone starts again with its rows', (t) => {
  const bench = new Bench();
  bench.crown('a');
  for (let i = 0; i < 30; i += 1) register(bench.a, 1000 + i);
  bench.settle();
  t.is(statuses(bench.a).length, 30);
  bench.a.restart(bench.now, 9);
  bench.settle();
  t.like(bench.a.reports[0], { kind: 'loaded', wasPrimary: true, peerStale: true, fresh: false });
  t.is(bench.a.engine.view(false).registrations, 30);
});

test('drift is found and healed by a snapshot', (t) => {
  const bench = inStep();
  register(bench.a, 1000);
  bench.settle();
  // a row of the backup changes behind the journal's back
  const binding = [
    ...bench.b.engine.ledger.tables.list.find((x) => x.rows.size > 0)!.rows.values(),
  ][0]!;
  (binding as unknown as { contact: string }).contact = 'sip:elsewhere';
  for (let i = 0; i < 20; i += 1) bench.advance(500);
  t.true(bench.a.logs.some((l) => l.includes('differs in table')));
  bench.connect();
  t.true(bench.a.engine.standing.inStep);
  t.deepEqual(bench.a.engine.view(true).tables, bench.b.engine.view(true).tables);
});

test('garbage on the crossover closes it and harms nothing', (t) => {
  const bench = inStep();
  bench.b.give({
    kind: 'link-data',
    bytes: Uint8Array.of(255, 255, 255, 255, 1, 2, 3, 4, 5, 6, 7, 8),
  });
  bench.settle();
  t.true(bench.b.logs.some((l) => l.includes('crossover: frame-length')));
  bench.connect();
  t.true(bench.a.engine.standing.inStep);
});
