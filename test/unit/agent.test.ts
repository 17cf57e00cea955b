/** Agents: logging on, states, what calls do to them, deadlines; each with a switchover in between. */

import test from 'ava';
import {
  getAgentState,
  reserveAgent,
  setAgentState,
  snapshotAgents,
} from '../../src/call/agent/commands.ts';
import {
  loggedOn,
  longestIdle,
  noAnswer,
  readyAgents,
  release,
  reserve,
} from '../../src/call/agent/offer.ts';
import { AGENT, type Agent } from '../../src/call/agent/rows.ts';
import { CCALL, type Ccall } from '../../src/call/csta/rows.ts';
import { AgentLab, word } from './agent-lab.ts';

/** Without a switchover, and with one after every step. */
const SWAPS = [
  ['one box', () => {}],
  ['a new primary after each step', (lab: AgentLab) => lab.swap(false)],
  [
    'a new primary after each step, and what was on its way lost',
    (lab: AgentLab) => lab.swap(true),
  ],
] as const;

test('logging on: who may', (t) => {
  for (const [strict, agentId, password, says] of [
    ['no', 'anybody', undefined, 'notReady'],
    ['no', 'an_y.1', 'x', 'notReady'],
    ['no', '', undefined, 'invalidAgentId'],
    ['no', '_x', undefined, 'invalidAgentId'],
    ['no', 'a b', undefined, 'invalidAgentId'],
    ['yes', 'a1', undefined, 'notReady'],
    ['yes', 'a10', undefined, 'invalidAgentId'],
    ['yes', 'constructor', undefined, 'invalidAgentId'],
    ['password', 'a1', 'pw-1', 'notReady'],
    ['password', 'a1', 'pw-2', 'invalidPassword'],
    ['password', 'a1', undefined, 'invalidPassword'],
    ['password', 'a10', 'pw-10', 'invalidAgentId'],
  ] as const) {
    const lab = new AgentLab({ strict });
    const p = { agentId, device: '1001', requestedState: 'loggedOn' as const };
    const more = password === undefined ? {} : { password };
    t.is(
      word(lab.turn((cx) => setAgentState(cx, { ...p, ...more }))),
      says,
      `${strict} ${agentId}`,
    );
    t.is(lab.store.count(AGENT), says === 'notReady' ? 1 : 0);
    t.is(
      lab.told.filter((x) => x.includes('wrong password')).length,
      says === 'invalidPassword' ? 1 : 0,
    );
  }
});

test('a password of his own stands for the one by number', (t) => {
  const lab = new AgentLab({ strict: 'password', login: { password: 'secret' } });
  t.is(lab.set(1, 'loggedOn', { password: 'pw-1' }), 'invalidPassword');
  t.is(lab.set(1, 'loggedOn', { password: 'secret' }), 'notReady');
});

