/**
 * Nailed-up devices: a phone that is called once and stays connected. Between calls it hears nothing
 * (its session is inactive); a call for its device takes that session instead of ringing.
 *
 *   nailUp ─ calling ─ answered ─ parked ─┬ a call that is answered already ── bridge ─┐
 *               └ refused: gone     ▲     ├ a caller who waits ── his offer on the leg ┼ talking
 *                                   │     └ its own call (makeCall) ─ at once ─────────┘    │
 *                                   └──────── the call is over, or was taken from it ───────┘
 *
 * Its row of `call` is its own for as long as the phone is connected: no call of programs while it is
 * parked (`ccall` 0), part of theirs while it talks. So programs see it come and go at once, and whatever
 * would hang it up parks it (`parks`); only its phone, a lost session or `releaseNailed` end it.
 */

import type { Context } from '../../proto/context.ts';
import { descriptionIn, EMPTY_TAIL } from '../../proto/sip/text.ts';
import { bridgeFor, bridgeLoses, cancelBridge, isUp } from '../bridge.ts';
import type { Bridge } from '../bridge-rows.ts';
import type { BridgeOutcome } from '../bridged.ts';
import { happen, SILENT } from '../call.ts';
import { conferenceLoses } from '../conference/conference.ts';
import { quiet } from '../control/music.ts';
import { ccallOf, leaveCall } from '../csta/ccall.ts';
import { emit } from '../csta/event.ts';
import { CCALL, type Ccall } from '../csta/rows.ts';
import { targetAnswers } from '../distribute/deliver.ts';
import { distributionOf } from '../distribute/leave.ts';
import { happens } from '../distribute/machine.ts';
import { forkAnew } from '../distribute/treatment.ts';
import type { Offer } from '../invite.ts';
import { callerOf, tidy } from '../leg.ts';
import { describes } from '../offer.ts';
import { endLeg, matesOf } from '../parts.ts';
import { tryNext } from '../redirect.ts';
import { forget, type Outcome, reoffer } from '../renegotiate.ts';
import type { Target } from '../route.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import { transferLoses } from '../transfer.ts';
import { NAIL, type Nail } from './rows.ts';

export function nailAt(cx: Context, device: string): Nail | undefined {
  return cx.store.count(NAIL) === 0 ? undefined : cx.store.find(NAIL, 'device', device);
}

function nailIn(cx: Context, call: number): Nail | undefined {
  return cx.store.count(NAIL) === 0 ? undefined : cx.store.find(NAIL, 'call', call);
}

/** Programs hear that a device is nailed up, or is not any more. */
function tell(cx: Context, n: Nail, nailedUp: boolean): void {
  const { device, session, request } = n;
  const body = { deviceId: device, nailedUp };
  emit(cx, { event: 'nailedUp', devices: [device], ccall: 0, body, session, request });
}

/** What became of the call to its phone. */
export function nailBridged(cx: Context, b: Bridge, outcome: BridgeOutcome): void {
  const n = cx.store.get(NAIL, b.ref);
  if (n === undefined || outcome === 'rings') return;
  if (outcome === 'refused') {
    nailOver(cx, b.call);
    return;
  }
  cx.store.patch(NAIL, n, { state: 'parked', leg: b.other, since: cx.now });
  tell(cx, n, true);
  cx.store.patch(NAIL, n, { session: 0, request: '' });
}

/** Its row of `call` ends: it is nailed up no more. */
export function nailOver(cx: Context, call: number): void {
  const n = nailIn(cx, call);
  if (n === undefined) return;
  cx.store.remove(NAIL, n);
  cx.log('info', `device ${n.device} is nailed up no more`);
  tell(cx, n, false);
  const caller = n.caller === 0 ? undefined : cx.store.get(LEG, n.caller);
  if (caller !== undefined) refuseCaller(cx, caller, 480);
}

// ── calls for it ─────────────────────────────────────────────────────────────────────────────────

/**
 * The session of the one device that `targets` are phones of, when that is nailed up and free. It is
 * taken from now on: a bridge that connects it, or fails, says how it goes on.
 */
