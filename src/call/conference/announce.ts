/** What programs hear when calls become a conference (ECMA-269 17.2.6). */

import type { Context } from '../../proto/context.ts';
import { ccallOf, moveCall } from '../csta/ccall.ts';
import { emit } from '../csta/event.ts';
import { mergeData } from '../csta/merge.ts';
import { aboutCall, deviceOf, moveParties, partyView } from '../csta/publish.ts';
import { type Ccall, PARTY, type Party } from '../csta/rows.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import type { Conference } from './rows.ts';

function callOfLeg(cx: Context, leg: Leg | undefined): Ccall | undefined {
  const call = leg === undefined ? undefined : cx.store.get(CALL, leg.call);
  return call === undefined ? undefined : ccallOf(cx, call);
}

/** Every row of `call` of `from` is one of `into` from now on: those of its devices, and of who they hear. */
function moveAll(cx: Context, from: Ccall, into: Ccall): void {
  const ids = new Set<number>();
  for (const party of cx.store.all(PARTY, 'ccall', from.id)) {
    ids.add(party.call);
    for (const leg of cx.store.all(LEG, 'call', party.call)) {
      const mate = leg.peer === 0 || leg.peer === leg.id ? undefined : cx.store.get(LEG, leg.peer);
      if (mate !== undefined) ids.add(mate.call);
    }
  }
  for (const id of ids) {
    const call = cx.store.get(CALL, id);
    if (call?.ccall !== from.id) continue;
    cx.turn.causes.set(id, 'conference');
    moveCall(cx, call, into);
  }
  moveParties(cx, from);
}

/** The call of `joins` becomes part of that of `stays`, which tells it. */
export function conferenced(cx: Context, conf: Conference): void {
  const stays = cx.store.get(LEG, conf.stays);
  const joins = cx.store.get(LEG, conf.joins);
  const by = conf.by === 0 ? undefined : cx.store.get(LEG, conf.by);
  const kept = callOfLeg(cx, stays);
  const gone = callOfLeg(cx, joins);
  if (kept === undefined || gone === undefined || joins === undefined) return;
  const before = [...cx.store.all(PARTY, 'ccall', kept.id)];
  const same = gone.id === kept.id;
  if (!same) {
    before.push(...cx.store.all(PARTY, 'ccall', gone.id));
    mergeData(cx, kept, gone);
    moveAll(cx, gone, kept);
  }
  // who conferenced is in it once
  const parties = before.filter((p) => p.leg !== conf.old || conf.old === 0);
  emit(cx, {
    event: 'conferenced',
    ccall: kept.id,
    devices: [...new Set(parties.map((p) => p.device))],
    cause: 'conference',
    session: conf.session,
    request: conf.request,
    body: {
      primaryOldCall: kept.id,
      ...(same ? {} : { secondaryOldCall: gone.id }),
      ...(by === undefined ? {} : { conferencingDevice: deviceOf(by) }),
      addedParty: deviceOf(joins),
      ...aboutCall(kept),
      parties: parties.map(partyView),
    },
  });
}

/** A device is heard in its conference no more, or again. */
export function tellMuted(cx: Context, party: Party, mute: boolean): void {
  const all = cx.store.all(PARTY, 'ccall', party.ccall);
  emit(cx, {
    event: mute ? 'muted' : 'unmuted',
    ccall: party.ccall,
    devices: [...new Set(all.map((p) => p.device))],
    cause: 'normal',
    body: { connection: { callId: party.ccall, deviceId: party.device } },
  });
}
