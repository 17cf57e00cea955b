/** Calls that wait: the table, digits, charge, services that fail, lists, third parties, order. */

import test from 'ava';
import { setAgentState } from '../../src/call/agent/commands.ts';
import { clearConnection } from '../../src/call/control/clear.ts';
import { deflectCall } from '../../src/call/control/transfer.ts';
import { MONITOR, PARTY, type Party, SESSION } from '../../src/call/csta/rows.ts';
import { takeWaiting } from '../../src/call/distribute/arrive.ts';
import { DISTRIBUTION_MACHINE, type DistributionEvent } from '../../src/call/distribute/machine.ts';
import { snapshotQueues } from '../../src/call/distribute/queues.ts';
import { applyTreatment, routeRegister, routeSelect } from '../../src/call/distribute/router.ts';
import { DISTRIBUTION } from '../../src/call/distribute/rows.ts';
import { command, sessionOver } from '../../src/cti/commands.ts';
import { line, Peer, SDP } from './call-lab.ts';
import { Centrum, login, point, queue } from './distribute-lab.ts';

const EVENTS: readonly DistributionEvent[] = [
  'arrive',
  'instruct',
  'reject',
  'assign',
  'late',
  'orphan',
  'rings',
  'joins',
  'refuse',
  'silence',
  'retry',
  'abandon',
  'taken',
];

test('the machine is total, and every call that is given up is closed', (t) => {
  for (const [state, row] of Object.entries(DISTRIBUTION_MACHINE)) {
    t.deepEqual(Object.keys(row).sort(), [...EVENTS].sort(), state);
    for (const event of ['abandon', 'taken'] as const) {
      t.is(row[event].act.at(-1), 'close', `${state} ${event}`);
    }
    // whoever was called and is not wanted is withdrawn before anybody else is called
    const { instruct } = row;
    if (state === 'offering') t.is(instruct.act[0], 'withdraw');
  }
});

function parked(more: Parameters<typeof point>[1] = {}) {
  const c = new Centrum({ points: [point('5000', more)] });
  c.as(1, (cx) => routeRegister(cx, { deviceId: '5000' }));
  c.phone(1).call('5000');
  c.pass(300);
  const routeId = c.last('routeRequest')['routeId'] as number;
  const press = (key: string, stamp = 0): void => {
    const talk = c.media.living().at(-1);
    if (talk === undefined) throw new Error('no media leg');
    const body = `Signal=${key}\r\nDuration=160\r\n${stamp > 0 ? `Stamp=${stamp}\r\n` : ''}`;
    c.media.ask(talk, 'INFO', 'Content-Type: application/dtmf-relay\r\n', body);
    c.pass(100);
  };
  return { c, routeId, press };
}

const collecting = { kind: 'collect', prompt: 'menu', digits: 4, interDigitS: 3 } as const;

test('digits: enough, a terminator, too late; one told twice is one', (t) => {
  const { c, routeId, press } = parked();
  const ask = (more = {}) => {
    c.as(1, (cx) => applyTreatment(cx, { routeId, treatment: { ...collecting, ...more } }));
    c.pass(1000);
  };
  ask();
  for (const [i, key] of ['1', '2', '2', '3', '4'].entries())
    press(key, i < 2 ? 10 + i : i === 2 ? 11 : 20 + i);
  t.like(c.last('digitsGenerated'), { digits: '1234', end: 'enough', enough: true, routeId });
  ask({ leastDigits: 2 });
  press('7');
  press('#');
  t.like(c.last('digitsGenerated'), { digits: '7', end: 'terminator', enough: false });
  ask();
  press('9');
  c.lab.swap(true);
  c.pass(2000);
  t.is(c.last('digitsGenerated')['digits'], '7');
  c.pass(1500);
  t.like(c.last('digitsGenerated'), { digits: '9', end: 'timeout' });
  ask({ totalS: 5 });
  c.pass(5000);
  t.like(c.last('digitsGenerated'), { digits: '', end: 'timeout' });
  t.deepEqual(c.end(), []);
});

test('the end of a prompt is told; its leg stays for digits', (t) => {
  const { c, routeId, press } = parked();
  const treatment = { ...collecting, totalS: 100 };
  c.as(1, (cx) => applyTreatment(cx, { routeId, treatment }));
  c.pass(1000);
  const talk = c.media.living()[0];
  if (talk === undefined) throw new Error('nobody plays');
  const json = 'Content-Type: application/sipair-media+json\r\n';
  c.media.ask(talk, 'INFO', json, '{"event": "end"}');
  c.pass(100);
  t.true(c.events.includes('treatmentEnded 5000'));
  press('5');
  c.pass(3500);
  t.like(c.last('digitsGenerated'), { digits: '5', end: 'timeout' });
  t.deepEqual(c.end(), []);
});

