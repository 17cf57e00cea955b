/**
 * Responses to what we sent, and their absence. A response moves its transaction first; what is
 * left for the calls is told here as a call event, or passed back to where the request came from.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import {
  acknowledgeLate,
  awaitsAck,
  cancel,
  clientReceives,
  findClient,
  request,
} from '../proto/sip/client.ts';
import { CTX, type Ctx, STX, type Stx } from '../proto/sip/rows.ts';
import { respond } from '../proto/sip/server.ts';
import { ALLOW, EMPTY_TAIL, passedOn, SUPPORTED } from '../proto/sip/text.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { type CallEvent, happen, type Said, SILENT } from './call.ts';
import { challenged } from './challenged.ts';
import { digitTold } from './control/tones.ts';
import { contactFor } from './dialog.ts';
import { mediaLeaves, waiterAnswered, waiterRefused, waiterRings } from './distribute/hear.ts';
import { distributionOf } from './distribute/leave.ts';
import { notified } from './events/notifier.ts';
import { heardOf, huntsOn } from './hunt.ts';
import {
  dropLeg,
  establish,
  hangUp,
  hangUpStranger,
  inviteLines,
  refreshTarget,
  sendAck,
  sendBye,
  tidy,
} from './leg.ts';
import { isRelayed, relayed } from './message.ts';
import { describes, exchange, heard } from './offer.ts';
import { continued } from './origin.ts';
import { hearOutcome } from './outcomes.ts';
import { sendsOn, tryNext } from './redirect.ts';
import { registerAnswered, registerUnanswered } from './register-out.ts';
import { acknowledge, rseqOf, takesReliable } from './reliable.ts';
import { reofferAnswered, reofferOf, reofferUnanswered } from './renegotiate.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { grantSession, heed, heeded, learn, longer, refreshed } from './session.ts';
import { toldTransferor } from './transfer.ts';
import { REOFFER } from './transfer-rows.ts';
import { contactOfProbe, optionsAnswered, probed } from './trunk.ts';

/** A valid response arrived. */
export function response(cx: Context, m: SipMessage): void {
  const ctx = findClient(cx, m);
  if (ctx === undefined) {
    // RFC 3261 18.1.2: a response that matches no transaction; a B2BUA core has no use for it.
    cx.count('responsesStray');
    return;
  }
  const sent = ctx.request;
  if (clientReceives(cx, ctx, m) !== 'tell') return;
  if (ofNoLeg(cx, ctx, m)) return;
  const leg = ctx.leg === 0 ? undefined : cx.store.get(LEG, ctx.leg);
  if (m.status === 422 && leg !== undefined && again(cx, ctx, leg, m, sent)) return;
  if (leg === undefined && ctx.onward === 0) {
    if (ctx.method === 'OPTIONS') optionsAnswered(cx, ctx, m);
    else if (ctx.method === 'REGISTER') registerAnswered(cx, ctx, m, sent);
  }
  if (leg !== undefined && leg.trunk !== '' && challenged(cx, ctx, leg, m, sent)) return;
  if (toldTransferor(cx, ctx, m.status)) return;
  // The phone hung up while its 2xx was on the way: it repeats that until it is acknowledged.
  if (leg === undefined && ctx.state === 'accepted') acknowledgeLate(cx, ctx, m);
  if (ctx.onward !== 0) {
    passBack(cx, ctx, leg, m);
    return;
  }
  if (ctx.method === 'INFO' && m.status >= 200) digitTold(cx, ctx);
  if (reinvited(cx, ctx, leg, m) || leg === undefined) return;
  if (ctx.refresh) {
    if (refreshed(cx, ctx, leg, m)) lost(cx, leg, m.status === 481);
  } else if (ctx.method === 'INVITE') invited(cx, ctx, leg, m, sent);
  else if (ctx.method === 'BYE' && m.status >= 200) ended(cx, leg);
}

