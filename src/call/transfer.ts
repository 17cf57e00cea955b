/**
 * Transfer: the one who stays (transferee) is connected with another (target), and the one who goes
 * (transferor) is told and hung up (RFC 5589). We do it all ourselves, as RFC 3725 does it: the target
 * gives an offer, the transferee is offered that by re-INVITE on its own dialog, and its answer is the
 * target's. Nobody's Call-ID or tags change.
 *
 *   calling  the target has not answered             joined   done; the transferor is still there
 *   asking   it answered, and is asked for an offer  failed   not done; he is still to be told
 *   joining  its offer is out to the transferee
 *
 *   ring     the target rings                        deny     a re-INVITE was refused for good
 *   answer   it answers with its offer (blind)       leave    the transferor hangs up
 *   accept   it answers somebody else's offer        lose     the transferee is gone
 *   offer    it gave the offer it was asked for      vanish   the target is gone
 *   refuse   it will not be had                      told     all that was to be told was
 *   connect  the transferee took the offer
 *
 * The table says what each event leads to; a test proves it total. All of it is in rows, so whoever
 * leads next goes on from any of these states.
 */

import type { Context } from '../proto/context.ts';
import { awaitsAck } from '../proto/sip/client.ts';
import { CTX, type Ctx, STX } from '../proto/sip/rows.ts';
import { respond } from '../proto/sip/server.ts';
import { ALLOW, bodyTail, EMPTY_TAIL } from '../proto/sip/text.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { bridgeLoses, bridgesOf, endCall } from './bridge.ts';
import { conferenceLoses } from './conference/conference.ts';
import { hearsNothing } from './control/music.ts';
import { oneCall } from './csta/merge.ts';
import { closeLeg, contactOf, dropLeg, hangUp, sendAck, tidy } from './leg.ts';
import { parksLeg } from './nail/nail.ts';
import { notify } from './notify.ts';
import { describes, spoke } from './offer.ts';
import { continued } from './origin.ts';
import { endLeg, holdersOf } from './parts.ts';
import { give } from './reliable.ts';
import { acknowledge, forget, type Outcome, reoffer } from './renegotiate.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import {
  TRANSFER_MACHINE,
  type TransferAction,
  type TransferEvent,
  type TransferState,
} from './transfer-machine.ts';
import { TRANSFER, type Transfer } from './transfer-rows.ts';

/** What comes with an event. */
type News = {
  readonly status: number;
  readonly leg: Leg | undefined;
  readonly ctx: Ctx | undefined;
  readonly m: SipMessage | undefined;
};

const NEWS: News = { status: 0, leg: undefined, ctx: undefined, m: undefined };

/** So long the transferor has, once he knows of the success, to hang up by himself, ms. */
const GRACE_MS = 2000;

/** Lets an event of a transfer happen. */
function move(cx: Context, t: Transfer, event: TransferEvent, news: Partial<News>): void {
  const cell = TRANSFER_MACHINE[t.state][event];
  const to = cell.to === 'same' ? t.state : cell.to;
  const all = { ...NEWS, ...news };
  if (to !== t.state) {
    cx.store.patch(TRANSFER, t, { state: to });
    if (to === 'joined') cx.count('transfersDone');
    else if (to === 'failed') cx.count('transfersFailed');
  }
  if (all.status !== 0 && cell.act.includes('tell')) {
    cx.store.patch(TRANSFER, t, { status: all.status });
  }
  for (const action of cell.act) act(cx, t, action, all);
}

function act(cx: Context, t: Transfer, action: TransferAction, news: News): void {
  switch (action) {
    case 'tell':
      notify(cx, t);
      return;
    case 'askTarget':
      if (news.leg !== undefined) reoffer(cx, news.leg, '', 'transfer', t.id);
      return;
    case 'offerTransferee':
      offerTransferee(cx, t, news);
      return;
    case 'answerTarget':
      answerTarget(cx, t, news);
      return;
    case 'connectLegs':
      connectLegs(cx, t);
      return;
    case 'release':
      release(cx, t);
      return;
    case 'withdraw':
      // a consultation that still rings is the transferor's own business, while he is there
      if (t.kind === 'blind' || legOf(cx, t.consult) === undefined) {
        endCall(cx, t.targetCall, 'cancel');
      }
      return;
    case 'hangUpTarget':
      hangUpTarget(cx, t);
      return;
    case 'forgetOffer':
      forget(cx, 'transfer', t.id, t.transferee);
      forget(cx, 'transfer', t.id, t.target);
      return;
    case 'restore':
      restore(cx, t);
      return;
    case 'detach':
      detach(cx, t, news);
      return;
    case 'finish':
      finish(cx, t);
      return;
  }
}

