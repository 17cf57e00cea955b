/**
 * Bridge: two legs are connected with each other by re-INVITEs of ours (RFC 3725 4): one gives an offer,
 * the one that stays is offered that on its own dialog, and its answer is the other's. Nobody's Call-ID
 * or tags change. Everything that connects people for a program, a queue or a conference goes this way.
 *
 *   placing  somebody is called with a held session; nobody waits for him yet
 *   calling  the other one has not answered      offering its offer is out to the one who stays
 *   asking   it was asked for an offer           then the row is gone, and its owner knows
 *
 *   ring     the other one rings                 connect  the one who stays took the offer
 *   answer   it answers with its offer           deny     a re-INVITE was refused for good
 *   accept   it answers somebody else's offer    lose     the one who stays is gone
 *   offer    it gave the offer it was asked for  vanish   the other one is gone
 *   refuse   it will not be had                  cancel   the owner wants it no more
 *
 * The table says what each event leads to; a test proves it total. Both legs have each other as `peer`
 * once they are joined; whom they were connected with before has nobody, and the owner decides. When it
 * comes to nothing, the one who stays is what he was.
 */

import type { Context } from '../proto/context.ts';
import { uriOf, userOf } from '../proto/sip/address.ts';
import { awaitsAck } from '../proto/sip/client.ts';
import { CTX, type Ctx } from '../proto/sip/rows.ts';
import { ALLOW, bodyTail, EMPTY_TAIL, randomWord } from '../proto/sip/text.ts';
import { escapeUser, type SipMessage } from '../sip-parser/index.ts';
import { BRIDGE, type Bridge, type BridgePurpose } from './bridge-rows.ts';
import { type BridgeOutcome, bridged } from './bridged.ts';
import { happen, SILENT } from './call.ts';
import { type Beginning, beginCall, ccallOf, newCcall } from './csta/ccall.ts';
import type { Ccall } from './csta/rows.ts';
import { heldOffer, multipart } from './held.ts';
import { keepHunt } from './hunt.ts';
import { invite, type Offer } from './invite.ts';
import { partner, sendAck, tidy } from './leg.ts';
import { nailJoins, nailLeft, nailTalks, takeNailed } from './nail/nail.ts';
import { describes } from './offer.ts';
import { acknowledge, forget, type Outcome, reoffer } from './renegotiate.ts';
import type { Route } from './route.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { REOFFER } from './transfer-rows.ts';

export type BridgeState = Bridge['state'];
export type BridgeEvent =
  | 'ring'
  | 'answer'
  | 'accept'
  | 'refuse'
  | 'offer'
  | 'connect'
  | 'deny'
  | 'lose'
  | 'vanish'
  | 'cancel';

export type BridgeAction =
  | 'tellRings'
  /** Ask the other one for an offer; offer that to the one who stays; his answer is the other's. */
  | 'askOther'
  | 'offerStays'
  | 'answerOther'
  | 'connectLegs'
  /** He is there, with a held session and nobody to talk to. */
  | 'standAlone'
  /** Nobody waits for the re-INVITEs that are out. */
  | 'forgetOffers'
  /** The call to the other one is given up, or he is hung up, if he was called for this. */
  | 'withdraw'
  | 'releaseOther'
  /** The one who stays may have taken the offer of somebody who is gone: back to whom he had. */
  | 'restoreStays'
  | 'tellJoined'
  | 'tellRefused';

type Cell = { readonly to: BridgeState | 'same' | 'gone'; readonly act: readonly BridgeAction[] };

const NOTHING: Cell = { to: 'same', act: [] };
const FAILED: Cell = { to: 'gone', act: ['tellRefused'] };

