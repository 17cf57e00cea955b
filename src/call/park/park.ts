/**
 * Park: a device gives a call to a number where it waits with music, until somebody picks it up there, or
 * the one who parked it is called back. What waits is shown to programs as queued at that number.
 *
 *   parking ─ music is on ─ parked ─┬ picked up, recalled ─ taking ─ answered ── gone
 *      └ no music: nothing happened └────────── refused ───────┘
 */

import type { Context } from '../../proto/context.ts';
import { bridgesOf, bridgeTo, type Targets } from '../bridge.ts';
import type { Bridge } from '../bridge-rows.ts';
import type { BridgeOutcome } from '../bridged.ts';
import { memberOf, talkersIn } from '../conference/members.ts';
import { type Connection, legOf, type OneCall, partyOf } from '../control/find.ts';
import { phonesOf } from '../control/make.ts';
import { answerLines } from '../control/phone.ts';
import type { PartyChange } from '../csta/hooks.ts';
import { clear, remade, tell } from '../csta/publish.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { PARTY, type Party } from '../csta/rows.ts';
import { isExtension } from '../dialplan.ts';
import { mediaLeg } from '../media-service.ts';
import { dismiss, endLeg } from '../parts.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import { pickUpRinging } from './pickup.ts';
import { PARK, type Park } from './rows.ts';

/** So long a call waits before the one who parked it is called, and again after he did not answer, ms. */
const RECALL_MS = 60_000;
const AGAIN_MS = 15_000;
/** Then nobody wants it. */
const RECALLS = 4;
/** How long a recall rings, ms. */
const RINGS_MS = 30_000;

export type ParkCall = OneCall & { readonly parkTo?: string | undefined };