function legOf(cx: Context, id: number): Leg | undefined {
  return id === 0 ? undefined : cx.store.get(LEG, id);
}

function offerTransferee(cx: Context, t: Transfer, news: News): void {
  const leg = legOf(cx, t.transferee);
  if (news.leg !== undefined) cx.store.patch(TRANSFER, t, { target: news.leg.id });
  if (leg !== undefined && news.m !== undefined) {
    reoffer(cx, leg, bodyTail(news.m), 'transfer', t.id);
  }
}

/** RFC 3725 4: the answer goes into the ACK; whoever came by himself has it in his 2xx. */
function answerTarget(cx: Context, t: Transfer, news: News): void {
  const target = legOf(cx, t.target);
  if (target === undefined || news.m === undefined) return;
  if (t.kind !== 'replace') {
    const ctx = cx.store.get(CTX, target.uac);
    if (ctx !== undefined && awaitsAck(ctx)) acknowledge(cx, target, ctx, bodyTail(news.m));
    return;
  }
  const stx = cx.store.get(STX, target.uas);
  const call = cx.store.get(CALL, target.call);
  if (stx === undefined || call === undefined) return;
  cx.store.patch(CALL, call, { state: 'talking', answeredAt: cx.now, noAnswerAt: 0 });
  const body = bodyTail(news.m, continued(cx, target, news.m.body));
  spoke(cx, target, news.m);
  give(cx, target, stx, 200, '', contactOf(cx, target) + ALLOW + body);
}

/** From here on the two talk with each other, and the transferor with nobody. */
function connectLegs(cx: Context, t: Transfer): void {
  const transferee = legOf(cx, t.transferee);
  const target = legOf(cx, t.target);
  if (transferee === undefined || target === undefined) return;
  // one of them may hear what a program put in place of the transferor
  for (const leg of [transferee, target]) hearsNothing(cx, leg);
  cx.store.patch(LEG, transferee, { peer: target.id });
  cx.store.patch(LEG, target, { peer: transferee.id });
  for (const id of [t.transferor, t.consult]) {
    const leg = legOf(cx, id);
    if (leg !== undefined) cx.store.patch(LEG, leg, { peer: leg.id });
  }
  cx.store.patch(TRANSFER, t, { status: 200 });
  const device = legOf(cx, t.transferor) ?? legOf(cx, t.consult);
  const picked = t.kind === 'replace' && t.transferor === 0;
  oneCall(cx, transferee, target, device, picked ? 'callPickup' : 'transfer');
}

function release(cx: Context, t: Transfer): void {
  const consult = legOf(cx, t.consult);
  if (consult !== undefined && !parksLeg(cx, consult)) hangUp(cx, consult, EMPTY_TAIL);
  const transferor = legOf(cx, t.transferor);
  if (transferor?.state !== 'confirmed' || parksLeg(cx, transferor)) return;
  // RFC 5589 6.1: the transferor hangs up when he is told of the success; some never do
  if (t.kind === 'replace') hangUp(cx, transferor, EMPTY_TAIL);
  else cx.store.patch(TRANSFER, t, { byeAt: cx.now + GRACE_MS });
}

/**
 * RFC 5589 7: an attended transfer that fails leaves the transferor his consultation. The target gave
 * an offer when it was asked for one: its answer is what it was told last, so its session stays what it
 * was. @returns false when nobody is left to consult.
 */
function goesOn(cx: Context, t: Transfer, target: Leg): boolean {
  const consult = t.kind === 'attended' ? legOf(cx, t.consult) : undefined;
  if (consult?.state !== 'confirmed' || target.state !== 'confirmed') return false;
  const ctx = cx.store.get(CTX, target.uac);
  if (ctx !== undefined && awaitsAck(ctx)) acknowledge(cx, target, ctx, target.sdp);
  return true;
}

