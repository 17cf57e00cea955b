/**
 * A conference as a whole: it gathers, stands, and ends.
 *
 *   calling   ── who is called for it answers, and nobody is on hold ── gathering
 *   gathering ─┬ the first member is in: the others are connected ─ all are in ── standing
 *              └ he cannot be had: nothing has happened            (programs hear `conferenced`)
 *   standing  ── fewer than two devices are left ── ending: who is left is hung up
 *   parting   two devices of which one cannot be in it are connected with each other again
 *
 * The first is always one whose failure costs nobody anything: who was called for it, a supervisor, a
 * recorder, or who asked. Two devices that are left stay where they are: to connect them with each other
 * would be a re-INVITE to both and a gap in what they hear, for the sake of a mixer.
 */

import type { Context } from '../../proto/context.ts';
import type { Bridge } from '../bridge-rows.ts';
import type { BridgeOutcome } from '../bridged.ts';
import { causeOf } from '../csta/causes.ts';
import { emit } from '../csta/event.ts';
import { deviceOf, forget } from '../csta/publish.ts';
import { CCALL, PARTY } from '../csta/rows.ts';
import { dismiss } from '../parts.ts';
import { reoffer } from '../renegotiate.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import { conferenced, tellMuted } from './announce.ts';
import {
  addMember,
  connect,
  dropMember,
  endMedia,
  legOf,
  memberOf,
  membersOf,
  part,
  remakeMember,
  talkersIn,
} from './members.ts';
import { recorderGone, recorderIn } from './record.ts';
import { CONFERENCE, type Conference, MEMBER, type Member } from './rows.ts';
import { supervisorGone, supervisorIn, supervisorJoins } from './supervise.ts';

function conferenceFor(cx: Context, m: Member): Conference | undefined {
  return cx.store.get(CONFERENCE, m.conference);
}

/** What became of a bridge of a member. */
export function conferenceBridged(
  cx: Context,
  b: Bridge,
  outcome: BridgeOutcome,
  status: number,
  left: readonly Leg[],
): void {
  if (outcome === 'rings') return;
  const m = cx.store.get(MEMBER, b.ref);
  const conf = m === undefined ? undefined : conferenceFor(cx, m);
  if (m === undefined || conf === undefined) {
    // it was not needed any more while it came about
    if (outcome === 'joined') endMedia(cx, b.other);
    return;
  }
  cx.store.patch(MEMBER, m, { bridge: 0 });
  if (conf.state === 'parting') {
    if (outcome === 'joined') cx.store.patch(MEMBER, m, { state: 'in', media: b.other });
    for (const leg of left) if (leg.part === 'media') endMedia(cx, leg.id);
    reunite(cx, conf);
  } else if (outcome === 'refused') refused(cx, conf, m, status, b.note);
  else if (m.state === 'calling') answered(cx, conf, m, b.other);
  else joined(cx, conf, m, b, left);
}

/** Who was called for the conference is there. */
function answered(cx: Context, conf: Conference, m: Member, id: number): void {
  cx.store.patch(MEMBER, m, { leg: id, state: 'waiting' });
  if (m.role === 'party') cx.store.patch(CONFERENCE, conf, { joins: id });
  advance(cx, conf);
}

function joined(cx: Context, conf: Conference, m: Member, b: Bridge, left: readonly Leg[]): void {
  // what it heard until now: music, or the same conference in another mode
  for (const leg of left) if (leg.part === 'media') endMedia(cx, leg.id);
  const first = m.state === 'joining';
  cx.store.patch(MEMBER, m, { state: 'in', media: b.other, said: m.next });
  if (m.parts) part(cx, m);
  else if (m.mode !== m.said) connect(cx, conf, m);
  if (first && m.role === 'supervisor') supervisorIn(cx, m);
  if (first && m.role === 'recorder') recorderIn(cx, m);
  if (conf.state === 'standing' && conf.joins === m.leg) announce(cx, conf);
  advance(cx, conf);
}