export const BRIDGE_MACHINE: {
  readonly [s in BridgeState]: { readonly [e in BridgeEvent]: Cell };
} = {
  placing: {
    ring: { to: 'same', act: ['tellRings'] },
    // only an INVITE without an offer is answered with one, and this had one
    answer: { to: 'gone', act: ['releaseOther', 'tellRefused'] },
    accept: { to: 'gone', act: ['standAlone', 'tellJoined'] },
    refuse: FAILED,
    offer: NOTHING,
    connect: NOTHING,
    deny: { to: 'gone', act: ['releaseOther', 'tellRefused'] },
    lose: NOTHING,
    vanish: FAILED,
    cancel: { to: 'gone', act: ['withdraw'] },
  },
  calling: {
    ring: { to: 'same', act: ['tellRings'] },
    answer: { to: 'offering', act: ['offerStays'] },
    accept: { to: 'asking', act: ['askOther'] },
    refuse: FAILED,
    offer: NOTHING,
    connect: NOTHING,
    deny: { to: 'gone', act: ['releaseOther', 'tellRefused'] },
    lose: { to: 'gone', act: ['withdraw', 'tellRefused'] },
    vanish: FAILED,
    cancel: { to: 'gone', act: ['withdraw'] },
  },
  asking: {
    ring: NOTHING,
    answer: NOTHING,
    accept: NOTHING,
    refuse: NOTHING,
    offer: { to: 'offering', act: ['offerStays'] },
    connect: NOTHING,
    deny: { to: 'gone', act: ['releaseOther', 'tellRefused'] },
    lose: { to: 'gone', act: ['forgetOffers', 'releaseOther', 'tellRefused'] },
    vanish: { to: 'gone', act: ['forgetOffers', 'tellRefused'] },
    cancel: { to: 'gone', act: ['forgetOffers', 'releaseOther'] },
  },
  offering: {
    ring: NOTHING,
    answer: NOTHING,
    accept: NOTHING,
    refuse: NOTHING,
    offer: NOTHING,
    connect: { to: 'gone', act: ['answerOther', 'connectLegs', 'tellJoined'] },
    // RFC 3261 14.1: a re-INVITE that was refused has changed nothing
    deny: { to: 'gone', act: ['releaseOther', 'tellRefused'] },
    lose: { to: 'gone', act: ['forgetOffers', 'releaseOther', 'tellRefused'] },
    vanish: { to: 'gone', act: ['restoreStays', 'tellRefused'] },
    cancel: { to: 'gone', act: ['restoreStays', 'releaseOther'] },
  },
};

/** What comes with an event. */
type News = {
  readonly status: number;
  readonly leg: Leg | undefined;
  readonly m: SipMessage | undefined;
};

const NEWS: News = { status: 480, leg: undefined, m: undefined };

/** Lets an event of a bridge happen. */
function move(cx: Context, b: Bridge, event: BridgeEvent, news: Partial<News>): void {
  const cell = BRIDGE_MACHINE[b.state][event];
  // what follows is what somebody asked for
  if (cell.act.length > 0 && b.session !== 0 && cx.turn.session === 0) {
    cx.turn.session = b.session;
    cx.turn.request = b.request;
  }
  const left: Leg[] = [];
  if (cell.to === 'gone') cx.store.remove(BRIDGE, b);
  else if (cell.to !== 'same') cx.store.patch(BRIDGE, b, { state: cell.to });
  for (const action of cell.act) act(cx, b, action, { ...NEWS, ...news }, left);
  if (cell.to !== 'gone') return;
  nailLeft(cx, b.other);
}

function act(cx: Context, b: Bridge, action: BridgeAction, news: News, left: Leg[]): void {
  switch (action) {
    case 'tellRings':
      bridged(cx, b, 'rings', news.status, left);
      return;
    case 'askOther':
      if (news.leg !== undefined) reoffer(cx, news.leg, '', 'bridge', b.id);
      return;
    case 'offerStays': {
      const leg = legOf(cx, b.stays);
      if (leg === undefined || !isUp(cx, leg)) move(cx, b, 'lose', {});
      else if (news.m) reoffer(cx, leg, bodyTail(news.m), 'bridge', b.id);
      return;
    }
    case 'answerOther':
      if (news.m !== undefined) settle(cx, b, bodyTail(news.m));
      return;
    case 'connectLegs':
      connectLegs(cx, b, left);
      return;
    case 'standAlone':
      if (news.leg !== undefined) cx.store.patch(LEG, news.leg, { peer: news.leg.id });
      return;
    case 'forgetOffers':
      forgetOffers(cx, b);
      return;
    case 'withdraw':
      if (b.fresh) endCall(cx, b.call, 'cancel', EMPTY_TAIL);
      return;
    case 'releaseOther':
      releaseOther(cx, b, news.status);
      return;
    case 'restoreStays':
      restoreStays(cx, b);
      return;
    case 'tellJoined':
      bridged(cx, b, 'joined', 200, left);
      return;
    case 'tellRefused':
      bridged(cx, b, 'refused', news.status, left);
      return;
  }
}

function legOf(cx: Context, id: number): Leg | undefined {
  return id === 0 ? undefined : cx.store.get(LEG, id);
}

/** It talks, and is not about to be hung up. */
export function isUp(cx: Context, leg: Leg): boolean {
  return leg.state === 'confirmed' && cx.store.get(CALL, leg.call)?.state === 'talking';
}

function mateOf(cx: Context, leg: Leg): Leg | undefined {
  const call = cx.store.get(CALL, leg.call);
  return call === undefined ? undefined : partner(cx, call, leg);
}