/** What a BYE says to somebody a transfer leaves alone (RFC 3326). */
function why(t: Transfer): string {
  const cause = t.status < 300 ? 480 : t.status;
  return `Reason: SIP;cause=${cause};text="Transfer failed"\r\n${EMPTY_TAIL}`;
}

function hangUpTarget(cx: Context, t: Transfer): void {
  const target = legOf(cx, t.target);
  if (t.kind !== 'replace') {
    if (target === undefined || !goesOn(cx, t, target)) endCall(cx, t.targetCall, 'end', why(t));
    return;
  }
  const stx = target === undefined ? undefined : cx.store.get(STX, target.uas);
  const call = cx.store.get(CALL, t.targetCall);
  if (target === undefined || call === undefined) return;
  if (stx !== undefined) respond(cx, stx, t.status < 300 ? 480 : t.status, '', EMPTY_TAIL);
  cx.store.remove(LEG, target);
  tidy(cx, call);
}

function restore(cx: Context, t: Transfer): void {
  // with the consultation goes the one who was consulted
  const alone = t.kind === 'attended' && t.target !== 0 && legOf(cx, t.consult) === undefined;
  if (alone) endCall(cx, t.targetCall, 'end', why(t));
  const transferee = legOf(cx, t.transferee);
  if (transferee === undefined) return;
  // nobody is left for him: the transferor has gone, or he was given to who picked him up
  const { peer } = transferee;
  if (peer === transferee.id || (peer !== 0 && peer === t.target)) {
    endCall(cx, transferee.call, 'end', why(t));
  }
}

/** RFC 5057 3.1: a dialog lasts as long as one of its usages; here that is the subscription. */
function detach(cx: Context, t: Transfer, news: News): void {
  const { leg } = news;
  if (leg === undefined) return;
  if (leg.id === t.transferor && t.subscription === 'active') {
    closeLeg(cx, leg);
    cx.store.patch(LEG, leg, { state: 'subscribed', peer: leg.id });
  } else dropLeg(cx, leg);
  cx.store.patch(TRANSFER, t, { byeAt: 0 });
  const transferee = legOf(cx, t.transferee);
  if (t.state !== 'joined' && leg.id === t.transferor && transferee !== undefined) {
    cx.store.patch(LEG, transferee, { peer: transferee.id });
  }
}

/** Nothing is left to be told and nobody to be hung up: the row goes. */
function finish(cx: Context, t: Transfer): void {
  if (t.subscription === 'active' || t.byeAt !== 0) return;
  if (t.state !== 'joined' && t.state !== 'failed') return;
  const leg = legOf(cx, t.transferor);
  const call = leg === undefined ? undefined : cx.store.get(CALL, leg.call);
  if (leg?.state === 'subscribed') cx.store.remove(LEG, leg);
  cx.store.remove(TRANSFER, t);
  if (call !== undefined) tidy(cx, call);
}

/** A moment of the row has come: its subscription ends, or the transferor did not hang up. */
export function transferDue(cx: Context, t: Transfer): void {
  if (t.subscription === 'active' && t.expiresAt <= cx.now) endSubscription(cx, t);
  if (t.byeAt !== 0 && t.byeAt <= cx.now) {
    // a NOTIFY is still out, and the one that tells him of the success waits for its end
    const untold = t.subscription === 'active' && t.notify !== 0;
    cx.store.patch(TRANSFER, t, { byeAt: untold ? cx.now + GRACE_MS : 0 });
    const leg = untold ? undefined : legOf(cx, t.transferor);
    if (leg !== undefined) hangUp(cx, leg, EMPTY_TAIL);
  }
  move(cx, t, 'told', {});
}

/** The transferor wants to hear no more of it; the transfer goes on. */
export function unsubscribe(cx: Context, t: Transfer): void {
  endSubscription(cx, t);
  move(cx, t, 'told', {});
}

function endSubscription(cx: Context, t: Transfer): void {
  notify(cx, t, true);
  cx.store.patch(TRANSFER, t, { subscription: 'ended' });
  subscriptionOver(cx, t);
}