/** The end of a re-INVITE of our own; `m` undefined: nobody answered. @returns false: it is none. */
function reinvited(
  cx: Context,
  ctx: Ctx,
  leg: Leg | undefined,
  m: SipMessage | undefined,
): boolean {
  const row = reofferOf(cx, ctx);
  if (row === undefined) return false;
  if (leg === undefined) {
    if (m === undefined || m.status >= 200) cx.store.remove(REOFFER, row);
    return true;
  }
  hearOutcome(cx, m ? reofferAnswered(cx, row, ctx, leg, m) : reofferUnanswered(cx, row, leg));
  const status = m?.status ?? 408;
  const there = cx.store.get(LEG, leg.id) === leg;
  if (there && (status === 481 || status === 408)) lost(cx, leg, status === 481);
  return true;
}

/**
 * RFC 4028 7.3: a 422 names the shortest interval its sender accepts; the request is sent once more
 * with that. @returns false when that is no use, and the 422 is a refusal like any other.
 */
function again(cx: Context, ctx: Ctx, leg: Leg, m: SipMessage, sent: string): boolean {
  const early = leg.state === 'inviting' || leg.state === 'early';
  if (ctx.cancel !== 'no' || !(early || leg.state === 'confirmed')) return false;
  const cseq = leg.localCseq + 1;
  const rest = longer(cx, leg, m, sent, cseq);
  if (rest === '') return false;
  const { method, uri, route, onward, offerless, refresh } = ctx;
  const to: Peer = { transport: ctx.transport, ip: ctx.ip, port: ctx.port };
  const more = { method, uri, route, rest, cseq, to, leg: leg.id, onward, offerless, refresh };
  const next = request(cx, more);
  const invite = method === 'INVITE';
  const own = reofferOf(cx, ctx);
  if (own !== undefined) cx.store.patch(REOFFER, own, { ctx: next.id });
  cx.store.patch(LEG, leg, { localCseq: cseq, uac: invite ? next.id : leg.uac });
  // the dialog its provisional responses made is gone with them
  if (early && onward === 0)
    cx.store.patch(LEG, leg, { state: 'inviting', remoteTag: '', rseq: 0 });
  const stx = onward === 0 ? undefined : cx.store.get(STX, onward);
  if (stx !== undefined) cx.store.patch(STX, stx, { onward: next.id });
  return true;
}

/** What belongs to no leg; `m` undefined: nobody answered. @returns false when it is for a leg. */
function ofNoLeg(cx: Context, ctx: Ctx, m: SipMessage | undefined): boolean {
  if (ctx.subscription !== 0) notified(cx, ctx, m);
  else if (isRelayed(ctx)) relayed(cx, ctx, m);
  else return false;
  return true;
}

/** Our BYE was answered in whatever way, or not at all: the dialog is over (RFC 3261 15.1.1). */
function ended(cx: Context, leg: Leg): void {
  const call = cx.store.get(CALL, leg.call);
  cx.store.remove(LEG, leg);
  if (call !== undefined) tidy(cx, call);
}

/** A response of a phone to the INVITE of a new call. */
function invited(cx: Context, ctx: Ctx, leg: Leg, m: SipMessage, sent: string): void {
  const call = cx.store.get(CALL, leg.call);
  if (call === undefined) return;
  if (m.status < 200) {
    if (ctx.cancel === 'wanted') {
      cancel(cx, ctx, inviteLines(leg));
      return;
    }
    heardOf(cx, call);
    // 100 says nothing about the phone, 199 that an early dialog is gone.
    if (m.status === 100 || m.status === 199) return;
    rings(cx, ctx, leg, call, m);
  } else if (m.status < 300) {
    answered(cx, ctx, leg, call, m);
  } else {
    const legs = cx.store.count(LEG);
    const waited = distributionOf(cx, call.id) !== undefined;
    if (ctx.cancel === 'no' && sendsOn(cx, leg, m)) {
      happen(cx, call, 'redirect', { ...said(ctx, leg, m), tail: sent });
    }
    // others are called in its place, or it waits for them: it has refused nothing
    const waits = !waited && distributionOf(cx, call.id) !== undefined;
    if (waits || cx.store.count(LEG) > legs) cx.store.remove(LEG, leg);
    else refused(cx, call, leg, m.status, m.reason, passedOn(m, ''));
  }
}

