/**
 * Who takes part in a conference: found in the rows, connected with the media service, heard otherwise,
 * gone. Each member's leg is bridged to a leg of ours to that service, which knows by its Request-URI how
 * the member is heard (RFC 4240 5). To be heard otherwise is another such leg: the service keeps nothing
 * that a row does not say, so a switchover needs no more than the rows.
 *
 *   calling ─ answers ──────┐
 *                           ├─ joining ─ joined ── in ─┬─ other mode: bridged to another media leg
 *   waiting ─ the first is in ┘   └ refused: gone      └─ pause ── apart ── joining
 */

import { hex } from '../../base/chance.ts';
import type { Values } from '../../base/row.ts';
import type { Context } from '../../proto/context.ts';
import { conferenceUri, type Membership } from '../../proto/media.ts';
import { bridgeTo, cancelBridge } from '../bridge.ts';
import { BRIDGE } from '../bridge-rows.ts';
import { deviceOf } from '../csta/devices.ts';
import { PARTY, type Party } from '../csta/rows.ts';
import { directed } from '../held.ts';
import { mediaLeg } from '../media-service.ts';
import { dismiss } from '../parts.ts';
import { forget, reoffer } from '../renegotiate.ts';
import type { Target } from '../route.ts';
import { LEG, type Leg } from '../rows.ts';

import { CONFERENCE, type Conference, MEMBER, type Member, type Mode } from './rows.ts';

// ── finding ──────────────────────────────────────────────────────────────────────────────────────

/** The member whose leg this is. */
export function memberOf(cx: Context, leg: Pick<Leg, 'id' | 'call'>): Member | undefined {
  if (cx.store.count(MEMBER) === 0) return undefined;
  return cx.store.all(MEMBER, 'call', leg.call).find((m) => m.leg === leg.id);
}

export function membersOf(cx: Context, conf: Conference): Member[] {
  return [...cx.store.all(MEMBER, 'conference', conf.id)];
}

export function legOf(cx: Context, m: Member): Leg | undefined {
  return m.leg === 0 ? undefined : cx.store.get(LEG, m.leg);
}

/** The conference a call is in: that of its devices. */
export function conferenceOf(cx: Context, ccall: number): Conference | undefined {
  if (cx.store.count(CONFERENCE) === 0) return undefined;
  for (const party of cx.store.all(PARTY, 'ccall', ccall)) {
    const leg = party.leg === 0 ? undefined : cx.store.get(LEG, party.leg);
    const m = leg === undefined ? undefined : memberOf(cx, leg);
    if (m?.role === 'party') return cx.store.get(CONFERENCE, m.conference);
  }
  return undefined;
}

/** Devices of a call that have answered it. */
export function talkersIn(cx: Context, ccall: number): Party[] {
  const all = cx.store.all(PARTY, 'ccall', ccall);
  return all.filter((p) => p.leg !== 0 && (p.state === 'connected' || p.state === 'hold'));
}

// ── changing ─────────────────────────────────────────────────────────────────────────────────────

export function newConference(
  cx: Context,
  ccall: number,
  more: Values<typeof CONFERENCE.fields> = {},
): Conference {
  const { session, request } = cx.turn;
  const word = hex(cx.chance, 2);
  return cx.store.insert(CONFERENCE, { word, ccall, session, request, ...more });
}

type Joining = Values<typeof MEMBER.fields>;

/** A leg is to take part; `advance` connects it. */
export function addMember(cx: Context, conf: Conference, leg: Leg, how: Joining = {}): Member {
  const known = memberOf(cx, leg);
  if (known !== undefined) return known;
  const state = 'waiting';
  return cx.store.insert(MEMBER, {
    conference: conf.id,
    call: leg.call,
    leg: leg.id,
    state,
    mode: 'talk',
    ...how,
  });
}

/** The same row for another leg, or in another conference: those fields are looked up by. */
export function remakeMember(cx: Context, m: Member, change: Joining): Member {
  const { id: _, ...rest } = m;
  const values = Object.fromEntries(
    Object.keys(MEMBER.fields).map((k) => [k, rest[k as keyof typeof rest]]),
  );
  cx.store.remove(MEMBER, m);
  const next = cx.store.insert(MEMBER, { ...values, name: nameOf(m), ...change });
  for (const other of cx.store.all(MEMBER, 'conference', next.conference)) {
    if (other.coached === m.id) cx.store.patch(MEMBER, other, { coached: next.id });
  }
  const bridge = m.bridge === 0 ? undefined : cx.store.get(BRIDGE, m.bridge);
  if (bridge !== undefined) cx.store.patch(BRIDGE, bridge, { ref: next.id });
  return next;
}

/** What the media service knows a member by. */
function nameOf(m: Member): number {
  return m.name === 0 ? m.id : m.name;
}