for (const [name, swap] of SWAPS) {
  test(`one agent a device, one device an agent: ${name}`, (t) => {
    const lab = new AgentLab();
    const at = (device: string, more = {}) => {
      const result = lab.set(1, 'loggedOn', { device, ...more });
      swap(lab);
      return result;
    };
    t.is(at('1001'), 'notReady');
    lab.events();
    t.is(at('1001'), 'notReady');
    t.deepEqual(lab.events(), []);
    t.is(at('1002'), 'agentAlreadyLoggedOn');
    t.is(lab.set(2, 'loggedOn', { device: '1001' }), 'deviceAlreadyHasAgent');
    t.is(lab.set(2, 'loggedOn'), 'notReady');
    lab.events();
    t.is(at('1002', { force: true }), 'notReady');
    t.deepEqual(
      lab.events((b) => `${b['agentId']}@${b['deviceId']} ${b['reason'] ?? ''}`.trim()),
      [
        'agentLoggedOff a1@1001 forced',
        'agentLoggedOff a2@1002 forced',
        'agentLoggedOn a1@1002',
        'agentNotReady a1@1002',
      ],
    );
    t.is(lab.store.count(AGENT), 1);
    t.is(lab.set(2, 'ready'), 'invalidAgentState');
    t.is(lab.set(1, 'loggedOff'), 'loggedOff');
    swap(lab);
    t.is(lab.set(1, 'loggedOff'), 'invalidAgentState');
    t.is(lab.store.count(AGENT), 0);
  });

  test(`what he asks for, and what is told of it: ${name}`, (t) => {
    const lab = new AgentLab();
    t.is(lab.set(1, 'loggedOn', { reason: 'morning' }), 'notReady');
    lab.events();
    for (const [requestedState, reason, told] of [
      ['ready', '', ['agentReady']],
      ['ready', '', []],
      ['notReady', 'lunch', ['agentNotReady lunch']],
      ['notReady', 'lunch', []],
      // a self-transition with another reason is told
      ['notReady', 'coffee', ['agentNotReady coffee']],
      ['workingAfterCall', '', ['agentWorkingAfterCall']],
      ['ready', 'back', ['agentReady back']],
      ['notReady', '', ['agentNotReady']],
    ] as const) {
      lab.pass(1000);
      lab.set(1, requestedState, { reason });
      swap(lab);
      t.deepEqual(
        lab.events((b) => b['reason']),
        told,
        `${requestedState} ${reason}`,
      );
    }
    t.is(lab.set(1, 'ready', { reason: 'a\nb' }), 'invalidParameter');
    t.is(lab.set(1, 'ready', { reason: 'x'.repeat(65) }), 'invalidParameter');
  });

  test(`a business call makes busy, and then he lands where he was: ${name}`, (t) => {
    for (const was of ['ready', 'notReady', 'workingAfterCall'] as const) {
      const lab = new AgentLab();
      lab.set(2, 'loggedOn');
      lab.set(2, was, { reason: was === 'notReady' ? 'lunch' : '' });
      swap(lab);
      lab.events();
      const call = lab.ring(1, '7002', 2);
      swap(lab);
      t.deepEqual(lab.agentEvents(), [], 'ringing is not busy');
      call.answer();
      swap(lab);
      t.deepEqual(
        lab.agentEvents((b) => b['pendingState']),
        [`agentBusy ${was}`],
      );
      t.is(lab.set(2, was, { reason: was === 'notReady' ? 'lunch' : '' }), 'busy');
      call.end();
      swap(lab);
      const event = {
        ready: 'agentReady',
        notReady: 'agentNotReady lunch',
        workingAfterCall: 'agentWorkingAfterCall',
      };
      t.deepEqual(
        lab.agentEvents((b) => b['reason']),
        [event[was]],
      );
      lab.set(2, 'loggedOff');
      t.is(lab.store.count(AGENT), 0);
    }
  });

  test(`a private call touches nothing: ${name}`, (t) => {
    const lab = new AgentLab({ login: { wrapUpS: 5, legalGuardS: 5 } });
    for (const n of [1, 2]) {
      lab.set(n, 'loggedOn');
      lab.set(n, 'ready');
    }
    lab.events();
    const call = lab.call(1, '1002', 2);
    swap(lab);
    t.is(lab.state(1), 'ready');
    t.is(lab.state(2), 'ready');
    t.deepEqual(
      lab.turn((cx) => readyAgents(cx, '6000')),
      [],
      'but nobody is sent a call',
    );
    call.end();
    swap(lab);
    t.deepEqual(lab.agentEvents(), []);
    t.is(lab.turn((cx) => readyAgents(cx, '6000')).length, 2);
  });

  test(`after-call work, timed: ${name}`, (t) => {
    const lab = new AgentLab({ login: { wrapUpS: 30 } });
    lab.set(2, 'loggedOn');
    lab.set(2, 'ready');
    lab.events();
    const call = lab.call(1, '7002', 2);
    swap(lab);
    t.deepEqual(
      lab.agentEvents((b) => b['wrapUpTime']),
      ['agentBusy 30'],
    );
    lab.pass(5000);
    call.end();
    const endsAt = lab.now + 30_000;
    swap(lab);
    // the order is always this one
    t.deepEqual(
      lab
        .events((b) => (b['wrapUpEnd'] === endsAt * 1000 ? 'until' : ''))
        .filter((e) => /Cleared$|^agent/.test(e)),
      ['connectionCleared', 'connectionCleared', 'agentWorkingAfterCall until', 'callCleared'],
    );
    lab.pass(10_000);
    swap(lab);
    lab.pass(19_999);
    t.is(lab.state(2), 'work');
    lab.pass(1);
    t.is(lab.state(2), 'ready');
    t.deepEqual(lab.agentEvents(), ['agentReady']);
    t.is(lab.agent(2)?.idleSince, lab.now);
  });

  test(`after-call work until he says so: ${name}`, (t) => {
    const lab = new AgentLab({ login: { wrapUpS: -1 } });
    lab.set(2, 'loggedOn');
    lab.set(2, 'notReady', { reason: 'lunch' });
    const call = lab.call(1, '7002', 2);
    swap(lab);
    call.end();
    swap(lab);
    lab.pass(3_600_000);
    t.is(lab.state(2), 'work');
    t.is(lab.set(2, 'ready'), 'ready');
  });

  test(`asked for during the call: ${name}`, (t) => {
    for (const [asks, is] of [
      ['notReady', 'work'],
      ['ready', 'work'],
      ['workingAfterCall', 'work'],
    ] as const) {
      const lab = new AgentLab({ login: { wrapUpS: 10 } });
      lab.set(2, 'loggedOn');
      lab.set(2, asks === 'ready' ? 'notReady' : 'ready');
      const call = lab.call(1, '7002', 2);
      lab.events();
      t.is(lab.set(2, asks, { reason: 'r' }), 'busy');
      swap(lab);
      t.deepEqual(
        lab.agentEvents((b) => b['pendingState']),
        [`agentBusy ${asks}`],
      );
      call.end();
      swap(lab);
      t.is(lab.state(2), is);
      lab.pass(10_000);
      t.is(lab.state(2), asks === 'notReady' ? 'notReady' : 'ready');
    }
  });

  test(`a call he makes in after-call work interrupts it: ${name}`, (t) => {
    const lab = new AgentLab({ login: { wrapUpS: 30, legalGuardS: 5 } });
    lab.set(2, 'loggedOn');
    lab.set(2, 'ready');
    lab.call(1, '7002', 2).end();
    lab.pass(10_000);
    const own = lab.call(2, '1003', 3);
    swap(lab);
    t.is(lab.state(2), 'busyWork');
    lab.pass(100_000);
    swap(lab);
    own.end();
    swap(lab);
    t.is(lab.state(2), 'work');
    lab.pass(19_999);
    t.is(lab.state(2), 'work');
    lab.pass(1);
    t.is(lab.state(2), 'ready', 'the guard was over long before');
  });

  test(`a business call in after-call work earns it anew: ${name}`, (t) => {
    const lab = new AgentLab({ login: { wrapUpS: 30 } });
    lab.set(2, 'loggedOn');
    lab.set(2, 'ready');
    lab.call(1, '7002', 2).end();
    lab.pass(20_000);
    const more = lab.call(1, '7002', 2);
    swap(lab);
    t.is(lab.state(2), 'busyWork');
    lab.pass(50_000);
    more.end();
    swap(lab);
    lab.pass(29_999);
    t.is(lab.state(2), 'work');
    lab.pass(1);
    t.is(lab.state(2), 'ready');
  });

  test(`legal guard: ${name}`, (t) => {
    const lab = new AgentLab({ login: { legalGuardS: 20 } });
    lab.set(2, 'loggedOn');
    lab.set(2, 'ready');
    const call = lab.call(1, '7002', 2);
    call.end();
    const guardEnds = lab.now + 20_000;
    swap(lab);
    t.is(lab.state(2), 'guard');
    t.is(lab.set(2, 'ready'), 'notReady');
    lab.events();
    lab.set(2, 'notReady', { reason: 'lunch' });
    t.deepEqual(
      lab.agentEvents((b) => b['reason']),
      ['agentNotReady lunch'],
    );
    swap(lab);
    lab.pass(5000);
    t.is(lab.set(2, 'ready'), 'notReady', 'before its end he is not ready for calls');
    t.deepEqual(
      lab.agentEvents((b) => `${b['reason']} ${Number(b['readyAt']) - guardEnds * 1000}`),
      ['agentNotReady legalGuard 0'],
    );
    swap(lab);
    t.is(
      lab.turn((cx) => longestIdle(cx, '6000')),
      undefined,
    );
    lab.pass(14_999);
    t.is(lab.state(2), 'guard');
    lab.pass(1);
    t.is(lab.state(2), 'ready');
    t.is(lab.turn((cx) => longestIdle(cx, '6000'))?.agent, 'a2');
  });

  test(`not ready for too long: ${name}`, (t) => {
    const lab = new AgentLab({ login: { autoLogoutS: 60 } });
    lab.set(2, 'loggedOn');
    lab.pass(30_000);
    swap(lab);
    lab.set(2, 'notReady');
    lab.pass(59_000);
    t.is(lab.state(2), 'notReady');
    lab.set(2, 'ready');
    swap(lab);
    lab.pass(600_000);
    t.is(lab.state(2), 'ready');
    lab.set(2, 'notReady');
    const call = lab.call(1, '7002', 2);
    swap(lab);
    lab.pass(70_000);
    t.is(lab.state(2), 'busyNotReady');
    call.end();
    lab.events();
    lab.pass(30_000);
    swap(lab);
    lab.pass(30_000);
    t.deepEqual(
      lab.agentEvents((b) => b['reason']),
      ['agentLoggedOff autoLogout'],
    );
    t.is(lab.store.count(AGENT), 0);
  });

  test(`logging off on the phone leaves the call alone: ${name}`, (t) => {
    const lab = new AgentLab({ login: { wrapUpS: 30 } });
    lab.set(2, 'loggedOn');
    lab.set(2, 'ready');
    const call = lab.call(1, '7002', 2);
    t.is(lab.set(2, 'loggedOff'), 'loggedOff');
    swap(lab);
    t.is(lab.set(2, 'loggedOn'), 'busy', 'and who logs on while he talks is busy');
    swap(lab);
    call.end();
    t.is(lab.state(2), 'work');
    lab.set(2, 'loggedOff');
    t.is(lab.store.count(AGENT), 0);
    t.is(lab.store.count(CCALL), 0);
  });

  test(`the longest idle is next; a place can be kept or lost: ${name}`, (t) => {
    const lab = new AgentLab();
    for (const n of [3, 1, 2]) {
      lab.set(n, 'loggedOn', n === 2 ? { queues: ['6000', '6001'] } : {});
      lab.set(n, 'ready');
      lab.pass(1000);
    }
    const order = (queue = '6000') => lab.turn((cx) => readyAgents(cx, queue)).map((a) => a.agent);
    const first = () => lab.turn((cx) => longestIdle(cx, '6000'))?.agent;
    t.deepEqual(order(), ['a3', 'a1', 'a2']);
    t.deepEqual(order('6001'), ['a2']);
    t.is(first(), 'a3');
    t.is(
      lab.turn((cx) => loggedOn(cx, '6000')),
      3,
    );
    lab.pass(1000);
    const waiting = lab.ring(5, '1006', 6);
    const ccall = [...lab.store.rows(CCALL)][0] as Ccall;
    lab.turn((cx) => reserve(cx, lab.agent(3) as Agent, ccall));
    swap(lab);
    t.deepEqual(order(), ['a1', 'a2']);
    lab.turn((cx) => release(cx, lab.agent(3) as Agent, true));
    swap(lab);
    t.deepEqual(order(), ['a3', 'a1', 'a2']);
    lab.turn((cx) => reserve(cx, lab.agent(3) as Agent, ccall));
    lab.turn((cx) => noAnswer(cx, lab.agent(3) as Agent, 'none'));
    swap(lab);
    t.deepEqual(order(), ['a1', 'a2', 'a3']);
    lab.events();
    lab.turn((cx) => noAnswer(cx, lab.agent(1) as Agent, 'not-ready'));
    lab.turn((cx) => noAnswer(cx, lab.agent(2) as Agent, 'log-out'));
    swap(lab);
    t.deepEqual(
      lab.agentEvents((b) => b['reason']),
      ['agentNotReady noAnswer', 'agentLoggedOff noAnswer'],
    );
    t.deepEqual(order(), ['a3']);
    // kept for a call that is over: free again
    lab.turn((cx) => reserve(cx, lab.agent(3) as Agent, ccall));
    t.deepEqual(order(), []);
    waiting.end();
    swap(lab);
    t.deepEqual(order(), ['a3']);
    // an agent whose phone is not registered is offered nothing
    lab.register(lab.phone(3), 0);
    t.deepEqual(order(), []);
    lab.register(lab.phone(3));
    t.deepEqual(order(), ['a3']);
  });

  test(`a program keeps an agent: ${name}`, (t) => {
    const lab = new AgentLab();
    lab.set(1, 'loggedOn');
    const by = (session: number, reserveMs: number) => {
      const result = lab.turn((cx) => {
        cx.turn.session = session;
        return reserveAgent(cx, { agentId: 'a1', reserveMs });
      });
      swap(lab);
      return word(result);
    };
    t.is(by(1, 5000), 'invalidAgentState');
    lab.set(1, 'ready');
    t.is(by(1, 70_000), 'invalidParameter');
    t.is(by(1, 5000), 'ready');
    t.is(by(2, 5000), 'resourceBusy');
    t.is(
      lab.turn((cx) => longestIdle(cx, '6000')),
      undefined,
    );
    lab.pass(4000);
    t.is(by(1, 5000), 'ready');
    lab.pass(4999);
    t.is(
      lab.turn((cx) => longestIdle(cx, '6000')),
      undefined,
    );
    lab.pass(1);
    t.is(lab.turn((cx) => longestIdle(cx, '6000'))?.agent, 'a1');
    t.is(by(2, 5000), 'ready');
    t.is(by(2, 0), 'ready');
    t.is(lab.turn((cx) => longestIdle(cx, '6000'))?.agent, 'a1');
  });
}

