/** Who acts on what happens to connections and calls, in this order, in the same turn. */

import type { Context } from '../../proto/context.ts';
import { agentsFollow, agentsMerge } from '../agent/calls.ts';
import { conferenceCallOver, conferencePartyChanged } from '../conference/react.ts';
import { waiterChanged } from '../distribute/arrive.ts';
import { parkPartyChanged } from '../park/park.ts';
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
export function partyChanged(cx: Context, change: PartyChange): void {
  conferencePartyChanged(cx, change);
  parkPartyChanged(cx, change);
  // who has gone waits no more before an agent is free for the next
  waiterChanged(cx, change);
  agentsFollow(cx, change.party);
}

/** A connection is part of another call than before: of `from`. */
export function partyMoved(cx: Context, from: Ccall | undefined, party: Party): void {
  agentsMerge(cx, from, party);
}

/** A call is over; its row goes after this. */
export function callOver(cx: Context, ccall: Ccall, _cause: Cause): void {
  conferenceCallOver(cx, ccall);
  callUnwatched(cx, ccall);
}
