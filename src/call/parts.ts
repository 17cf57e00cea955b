/**
 * Legs of one row of `call` that are connected with others each for itself (both sides of a call are in a
 * conference, say) do not end with each other: only a leg and whom it talks with do.
 */

import type { Context } from '../proto/context.ts';
import { EMPTY_TAIL } from '../proto/sip/text.ts';
import { bridgeLoses, bridgesOf } from './bridge.ts';
import { happen, SILENT } from './call.ts';
import { quiet } from './control/music.ts';
import { PARTY } from './csta/rows.ts';
import { hangUp, tidy } from './leg.ts';
import { parksLeg } from './nail/nail.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { transferLoses } from './transfer.ts';

/** True when another leg of the call goes on whatever becomes of `leg`. */
function hasStrangers(cx: Context, call: Call, leg: Leg): boolean {
  for (const other of cx.store.all(LEG, 'call', call.id)) {
    if (other.id === leg.id || other.state !== 'confirmed' || other.peer === 0) continue;
    if (other.peer === leg.id || leg.peer === other.id) continue;
    if (other.peer !== other.id || bridgesOf(cx, other).length > 0) return true;
  }
  return false;
}

/** Confirmed legs that are connected with `leg`, or hold it for a program. */
export function matesOf(cx: Context, leg: Leg): Leg[] {
  const ids = new Set<number>();
  if (leg.peer !== 0) ids.add(leg.peer);
  for (const other of cx.store.all(LEG, 'call', leg.call))
    if (other.peer === leg.id) ids.add(other.id);
  for (const holder of holdersOf(cx, leg)) ids.add(holder.id);
  ids.delete(leg.id);
  const found = [...ids].map((id) => cx.store.get(LEG, id));
  return found.filter((l) => l?.state === 'confirmed') as Leg[];
}

/** Legs whose program holds `leg`: they are its other side, though it hears something else. */
export function holdersOf(cx: Context, leg: Leg): Leg[] {
  const call = cx.store.get(CALL, leg.call);
  if (call === undefined || call.ccall === 0) return [];
  const found: Leg[] = [];
  for (const party of cx.store.all(PARTY, 'ccall', call.ccall)) {
    const other = party.leg === 0 ? undefined : cx.store.get(LEG, party.leg);
    if (other?.held && other.peer === leg.id && other.id !== leg.id) found.push(other);
  }
  return found;
}

/**
 * `leg` is over: hung up, lost, or gone. @returns true when only it and whom it was connected with end;
 * false when its call does, by the table of `call.ts`.
 */
export function partsAlone(cx: Context, call: Call, leg: Leg, said: string): boolean {
  if (call.state !== 'talking') return false;
  if (leg.part !== 'media' && !hasStrangers(cx, call, leg)) return false;
  const tail = said === '' ? EMPTY_TAIL : said;
  const mates = matesOf(cx, leg);
  if (leg.state === 'confirmed' && cx.store.get(LEG, leg.id) === leg) hangUp(cx, leg, tail);
  bridgeLoses(cx, leg);
  transferLoses(cx, leg);
  for (const mate of mates) {
    // who is held, or waits for somebody, has lost only what he heard
    const waits = leg.part === 'media' && (holdersOf(cx, mate).length > 0 || isWaiting(cx, mate));
    if (waits) quiet(cx, mate);
    else endLeg(cx, mate, tail);
  }
  tidy(cx, call);
  return true;
}

function isWaiting(cx: Context, leg: Leg): boolean {
  return bridgesOf(cx, leg).some((b) => b.stays === leg.id);
}

/**
 * Ends a leg and whom it is connected with, by BYE with `tail`; not what else is in its call. The way for
 * everybody who wants a leg to end.
 */
export function endLeg(cx: Context, leg: Leg, tail: string = EMPTY_TAIL): void {
  const call = cx.store.get(CALL, leg.call);
  if (call === undefined || cx.store.get(LEG, leg.id) !== leg) return;
  if (!partsAlone(cx, call, leg, tail)) happen(cx, call, 'end', { ...SILENT, tail });
  tidy(cx, call);
}

/**
 * Ends one leg alone, by BYE: whom it was connected with goes on with somebody else, or has nobody
 * (`peer` is its own id) and is the caller's to care for.
 */
export function dismiss(cx: Context, leg: Leg, tail: string = EMPTY_TAIL): void {
  if (cx.store.get(LEG, leg.id) !== leg || leg.state !== 'confirmed') return;
  for (const mate of matesOf(cx, leg)) {
    // a service is of no use alone
    if (mate.part === 'media' && mate.peer === leg.id) hangUp(cx, mate, EMPTY_TAIL);
    else if (mate.peer === leg.id || mate.peer === 0) cx.store.patch(LEG, mate, { peer: mate.id });
  }
  cx.store.patch(LEG, leg, { peer: leg.id, held: false });
  bridgeLoses(cx, leg);
  if (!parksLeg(cx, leg)) hangUp(cx, leg, tail);
}
