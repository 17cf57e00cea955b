/** Programs and what is promised to them: once, in order, nothing lost (CALLS, "Programs (CTI)"). */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { CCALL, EVENT, HOUSE, MONITOR, REQUEST, SESSION } from '../../src/call/csta/rows.ts';
import { readFrame } from '../../src/cti/door.ts';
import { mayDo } from '../../src/cti/request.ts';
import { SERVICES, type Service, serviceOf } from '../../src/cti/services.ts';
import type { ProgramRole } from '../../src/proto/centre.ts';
import { SDP } from './call-lab.ts';
import { CLOSE, CtiLab, Program, phone, programConfig, type Told } from './cti-lab.ts';

const KEPT = [SESSION, MONITOR, REQUEST, EVENT, HOUSE];

function kept(cti: CtiLab): number {
  return KEPT.reduce((n, table) => n + cti.lab.store.count(table as never), 0);
}

/** Two phones and a call in single steps; each leaves the world settled. */
function story(cti: CtiLab): readonly (() => void)[] {
  const alice = phone(cti, '1001', '192.0.2.1');
  const bob = phone(cti, '1002', '192.0.2.2');
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  let toBob: ReturnType<typeof bob.take>;
  let ok: ReturnType<typeof bob.take>;
  const steps = [
    () => {
      alice.send(invite);
      alice.inbox();
      toBob = bob.take();
    },
    () => bob.reply(toBob, 180, 'bt'),
    () => {
      bob.reply(toBob, 200, 'bt', SDP('bob'));
      ok = alice.inbox().at(-1) as typeof ok;
      alice.ack(invite, ok);
      bob.inbox();
    },
    () => {
      alice.send(alice.inDialog('BYE', invite, ok));
      alice.inbox();
      for (const m of bob.inbox()) if (m.isRequest) bob.reply(m, 200, 'bt');
      alice.inbox();
    },
  ];
  return steps.map((step) => () => {
    step();
    cti.settle();
  });
}

/** What is told of calls: that a phone came is no news here. */
const names = (events: readonly Told[]): string =>
  events
    .filter((e) => e.event !== 'backInService')
    .map((e) => e.event)
    .join(' ');

const WHOLE = 'originated delivered established connectionCleared connectionCleared callCleared';

test('what a program that watches a device hears of a call', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const ref = desk.watch({ deviceId: '1002' });
  for (const step of story(cti)) step();
  // the call begins before its second device is in it
  t.is(names(desk.events), 'delivered established connectionCleared connectionCleared');
  const [, first] = desk.events;
  t.deepEqual(first?.['connection'], { callId: 1, deviceId: '1002' });
  t.true(desk.events.every((e) => e.monitors.join() === `${ref}`));
  const ids = desk.events.map((e) => e.id);
  t.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  );
});

test('however many monitors match, an event comes once; filters leave out', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const all = desk.watch({ all: true });
  const device = desk.watch({ deviceId: '1002', filter: ['established'] });
  const quiet = desk.watch({ deviceId: '1001', filter: ['connectionCleared', 'callCleared'] });
  desk.ask('changeMonitorFilter', { monitor: quiet, filter: ['delivered', 'connectionCleared'] });
  for (const step of story(cti)) step();
  t.is(names(desk.events), WHOLE);
  const told = (event: string): string =>
    desk.events.find((e) => e.event === event)?.monitors.join() ?? '';
  t.is(told('delivered'), `${device},${all}`);
  t.is(told('established'), `${quiet},${all}`);
  t.is(told('callCleared'), `${all}`);
  desk.take();
  t.is(desk.ask('monitorStop', { monitor: all }).error, undefined);
  t.is(desk.ask('monitorStop', { monitor: all }).error?.data.code, 'invalidMonitor');
});