/** A provisional response that tells of a phone, reliably or not (RFC 3262 4). */
function rings(cx: Context, ctx: Ctx, leg: Leg, call: Call, m: SipMessage): void {
  // it answered already, and this was overtaken
  if (leg.state !== 'inviting' && leg.state !== 'early') return;
  const rseq = rseqOf(m);
  if (rseq !== 0 ? !takesReliable(cx, ctx, leg, m, rseq) : elsewhere(leg, m)) return;
  if (m.toTag !== '') establish(cx, leg, m, 'early');
  if (rseq !== 0) {
    learn(cx, leg, m);
    if (describes(m)) heard(cx, leg);
  }
  if (waiterRings(cx, call, leg)) return;
  const rang = call.state === 'trying' || call.state === 'ringing';
  // Nobody waits for it any more, but it waits for us.
  if (rseq !== 0 && !rang && leg.offer !== 'remote') acknowledge(cx, leg, rseq, EMPTY_TAIL, 0);
  happen(cx, call, 'ring', said(ctx, leg, m));
}

/** Another phone behind this one rings too: the early dialog that counts is the reliable one. */
function elsewhere(leg: Leg, m: SipMessage): boolean {
  return leg.rseq !== 0 && m.toTag !== leg.remoteTag;
}

function answered(cx: Context, ctx: Ctx, leg: Leg, call: Call, m: SipMessage): void {
  if (leg.state === 'inviting' || leg.state === 'early') {
    establish(cx, leg, m, 'confirmed', heeded(cx, leg, m));
    if (describes(m)) heard(cx, leg);
    if (waiterAnswered(cx, call, ctx, leg, m)) return;
    happen(cx, call, 'answer', said(ctx, leg, m));
    return;
  }
  if (m.toTag !== leg.remoteTag) {
    // RFC 3261 13.2.2.4: a proxy behind the phone forked, and another one answered too: each 2xx
    // must be acknowledged, and what is not wanted ended by BYE.
    hangUpStranger(cx, leg, ctx, m);
    return;
  }
  // 13.2.2.4: the ACK "MUST be passed to the transport layer every time a retransmission of the 2xx
  // final response that triggered the ACK arrives."
  if (!awaitsAck(ctx)) sendAck(cx, leg, ctx, leg.remoteTag);
}

/** A phone will not answer. Its leg is gone; the call goes on with the others, or ends. */
function refused(
  cx: Context,
  call: Call,
  leg: Leg,
  status: number,
  reason: string,
  tail: string,
): void {
  cx.store.remove(LEG, leg);
  const others = () => phonesLeft(cx, call) || huntsOn(cx, call, leg, status) || tryNext(cx, call);
  if (waiterRefused(cx, call, leg, status, others)) return;
  const known = translated(status);
  const same = known === status;
  const what: Said = {
    leg,
    m: undefined,
    ctx: undefined,
    status: known,
    reason: same ? reason : '',
    tail: same ? tail : EMPTY_TAIL,
  };
  const event: CallEvent = status >= 600 ? 'decline' : 'refuse';
  happen(cx, call, event, what);
  // a number by all its ways before the next best number
  if (!others()) happen(cx, call, 'exhaust', what);
  tidy(cx, call);
}

/** A status of one side as the other side may hear it. */
function passable(status: number): number {
  // The phone wants credentials of us: that is between us and it.
  if (status === 401 || status === 407) return 403;
  // RFC 3261 16.7 step 6: a 503 says that *this* element cannot; passed on it would mean us.
  return status === 503 ? 500 : status;
}

/** What a refusal of a phone means to a caller who knows nothing of the phone. */
function translated(status: number): number {
  // A redirection that leads nowhere: followed by the caller it would lead around us.
  if (status < 400) return 480;
  // Unknown to the phone: a binding that went stale.
  return status === 481 || status === 487 ? 480 : passable(status);
}

function phonesLeft(cx: Context, call: Call): boolean {
  for (const leg of cx.store.all(LEG, 'call', call.id)) {
    if (leg.side !== 'callee' || (leg.state !== 'inviting' && leg.state !== 'early')) continue;
    if (leg.part === 'media') continue;
    // one that was withdrawn is not waited for
    if (cx.store.get(CTX, leg.uac)?.cancel === 'no') return true;
  }
  return false;
}

