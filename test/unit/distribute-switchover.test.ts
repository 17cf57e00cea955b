/**
 * Calls that wait, whatever happens at whichever step: the box is replaced (what it said last was heard,
 * or was not, or the last input was not), or the caller gives up. The phones find nothing to complain of,
 * programs are told what they would have been told, and no row is left once everybody has hung up.
 */

import test from 'ava';
import { consultationCall, makeCall } from '../../src/call/control/make.ts';
import { singleStepTransferCall, transferCall } from '../../src/call/control/transfer.ts';
import type { Done, Refusal } from '../../src/call/csta/refusal.ts';
import { PARTY, type Party } from '../../src/call/csta/rows.ts';
import { applyTreatment, routeRegister, routeSelect } from '../../src/call/distribute/router.ts';
import type { Context } from '../../src/proto/context.ts';
import { Centrum, type House, login, lost, point, queue, STEP } from './distribute-lab.ts';

type Step = { readonly wait: number; readonly do: (c: Centrum) => boolean };
type Play = {
  readonly house: House;
  readonly begin?: (c: Centrum) => void;
  readonly steps: readonly Step[];
  /** Phones that talk at the end, as digits. */
  readonly pair: string;
};

const calls = (n: number, number: string): Step => ({
  wait: 600,
  do: (c) => {
    c.phone(n).call(number);
    return true;
  },
});
const lifts = (n: number, status = 200): Step => ({
  wait: 400,
  do: (c) => c.phone(n).lift(status),
});
const waits = (wait: number): Step => ({ wait, do: () => true });
const asks = (f: (c: Centrum, routeId: number) => unknown): Step => ({
  wait: 800,
  do: (c) => {
    const routeId = Number(c.last('routeRequest')['routeId'] ?? 0);
    if (routeId === 0) return false;
    f(c, routeId);
    return true;
  },
});
const routes = (destination: string): Step =>
  asks((c, routeId) => c.as(1, (cx) => routeSelect(cx, { routeId, destination })));
const digit = (key: string): Step => ({
  wait: 300,
  do: ({ media }) => {
    const talk = media.living().at(-1);
    if (talk === undefined) return false;
    media.ask(
      talk,
      'INFO',
      'Content-Type: application/dtmf-relay\r\n',
      `Signal=${key}\r\nDuration=160\r\n`,
    );
    return true;
  },
});

const register = (c: Centrum): void => {
  c.as(1, (cx) => routeRegister(cx, {}));
};
const RONA = { afterS: 3, overflow: [], action: 'not-ready' } as const;
const AGENTS = [login('a3', { noAnswer: RONA }), login('a4')];

/** A program asks for something at a device that is connected. */
const controls = (
  device: string,
  f: (cx: Context, connection: { callId: number; deviceId: string }) => Done | Refusal,
): Step => ({
  wait: 1500,
  do: (c) => {
    const party = [...c.lab.cx.store.rows(PARTY)].findLast((x) => x.device === device);
    if (party === undefined) return false;
    const done = c.as(1, (cx) => f(cx, { callId: party.ccall, deviceId: device }));
    return !('refused' in done);
  },
});
const made: Step = {
  wait: 600,
  do: (c) => {
    const p = { callingDevice: '1001', calledDevice: '6000' };
    return !('refused' in c.as(1, (cx) => makeCall(cx, p)));
  },
};
/** The agent's own call ends. */
const agentFree: Step = {
  wait: 2500,
  do: (c) => {
    c.phone(5).hangUp();
    return true;
  },
};
/** Both calls of phone 2. */
const completed: Step = {
  wait: 1500,
  do: (c) => {
    const own = [...c.lab.cx.store.rows(PARTY)].filter((x) => x.device === '1002');
    const [held, active] = ['hold', 'connected'].map((state) => own.find((x) => x.state === state));
    if (held === undefined || active === undefined) return false;
    const at = (x: Party) => ({ callId: x.ccall, deviceId: '1002' });
    const p = { heldConnection: at(held), activeConnection: at(active) };
    return !('refused' in c.as(1, (cx) => transferCall(cx, p)));
  },
};