test('a monitor of a call ends with it', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const [invite, ring, answer, bye] = story(cti);
  invite?.();
  t.is(desk.ask('monitorStart', { callId: 7 }).error?.data.code, 'invalidCallId');
  const ref = desk.watch({ callId: 1 });
  for (const step of [ring, answer, bye]) step?.();
  t.is(names(desk.events), 'delivered established connectionCleared connectionCleared callCleared');
  t.is(desk.ask('monitorStop', { monitor: ref }).error?.data.code, 'invalidMonitor');
  t.is(cti.lab.store.count(MONITOR), 1, 'it may not have the end of the call yet');
  desk.ask('ack', { upTo: desk.events.at(-1)?.id ?? 0 });
  t.is(cti.lab.store.count(MONITOR), 0);
});

test('only the requester is told the reference of his request', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const other = new Program(cti).start();
  story(cti)[0]?.();
  desk.watch({ deviceId: '1001' });
  other.watch({ deviceId: '1001' });
  const answer = desk.ask('associateData', { callId: 1, attach: { customer: 'Müller' } }, 'ref-1');
  t.deepEqual(answer.result, { userData: { customer: 'Müller' } });
  const [mine] = desk.take();
  const [theirs] = other.take();
  t.is(mine?.requestId, 'ref-1');
  t.is(theirs?.requestId, undefined);
  t.deepEqual(mine?.['userData'], { customer: 'Müller' });
  t.deepEqual(theirs?.['changed'], ['customer']);
});

test('user data is attached, changed, deleted; nothing new is not told', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  story(cti)[0]?.();
  desk.watch({ all: true });
  desk.ask('associateData', { callId: 1, attach: { a: '1', b: '2' } });
  desk.ask('associateData', { callId: 1, attach: { a: '1' } });
  desk.ask('associateData', { callId: 1, attach: { a: '3' }, delete: ['b', 'c'] });
  const last = desk.ask('associateData', { callId: 1, deleteAll: true, attach: { z: '9' } });
  t.deepEqual(last.result, { userData: { z: '9' } });
  t.deepEqual(
    desk.take().map((e) => [e['changed'], e['deleted']]),
    [
      [['a', 'b'], []],
      [['a'], ['b']],
      [['z'], ['a']],
    ],
  );
  const long = { x: 'x'.repeat(8000), y: 'y'.repeat(8000), z: 'z'.repeat(8000) };
  const more = { u: 'u'.repeat(8000), v: 'v'.repeat(8000) };
  const refused = desk.ask('associateData', { callId: 1, attach: { ...long, ...more } });
  t.is(refused.error?.data.code, 'limitReached');
  t.is(desk.ask('associateData', { callId: 9, attach: {} }).error?.data.code, 'invalidCallId');
  const elsewhere = desk.ask('associateData', { callId: 1, deviceId: '1999', attach: {} });
  t.is(elsewhere.error?.data.code, 'invalidConnectionId');
});

test('snapshots show what events said', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const [invite, ring, answer, bye] = story(cti);
  invite?.();
  ring?.();
  const ringing = desk.ask('snapshotDevice', { deviceId: '1002' }).result?.['connections'];
  t.deepEqual(
    (ringing as readonly { localState: string }[]).map((c) => c.localState),
    ['alerting'],
  );
  answer?.();
  const call = desk.ask('snapshotCall', { callId: 1 }).result?.['connections'];
  t.deepEqual(
    (call as readonly { connection: object; localState: string }[]).map((c) => [
      c.connection,
      c.localState,
    ]),
    [
      [{ callId: 1, deviceId: '1001' }, 'connected'],
      [{ callId: 1, deviceId: '1002' }, 'connected'],
    ],
  );
  bye?.();
  t.is(desk.ask('snapshotCall', { callId: 1 }).error?.data.code, 'invalidCallId');
  t.deepEqual(desk.ask('snapshotDevice', { deviceId: '1002' }).result?.['connections'], []);
});

