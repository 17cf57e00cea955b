/**
 * Requests inside a dialog: ACK, BYE, re-INVITE, and those that are simply passed to the other side
 * (UPDATE, INFO, MESSAGE) and answered with what it answers.
 */

import { below } from '../base/chance.ts';
import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { isLocalMedia } from '../proto/media.ts';
import { awaitsAck, cancel, outstanding } from '../proto/sip/client.ts';
import { CTX, type Method, STX, type Stx } from '../proto/sip/rows.ts';
import {
  acknowledged,
  answer,
  answerStateless,
  findServer,
  openServer,
  respond,
  serverKey,
  serverReceives,
  trying,
  unsettled,
} from '../proto/sip/server.ts';
import {
  ALLOW,
  ALLOW_EVENTS,
  bodyTail,
  EMPTY_TAIL,
  passedOn,
  SUPPORTED,
} from '../proto/sip/text.ts';
import { M, type SipMessage } from '../sip-parser/index.ts';
import { admits, extensions, notAllowed, tooLarge } from './admission.ts';
import { answerAlone, isAlone } from './alone.ts';
import { happen } from './call.ts';
import { infoHeard, mediaLeaves } from './distribute/hear.ts';
import {
  contactOf,
  dropLeg,
  findLeg,
  inviteLines,
  partner,
  refreshTarget,
  sendAck,
  sendBye,
  sendInDialog,
  tagOf,
  tidy,
} from './leg.ts';
import { mediaSays } from './media.ts';
import { describes, exchange, refusesOffer } from './offer.ts';
import { continued } from './origin.ts';
import { refer, resubscribe } from './refer.ts';
import { prack } from './reliable.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { grantSession, learn, sessionLines, TIMER_ONLY, termsFor, tooBrief } from './session.ts';
import { departs } from './transfer.ts';
import { vouched } from './voucher.ts';

/** A request with a To tag, other than ACK and CANCEL, that repeats none. */
export function inDialog(cx: Context, m: SipMessage, key: string, from: Peer): void {
  const leg = findLeg(cx, m);
  const call = leg === undefined ? undefined : cx.store.get(CALL, leg.call);
  if (leg === undefined || call === undefined) {
    cx.count('requestsOutsideDialog');
    if (!admits(cx, from)) return;
    if (m.methodId === M.PRACK) {
      prack(cx, m, key, from, undefined);
      return;
    }
    // RFC 3261 12.2.2: "If the request ... does not match an existing dialog ... 481".
    answerStateless(cx, m, from, 481, EMPTY_TAIL);
    return;
  }
  if (!vouched(cx, m, from, leg.aor, leg.ip)) return;
  cx.guard.know(cx.now, from.ip);
  // 12.2.2: "If the remote sequence number was not empty, but the sequence number of the request is
  // lower than the remote sequence number, the request is out of order and MUST be rejected with a
  // 500 (Server Internal Error) response."
  if (m.cseq < leg.remoteCseq) {
    answerStateless(cx, m, from, 500, EMPTY_TAIL);
    return;
  }
  if (m.methodId === M.SUBSCRIBE && resubscribe(cx, m, key, leg, from)) return;
  if (leg.state === 'subscribed') {
    answerStateless(cx, m, from, 481, EMPTY_TAIL);
    return;
  }
  if (m.methodId === M.INFO && infoHeard(cx, m, key, leg, call, from)) return;
  if (m.methodId === M.INFO && isLocalMedia(leg)) {
    mediaSays(cx, m, key, leg, from);
    return;
  }
  switch (m.methodId) {
    case M.BYE:
      bye(cx, m, key, leg, call, from);
      return;
    case M.PRACK:
      prack(cx, m, key, from, leg);
      return;
    case M.INVITE:
    case M.UPDATE:
    case M.INFO:
    case M.MESSAGE:
      pass(cx, m, key, leg, call, from);
      return;
    case M.REFER:
      refer(cx, m, key, leg, call, from);
      return;
    case M.OPTIONS:
      answerStateless(cx, m, from, 200, OPTIONS_TAIL);
      return;
    case M.SUBSCRIBE:
    case M.NOTIFY:
      // RFC 6665 7.2.1: no event is told inside a call's dialog
      answerStateless(cx, m, from, 489, ALLOW_EVENTS + EMPTY_TAIL);
      return;
    default:
      notAllowed(cx, m, from);
  }
}

