/**
 * Warm standby: registrations are mirrored, calls are a box's own; nothing waits. After a switchover
 * phones are still registered, and requests of calls that were are answered 481.
 */

import test from 'ava';
import { Bench, type Hand } from './engine-pair.ts';
import { invite, PHONE, register, statuses } from './phone-words.ts';

function pair(): Bench {
  const bench = new Bench('warm-standby');
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  register(bench.a, 1000);
  register(bench.a, 1001);
  bench.advance(300);
  bench.a.sent = [];
  return bench;
}

/** A request inside a dialog that some primary once gave out. */
function inside(hand: Hand, method: string, n: number, callId: string, tag: string): void {
  const text =
    `${method} sip:192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP ${PHONE}:5060;branch=z9hG4bK-i${n}\r\n` +
    `From: <sip:1000@192.0.2.10>;tag=g1\r\nTo: <sip:1001@192.0.2.10>;tag=${tag}\r\n` +
    `Call-ID: ${callId}\r\nCSeq: ${10 + n} ${method}\r\nContact: <sip:1000@${PHONE}:5060>\r\n` +
    'Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n';
  hand.give({ kind: 'sip', transport: 'udp', ip: PHONE, port: 5060, text });
}

/** A call that stands: the callee answers what it was sent. @returns the tag the caller got. */
function call(bench: Bench, hand: Hand, n: number): string {
  invite(hand, 1000, 1001, n);
  bench.settle();
  const sent = hand.sent.findLast((d) => d.text.startsWith('INVITE '))?.text ?? '';
  const head = (name: string): string => new RegExp(`^${name}: .*$`, 'm').exec(sent)?.[0] ?? '';
  const text =
    `SIP/2.0 200 OK\r\n${head('Via')}\r\n${head('From')}\r\n${head('To')};tag=callee${n}\r\n` +
    `${head('Call-ID')}\r\n${head('CSeq')}\r\nContact: <sip:1001@${PHONE}:5060>\r\n` +
    'Content-Length: 0\r\n\r\n';
  hand.give({
    kind: 'sip',
    transport: 'udp',
    ip: PHONE,
    port: 5060,
    text: text.replace(/\r\r/g, '\r'),
  });
  bench.settle();
  const ok = hand.sent.findLast((d) => /^SIP\/2\.0 200 [\s\S]*CSeq: 1 INVITE/.test(d.text));
  return /^To: .*;tag=([^\s;]+)/m.exec(ok?.text ?? '')?.[1] ?? '';
}

test('calls make no record, go to no peer and to no disk; registrations do', (t) => {
  const bench = pair();
  const { lsn } = bench.a.engine.ledger;
  const tag = call(bench, bench.a, 1);
  t.not(tag, '');
  bench.advance(500);
  t.is(bench.a.engine.view(false).established, 1);
  t.is(bench.a.engine.ledger.lsn, lsn);
  t.is(bench.b.engine.view(false).calls, 0);
  t.deepEqual([...bench.a.disk.tables.keys()], [1]);
  register(bench.a, 1002);
  bench.advance(500);
  t.is(bench.a.engine.ledger.lsn, lsn + 1);
  t.is(bench.b.engine.view(false).registrations, 3);
  t.true(bench.a.engine.standing.inStep && bench.b.engine.standing.inStep);
  t.is(bench.b.engine.ledger.chain, bench.a.engine.ledger.chain);
  // compared for a while: what is not mirrored is not missed
  for (let i = 0; i < 10; i += 1) bench.advance(500);
  t.is(bench.a.engine.view(false).drifts, 0);
});

test('nothing waits: not for a peer that acknowledges nothing, not for a disk that stands still', (t) => {
  const bench = pair();
  bench.cut = true;
  bench.a.diskWorks = false;
  register(bench.a, 1003);
  bench.a.turn(bench.now);
  t.deepEqual(statuses(bench.a), ['200']);
  bench.advance(200);
  t.is(bench.a.engine.view(false).lateTimes, 0);
  t.is(bench.a.engine.gate, 'open');
});

test('after a switchover: registrations kept, old dialogs 481, new calls work', (t) => {
  const bench = pair();
  const tag = call(bench, bench.a, 1);
  bench.cut = true;
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  bench.crown('b');
  bench.b.sent = [];
  t.is(bench.b.engine.view(false).registrations, 2);
  for (const [i, method] of ['INVITE', 'BYE', 'UPDATE', 'INFO'].entries()) {
    inside(bench.b, method, i, 'c-1', tag);
    bench.settle();
  }
  t.deepEqual(statuses(bench.b), ['481', '481', '481', '481']);
  bench.b.sent = [];
  t.not(call(bench, bench.b, 2), '');
  t.is(bench.b.engine.view(false).established, 1);
  // the old primary returns: it follows, with registrations only
  bench.a.restart(bench.now, 5);
  bench.cut = false;
  bench.settle();
  bench.followAll('a');
  bench.connect();
  bench.advance(300);
  t.true(bench.b.engine.standing.inStep);
  t.is(bench.a.engine.view(false).calls, 0);
  t.is(bench.a.engine.view(false).registrations, 2);
  t.is(bench.b.engine.view(false).established, 1, 'and its calls go on');
});

test('a planned switchover: the same', (t) => {
  const bench = pair();
  const tag = call(bench, bench.a, 1);
  bench.a.give({ kind: 'order', order: { kind: 'resign' } });
  bench.settle();
  bench.a.give({ kind: 'order', order: { kind: 'hand-over' } });
  bench.settle();
  t.is(bench.b.reports.at(-1)?.kind, 'goodbye');
  bench.crown('b', 'switchover');
  bench.followAll('a');
  inside(bench.b, 'BYE', 1, 'c-1', tag);
  bench.settle();
  t.is(statuses(bench.b).at(-1), '481');
  bench.advance(300);
  t.true(bench.b.engine.standing.inStep);
  // and back: what the old primary still remembered of its calls is forgotten when it leads again
  bench.b.give({ kind: 'link-down' });
  bench.a.give({ kind: 'link-down' });
  bench.settle();
  bench.crown('a');
  t.is(bench.a.engine.view(false).calls, 0);
  t.is(bench.a.engine.view(false).registrations, 2);
});

test('a snapshot brings registrations only, while calls go on', (t) => {
  const bench = pair();
  for (let n = 1; n <= 5; n += 1) call(bench, bench.a, n);
  bench.a.give({ kind: 'order', order: { kind: 'resync' } });
  bench.settle();
  bench.connect();
  bench.advance(300);
  t.true(bench.a.engine.standing.inStep);
  t.is(bench.a.engine.view(false).resyncs, 1);
  t.is(bench.a.engine.view(false).established, 5);
  t.is(bench.b.engine.view(false).registrations, 2);
  t.is(bench.b.engine.view(false).calls, 0);
});

test('switched from hot to warm: what the disk still has of calls goes', (t) => {
  const bench = new Bench();
  bench.settle();
  bench.crown('a');
  register(bench.a, 1000);
  register(bench.a, 1001);
  bench.settle();
  t.not(call(bench, bench.a, 1), '');
  bench.advance(300);
  t.true((bench.a.disk.tables.get(2)?.size ?? 0) > 0);
  const warm = new Bench('warm-standby');
  warm.a.disk = bench.a.disk;
  warm.a.restart(warm.now, 3);
  warm.settle();
  warm.crown('a');
  warm.advance(300);
  t.is(warm.a.engine.view(false).registrations, 2);
  t.is(warm.a.engine.view(false).calls, 0);
  t.is(warm.a.disk.tables.get(2)?.size ?? 0, 0);
});