/** RFC 3725 4: the answer to an offer that was asked for goes into the ACK. */
function settle(cx: Context, b: Bridge, answer: string): void {
  const other = legOf(cx, b.other);
  const ctx = other === undefined ? undefined : cx.store.get(CTX, other.uac);
  if (other && ctx && awaitsAck(ctx)) acknowledge(cx, other, ctx, answer);
}

/**
 * From here on they talk with each other. Whom they talked with has nobody, and is `left`; but who holds
 * one of them for a program goes on holding.
 */
function connectLegs(cx: Context, b: Bridge, left: Leg[]): void {
  const stays = legOf(cx, b.stays);
  const other = legOf(cx, b.other);
  if (stays === undefined || other === undefined) return;
  for (const [leg, mate] of [
    [stays, other],
    [other, stays],
  ] as const) {
    const old = mateOf(cx, leg);
    if (old === undefined || old.id === mate.id) continue;
    left.push(old);
    if (!old.held) cx.store.patch(LEG, old, { peer: old.id });
  }
  // both were described anew: what held or muted one of them is over
  cx.store.patch(LEG, stays, { peer: other.id, held: false, muted: false });
  cx.store.patch(LEG, other, { peer: stays.id, held: false, muted: false });
  nailTalks(cx, other, stays);
}

function forgetOffers(cx: Context, b: Bridge): void {
  forget(cx, 'bridge', b.id, b.stays);
  forget(cx, 'bridge', b.id, b.other);
}

/** He was called for this: he is hung up. Else he goes on as before: his answer is what he knows. */
function releaseOther(cx: Context, b: Bridge, status: number): void {
  if (b.fresh) {
    const cause = status < 300 ? 480 : status;
    endCall(cx, b.call, 'end', `Reason: SIP;cause=${cause}\r\n${EMPTY_TAIL}`);
    return;
  }
  const other = legOf(cx, b.other);
  if (other?.state === 'confirmed') settle(cx, b, other.sdp);
}

/** Unsent, the offer changed nothing; sent, it may have been taken. */
function restoreStays(cx: Context, b: Bridge): void {
  const rows = cx.store.all(REOFFER, 'leg', b.stays);
  const sent = rows.some((r) => r.purpose === 'bridge' && r.ref === b.id && r.ctx !== 0);
  forgetOffers(cx, b);
  const stays = legOf(cx, b.stays);
  const old = stays === undefined ? undefined : mateOf(cx, stays);
  if (!sent || stays?.state !== 'confirmed' || old?.state !== 'confirmed') return;
  if (old.id !== b.other && !stays.held) bridgeLegs(cx, stays, old, 'none', 0);
}

/** Gives up a call that was made for somebody; `tail`: what its BYE says. */
export function endCall(cx: Context, id: number, event: 'cancel' | 'end', tail = ''): void {
  const call = cx.store.get(CALL, id);
  if (call === undefined) return;
  happen(cx, call, event, { ...SILENT, tail });
  tidy(cx, call);
}

// ── what owners ask for ──────────────────────────────────────────────────────────────────────────

export type Targets = Extract<Route, { kind: 'targets' }>;

/** How somebody is called. */
export type Calling = {
  /** The number that is called; it stands in To. */
  readonly called: string;
  /** From value without tag; left out: the other side of the leg that stays. */
  readonly from?: string;
  /** P-Asserted-Identity; '' or left out: none. */
  readonly identity?: string;
  /** Further headers of the INVITE, each with its line end. */
  readonly lines?: string;
  /** A body part that goes with the session description: its headers, an empty line, its body. */
  readonly besides?: string;
  /** Feature parameter of our Contact (RFC 3840). */
  readonly feature?: string;
  /** What he is; left out: a device. */
  readonly part?: Leg['part'];
  /** So long he may ring; left out: as the site says. */
  readonly noAnswerMs?: number;
  /** Kept in the row for its owner. */
  readonly note?: string;
};

type Owner = { readonly purpose: BridgePurpose; readonly ref: number; readonly note: string };

function bridgeRow(cx: Context, owner: Owner, values: Partial<Omit<Bridge, 'id'>>): Bridge {
  const { session, request } = cx.turn;
  const all = { ...owner, ...values, session, request, startedAt: cx.now };
  return cx.store.insert(BRIDGE, all);
}

/**
 * Calls somebody new, in the call of programs of `stays`, and connects the two when he answers. `stays`
 * is confirmed, and talks on with whom it talks until then.
 */
