/** Who acts on what happens to connections and calls, in this order, in the same turn. */

import type { Context } from '../../proto/context.ts';
import type { Cause } from './causes.ts';
import { callUnwatched } from './monitors.ts';
import type { Ccall, Party } from './rows.ts';

export type PartyChange = {
  readonly party: Party;
  /** State before; undefined: it is new. */
  readonly was: Party['state'] | undefined;
  /** State now; undefined: it is cleared. */
  readonly is: Party['state'] | undefined;
  readonly cause: Cause;
};

/** A connection changed; programs were told already. `party` is no row any more when it is cleared. */
export function partyChanged(_cx: Context, _change: PartyChange): void {}

/** A call is over; its row goes after this. */
export function callOver(cx: Context, ccall: Ccall, _cause: Cause): void {
  callUnwatched(cx, ccall);
}
