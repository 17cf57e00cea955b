/**
 * What of a box can be used up, how much of it is, and how much there is. Where the box has a limit it
 * is that; where it has none it is the most that was measured (docs/performance.md).
 */

import { LIMITS } from '../../base/limits.ts';
import type { Capacity, DaemonStatus } from './box-status.ts';

type Row = {
  readonly what: Capacity;
  readonly limit: number;
  readonly used: (d: DaemonStatus) => number;
  readonly in: string;
};

export const CAPACITIES: readonly Row[] = [
  { what: 'calls', limit: 5000, used: (d) => d.calls ?? 0, in: 'calls' },
  { what: 'registrations', limit: 10_000, used: (d) => d.registrations ?? 0, in: 'registrations' },
  {
    what: 'connections',
    limit: LIMITS.flows,
    used: (d) => d.connections ?? 0,
    in: 'connections of phones and trunks',
  },
  {
    what: 'programs',
    limit: LIMITS.ctiSessions,
    used: (d) => d.programs?.sessions ?? 0,
    in: 'sessions of programs',
  },
  {
    what: 'held',
    limit: LIMITS.heldBusy,
    used: (d) => d.held ?? 0,
    in: 'answers that wait for the other box or the disk',
  },
];
