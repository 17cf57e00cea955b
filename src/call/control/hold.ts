/**
 * Holding a connection for a program. By NOTIFY the phone does it itself; else by re-INVITEs of ours: the
 * one who holds is made inactive, and the other side hears music, or nothing where there is no service.
 *
 *   leg of the one who holds   held, and `peer` still its other side
 *   its other side             `peer` the music's leg, or its own id
 */

import type { Context } from '../../proto/context.ts';
import { bridgeLegs, bridgesOf } from '../bridge.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { PARTY, type Party } from '../csta/rows.ts';
import { holds } from '../hold.ts';
import { dismiss, holdersOf } from '../parts.ts';
import { LEG, type Leg } from '../rows.ts';
import { inTransfer } from '../transfer.ts';
import { clearConnection } from './clear.ts';
import {
  type Connection,
  controlOf,
  legOf,
  type OneCall,
  otherLeg,
  partiesAt,
  partyOf,
  remember,
} from './find.ts';
import { musicFor, noMusic, still } from './music.ts';
import { noteOf, noteText } from './note.ts';
import { tellPhone } from './phone.ts';

/** The connection, its leg and the leg it talks with, or why there is none to work on. */
export function connected(
  cx: Context,
  c: Connection,
  state: Party['state'],
): { readonly party: Party; readonly leg: Leg; readonly other: Leg } | Refusal {
  const party = partyOf(cx, c);
  if (isRefusal(party)) return party;
  const leg = legOf(cx, party);
  if (party.state !== state || leg?.state !== 'confirmed') {
    if (state === 'hold') return refuse('noHeldCall');
    return refuse(party.state === 'hold' ? 'invalidConnectionState' : 'noActiveCall');
  }
  const other = leg.held
    ? cx.store.get(LEG, leg.peer)
    : (holdersOf(cx, leg)[0] ?? otherLeg(cx, leg));
  if (other?.state !== 'confirmed') return refuse('requestIncompatibleWithCall');
  return { party, leg, other };
}

/** True while something else is being done with one of the legs. */
export function isBusy(cx: Context, ...legs: readonly Leg[]): boolean {
  return legs.some((leg) => {
    const others = bridgesOf(cx, leg).filter((b) => noteOf(b)?.do !== 'music');
    return others.length > 0 || (bridgesOf(cx, leg).length === 0 && inTransfer(cx, leg));
  });
}

/** CSTA Hold Call (ECMA-269 17.1.17). */
export function holdCall(cx: Context, p: OneCall): Done | Refusal {
  const c = p.connection;
  const found = connected(cx, c, 'connected');
  if (isRefusal(found)) return found;
  const { party, leg, other } = found;
  if (isBusy(cx, leg, other)) return refuse('resourceBusy');
  remember(cx, party);
  hold(cx, party, leg, other);
  return {};
}

export function hold(cx: Context, party: Party, leg: Leg, other: Leg): void {
  if (controlOf(cx, party.device).hold === 'notify' && tellPhone(cx, leg, 'hold')) return;
  noMusic(cx, leg);
  const heard = otherLeg(cx, leg);
  cx.store.patch(LEG, leg, { held: true, peer: other.id });
  if (heard !== undefined && heard.id !== other.id) dismiss(cx, heard);
  still(cx, leg);
  // a service needs no music, and who holds himself has it already
  if (other.held) noMusic(cx, other);
  else if (other.part === 'device') musicFor(cx, other);
}

/** CSTA Retrieve Call (ECMA-269 17.1.26). */
export function retrieveCall(cx: Context, p: OneCall): Done | Refusal {
  const c = p.connection;
  const found = connected(cx, c, 'hold');
  if (isRefusal(found)) return found;
  const { party, leg, other } = found;
  if (isBusy(cx, leg, other)) return refuse('resourceBusy');
  // a phone does not talk in two calls: that is alternateCall
  if (partiesAt(cx, c.deviceId, 'connected').length > 0) return refuse('invalidConnectionState');
  remember(cx, party);
  retrieve(cx, leg, other);
  return {};
}

export function retrieve(cx: Context, leg: Leg, other: Leg): void {
  // its own phone holds it
  if (!leg.held) {
    if (holds(cx, leg)) tellPhone(cx, leg, 'talk');
    return;
  }
  noMusic(cx, leg);
  noMusic(cx, other);
  if (other.held) {
    // now he is the one who is held
    cx.store.patch(LEG, leg, { held: false });
    musicFor(cx, leg);
    return;
  }
  bridgeLegs(cx, leg, other, 'control', 0, noteText({ do: 'retrieve', leg: leg.id }));
}

export type TwoCalls = {
  readonly activeConnection: Connection;
  readonly heldConnection: Connection;
};

/** Both connections of one device. */
export function twoCalls(cx: Context, p: TwoCalls) {
  const { activeConnection: a, heldConnection: h } = p;
  if (a.deviceId !== h.deviceId || a.callId === h.callId) return refuse('invalidConnectionId');
  const active = partyOf(cx, a);
  if (isRefusal(active)) return active;
  const held = connected(cx, h, 'hold');
  if (isRefusal(held)) return held;
  return { active, held };
}

/** CSTA Alternate Call (ECMA-269 17.1.3): the active one is held, the held one taken up. */
export function alternateCall(cx: Context, p: TwoCalls): Done | Refusal {
  const found = twoCalls(cx, p);
  if (isRefusal(found)) return found;
  const active = connected(cx, p.activeConnection, 'connected');
  if (isRefusal(active)) return active;
  const { held } = found;
  if (isBusy(cx, active.leg, active.other, held.leg, held.other)) return refuse('resourceBusy');
  remember(cx, active.party);
  remember(cx, held.party);
  cx.turn.causes.set(active.leg.call, 'alternate');
  hold(cx, active.party, active.leg, active.other);
  retrieve(cx, held.leg, held.other);
  return {};
}

/** CSTA Reconnect Call (ECMA-269 17.1.25): the active one is cleared, the held one taken up. */
export function reconnectCall(cx: Context, p: TwoCalls): Done | Refusal {
  const found = twoCalls(cx, p);
  if (isRefusal(found)) return found;
  const { held } = found;
  if (isBusy(cx, held.leg, held.other)) return refuse('resourceBusy');
  const cleared = clearConnection(cx, { connection: p.activeConnection });
  if (isRefusal(cleared)) return cleared;
  const still = cx.store.get(PARTY, held.party.id);
  if (still !== undefined) remember(cx, still);
  retrieve(cx, held.leg, held.other);
  return {};
}
