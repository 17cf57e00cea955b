/** Directed pick-up: what rings at one device rings at another, which takes it (ECMA-269 17.1.13). */

import type { Context } from '../../proto/context.ts';
import { legOf, remember } from '../control/find.ts';
import { type Done, type Refusal, refuse } from '../csta/refusal.ts';
import type { Party } from '../csta/rows.ts';
import { deflect } from '../redirect.ts';
import { route } from '../route.ts';
import { CALL } from '../rows.ts';

export function pickUpRinging(cx: Context, party: Party, device: string): Done | Refusal {
  const leg = legOf(cx, party);
  const call = leg === undefined ? undefined : cx.store.get(CALL, leg.call);
  if (leg?.state !== 'early' || call === undefined || device === party.device) {
    return refuse('invalidConnectionState');
  }
  if (route(cx, device).kind !== 'targets') return refuse('deviceOutOfService', device);
  const { ccall } = party;
  remember(cx, party);
  if (!deflect(cx, call, leg, device)) return refuse('requestIncompatibleWithCall');
  cx.turn.causes.set(call.id, 'callPickup');
  return { callId: ccall };
}
