/** What a program names in a request, found in the rows: connections, calls, devices. */

import type { Context } from '../../proto/context.ts';
import { extensionOf, type PhoneControl, PLAIN_CONTROL } from '../../proto/site.ts';
import { type Refusal, refuse } from '../csta/refusal.ts';
import { CCALL, type Ccall, PARTY, type Party } from '../csta/rows.ts';
import { partner } from '../leg.ts';
import { CALL, LEG, type Leg } from '../rows.ts';

/** A connection as CSTA names it (ECMA-269 6.1.5): a device in a call. */
export type Connection = { readonly callId: number; readonly deviceId: string };

/** What most requests are about. */
export type OneCall = { readonly connection: Connection };

/** The connection; a Refusal says whether the call or the device in it is unknown. */
export function partyOf(cx: Context, { callId, deviceId }: Connection): Party | Refusal {
  if (cx.store.get(CCALL, callId) === undefined) return refuse('invalidCallId');
  for (const party of cx.store.all(PARTY, 'ccall', callId)) {
    if (party.device === deviceId) return party;
  }
  return refuse('invalidConnectionId');
}

/** The call by its id; a Refusal when there is none. */
export function callIn(cx: Context, callId: number): Ccall | Refusal {
  return cx.store.get(CCALL, callId) ?? refuse('invalidCallId');
}

/** The leg of a connection; undefined for one that waits at a queue or routing point. */
export function legOf(cx: Context, party: Party): Leg | undefined {
  return party.leg === 0 ? undefined : cx.store.get(LEG, party.leg);
}

/** The leg it talks with, whichever row of `call` that is in. */
export function otherLeg(cx: Context, leg: Leg): Leg | undefined {
  const call = cx.store.get(CALL, leg.call);
  return call === undefined ? undefined : partner(cx, call, leg);
}

/** Connections of a device, of one state or any. */
export function partiesAt(cx: Context, device: string, state?: Party['state']): readonly Party[] {
  const all = cx.store.all(PARTY, 'device', device);
  return state === undefined ? all : all.filter((p) => p.state === state);
}

/** How programs steer a device's phone. */
export function controlOf(cx: Context, device: string): PhoneControl {
  return extensionOf(cx.settings.site, device)?.control ?? PLAIN_CONTROL;
}

/**
 * The next event of this connection carries the reference of the request that is being done, whenever
 * it comes.
 */
export function remember(cx: Context, party: Party): void {
  const { session, request } = cx.turn;
  if (session !== 0) cx.store.patch(PARTY, party, { session, request });
}