/** The agent has a call of his own with phone 5. */
const busyAgent = (c: Centrum): void => {
  c.on(4);
  c.phone(5).call('1004');
  c.pass(300);
  c.phone(4).lift();
  c.pass(300);
};

const PLAYS: { readonly [name: string]: Play } = {
  'parked, ringing only, routed': {
    house: { points: [point('5000')] },
    begin: register,
    steps: [calls(1, '5000'), routes('1002'), lifts(2)],
    pair: '12',
  },
  'parked with music after an answer, routed': {
    house: { points: [point('5000', { treatment: 'music' })] },
    begin: register,
    steps: [calls(1, '5000'), routes('1002'), lifts(2)],
    pair: '12',
  },
  'parked in early media, two treatments, routed': {
    house: { points: [point('5000', { treatment: 'welcome', charge: 'early' })] },
    begin: register,
    steps: [
      calls(1, '5000'),
      asks((c, routeId) =>
        c.as(1, (cx) => applyTreatment(cx, { routeId, treatment: { kind: 'music' } })),
      ),
      routes('1002'),
      lifts(2),
    ],
    pair: '12',
  },
  'digits are collected after an answer': {
    house: { points: [point('5000')] },
    begin: register,
    steps: [
      calls(1, '5000'),
      asks((c, routeId) => {
        const treatment = { kind: 'collect', prompt: 'menu', digits: 3 } as const;
        c.as(1, (cx) => applyTreatment(cx, { routeId, treatment }));
      }),
      digit('1'),
      digit('2'),
      digit('#'),
      routes('1002'),
      lifts(2),
    ],
    pair: '12',
  },
  'default routing, the first is busy': {
    house: { points: [point('5000', { defaults: ['1002', '1003'] })] },
    steps: [calls(1, '5000'), lifts(2, 486), lifts(3)],
    pair: '13',
  },
  'a queue with a ready agent': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    begin: (c) => c.on(4),
    steps: [calls(1, '6000'), lifts(4)],
    pair: '14',
  },
  'music in a queue until an agent is ready': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    begin: (c) => {
      c.on(4);
      c.phone(2).call('1004');
      c.pass(300);
      c.phone(4).lift();
      c.pass(300);
    },
    steps: [
      calls(1, '6000'),
      {
        wait: 800,
        do: (c) => {
          c.phone(2).hangUp();
          return true;
        },
      },
      lifts(4),
    ],
    pair: '14',
  },
  'an agent does not answer, the next one does': {
    house: { queues: [queue('6000')], agents: AGENTS },
    begin: (c) => {
      c.on(3);
      c.pass(50);
      c.on(4);
    },
    steps: [calls(1, '6000'), waits(3500), lifts(4)],
    pair: '14',
  },
  'a consultation that waits is transferred': consulted('answered'),
  'a consultation that rings is transferred': consulted('early'),
  'a program calls a queue': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    begin: busyAgent,
    steps: [made, agentFree, lifts(4)],
    pair: '14',
  },
  'transferred into a queue in one step': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    begin: busyAgent,
    steps: [
      calls(1, '1002'),
      lifts(2),
      controls('1002', (cx, connection) =>
        singleStepTransferCall(cx, { connection, transferredTo: '6000' }),
      ),
      agentFree,
      lifts(4),
    ],
    pair: '14',
  },
  'a consultation of a program waits and is transferred': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    begin: busyAgent,
    steps: [
      calls(1, '1002'),
      lifts(2),
      controls('1002', (cx, connection) =>
        consultationCall(cx, { connection, calledDevice: '6000' }),
      ),
      completed,
      agentFree,
      lifts(4),
    ],
    pair: '14',
  },
  'transferred to a queue': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    begin: (c) => c.on(4),
    steps: [
      calls(1, '1002'),
      lifts(2),
      {
        // its own answer may have to be repeated first
        wait: 1500,
        do: (c) => {
          const talk = c.phone(2).living()[0];
          if (talk === undefined) return false;
          c.phone(2).ask(talk, 'REFER', 'Refer-To: <sip:6000@192.0.2.10>\r\n');
          return true;
        },
      },
      lifts(4),
    ],
    pair: '14',
  },
};

