/**
 * What a box says durably about itself, one line in its database. It is written with every batch, so
 * the rows beside it are exactly the state at (recordEpoch, lsn, chain).
 */

import type { Epoch, Instant, Lsn } from '../base/units.ts';

export type BoxRow = {
  /** The reign this box serves or follows. */
  readonly epoch: Epoch;
  /** Position of the rows: the epoch of the record `lsn`, its number, its chain. */
  readonly recordEpoch: Epoch;
  readonly lsn: Lsn;
  readonly chain: number;
  /** Last durable word: this box is the primary of `epoch`. */
  readonly primary: boolean;
  /** Last durable word: the peer is stale, we went on without it since (staleEpoch, staleLsn). */
  readonly peerStale: boolean;
  readonly staleEpoch: Epoch;
  readonly staleLsn: Lsn;
  /** The last reign this box led, until the rows of it are known to be in the history it follows. */
  readonly led: Epoch;
  /** Pair clock and wall clock at the same moment, to place the pair clock after a restart. */
  readonly pairAt: Instant;
  readonly wallAt: Instant;
  /** Next id of each table, by table number. */
  readonly nextIds: readonly number[];
};