function said(ctx: Ctx, leg: Leg, m: SipMessage): Said {
  return { leg, m, ctx, status: m.status, reason: m.reason, tail: '' };
}

/** The response to a request we passed on goes back where the request came from. */
function passBack(cx: Context, ctx: Ctx, leg: Leg | undefined, m: SipMessage): void {
  const stx = cx.store.get(STX, ctx.onward);
  const invite = ctx.method === 'INVITE';
  if (m.status < 200) {
    if (ctx.cancel === 'wanted' && leg !== undefined) cancel(cx, ctx, inviteLines(leg));
    else if (m.status > 100 && stx !== undefined && stx.state === 'proceeding') {
      respond(cx, stx, m.status, m.reason, passedOn(m, contactFor(cx, stx), bodyFor(cx, stx, m)));
    }
    return;
  }
  const success = m.status < 300;
  const first = stx === undefined || stx.state === 'proceeding' || stx.state === 'trying';
  if (first) settle(cx, ctx, leg, stx, success ? m : undefined);
  if (first && success && leg !== undefined && changesSession(ctx)) {
    refreshTarget(cx, leg, m);
    if (leg.state === 'confirmed') heed(cx, leg, m);
    else learn(cx, leg, m);
  }
  if (stx !== undefined && first) {
    const own = success && changesSession(ctx) ? contactFor(cx, stx) + linesOf(cx, stx) : '';
    // who answers has left, but not who asked: his dialog lasts (RFC 5057 5.1)
    const lasts = m.status === 481 && leg?.state !== 'confirmed' && goesOn(cx, stx);
    const status = lasts ? 500 : passable(m.status);
    const reason = status === m.status ? m.reason : '';
    respond(cx, stx, status, reason, passedOn(m, own, bodyFor(cx, stx, m)));
  }
  if (leg === undefined) return;
  if (invite && success) {
    // The one who asked is no longer there to acknowledge: we do it in his place.
    const orphan = stx === undefined || stx.state !== 'accepted';
    if (awaitsAck(ctx) && orphan) cx.store.patch(CTX, ctx, { acked: true });
    if (!awaitsAck(ctx)) sendAck(cx, leg, ctx, leg.remoteTag);
  }
  // RFC 3261 12.2.1.2: "If the response for a request within a dialog is a 481 ... or a 408 ...,
  // the UAC SHOULD terminate the dialog." RFC 5057 5.1 limits 408 to what changes the session.
  if (m.status === 481 || (m.status === 408 && changesSession(ctx))) {
    lost(cx, leg, m.status === 481);
  }
}

/** The body of a response as the sender of the request may hear it. */
function bodyFor(cx: Context, stx: Stx, m: SipMessage): string {
  const leg = stx.leg === 0 || !describes(m) ? undefined : cx.store.get(LEG, stx.leg);
  return leg === undefined ? m.body : continued(cx, leg, m.body);
}

/** The dialog `stx` came in is not about to end. */
function goesOn(cx: Context, stx: Stx): boolean {
  return stx.leg !== 0 && cx.store.get(LEG, stx.leg)?.state === 'confirmed';
}

/** What our 2xx to a passed-on INVITE or UPDATE says of us and of the session with its sender. */
function linesOf(cx: Context, stx: Stx): string {
  const leg = stx.leg === 0 ? undefined : cx.store.get(LEG, stx.leg);
  return leg?.state === 'confirmed' ? ALLOW + grantSession(cx, leg, stx) : ALLOW + SUPPORTED;
}