/** RFC 3261 11.2: what an answer to OPTIONS says. */
export const OPTIONS_TAIL = `${ALLOW}${ALLOW_EVENTS}Accept: application/sdp, */*\r\n${SUPPORTED}${EMPTY_TAIL}`;

function bye(cx: Context, m: SipMessage, key: string, leg: Leg, call: Call, from: Peer): void {
  answer(cx, m, key, from, 200, '');
  const silent = { leg, m, ctx: undefined, status: 0, reason: '', tail: '' };
  if (leg.side === 'callee' && (leg.state === 'inviting' || leg.state === 'early')) {
    // RFC 3261 15: a callee MUST NOT do this; we take it as a refusal and withdraw the INVITE.
    const ctx = cx.store.get(CTX, leg.uac);
    if (ctx !== undefined) cancel(cx, ctx, inviteLines(leg));
    return;
  }
  // Our own BYE is out already: the leg lasts until that is answered.
  if (leg.state === 'ending') return;
  if (leg.state === 'closing') {
    dropLeg(cx, leg);
    tidy(cx, call);
    return;
  }
  if (leg.part === 'media' && mediaLeaves(cx, leg, call)) return;
  const early = call.state === 'trying' || call.state === 'ringing';
  if (!early && departs(cx, leg)) {
    tidy(cx, call);
    return;
  }
  if (!early) dropLeg(cx, leg);
  happen(cx, call, 'end', { ...silent, tail: early ? '' : passedOn(m, '') });
  tidy(cx, call);
}

/** A request for the other side: it is sent on, and its response comes back by `onward`. */
function pass(cx: Context, m: SipMessage, key: string, leg: Leg, call: Call, from: Peer): void {
  const invite = m.methodId === M.INVITE;
  const bad =
    tooLarge(m) ??
    extensions(m) ??
    (m.maxForwards === 0 ? { status: 483, tail: EMPTY_TAIL } : undefined) ??
    (changesSession(m) ? brief(cx, m) : undefined);
  if (bad !== undefined) {
    answerStateless(cx, m, from, bad.status, bad.tail);
    return;
  }
  if (m.methodId === M.UPDATE && !describes(m)) {
    updateHere(cx, m, key, leg, from);
    return;
  }
  if (isAlone(leg)) {
    answerAlone(cx, m, key, leg, from);
    return;
  }
  const other = partner(cx, call, leg);
  const refused = refuses(cx, m, leg, other);
  if (refused !== 0) {
    // RFC 3261 14.2: the 500 to an overlapping INVITE has a Retry-After of 0 to 10 seconds.
    const wait = refused === 500 ? `Retry-After: ${below(cx.chance, 11)}\r\n` : '';
    if (invite) {
      // kept: repeated a moment later the same INVITE might not be refused, and would get two answers
      const stx = openServer(cx, m, key, from, 0, tagOf(leg));
      respond(cx, stx, refused, '', wait + EMPTY_TAIL);
    } else if (m.methodId === M.UPDATE) answer(cx, m, key, from, refused, wait + EMPTY_TAIL);
    else answerStateless(cx, m, from, refused, EMPTY_TAIL);
    return;
  }
  if (other === undefined) return;
  const before = invite && leg.uas !== 0 ? cx.store.get(STX, leg.uas) : undefined;
  if (before !== undefined && unsettled(before)) acknowledged(cx, before);
  const stx = openServer(cx, m, key, from, leg.id, tagOf(leg));
  if (invite) trying(cx, m, stx);
  cx.store.patch(LEG, leg, { remoteCseq: m.cseq, uas: invite ? stx.id : leg.uas });
  if (changesSession(m)) {
    refreshTarget(cx, leg, m);
    learn(cx, leg, m);
    if (leg.state === 'confirmed') cx.store.patch(STX, stx, termsFor(cx, leg, m));
  }
  const hops = m.maxForwards < 0 ? 69 : m.maxForwards - 1;
  const own = changesSession(m) ? ALLOW + linesFor(cx, other) : '';
  const offers = changesSession(m) && describes(m);
  const tail = passedOn(m, own, offers ? continued(cx, other, m.body) : m.body);
  if (offers) exchange(cx, leg, 'offerIn');
  const method = m.method as Method;
  const ctx = sendInDialog(cx, other, method, hops, tail, stx.id, invite && !offers);
  if (offers) exchange(cx, other, 'offerOut', m);
  cx.store.patch(STX, stx, { onward: ctx.id });
  if (invite) cx.store.patch(LEG, other, { uac: ctx.id });
}