export function takeNailed(cx: Context, targets: readonly Target[]): Leg | undefined {
  const device = targets[0]?.extension ?? '';
  const n = device === '' ? undefined : nailAt(cx, device);
  if (n?.state !== 'parked' || n.ending || targets.some((t) => t.extension !== device)) return;
  const leg = cx.store.get(LEG, n.leg);
  if (leg === undefined || !isUp(cx, leg)) return undefined;
  cx.store.patch(NAIL, n, { state: 'taking', since: cx.now });
  return leg;
}

/**
 * The device of `leg` is in the call of programs `into` from now on, when it is nailed up; what is told
 * of that says `csta/publish.ts`.
 */
export function nailJoins(cx: Context, leg: Leg, into: Ccall | undefined): void {
  const n = nailIn(cx, leg.call);
  const call = n === undefined ? undefined : cx.store.get(CALL, n.call);
  if (n === undefined || call === undefined || n.state === 'calling') return;
  if (n.state !== 'talking') {
    cx.store.patch(NAIL, n, { state: 'talking', caller: 0, since: cx.now });
  }
  if (into === undefined || call.ccall !== 0) return;
  cx.store.patch(CCALL, into, { calls: into.calls + 1 });
  cx.store.patch(CALL, call, { ccall: into.id });
  cx.turn.calls.add(call.id);
}

/** The same, for a leg that talks with `mate` now. */
export function nailTalks(cx: Context, leg: Leg, mate: Leg): void {
  if (cx.store.count(NAIL) === 0) return;
  const other = cx.store.get(CALL, mate.call);
  nailJoins(cx, leg, other === undefined ? undefined : ccallOf(cx, other));
}

/** A bridge is over that took it, and did not connect it. */
export function nailLeft(cx: Context, leg: number): void {
  const own = cx.store.count(NAIL) === 0 || leg === 0 ? undefined : cx.store.get(LEG, leg);
  const n = own === undefined ? undefined : nailIn(cx, own.call);
  const call = n === undefined ? undefined : cx.store.get(CALL, n.call);
  if (n?.state === 'taking' && n.caller === 0 && call !== undefined) setFree(cx, call);
}

/**
 * A caller whose INVITE is open is answered by the device itself when it is nailed up and free: its phone
 * is offered what he offers, and its answer is his. @returns false when it has to be called.
 */
export function answersNailed(
  cx: Context,
  call: Call,
  targets: readonly Target[],
  offer: Offer,
): boolean {
  const caller = callerOf(cx, call);
  const description = offer.description ?? descriptionIn(offer.tail);
  if (caller?.state !== 'inviting' || caller.peer !== 0) return false;
  if (offer.offerless || description === '') return false;
  const leg = takeNailed(cx, targets);
  const n = leg === undefined ? undefined : nailIn(cx, leg.call);
  if (leg === undefined || n === undefined) return false;
  cx.store.patch(NAIL, n, { caller: caller.id });
  // when he goes, it is let go (`callEnds`)
  cx.store.patch(LEG, caller, { peer: leg.id });
  reoffer(cx, leg, description, 'nail', n.id);
  return true;
}

/** The waiting caller is not for it any more: somebody else is called for him. */
export function nailWithdrawn(cx: Context, call: Call): void {
  const caller = cx.store.count(NAIL) === 0 ? undefined : callerOf(cx, call);
  const leg = caller === undefined ? undefined : cx.store.get(LEG, caller.peer);
  const n = leg === undefined ? undefined : nailIn(cx, leg.call);
  const own = n === undefined ? undefined : cx.store.get(CALL, n.call);
  if (caller === undefined || own === undefined || n?.caller !== caller.id) return;
  cx.store.patch(LEG, caller, { peer: 0 });
  cx.store.patch(NAIL, n, { caller: 0 });
  setFree(cx, own);
}