/** The offer a passed-on request made, or asked for, is answered by `m`; undefined: it came to nothing. */
function settle(
  cx: Context,
  ctx: Ctx,
  leg: Leg | undefined,
  stx: Stx | undefined,
  m: SipMessage | undefined,
): void {
  if (!changesSession(ctx) && ctx.method !== 'PRACK') return;
  const asker = stx === undefined || stx.leg === 0 ? undefined : cx.store.get(LEG, stx.leg);
  const described = m !== undefined && describes(m);
  if (ctx.offerless) {
    // The 2xx brings the offer (a PRACK with this mark brought an answer, and needs none).
    if (ctx.method === 'PRACK' || !described) return;
    if (leg !== undefined) exchange(cx, leg, 'offerIn');
    if (asker !== undefined) exchange(cx, asker, 'offerOut', m);
    return;
  }
  // RFC 3261 14.1: "If a UA receives a non-2xx final response to a re-INVITE, the session parameters
  // MUST remain unchanged".
  if (leg?.offer === 'local') exchange(cx, leg, described ? 'answerIn' : 'failed');
  if (asker?.offer === 'remote') exchange(cx, asker, described ? 'answerOut' : 'failed', m);
}

function changesSession(ctx: Ctx): boolean {
  return ctx.method === 'INVITE' || ctx.method === 'UPDATE';
}

/**
 * The other side of a leg does not know the dialog any more (`unknown`: it said so), or is not heard
 * of; the call ends. RFC 3261 12.2.1.2: "For INVITE initiated dialogs, terminating the dialog
 * consists of sending a BYE": who cannot be heard may still hear, and would ring or talk for ever.
 */
function lost(cx: Context, leg: Leg, unknown: boolean): void {
  const call = cx.store.get(CALL, leg.call);
  if (call === undefined || leg.state !== 'confirmed') return;
  if (leg.part === 'media' && mediaLeaves(cx, leg, call)) return;
  if (unknown) dropLeg(cx, leg);
  else hangUp(cx, leg, EMPTY_TAIL);
  happen(cx, call, 'end', { ...SILENT, leg, status: 408 });
  tidy(cx, call);
}

/** No response came (timers B and F). The transaction's row is gone already. */
export function unanswered(cx: Context, ctx: Ctx): void {
  if (ofNoLeg(cx, ctx, undefined)) return;
  const leg = ctx.leg === 0 ? undefined : cx.store.get(LEG, ctx.leg);
  if (ctx.onward !== 0) {
    const stx = cx.store.get(STX, ctx.onward);
    settle(cx, ctx, leg, stx, undefined);
    if (stx !== undefined) respond(cx, stx, 408, '', EMPTY_TAIL);
    if (leg !== undefined && changesSession(ctx)) lost(cx, leg, false);
    return;
  }
  if (ctx.method === 'INFO') digitTold(cx, ctx);
  if (toldTransferor(cx, ctx, 0) || reinvited(cx, ctx, leg, undefined)) return;
  if (leg === undefined) {
    const probe = ctx.method === 'OPTIONS' ? contactOfProbe(cx, ctx) : undefined;
    if (probe !== undefined) probed(cx, probe, 408);
    if (ctx.method === 'REGISTER') registerUnanswered(cx, ctx);
    return;
  }
  const call = cx.store.get(CALL, leg.call);
  if (ctx.method === 'BYE') ended(cx, leg);
  // RFC 4028 10: "If the session refresh request transaction times out ..., then the UAC sends a BYE".
  else if (ctx.refresh) lost(cx, leg, false);
  else if (ctx.method === 'INVITE' && call !== undefined) {
    // RFC 3261 8.1.3.1: a timeout is "treated as a 408 (Request Timeout) status code".
    refused(cx, call, leg, 408, '', EMPTY_TAIL);
  }
}

/** Nobody refreshed the session of `leg` in time (RFC 4028 10): the call ends. */
export function expired(cx: Context, leg: Leg): void {
  const call = cx.store.get(CALL, leg.call);
  if (call === undefined) return;
  const tail = `Reason: SIP;cause=408;text="Session expired"\r\n${EMPTY_TAIL}`;
  happen(cx, call, 'expire', { ...SILENT, leg, tail });
}

/** A 2xx or a reliable 1xx of ours was never acknowledged (RFC 3261 13.3.1.4, RFC 3262 3). */
export function unheard(cx: Context, leg: Leg): void {
  const call = cx.store.get(CALL, leg.call);
  if (call === undefined) return;
  if (leg.state === 'closing') {
    sendBye(cx, leg, EMPTY_TAIL);
    return;
  }
  happen(cx, call, 'unheard', { ...SILENT, leg });
}
