/**
 * Conferences: whatever happens at whichever step (the box is replaced, somebody hangs up), the phones and
 * the media service find nothing to complain of, those who are in hear and are heard as they should, and no
 * row is left once everybody has hung up.
 */

import test from 'ava';
import {
  conferenceCall,
  holdMember,
  muteMember,
  retrieveMember,
  singleStepConferenceCall,
} from '../../src/call/conference/commands.ts';
import { CONFERENCE, MEMBER } from '../../src/call/conference/rows.ts';
import { PARTY, type Party } from '../../src/call/csta/rows.ts';
import { isRefusal } from '../../src/call/csta/refusal.ts';
import { LEG, type Leg } from '../../src/call/rows.ts';
import { EVENT, MONITOR } from '../../src/call/csta/rows.ts';
import { REGOUT } from '../../src/call/trunk-rows.ts';
import type { Context } from '../../src/proto/context.ts';
import { act, at, type Cast, command, complaints, live, STEP, stage, told } from './conference-lab.ts';

type Step = { readonly wait: number; readonly do: (cast: Cast) => boolean };

function phone(cast: Cast, n: number) {
  return cast.phones[n - 1] as Cast['phones'][number];
}

const calls = (n: number, number: string): Step => ({
  wait: 500,
  do: (cast) => {
    phone(cast, n).call(number);
    return true;
  },
});
const lifts = (n: number, status = 200): Step => ({
  wait: 300,
  do: (cast) => phone(cast, n).lift(status),
});
const hangsUp = (n: number, i = 0): Step => ({
  wait: 1500,
  do: (cast) => {
    const talk = phone(cast, n).living()[i];
    if (talk !== undefined) phone(cast, n).bye(talk);
    return talk !== undefined;
  },
});
/** A request, asked again while it is refused: a box that was replaced may still be busy. */
const asks = (f: Parameters<typeof command>[1], wait = 900): Step => ({
  wait,
  do: ({ lab }) => !isRefusal(command(lab, f)),
});

function partyAt(cx: Context, device: string): Party {
  return cx.store.all(PARTY, 'device', device)[0] as Party;
}
function legAt(cx: Context, device: string): Leg {
  return cx.store.get(LEG, partyAt(cx, device)?.leg ?? 0) as Leg;
}

/** 1001 talks with 1002 and consults 1003, who answers. */
const CONSULT = [calls(1, '1002'), lifts(2), calls(1, '1003'), lifts(3)] as const;
const CONFER = [
  ...CONSULT,
  asks((cx) => conferenceCall(cx, { heldCall: at(cx, '1001', 0), activeCall: at(cx, '1001', 1) })),
] as const;
const TALK = [calls(1, '1002'), lifts(2)] as const;
const join = (participationType: 'active' | 'silent' = 'active', device = '1003'): Step =>
  asks((cx) =>
    singleStepConferenceCall(cx, {
      activeCall: at(cx, '1001'),
      deviceToJoin: device,
      participationType,
    }),
  );

type Play = {
  readonly steps: readonly Step[];
  readonly members: readonly string[];
  /** Phones that talk at the end. */
  readonly living: readonly number[];
};

const THREE = ['talk 1001', 'talk 1002', 'talk 1003'];

