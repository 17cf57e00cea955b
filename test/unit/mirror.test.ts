/**
 * The mirror when things come in an odd order: joins in the middle of a turn, links that break in
 * the middle of a snapshot, records a backup cannot apply, acknowledgements that are late under load.
 */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { Image } from '../../src/ledger/image.ts';
import { samePosition } from '../../src/ledger/record.ts';
import { FRAME, frame, positionFrame } from '../../src/wire/frame.ts';
import { Bench, carry, type Hand, inStep } from './engine-pair.ts';
import { PHONE, register } from './phone-words.ts';

test('a backup that joins in the middle of a busy turn gets a snapshot it can follow', (t) => {
  const bench = new Bench();
  bench.crown('a');
  for (let i = 0; i < 20; i += 1) register(bench.a, 1000 + i);
  bench.settle();
  bench.followAll('b');
  bench.a.give({ kind: 'link-up' });
  bench.b.give({ kind: 'link-up' });
  bench.a.turn(bench.now);
  carry(bench.a, bench.b);
  bench.b.turn(bench.now);
  // the join arrives between two datagrams of one turn
  register(bench.a, 1100);
  carry(bench.b, bench.a);
  register(bench.a, 1101);
  bench.settle();
  t.false(
    bench.b.logs.some((l) => l.includes('crossover:')),
    bench.b.logs.join(),
  );
  t.true(bench.a.engine.standing.inStep);
  t.deepEqual(bench.a.engine.view(true).tables, bench.b.engine.view(true).tables);
});

test('a snapshot that broke off leaves a box that rests until the link is back', (t) => {
  const bench = new Bench();
  bench.crown('a');
  for (let i = 0; i < 2000; i += 1) register(bench.a, 1000 + (i % 900), 1 + i);
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
  bench.a.give({ kind: 'link-down' });
  bench.b.give({ kind: 'link-down' });
  bench.a.wire = [];
  bench.b.wire = [];
  bench.a.turn(bench.now);
  bench.b.turn(bench.now);
  bench.now += 500;
  bench.b.give({ kind: 'tick' });
  bench.b.turn(bench.now);
  t.true(bench.b.engine.deadline() > bench.now, 'nothing to do, and no spinning');
  bench.connect();
  t.true(bench.b.engine.standing.inStep);
  t.deepEqual(bench.a.engine.view(true).tables, bench.b.engine.view(true).tables);
});

test('a record the backup cannot apply is healed by a snapshot', (t) => {
  const bench = inStep();
  register(bench.a, 1000);
  register(bench.a, 1001);
  bench.settle();
  // a row of the backup is lost behind the journal's back, and its record changes two rows
  const table = bench.b.engine.ledger.tables.list.find((x) => x.compiled.spec.name === 'binding')!;
  const row = [...table.rows.values()].find((r) => r['aor'] === '1001')!;
  table.drop(row);
  register(bench.a, 1000, 2);
  register(bench.a, 1001, 2);
  bench.settle();
  t.true(bench.b.logs.some((l) => l.includes('op-missing-row')));
  bench.connect();
  bench.connect();
  t.true(bench.a.engine.standing.inStep);
  t.deepEqual(bench.a.engine.view(true).tables, bench.b.engine.view(true).tables);
});

test('one late moment under steady load does not leave the pair unprotected', (t) => {
  const bench = inStep();
  register(bench.a, 1000);
  bench.a.turn(bench.now);
  bench.now += 60;
  bench.a.give({ kind: 'tick' });
  bench.a.turn(bench.now);
  t.is(bench.a.engine.view(false).mirror, 'feed-late');
  // from now on every turn writes, and its acknowledgement comes one turn later
  for (let i = 0; i < 20; i += 1) {
    bench.now += 1;
    carry(bench.a, bench.b);
    register(bench.a, 1100 + i);
    bench.a.turn(bench.now);
    bench.b.turn(bench.now);
    carry(bench.b, bench.a);
  }
  bench.now += 1;
  register(bench.a, 1200);
  bench.a.turn(bench.now);
  t.is(bench.a.engine.view(false).mirror, 'feed-live');
  t.true(bench.a.engine.standing.inStep);
});