/** Who has hung up and hears no more of it has no dialog with us any more, however it goes on. */
function subscriptionOver(cx: Context, t: Transfer): void {
  const leg = legOf(cx, t.transferor);
  if (leg?.state !== 'subscribed') return;
  const call = cx.store.get(CALL, leg.call);
  cx.store.remove(LEG, leg);
  if (call !== undefined) tidy(cx, call);
}

/** A NOTIFY came to its end; `status` 0: nobody answered. @returns false when it is none of ours. */
export function toldTransferor(cx: Context, ctx: Ctx, status: number): boolean {
  if (ctx.method !== 'NOTIFY' || ctx.leg === 0) return false;
  const t = cx.store.all(TRANSFER, 'transferor', ctx.leg).find((x) => x.notify === ctx.id);
  if (t === undefined) return false;
  if (status > 0 && status < 200) return true;
  cx.store.patch(TRANSFER, t, { notify: 0 });
  // RFC 6665 4.2.2: a NOTIFY that fails for good, or that nobody answers, ends the subscription
  if (t.said >= 200 || status < 200 || status >= 300) {
    const byeAt = t.byeAt === 0 ? 0 : cx.now + GRACE_MS;
    cx.store.patch(TRANSFER, t, { subscription: 'ended', byeAt });
    subscriptionOver(cx, t);
  } else notify(cx, t);
  // his leg may have gone meanwhile, and with it the need to tell him
  if (t.subscription !== 'active') move(cx, t, 'told', {});
  return true;
}

/**
 * What became of a re-INVITE that a transfer wanted. @returns false when it does not want it any more.
 */
export function transferOutcome(cx: Context, ref: number, outcome: Outcome): boolean {
  const t = cx.store.get(TRANSFER, ref);
  if (t === undefined) return false;
  const { leg } = outcome;
  // a 2xx without a description is no answer to an offer, and no offer
  const answered = outcome.kind === 'answered' && describes(outcome.m);
  const event = !answered ? 'deny' : leg.id === t.transferee ? 'connect' : 'offer';
  const wanted = TRANSFER_MACHINE[t.state][event].act.length > 0;
  if (answered) move(cx, t, event, { leg, ctx: outcome.ctx, m: outcome.m, status: 200 });
  else move(cx, t, event, { leg, status: outcome.kind === 'refused' ? outcome.status : 488 });
  return wanted && (answered || outcome.kind === 'refused');
}

// ── what the calls tell ──────────────────────────────────────────────────────────────────────────

const ACTIVE: ReadonlySet<TransferState> = new Set(['calling', 'asking', 'joining']);

/** The transfer that waits for somebody to answer `call`. */
export function waitsFor(cx: Context, call: Call): Transfer | undefined {
  if (cx.store.count(TRANSFER) === 0) return undefined;
  return cx.store.all(TRANSFER, 'targetCall', call.id).find((t) => t.state === 'calling');
}

/** True when a leg has a part in a transfer, or another bridge, that is not over. */
export function inTransfer(cx: Context, leg: Leg): boolean {
  if (bridgesOf(cx, leg).length > 0) return true;
  if (cx.store.count(TRANSFER) === 0) return false;
  const { store } = cx;
  return (
    store.all(TRANSFER, 'transferor', leg.id).some((t) => ACTIVE.has(t.state)) ||
    store.all(TRANSFER, 'transferee', leg.id).some((t) => ACTIVE.has(t.state)) ||
    store.all(TRANSFER, 'consult', leg.id).some((t) => ACTIVE.has(t.state)) ||
    store.all(TRANSFER, 'targetCall', leg.call).some((t) => ACTIVE.has(t.state))
  );
}

/** A phone of the target's rings. */
export function targetRings(cx: Context, call: Call, status: number): void {
  const t = waitsFor(cx, call);
  if (t !== undefined && t.status < 180) move(cx, t, 'ring', { status });
}

/** The target answered: with an offer when it was asked for one. */
export function targetAnswers(cx: Context, t: Transfer, leg: Leg, ctx: Ctx, m: SipMessage): void {
  cx.store.patch(TRANSFER, t, { target: leg.id });
  if (!awaitsAck(ctx)) {
    sendAck(cx, leg, ctx, leg.remoteTag);
    move(cx, t, 'accept', { leg, ctx, m });
  } else if (describes(m)) move(cx, t, 'answer', { leg, ctx, m });
  else {
    move(cx, t, 'vanish', { status: 488 });
    endCall(cx, t.targetCall, 'end');
  }
}

