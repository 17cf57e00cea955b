/**
 * Roles and takeover as data. `ROWS` says, for every phase a box can be in and everything that can
 * happen to it, what it does and what it is afterwards; the sentry only looks up and obeys. A test
 * proves that every pair of phase and event has an answer and that no row is dead; the manual's
 * picture is printed from here.
 *
 *            loaded            a primary is heard
 *   loading ───────▶ looking ─────────────────────▶ following ◀───────────── awaiting
 *                       │ elected                     │  ▲ it lives             ▲
 *                       ▼          link closed,       │  │                      │ VIP is down:
 *                    probing ◀──── silent ────────────┘  │                      │ hand over
 *                     │ ▲ │ ◀────────────────────────────┼── 1 s, no primary ───┤
 *          VIP answers│ │ │ quiet                        │                      │
 *                     ▼ │ ▼                              │                   dropping
 *       (fencing) waiting  reigning ◀── goodbye, gone ───┘                      ▲ flushed
 *                     │       │ durable                                         │
 *                     └─quiet─┤                                              flushing
 *                             ▼                                                 ▲ switchover,
 *                          claiming ──── VIP is up ────▶ primary ───────────────┘ own LAN lost
 *                                                          │ lease over, isolated, outranked
 *                                                          └────▶ looking or following
 *
 * `fencing` comes between quiet and reigning where the operator has given the pair a fence.
 */

import { HANDOVER_ROWS } from './handover.ts';
import { DOUBTING, ignore, LEADING, others, PROVING, type Row } from './takeover-row.ts';
import { EVENTS, type PairEvent, PHASES, type Phase } from './takeover-words.ts';
import type { Cause } from './terms.ts';