test('a service that hangs up leaves the caller waiting', (t) => {
  const { c, routeId } = parked({ treatment: 'music' });
  const talk = c.media.living()[0];
  if (talk === undefined) throw new Error('nobody plays');
  c.media.bye(talk);
  c.pass(500);
  t.true(c.events.includes('treatmentEnded 5000'));
  t.is(c.phone(1).living().length, 1);
  c.as(1, (cx) => applyTreatment(cx, { routeId, treatment: { kind: 'prompt', prompt: 'sorry' } }));
  c.pass(1000);
  t.is(c.media.living().length, 1);
  c.as(1, (cx) => routeSelect(cx, { routeId, destination: '1002' }));
  c.pass(500);
  c.phone(2).lift();
  c.pass(1000);
  t.regex(c.phone(1).living()[0]?.heard ?? '', /s=1002/);
  t.deepEqual(c.end(), []);
});

test('without a media service a caller hears ringing', (t) => {
  const c = new Centrum({ points: [point('5000', { treatment: 'music' })] });
  c.as(1, (cx) => routeRegister(cx, {}));
  c.media.mute = true;
  c.phone(1).call('5000');
  c.pass(300);
  c.media.lift(503);
  c.pass(300);
  t.true(c.phone(1).story.some((s) => s.startsWith('180')));
  t.true(c.lab.told.some((s) => s.includes('refused a call of 5000')));
  t.deepEqual(c.waiting('5000'), ['1001']);
  t.deepEqual(c.end(), []);
});

test('an INVITE without an offer, and one that must be reliable, wait with ringing', (t) => {
  for (const how of ['offerless', 'reliable'] as const) {
    const c = new Centrum({ points: [point('5000', { treatment: 'music', charge: 'early' })] });
    c.as(1, (cx) => routeRegister(cx, {}));
    const eve = new Peer(c.lab, '1005', '192.0.2.5');
    const extra = how === 'reliable' ? 'Require: 100rel\r\n' : '';
    const body = how === 'reliable' ? SDP('eve') : '';
    const invite = eve.request('INVITE', 'sip:5000@192.0.2.10', { body, extra });
    eve.send(invite);
    const heard = eve.inbox();
    t.deepEqual(heard.map(line), ['100 INVITE', '180 INVITE'], how);
    eve.cancel(invite);
    t.true(eve.inbox().some((m) => m.status === 487));
    t.is(c.lab.cx.store.count(DISTRIBUTION), 0);
  }
});

test('overflow of no answer: a number, then back to the queue in the old place', (t) => {
  const noAnswer = { afterS: 2, overflow: ['1002', 'recall'], action: 'none' } as const;
  const c = new Centrum({ queues: [queue('6000', { noAnswer })], agents: [login('a3')] });
  c.on(3);
  c.phone(1).call('6000');
  c.pass(300);
  c.phone(5).call('6000');
  c.pass(2200);
  t.is(c.phone(2).talks.size, 1);
  c.pass(2200);
  t.deepEqual(c.waiting('6000'), ['1001', '1005']);
  const released = new Centrum({
    queues: [queue('6000', { noAnswer: { ...noAnswer, overflow: ['release'] } })],
    agents: [login('a3')],
  });
  released.on(3);
  released.phone(1).call('6000');
  released.pass(3000);
  t.deepEqual(released.waiting('6000'), []);
  t.true(released.events.includes('connectionCleared 1001 noAnswer'));
  t.deepEqual([...c.end(), ...released.end()], []);
});

test('an agent who is logged out because he does not answer', (t) => {
  const noAnswer = { afterS: 2, overflow: [], action: 'log-out' } as const;
  const c = new Centrum({
    queues: [queue('6000', { noAnswer, overflow: ['1002'] })],
    agents: [login('a3')],
  });
  c.on(3);
  c.phone(1).call('6000');
  c.pass(2500);
  t.true(c.events.includes('agentLoggedOff 1003'));
  t.true(c.phone(2).lift());
  c.pass(300);
  t.is(c.phone(1).living().length, 1);
  t.deepEqual(c.end(), []);
});

const at = (c: Centrum, deviceId: string) => ({ callId: partyAt(c, deviceId).ccall, deviceId });

function partyAt(c: Centrum, device: string): Party {
  const party = [...c.lab.cx.store.rows(PARTY)].find((p) => p.device === device && p.leg === 0);
  if (party === undefined) throw new Error(`nobody waits at ${device}`);
  return party;
}

test('a program deflects a waiting call, or clears it, or takes it', (t) => {
  for (const treatment of ['', 'music']) {
    const { c } = parked({ treatment });
    t.deepEqual(
      c.as(1, (cx) => deflectCall(cx, { connection: at(c, '5000'), newDestination: '1003' })),
      {},
    );
    c.pass(300);
    t.true(c.phone(3).lift());
    c.pass(1000);
    t.is(c.phone(1).living().length, 1);
    const cleared = parked({ treatment }).c;
    t.deepEqual(
      cleared.as(1, (cx) => clearConnection(cx, { connection: at(cleared, '5000') })),
      {},
    );
    cleared.pass(500);
    t.is(cleared.phone(1).living().length, 0);
    const taken = parked({ treatment }).c;
    taken.as(1, (cx) => takeWaiting(cx, partyAt(taken, '5000'), 'callPickup'));
    t.true(taken.events.includes('diverted 5000 callPickup'));
    t.is(taken.lab.cx.store.count(DISTRIBUTION), 0);
    t.deepEqual([...c.end(), ...cleared.end()], []);
  }
});

