/**
 * Re-INVITEs of our own: a leg is offered another session, or asked for an offer, without the other
 * side of its call having asked for that. One row each (REOFFER): it waits while an INVITE of either
 * side is open on the leg, is sent, and is tried again after a glare (RFC 3261 14.1).
 *
 *   reoffer ─ wait ─┬ the leg is free ── INVITE ─┬ 2xx ── outcome `answered`
 *                   └ too long ── `refused` 491  ├ 491, 500 with Retry-After ── wait
 *                                                └ else, or nothing ── `refused`
 */

import { below } from '../base/chance.ts';
import type { Context } from '../proto/context.ts';
import { cancel, outstanding } from '../proto/sip/client.ts';
import { CTX, type Ctx, STX } from '../proto/sip/rows.ts';
import { unsettled } from '../proto/sip/server.ts';
import { ALLOW, EMPTY_TAIL } from '../proto/sip/text.ts';
import { giveUpAfter } from '../proto/sip/timers.ts';
import { H, type SipMessage } from '../sip-parser/index.ts';
import { inviteLines, refreshTarget, sendAck, sendInDialog } from './leg.ts';
import { describes, exchange, move } from './offer.ts';
import { continuedTail } from './origin.ts';
import { LEG, type Leg } from './rows.ts';
import { heed, sessionLines, TIMER_ONLY } from './session.ts';
import { REOFFER, type Reoffer } from './transfer-rows.ts';

/** What became of a re-INVITE. `answered` without an offer of ours: its ACK owes an answer. */
export type Outcome =
  | { readonly kind: 'answered'; readonly leg: Leg; readonly ctx: Ctx; readonly m: SipMessage }
  | { readonly kind: 'refused'; readonly leg: Leg; readonly status: number };

export type Purpose = Exclude<Reoffer['purpose'], 'none'>;

/** While another INVITE is open on the leg it is looked at again so often, ms. */
const LOOK_MS = 250;
/** INVITEs for one offer: who answers 491 that often will never do anything else. */
const TRIES = 5;

/**
 * Offers `offer` (body headers, empty line, body) on `leg`, or with '' asks it for an offer: then the
 * ACK waits for `acknowledge`.
 */
export function reoffer(
  cx: Context,
  leg: Leg,
  offer: string,
  purpose: Purpose,
  ref: number,
): Reoffer {
  const row = cx.store.insert(REOFFER, {
    leg: leg.id,
    purpose,
    ref,
    offer,
    retryAt: cx.now,
    giveUpAt: cx.now + giveUpAfter(cx.settings),
  });
  if (isFree(cx, leg)) send(cx, row, leg);
  else cx.store.patch(REOFFER, row, { retryAt: cx.now + LOOK_MS });
  return row;
}

/**
 * The answer to the offer that a 2xx to an offerless INVITE of ours brought (RFC 3261 13.2.2.4). One
 * that brought none is acknowledged with nothing: there is nothing to answer.
 */
export function acknowledge(cx: Context, leg: Leg, ctx: Ctx, wanted: string): void {
  const answer = leg.offer === 'remote' ? wanted : '';
  const said = continuedTail(cx, leg, answer);
  cx.store.patch(CTX, ctx, { acked: true, ackBody: said });
  sendAck(cx, leg, ctx, leg.remoteTag);
  if (leg.offer === 'remote') move(cx, leg, answer === '' ? 'failed' : 'answerOut', said);
}

/** Nobody waits for it any more: unsent it is gone, sent its end is only awaited. */
export function forget(cx: Context, purpose: Purpose, ref: number, leg: number): void {
  for (const row of [...cx.store.all(REOFFER, 'leg', leg)]) {
    if (row.purpose !== purpose || row.ref !== ref) continue;
    if (row.ctx === 0) cx.store.remove(REOFFER, row);
    else cx.store.patch(REOFFER, row, { purpose: 'none', ref: 0 });
  }
}

/**
 * True when an INVITE may be sent on `leg`. RFC 3261 14.1: "a UAC MUST NOT initiate a new INVITE
 * transaction within a dialog while another INVITE transaction is in progress in either direction."
 */
function isFree(cx: Context, leg: Leg): boolean {
  const uac = leg.uac === 0 ? undefined : cx.store.get(CTX, leg.uac);
  const uas = leg.uas === 0 ? undefined : cx.store.get(STX, leg.uas);
  const settled = leg.offer !== 'local' && leg.offer !== 'remote';
  return leg.state === 'confirmed' && settled && !outstanding(uac) && !unsettled(uas);
}