export function bridgeTo(
  cx: Context,
  stays: Leg,
  way: Targets,
  how: Calling,
  purpose: BridgePurpose,
  ref: number,
): Bridge {
  const nailed = isPlain(how) ? takeNailed(cx, way.targets) : undefined;
  if (nailed !== undefined) return bridgeLegs(cx, stays, nailed, purpose, ref, how.note);
  const own = cx.store.get(CALL, stays.call);
  const of = own === undefined ? undefined : ccallOf(cx, own);
  const from = how.from ?? stays.remoteUri;
  const call = callFor(cx, from, how, of ?? { kind: 'internal' });
  const owner = { purpose, ref, note: how.note ?? '' };
  const values = { state: 'calling', stays: stays.id, call: call.id, fresh: true } as const;
  const row = bridgeRow(cx, owner, values);
  const offer = { ...offerFor(cx, from, how, stays), tail: tailOf(how, EMPTY_TAIL) };
  for (const target of way.targets) invite(cx, call, target, { ...offer, offerless: true });
  keepHunt(cx, call, way.targets, way.later, { ...offer, offerless: true });
  return row;
}

/**
 * Calls somebody whom nobody waits for yet, with a held session. Joined, he is `bridge.other`, with
 * nobody to talk to. `of`: the call of programs he is in, or how that begins; undefined: they see none.
 */
export function placeCall(
  cx: Context,
  of: Ccall | Beginning | undefined,
  way: Targets,
  how: Calling & { readonly from: string },
  purpose: BridgePurpose,
  ref: number,
): Bridge {
  const owner = { purpose, ref, note: how.note ?? '' };
  const nailed = purpose === 'control' ? takeNailed(cx, way.targets) : undefined;
  if (nailed !== undefined && of !== undefined) return placeNailed(cx, of, nailed, how, owner);
  const call = callFor(cx, how.from, how, of);
  const row = bridgeRow(cx, owner, { state: 'placing', call: call.id, fresh: true });
  const description = heldOffer(cx, call.id);
  const common = offerFor(cx, how.from, how, undefined);
  const body = how.besides === undefined ? description : multipart([description, how.besides]);
  const offer = { ...common, tail: tailOf(how, body), offerless: false, description };
  for (const target of way.targets) invite(cx, call, target, offer);
  keepHunt(cx, call, way.targets, way.later, offer);
  return row;
}

/** Somebody like any other who is called: the session he is nailed up by will do. */
function isPlain(how: Calling): boolean {
  return (how.part ?? 'device') === 'device' && how.besides === undefined && !how.feature;
}

/** He is there already: joined in this turn. */
function placeNailed(
  cx: Context,
  of: Ccall | Beginning,
  leg: Leg,
  how: Calling & { readonly from: string },
  owner: Owner,
): Bridge {
  const named = { caller: userOf(uriOf(how.from)), called: how.called };
  nailJoins(cx, leg, 'guid' in of ? of : newCcall(cx, named, of));
  const row = bridgeRow(cx, owner, { state: 'placing', call: leg.call, other: leg.id });
  move(cx, row, 'accept', { leg, status: 200 });
  return row;
}

/** Connects two legs that are there. Nothing is heard of it before this turn ends. */
export function bridgeLegs(
  cx: Context,
  stays: Leg,
  other: Leg,
  purpose: BridgePurpose,
  ref: number,
  note = '',
): Bridge {
  const owner = { purpose, ref, note };
  const row = bridgeRow(cx, owner, {
    state: 'asking',
    stays: stays.id,
    call: other.call,
    other: other.id,
  });
  reoffer(cx, other, '', 'bridge', row.id);
  return row;
}

/** Connects `stays` with whoever answers, or answered, a call that is under way: a consultation. */
export function bridgeCall(
  cx: Context,
  stays: Leg,
  call: Call,
  purpose: BridgePurpose,
  ref: number,
  note = '',
): Bridge {
  const winner = call.state === 'talking' ? legOf(cx, call.winner) : undefined;
  if (winner !== undefined) return bridgeLegs(cx, stays, winner, purpose, ref, note);
  const owner = { purpose, ref, note };
  return bridgeRow(cx, owner, { state: 'calling', stays: stays.id, call: call.id });
}

/** The owner wants it no more; he hears nothing of it. */
export function cancelBridge(cx: Context, b: Bridge): void {
  if (cx.store.get(BRIDGE, b.id) !== undefined) move(cx, b, 'cancel', {});
}

/** Bridges a leg has a part in, as the one who stays or the other. */
export function bridgesOf(cx: Context, leg: Leg): Bridge[] {
  if (cx.store.count(BRIDGE) === 0) return [];
  const as = cx.store.all(BRIDGE, 'call', leg.call).filter((b) => b.other === leg.id);
  return [...cx.store.all(BRIDGE, 'stays', leg.id), ...as];
}