test('all calls, in pages, each once, also on a new primary', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const { store } = cti.lab.cx;
  for (let n = 0; n < 1101; n += 1) store.insert(CCALL, { guid: `g${n}`, startedAt: n });
  cti.swap(true);
  desk.resume();
  const seen: number[] = [];
  let pages = 0;
  for (let from: unknown = 0; from !== undefined && pages < 9; pages += 1) {
    const { result = {} } = desk.ask('snapshotCalls', { from: from as number });
    seen.push(...(result['calls'] as { callId: number }[]).map((c) => c.callId));
    from = result['more'];
  }
  t.is(pages, 3);
  t.deepEqual(
    seen,
    Array.from({ length: 1101 }, (_, i) => i + 1),
  );
});

test('a repeated request is answered again and not done again, on either box', (t) => {
  for (const lose of [undefined, false, true]) {
    const cti = new CtiLab();
    const desk = new Program(cti).start();
    story(cti)[0]?.();
    desk.watch({ all: true });
    cti.closedGate = lose === true;
    desk.send('associateData', { callId: 1, attach: { n: '1' } }, 'once');
    desk.send('monitorStart', { deviceId: '1001' }, 'watch');
    const first = desk.answers.filter((a) => a.id === 'once' || a.id === 'watch');
    t.is(first.length, lose === true ? 0 : 2);
    if (lose !== undefined) {
      cti.swap(lose);
      desk.resume();
    }
    const again = [
      desk.ask('associateData', { callId: 1, attach: { n: '1' } }, 'once'),
      desk.ask('monitorStart', { deviceId: '1001' }, 'watch'),
    ];
    if (lose !== true) t.deepEqual(again, first);
    t.deepEqual(again[0]?.result, { userData: { n: '1' } });
    t.is(cti.lab.store.count(MONITOR), 2, 'one of them was repeated');
    t.is(names(desk.take()), 'callInformation');
  }
});

test('who comes back is given exactly what he missed, whatever he saw last', (t) => {
  for (const swap of [undefined, false, true]) {
    const reference = new CtiLab();
    const desk = new Program(reference).start();
    desk.watch({ all: true });
    for (const step of story(reference)) step();
    const whole = desk.take();
    for (let seen = 0; seen <= whole.length; seen += 1) {
      if (swap !== undefined) reference.swap(swap);
      const since = seen === 0 ? (whole[0]?.id ?? 0) - 1 : (whole[seen - 1]?.id ?? 0);
      const { result } = desk.resume(since);
      t.true(Number(result?.['missed']) >= whole.length - seen);
      t.deepEqual(desk.take(), whole.slice(seen), `from ${seen}, swap ${swap}`);
    }
  }
});

test('the box is replaced between any two steps of a call: every event once and in order', (t) => {
  for (let at = 0; at <= 4; at += 1) {
    for (const lose of [false, true]) {
      const cti = new CtiLab();
      const desk = new Program(cti).start();
      desk.watch({ all: true });
      const steps = story(cti);
      steps.forEach((step, i) => {
        if (i === at) cti.swap(lose);
        // away while it happens, or not
        if (i === at && !lose) desk.resume();
        step();
      });
      if (at === 4) cti.swap(lose);
      if (lose || at === 4) desk.resume();
      t.is(names(desk.events), WHOLE, `before step ${at}, lose ${lose}`);
      const ids = desk.events.map((e) => e.id);
      t.deepEqual(
        ids,
        [...new Set(ids)].sort((a, b) => a - b),
      );
    }
  }
});

test('what was said and what waits at the gate when the box dies is told once', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  desk.watch({ all: true });
  const [invite, ring, answer, bye] = story(cti);
  invite?.();
  cti.closedGate = true;
  ring?.();
  answer?.();
  t.is(names(desk.events), 'originated');
  cti.swap(true);
  bye?.();
  t.is(names(desk.events), 'originated');
  desk.resume();
  t.is(names(desk.events), WHOLE);
});

