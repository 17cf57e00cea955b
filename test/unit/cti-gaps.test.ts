/** What programs miss while they are away: nothing is left out without a word. */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { CCALL, EVENT, HOUSE, MONITOR } from '../../src/call/csta/rows.ts';
import { SDP } from './call-lab.ts';
import { CLOSE, CtiLab, Program, phone, programConfig } from './cti-lab.ts';

/** A call from 1001 to 1002 that rings; `end` gives it up. */
function ringing(cti: CtiLab): { readonly end: () => void } {
  const alice = phone(cti, '1001', '192.0.2.1');
  const bob = phone(cti, '1002', '192.0.2.2');
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  alice.inbox();
  bob.reply(bob.take(), 180, 'bt');
  cti.settle();
  return {
    end: () => {
      alice.cancel(invite);
      for (const m of bob.inbox()) bob.reply(m, m.method === 'CANCEL' ? 200 : 487, 'bt');
      cti.settle();
      cti.pass(1000);
    },
  };
}

const names = (program: Program): string =>
  program
    .take()
    .map((e) => e.event)
    .join(' ');

const END = 'connectionCleared connectionCleared callCleared';

for (const away of ['connection', 'box', 'box, gate closed'] as const) {
  test(`the end of a call that is watched is told to who was away meanwhile: ${away}`, (t) => {
    const cti = new CtiLab();
    const desk = new Program(cti).start();
    const call = ringing(cti);
    const { result } = desk.ask('monitorStart', { callId: 1 });
    if (away === 'connection') desk.drop();
    else if (away === 'box') cti.swap(false);
    else cti.closedGate = true;
    call.end();
    if (away === 'box, gate closed') cti.swap(true);
    t.is(cti.lab.store.count(CCALL), 0);
    t.is(desk.resume(Number(result?.['position'])).error, undefined);
    t.is(names(desk), END);
    t.is(desk.ask('monitorStop', { monitor: 1 }).error?.data.code, 'invalidMonitor');
    desk.ask('ack', { upTo: Number.MAX_SAFE_INTEGER });
    t.is(cti.lab.store.count(MONITOR), 0, 'it has the end of the call');
  });
}

test('monitors of calls that are over go with their events, and make room for others', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const call = ringing(cti);
  desk.watch({ callId: 1 });
  for (let i = 1; i < LIMITS.ctiMonitors; i += 1) desk.send('monitorStart', { callId: 1 }, `m${i}`);
  t.is(desk.ask('monitorStart', { deviceId: '1' }).error?.data.code, 'limitReached');
  call.end();
  t.is(desk.ask('monitorStart', { deviceId: '1' }).error, undefined);
  t.is(cti.lab.store.count(MONITOR), LIMITS.ctiMonitors);
  cti.pass(LIMITS.eventKeepMs + 1000);
  t.is(cti.lab.store.count(MONITOR), 1);
});

test('who reads a gap more slowly than events are kept is told that they are lost', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  ringing(cti);
  desk.watch({ callId: 1 });
  const { hub } = cti;
  desk.drop();
  const other = new Program(cti).start();
  for (let i = 0; i < LIMITS.gapEvents + 10; i += 1) {
    other.ask('associateData', { callId: 1, attach: { n: `${i}` } });
    if (i % 50 === 49) other.ask('ack', { request: i });
  }
  // its connection has no room after the first part
  const conn = cti.connect(desk);
  desk.conn = conn;
  let parts = 0;
  hub.goOn = (at: number) => {
    parts += 1;
    if (parts === 1) Object.getPrototypeOf(hub).goOn.call(hub, at);
  };
  const credentials = { program: 'desk', password: 'secret', session: desk.session };
  const since = [...cti.lab.store.rows(EVENT)][0]?.id ?? 0;
  t.is(desk.ask('resumeSession', { ...credentials, since: since - 1 }).error, undefined);
  t.is(desk.events.length, LIMITS.gapEvents);
  cti.pass(LIMITS.eventKeepMs + 2000);
  t.true(([...cti.lab.store.rows(HOUSE)][0]?.gone ?? 0) > Number(desk.events.at(-1)?.id));
  Reflect.deleteProperty(hub, 'goOn');
  hub.goOn(conn);
  cti.settle();
  t.is(desk.closedBy, CLOSE.tooSlow);
  t.is(desk.resume().error?.data.code, 'eventsLost');
});

test('who waits for a session when what was said is lost is let go', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti);
  cti.closedGate = true;
  desk.send('startSession', { program: 'desk', password: 'secret' });
  cti.lab.programs.length = 0;
  cti.hub.lost();
  cti.closedGate = false;
  cti.settle();
  t.is(desk.closedBy, CLOSE.voiceLost);
});

test('a connection that takes a session and dies takes it from the one before, too', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const again = new Program(cti);
  cti.closedGate = true;
  const credentials = { program: 'desk', password: 'secret', session: desk.session };
  again.send('resumeSession', { ...credentials, since: 0 });
  again.drop();
  cti.closedGate = false;
  cti.settle();
  t.is(desk.closedBy, CLOSE.replaced);
  t.is(desk.resume(0).error, undefined);
  t.is(desk.ask('getDevices').error, undefined);
});

test('a router knows the monitor its events carry, which ends with the registration', (t) => {
  const cti = new CtiLab([programConfig('desk')], { points: { '5000': POINT } } as never);
  const desk = new Program(cti).start();
  const made = desk.ask('routeRegister', { deviceId: '5000' }).result as {
    registration: number;
    monitor: number;
  };
  t.deepEqual(desk.ask('routeRegister', { deviceId: '5000' }).result, made, 'it is the same');
  t.is(desk.ask('monitorStop', { monitor: made.monitor }).error?.data.code, 'invalidMonitor');
  const alice = phone(cti, '1001', '192.0.2.1');
  alice.send(alice.request('INVITE', 'sip:5000@192.0.2.10', { body: SDP('alice') }));
  cti.settle();
  const request = desk.take().find((e) => e.event === 'routeRequest');
  t.deepEqual(request?.monitors, [made.monitor]);
  t.is(desk.ask('routeRegisterCancel', { registration: made.registration }).error, undefined);
  const rows = [...cti.lab.store.rows(MONITOR)];
  t.false(rows.some((row) => row.id === made.monitor));
});

const POINT = {
  timeoutS: 10,
  defaults: [],
  hopLimit: 0,
  charge: 'answered',
  treatment: '',
  noAnswer: { afterS: 0, overflow: [], action: 'none' },
} as const;

test('user data of a waiting call has its limit for routers, too', (t) => {
  const cti = new CtiLab([programConfig('desk')], { points: { '5000': POINT } } as never);
  const desk = new Program(cti).start();
  desk.ask('routeRegister', { deviceId: '5000' });
  const alice = phone(cti, '1001', '192.0.2.1');
  phone(cti, '1002', '192.0.2.2');
  alice.send(alice.request('INVITE', 'sip:5000@192.0.2.10', { body: SDP('alice') }));
  cti.settle();
  const routeId = desk.take().find((e) => e.event === 'routeRequest')?.['routeId'];
  const long: { [name: string]: string } = {};
  for (let i = 0; i < 5; i += 1) long[`k${i}`] = 'x'.repeat(8000);
  const asked = { routeId, destination: '1002', userData: long };
  t.is(desk.ask('routeSelect', asked).error?.data.code, 'limitReached');
  t.is([...cti.lab.store.rows(CCALL)][0]?.data, '');
  t.is(desk.ask('routeSelect', { ...asked, userData: { a: 'b' } }).error, undefined);
});