/** How the media service is asked for a member. */
function membership(cx: Context, conf: Conference, m: Member): Membership {
  const base = { conference: conf.word, member: `${nameOf(m)}` };
  const coached = m.mode === 'coach' ? cx.store.get(MEMBER, m.coached) : undefined;
  // whom he coaches has gone: he is heard by nobody
  if (m.mode !== 'coach') return { ...base, mode: m.mode };
  return coached === undefined
    ? { ...base, mode: 'listen' }
    : { ...base, mode: 'coach', coach: `${nameOf(coached)}` };
}

/** Where a member is connected: all of a conference at the service of the first. */
function placeOf(cx: Context, conf: Conference, m: Member): Target | undefined {
  const wanted = membership(cx, conf, m);
  const target = mediaLeg(cx, conf.ccall, 'conference', wanted);
  if (conf.ip === '') return target;
  const { transport, ip, port, host } = conf;
  const same = target?.peer.ip === ip && target.peer.port === port;
  if (target !== undefined && same) return target;
  const peer = { transport, ip, port };
  const uri = conferenceUri(wanted, host);
  return { peer, uri, nat: false, route: '', binding: 0, extension: '' };
}

/** Whom a member's media leg speaks for: who comes in the member's place sees him as the caller. */
function standsFor(cx: Context, conf: Conference, m: Member): string {
  const other = membersOf(cx, conf).find((o) => o.id !== m.id && o.role === 'party' && o.leg !== 0);
  const leg = other === undefined ? undefined : legOf(cx, other);
  return leg === undefined ? 'conference' : deviceOf(leg);
}

/** Connects a member with the media service, in the mode he is to have. @returns false: with none. */
export function connect(cx: Context, conf: Conference, m: Member): boolean {
  const leg = legOf(cx, m);
  const target = leg === undefined ? undefined : placeOf(cx, conf, m);
  if (leg === undefined || target === undefined) return false;
  if (conf.ip === '') {
    const host = /@([^;>]+)/.exec(target.uri)?.[1] ?? target.peer.ip;
    cx.store.patch(CONFERENCE, conf, { ...target.peer, host });
  }
  if (leg.held) cx.store.patch(LEG, leg, { held: false });
  const state = m.state === 'in' ? 'in' : 'joining';
  const former = m.state === 'waiting' ? leg.sdp : m.former;
  cx.store.patch(MEMBER, m, { state, next: m.mode, former });
  const way = { kind: 'targets', targets: [target], later: [] } as const;
  const how = { called: standsFor(cx, conf, m), part: 'media' } as const;
  const bridge = bridgeTo(cx, leg, way, how, 'conference', m.id);
  cx.store.patch(MEMBER, m, { bridge: bridge.id });
  return true;
}

/** A leg to the media service is not needed any more; nobody else ends with it. */
export function endMedia(cx: Context, id: number): void {
  const leg = id === 0 ? undefined : cx.store.get(LEG, id);
  if (leg === undefined) return;
  cx.store.patch(LEG, leg, { peer: leg.id });
  dismiss(cx, leg);
}

/** A member is heard otherwise from now on, or as soon as what is under way with it is done. */
export function setMode(cx: Context, m: Member, mode: Mode, coached = 0): void {
  if (m.mode === mode && m.coached === coached) return;
  cx.store.patch(MEMBER, m, { mode, coached });
  const conf = cx.store.get(CONFERENCE, m.conference);
  if (conf !== undefined && m.state === 'in' && m.bridge === 0) connect(cx, conf, m);
}

/** A member hears nobody and is heard by nobody, until `rejoin`. */
export function part(cx: Context, m: Member): void {
  if (m.bridge !== 0) {
    cx.store.patch(MEMBER, m, { parts: true });
    return;
  }
  const leg = legOf(cx, m);
  if (leg === undefined || m.state !== 'in') return;
  endMedia(cx, m.media);
  cx.store.patch(MEMBER, m, { state: 'apart', media: 0, parts: false });
  cx.store.patch(LEG, leg, { peer: leg.id });
  const quiet = directed(cx, leg, 'inactive');
  if (quiet !== '') reoffer(cx, leg, quiet, 'conference', m.id);
}

export function rejoin(cx: Context, m: Member): boolean {
  if (m.parts) {
    cx.store.patch(MEMBER, m, { parts: false });
    return true;
  }
  const conf = cx.store.get(CONFERENCE, m.conference);
  if (conf === undefined || m.state !== 'apart') return false;
  forget(cx, 'conference', m.id, m.leg);
  return connect(cx, conf, m);
}

/** Takes a member out of the rows. Its leg is another's business. */
export function dropMember(cx: Context, m: Member): void {
  if (cx.store.get(MEMBER, m.id) === undefined) return;
  cx.store.remove(MEMBER, m);
  forget(cx, 'conference', m.id, m.leg);
  const bridge = m.bridge === 0 ? undefined : cx.store.get(BRIDGE, m.bridge);
  if (bridge !== undefined) cancelBridge(cx, bridge);
  endMedia(cx, m.media);
}
