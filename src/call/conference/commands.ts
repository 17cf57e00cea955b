/** What programs ask of conferences (ECMA-269 17.1.9, 17.1.25): made, joined, muted. */

import type { Context } from '../../proto/context.ts';
import { bridgesOf } from '../bridge.ts';
import { type Connection, legOf, partyOf } from '../control/find.ts';
import { nameAddr, roomLeft, wayTo } from '../control/make.ts';
import { answerLines } from '../control/phone.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { CCALL, type Ccall, type Party } from '../csta/rows.ts';
import { callerOn } from '../route.ts';
import type { Leg } from '../rows.ts';
import { tellMuted } from './announce.ts';
import { callIn, conferenceToBe } from './called.ts';
import { advance } from './conference.ts';
import {
  addMember,
  conferenceOf,
  memberOf,
  membersOf,
  newConference,
  remakeMember,
  setMode,
  talkersIn,
} from './members.ts';
import { CONFERENCE, type Conference } from './rows.ts';

/** Devices in one conference. */
const MOST = 32;

type Talking = { readonly party: Party; readonly leg: Leg };

/** A connection that has answered, and nothing is under way with it. */
function talking(cx: Context, connection: Connection): Talking | Refusal {
  const party = partyOf(cx, connection);
  if (isRefusal(party)) return party;
  const leg = legOf(cx, party);
  if (leg?.state !== 'confirmed' || (party.state !== 'connected' && party.state !== 'hold')) {
    return refuse('invalidConnectionState');
  }
  const busy = bridgesOf(cx, leg).some((b) => b.purpose !== 'conference');
  return busy ? refuse('resourceBusy') : { party, leg };
}

export type ConferenceCall = { readonly heldCall: Connection; readonly activeCall: Connection };

/**
 * Two calls of one device become one (the held one goes on, under its id); the leg of the held call is
 * released, for its device is in the conference by the other.
 */
export function conferenceCall(cx: Context, p: ConferenceCall): Done | Refusal {
  const held = talking(cx, p.heldCall);
  if (isRefusal(held)) return held;
  const active = talking(cx, p.activeCall);
  if (isRefusal(active)) return active;
  if (held.party.device !== active.party.device || held.leg.id === active.leg.id) {
    return refuse('invalidConnectionId', 'Both must be connections of one device.');
  }
  const first = talkersIn(cx, held.party.ccall).filter((t) => t.leg !== held.leg.id);
  const second = talkersIn(cx, active.party.ccall).filter((t) => t.leg !== active.leg.id);
  if (first.length === 0 || second.length === 0) return refuse('requestIncompatibleWithCall');
  if (first.length + second.length + 1 > MOST) return refuse('limitReached');
  const before = conferenceOf(cx, held.party.ccall);
  const other = conferenceOf(cx, active.party.ccall);
  if (unsettled(before) || unsettled(other)) return refuse('resourceBusy');
  const conf = before ?? other ?? newConference(cx, held.party.ccall);
  const { session, request } = cx.turn;
  cx.store.patch(CONFERENCE, conf, {
    state: 'gathering',
    ...{ by: active.leg.id, old: held.leg.id, session, request },
    stays: first[0]?.leg ?? 0,
    joins: second[0]?.leg ?? 0,
  });
  if (before !== undefined && other !== undefined) mergeInto(cx, conf, other);
  // who asked is the first: his failure costs nobody anything
  addMember(cx, conf, active.leg);
  for (const other of [...second, ...first]) {
    const row = legOf(cx, other);
    if (row !== undefined) addMember(cx, conf, row);
  }
  advance(cx, conf);
  return { callId: held.party.ccall };
}

function unsettled(conf: Conference | undefined): boolean {
  return conf !== undefined && conf.state !== 'standing';
}

/** Everybody of `from` takes part in `conf`; each is connected anew. */
function mergeInto(cx: Context, conf: Conference, from: Conference): void {
  for (const m of membersOf(cx, from)) {
    // its media leg is the old conference's, and is let go when it is in the new one
    remakeMember(cx, m, { conference: conf.id, state: 'waiting', media: 0, bridge: 0 });
  }
  cx.store.remove(CONFERENCE, from);
}

export type SingleStepConference = {
  readonly activeCall: Connection;
  readonly deviceToJoin: string;
  /** silent: it only hears. */
  readonly participationType?: 'active' | 'silent' | undefined;
};

/** One more device is called into the call of a connection, which becomes a conference. */
export function singleStepConferenceCall(cx: Context, p: SingleStepConference): Done | Refusal {
  const active = talking(cx, p.activeCall);
  if (isRefusal(active)) return active;
  const { party, leg } = active;
  const all = talkersIn(cx, party.ccall);
  if (all.length < 2) return refuse('requestIncompatibleWithCall');
  if (all.some((t) => t.state === 'hold'))
    return refuse('invalidConnectionState', 'Somebody holds.');
  if (all.length >= MOST) return refuse('limitReached');
  const known = conferenceOf(cx, party.ccall);
  if (known !== undefined && known.state !== 'standing') return refuse('resourceBusy');
  const way = wayTo(cx, p.deviceToJoin, callerOn(cx, leg));
  if (isRefusal(way)) return way;
  if (way.kind !== 'targets') return refuse('notSupported', 'Nobody joins by a queue.');
  if (!roomLeft(cx)) return refuse('overload');
  const ccall = cx.store.get(CCALL, party.ccall) as Ccall;
  const conf = conferenceToBe(cx, ccall.id, known);
  if (conf.by !== 0) return refuse('resourceBusy');
  const { session, request } = cx.turn;
  cx.store.patch(CONFERENCE, conf, { by: leg.id, stays: leg.id, joins: 0, session, request });
  const calling = {
    called: p.deviceToJoin,
    from: nameAddr(cx, party.device),
    lines: answerLines(cx, p.deviceToJoin),
  };
  const mode = p.participationType === 'silent' ? 'listen' : 'talk';
  callIn(cx, conf, ccall, way, calling, { mode });
  return { callId: ccall.id };
}

/**
 * Nobody hears the device of `leg` in its conference, or everybody does again.
 * @returns undefined when it is in none: that is muted otherwise.
 */
export function muteMember(cx: Context, party: Party, mute: boolean): Done | Refusal | undefined {
  const leg = legOf(cx, party);
  const m = leg === undefined ? undefined : memberOf(cx, leg);
  if (m === undefined || m.role !== 'party') return undefined;
  if (m.state !== 'in') return refuse('invalidConnectionState');
  // who joined silently is heard by nobody anyway
  if (m.mode !== (mute ? 'talk' : 'muted')) return refuse('invalidConnectionState');
  setMode(cx, m, mute ? 'muted' : 'talk');
  tellMuted(cx, party, mute);
  return {};
}
