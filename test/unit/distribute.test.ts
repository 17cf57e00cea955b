/** Calls that wait at routing points and in queues: where they go, and what is told of that. */

import test from 'ava';
import {
  applyTreatment,
  routeEnd,
  routeRegister,
  routeReject,
  routersLeave,
  routeSelect,
} from '../../src/call/distribute/router.ts';
import { Centrum, login, point, queue } from './distribute-lab.ts';

const FOUR = { afterS: 4, overflow: [], action: 'none' } as const;

test('default routing at once, when nobody routes', (t) => {
  const c = new Centrum({ points: [point('5000', { defaults: ['1002'] })] });
  c.phone(1).call('5000');
  c.pass(500);
  t.true(c.phone(2).lift());
  c.pass(500);
  t.deepEqual(c.events, [
    'originated 1001 normal',
    'queued 5000 normal',
    'diverted 5000 redirected',
    'delivered 1002 normal',
    'established 1002 normal',
  ]);
  t.is(c.last('established')['lastRedirection'], '5000');
  t.deepEqual(c.end(), []);
});

test('defaults take turns over the calls, none twice for one; then the call is refused', (t) => {
  const c = new Centrum({ points: [point('5000', { defaults: ['1002', '1003', '1004'] })] });
  const first: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    c.phone(1).call('5000');
    c.pass(300);
    const rings = [2, 3, 4].find((n) => c.phone(n).lift(486)) ?? 0;
    first.push(`${rings}`);
    for (let more = 0; more < 2; more += 1) {
      c.pass(300);
      [2, 3, 4].map((n) => c.phone(n).lift(486));
    }
    c.pass(300);
  }
  t.deepEqual(first, ['2', '2', '2']);
  t.true(c.lab.told.some((line) => /5000 is refused: no default number/.test(line)));
  t.deepEqual(
    [2, 3, 4].map((n) => c.phone(n).talks.size),
    [3, 3, 3],
  );
  t.deepEqual(c.end(), []);
});

test('a loop of points ends: none twice, and a limit of hops', (t) => {
  const c = new Centrum({
    points: [point('5000', { defaults: ['5001'] }), point('5001', { defaults: ['5000'] })],
  });
  c.phone(1).call('5000');
  c.pass(500);
  t.deepEqual(c.events.slice(-2), [
    'connectionCleared 1001 destNotObtainable',
    'callCleared  destNotObtainable',
  ]);
  const long = [0, 1, 2, 3, 4, 5, 6].map((n) => point(`500${n}`, { defaults: [`500${n + 1}`] }));
  const d = new Centrum({ points: [...long, point('5007', { defaults: ['1002'] })] });
  d.phone(1).call('5000');
  d.pass(500);
  t.true(d.lab.told.some((line) => /4 redirections/.test(line)));
  t.is(d.phone(2).talks.size, 0);
  t.deepEqual([...c.end(), ...d.end()], []);
});

test('a router is asked, and says where the call goes', (t) => {
  const c = new Centrum({ points: [point('5000', { defaults: ['1003'], treatment: 'music' })] });
  c.as(1, (cx) => routeRegister(cx, { deviceId: '5000' }));
  c.phone(1).call('5000');
  c.pass(500);
  const routeId = c.last('routeRequest')['routeId'] as number;
  t.is(c.last('routeRequest')['calledDevice'], '5000');
  t.deepEqual(c.media.played, ['sip:annc@127.0.0.90;play=music;repeat=forever']);
  const userData = { skill: 'gold' };
  t.deepEqual(
    c.as(1, (cx) => routeSelect(cx, { routeId, destination: '1002', userData })),
    {},
  );
  c.pass(300);
  t.true(c.phone(2).lift());
  c.pass(1000);
  t.deepEqual(c.events, [
    'originated 1001 normal',
    'queued 5000 normal',
    'routeRequest 5000',
    'treatmentStarted 5000',
    'routeUsed 5000',
    'diverted 5000 redirected',
    'delivered 1002 normal',
    'established 1002 normal',
    'treatmentEnded 5000',
    'routeEnd 5000 redirected',
  ]);
  t.deepEqual(c.last('established')['userData'], userData);
  t.is(c.last('established')['lastRedirection'], '5000');
  t.is(c.phone(1).living().length, 1);
  t.regex(c.phone(1).living()[0]?.heard ?? '', /s=1002/);
  t.is(c.media.living().length, 0);
  t.deepEqual(c.end(), []);
});

test('a router that is silent is not waited for', (t) => {
  const c = new Centrum({ points: [point('5000', { defaults: ['1002'] })] });
  c.as(1, (cx) => routeRegister(cx, {}));
  c.phone(1).call('5000');
  c.pass(9000);
  t.is(c.phone(2).talks.size, 0);
  c.pass(1500);
  t.is(c.phone(2).talks.size, 1);
  t.deepEqual(c.end(), []);
});

test('a router whose session ends is replaced by the next', (t) => {
  const c = new Centrum({ points: [point('5000', { defaults: ['1002'] })] });
  c.program(2);
  c.as(1, (cx) => routeRegister(cx, { deviceId: '5000' }));
  c.as(2, (cx) => routeRegister(cx, { deviceId: '5000' }));
  c.phone(1).call('5000');
  c.pass(300);
  const { routeId } = c.last('routeRequest') as { routeId: number };
  const refused = c.as(2, (cx) => routeEnd(cx, { routeId }));
  t.is('refused' in refused ? refused.refused : '', 'privilegeViolation');
  c.as(0, (cx) => routersLeave(cx, 1));
  t.is(c.events.filter((e) => e.startsWith('routeRequest')).length, 2);
  t.deepEqual(
    c.as(2, (cx) => routeEnd(cx, { routeId })),
    {},
  );
  c.pass(300);
  t.is(c.phone(2).talks.size, 1);
  t.deepEqual(c.end(), []);
});

