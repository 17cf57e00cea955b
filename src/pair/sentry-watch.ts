/**
 * What a sentry keeps an eye on besides the events of the takeover table: conditions that last. Each
 * is an alarm while it holds and is over when it does not; none of them decides anything.
 */

import type { Core } from './sentry-core.ts';
import { DOUBTING, LEADING } from './takeover-row.ts';
import type { Phase } from './takeover-words.ts';

/** Longer than this without the other claimant, and the conflict is over. */
const CONFLICT_OVER_MS = 5000;

type Watch = {
  readonly code: Parameters<Core['raise']>[0];
  readonly on: (c: Core) => boolean;
  readonly text: (c: Core) => string;
};

/** Both boxes have had the time to find each other. */
function settled(c: Core): boolean {
  return c.now - c.startedAt >= c.settings.holdMs;
}

const PROMOTED: readonly Phase[] = [...DOUBTING, 'reigning', 'claiming', ...LEADING];

/** The other box is in step again: its tables are those of this one, whatever it had. */
function joined(c: Core): boolean {
  return c.leading() && c.standing.inStep;
}

export function olderThan(c: Core): string {
  const box = c.settings.box === 'a' ? 'b' : 'a';
  return `box ${box} has newer tables and has been unfit for too long: begun without them`;
}

const WATCHES: readonly Watch[] = [
  {
    code: 'not-protected',
    on: (c) => c.phase === 'primary' && settled(c) && !c.standing.inStep,
    text: () => 'no backup is in step: calls go on, on this box alone',
  },
  {
    code: 'crossover-down',
    on: (c) => settled(c) && c.peer.detector.colour('x', c.now) === 'red',
    text: (c) =>
      c.carrier.x
        ? 'the other box is not heard over the crossover'
        : 'the crossover port has no carrier',
  },
  {
    code: 'lan-path-down',
    // a box that starts is heard on one path an instant before the other
    on: (c) => settled(c) && c.peer.detector.alone('l', c.now),
    text: () => 'the other box is heard over the crossover, but not over the service LAN',
  },
  {
    code: 'lan-down',
    on: (c) => !c.lanUp() && c.loaded !== undefined,
    text: () => 'the port to the service LAN has no carrier',
  },
  {
    code: 'witness-lost',
    on: (c) => c.witnessLost(),
    text: () => 'no witness answers on the service LAN',
  },
  {
    code: 'vip-conflict',
    on: (c) => c.alarms.isActive('vip-conflict') && c.now - c.conflictHeardAt < CONFLICT_OVER_MS,
    text: (c) => `the VIP ${c.settings.vips[0]} is also claimed by ${c.rival}`,
  },
  {
    code: 'two-primaries',
    on: (c) => c.alarms.isActive('two-primaries') && c.conflictSince <= c.now,
    text: () => 'the other box leads too',
  },
  {
    code: 'stranger',
    on: (c) => c.alarms.isActive('stranger') && c.peer.strangerLasts(c.now),
    text: () => 'heartbeats come that do not answer this box: not waited for',
  },
  {
    code: 'older-tables',
    on: (c) => c.alarms.isActive('older-tables') && PROMOTED.includes(c.phase) && !joined(c),
    text: (c) => olderThan(c),
  },
];

/** Raises and clears what lasts, as it is now. */
export function watch(c: Core): void {
  for (const { code, on, text } of WATCHES) {
    if (on(c)) c.raise(code, text(c));
    else c.clear(code);
  }
  if (c.lanLostAt > c.now) c.clear('flap-hold');
}
