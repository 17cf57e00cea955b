/** Giving calls away for a program: a consultation completed, one step, and what rings deflected. */

import type { Context } from '../../proto/context.ts';
import { bridgeCall, bridgeFor, bridgeLegs, bridgeTo } from '../bridge.ts';
import { BRIDGE } from '../bridge-rows.ts';
import { memberOf } from '../conference/members.ts';
import { changeData } from '../csta/data.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { CCALL, type Party } from '../csta/rows.ts';
import { deflectWaiting, waitingFor } from '../distribute/arrive.ts';
import { partner } from '../leg.ts';
import { deflect } from '../redirect.ts';
import { callerOn } from '../route.ts';
import { CALL } from '../rows.ts';
import { giveAway, giveTurn } from './enter.ts';
import { legOf, type OneCall, partyOf, remember } from './find.ts';
import { connected, isBusy, type TwoCalls, twoCalls } from './hold.ts';
import { roomLeft, type UserData, wayTo } from './make.ts';
import { noMusic } from './music.ts';
import { noteText } from './note.ts';

/**
 * CSTA Transfer Call (ECMA-269 17.1.30): whom the device holds is connected with whom it consults, who
 * may still ring; the device is hung up once they are.
 */
export function transferCall(cx: Context, p: TwoCalls): Done | Refusal {
  const found = twoCalls(cx, p);
  if (isRefusal(found)) return found;
  const { active, held } = found;
  const leg = legOf(cx, active);
  const call = leg === undefined ? undefined : cx.store.get(CALL, leg.call);
  if (leg === undefined || call === undefined) return refuse('requestIncompatibleWithCall');
  // one who holds himself could not be heard by another
  if (held.other.held) return refuse('requestIncompatibleWithCall');
  if (isBusy(cx, held.leg, held.other)) return refuse('resourceBusy');
  if (giveTurn(cx, leg, held.leg, held.other, active.device)) return {};
  const note = noteText({ do: 'transfer', legs: [held.leg.id, leg.id], single: false });
  // a consultation made for a program rings by a bridge of ours: that one is to be joined now
  const rings = cx.store.all(BRIDGE, 'stays', leg.id).find((b) => b.state === 'calling' && b.fresh);
  if (rings !== undefined && leg.state === 'confirmed') {
    const { id: _, ...row } = rings;
    const values = Object.fromEntries(
      Object.keys(BRIDGE.fields).map((k) => [k, row[k as keyof typeof row]]),
    );
    cx.store.remove(BRIDGE, rings);
    const { session, request } = cx.turn;
    cx.store.insert(BRIDGE, { ...values, stays: held.other.id, note, session, request });
    return {};
  }
  const other = partner(cx, call, leg);
  if (call.state === 'talking') {
    if (active.state === 'alerting' || other?.state !== 'confirmed') {
      return refuse('requestIncompatibleWithCall');
    }
    if (isBusy(cx, leg, other)) return refuse('resourceBusy');
    if (other.id === held.other.id) return refuse('requestIncompatibleWithCall');
    noMusic(cx, held.other);
    bridgeLegs(cx, held.other, other, 'control', 0, note);
    return {};
  }
  // one that rings at the device itself is not its to give away
  if (leg.side !== 'caller' || bridgeFor(cx, call) !== undefined) {
    return refuse('invalidConnectionState');
  }
  bridgeCall(cx, held.other, call, 'control', 0, note);
  return {};
}

export type SingleStep = OneCall & {
  readonly transferredTo: string;
  readonly userData?: UserData | undefined;
};

/** CSTA Single Step Transfer Call (ECMA-269 17.1.29). */
export function singleStepTransferCall(cx: Context, p: SingleStep): Done | Refusal {
  const active = connected(cx, p.connection, 'connected');
  const found = isRefusal(active) ? connected(cx, p.connection, 'hold') : active;
  if (isRefusal(found)) return active;
  const { leg, other } = found;
  // whoever comes instead of a member takes its place in the conference
  const apart = other.part !== 'device' && memberOf(cx, leg) === undefined;
  if (apart || other.held) return refuse('requestIncompatibleWithCall');
  if (isBusy(cx, leg, other)) return refuse('resourceBusy');
  const way = wayTo(cx, p.transferredTo, callerOn(cx, leg));
  if (isRefusal(way)) return way;
  if (!roomLeft(cx)) return refuse('overload');
  const attached = attach(cx, found.party, p.userData);
  if (attached !== undefined) return attached;
  if (giveAway(cx, leg, other, way, leg.aor)) return {};
  if (way.kind !== 'targets') return refuse('notSupported');
  const note = noteText({ do: 'transfer', legs: [leg.id], single: true });
  const lines = `Referred-By: ${leg.remoteUri}\r\n`;
  bridgeTo(cx, other, way, { called: p.transferredTo, lines, note }, 'control', 0);
  return {};
}

/** What the one it goes to is to know of it. */
function attach(cx: Context, party: Party, data: UserData | undefined): Refusal | undefined {
  const ccall = cx.store.get(CCALL, party.ccall);
  if (data === undefined || ccall === undefined) return undefined;
  return changeData(cx, ccall, { attach: data }, party.device);
}

export type Deflect = OneCall & { readonly newDestination: string };

/** CSTA Deflect Call (ECMA-269 17.1.14): what rings at the device rings somewhere else. */
export function deflectCall(cx: Context, p: Deflect): Done | Refusal {
  const party = partyOf(cx, p.connection);
  if (isRefusal(party)) return party;
  const waiting = waitingFor(cx, party);
  if (waiting !== undefined) {
    remember(cx, party);
    return deflectWaiting(cx, waiting, p.newDestination);
  }
  const leg = legOf(cx, party);
  const call = leg === undefined ? undefined : cx.store.get(CALL, leg.call);
  if (party.state !== 'alerting' || leg?.state !== 'early' || call === undefined) {
    return refuse('invalidConnectionState');
  }
  const way = wayTo(cx, p.newDestination, callerOn(cx, leg));
  if (isRefusal(way)) return way;
  remember(cx, party);
  return deflect(cx, call, leg, p.newDestination) ? {} : refuse('invalidDestination');
}