test('a takeover that came to nothing leaves the epoch of the reign that is followed', (t) => {
  const bench = inStep();
  register(bench.a, 1000);
  bench.settle();
  const epoch = bench.a.engine.standing.epoch;
  const before = bench.b.engine.ledger.position();
  bench.b.give({ kind: 'order', order: { kind: 'reign', epoch: epoch + 1, cause: 'peer-silent' } });
  bench.settle();
  t.deepEqual(bench.b.reports.at(-1), { kind: 'reigning', epoch: epoch + 1 });
  bench.b.give({ kind: 'order', order: { kind: 'follow', epoch } });
  bench.settle();
  t.is(bench.b.engine.standing.epoch, epoch);
  t.true(samePosition(bench.b.engine.ledger.position(), before), 'no record was made');
  const { snapshots } = bench.a.engine.view(false);
  bench.connect();
  t.true(bench.a.engine.standing.inStep);
  t.is(bench.a.engine.view(false).snapshots, snapshots, 'joined by the ring');
  bench.advance(300);
  bench.b.restart(bench.now, 5);
  bench.settle();
  t.is(bench.b.engine.standing.epoch, epoch);
});

test('a box in step stays one that may stand while its own takeover is under way', (t) => {
  const bench = inStep();
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  const epoch = bench.b.engine.standing.epoch + 1;
  bench.b.diskWorks = false;
  bench.b.give({ kind: 'order', order: { kind: 'reign', epoch, cause: 'peer-silent' } });
  bench.settle();
  t.true(bench.b.engine.standing.inStep, 'reigning');
  bench.b.diskWorks = true;
  bench.settle();
  t.true(bench.b.engine.standing.inStep, 'ready');
  bench.followAll('b');
  t.false(bench.b.engine.standing.inStep, 'follows somebody new');
});

test('a second connection without the end of the first begins a new conversation', (t) => {
  const bench = inStep();
  bench.connect();
  t.true(bench.a.engine.standing.inStep);
  bench.a.give({ kind: 'link-up' });
  bench.a.turn(bench.now);
  t.not(bench.a.engine.gate, 'peer', 'nobody has joined yet');
  t.true(bench.a.engine.deadline() > bench.now);
});

test('a pair clock that is no number is a fault', (t) => {
  const bench = inStep();
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    bench.b.give({ kind: 'link-data', bytes: frame(FRAME.clock, bytes) });
    bench.settle();
    t.true(Number.isSafeInteger(bench.b.engine.pairNow()));
  }
});

test('an acknowledgement of the reign before opens nothing in this one', (t) => {
  const bench = inStep();
  for (let i = 0; i < 30; i += 1) register(bench.a, 1000 + i);
  bench.settle();
  const { feed } = (bench.a.engine as unknown as { mirror: { feed: { ackedLsn: number } } }).mirror;
  t.true(feed.ackedLsn >= 30);
  bench.b.give({ kind: 'link-data', bytes: new Uint8Array(0) });
  bench.a.give({
    kind: 'link-data',
    bytes: positionFrame(FRAME.join, { epoch: 0, lsn: 0, chain: 0 }),
  });
  bench.a.turn(bench.now);
  t.is(feed.ackedLsn, 0);
});