function refused(cx: Context, conf: Conference, m: Member, status: number, device: string): void {
  cx.log('warning', `conference ${conf.id}: member ${m.id} could not be connected: ${status}`);
  if (m.state !== 'in') {
    fail(cx, conf, m, status, device);
    return;
  }
  // he is heard as before, and whoever was told otherwise hears that
  const party = m.role === 'party' ? cx.store.all(PARTY, 'leg', m.leg)[0] : undefined;
  if (party !== undefined && m.mode !== m.said) tellMuted(cx, party, m.said === 'muted');
  cx.store.patch(MEMBER, m, { mode: m.said });
  if (m.parts) part(cx, m);
}

/** Was it called for this conference, so that it goes when that comes to nothing? */
function comes(conf: Conference, m: Member): boolean {
  return m.state === 'calling' || m.role !== 'party' || (conf.joins === m.leg && conf.old === 0);
}

/** A member cannot be connected with the conference. */
function fail(cx: Context, conf: Conference, m: Member, status: number, device = ''): void {
  const leg = legOf(cx, m);
  const others = parties(cx, conf).filter((o) => o.id !== m.id && !comes(conf, o));
  const begun = others.some((o) => isIn(o) || o.state === 'joining');
  if (m.role === 'party') failed(cx, conf, status, device || (leg ? deviceOf(leg) : ''));
  if (m.leg === conf.by && leg !== undefined && begun) {
    giveUpMerge(cx, conf);
    return;
  }
  if (!comes(conf, m) && !begun) {
    // nobody has left the conversation he was in
    recede(cx, conf);
    return;
  }
  if (!comes(conf, m) && others.length === 1) {
    cx.store.patch(MEMBER, m, { state: 'waiting' });
    cx.store.patch(CONFERENCE, conf, { state: 'parting' });
    reunite(cx, conf);
    return;
  }
  if (m.role === 'party' && comes(conf, m)) {
    cx.store.patch(CONFERENCE, conf, { by: 0, stays: 0, joins: 0 });
  }
  gone(cx, m, 'refused');
  if (leg !== undefined) dismiss(cx, leg);
  settle(cx, conf);
}

/**
 * Two devices of which one takes no re-INVITE: its session is what it always was, so the other one is
 * offered what it knew of that.
 */
function reunite(cx: Context, conf: Conference): void {
  const both = parties(cx, conf).filter((m) => !comes(conf, m));
  const other = both.find((m) => m.state !== 'waiting');
  const fixed = both.find((m) => m.state === 'waiting');
  const leg = other === undefined ? undefined : legOf(cx, other);
  const stays = fixed === undefined ? undefined : legOf(cx, fixed);
  // what becomes of it comes here too
  if (other !== undefined && other.bridge !== 0) return;
  if (other?.state === 'in' && leg !== undefined && stays !== undefined) {
    cx.store.patch(LEG, leg, { peer: stays.id });
    cx.store.patch(LEG, stays, { peer: leg.id });
    reoffer(cx, leg, other.former, 'conference', 0);
  }
  recede(cx, conf);
}

/** A conference that was to take in another call goes on without it; that goes on by itself. */
function giveUpMerge(cx: Context, conf: Conference): void {
  cx.store.patch(CONFERENCE, conf, { state: 'standing', by: 0, old: 0, stays: 0, joins: 0 });
  for (const m of membersOf(cx, conf)) if (!isIn(m)) gone(cx, m, 'refused');
}

function isIn(m: Member): boolean {
  return m.state === 'in' || m.state === 'apart';
}

/** Tells who asked that somebody could not be had. */
function failed(cx: Context, conf: Conference, status: number, device: string): void {
  const ccall = cx.store.get(CCALL, conf.ccall);
  const all = cx.store.all(PARTY, 'ccall', conf.ccall);
  emit(cx, {
    event: 'failed',
    ccall: ccall?.id ?? 0,
    devices: [...new Set([device, ...all.map((p) => p.device)])].filter((d) => d !== ''),
    cause: causeOf(status),
    session: conf.session,
    request: conf.request,
    body: { failingDevice: device },
  });
}

