/**
 * Which device a leg leads to, in which state it is for programs, and who sent the call to it. A device
 * has one connection in a call however many legs lead to it.
 */

import type { Context } from '../../proto/context.ts';
import { targetOf, uriOf, userOf } from '../../proto/sip/address.ts';
import { unescapeUser } from '../../sip-parser/index.ts';
import { bridgeFor } from '../bridge.ts';
import { holds } from '../hold.ts';
import { type Call, LEG, type Leg } from '../rows.ts';
import { REDIRECT, TRANSFER, type Transfer } from '../transfer-rows.ts';
import type { Cause } from './causes.ts';
import { ccallOf } from './ccall.ts';
import { PARTY, type Party } from './rows.ts';

type State = Party['state'];

export type Seen = { readonly leg: Leg; readonly state: State };

/** The device at the other side of a leg: its extension, or the number outside. */
export function deviceOf(leg: Leg): string {
  if (leg.aor !== '') return leg.aor;
  const user = unescapeUser(userOf(targetOf(uriOf(leg.remoteUri))));
  return user === '' ? 'anonymous' : user.replace(/\s/g, '_');
}

/**
 * The same as the site says it: what was dialled, however a trunk wants it written. So the trunks by
 * which one number is tried in turn are one device.
 */
export function deviceIn(cx: Context, call: Call, leg: Leg): string {
  if (leg.aor !== '' || leg.side === 'caller' || call.called === '') return deviceOf(leg);
  const redirected =
    cx.store.count(REDIRECT) > 0 && cx.store.find(REDIRECT, 'call', call.id) !== undefined;
  return redirected ? deviceOf(leg) : call.called.replace(/\s/g, '_');
}

/** The state of the device at the other side of a leg; undefined: it has none (yet, or any more). */
export function stateOf(cx: Context, call: Call, leg: Leg): State | undefined {
  if (leg.part === 'media' || leg.part === 'left') return undefined;
  switch (leg.state) {
    case 'inviting':
      if (leg.side !== 'caller' || call.state === 'ending') return undefined;
      // who takes somebody's place has it when he is answered
      return replacing(cx, leg) === undefined ? 'connected' : undefined;
    case 'early':
      // one that was withdrawn does not ring, whatever it says
      if (leg.peer === leg.id) return undefined;
      if (call.state !== 'trying' && call.state !== 'ringing') return undefined;
      return isPrompted(cx, call, leg) ? 'initiated' : 'alerting';
    case 'confirmed':
      if (call.state !== 'talking') return undefined;
      return leg.held || holds(cx, leg) ? 'hold' : 'connected';
    default:
      return undefined;
  }
}

/** Its phone rings because a program wants it to call: it is the one who calls. */
function isPrompted(cx: Context, call: Call, leg: Leg): boolean {
  if (leg.side === 'caller' || bridgeFor(cx, call)?.state !== 'placing') return false;
  return ccallOf(cx, call)?.calling === deviceOf(leg);
}

/** A program made it call, and it answered. */
export function calls(cx: Context, call: Call, leg: Leg, state: State): boolean {
  if (leg.side === 'caller' || state === 'initiated') return true;
  const ccall = state === 'connected' && leg.peer !== 0 ? ccallOf(cx, call) : undefined;
  if (ccall === undefined || ccall.calling !== deviceOf(leg)) return false;
  return !cx.store.all(PARTY, 'ccall', ccall.id).some((p) => p.side === 'calling');
}

/** How the device of a known connection is seen by its legs. */
export function seenAs(
  cx: Context,
  call: Call,
  legs: readonly Leg[],
  party: Party,
): Seen | undefined {
  for (const leg of legs) {
    if (leg.id !== party.leg) continue;
    const state = stateOf(cx, call, leg);
    if (state !== undefined) return { leg, state };
    break;
  }
  if (party.side !== 'called') return undefined;
  return amongOthers(cx, call, legs, party);
}

/** Another phone of the device answered, or rings, or another way to it is tried. */
function amongOthers(
  cx: Context,
  call: Call,
  legs: readonly Leg[],
  party: Party,
): Seen | undefined {
  let best: Seen | undefined;
  for (const leg of legs) {
    if (leg.side !== 'callee' || leg.part !== 'device' || leg.id === party.leg) continue;
    if (deviceIn(cx, call, leg) !== party.device) continue;
    const state = stateOf(cx, call, leg);
    if (state !== undefined && state !== 'alerting') return { leg, state };
    const tried = leg.state === 'inviting' && (call.state === 'trying' || call.state === 'ringing');
    if (party.state !== 'alerting' || (state === undefined && !tried)) continue;
    if (best === undefined || state !== undefined) best = { leg, state: 'alerting' };
  }
  return best;
}

/** The transfer by which whoever called by `leg` takes somebody's place (RFC 3891). */
function replacing(cx: Context, leg: Leg): Transfer | undefined {
  if (cx.store.count(TRANSFER) === 0) return undefined;
  return cx.store
    .all(TRANSFER, 'targetCall', leg.call)
    .find((t) => t.kind === 'replace' && t.target === leg.id);
}

export type Sent = { readonly via: string; readonly cause: Cause };

/** Who sent the call to the device of `leg`; undefined: nobody, it was called, or calls. */
export function sentBy(cx: Context, call: Call, leg: Leg): Sent | undefined {
  const { store } = cx;
  if (store.count(TRANSFER) > 0) {
    const own = leg.side === 'caller' ? replacing(cx, leg) : undefined;
    const blind = (t: Transfer): boolean => t.kind === 'blind' && t.state !== 'failed';
    const t = own ?? store.all(TRANSFER, 'targetCall', call.id).find(blind);
    const by = t === undefined ? undefined : store.get(LEG, t.transferor);
    const via = by === undefined ? '' : (nameOf(cx, by) ?? '');
    const early = t?.kind === 'replace' && t.transferor === 0;
    if (t !== undefined && leg.side === (own === undefined ? 'callee' : 'caller')) {
      return { via, cause: early ? 'callPickup' : 'transfer' };
    }
  }
  if (leg.side === 'caller' || store.count(REDIRECT) === 0) return undefined;
  const row = store.find(REDIRECT, 'call', call.id);
  // the phones of the first number are not called by the redirection
  if (row === undefined || leg.aor === row.by || deviceOf(leg) === call.called) return undefined;
  return { via: row.by, cause: row.forwarded ? 'callForward' : 'redirected' };
}

/** The device of `leg` as it was told. */
export function nameOf(cx: Context, leg: Leg): string | undefined {
  return cx.store.all(PARTY, 'leg', leg.id)[0]?.device ?? deviceOf(leg);
}
