/** The durable record of an upgrade: what it says after a start of the machine, and how it grows. */

import type { Booted, Job, Phase, Step, UpgradeRecord } from './upgrade-terms.ts';

/** Phases in which a job is under way. */
export const ACTIVE: ReadonlySet<Phase> = new Set([
  'fetching',
  'waiting',
  'installing',
  'ready',
  'leaving',
  'trial',
  'reverting',
]);

const MINUTE_MS = 60_000;
/** How long a phase may last before the job is given up, ms. */
const LIMITS: { readonly [p in Phase]?: number } = {
  fetching: 20 * MINUTE_MS,
  waiting: 60 * MINUTE_MS,
  ready: 30 * MINUTE_MS,
  trial: 10 * MINUTE_MS,
};
/** Steps kept. */
const STEPS = 64;

export const REASONS = {
  busyThere: 'the other box is at another job',
  slowFetch: 'the bundle does not come over from the other box',
  slow: 'nothing went on for too long: is the other box there, and are they in step?',
  attempts: 'the installation was interrupted again and again',
  notInStep: 'the new image came up, but the pair never was in step',
  notUp: 'the new image came up, but its service does not answer',
  didNotStart: 'the new image did not start: the boot loader went back to the old slot',
  cameBack: 'the other box was handed the lead, and it came back again and again',
  operator: 'an operator took it back',
  otherSlot: 'the box was started from another slot meanwhile',
} as const;

export function limitOf(phase: Phase): number {
  return LIMITS[phase] ?? Number.POSITIVE_INFINITY;
}

export function withStep(
  record: UpgradeRecord,
  phase: Phase,
  text: string,
  at: number,
): UpgradeRecord {
  const step: Step = { at, phase, text };
  return { ...record, phase, steps: [...record.steps, step].slice(-STEPS) };
}

/** A change of slot that the boot loader has not been told of: nothing is to be undone. */
export function notNext({ job, phase, attempts }: UpgradeRecord): boolean {
  return job.kind === 'switch' && phase === 'ready' && attempts === 0;
}

type Fields<T> = { readonly [name in keyof T]?: unknown };

/** @returns the record; undefined: what was read is none. */
export function recordFrom(json: unknown): UpgradeRecord | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { job, phase, oldSlot, newSlot, attempts, boot, reason, steps } =
    json as Fields<UpgradeRecord>;
  if (typeof job !== 'object' || job === null) return undefined;
  const { id, kind, version, digest, bytes, alone } = job as Fields<Job>;
  const slot = (value: unknown): boolean => value === 'A' || value === 'B';
  const whole =
    [id, version, digest, phase, boot, reason].every((text) => typeof text === 'string') &&
    (kind === 'install' || kind === 'switch') &&
    [bytes, attempts].every((number) => typeof number === 'number') &&
    typeof alone === 'boolean' &&
    (ACTIVE.has(phase as Phase) || phase === 'proved' || phase === 'failed') &&
    slot(oldSlot) &&
    slot(newSlot) &&
    Array.isArray(steps);
  return whole ? (json as UpgradeRecord) : undefined;
}

/**
 * What a record means now that the agent (same start of the machine) or the machine was started anew.
 * `undo`: the boot loader is told that the old slot is the one.
 */
export function resumed(
  record: UpgradeRecord,
  booted: Booted,
  wall: number,
): { readonly record: UpgradeRecord; readonly undo: boolean } {
  const { phase, oldSlot, newSlot } = record;
  const as = (next: Phase, text: string, reason = record.reason, undo = false) => ({
    record: { ...withStep(record, next, text, wall), reason, boot: booted.boot },
    undo,
  });
  if (!ACTIVE.has(phase)) return { record, undo: false };
  if (record.boot === booted.boot) {
    // what was allowed to this agent's forerunner is not known to be so any more
    return phase === 'leaving' ? as('ready', 'asks again') : { record, undo: false };
  }
  if (phase === 'fetching' || phase === 'waiting') {
    if (booted.slot === oldSlot) return { record, undo: false };
    return as('failed', REASONS.otherSlot, REASONS.otherSlot);
  }
  if (booted.slot === newSlot) {
    if (phase === 'trial') return as('trial', `started from slot ${newSlot} again`);
    return as('trial', `started from slot ${newSlot}`, '');
  }
  if (phase === 'installing') return as('waiting', 'the installation was interrupted');
  if (notNext(record)) return as('ready', 'the change of slot was interrupted');
  if (phase === 'reverting') return as('failed', `back in slot ${oldSlot}`);
  return as('failed', REASONS.didNotStart, REASONS.didNotStart, true);
}