/** The devices of its call talk as before, and who was to join them is let go. */
function recede(cx: Context, conf: Conference): void {
  for (const m of membersOf(cx, conf)) {
    const leg = comes(conf, m) ? legOf(cx, m) : undefined;
    gone(cx, m, 'refused');
    if (leg !== undefined) dismiss(cx, leg);
  }
  forgetConference(cx, conf);
}

function forgetConference(cx: Context, conf: Conference): void {
  if (cx.store.get(CONFERENCE, conf.id) !== undefined) cx.store.remove(CONFERENCE, conf);
}

/** Its devices take part from now on, unless somebody is on hold: he would hear them again. */
function convene(cx: Context, conf: Conference): boolean {
  const talkers = talkersIn(cx, conf.ccall).filter((p) => p.leg !== conf.joins);
  if (talkers.length < 2 || talkers.some((p) => p.state === 'hold')) return false;
  for (const { leg } of talkers) {
    const row = cx.store.get(LEG, leg);
    if (row !== undefined) addMember(cx, conf, row);
  }
  cx.store.patch(CONFERENCE, conf, { state: 'gathering' });
  return true;
}

/** The next of those who wait, and once nobody does: it stands. */
export function advance(cx: Context, conf: Conference): void {
  if (conf.state === 'ending' || conf.state === 'parting') return;
  const here = membersOf(cx, conf).some((m) => m.state === 'waiting');
  if (conf.state === 'calling' && !(here && convene(cx, conf))) return;
  const all = membersOf(cx, conf);
  const waiting = all.filter((m) => m.state === 'waiting');
  const first = waiting[0];
  if (first !== undefined && !all.some(isIn)) {
    // one alone, to see whether it can be had at all
    if (all.some((m) => m.state === 'joining')) return;
    if (first.role === 'supervisor') supervisorJoins(cx, first);
    if (!connect(cx, conf, first)) fail(cx, conf, first, 503);
    return;
  }
  for (const m of waiting) if (m.role === 'supervisor') supervisorJoins(cx, m);
  for (const m of waiting) if (!connect(cx, conf, m)) fail(cx, conf, m, 503);
  // a device that is still called does not keep the others waiting
  const open = all.some((m) => m.state === 'waiting' || m.state === 'joining');
  if (conf.state === 'gathering' && !open) stand(cx, conf);
}

function stand(cx: Context, conf: Conference): void {
  cx.store.patch(CONFERENCE, conf, { state: 'standing' });
  announce(cx, conf);
  settle(cx, conf);
}

/** Tells programs, and releases the leg that is not needed any more of who conferenced. */
function announce(cx: Context, conf: Conference): void {
  if (conf.joins !== 0) conferenced(cx, conf);
  const old = conf.old === 0 ? undefined : cx.store.get(LEG, conf.old);
  cx.store.patch(CONFERENCE, conf, { old: 0, by: 0, stays: 0, joins: 0 });
  if (old === undefined) return;
  const m = memberOf(cx, old);
  if (m !== undefined) dropMember(cx, m);
  const mate = old.peer === 0 || old.peer === old.id ? undefined : cx.store.get(LEG, old.peer);
  if (mate?.part === 'media') endMedia(cx, mate.id);
  // he is in it by his other leg: nobody is told that he left
  cx.store.patch(LEG, old, { part: 'left' });
  for (const p of [...cx.store.all(PARTY, 'leg', old.id)]) forget(cx, p, p.state, 'conference');
  dismiss(cx, old);
}

function parties(cx: Context, conf: Conference): Member[] {
  const all = membersOf(cx, conf);
  return all.filter((m) => m.role === 'party' && m.state !== 'calling');
}

/** Does it go on with those who are left? */
export function settle(cx: Context, conf: Conference): void {
  if (cx.store.get(CONFERENCE, conf.id) === undefined || conf.state === 'ending') return;
  const all = membersOf(cx, conf);
  if (conf.state === 'calling') {
    if (all.length === 0) forgetConference(cx, conf);
    return;
  }
  const devices = all.filter((m) => m.role === 'party').length;
  const begun = all.some(isIn);
  const tried = all.some((m) => m.state === 'joining' || m.state === 'calling');
  if (!begun && (devices < 2 || !tried)) recede(cx, conf);
  else if (begun && devices < 2) end(cx, conf);
  else advance(cx, conf);
}

