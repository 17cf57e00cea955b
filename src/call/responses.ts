/**
 * Responses to what we sent, and their absence. A response moves its transaction first; what is
 * left for the calls is told here as a call event, or passed back to where the request came from.
 */

import type { Context } from '../proto/context.ts';
import {
  acknowledgeLate,
  awaitsAck,
  cancel,
  clientReceives,
  findClient,
} from '../proto/sip/client.ts';
import { CTX, type Ctx, STX } from '../proto/sip/rows.ts';
import { respond } from '../proto/sip/server.ts';
import { ALLOW, EMPTY_TAIL, passedOn } from '../proto/sip/text.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { type CallEvent, happen, type Said } from './call.ts';
import { contactFor } from './dialog.ts';
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
import { hearOutcome } from './outcomes.ts';
import { redirects, tryNext } from './redirect.ts';
import { reofferAnswered, reofferOf, reofferUnanswered } from './renegotiate.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { notified } from './transfer.ts';
import { REOFFER } from './transfer-rows.ts';

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
  if (notified(cx, ctx, m.status)) return;
  const leg = ctx.leg === 0 ? undefined : cx.store.get(LEG, ctx.leg);
  // The phone hung up while its 2xx was on the way: it repeats that until it is acknowledged.
  if (leg === undefined && ctx.state === 'accepted') acknowledgeLate(cx, ctx, m);
  if (ctx.onward !== 0) {
    passBack(cx, ctx, leg, m);
    return;
  }
  if (reinvited(cx, ctx, leg, m) || leg === undefined) return;
  if (ctx.method === 'INVITE') invited(cx, ctx, leg, m, sent);
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
    // 100 says nothing about the phone, 199 that an early dialog is gone.
    if (m.status === 100 || m.status === 199) return;
    if (m.toTag !== '') establish(cx, leg, m, 'early');
    happen(cx, call, 'ring', said(ctx, leg, m));
  } else if (m.status < 300) {
    answered(cx, ctx, leg, call, m);
  } else {
    const legs = cx.store.count(LEG);
    if (redirects(m) && ctx.cancel === 'no') {
      happen(cx, call, 'redirect', { ...said(ctx, leg, m), tail: sent });
    }
    // others are called in its place: it has refused nothing
    if (cx.store.count(LEG) > legs) cx.store.remove(LEG, leg);
    else refused(cx, call, leg, m.status, m.reason, passedOn(m, ''));
  }
}

function answered(cx: Context, ctx: Ctx, leg: Leg, call: Call, m: SipMessage): void {
  if (leg.state === 'inviting' || leg.state === 'early') {
    establish(cx, leg, m, 'confirmed');
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
  if (!phonesLeft(cx, call) && !tryNext(cx, call)) happen(cx, call, 'exhaust', what);
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
    if (leg.side === 'callee' && (leg.state === 'inviting' || leg.state === 'early')) return true;
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
      respond(cx, stx, m.status, m.reason, passedOn(m, contactFor(cx, stx)));
    }
    return;
  }
  const success = m.status < 300;
  if (success && leg !== undefined && (invite || ctx.method === 'UPDATE'))
    refreshTarget(cx, leg, m);
  if (stx !== undefined) {
    const own = success && (invite || ctx.method === 'UPDATE') ? contactFor(cx, stx) : '';
    const status = passable(m.status);
    const reason = status === m.status ? m.reason : '';
    respond(cx, stx, status, reason, passedOn(m, own + (invite && success ? ALLOW : '')));
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
  if (unknown) dropLeg(cx, leg);
  else hangUp(cx, leg, EMPTY_TAIL);
  const silent = { m: undefined, ctx: undefined, status: 0, reason: '', tail: '' };
  happen(cx, call, 'end', { ...silent, leg });
  tidy(cx, call);
}

/** No response came (timers B and F). The transaction's row is gone already. */
export function unanswered(cx: Context, ctx: Ctx): void {
  const leg = ctx.leg === 0 ? undefined : cx.store.get(LEG, ctx.leg);
  if (ctx.onward !== 0) {
    const stx = cx.store.get(STX, ctx.onward);
    if (stx !== undefined) respond(cx, stx, 408, '', EMPTY_TAIL);
    if (leg !== undefined && changesSession(ctx)) lost(cx, leg, false);
    return;
  }
  if (notified(cx, ctx, 0) || reinvited(cx, ctx, leg, undefined) || leg === undefined) return;
  const call = cx.store.get(CALL, leg.call);
  if (ctx.method === 'BYE') ended(cx, leg);
  else if (ctx.method === 'INVITE' && call !== undefined) {
    // RFC 3261 8.1.3.1: a timeout is "treated as a 408 (Request Timeout) status code".
    refused(cx, call, leg, 408, '', EMPTY_TAIL);
  }
}

/** A 2xx of ours was never acknowledged (RFC 3261 13.3.1.4). */
export function unheard(cx: Context, leg: Leg): void {
  const call = cx.store.get(CALL, leg.call);
  if (call === undefined) return;
  if (leg.state === 'closing') {
    sendBye(cx, leg, EMPTY_TAIL);
    return;
  }
  const silent = { m: undefined, ctx: undefined, status: 0, reason: '', tail: '' };
  happen(cx, call, 'unheard', { ...silent, leg });
}