test('a gap of many parts: live events come after it, none twice', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const other = new Program(cti).start();
  story(cti)[0]?.();
  desk.watch({ all: true });
  const from = Number(desk.ask('snapshotCall', { callId: 1 }).result?.['position']);
  desk.drop();
  const n = LIMITS.gapEvents * 2 + 10;
  for (let i = 0; i < n; i += 1) other.ask('associateData', { callId: 1, attach: { i: `${i}` } });
  // the gate opens late, and something happens while the parts are given
  cti.closedGate = true;
  desk.conn = cti.connect(desk);
  const credentials = { program: 'desk', password: 'secret', session: desk.session, since: from };
  desk.send('resumeSession', credentials);
  other.send('associateData', { callId: 1, attach: { i: 'live' } });
  cti.closedGate = false;
  cti.settle();
  const told = desk.take().map((e) => (e['userData'] as { i: string }).i);
  t.deepEqual(told, [...Array.from({ length: n }, (_, i) => `${i}`), 'live']);
});

test('a session goes on over another connection; the old one is closed and ends nothing', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const old = desk.conn;
  desk.watch({ all: true });
  desk.resume(0);
  t.is(desk.closedBy, CLOSE.replaced);
  desk.closedBy = undefined;
  cti.drop(old);
  cti.pass(LIMITS.sessionKeepMs + 1000);
  t.is(cti.lab.store.count(SESSION), 1);
});

test('a session nobody comes back to ends, and nothing is kept for it', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  desk.watch({ all: true });
  for (const step of story(cti)) step();
  desk.drop();
  cti.pass(LIMITS.sessionKeepMs - 1000);
  t.is(cti.lab.store.count(SESSION), 1);
  cti.pass(5000);
  t.is(kept(cti), 0);
  t.is(desk.resume(0).error?.data.code, 'unknownSession');
});

test('sessions have time to come back after a takeover, and end when they do not', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const away = new Program(cti).start();
  away.watch({ all: true });
  cti.swap(true);
  t.is(desk.resume(0).error, undefined);
  cti.pass(LIMITS.sessionKeepMs + 5000);
  t.is(cti.lab.store.count(SESSION), 1);
  t.is(cti.lab.store.count(MONITOR), 0);
  desk.ask('stopSession');
  cti.pass(5000);
  t.is(kept(cti), 0);
});

test('what all have seen is not kept; who comes back too late for events is told', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  const slow = new Program(cti).start();
  desk.watch({ all: true });
  for (const step of story(cti)) step();
  const last = desk.events.at(-1)?.id ?? 0;
  desk.send('ack', { upTo: last });
  cti.pass(2000);
  // two phones came, and the call
  t.is(cti.lab.store.count(EVENT), 2 + WHOLE.split(' ').length, 'the other has not seen them');
  slow.send('ack', { upTo: last });
  cti.pass(2000);
  t.is(cti.lab.store.count(EVENT), 0);
  const late = desk.resume(0);
  t.is(late.error?.data.code, 'eventsLost');
  const position = Number(late.error?.data['position']);
  t.is(desk.resume(position).error, undefined);
  // too old, though nobody has seen them
  story(cti)[0]?.();
  const old = [...cti.lab.store.rows(EVENT)].map((row) => row.id);
  t.true(old.length > 0);
  cti.pass(LIMITS.eventKeepMs + 2000);
  t.true([...cti.lab.store.rows(EVENT)].every((row) => !old.includes(row.id)));
});

test('answers are kept until they came, or so long that nobody can ask for them', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  for (let i = 0; i < 5; i += 1) desk.ask('monitorStart', { deviceId: `100${i}` }, `r${i}`);
  t.is(cti.lab.store.count(REQUEST), 5);
  desk.send('ack', { request: 'r2' });
  t.is(cti.lab.store.count(REQUEST), 2);
  cti.pass(LIMITS.answerKeepMs + 100);
  t.is(cti.lab.store.count(REQUEST), 0);
});

