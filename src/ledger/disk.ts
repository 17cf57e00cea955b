/** What goes to a disk and what comes back from one at start; the edge and the simulator share it. */

import type { Epoch, Instant } from '../base/units.ts';
import type { BoxRow } from './box-row.ts';

/** Rows to write; with them the tables are exactly the state at `box.lsn`. */
export type PersistBatch = {
  readonly ticket: number;
  /** `insert` (whole row, replaces) and `remove` operations, codec.ts. Owned by the taker. */
  readonly bytes: Uint8Array;
  readonly box: BoxRow;
  /** Must be on the medium before `synced` is answered; otherwise a process crash is enough. */
  readonly durable: boolean;
  /** Every table is emptied first: the batch carries a whole state (after a snapshot). */
  readonly reset: boolean;
  /**
   * Not 0: what the disk holds is the state of this reign, which lost. It is copied to a file of its
   * own before `reset` empties the tables; such files are never merged.
   */
  readonly setAside: Epoch;
};

/** What the disk says; the edge and the simulator share it. */
export type DiskWord =
  /** This batch and every one before it is as safe as it asked to be. */
  | { readonly kind: 'synced'; readonly ticket: number; readonly flashBytes: number }
  /** It cannot write, for this reason; it goes on trying. */
  | { readonly kind: 'disk-fault'; readonly text: string }
  /** The database was damaged: it lies beside under this name, an empty one waits for everything. */
  | { readonly kind: 'disk-replaced'; readonly name: string; readonly text: string }
  /** The rows of a reign that lost are kept in this file. */
  | { readonly kind: 'disk-kept'; readonly name: string };

/** What a box finds on its disk at start. */
export type Loaded = {
  readonly box: BoxRow | undefined;
  /** Every row, encoded as `insert` operations (codec.ts), any order. */
  readonly rows: Uint8Array;
  /** Wall clock at load, ms since 1970: used once, to place the pair clock after a cold start. */
  readonly wallNow: Instant;
};
