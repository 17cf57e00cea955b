/** What the wallboard makes of snapshots and events. */

import test from 'ava';
import { Board, clock } from '../../src/edge/web/board.ts';

const S = 1_000_000;

function party(deviceId: string, state: string) {
  return { deviceId, state, side: 'called' };
}

function board(): Board {
  const b = new Board();
  b.takeDevices({ queues: ['6000', '6001'] });
  return b;
}

test('a call waits, is taken, and ends', (t) => {
  const b = board();
  const about = { callId: 7, kind: 'inbound', callingDevice: '030', calledDevice: '6000' };
  const waits = [party('030', 'connected'), party('6000', 'queued')];
  t.true(b.event({ ...about, event: 'queued', time: 10 * S, parties: waits }));
  const [line] = b.queueLines(false);
  t.like(line, { deviceId: '6000', waiting: 1, longestSince: 10 * S });
  // what is not new does not begin anew
  b.event({ ...about, event: 'callInformation', time: 15 * S, parties: waits });
  t.is(b.queueLines(false)[0]?.longestSince, 10 * S);
  const talks = [party('030', 'connected'), party('1001', 'connected')];
  b.event({ ...about, event: 'established', time: 20 * S, parties: talks });
  t.deepEqual(b.queueLines(false), []);
  t.deepEqual(
    b.callLines().map((c) => [c.startedAt, c.parties.map((p) => p.deviceId)]),
    [[10 * S, ['030', '1001']]],
  );
  t.true(b.event({ event: 'callCleared', time: 30 * S, callId: 7 }));
  t.deepEqual(b.callLines(), []);
});

test('two calls become one', (t) => {
  const b = board();
  for (const callId of [7, 8]) {
    b.event({ event: 'originated', time: S, callId, parties: [party('1000', 'connected')] });
  }
  const parties = [party('1000', 'connected'), party('1002', 'connected')];
  b.event({ event: 'transferred', time: S, callId: 7, secondaryOldCall: 8, parties });
  t.deepEqual(
    b.callLines().map((c) => c.callId),
    [7],
  );
});

test('agents count for every queue they serve, in the state they are in', (t) => {
  const b = board();
  const one = { agentId: 'a1', deviceId: '1001', queues: ['6000', '6001'] };
  b.takeAgents({ agents: [{ ...one, state: 'ready', since: 5 * S }] });
  t.deepEqual(
    b.queueLines(false).map((q) => [q.deviceId, q.agents.ready]),
    [
      ['6000', 1],
      ['6001', 1],
    ],
  );
  b.event({ event: 'agentBusy', time: 9 * S, ...one, state: 'busy' });
  t.like(b.queueLines(false)[0]?.agents, { ready: 0, busy: 1 });
  t.like(b.agentLines()[0], { since: 9 * S, state: 'busy' });
  t.true(b.event({ event: 'agentLoggedOff', time: 9 * S, agentId: 'a1' }));
  t.deepEqual(b.queueLines(false), []);
  t.is(b.queueLines(true).length, 2);
});

test('snapshots are what there was before', (t) => {
  const b = board();
  const connection = { callId: 9, deviceId: '6001' };
  const connections = [{ connection, localState: 'queued', side: 'called', since: 3 * S }];
  b.takeCalls({ calls: [{ callId: 9, callingDevice: '1000', startedAt: 2 * S, connections }] });
  b.takeQueues({ queues: [{ deviceId: '6001', name: 'sales' }] });
  t.like(b.queueLines(false)[0], { name: 'sales', waiting: 1, longestSince: 3 * S });
  t.is(b.callLines()[0]?.startedAt, 2 * S);
});

test('what means nothing here changes nothing', (t) => {
  const b = board();
  for (const e of [
    {},
    { event: 'routeUsed', callId: 7 },
    { event: 'doNotDisturb', deviceId: 'x' },
  ]) {
    t.false(b.event(e), JSON.stringify(e));
  }
  b.event({
    event: 'queued',
    callId: 1,
    time: 'x',
    parties: [null, { deviceId: 5, state: 'odd' }],
  });
  t.is(b.callLines().length, 1);
});

test('seconds as a clock', (t) => {
  t.deepEqual([-1, 0, 59.9, 61, 3600, 86_399].map(clock), [
    '0:00',
    '0:00',
    '0:59',
    '1:01',
    '1:00:00',
    '23:59:59',
  ]);
});