/** What became of a caller's offer. @returns false when nobody wants it any more. */
export function nailOutcome(cx: Context, ref: number, outcome: Outcome): boolean {
  const n = cx.store.get(NAIL, ref);
  const caller = n === undefined || n.caller === 0 ? undefined : cx.store.get(LEG, n.caller);
  const call = caller === undefined ? undefined : cx.store.get(CALL, caller.call);
  const { leg } = outcome;
  const own = cx.store.get(CALL, leg.call);
  if (n?.state !== 'taking' || caller === undefined || call === undefined || own === undefined) {
    return false;
  }
  if (outcome.kind === 'refused' || !describes(outcome.m)) {
    const status = outcome.kind === 'refused' ? outcome.status : 488;
    cx.store.patch(NAIL, n, { caller: 0 });
    setFree(cx, own);
    refuseCaller(cx, caller, status);
    return true;
  }
  const d = distributionOf(cx, call.id);
  if (d?.state === 'offering') {
    if (d.shown) forkAnew(cx, caller);
    targetAnswers(cx, d, leg);
  }
  cx.store.patch(LEG, leg, { peer: caller.id });
  nailTalks(cx, leg, caller);
  happen(cx, call, 'pickup', { ...SILENT, leg, m: outcome.m, status: 200 });
  // it is no pick-up: he is answered by whom he called
  cx.turn.causes.set(call.id, 'normal');
  return true;
}

/** Its phone will not have the call: as a phone's refusal, without a leg that could go. */
function refuseCaller(cx: Context, caller: Leg, status: number): void {
  const call = cx.store.get(CALL, caller.call);
  if (call === undefined || (call.state !== 'trying' && call.state !== 'ringing')) return;
  cx.store.patch(LEG, caller, { peer: 0 });
  const d = distributionOf(cx, call.id);
  if (d?.state === 'offering') {
    happens(cx, d, 'refuse', { status, cause: 'busy' });
    return;
  }
  const rings = cx.store.all(LEG, 'call', call.id).some((l) => l.side === 'callee');
  const what = { ...SILENT, status, tail: EMPTY_TAIL };
  happen(cx, call, status >= 600 ? 'decline' : 'refuse', what);
  if (!rings && !tryNext(cx, call)) happen(cx, call, 'exhaust', what);
  tidy(cx, call);
}

// ── the end of its calls ─────────────────────────────────────────────────────────────────────────

/** `leg` is to be hung up by us, but not what it is nailed up by. */
export function parksLeg(cx: Context, leg: Leg): boolean {
  const call = cx.store.count(NAIL) === 0 ? undefined : cx.store.get(CALL, leg.call);
  return call !== undefined && parks(cx, call);
}

/**
 * A row of `call` is to end that a device is nailed up by: whom it talked with is hung up, and it is
 * parked. @returns false when it is none, or is to end indeed.
 */
export function parks(cx: Context, call: Call): boolean {
  const n = nailIn(cx, call.id);
  const leg = n === undefined ? undefined : cx.store.get(LEG, n.leg);
  if (n === undefined || leg === undefined || n.ending || !isUp(cx, leg)) return false;
  const { caller } = n;
  forget(cx, 'nail', n.id, leg.id);
  const mates = matesOf(cx, leg);
  cx.store.patch(NAIL, n, { state: 'parked', caller: 0, since: cx.now });
  cx.store.patch(LEG, leg, { peer: leg.id, held: false, muted: false, part: 'device' });
  bridgeLoses(cx, leg);
  transferLoses(cx, leg);
  conferenceLoses(cx, call.id);
  for (const mate of mates) endLeg(cx, mate);
  const waits = caller === 0 ? undefined : cx.store.get(LEG, caller);
  if (waits !== undefined) refuseCaller(cx, waits, 480);
  if (call.ccall !== 0) {
    if (cx.turn.causes.get(call.id) === undefined) {
      cx.turn.causes.set(call.id, 'normalClearing');
    }
    leaveCall(cx, call);
    cx.store.patch(CALL, call, { ccall: 0 });
    cx.turn.calls.add(call.id);
  }
  quiet(cx, leg);
  return true;
}

/** What it was taken for did not come to be. */
function setFree(cx: Context, call: Call): void {
  happen(cx, call, 'end', { ...SILENT, tail: EMPTY_TAIL });
  tidy(cx, call);
}

/** It is hung up now, or as soon as its call is over. */
export function letNailGo(cx: Context, n: Nail): void {
  const { session, request } = cx.turn;
  cx.store.patch(NAIL, n, { ending: true, session, request });
  const call = cx.store.get(CALL, n.call);
  if (call === undefined) return;
  const bridge = bridgeFor(cx, call);
  if (bridge !== undefined) cancelBridge(cx, bridge);
  else if (n.state === 'parked') setFree(cx, call);
}