/** Phone 1 talks with 2, who asks in a queue for an agent and leaves 1 there. */
function consulted(charge: 'answered' | 'early'): Play {
  return {
    house: { queues: [queue('6000', { treatment: 'music', charge })], agents: AGENTS },
    begin: busyAgent,
    steps: [
      calls(1, '1002'),
      lifts(2),
      { ...calls(2, '6000'), wait: 1500 },
      {
        wait: 2000,
        do: (c) => {
          const [own, asked] = [...c.phone(2).talks.values()].slice(-2);
          if (own === undefined || asked === undefined) return false;
          const value = encodeURIComponent(
            `${asked.callId};to-tag=${asked.remoteTag};from-tag=${asked.tag}`,
          );
          c.phone(2).ask(own, 'REFER', `Refer-To: <sip:6000@x?Replaces=${value}>\r\n`);
          return true;
        },
      },
      agentFree,
      lifts(4),
    ],
    pair: '14',
  };
}

type Death = 'said' | 'unsaid' | 'forgotten';
type Blow = Death | 'caller';

/** Lives a play; at input `at` something happens. */
function play(p: Play, at: number, blow: Blow) {
  const c = new Centrum(p.house);
  p.begin?.(c);
  c.pass(300);
  const { lab } = c;
  let inputs = 0;
  let struck = false;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    inputs += 1;
    if (inputs !== at) {
      receive(ip, port, text);
      return;
    }
    if (blow !== 'forgotten') receive(ip, port, text);
    struck = true;
    if (blow === 'caller') return;
    if (blow === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  let next = 0;
  let from = lab.now;
  for (let ms = 0; ms < 45_000; ms += STEP) {
    if (struck && blow === 'caller') c.phone(1).hangUp();
    const step = p.steps[next];
    if (step !== undefined && step.wait <= lab.now - from) {
      const gone = struck && blow === 'caller' && lab.now - from > 3000;
      if (step.do(c) || gone) {
        next += 1;
        from = lab.now;
      }
    }
    c.media.act();
    for (const phone of c.phones) phone.act();
    lab.pass(STEP);
  }
  return { c, inputs, done: next === p.steps.length };
}

function story(c: Centrum): string {
  return [...c.phones.slice(0, 4), c.media].map((x) => x.story.join(', ')).join(' // ');
}

function pairOf(c: Centrum): string {
  return c.phones.flatMap((p) => p.living().map(() => p.user.slice(-1))).join('');
}

/** Those who talk heard each other last. */
function deaf(c: Centrum, pair: string): string[] {
  return [...pair].flatMap((n, i) => {
    const heard = c.phone(Number(n)).living()[0]?.heard ?? '';
    const other = `s=100${pair[1 - i]}v`;
    return heard.includes(other) ? [] : [`${n} heard ${/s=\S+/.exec(heard)?.[0]}`];
  });
}

for (const [name, p] of Object.entries(PLAYS)) {
  for (const death of ['said', 'unsaid', 'forgotten'] as const) {
    test(`${name}: the box is replaced at every step, its last turn ${death}`, (t) => {
      const calm = play(p, 0, death);
      t.true(calm.inputs > 3);
      t.true(calm.done, story(calm.c));
      const events = [...calm.c.events].sort();
      for (let at = 1; at <= calm.inputs; at += 1) {
        const { c, done } = play(p, at, death);
        const where = `step ${at}: ${story(c)}`;
        t.true(done, where);
        t.deepEqual(c.complaints(), [], where);
        t.is(pairOf(c), p.pair, where);
        t.deepEqual(deaf(c, p.pair), [], where);
        t.deepEqual(lost(c), [], where);
        t.deepEqual([...c.events].sort(), events, where);
        t.deepEqual(c.end(), [], where);
      }
    });
  }
  test(`${name}: the caller gives up at every step`, (t) => {
    const { inputs } = play(p, 0, 'caller');
    for (let at = 1; at <= inputs; at += 1) {
      const { c } = play(p, at, 'caller');
      const where = `step ${at}: ${story(c)}`;
      t.deepEqual(c.complaints(), [], where);
      t.deepEqual(c.waiting('5000'), [], where);
      t.deepEqual(c.waiting('6000'), [], where);
      t.is(c.media.living().length, 0, where);
      t.deepEqual(c.end(), [], where);
    }
  });
}
