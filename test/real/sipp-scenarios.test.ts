/**
 * SIPp scenarios named by the misbehaviour they show, all of them at once: first on a quiet pair, then
 * with the primary killed while each call is in the state its scenario is about. Every call must end
 * where it would have ended, for both sides, and nothing be left on the boxes.
 */

import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { sleep } from '../lab/processes.ts';
import { idle, killPrimary } from './clients/conversation.ts';
import { Malformed } from './clients/malformed.ts';
import { until } from './clients/until.ts';
import { type SippRun, sipp } from './sipp.ts';

type Side = Pick<SippRun, 'scenario' | 'pause' | 'status'>;
type Play = {
  readonly name: string;
  readonly caller: Side;
  /** undefined: it registers, and is gone. */
  readonly callee: Side | undefined;
};

/** Calls of each play at once. */
const CALLS = 5;
/** How long each play stays in the state it is about: the primary dies meanwhile. */
const STAY = 8000;

const PLAYS: readonly Play[] = [
  {
    name: 'ringing',
    caller: { scenario: 'uac-hang-up' },
    callee: { scenario: 'uas-answer', pause: STAY },
  },
  {
    name: 'talking',
    caller: { scenario: 'uac-hang-up', pause: STAY },
    callee: { scenario: 'uas-answer' },
  },
  {
    name: '200 sent, the ACK is late',
    caller: { scenario: 'late-ack', pause: STAY },
    callee: { scenario: 'uas-answer' },
  },
  {
    name: '200 sent, the ACK is lost',
    caller: { scenario: 'lost-ack' },
    callee: { scenario: 'uas-answer' },
  },
  {
    name: 'given up; CANCEL and 200 cross',
    caller: { scenario: 'uac-cancel-while-ringing', pause: STAY },
    callee: { scenario: 'cancel-crosses-200' },
  },
  {
    name: 're-INVITE outstanding, after a glare',
    caller: { scenario: 'uac-hold-resume-and-hang-up' },
    callee: { scenario: 'reinvite-glare', pause: STAY },
  },
  {
    name: 'BYE outstanding; BYE crosses BYE',
    caller: { scenario: 'uac-hang-up' },
    callee: { scenario: 'bye-crosses-bye', pause: STAY },
  },
  {
    name: 'BYE outstanding, never answered',
    caller: { scenario: 'uac-hang-up' },
    callee: { scenario: 'bye-unanswered', pause: STAY },
  },
  {
    name: 'PRACK outstanding',
    caller: { scenario: 'prack-outstanding', pause: STAY },
    callee: { scenario: 'uas-rings-reliably' },
  },
  {
    name: 'UPDATE outstanding in early media',
    caller: { scenario: 'early-media-update' },
    callee: { scenario: 'uas-updated-early', pause: STAY },
  },
  {
    name: 'refreshed by us',
    caller: { scenario: 'session-timer' },
    callee: { scenario: 'uas-answer' },
  },
  {
    name: 'INVITE outstanding, never answered',
    caller: { scenario: 'uac-is-refused', status: 408 },
    callee: undefined,
  },
];

/** All plays to their end; `meanwhile` happens once all calls are there. */
async function round(t: ExecutionContext, lab: Lab, meanwhile: () => Promise<void>) {
  const sides = PLAYS.map(({ name, caller, callee }, i) => {
    const base = { number: 1100 + i, calls: CALLS, rate: CALLS * 2 };
    const uas = { ...base, local: `192.0.2.${20 + i}` };
    return { name, uas, callee, caller: { ...base, ...caller, local: `192.0.2.${50 + i}` } };
  });
  for (const { uas } of sides) {
    const registered = await sipp(lab, { ...uas, scenario: 'register', calls: 1 });
    t.is(registered.code, 0, registered.words);
  }
  const ends = sides.flatMap(({ name, uas, callee, caller }) => {
    const told = (who: string, run: SippRun) =>
      sipp(lab, run).then((end) => ({ who: `${name}: ${who}`, end }));
    const both = callee === undefined ? [] : [told('callee', { ...uas, ...callee })];
    return [...both, told('caller', caller)];
  });
  let seen = 0;
  await until(
    async () => {
      const { boxes, primary } = await lab.status();
      seen = primary === null ? 0 : (boxes[primary].status?.calls ?? 0);
      return seen === PLAYS.length * CALLS;
    },
    () => new Error(`${seen} calls are there, not ${PLAYS.length * CALLS}`),
  );
  // SIPp takes no step back: what was in flight when the primary dies comes again, and must be what its
  // scenario is waiting on.
  await sleep(3000);
  await meanwhile();
  const wrong = (await Promise.all(ends)).filter(({ end }) => end.code !== 0);
  t.is(wrong.length, 0, wrong.map(({ who, end }) => `${who}: ${end.words}`).join('\n'));
  // What nobody answered is given up after 64*T1.
  await idle(lab, 60_000);
}

test.serial('every scenario on a quiet pair', async (t) => {
  const lab = await createLab({ name: labName('sippquiet') });
  t.teardown(() => lab.down());
  const malformed = await Malformed.watch(lab);
  await round(t, lab, async () => {});
  await malformed.none(t);
});

test.serial('every scenario with the primary killed in the middle of it', async (t) => {
  const lab = await createLab({ name: labName('sippkill') });
  t.teardown(() => lab.down());
  const malformed = await Malformed.watch(lab);
  await round(t, lab, () => killPrimary(lab));
  await malformed.none(t);
});