/** First row that names event and phase, and whose guard holds. */
export const ROWS: readonly Row[] = [
  { on: 'loaded', in: ['loading'], do: ['remember'], to: 'looking', why: 'cold start' },
  ignore('loaded', others('loading'), 'said once'),

  { on: 'peer-leads', in: ['looking'], do: ['follow'], to: 'following', why: 'no preemption' },
  { on: 'peer-leads', in: ['following'], guard: 'new-leader', do: ['follow'], why: 'a new reign' },
  { on: 'peer-leads', in: ['following'], do: ['note-led'], why: 'as it should be' },
  {
    on: 'peer-leads',
    in: ['awaiting', 'dropping'],
    do: ['follow', 'answer-done'],
    to: 'following',
    why: 'the switchover is complete',
  },
  {
    on: 'peer-leads',
    in: [...DOUBTING, 'reigning'],
    guard: 'new-leader',
    do: ['withdraw', 'follow'],
    to: 'following',
    why: 'somebody else has taken over',
  },
  {
    on: 'peer-leads',
    in: [...DOUBTING, 'reigning'],
    guard: 'life-proved',
    do: ['withdraw', 'log-lives', 'follow'],
    to: 'following',
    why: 'link cases 2 and 8: it lives, keep roles',
  },
  {
    on: 'peer-leads',
    in: DOUBTING,
    do: ['note-late'],
    why: 'may have been under way when the sender died: may delay, must not cancel',
  },
  ignore('peer-leads', ['reigning'], 'was under way when the sender died'),
  {
    on: 'peer-leads',
    in: ['claiming'],
    guard: 'new-leader',
    do: ['drop', 'withdraw', 'follow'],
    to: 'following',
    why: 'somebody else has taken over; nothing was said yet',
  },
  {
    on: 'peer-leads',
    in: ['claiming'],
    guard: 'life-proved',
    do: ['drop', 'withdraw', 'log-lives', 'follow'],
    to: 'following',
    why: 'it lives; nothing was said yet',
  },
  ignore('peer-leads', ['claiming'], 'was under way when the sender died'),
  {
    on: 'peer-leads',
    in: LEADING,
    guard: 'outranked',
    do: ['silence', 'drop', 'log-outranked', 'answer-failed', 'follow'],
    to: 'following',
    why: 'two primaries: the higher epoch keeps the VIP',
  },
  {
    on: 'peer-leads',
    in: LEADING,
    do: ['assert-reign'],
    why: 'two primaries: the winner announces again at once',
  },
  ignore('peer-leads', ['loading'], 'an engine without tables follows nobody'),

  {
    on: 'peer-seeks',
    in: ['following'],
    guard: 'leader-gone',
    do: ['suspect-closed', 'probe'],
    to: 'probing',
    why: 'its process was restarted, or lost its lease: nobody is primary',
  },
  {
    on: 'peer-seeks',
    in: ['following'],
    guard: 'both-follow',
    do: [],
    to: 'looking',
    why: 'each gave way to the other: the cold-start table decides',
  },
  {
    on: 'peer-seeks',
    in: DOUBTING,
    guard: 'peer-first',
    do: ['withdraw'],
    to: 'origin',
    why: 'both hear each other: the same table decides on both',
  },
  {
    on: 'peer-seeks',
    in: ['reigning'],
    guard: 'rival-first',
    do: ['withdraw'],
    to: 'origin',
    why: 'both are being promoted: one gives way',
  },
  {
    on: 'peer-seeks',
    in: ['claiming'],
    guard: 'rival-first',
    do: ['drop', 'withdraw'],
    to: 'origin',
    why: 'both are being promoted: one gives way',
  },
  {
    on: 'peer-seeks',
    in: LEADING,
    guard: 'conflict-over',
    do: ['announce'],
    why: 'its last announcements may still stand in caches: ours must be the last',
  },
  ignore('peer-seeks', ['following', ...DOUBTING, 'reigning', 'claiming'], 'goes on'),
  ignore('peer-seeks', LEADING, 'the backup'),
  ignore('peer-seeks', ['loading', 'looking', 'awaiting', 'dropping'], 'read by other rules'),

  {
    on: 'elected',
    in: ['looking'],
    do: ['suspect-cold', 'probe'],
    to: 'probing',
    why: 'the winner still asks whether the VIP is silent',
  },
  ignore('elected', others('looking'), 'only a looking box is elected'),

  {
    on: 'link-closed',
    in: ['following'],
    guard: 'may-stand',
    do: ['suspect-closed', 'probe'],
    to: 'probing',
    why: 'the kernel closed the stream of a dead process, or somebody cut it',
  },
  {
    on: 'link-closed',
    in: ['following'],
    do: ['log-not-eligible'],
    why: 'never promote a stale box',
  },
  { on: 'link-closed', in: LEADING, do: ['log-unmirrored'], why: 'the backup left' },
  ignore('link-closed', others('following', ...LEADING), 'nothing rests on the link'),

  {
    on: 'silent',
    in: ['following'],
    guard: 'may-stand',
    do: ['suspect-silent', 'probe'],
    to: 'probing',
    why: 'power loss, freeze, or both paths cut: the VIP tells',
  },
  { on: 'silent', in: ['following'], do: ['log-not-eligible'], why: 'never promote a stale box' },
  ignore('silent', others('following'), 'nobody is followed'),

  {
    on: 'goodbye',
    in: ['following', 'awaiting', ...DOUBTING],
    guard: 'may-succeed',
    do: ['suspect-goodbye', 'order-reign', 'answer-failed'],
    to: 'reigning',
    why: 'the goodbye proves silence',
  },
  {
    on: 'goodbye',
    in: ['following', 'awaiting', ...DOUBTING],
    do: ['log-not-eligible'],
    why: 'own LAN is down: the old primary takes it back',
  },
  ignore('goodbye', others('following', 'awaiting', ...DOUBTING), 'no longer ours to take'),

  {
    on: 'peer-gone',
    in: ['following', ...DOUBTING],
    guard: 'may-stand',
    do: ['suspect-gone', 'order-reign'],
    to: 'reigning',
    why: 'its sentry has dropped the VIP and shut the door: that proves silence',
  },
  {
    on: 'peer-gone',
    in: ['following', ...DOUBTING],
    do: ['log-not-eligible'],
    why: 'never promote a stale box',
  },
  ignore('peer-gone', others('following', ...DOUBTING), 'it did not lead, or this box does'),
  {
    on: 'peer-yields',
    in: ['following', ...DOUBTING],
    guard: 'whole-and-up',
    do: ['suspect-operator', 'order-reign'],
    to: 'reigning',
    why: 'its operator decided, and it has neither VIP nor voice',
  },
  {
    on: 'peer-yields',
    in: ['following', ...DOUBTING],
    do: ['log-not-eligible'],
    why: 'cannot serve: the old primary takes it back',
  },
  ignore('peer-yields', others('following', ...DOUBTING), 'it did not lead, or this box is at it'),

  {
    on: 'vip-answered',
    in: ['probing'],
    do: ['log-answered', 'probe-later'],
    to: 'waiting',
    why: 'being taken apart, frozen, or link case 8: ask until it ends, or a heartbeat explains it',
  },
  {
    on: 'vip-answered',
    in: ['waiting'],
    do: ['log-answered', 'probe-later'],
    why: 'still answered: an alarm if it lasts',
  },
  {
    on: 'vip-answered',
    in: ['fencing', 'reigning'],
    do: ['log-answered', 'probe-later'],
    to: 'waiting',
    why: 'a late answer is an answer',
  },
  {
    on: 'vip-answered',
    in: ['claiming'],
    do: ['drop', 'log-answered', 'probe-later'],
    to: 'waiting',
    why: 'RFC 5227 §2.1.1: a conflict; nothing was said yet',
  },
  { on: 'vip-answered', in: LEADING, do: ['defend'], why: 'RFC 5227 §2.4 (b): defend once' },
  ignore('vip-answered', ['loading', 'looking', 'following', 'awaiting', 'dropping'], 'not ours'),

  {
    on: 'rival-probes',
    in: PROVING,
    guard: 'yields',
    do: ['probe-later'],
    why: 'RFC 5227 §2.1.1: a probe of another host for the same address is a conflict',
  },
  ignore('rival-probes', PHASES, 'its question, not ours'),

  {
    on: 'quiet',
    in: PROVING,
    guard: 'stranger-near',
    do: ['probe-later'],
    why: 'somebody comes up who may know a later reign: hear it first',
  },
  {
    on: 'quiet',
    in: PROVING,
    guard: 'reign-durable',
    do: ['claim'],
    to: 'claiming',
    why: 'only the claim failed before',
  },
  {
    on: 'quiet',
    in: PROVING,
    guard: 'witness-pending',
    do: ['ask-again'],
    why: 'a silent VIP proves nothing to a box that is cut off itself',
  },
  {
    on: 'quiet',
    in: PROVING,
    guard: 'lease-may-run',
    do: ['ask-again'],
    why: 'where the process answers for the VIP, a frozen one is as quiet as a dead one',
  },
  {
    on: 'quiet',
    in: PROVING,
    guard: 'fence-due',
    do: ['fence'],
    to: 'fencing',
    why: 'a box that is hidden from us is as quiet as a dead one',
  },
  {
    on: 'quiet',
    in: PROVING,
    guard: 'must-fence',
    do: ['probe-later'],
    why: 'a relay is given time between two tries',
  },
  {
    on: 'quiet',
    in: PROVING,
    guard: 'may-stand',
    do: ['order-reign'],
    to: 'reigning',
    why: 'nothing lives that could speak',
  },
  {
    on: 'quiet',
    in: PROVING,
    do: ['withdraw', 'log-not-eligible'],
    to: 'origin',
    why: 'own LAN went down, or the peer called this box stale meanwhile',
  },
  ignore('quiet', others(...PROVING), 'nothing is being proved'),

  {
    on: 'reigning',
    in: ['reigning'],
    guard: 'reign-in-time',
    do: ['note-reign', 'claim'],
    to: 'claiming',
    why: 'durable before speaking',
  },
  {
    on: 'reigning',
    in: ['reigning'],
    guard: 'this-reign',
    do: ['note-reign', 'probe-later'],
    to: 'waiting',
    why: 'the disk was slow, we slept, or our LAN went: somebody may have begun meanwhile, ask again',
  },
  { on: 'reigning', in: DOUBTING, guard: 'this-reign', do: ['note-reign'], why: 'came meanwhile' },
  ignore('reigning', PHASES, 'of an order taken back'),

  {
    on: 'fenced',
    in: ['fencing'],
    guard: 'may-stand',
    do: ['order-reign'],
    to: 'reigning',
    why: 'nothing lives that could speak',
  },
  {
    on: 'fenced',
    in: ['fencing'],
    do: ['withdraw', 'log-not-eligible'],
    to: 'origin',
    why: 'own LAN went down, or the peer called this box stale meanwhile',
  },
  ignore('fenced', others('fencing'), 'came too late to matter'),
  {
    on: 'fence-failed',
    in: ['fencing'],
    do: ['log-fence-failed', 'probe-later'],
    to: 'waiting',
    why: 'the operator wants no second primary: asks and tries again',
  },
  ignore('fence-failed', others('fencing'), 'came too late to matter'),

  {
    on: 'vip-up',
    in: ['claiming'],
    guard: 'claim-in-time',
    do: ['announce', 'lease', 'speak', 'tell', 'advertise'],
    to: 'primary',
    why: 'face, then voice',
  },
  {
    on: 'vip-up',
    in: ['claiming'],
    do: ['log-claim-failed', 'drop', 'probe-later'],
    to: 'waiting',
    why: 'we slept meanwhile: somebody may have begun, and the lease would be over already',
  },
  { on: 'vip-up', in: LEADING, do: ['extend'], why: 'renewed' },
  ignore('vip-up', others('claiming', ...LEADING), 'a drop was asked after it'),

  {
    on: 'vip-lost',
    in: ['claiming'],
    do: ['log-claim-failed', 'drop', 'probe-later'],
    to: 'waiting',
    why: 'release, ask again, try again',
  },
  { on: 'vip-lost', in: LEADING, do: ['repair'], why: 'the lease still runs; it ends by itself' },
  ignore('vip-lost', others('claiming', ...LEADING), 'not wanted'),

  {
    on: 'vip-down',
    in: ['dropping'],
    do: ['hand-over', 'expect-primary'],
    to: 'awaiting',
    why: 'silent',
  },
  ignore('vip-down', others('dropping'), 'as asked'),

  ...HANDOVER_ROWS,
];