test('a destination that refuses is told to the router; a call can be rejected', (t) => {
  const c = new Centrum({ points: [point('5000')] });
  c.as(1, (cx) => routeRegister(cx, { deviceId: '5000' }));
  c.phone(1).call('5000');
  c.pass(300);
  const { routeId } = c.last('routeRequest') as { routeId: number };
  c.as(1, (cx) => routeSelect(cx, { routeId, destination: '1002' }));
  c.pass(300);
  c.phone(2).lift(486);
  c.pass(300);
  t.is(c.last('routeRequest')['failedRoute'], '1002');
  t.is(c.last('routeRequest')['failedStatus'], 486);
  t.deepEqual(
    c.as(1, (cx) => routeReject(cx, { routeId, cause: 'busy' })),
    {},
  );
  c.pass(300);
  t.true(
    c.phone(1).story.includes('486 INVITE 2') || c.phone(1).story.some((s) => s.startsWith('486')),
  );
  t.deepEqual(c.end(), []);
});

test('early media: each treatment is a dialog of its own, and nothing is answered', (t) => {
  const c = new Centrum({ points: [point('5000', { charge: 'early', treatment: 'welcome' })] });
  c.as(1, (cx) => routeRegister(cx, { deviceId: '5000' }));
  c.phone(1).call('5000');
  c.pass(300);
  const { routeId } = c.last('routeRequest') as { routeId: number };
  t.is(c.phone(1).early.length, 1);
  c.as(1, (cx) => applyTreatment(cx, { routeId, treatment: { kind: 'music' } }));
  c.pass(300);
  t.is(new Set(c.phone(1).early).size, 2);
  t.is(c.phone(1).living().length, 0);
  t.is(c.media.living().length, 1);
  c.as(1, (cx) => routeSelect(cx, { routeId, destination: '1002' }));
  c.pass(300);
  c.phone(2).lift();
  c.pass(1000);
  t.is(c.phone(1).living().length, 1);
  t.is(c.media.living().length, 0);
  t.deepEqual(c.end(), []);
});

test('a queue: the agent ready longest gets the call that waits longest', (t) => {
  const c = new Centrum({
    queues: [queue('6000', { treatment: 'music' })],
    agents: [login('a3'), login('a4')],
  });
  c.on(4);
  c.pass(100);
  c.on(3);
  c.phone(1).call('6000');
  c.pass(300);
  t.true(c.phone(4).lift());
  c.phone(2).call('6000');
  c.pass(300);
  t.true(c.phone(3).lift());
  c.phone(5).call('6000');
  c.pass(1000);
  t.deepEqual(c.waiting('6000'), ['1005']);
  t.is(c.media.living().length, 1);
  c.phone(4).hangUp();
  c.pass(500);
  t.true(c.phone(4).lift());
  c.pass(1000);
  t.regex(c.phone(5).living()[0]?.heard ?? '', /s=1004/);
  t.deepEqual(c.waiting('6000'), []);
  t.is(c.media.living().length, 0);
  t.is(c.last('established')['lastRedirection'], '6000');
  t.deepEqual(c.end(), []);
});

test('no answer: the agent is dealt with, the call keeps its place', (t) => {
  const c = new Centrum({
    queues: [queue('6000', { noAnswer: FOUR })],
    agents: [login('a3', { noAnswer: { ...FOUR, action: 'not-ready' } }), login('a4')],
  });
  c.on(3);
  c.on(4);
  c.phone(1).call('6000');
  c.pass(1000);
  t.is(c.phone(3).talks.size, 1);
  c.pass(4000);
  t.is(c.phone(4).talks.size, 1);
  t.true(c.events.includes('agentNotReady 1003'));
  c.pass(4500);
  t.deepEqual(c.waiting('6000'), ['1001']);
  c.pass(6000);
  t.true(c.phone(4).lift());
  c.pass(500);
  t.is(c.phone(1).living().length, 1);
  t.deepEqual(c.end(), []);
});

test('nobody logged in, full, too long: overflow', (t) => {
  const c = new Centrum({
    queues: [queue('6000', { overflow: ['1002'], maxCalls: 1, maxWaitS: 20 })],
    agents: [login('a3')],
  });
  c.phone(1).call('6000');
  c.pass(300);
  t.true(c.phone(2).lift());
  c.pass(300);
  c.phone(1).hangUp();
  c.pass(300);
  c.on(3);
  c.phone(3).call('1005');
  c.pass(300);
  c.phone(5).lift();
  c.pass(300);
  c.phone(1).call('6000');
  c.pass(300);
  t.deepEqual(c.waiting('6000'), ['1001']);
  c.phone(4).call('6000');
  c.pass(300);
  t.true(c.phone(2).lift());
  c.pass(300);
  c.phone(4).hangUp();
  c.pass(20_000);
  t.true(c.phone(2).lift());
  c.pass(300);
  t.regex(c.phone(1).living()[0]?.heard ?? '', /s=1002/);
  t.deepEqual(c.end(), []);
});
