/**
 * What phase a box is in, and what its HA lamp says: two tables, the first row that fits. What is asked
 * is only whether something answers and what it says. That an update is under way is shown instead of
 * it, and changes nothing in what is judged: a service that dies meanwhile is down.
 */

import type { Millis } from '../../base/units.ts';
import type { LedFacts } from '../leds.ts';
import type { DaemonStatus, Phase, SystemState } from './box-status.ts';

/** Without a word of the daemon for so long, a box that could start it is not booting any more. */
export const BOOT_PATIENCE_MS: Millis = 90_000;
/** A daemon that answered, then left a question without answer and is silent for so long, is down: one may be lost. */
export const DOWN_MS: Millis = 1000;
/** So long it may be restarted on purpose, for a configuration. */
export const RESTART_MS: Millis = 20_000;
/** So long a box may take to end and start from another image. */
const LEAVING_MS: Millis = 180_000;
/** Steps of an update in which the box itself is restarted. */
const LEAVING = ['leaving', 'reverting'];

export type PhaseFacts = {
  readonly daemonAnswers: boolean;
  /** Since it answered last; since the monitor's start, while it never did. */
  readonly silentMs: Millis;
  readonly heardEver: boolean;
  /** What answered last had only begun, and was not in step yet. */
  readonly young: boolean;
  /** There is all that the daemon starts with: a configuration, and the key of the pair. */
  readonly mayStart: boolean;
  /** Since it may. */
  readonly mayStartMs: Millis;
  /** The agent restarts the daemon for a configuration. */
  readonly applying: boolean;
  /** The box is about to be restarted for an update. */
  readonly leaving: boolean;
};

const PHASE_TABLE: readonly {
  readonly phase: Phase;
  readonly when: (f: PhaseFacts) => boolean;
}[] = [
  { phase: 'running', when: (f) => f.daemonAnswers },
  { phase: 'booting', when: (f) => f.applying && f.silentMs < RESTART_MS },
  { phase: 'booting', when: (f) => f.leaving && f.silentMs < LEAVING_MS },
  { phase: 'unconfigured', when: (f) => !f.mayStart && !f.heardEver },
  // in the start of the box itself: what begins is busy, and may begin once more
  {
    phase: 'booting',
    when: (f) => f.young && f.mayStartMs < BOOT_PATIENCE_MS && f.silentMs < RESTART_MS,
  },
  { phase: 'booting', when: (f) => !f.heardEver && f.mayStartMs < BOOT_PATIENCE_MS },
  { phase: 'down', when: () => true },
];

export function phaseOf(facts: PhaseFacts): Phase {
  return PHASE_TABLE.find((row) => row.when(facts))?.phase ?? 'down';
}

/** @returns whether an image is being installed or started. */
function isUpdating(system: SystemState | undefined): boolean {
  const step = system?.upgrade?.step ?? '';
  return step !== '' && step !== 'idle';
}

export function isLeaving(system: SystemState | undefined): boolean {
  return LEAVING.includes(system?.upgrade?.step ?? '');
}

/** For people: an update comes before everything else. */
export function shownPhase(phase: Phase, system: SystemState | undefined): Phase {
  return isUpdating(system) ? 'updating' : phase;
}

export type HaState = LedFacts['ha'];

type HaFacts = { readonly d: DaemonStatus; readonly paired: boolean };

/** Codes of the pair that the red HA lamp is about. */
const CONFLICT = ['vip-conflict', 'two-primaries'];

function active(d: DaemonStatus, codes: readonly string[]): boolean {
  return d.alarms.active.some((a) => codes.includes(a.code));
}

function peerHeard({ peer }: DaemonStatus): boolean {
  return peer !== undefined && (peer.seen.x || peer.seen.l);
}

const HA_TABLE: readonly { readonly ha: HaState; readonly when: (f: HaFacts) => boolean }[] = [
  { ha: 'conflict', when: ({ d }) => active(d, CONFLICT) },
  { ha: 'fenced', when: ({ d }) => active(d, ['fenced']) },
  { ha: 'unpaired', when: ({ paired }) => !paired },
  { ha: 'primary-in-step', when: ({ d }) => d.role === 'primary' && d.inStep },
  { ha: 'backup-in-step', when: ({ d }) => d.role === 'backup' && d.inStep },
  // over the crossover only: that is where the tables come
  { ha: 'resyncing', when: ({ d }) => d.role !== 'starting' && d.peer?.seen.x === true },
  { ha: 'resyncing', when: ({ d }) => d.role === 'starting' && peerHeard(d) },
  { ha: 'alone', when: () => true },
];

export function haOf(phase: Phase, d: DaemonStatus | undefined, paired: boolean): HaState {
  if (d === undefined) return paired || phase !== 'unconfigured' ? 'unknown' : 'unpaired';
  return HA_TABLE.find((row) => row.when({ d, paired }))?.ha ?? 'alone';
}
