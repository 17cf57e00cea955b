/**
 * Calls that wait and are given to an agent who is nailed up: whatever the caller heard until then, and
 * whenever the box is replaced, the agent's phone has one dialog for all of them.
 */

import test from 'ava';
import { routeRegister, routeSelect } from '../../src/call/distribute/router.ts';
import { nailUp } from '../../src/call/nail/commands.ts';
import { NAIL } from '../../src/call/nail/rows.ts';
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
const lifts = (n: number): Step => ({ wait: 400, do: (c) => c.phone(n).lift() });
const talks = (n: number): Step => ({ wait: 1500, do: (c) => c.phone(n).living().length === 1 });
const gives = (n: number): Step => ({
  wait: 400,
  do: (c) => {
    c.phone(n).hangUp();
    return [...c.phone(n).talks.values()].every((talk) => talk.state === 'over');
  },
});
const routes = (destination: string): Step => ({
  wait: 800,
  do: (c) => {
    const routeId = Number(c.last('routeRequest')['routeId'] ?? 0);
    if (routeId !== 0) c.as(1, (cx) => routeSelect(cx, { routeId, destination }));
    return routeId !== 0;
  },
});
const isNail = (c: Centrum, state: string): boolean =>
  [...c.lab.cx.store.rows(NAIL)][0]?.state === state;
const parked: Step = { wait: 1500, do: (c) => isNail(c, 'parked') };
const talking: Step = { wait: 1500, do: (c) => isNail(c, 'talking') };

const AGENTS = [login('a3'), login('a4')];
const register = (c: Centrum): void => {
  c.as(1, (cx) => routeRegister(cx, {}));
};
const refuses = (c: Centrum): void => {
  c.pass(50);
  c.on(3);
  c.phone(4).reinvites = [488];
};

const PLAYS: { readonly [name: string]: Play } = {
  'in a queue, unanswered': {
    house: { queues: [queue('6000')], agents: AGENTS },
    steps: [calls(1, '6000'), talking],
    pair: '14',
  },
  'in a queue, with music': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    steps: [calls(1, '6000'), talking],
    pair: '14',
  },
  'in a queue, with music in early media': {
    house: { queues: [queue('6000', { treatment: 'music', charge: 'early' })], agents: AGENTS },
    steps: [calls(1, '6000'), talking],
    pair: '14',
  },
  'at a routing point, unanswered': {
    house: { points: [point('5000')] },
    begin: register,
    steps: [calls(1, '5000'), routes('1004'), talking],
    pair: '14',
  },
  'at a routing point, with a prompt in early media': {
    house: { points: [point('5000', { treatment: 'welcome', charge: 'early' })] },
    begin: register,
    steps: [calls(1, '5000'), routes('1004'), talking],
    pair: '14',
  },
  'at a routing point, with a prompt after an answer': {
    house: { points: [point('5000', { treatment: 'welcome' })] },
    begin: register,
    steps: [calls(1, '5000'), routes('1004'), talking, gives(1), parked],
    pair: '4',
  },
  'the next one waits already': {
    house: { queues: [queue('6000')], agents: AGENTS },
    steps: [calls(1, '6000'), talking, calls(2, '6000'), gives(1), talks(2), talking],
    pair: '24',
  },
  'the next one waits already, with music': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    steps: [calls(1, '6000'), talking, calls(2, '6000'), gives(1), talking],
    pair: '24',
  },
  'its phone refuses, and the next agent is called': {
    house: { queues: [queue('6000')], agents: AGENTS },
    begin: refuses,
    steps: [calls(1, '6000'), lifts(3), parked],
    pair: '134',
  },
  'its phone refuses a caller with music, and the next agent is called': {
    house: { queues: [queue('6000', { treatment: 'music' })], agents: AGENTS },
    begin: refuses,
    steps: [calls(1, '6000'), lifts(3), parked],
    pair: '134',
  },
};

type Death = 'said' | 'unsaid' | 'forgotten';

/** Lives a play; at input `at` the box is replaced. */
function play(p: Play, at: number, death: Death) {
  const c = new Centrum(p.house);
  c.as(1, (cx) => nailUp(cx, { device: '1004' }));
  c.pass(300);
  c.phone(4).lift();
  c.pass(300);
  if (Object.keys(p.house.agents ?? []).length > 0) c.on(4);
  p.begin?.(c);
  c.pass(300);
  const { lab } = c;
  let inputs = 0;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    inputs += 1;
    if (inputs !== at || death !== 'forgotten') receive(ip, port, text);
    if (inputs !== at) return;
    if (death === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  let next = 0;
  let from = lab.now;
  for (let ms = 0; ms < 40_000; ms += STEP) {
    const step = p.steps[next];
    if (step !== undefined && step.wait <= lab.now - from && step.do(c)) {
      next += 1;
      from = lab.now;
    }
    c.media.act();
    for (const phone of c.phones) phone.act();
    lab.pass(STEP);
  }
  const pair = c.phones.map((phone, i) => (phone.living().length > 0 ? `${i + 1}` : '')).join('');
  const nails = [...lab.cx.store.rows(NAIL)].filter((n) => n.state === 'parked').map((n) => n.leg);
  const alone = nails.length > 0 ? [] : lost(c);
  return { c, inputs, done: next === p.steps.length, pair, alone };
}

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}; the box is replaced at every input`, (t) => {
    for (const death of ['said', 'unsaid', 'forgotten'] as const) {
      const { inputs } = play(p, 0, death);
      for (let at = 0; at <= inputs; at += 1) {
        const { c, done, pair, alone } = play(p, at, death);
        const label = [`${death}, at ${at} of ${inputs}`, ...c.events, ...c.lab.told].join('\n');
        t.true(done, label);
        t.is(pair, p.pair, label);
        t.deepEqual(alone, [], label);
        t.is(c.phone(4).talks.size, 1, label);
        t.false(c.events.includes('delivered 1004 normal'), label);
        // before he is parked once more
        c.phone(4).hangUp();
        c.pass(1500);
        t.deepEqual(c.end(), [], label);
        t.is(c.lab.cx.store.count(NAIL), 0, label);
      }
    }
  });
}