/** An INVITE as long as UDP allows, from 1000 to 1001. */
function longInvite(hand: Hand, n: number): void {
  const body = 'x'.repeat(30_000);
  const via = (i: number): string =>
    `Via: SIP/2.0/UDP 10.0.0.${i}:5060;branch=z9hG4bK${'y'.repeat(3000)}\r\n`;
  const vias = Array.from({ length: 10 }, (_, i) => via(i)).join('');
  const text =
    `INVITE sip:1001@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP ${PHONE}:5060;branch=z9hG4bK-${n}\r\n${vias}` +
    `From: <sip:1000@192.0.2.10>;tag=g${n}\r\nTo: <sip:1001@192.0.2.10>\r\nCall-ID: c-${n}\r\n` +
    `CSeq: 1 INVITE\r\nContact: <sip:1000@${PHONE}:5060>\r\nMax-Forwards: 70\r\n` +
    `Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  hand.give({ kind: 'sip', transport: 'udp', ip: PHONE, port: 5060, text });
}

test('a turn and a snapshot of the longest messages stay within what a frame may be', (t) => {
  const bench = inStep();
  register(bench.a, 1000);
  register(bench.a, 1001);
  bench.settle();
  for (let i = 0; i < 300; i += 1) longInvite(bench.a, i);
  bench.a.turn(bench.now);
  t.is(bench.a.engine.view(false).calls, 300);
  const longest = Math.max(...bench.a.wire.map((w) => w.length));
  t.true(longest < LIMITS.groupBytes + 4 * LIMITS.sipBytes, `${longest}`);
  carry(bench.a, bench.b);
  bench.settle();
  t.true(bench.a.engine.standing.inStep);
  // and from nothing
  bench.a.give({ kind: 'link-down' });
  bench.b.disk = new Image();
  bench.b.restart(bench.now, 5);
  bench.settle();
  bench.followAll('b');
  bench.a.give({ kind: 'link-up' });
  bench.b.give({ kind: 'link-up' });
  let longestChunk = 0;
  for (let i = 0; i < 2000 && !bench.a.engine.standing.inStep; i += 1) {
    bench.a.turn(bench.now);
    longestChunk = Math.max(longestChunk, ...bench.a.wire.map((w) => w.length));
    carry(bench.a, bench.b);
    bench.b.turn(bench.now);
    carry(bench.b, bench.a);
  }
  t.true(bench.a.engine.standing.inStep);
  t.true(longestChunk < LIMITS.chunkBytes + 4 * LIMITS.sipBytes, `${longestChunk}`);
  t.deepEqual(bench.a.engine.view(true).tables, bench.b.engine.view(true).tables);
});

test('after a late moment the backup may stand only when it has all that was said without it', (t) => {
  const bench = inStep();
  bench.a.sent = [];
  register(bench.a, 1000);
  bench.a.turn(bench.now);
  for (let i = 0; i < 12; i += 1) {
    bench.now += 10;
    bench.a.give({ kind: 'tick' });
    bench.a.turn(bench.now);
  }
  t.is(bench.a.engine.gate, 'disk');
  t.is(bench.a.sent.length, 1, 'said on the word of the disk');
  const first = bench.a.wire;
  bench.a.wire = [];
  register(bench.a, 1001);
  bench.a.turn(bench.now);
  bench.a.turn(bench.now);
  t.is(bench.a.sent.length, 2);
  // only the first record reaches the backup; the second is young, but it was said
  for (const bytes of first) bench.b.give({ kind: 'link-data', bytes });
  bench.b.turn(bench.now);
  carry(bench.b, bench.a);
  register(bench.a, 1002);
  for (let i = 0; i < 4; i += 1) bench.a.turn(bench.now);
  t.is(bench.a.engine.view(false).mirror, 'feed-late');
  t.true(bench.a.engine.standing.peerStale);
  t.is(bench.a.sent.length, 2, 'from here on nothing is said that the backup does not have');
  carry(bench.a, bench.b);
  bench.settle();
  t.is(bench.a.engine.view(false).mirror, 'feed-live');
  t.is(bench.a.sent.length, 3);
});

test('boxes with different keys, or different settings, do not believe each other', (t) => {
  for (const [change, code] of [
    [{ key: new Uint8Array(32).fill(9) }, 'link-key'],
    [{ redundancy: 'warm-standby' as const }, 'link-config'],
  ] as const) {
    const bench = new Bench('hot-standby', change);
    bench.crown('a');
    bench.followAll('b');
    bench.connect();
    const said = [...bench.a.logs, ...bench.b.logs].filter((l) => l.includes(code));
    t.true(said.length > 0, code);
    t.false(bench.a.engine.standing.inStep);
    t.false(bench.b.engine.standing.inStep);
  }
});

test('an idle primary notices that its backup is silent', (t) => {
  const bench = new Bench();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  bench.advance(500);
  t.true(bench.a.engine.standing.inStep);
  bench.cut = true;
  bench.advance(600);
  t.false(bench.a.engine.standing.inStep);
  t.true(bench.a.disk.box?.peerStale);
});

test('a disk that fails does not end the service, alone or taking over', (t) => {
  const bench = new Bench();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  bench.b.diskWorks = false;
  bench.b.give({ kind: 'disk-fault', text: 'database or disk is full' });
  bench.a.restart(bench.now, 5);
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  bench.crown('b');
  t.is(bench.b.engine.role, 'primary');
  t.is(bench.b.engine.gate, 'open');
  bench.b.diskWorks = true;
  bench.settle();
  bench.advance(300);
  t.is(bench.b.engine.gate, 'disk');
});
