/** What goes to a disk and what comes back from one at start; the edge and the simulator share it. */

import type { Instant } from '../base/units.ts';
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
};

/** What a box finds on its disk at start. */
export type Loaded = {
  readonly box: BoxRow | undefined;
  /** Every row, encoded as `insert` operations (codec.ts), any order. */
  readonly rows: Uint8Array;
  /** Wall clock at load, ms since 1970: used once, to place the pair clock after a cold start. */
  readonly wallNow: Instant;
};
