/**
 * Callers, agents, routers and a media service do anything at any time, and the box is replaced at any
 * moment. Nobody is lost: a caller always waits somewhere, is being offered to somebody, or talks. No
 * agent is called for two calls, nobody waits while a free agent could have him, who came first is first,
 * and nothing is left at the end.
 */

import test from 'ava';
import { below, type Chance, seeded } from '../../src/base/chance.ts';
import { setAgentState } from '../../src/call/agent/commands.ts';
import { readyAgents } from '../../src/call/agent/offer.ts';
import { AGENT } from '../../src/call/agent/rows.ts';
import {
  applyTreatment,
  routeEnd,
  routeRegister,
  routeReject,
  routeSelect,
} from '../../src/call/distribute/router.ts';
import { DISTRIBUTION } from '../../src/call/distribute/rows.ts';
import { LEG } from '../../src/call/rows.ts';
import { Centrum, login, lost, point, queue } from './distribute-lab.ts';

const RONA = { afterS: 4, overflow: ['5001', 'recall'], action: 'not-ready' } as const;
const TRY = { afterS: 5, overflow: [], action: 'none' } as const;

function house() {
  return new Centrum({
    points: [
      point('5000', { defaults: ['6000', '1002'], treatment: 'welcome', charge: 'early' }),
      point('5001', { defaults: ['1002', '6001', '1005'], noAnswer: TRY, timeoutS: 3 }),
    ],
    queues: [
      queue('6000', { treatment: 'music', noAnswer: RONA, maxWaitS: 40, overflow: ['5001'] }),
      queue('6001', {
        charge: 'early',
        treatment: 'music',
        maxCalls: 2,
        overflow: ['6000', '1002'],
      }),
    ],
    agents: [
      login('a3', { queues: ['6000', '6001'], noAnswer: RONA }),
      login('a4', { queues: ['6000'] }),
      login('a5', { queues: ['6001'] }),
    ],
  });
}

const NUMBERS = ['5000', '5001', '6000', '6001', '1003', '1004'];
const TARGETS = ['6000', '6001', '5001', '1002', '1004', '1005'];
const pick = <T>(chance: Chance, from: readonly T[]): T => from[below(chance, from.length)] as T;

/** What is wrong now, while messages may be on their way. */
function wrongNow(c: Centrum): string[] {
  const { store } = c.lab.cx;
  const out: string[] = [];
  const booked = new Map<number, number>();
  for (const d of store.rows(DISTRIBUTION)) {
    if (store.get(LEG, d.leg) === undefined) out.push(`${d.device}: nobody waits any more`);
    if (d.state === 'arriving') out.push(`${d.device}: nobody was told of it`);
    if (d.state !== 'offering' && d.agent !== 0) out.push(`${d.device}: an agent is kept in vain`);
    if (d.agent === 0) continue;
    if (booked.has(d.agent)) out.push(`agent ${d.agent} is called for two calls`);
    booked.set(d.agent, d.id);
  }
  for (const name of ['6000', '6001']) {
    const rows = [...store.rows(DISTRIBUTION)].filter((d) => d.device === name);
    const first = rows.filter((d) => d.state === 'waiting' && d.avoid === '');
    const free = readyAgents(c.lab.cx, name);
    if (first.length > 0 && free.length > 0) {
      out.push(`${name}: ${first.length} wait, ${free.map((a) => a.agent).join()} free`);
    }
  }
  return out;
}

function route(c: Centrum, chance: Chance): void {
  const d = pick(chance, [...c.lab.cx.store.rows(DISTRIBUTION)]);
  if (d === undefined) return;
  const routeId = d.id;
  c.as(1, (cx) => {
    const what = below(chance, 10);
    if (what < 4) routeSelect(cx, { routeId, destination: pick(chance, TARGETS) });
    else if (what < 8) {
      const kind = pick(chance, ['music', 'prompt', 'collect', 'ringback'] as const);
      applyTreatment(cx, { routeId, treatment: { kind, prompt: 'p' } });
    } else if (what === 8) routeEnd(cx, { routeId });
    else routeReject(cx, { routeId });
  });
}

function act(c: Centrum, chance: Chance): string {
  const n = 1 + below(chance, 5);
  const phone = c.phone(n);
  switch (below(chance, 14)) {
    case 0:
    case 1:
    case 2: {
      const number = pick(chance, NUMBERS);
      if (number === phone.user) return 'nothing';
      phone.call(number);
      return `${n} calls ${number}`;
    }
    case 3:
    case 4:
    case 5:
      return phone.lift() ? `${n} lifts` : 'nothing';
    case 6:
      return phone.lift(486) ? `${n} refuses` : 'nothing';
    case 7:
      phone.hangUp();
      return `${n} hangs up`;
    case 8:
    case 9:
      route(c, chance);
      return 'a router speaks';
    case 10: {
      const agent = pick(chance, [...c.lab.cx.store.rows(AGENT)]);
      if (agent === undefined) c.on(3 + below(chance, 3));
      else {
        const requestedState = pick(chance, ['ready', 'ready', 'notReady'] as const);
        c.as(1, (cx) => setAgentState(cx, { agentId: agent.agent, requestedState }));
      }
      return 'an agent changes';
    }
    case 11: {
      const talk = phone.living()[0];
      if (talk === undefined) return 'nothing';
      phone.ask(talk, 'REFER', `Refer-To: <sip:${pick(chance, NUMBERS)}@x>\r\n`);
      return `${n} transfers`;
    }
    case 12: {
      const talk = c.media.living()[0];
      if (talk !== undefined) c.media.bye(talk);
      return 'a service hangs up';
    }
    default:
      c.lab.swap(below(chance, 2) === 0);
      return 'the box is replaced';
  }
}

for (let seed = 1; seed <= 40; seed += 1) {
  test(`anything at any time, ${seed}`, (t) => {
    const c = house();
    const chance = seeded(seed);
    c.as(1, (cx) => routeRegister(cx, { deviceId: '5000' }));
    for (const n of [3, 4, 5]) c.on(n);
    const story: string[] = [];
    for (let i = 0; i < 120; i += 1) {
      const did = act(c, chance);
      if (did !== 'nothing') story.push(`${c.lab.now}: ${did}`);
      const tail = () => story.slice(-12).join('; ');
      t.deepEqual(wrongNow(c), [], tail());
      c.pass(pick(chance, [50, 50, 200, 500, 1000, 3000, 6000]));
      t.deepEqual(wrongNow(c), [], tail());
      if (i % 10 === 9) {
        c.pass(8000);
        t.deepEqual(lost(c), [], tail());
      }
    }
    const left = c.end();
    t.deepEqual(left, [], story.slice(-20).join('; '));
  });
}