test('a call that becomes a business call by a transfer', (t) => {
  const lab = new AgentLab({ login: { wrapUpS: 10 } });
  lab.set(2, 'loggedOn');
  lab.set(2, 'ready');
  const call = lab.call(1, '1002', 2);
  t.is(lab.state(2), 'ready');
  const ccall = [...lab.store.rows(CCALL)][0] as Ccall;
  // what a merge with a business call leaves behind
  lab.turn((cx) => cx.store.patch(CCALL, ccall, { business: true }));
  lab.swap(false);
  t.is(lab.state(2), 'busyReady');
  call.end();
  t.is(lab.state(2), 'work');
});

test('asking for what is so', (t) => {
  const lab = new AgentLab();
  const get = (p: object) => lab.turn((cx) => getAgentState(cx, p));
  t.deepEqual(get({ agentId: 'a1' }), { agent: { agentId: 'a1', state: 'loggedOff' } });
  t.is(word(get({ agentId: 'x' })), 'invalidAgentId');
  t.is(word(get({ device: '1001' })), 'invalidAgentState');
  lab.set(1, 'loggedOn', { reason: 'early' });
  const agent = {
    agentId: 'a1',
    deviceId: '1001',
    state: 'notReady',
    reason: 'early',
    since: lab.now * 1000,
    loggedOnAt: lab.now * 1000,
    queues: ['6000'],
  };
  t.deepEqual(get({ agentId: 'a1' }), { agent });
  t.deepEqual(get({ device: '1001' }), { agent });
  t.is(word(get({ agentId: 'a1', device: '1002' })), 'invalidDeviceId');
  lab.set(2, 'loggedOn', { queues: ['6001'] });
  t.is(lab.set(3, 'loggedOn', { queues: ['6009'] }), 'invalidDeviceId');
  t.is(lab.set(3, 'loggedOn', { device: '99' }), 'invalidDeviceId');
  const ids = (p: object) => {
    const { agents } = lab.turn((cx) => snapshotAgents(cx, p)) as { agents: { agentId: string }[] };
    return agents.map((a) => a.agentId);
  };
  t.deepEqual(ids({}), ['a1', 'a2']);
  t.deepEqual(ids({ queue: '6001' }), ['a2']);
  t.deepEqual(ids({ from: lab.agent(1)?.id }), ['a2']);
  t.is(word(lab.turn((cx) => snapshotAgents(cx, { queue: '1' }))), 'invalidDeviceId');
});

test('a thousand agents: pages, and the next one in little time', (t) => {
  const lab = new AgentLab({ strict: 'no', settings: { userTo: 2999 } });
  for (let n = 1000; n < 2100; n += 1) {
    const p = { agentId: `x${n}`, device: `${n}`, requestedState: 'loggedOn' as const };
    lab.turn((cx) => setAgentState(cx, { ...p, queues: ['6000'] }));
    lab.turn((cx) => setAgentState(cx, { agentId: `x${n}`, requestedState: 'ready' }));
  }
  const page = lab.turn((cx) => snapshotAgents(cx, {})) as { agents: unknown[]; more: number };
  t.is(page.agents.length, 1000);
  const rest = lab.turn((cx) => snapshotAgents(cx, { from: page.more })) as { agents: unknown[] };
  t.is(rest.agents.length, 100);
  t.is(lab.turn((cx) => longestIdle(cx, '6000'))?.agent, 'x1001');
  t.is(lab.turn((cx) => readyAgents(cx, '6000')).length, 9);
});