function end(cx: Context, conf: Conference): void {
  cx.store.patch(CONFERENCE, conf, { state: 'ending' });
  for (const m of membersOf(cx, conf)) {
    const leg = legOf(cx, m);
    gone(cx, m, 'over');
    if (leg !== undefined) dismiss(cx, leg);
  }
  forgetConference(cx, conf);
}

/** Why a member is out: it hung up, it could not be had, it is not wanted, its conference ended. */
export type Why = 'left' | 'refused' | 'dismissed' | 'over';

/** A member is out; its leg, and what that means for its conference, is the business of the caller. */
function gone(cx: Context, m: Member, why: Why): void {
  dropMember(cx, m);
  if (m.role === 'supervisor') supervisorGone(cx, m, why);
  if (m.role === 'recorder') recorderGone(cx, m, why);
}

/** A supervisor or a recorder is not wanted any more. */
export function sendAway(cx: Context, m: Member): void {
  const conf = conferenceFor(cx, m);
  const leg = legOf(cx, m);
  gone(cx, m, 'dismissed');
  if (leg !== undefined) dismiss(cx, leg);
  if (conf !== undefined) settle(cx, conf);
}

// ── what the calls tell ──────────────────────────────────────────────────────────────────────────

/** A device's leg is gone, or will be in a moment: by a BYE, by the end of its call, by whatever. */
export function leaves(cx: Context, leg: Pick<Leg, 'id' | 'call'>): void {
  const m = memberOf(cx, leg);
  if (m !== undefined) memberLeaves(cx, m);
}

function memberLeaves(cx: Context, m: Member): void {
  const conf = conferenceFor(cx, m);
  if (conf === undefined) return;
  const media = m.media === 0 ? undefined : cx.store.get(LEG, m.media);
  const heir =
    media === undefined || media.peer === m.leg ? undefined : cx.store.get(LEG, media.peer);
  if (heir !== undefined && heir.id !== m.media && memberOf(cx, heir) === undefined) {
    // somebody took his place: he transferred it
    remakeMember(cx, m, { leg: heir.id, call: heir.call });
    return;
  }
  if (conf.by === m.leg) cx.store.patch(CONFERENCE, conf, { by: 0 });
  gone(cx, m, 'left');
  settle(cx, conf);
}

/** The row of `call` ends with all legs in it. */
export function conferenceLoses(cx: Context, call: number): void {
  if (cx.store.count(MEMBER) === 0) return;
  for (const m of [...cx.store.all(MEMBER, 'call', call)]) {
    // of who did not answer, his bridge tells
    if (m.state !== 'calling' && cx.store.get(MEMBER, m.id) !== undefined) memberLeaves(cx, m);
  }
}

/** Somebody talks in a call: who waits for that goes on. */
export function callTalks(cx: Context, ccall: number): void {
  if (cx.store.count(CONFERENCE) === 0) return;
  for (const conf of cx.store.rows(CONFERENCE)) {
    if (conf.state === 'calling' && conf.ccall === ccall) advance(cx, conf);
  }
}

/** A call is over, or became part of another. @returns the call its conference is in now; 0 for none. */
export function callGone(cx: Context, ccall: number): number {
  let moved = 0;
  if (cx.store.count(CONFERENCE) === 0) return moved;
  for (const conf of [...cx.store.rows(CONFERENCE)]) {
    if (conf.ccall !== ccall) continue;
    const now = ccallNow(cx, conf);
    if (now === 0) end(cx, conf);
    else cx.store.patch(CONFERENCE, conf, { ccall: now });
    moved = now;
  }
  return moved;
}

/** The call its devices are in; 0: it has none yet. */
function ccallNow(cx: Context, conf: Conference): number {
  for (const m of membersOf(cx, conf)) {
    const call = m.role === 'party' && m.leg !== 0 ? cx.store.get(CALL, m.call) : undefined;
    if (call !== undefined && call.ccall !== conf.ccall) return call.ccall;
  }
  return 0;
}