/** A consultation whose phone had answered before it became the target of a transfer. */
export function targetIsThere(cx: Context, t: Transfer, leg: Leg): void {
  cx.store.patch(TRANSFER, t, { target: leg.id });
  move(cx, t, 'accept', { leg });
}

export function targetRefuses(cx: Context, call: Call, status: number): void {
  const t = waitsFor(cx, call);
  if (t !== undefined) move(cx, t, 'refuse', { status });
}

/** Done as soon as it began: the transferee waits where he was sent. */
export function transferDone(cx: Context, t: Transfer): void {
  cx.count('transfersDone');
  cx.store.patch(TRANSFER, t, { state: 'joined', status: 200 });
  for (const action of ['tell', 'release', 'finish'] as const) act(cx, t, action, NEWS);
}

/** Refused before it began: the number leads nowhere. */
export function refuseAtOnce(cx: Context, t: Transfer, status: number): void {
  move(cx, t, 'refuse', { status });
}

/** He hangs up. @returns true when it ends his leg alone, false when it ends the call. */
export function departs(cx: Context, leg: Leg): boolean {
  if (cx.store.count(TRANSFER) > 0) {
    const { store } = cx;
    for (const t of store.all(TRANSFER, 'transferor', leg.id)) {
      if (t.state === 'failed') continue;
      move(cx, t, 'leave', { leg });
      return true;
    }
    for (const t of store.all(TRANSFER, 'consult', leg.id)) {
      if (t.state !== 'asking' && t.state !== 'joining') continue;
      move(cx, t, 'leave', { leg });
      return true;
    }
  }
  if (leg.peer !== leg.id || onlyTransferee(cx, leg) || holdersOf(cx, leg).length > 0) return false;
  dropLeg(cx, leg);
  bridgeLoses(cx, leg);
  return true;
}

function onlyTransferee(cx: Context, leg: Leg): boolean {
  return cx.store.all(TRANSFER, 'transferee', leg.id).some((t) => ACTIVE.has(t.state));
}

/**
 * A call ends. Transfers that needed it end with it, and so do the calls whose legs it was connected
 * with by transfers that are done. @param gone the leg it began with, which may be no row any more.
 */
export function callEnds(cx: Context, call: Call, gone: Leg | undefined): void {
  const { store } = cx;
  const legs = [...store.all(LEG, 'call', call.id)];
  if (gone !== undefined && gone.call === call.id && !legs.includes(gone)) legs.push(gone);
  if (store.count(TRANSFER) > 0) {
    for (const leg of legs) {
      for (const t of [...store.all(TRANSFER, 'transferee', leg.id)]) {
        move(cx, t, 'lose', { status: 487 });
      }
    }
    for (const t of [...store.all(TRANSFER, 'targetCall', call.id)]) {
      if (t.state !== 'calling') move(cx, t, 'vanish', { status: 480 });
    }
  }
  for (const leg of legs) {
    const peer = leg.peer === 0 || leg.peer === leg.id ? undefined : store.get(LEG, leg.peer);
    if (peer !== undefined && peer.call !== call.id) endLeg(cx, peer);
    for (const holder of holdersOf(cx, leg)) if (holder.call !== call.id) endLeg(cx, holder);
    bridgeLoses(cx, leg);
  }
  conferenceLoses(cx, call.id);
}

/** A leg is over, but not its call: transfers that needed it end. */
export function transferLoses(cx: Context, leg: Leg): void {
  const { store } = cx;
  if (store.count(TRANSFER) === 0) return;
  for (const t of [...store.all(TRANSFER, 'transferee', leg.id)])
    move(cx, t, 'lose', { status: 487 });
  for (const t of [...store.all(TRANSFER, 'targetCall', leg.call)]) {
    if (t.target === leg.id && t.state !== 'calling') move(cx, t, 'vanish', { status: 480 });
  }
}

/** It has ended, and nobody said why to a transfer that waits for it. */
export function callEnded(cx: Context, call: Call): void {
  const t = waitsFor(cx, call);
  if (t !== undefined) move(cx, t, 'vanish', { status: 480 });
}