/** Rows by phase and event, in the order they are tried. */
const INDEX: ReadonlyMap<string, readonly Row[]> = new Map(
  PHASES.flatMap((phase) =>
    EVENTS.map((on) => [
      `${phase} ${on}`,
      ROWS.filter((row) => row.on === on && row.in.includes(phase)),
    ]),
  ),
);

/** @returns the rows for this event in this phase, to be tried in order; the last has no guard. */
export function rowsFor(phase: Phase, on: PairEvent): readonly Row[] {
  return INDEX.get(`${phase} ${on}`) ?? [];
}

/** A step of the takeover, as the manual and the log number them. */
export type Step = {
  readonly step: string;
  readonly phase: readonly Phase[];
  readonly confirmedBy: readonly PairEvent[];
  /** Who does it. */
  readonly by: 'sentry' | 'engine' | 'edge';
};

/** Each step starts when the one above is confirmed by an input. */
export const STEPS: readonly Step[] = [
  {
    step: 'suspect',
    phase: ['following', 'looking', 'awaiting'],
    confirmedBy: [
      'link-closed',
      'silent',
      'goodbye',
      'elected',
      'peer-seeks',
      'promote',
      'timeout',
    ],
    by: 'sentry',
  },
  { step: 'stand', phase: ['following', 'looking', 'awaiting'], confirmedBy: [], by: 'sentry' },
  {
    step: 'silence',
    phase: DOUBTING,
    confirmedBy: ['quiet', 'goodbye', 'peer-gone', 'peer-yields', 'fenced'],
    by: 'sentry',
  },
  { step: 'drain', phase: ['reigning'], confirmedBy: [], by: 'engine' },
  { step: 'reign', phase: ['reigning'], confirmedBy: ['reigning'], by: 'engine' },
  { step: 'face', phase: ['claiming'], confirmedBy: ['vip-up'], by: 'edge' },
  { step: 'speak', phase: ['primary'], confirmedBy: [], by: 'engine' },
  { step: 'tell', phase: ['primary'], confirmedBy: [], by: 'sentry' },
];

/** Causes that start a takeover nobody asked for: the flap guard counts these. */
export const AUTOMATIC: readonly Cause[] = [
  'lan-lost',
  'engine-stuck',
  'peer-closed',
  'peer-silent',
];