test('a caller is told each minute that it goes on', (t) => {
  const { c } = parked({ timeoutS: 600 });
  const told = () => c.phone(1).story.filter((s) => s.startsWith('180')).length;
  const before = told();
  c.pass(125_000);
  t.is(told(), before + 2);
  t.deepEqual(c.end(), []);
});

test('200 waiting calls keep order and waiting time over a switchover', (t) => {
  const c = new Centrum({
    queues: [queue('6000', { treatment: 'music' })],
    agents: [login('a3')],
  });
  c.on(3);
  c.phone(3).call('1002');
  c.pass(300);
  c.phone(2).lift();
  c.pass(300);
  c.phone(1).call('6000');
  c.pass(500);
  const callers = Array.from({ length: 199 }, (_, i) => {
    const peer = new Peer(c.lab, `${1100 + i}`, '192.0.2.77', 10_000 + i);
    peer.send(peer.request('INVITE', 'sip:6000@192.0.2.10', { body: SDP(peer.user) }));
    c.lab.pass(20);
    c.media.act();
    return peer;
  });
  c.pass(1000);
  const order = c.waiting('6000');
  t.is(order.length, 200);
  t.deepEqual(order, ['1001', ...callers.map((p) => p.user)]);
  const since = () => [...c.lab.cx.store.rows(DISTRIBUTION)].map((d) => d.since);
  const before = since();
  c.lab.swap(true);
  c.pass(500);
  t.deepEqual(c.waiting('6000'), order);
  t.deepEqual(since(), before);
  c.phone(2).hangUp();
  c.pass(300);
  const rings = [...c.lab.cx.store.rows(DISTRIBUTION)].filter((d) => d.state === 'offering');
  t.deepEqual(
    rings.map((d) => d.since),
    [before[0]],
  );
  t.true(c.phone(3).lift());
  c.pass(1000);
  t.deepEqual(c.waiting('6000'), order.slice(1));
});

test('a route request is for the router alone; a session that ends takes its registration along', (t) => {
  const c = new Centrum({ points: [point('5000', { defaults: ['1002'] })] });
  c.program(2);
  const ask = (session: number, method: string, params: object) =>
    c.as(session, (cx) => {
      const row = cx.store.get(SESSION, session);
      if (row === undefined) throw new Error('no such session');
      return command(cx, method, params, row);
    });
  const { registration } = ask(1, 'routeRegister', { deviceId: '5000' }) as {
    registration: number;
  };
  t.like(ask(1, 'routeRegister', { deviceId: '6000' }), { refused: 'invalidDeviceId' });
  t.like(ask(2, 'routeRegisterCancel', { registration }), { refused: 'invalidRouteId' });
  c.phone(1).call('5000');
  c.pass(300);
  const heads = c.lab.programs.map((text) => JSON.parse(text.slice(0, text.indexOf('\n'))));
  const asked = heads.filter((head) => head.event === 'routeRequest');
  t.deepEqual(
    asked.map((head) => head.devices),
    [[`route:${registration}`]],
  );
  c.as(0, (cx) => sessionOver(cx, 1));
  t.is([...c.lab.cx.store.rows(MONITOR)].filter((m) => m.subject.startsWith('route:')).length, 0);
  c.pass(300);
  // nobody is left to be asked
  t.is(c.phone(2).talks.size, 1);
  t.deepEqual(c.end(), []);
});

test('queues as programs look at them', (t) => {
  const c = new Centrum({ queues: [queue('6000')], agents: [login('a3'), login('a4')] });
  c.on(3);
  c.phone(1).call('6000');
  c.pass(100);
  c.phone(2).call('6000');
  c.pass(100);
  t.like(
    c.as(1, (cx) => snapshotQueues(cx, { queue: '6001' })),
    { refused: 'invalidDeviceId' },
  );
  const { queues } = c.as(1, (cx) => snapshotQueues(cx, {})) as unknown as {
    queues: { calls: { callingDevice: string; state: string; offeredTo?: string }[] }[];
  };
  t.like(queues[0], { deviceId: '6000', agentsLoggedOn: 1, agentsReady: 0 });
  t.deepEqual(
    queues[0]?.calls.map((x) => `${x.callingDevice} ${x.state} ${x.offeredTo ?? ''}`),
    ['1001 offered 1003', '1002 queued '],
  );
  t.deepEqual(c.end(), []);
});

test('the last agent leaves: who waits overflows, where there is a place for it', (t) => {
  for (const overflow of [['1002'], []]) {
    const c = new Centrum({ queues: [queue('6000', { overflow })], agents: [login('a3')] });
    c.on(3);
    c.phone(3).call('1005');
    c.pass(300);
    c.phone(5).lift();
    c.pass(300);
    c.phone(1).call('6000');
    c.pass(300);
    c.as(1, (cx) => setAgentState(cx, { agentId: 'a3', requestedState: 'loggedOff' }));
    c.pass(300);
    t.is(c.phone(2).talks.size, overflow.length);
    t.deepEqual(c.waiting('6000'), ['1001']);
    t.deepEqual(c.end(), []);
  }
});
