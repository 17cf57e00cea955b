/** Somebody who is answered already comes to wait in a queue or at a routing point. */

import type { Context } from '../../proto/context.ts';
import { arrive, waitsInstead } from '../distribute/arrive.ts';
import { distributionOf } from '../distribute/leave.ts';
import { dismiss } from '../parts.ts';
import type { Route } from '../route.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import { hearsNothing } from './music.ts';

export type Waiting = Extract<Route, { kind: 'distribute' }>;

/** `via`: the device that sent him there; '' for none. */
export function enter(cx: Context, leg: Leg, way: Waiting, via: string): void {
  const call = cx.store.get(CALL, leg.call);
  if (call !== undefined) arrive(cx, call, leg, way.number, way.at, { via });
}

/** `leg` talks with nobody any more, and hears nothing. */
function freed(cx: Context, leg: Leg): void {
  hearsNothing(cx, leg);
  cx.store.patch(LEG, leg, { peer: leg.id, held: false });
}

/** `stays` waits from now on; the legs of the device that sent it there are hung up. */
export function sendToWait(cx: Context, stays: Leg, by: Leg, way: Waiting, via: string): void {
  freed(cx, stays);
  freed(cx, by);
  enter(cx, stays, way, via);
  dismiss(cx, by);
}

/**
 * The consultation of `leg` waits: `stays` takes its place. @returns false when it does not wait.
 */
export function takesPlace(cx: Context, stays: Leg, by: Leg, leg: Leg, via: string): boolean {
  if (distributionOf(cx, leg.call)?.leg !== leg.id) return false;
  freed(cx, stays);
  freed(cx, by);
  if (!waitsInstead(cx, leg, stays, via)) return false;
  for (const one of [by, leg]) {
    cx.store.patch(LEG, one, { peer: one.id, held: false });
    dismiss(cx, one);
  }
  return true;
}
