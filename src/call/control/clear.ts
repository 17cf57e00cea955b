/** Ending connections and calls for a program. */

import type { Context } from '../../proto/context.ts';
import { cancel } from '../../proto/sip/client.ts';
import { CTX } from '../../proto/sip/rows.ts';
import { EMPTY_TAIL } from '../../proto/sip/text.ts';
import { bridgeFor } from '../bridge.ts';
import { BRIDGE } from '../bridge-rows.ts';
import { happen, SILENT } from '../call.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { PARTY, type Party } from '../csta/rows.ts';
import { clearWaiting } from '../distribute/arrive.ts';
import { inviteLines, tidy } from '../leg.ts';
import { endLeg } from '../parts.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import { callIn, legOf, type OneCall, partyOf, remember } from './find.ts';
import { noteOf } from './note.ts';

/** CSTA Clear Connection (ECMA-269 17.1.8): one that rings is refused, any other hung up. */
export function clearConnection(cx: Context, p: OneCall): Done | Refusal {
  const party = partyOf(cx, p.connection);
  if (isRefusal(party)) return party;
  if (party.leg === 0) {
    remember(cx, party);
    return clearWaiting(cx, party);
  }
  const leg = legOf(cx, party);
  const call = leg === undefined ? undefined : cx.store.get(CALL, leg.call);
  if (leg === undefined || call === undefined) return refuse('requestIncompatibleWithCall');
  remember(cx, party);
  if (leg.state === 'confirmed') {
    if (call.state !== 'talking') return refuse('requestIncompatibleWithCall');
    cx.turn.ender.set(call.id, leg.id);
    endLeg(cx, leg);
    return {};
  }
  if (leg.side === 'caller' && leg.state === 'inviting') {
    happen(cx, call, call.state === 'talking' ? 'end' : 'cancel', { ...SILENT, leg });
    tidy(cx, call);
    return {};
  }
  if (leg.state !== 'early' && leg.state !== 'inviting') return refuse('noCallToClear');
  withdraw(cx, call, leg, party);
  return {};
}

/** What rings at the device is withdrawn; nobody else may ring any more. */
function withdraw(cx: Context, call: Call, leg: Leg, party: Party): void {
  const all = cx.store.all(LEG, 'call', call.id);
  const his = all.filter((l) => l.side === 'callee' && l.aor === leg.aor);
  const waits = all.some((l) => l.side === 'caller') || bridgeFor(cx, call) !== undefined;
  if (!waits || party.state === 'initiated') {
    happen(cx, call, 'end', SILENT);
    tidy(cx, call);
    return;
  }
  for (const one of his) {
    const ctx = cx.store.get(CTX, one.uac);
    if (ctx !== undefined) cancel(cx, ctx, inviteLines(one));
  }
}

/** CSTA Clear Call (ECMA-269 17.1.7): every connection of it. */
export function clearCall(cx: Context, p: { readonly callId: number }): Done | Refusal {
  const ccall = callIn(cx, p.callId);
  if (isRefusal(ccall)) return ccall;
  const parties = [...cx.store.all(PARTY, 'ccall', ccall.id)];
  const calls = new Set(parties.map((party) => party.call));
  for (const b of [...cx.store.rows(BRIDGE)]) {
    if (cx.store.get(CALL, b.call)?.ccall === ccall.id) calls.add(b.call);
    const note = noteOf(b);
    if (note?.do === 'refer' && note.ccall === ccall.id) {
      cx.store.remove(BRIDGE, b);
      cx.turn.ended.add(ccall.id);
    }
  }
  for (const party of parties) remember(cx, party);
  for (const id of calls) {
    const call = cx.store.get(CALL, id);
    if (call === undefined) continue;
    happen(cx, call, 'end', { ...SILENT, tail: EMPTY_TAIL });
    tidy(cx, call);
  }
  return {};
}
