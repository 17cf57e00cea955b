/** The record of a call, and how long it is kept; what a program is shown that begins to watch. */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { CDR, logTo } from '../../src/call/csta/cdr.ts';
import { publish } from '../../src/call/csta/publish.ts';
import { CCALL, type Ccall } from '../../src/call/csta/rows.ts';
import { callSnapshot, deviceSnapshot } from '../../src/call/csta/snapshot.ts';
import { type Lab, talking } from './call-lab.ts';

type Talk = ReturnType<typeof talking>;

function end({ alice, bob, invite, ok }: Talk): void {
  alice.send(alice.inDialog('BYE', invite, ok));
  bob.reply(bob.take(), 200, 'bt');
  alice.inbox();
}

const sole = (lab: Lab): Ccall => [...lab.store.rows(CCALL)][0] as Ccall;
const cdrs = (lab: Lab) => [...lab.store.rows(CDR)].map((row) => JSON.parse(row.line));

test('what others add to it stands in it in the order in which it was added, over takeovers', (t) => {
  const s = talking();
  const { lab } = s;
  const add = (n: number): void => {
    logTo(lab.cx, sole(lab), { what: 'queue', queue: '6001', waitedMs: n, at: lab.now });
    publish(lab.cx);
  };
  add(1);
  lab.swap(true);
  add(2);
  lab.swap(false);
  add(3);
  lab.pass(61_000);
  end(s);
  const [cdr] = cdrs(lab);
  const said = cdr.log.map((p: { what: string; waitedMs?: number }) => p.waitedMs ?? p.what);
  t.deepEqual(said, [1, 2, 3, 'device', 'device']);
  t.is(cdr.end - cdr.answer, 61_000);
  t.is(cdrs(lab).length, 1);
});

test('a call that goes round for hours tells its beginning', (t) => {
  const s = talking();
  const { lab } = s;
  for (let i = 0; i < 1000; i += 1) {
    logTo(lab.cx, sole(lab), { what: 'agent', agent: 'x'.repeat(100), n: i });
    publish(lab.cx);
  }
  t.true(sole(lab).log.length < LIMITS.cdrLogBytes + 1000);
  end(s);
  t.is(cdrs(lab)[0].log[0].n, 0);
});

test('kept for an hour, and so many of them', (t) => {
  const first = talking();
  const { lab } = first;
  end(first);
  t.is(cdrs(lab).length, 1);
  lab.pass(LIMITS.cdrKeepMs + 1000);
  t.is(cdrs(lab).length, 0);
  const s = talking();
  const rows = LIMITS.cdrRows;
  for (let i = 0; i < rows; i += 1) s.lab.store.insert(CDR, { guid: `${i}`, expiresAt: 1e12 });
  end(s);
  t.is(s.lab.store.count(CDR), rows);
  t.is(s.lab.store.get(CDR, 1), undefined, 'the oldest made room');
});

test('user data is told as it is, and what is not ASCII is written so that it is', (t) => {
  const s = talking();
  s.lab.store.patch(CCALL, sole(s.lab), { data: '{"name":"J\\u00fcrgen"}' });
  end(s);
  t.deepEqual(cdrs(s.lab)[0].userData, { name: 'Jürgen' });
});

test('snapshots: a call with its connections; a device with its calls, an idle one without', (t) => {
  const { lab } = talking();
  lab.pass(5000);
  const ccall = sole(lab);
  const call = callSnapshot(lab.cx, ccall);
  t.like(call, {
    callId: ccall.id,
    globalCallId: ccall.guid,
    kind: 'internal',
    callingDevice: '1001',
    calledDevice: '1002',
    answeredAt: 1_000_000_000,
  });
  const connection = (deviceId: string, side: string): object => ({
    connection: { callId: ccall.id, deviceId },
    localState: 'connected',
    side,
    since: 1_000_000_000,
  });
  const both = [connection('1001', 'calling'), connection('1002', 'called')];
  t.deepEqual(call['connections'], both);
  const device = deviceSnapshot(lab.cx, '1002');
  t.like((device['connections'] as object[])[0], both[1] as object);
  t.deepEqual(deviceSnapshot(lab.cx, '1003'), { deviceId: '1003', connections: [] });
});
