/** Somebody who is answered already comes to a queue or a routing point. */

import type { Context } from '../../proto/context.ts';
import { arrive, waitsInstead } from '../distribute/arrive.ts';
import { distributionOf } from '../distribute/leave.ts';
import { dismiss, endLeg } from '../parts.ts';
import type { Route } from '../route.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import { hearsNothing } from './music.ts';

/** @returns false when the number is neither. */
export function enter(cx: Context, leg: Leg, way: Route, via: string): boolean {
  const call = cx.store.get(CALL, leg.call);
  if (way.kind !== 'distribute' || call === undefined || leg.state !== 'confirmed') return false;
  cx.store.patch(LEG, leg, { peer: leg.id });
  arrive(cx, call, leg, way.number, way.at, { via });
  return true;
}

/** `leg` gives `other` away to a queue or a routing point. @returns false when it is neither. */
export function giveAway(cx: Context, leg: Leg, other: Leg, way: Route, via: string): boolean {
  if (way.kind !== 'distribute') return false;
  hearsNothing(cx, other);
  cx.turn.causes.set(leg.call, 'singleStepTransfer');
  dismiss(cx, leg);
  return enter(cx, other, way, via);
}

/**
 * The consultation `leg` waits itself: whom its device holds (`held`, with `other`) waits in its place.
 * @returns false when it does not wait.
 */
export function giveTurn(cx: Context, leg: Leg, held: Leg, other: Leg, via: string): boolean {
  if (distributionOf(cx, leg.call)?.leg !== leg.id) return false;
  hearsNothing(cx, other);
  cx.turn.causes.set(held.call, 'transfer');
  dismiss(cx, held);
  cx.store.patch(LEG, other, { peer: other.id });
  waitsInstead(cx, leg, other, via);
  endLeg(cx, leg);
  return true;
}