const PLAYS: Record<string, Play> = {
  'two calls become one': { steps: CONFER, members: THREE, living: [1, 2, 3] },
  'one of three leaves': {
    steps: [...CONFER, hangsUp(2)],
    members: ['talk 1001', 'talk 1003'],
    living: [1, 3],
  },
  'who conferenced leaves': {
    steps: [...CONFER, hangsUp(1)],
    members: ['talk 1002', 'talk 1003'],
    living: [2, 3],
  },
  'two leave': { steps: [...CONFER, hangsUp(2), hangsUp(3)], members: [], living: [] },
  'a fourth is called': {
    steps: [...CONFER, join('active', '1004'), lifts(4)],
    members: [...THREE, 'talk 1004'],
    living: [1, 2, 3, 4],
  },
  'one joins by a single step': { steps: [...TALK, join(), lifts(3)], members: THREE, living: [1, 2, 3] },
  'one joins silently': {
    steps: [...TALK, join('silent'), lifts(3)],
    members: ['listen 1003', 'talk 1001', 'talk 1002'],
    living: [1, 2, 3],
  },
  'the one to join refuses': { steps: [...TALK, join(), lifts(3, 486)], members: [], living: [1, 2] },
  'a call ends while another is to join': {
    steps: [...TALK, join(), hangsUp(2)],
    members: [],
    living: [],
  },
  'one is muted': {
    steps: [...CONFER, asks((cx) => muteMember(cx, partyAt(cx, '1002'), true) ?? {})],
    members: ['muted 1002', 'talk 1001', 'talk 1003'],
    living: [1, 2, 3],
  },
  'one is muted and heard again': {
    steps: [
      ...CONFER,
      asks((cx) => muteMember(cx, partyAt(cx, '1002'), true) ?? {}),
      asks((cx) => muteMember(cx, partyAt(cx, '1002'), false) ?? {}),
    ],
    members: THREE,
    living: [1, 2, 3],
  },
  'one is held': {
    steps: [...CONFER, asks((cx) => ({ held: holdMember(cx, legAt(cx, '1002')) }), 1500)],
    members: ['talk 1001', 'talk 1003'],
    living: [1, 2, 3],
  },
  'one is held and retrieved': {
    steps: [
      ...CONFER,
      asks((cx) => ({ held: holdMember(cx, legAt(cx, '1002')) }), 1500),
      asks((cx) => ({ back: retrieveMember(cx, legAt(cx, '1002')) }), 1500),
    ],
    members: THREE,
    living: [1, 2, 3],
  },
};

type Death = 'said' | 'unsaid' | 'forgotten';

function play(p: Play, swapAt: number, death: Death): Cast & { inputs: number; done: boolean } {
  const cast = stage();
  const { lab } = cast;
  let inputs = 0;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    inputs += 1;
    if (inputs !== swapAt || death !== 'forgotten') receive(ip, port, text);
    if (inputs !== swapAt) return;
    if (death === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  let next = 0;
  let from = lab.now;
  for (let ms = 0; ms < 45_000 && (next < p.steps.length || lab.now - from < 12_000); ms += STEP) {
    const step = p.steps[next];
    if (step !== undefined && step.wait <= lab.now - from && step.do(cast)) {
      next += 1;
      from = lab.now;
    }
    act(cast);
    lab.pass(STEP);
  }
  return { ...cast, inputs, done: next === p.steps.length };
}

/** Everybody hangs up, and nothing is left but what is told and who is registered. */
function over(cast: Cast): number {
  for (const one of cast.phones) for (const talk of one.living()) one.bye(talk);
  live(cast, 3000);
  cast.lab.pass(200_000);
  const { store } = cast.lab;
  const kept = store.count(EVENT) + store.count(MONITOR) + store.count(REGOUT) + 4;
  return cast.lab.rows() - kept;
}

for (const [name, p] of Object.entries(PLAYS)) {
  for (const death of ['said', 'unsaid', 'forgotten'] as const) {
    test(`${name}; the box is replaced at every input, which was ${death}`, (t) => {
      const { inputs } = play(p, 0, death);
      for (let swapAt = 0; swapAt <= inputs; swapAt += 1) {
        const cast = play(p, swapAt, death);
        const label = `swap at ${swapAt} of ${inputs}`;
        const story = () => `${label}\n${told(cast.lab).join('\n')}\n${cast.lab.told.join('\n')}`;
        t.true(cast.done, story());
        t.deepEqual(complaints(cast), [], story());
        t.deepEqual(cast.media.members(), p.members, story());
        t.true(cast.media.conferences().length <= 1, story());
        const living = cast.phones.flatMap((x, i) => (x.living().length === 1 ? [i + 1] : []));
        t.deepEqual(living, p.living, story());
        t.is(over(cast), 0, story());
        t.is(cast.lab.store.count(CONFERENCE) + cast.lab.store.count(MEMBER), 0, story());
        if (cast.media.living().length > 0) t.fail(story());
      }
    });
  }
}