/** The other side of a connection waits at `parkTo`, or at the device itself, which is hung up. */
export function parkCall(cx: Context, p: ParkCall): Done | Refusal {
  const party = partyOf(cx, p.connection);
  if (isRefusal(party)) return party;
  const leg = legOf(cx, party);
  const number = p.parkTo ?? party.device;
  if (!/^[\w*#+-]{1,32}$/.test(number)) return refuse('invalidDestination', number);
  if (leg?.state !== 'confirmed') return refuse('invalidConnectionState');
  const others = talkersIn(cx, party.ccall).filter((t) => t.leg !== leg.id);
  const waits = others.length === 1 ? legOf(cx, others[0] as Party) : undefined;
  if (waits?.state !== 'confirmed' || memberOf(cx, leg) !== undefined) {
    return refuse('requestIncompatibleWithCall', 'There is not one other side.');
  }
  if (bridgesOf(cx, waits).length + bridgesOf(cx, leg).length > 0) return refuse('resourceBusy');
  const play = cx.settings.site.centre.musicOnHold || 'silence';
  const target = mediaLeg(cx, party.ccall, 'music', { play, repeat: 'forever' });
  if (target === undefined) return refuse('resourceOutOfService');
  const { session, request } = cx.turn;
  const row = cx.store.insert(PARK, {
    number,
    ccall: party.ccall,
    leg: waits.id,
    by: party.device,
    parker: leg.id,
    session,
    request,
  });
  const way = { kind: 'targets', targets: [target], later: [] } as const;
  const bridge = bridgeTo(cx, waits, way, { called: 'annc', part: 'media' }, 'park', row.id);
  cx.store.patch(PARK, row, { bridge: bridge.id });
  return { callId: party.ccall, parkedAt: number };
}

export type PickupCall = {
  readonly device: string;
  /** What waits or rings there; or the first that is parked, or rings, at a number. */
  readonly target: Connection | string;
};

/** A device takes what is parked at a number, or what waits or rings at another device. */
export function pickupCall(cx: Context, { device, target }: PickupCall): Done | Refusal {
  if (!isExtension(cx.settings, device)) return refuse('invalidDeviceId', device);
  if (typeof target === 'string') {
    const first = cx.store.all(PARK, 'number', target).find((r) => r.state === 'parked');
    if (first !== undefined) return take(cx, first, device);
    const rings = cx.store.all(PARTY, 'device', target).find((t) => t.state === 'alerting');
    return rings === undefined ? refuse('noCallToAnswer') : pickUpRinging(cx, rings, device);
  }
  const party = partyOf(cx, target);
  if (isRefusal(party)) return party;
  if (party.state === 'alerting') return pickUpRinging(cx, party, device);
  const row = [...cx.store.all(PARK, 'number', party.device)].find((r) => r.ccall === party.ccall);
  if (party.state !== 'queued' || row === undefined) return refuse('invalidConnectionState');
  return take(cx, row, device);
}

function take(cx: Context, row: Park, device: string): Done | Refusal {
  if (row.state !== 'parked') return refuse('resourceBusy');
  const way = phonesOf(cx, device);
  if (isRefusal(way)) return way;
  const { session, request } = cx.turn;
  cx.store.patch(PARK, row, { session, request });
  call(cx, row, device, way);
  return { callId: row.ccall };
}

/** Calls `device` for whoever waits; what he hears until it answers is the music. */
function call(cx: Context, row: Park, device: string, way: Targets): void {
  const leg = cx.store.get(LEG, row.leg);
  if (leg === undefined) return;
  const how = { called: device, lines: answerLines(cx, device), noAnswerMs: RINGS_MS };
  const bridge = bridgeTo(cx, leg, way, how, 'park', row.id);
  cx.store.patch(PARK, row, { state: 'taking', taker: device, bridge: bridge.id });
}

/** What became of the music, or of the device that was called. */
export function parkBridged(
  cx: Context,
  b: Bridge,
  outcome: BridgeOutcome,
  left: readonly Leg[],
): void {
  const row = cx.store.get(PARK, b.ref);
  if (outcome === 'rings') return;
  if (row === undefined) {
    const other = outcome === 'joined' ? cx.store.get(LEG, b.other) : undefined;
    if (other?.part === 'media') dismiss(cx, other);
    return;
  }
  if (outcome === 'joined') for (const leg of left) if (leg.part === 'media') dismiss(cx, leg);
  if (row.state === 'parking') {
    if (outcome === 'joined') parked(cx, row, b);
    else cx.store.remove(PARK, row);
    return;
  }
  if (outcome === 'joined') taken(cx, row, b);
  else again(cx, row);
}

function parked(cx: Context, row: Park, b: Bridge): void {
  const leg = cx.store.get(LEG, row.leg);
  const call = leg === undefined ? undefined : cx.store.get(CALL, leg.call);
  const ccall = call?.ccall ?? row.ccall;
  cx.store.patch(PARK, row, {
    state: 'parked',
    ccall,
    music: b.other,
    bridge: 0,
    recallAt: cx.now + RECALL_MS,
  });
  const party = cx.store.insert(PARTY, {
    ccall,
    call: leg?.call ?? 0,
    device: row.number,
    state: 'queued',
    side: 'called',
    via: row.by,
    since: cx.now,
    startedAt: cx.now,
    session: row.session,
    request: row.request,
  });
  tell(cx, party, 'queued', 'park');
  const parker = row.parker === 0 ? undefined : cx.store.get(LEG, row.parker);
  cx.store.patch(PARK, row, { parker: 0, session: 0, request: '' });
  if (parker === undefined) return;
  cx.turn.causes.set(parker.call, 'park');
  dismiss(cx, parker);
}

function taken(cx: Context, row: Park, b: Bridge): void {
  const other = cx.store.get(LEG, b.other);
  if (other !== undefined) {
    cx.turn.causes.set(other.call, row.recalls > 0 ? 'recall' : 'callPickup');
  }
  leavePark(cx, row, 'diverted');
}

/** The row goes, and the connection of the number with it. */
function leavePark(cx: Context, row: Park, event: 'diverted' | 'connectionCleared'): void {
  const party = partyIn(cx, row);
  cx.store.remove(PARK, row);
  if (party === undefined) return;
  clear(cx, party, event === 'diverted' ? 'callPickup' : 'abandoned', event);
}

/** Nobody answered: it waits on. */
function again(cx: Context, row: Park): void {
  const recallAt = row.recalls > 0 || row.recallAt <= cx.now ? cx.now + AGAIN_MS : row.recallAt;
  cx.store.patch(PARK, row, { state: 'parked', taker: '', bridge: 0, recallAt });
}

/** It has waited long enough: who parked it is called, so often, and then it ends. */
export function parkDue(cx: Context, row: Park): void {
  const recalls = row.recalls + 1;
  if (recalls > RECALLS) {
    cx.log('warning', `call ${row.ccall} parked at ${row.number} by ${row.by}: nobody took it`);
    const leg = cx.store.get(LEG, row.leg);
    leavePark(cx, row, 'connectionCleared');
    if (leg !== undefined) endLeg(cx, leg);
    return;
  }
  cx.store.patch(PARK, row, { recalls, recallAt: cx.now + AGAIN_MS });
  const way = phonesOf(cx, row.by);
  if (!isRefusal(way)) call(cx, row, row.by, way);
}

/** Who waits is gone, or in another call now; or he gave his place to another, who waits on. */
export function parkPartyChanged(cx: Context, { party, is }: PartyChange): void {
  if (is !== undefined || party.leg === 0 || cx.store.count(PARK) === 0) return;
  for (const row of [...cx.store.rows(PARK)]) {
    if (row.leg !== party.leg) continue;
    const heir = row.state === 'parked' ? heirOf(cx, row) : undefined;
    if (heir !== undefined) inherit(cx, row, heir);
    else if (row.state === 'parking') cx.store.remove(PARK, row);
    else leavePark(cx, row, 'connectionCleared');
  }
}

/** Whom the music plays to now. */
function heirOf(cx: Context, row: Park): Leg | undefined {
  const music = cx.store.get(LEG, row.music);
  const heir = music === undefined ? undefined : cx.store.get(LEG, music.peer);
  if (heir?.state !== 'confirmed' || heir.part !== 'device' || heir.id === row.leg)
    return undefined;
  return heir.peer === row.music ? heir : undefined;
}

function inherit(cx: Context, row: Park, heir: Leg): void {
  const own = partyIn(cx, row);
  const ccall = cx.store.get(CALL, heir.call)?.ccall ?? row.ccall;
  // it may have become part of another call, and gone there already
  cx.store.patch(PARK, row, { leg: heir.id, ccall });
  const now = own ?? partyIn(cx, row);
  if (now !== undefined) remade(cx, now, { call: heir.call });
}

/** The connection of the number, where a parked call is shown. */
function partyIn(cx: Context, row: Park): Party | undefined {
  const all = cx.store.all(PARTY, 'device', row.number);
  return all.find((p) => p.leg === 0 && p.ccall === row.ccall && p.state === 'queued');
}
