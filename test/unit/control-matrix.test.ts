/**
 * Every function a program has over a call, in every state of calls: what it is answered; and where it is
 * accepted, the box is replaced before it, right after it, and at each message that follows from it. What
 * comes of it is the same, the phones have nothing to complain of, every other function still works, and
 * in the end nothing is left.
 */

import test from 'ava';
import type { Lab } from './call-lab.ts';
import { ANSWERS } from './control-answers.ts';
import {
  ask,
  type Cast,
  end,
  FUNCTIONS,
  type Func,
  faults,
  STATES,
  settle,
  stage,
  view,
} from './control-lab.ts';

const ALL = Object.keys(FUNCTIONS) as Func[];

/** Functions in an order in which one leaves room for the next. */
const TOUR: readonly Func[] = [
  'unmute',
  'retrieveCall',
  'mute',
  'unmute',
  'generateDigits',
  'holdCall',
  'retrieveCall',
  'consultationCall',
  'alternateCall',
  'reconnectCall',
  'consultationCall',
  'transferCall',
  'makeCall',
  'holdCall',
  'retrieveCall',
  'singleStepTransferCall',
  'makeCall',
  'clearConnection',
  'clearCall',
];

const DEATHS = ['said', 'unsaid', 'forgotten'] as const;

/** Another box leads; what it says again it says before anybody says more. */
function replaced(lab: Lab): void {
  lab.swap(false);
  lab.pass(10);
}

type Run = { readonly cast: Cast; readonly said: string; readonly inputs: number };

/** 0: the box is replaced before the request, 1: right after it, then at each input; -1: never. */
function run(state: string, f: Func, at: number): Run {
  const cast = stage('music');
  STATES[state]?.(cast);
  const { lab } = cast;
  const death = DEATHS[at % 3];
  if (at === 0) replaced(lab);
  const air = lab.air.length;
  const said = ask(cast, f, '"r1"');
  if (at === 1) {
    lab.air.length = air;
    replaced(lab);
  }
  let inputs = 1;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    inputs += 1;
    if (inputs !== at || death !== 'forgotten') receive(ip, port, text);
    if (inputs !== at) return;
    if (death === 'unsaid') lab.air.length = before;
    replaced(lab);
  };
  settle(cast, 5000);
  return { cast, said, inputs };
}

/** Every other function that is accepted as things stand. @returns how many were. */
function tour(cast: Cast, bad: string[]): number {
  let done = 0;
  for (const f of TOUR) {
    if (ask(cast, f) !== 'ok') continue;
    done += 1;
    settle(cast, 2500);
    bad.push(...faults(cast).map((x) => `after ${f}: ${x}`));
  }
  return done;
}

let cells = 0;
let runs = 0;
let toured = 0;

for (const state of Object.keys(STATES)) {
  test(`functions asked for when: ${state}`, (t) => {
    const answers: Record<string, string> = {};
    for (const f of ALL) {
      const plain = run(state, f, -1);
      answers[plain.said] = `${answers[plain.said] ?? ''} ${f}`.trim();
      cells += 1;
      t.deepEqual(faults(plain.cast), [], `${state}, ${f}`);
      const becomes = view(plain.cast);
      if (plain.said !== 'ok') continue;
      for (let at = 0; at <= plain.inputs; at += 1) {
        const { cast, said } = run(state, f, at);
        const where = `${state}, ${f}, replaced at ${at}: ${view(cast)}\n${cast.phones.map((p) => p.story.join(', ')).join('\n')}`;
        t.is(said, 'ok', where);
        t.deepEqual(faults(cast), [], where);
        t.is(view(cast), becomes, where);
        const bad: string[] = [];
        if (at % 2 === 0) toured += tour(cast, bad);
        t.deepEqual([...bad, ...end(cast, at)], [], where);
        runs += 1;
      }
    }
    t.deepEqual(answers, ANSWERS[state]);
    t.log(`${cells} cells, ${runs} runs with a switchover, ${toured} functions after them`);
  });
}