function send(cx: Context, row: Reoffer, leg: Leg): void {
  const lines = ALLOW + sessionLines(cx, leg, TIMER_ONLY);
  // what was said last may have changed while it waited: the caller put the call on hold
  const wanted = row.purpose === 'media' ? leg.sdp : row.offer;
  const offer = wanted === '' ? '' : continuedTail(cx, leg, wanted);
  const tail = lines + (offer === '' ? EMPTY_TAIL : offer);
  if (offer !== '') move(cx, leg, 'offerOut', offer);
  const ctx = sendInDialog(cx, leg, 'INVITE', 70, tail, 0, wanted === '');
  cx.store.patch(LEG, leg, { uac: ctx.id });
  cx.store.patch(REOFFER, row, {
    ctx: ctx.id,
    offer: wanted,
    retryAt: 0,
    tries: row.tries + 1,
  });
}

/** A waiting row's moment has come. */
export function reofferDue(cx: Context, row: Reoffer): Verdict {
  const leg = cx.store.get(LEG, row.leg);
  if (leg === undefined) {
    cx.store.remove(REOFFER, row);
    return undefined;
  }
  const over = leg.state === 'ending' || leg.state === 'closing';
  if (over || row.giveUpAt <= cx.now) return refused(cx, row, leg, over ? 481 : 491);
  if (isFree(cx, leg)) send(cx, row, leg);
  else cx.store.patch(REOFFER, row, { retryAt: cx.now + LOOK_MS });
  return undefined;
}

/** A row that has come to its end, and how; undefined while it has not. */
export type Verdict = { readonly row: Reoffer; readonly outcome: Outcome } | undefined;

function refused(cx: Context, row: Reoffer, leg: Leg, status: number): Verdict {
  cx.store.remove(REOFFER, row);
  return { row, outcome: { kind: 'refused', leg, status } };
}

/** The row whose INVITE `ctx` is; undefined when somebody else's it is. */
export function reofferOf(cx: Context, ctx: Ctx): Reoffer | undefined {
  if (ctx.method !== 'INVITE' || ctx.leg === 0 || ctx.onward !== 0) return undefined;
  for (const row of cx.store.all(REOFFER, 'leg', ctx.leg)) if (row.ctx === ctx.id) return row;
  return undefined;
}

/** A response to the INVITE of `row`. */
export function reofferAnswered(
  cx: Context,
  row: Reoffer,
  ctx: Ctx,
  leg: Leg,
  m: SipMessage,
): Verdict {
  if (m.status < 200) {
    if (ctx.cancel === 'wanted') cancel(cx, ctx, inviteLines(leg));
    return undefined;
  }
  if (m.status < 300) {
    refreshTarget(cx, leg, m);
    if (leg.state === 'confirmed') heed(cx, leg, m);
    if (row.offer !== '') exchange(cx, leg, 'answerIn');
    else if (describes(m)) exchange(cx, leg, 'offerIn');
    if (row.offer !== '') sendAck(cx, leg, ctx, leg.remoteTag);
    cx.store.remove(REOFFER, row);
    return { row, outcome: { kind: 'answered', leg, ctx, m } };
  }
  if (leg.offer === 'local') exchange(cx, leg, 'failed');
  const wait = row.tries >= TRIES || row.purpose === 'none' ? -1 : waitAfter(cx, leg, m);
  if (wait < 0) return refused(cx, row, leg, m.status);
  cx.store.patch(REOFFER, row, { ctx: 0, retryAt: cx.now + wait });
  return undefined;
}

/** How long to wait before the same is offered again; -1 when a refusal is final. */
function waitAfter(cx: Context, leg: Leg, m: SipMessage): number {
  // RFC 3261 14.1: the owner of the Call-ID waits 2.1 to 4 seconds, the other side 0 to 2, in units
  // of 10 ms.
  if (m.status === 491) {
    return leg.side === 'callee' ? 2100 + 10 * below(cx.chance, 191) : 10 * below(cx.chance, 201);
  }
  // 14.2: an overlapping INVITE is refused 500 with a Retry-After of 0 to 10 seconds.
  const after = /^\s*(\d{1,2})\b/.exec(m.header(H.RetryAfter) ?? '');
  return m.status === 500 && after !== null ? 1000 * Math.min(10, Number(after[1])) : -1;
}

/** Nobody answered the INVITE of `row`. */
export function reofferUnanswered(cx: Context, row: Reoffer, leg: Leg): Verdict {
  if (leg.offer === 'local') exchange(cx, leg, 'failed');
  return refused(cx, row, leg, 408);
}