function callFor(cx: Context, from: string, how: Calling, of: Ccall | Beginning | undefined): Call {
  const values = {
    state: 'trying',
    // nobody's INVITE: only a word that no other call has
    callId: randomWord(cx.chance),
    caller: userOf(uriOf(from)),
    called: how.called,
    startedAt: cx.now,
    noAnswerAt: cx.now + (how.noAnswerMs ?? cx.settings.noAnswerMs),
  } as const;
  return of === undefined ? cx.store.insert(CALL, values) : beginCall(cx, values, of);
}

function tailOf(how: Calling, description: string): string {
  return `${ALLOW}${how.lines ?? ''}${description}`;
}

type Common = Omit<Offer, 'tail' | 'offerless' | 'description'>;

function offerFor(cx: Context, from: string, how: Calling, stays: Leg | undefined): Common {
  // on an open site nobody has proven anything
  const known = cx.settings.auth && stays !== undefined && stays.aor !== '';
  return {
    caller: userOf(uriOf(from)),
    localUri: from,
    remoteUri: `<sip:${escapeUser(how.called)}@${cx.settings.here}>`,
    hops: 69,
    identity: how.identity ?? (known ? `<sip:${stays.aor}@${cx.settings.here}>` : ''),
    anonymous: stays?.anonymous ?? false,
    part: how.part ?? 'device',
    feature: how.feature ?? '',
  };
}

// ── what the calls tell ──────────────────────────────────────────────────────────────────────────

/** The bridge that waits for somebody to answer `call`. */
export function bridgeFor(cx: Context, call: Call): Bridge | undefined {
  if (cx.store.count(BRIDGE) === 0) return undefined;
  return cx.store
    .all(BRIDGE, 'call', call.id)
    .find((b) => b.state === 'calling' || b.state === 'placing');
}

export function bridgeRings(cx: Context, call: Call, leg: Leg | undefined, status: number): void {
  const b = bridgeFor(cx, call);
  if (b !== undefined) move(cx, b, 'ring', { status, leg });
}

/** Somebody answered the call it waits for; its caller, if it had one, is gone. */
export function bridgeAnswers(cx: Context, b: Bridge, leg: Leg, ctx: Ctx, m: SipMessage): void {
  cx.store.patch(BRIDGE, b, { other: leg.id, fresh: true });
  if (!awaitsAck(ctx)) {
    const described = describes(m) || leg.answer !== '';
    sendAck(cx, leg, ctx, leg.remoteTag);
    move(cx, b, b.state === 'placing' && !described ? 'deny' : 'accept', { leg, m, status: 488 });
  } else if (describes(m)) move(cx, b, 'answer', { leg, m });
  else {
    acknowledge(cx, leg, ctx, '');
    move(cx, b, 'deny', { status: 488 });
  }
}

export function bridgeRefuses(cx: Context, call: Call, status: number): void {
  const b = bridgeFor(cx, call);
  if (b !== undefined) move(cx, b, 'refuse', { status });
}

/** A leg is gone, or about to be. */
export function bridgeLoses(cx: Context, leg: Leg): void {
  for (const b of bridgesOf(cx, leg)) {
    if (cx.store.get(BRIDGE, b.id) === undefined) continue;
    move(cx, b, b.stays === leg.id ? 'lose' : 'vanish', { status: 480 });
  }
}

/** A call has ended, and nobody said why to a bridge that waits for it. */
export function bridgeEnded(cx: Context, call: Call): void {
  const b = bridgeFor(cx, call);
  if (b !== undefined) move(cx, b, 'vanish', { status: 480 });
}

/** What became of a re-INVITE for a bridge. @returns false when it does not want it any more. */
export function bridgeOutcome(cx: Context, ref: number, outcome: Outcome): boolean {
  const b = cx.store.get(BRIDGE, ref);
  if (b === undefined) return false;
  const { leg } = outcome;
  // a 2xx without a description is no answer to an offer, and no offer
  const answered = outcome.kind === 'answered' && describes(outcome.m);
  const event = !answered ? 'deny' : leg.id === b.stays ? 'connect' : 'offer';
  const wanted = BRIDGE_MACHINE[b.state][event].act.length > 0;
  if (answered) move(cx, b, event, { leg, m: outcome.m, status: 200 });
  else move(cx, b, event, { leg, status: outcome.kind === 'refused' ? outcome.status : 488 });
  return wanted && (answered || outcome.kind === 'refused');
}

export type { BridgeOutcome };