/** INVITE and UPDATE: they may describe the session, refresh it, and move the remote target. */
function changesSession(m: SipMessage): boolean {
  return m.methodId === M.INVITE || m.methodId === M.UPDATE;
}

function brief(cx: Context, m: SipMessage): { status: number; tail: string } | undefined {
  const least = tooBrief(cx, m);
  return least === '' ? undefined : { status: 422, tail: least + EMPTY_TAIL };
}

/** What our request that passes one on says of the session with its receiver. */
function linesFor(cx: Context, other: Leg): string {
  // Inside a dialog nobody's PRACK is waited for: no reliable provisional responses.
  return other.state === 'confirmed' ? sessionLines(cx, other, TIMER_ONLY) : TIMER_ONLY;
}

/**
 * An UPDATE without a description is between one side and us (RFC 4028 7.4: it refreshes the session;
 * RFC 3311 5.2: it moves the remote target).
 */
function updateHere(cx: Context, m: SipMessage, key: string, leg: Leg, from: Peer): void {
  if (leg.state === 'ending' || leg.state === 'closing') {
    answerStateless(cx, m, from, 481, EMPTY_TAIL);
    return;
  }
  cx.store.patch(LEG, leg, { remoteCseq: m.cseq });
  refreshTarget(cx, leg, m);
  learn(cx, leg, m);
  const early = leg.state !== 'confirmed';
  const session = early ? SUPPORTED : grantSession(cx, leg, termsFor(cx, leg, m));
  answer(cx, m, key, from, 200, contactOf(cx, leg) + ALLOW + session + EMPTY_TAIL);
}

/** Status by which a request for the other side is refused now; 0 when it may be passed on. */
function refuses(cx: Context, m: SipMessage, leg: Leg, other: Leg | undefined): number {
  const invite = m.methodId === M.INVITE;
  // Hung up already: 15.1.2 recommends 487 for what is still pending.
  if (leg.state === 'ending' || leg.state === 'closing') return invite ? 487 : 481;
  if (invite) {
    const stx = leg.uas === 0 ? undefined : cx.store.get(STX, leg.uas);
    // 14.2: a second INVITE before the final response to the first: 500.
    if (stx !== undefined && stx.state === 'proceeding') return 500;
    // RFC 5407 3.1.4: our 2xx was not acknowledged, but who sends the next INVITE has it. With the
    // offer answered there is nothing to wait for; with the answer still to come in the ACK (3.1.5)
    // there is.
    if (unsettled(stx) && awaitsAnswer(cx, other)) return 491;
    // 14.2: "A UAS that receives an INVITE on a dialog while an INVITE it had sent on that dialog
    // is in progress MUST return a 491 (Request Pending)".
    if (leg.uac !== 0 && outstanding(cx.store.get(CTX, leg.uac))) return 491;
    // The other side is busy with an INVITE of its own, or has not acknowledged its answer.
    if (other !== undefined && other.uas !== 0 && unsettled(cx.store.get(STX, other.uas))) {
      return 491;
    }
  }
  // ... or with an INVITE of ours: a session refresh.
  if (invite && other !== undefined && outstanding(cx.store.get(CTX, other.uac))) return 491;
  if (other === undefined) return invite ? 491 : 500;
  if (changesSession(m) && describes(m)) {
    const refused = refusesOffer(leg, 'offerIn');
    if (refused !== 0) return refused;
    if (refusesOffer(other, 'offerOut') !== 0) return 491;
  }
  if (other.state === 'confirmed') return 0;
  // Before the answer only what needs no answered dialog, and only once the phone has a tag.
  if (invite || other.state === 'ending' || other.state === 'closing') return 491;
  return other.remoteTag === '' ? 500 : 0;
}