test('nothing that reads is remembered', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  desk.ask('snapshotDevice', { deviceId: '1001' });
  desk.ask('getDevices');
  t.is(cti.lab.store.count(REQUEST), 0);
});

test('a session has so many monitors and no more', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  for (let i = 0; i < LIMITS.ctiMonitors; i += 1) {
    desk.send('monitorStart', { deviceId: '1' }, `m${i}`);
  }
  t.is(desk.ask('monitorStart', { deviceId: '1' }).error?.data.code, 'limitReached');
});

test('a connection has so many requests open and no more', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  cti.closedGate = true;
  for (let i = 0; i < LIMITS.ctiPending; i += 1) desk.send('getDevices', {}, `p${i}`);
  t.is(desk.ask('getDevices', {}, 'over').error?.data.code, 'limitReached');
  cti.closedGate = false;
  cti.settle();
  t.is(desk.ask('getDevices', {}, 'later').error, undefined);
});

test('a box that serves no more says so, and knows no sessions', (t) => {
  const cti = new CtiLab();
  const desk = new Program(cti).start();
  cti.hub.serves(false);
  t.is(desk.ask('getDevices').error?.data.code, 'notPrimary');
  cti.hub.serves(true);
  t.is(desk.ask('getDevices').error?.data.code, 'unknownSession');
});

test('a session is not given to another program, nor to who does not know its word', (t) => {
  const cti = new CtiLab([programConfig('desk'), programConfig('spy')]);
  const desk = new Program(cti).start();
  const spy = new Program(cti, 'spy');
  spy.session = desk.session;
  t.is(spy.resume(0).error?.data.code, 'unknownSession');
  for (const session of ['', 'x', '1', '1.', '1.0', `${desk.session}0`, '9.x', '1e9.x']) {
    desk.session = session;
    const { error } = desk.resume(0);
    t.true(error?.data.code === 'unknownSession' || error?.data.code === 'invalidParameter');
  }
});

const MAY: readonly (readonly [ProgramRole, keyof typeof SERVICES, object, boolean])[] = [
  ['observe', 'monitorStart', { all: true }, true],
  ['observe', 'holdCall', { connection: { callId: 1, deviceId: '1001' } }, false],
  ['control', 'holdCall', { connection: { callId: 1, deviceId: '1001' } }, true],
  ['control', 'routeSelect', { routeId: 1, destination: '1' }, false],
  ['route', 'routeSelect', { routeId: 1, destination: '1' }, true],
  ['supervise', 'startMonitoring', { supervisor: '1', deviceId: '2' }, true],
  ['control', 'startMonitoring', { supervisor: '1', deviceId: '2' }, false],
  ['own-device', 'holdCall', { connection: { callId: 1, deviceId: '1001' } }, true],
  ['own-device', 'holdCall', { connection: { callId: 1, deviceId: '1002' } }, false],
  ['own-device', 'monitorStart', { deviceId: '1001' }, true],
  ['own-device', 'monitorStart', { deviceId: '1002' }, false],
  ['own-device', 'monitorStart', { all: true }, false],
  ['own-device', 'clearCall', { callId: 1 }, false],
  ['own-device', 'snapshotCall', { callId: 1 }, false],
  ['own-device', 'associateData', { callId: 1, attach: {} }, false],
  ['own-device', 'associateData', { callId: 1, deviceId: '1001', attach: {} }, true],
  ['own-device', 'setAgentState', { deviceId: '1001', requestedAgentState: 'loggedOn' }, true],
  [
    'own-device',
    'setAgentState',
    { deviceId: '1001', requestedAgentState: 'loggedOn', force: true },
    false,
  ],
  ['own-device', 'monitorStop', { monitor: 1 }, true],
  ['own-device', 'getDevices', {}, true],
];

