/** The shape of a row of the takeover table, and the sets of phases its rows are written with. */

import { type Action, type Guard, type PairEvent, PHASES, type Phase } from './takeover-words.ts';

export type Row = {
  readonly on: PairEvent;
  readonly in: readonly Phase[];
  readonly guard?: Guard;
  readonly do: readonly Action[];
  /** 'origin': where the takeover began. Absent: stay. */
  readonly to?: Phase | 'origin';
  readonly why: string;
};

export const PROVING: readonly Phase[] = ['probing', 'waiting'];
/** The old primary is not yet known to be silent. */
export const DOUBTING: readonly Phase[] = [...PROVING, 'fencing'];
export const LEADING: readonly Phase[] = ['primary', 'flushing'];

/** @returns every phase that is not named. */
export function others(...named: Phase[]): readonly Phase[] {
  return PHASES.filter((phase) => !named.includes(phase));
}

/** A pair of phase and event with nothing to do, and why that is right. */
export function ignore(on: PairEvent, phases: readonly Phase[], why: string): Row {
  return { on, in: phases, do: [], why };
}