/** The INVITE to this leg had no offer: the phone's offer is answered by the ACK that is to come. */
function awaitsAnswer(cx: Context, leg: Leg | undefined): boolean {
  const ctx = leg === undefined || leg.uac === 0 ? undefined : cx.store.get(CTX, leg.uac);
  return ctx !== undefined && awaitsAck(ctx);
}

/** ACK (RFC 3261 13.3.1.4, 17.2.1): ends the repetition of our final response. Never answered. */
export function ack(cx: Context, m: SipMessage, from: Peer): void {
  // The ACK to a 2xx is a transaction of its own and finds its leg by our tag; only the ACK to a
  // refusal belongs to the INVITE's transaction (17.1.1.3), whose leg may be gone.
  const leg = findLeg(cx, m);
  const stx = leg === undefined || leg.uas === 0 ? undefined : cx.store.get(STX, leg.uas);
  if (leg === undefined || stx === undefined || stx.cseq !== m.cseq || stx.state !== 'accepted') {
    const own = findServer(cx, serverKey(m, 'INVITE'));
    if (own === undefined) cx.count('acksStray');
    else serverReceives(cx, own, m, from);
    return;
  }
  if (!unsettled(stx)) return;
  acknowledged(cx, stx);
  // An ACK without the answer it owes: the session stays what it was.
  if (leg.offer === 'local') exchange(cx, leg, describes(m) ? 'answerIn' : 'failed');
  if (leg.state === 'closing') {
    sendBye(cx, leg, EMPTY_TAIL);
    return;
  }
  const call = cx.store.get(CALL, leg.call);
  const other = call === undefined ? undefined : partner(cx, call, leg);
  if (other === undefined || other.uac === 0) return;
  const ctx = cx.store.get(CTX, other.uac);
  if (ctx === undefined || !awaitsAck(ctx)) return;
  const said = m.body === '' ? '' : bodyTail(m, continued(cx, other, m.body));
  cx.store.patch(CTX, ctx, { acked: true, ackBody: said });
  sendAck(cx, other, ctx, other.remoteTag);
  if (other.offer === 'remote') exchange(cx, other, describes(m) ? 'answerOut' : 'failed', m);
}

/**
 * CANCEL (RFC 3261 9.2): matched to its INVITE by the branch; answered at once in any case. It cannot
 * be challenged, so it is believed (22.1) if "it comes from the same hop that sent the request being
 * canceled".
 */
export function cancelled(cx: Context, m: SipMessage, key: string, from: Peer): void {
  const stx = findServer(cx, serverKey(m, 'INVITE'));
  if (stx === undefined || stx.ip !== from.ip) {
    if (stx !== undefined) cx.count('requestsForged');
    answerStateless(cx, m, from, 481, EMPTY_TAIL);
    return;
  }
  const leg = stx.leg === 0 ? undefined : cx.store.get(LEG, stx.leg);
  answer(cx, m, key, from, 200, '', leg === undefined ? '' : tagOf(leg));
  if (stx.state !== 'proceeding' || leg === undefined) return;
  const call = cx.store.get(CALL, leg.call);
  if (call === undefined) return;
  if (stx.onward !== 0) cancelOnward(cx, stx);
  else {
    const silent = { leg, m, ctx: undefined, status: 0, reason: '', tail: '' };
    // A phone has answered, but he does not know: its answer waits for his PRACK (reliable.ts).
    const held = call.state === 'talking';
    if (held) dropLeg(cx, leg);
    happen(cx, call, held ? 'end' : 'cancel', silent);
    tidy(cx, call);
  }
}

/**
 * A re-INVITE is withdrawn: so is the one that passes it on; its refusal will come back by
 * itself.
 */
function cancelOnward(cx: Context, stx: Stx): void {
  const ctx = cx.store.get(CTX, stx.onward);
  const other = ctx === undefined ? undefined : cx.store.get(LEG, ctx.leg);
  if (ctx === undefined || other === undefined) respond(cx, stx, 487, '', EMPTY_TAIL);
  else cancel(cx, ctx, inviteLines(other));
}

/** The Contact of our answer on the leg a passed-on request came from. */
export function contactFor(cx: Context, stx: Stx): string {
  const leg = stx.leg === 0 ? undefined : cx.store.get(LEG, stx.leg);
  return leg === undefined ? '' : contactOf(cx, leg);
}