for (const [role, method, params, may] of MAY) {
  test(`${role} ${may ? 'may' : 'may not'} ${method} ${JSON.stringify(params)}`, (t) => {
    const program = programConfig('p', { roles: [role], devices: ['1001'] });
    t.is(mayDo(program, SERVICES[method], params), may);
    t.is(SERVICES[method].params.safeParse(params).success, true);
  });
}

test('a program that is not configured any more may nothing', (t) => {
  t.false(mayDo(undefined, SERVICES.holdCall, {}));
});

test('a program without the role is refused, and nothing is done', (t) => {
  const cti = new CtiLab([programConfig('desk', { roles: ['observe'] })]);
  const desk = new Program(cti).start();
  story(cti)[0]?.();
  const answer = desk.ask('associateData', { callId: 1, attach: { a: '1' } });
  t.is(answer.error?.data.code, 'privilegeViolation');
  t.is(desk.ask('snapshotCall', { callId: 1 }).result?.['userData'], undefined);
});

test('every device a service acts for is a parameter of it', (t) => {
  for (const [method, service] of Object.entries(SERVICES) as [string, Service][]) {
    for (const name of service.acts) t.true(name in service.params.shape, `${method}.${name}`);
    if (service.roles.includes('own-device')) t.true(service.acts.length > 0, method);
  }
});

const FRAMES: readonly (readonly [string, string, string])[] = [
  ['no JSON', '{', '-32700'],
  ['nothing', '', '-32700'],
  ['a list', '[]', '-32600'],
  ['null', 'null', '-32600'],
  ['no version', '{"id":1,"method":"ping"}', '-32600'],
  ['no method', '{"jsonrpc":"2.0","id":1}', '-32600'],
  ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}', '-32600'],
  ['an id that is broken', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', '-32600'],
  ['an id that is long', `{"jsonrpc":"2.0","id":"${'x'.repeat(99)}","method":"ping"}`, '-32600'],
  ['no id', '{"jsonrpc":"2.0","method":"getDevices"}', '-32600'],
  ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"reboot"}', '-32601'],
  ['a method of every object', '{"jsonrpc":"2.0","id":1,"method":"toString"}', '-32601'],
  ['a word of the hub', '{"jsonrpc":"2.0","id":1,"method":"gone"}', '-32601'],
  ['a missing parameter', '{"jsonrpc":"2.0","id":1,"method":"snapshotCall"}', '-32602'],
  [
    'a parameter too many',
    '{"jsonrpc":"2.0","id":1,"method":"getDevices","params":{"x":1}}',
    '-32602',
  ],
  [
    'two things to watch',
    '{"jsonrpc":"2.0","id":1,"method":"monitorStart","params":{"all":true,"callId":1}}',
    '-32602',
  ],
  [
    'a device with a space',
    '{"jsonrpc":"2.0","id":1,"method":"snapshotDevice","params":{"deviceId":"1 2"}}',
    '-32602',
  ],
  ['a list of parameters', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', '-32602'],
  [
    'the prototype as a parameter',
    '{"jsonrpc":"2.0","id":1,"method":"getDevices","params":{"__proto__":{"x":1}}}',
    '-32602',
  ],
];

for (const [what, frame, code] of FRAMES) {
  test(`${what} is answered ${code}`, (t) => {
    const answer = readFrame(frame);
    if (typeof answer !== 'string') t.fail('it was taken');
    else t.is(`${JSON.parse(answer).error.code}`, code);
  });
}

test('a deep frame is no trouble', (t) => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const text = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${deep}}}`;
  t.is(typeof readFrame(text), 'string');
});

test('an id comes back as it was', (t) => {
  for (const id of [0, -1, 7, 'a b', '"', 'ü', '']) {
    const asked = readFrame(JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' }));
    if (typeof asked === 'string') t.fail(asked);
    else t.is(JSON.parse(asked.id), id);
  }
  t.is(serviceOf('constructor'), undefined);
});
