/**
 * Reliable provisional responses (RFC 3262). Two sides, two numberings: what a phone says reliably is
 * acknowledged on its leg, what the caller is told reliably on his.
 *
 *   phone ── 183 RSeq 7 ──> us ── 183 RSeq 1 ──> caller        the caller supports 100rel:
 *   phone <── PRACK 7 ────  us <── PRACK 1 ────  caller        his PRACK goes the whole way, and
 *   phone ── 200 ─────────> us ── 200 ─────────> caller        descriptions with it
 *
 *   phone ── 183 RSeq 7 ──> us ── 183 ─────────> caller        he does not, or several phones ring:
 *   phone <── PRACK 7 ────  us                                 we acknowledge ourselves
 *
 * A row of `rpr` is a response the caller has not acknowledged: it is repeated until he does. One
 * at a time; what comes meanwhile waits behind it, the answer too where RFC 3262 3 says so.
 */

import { below } from '../base/chance.ts';
import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { CTX, type Ctx, STX, type Stx } from '../proto/sip/rows.ts';
import { answer, answerStateless, openServer, respond, say } from '../proto/sip/server.ts';
import { bodyTail, EMPTY_TAIL, idIn } from '../proto/sip/text.ts';
import { at, giveUpAfter } from '../proto/sip/timers.ts';
import {
  H,
  isFault,
  M,
  parseRAck,
  parseRSeq,
  type RAck,
  type SipMessage,
} from '../sip-parser/index.ts';
import { askStranger, sendInDialog, strangerOf } from './leg.ts';
import { describes, exchange, refusesOffer } from './offer.ts';
import { continued } from './origin.ts';
import { LEG, type Leg, RPR, type Rpr } from './rows.ts';
import { grantFirst, lists } from './session.ts';

/** Responses that wait behind one that is not acknowledged; further ones are not told. */
const WAITING = 8;
/** RFC 3262 3: the first RSeq is "chosen uniformly between 1 and 2**31 - 1". */
const RSEQ_FIRST = 2 ** 31 - 1;

/** RSeq of a provisional response that must be acknowledged; 0 for any other. */
export function rseqOf(m: SipMessage): number {
  if (m.status <= 100 || m.status >= 200 || !m.has(H.RSeq)) return 0;
  if (!lists(m, H.Require, '100rel')) return 0;
  const rseq = parseRSeq(m.header(H.RSeq) ?? '');
  return isFault(rseq) ? 0 : rseq;
}

/** What the sender of an INVITE says about reliable provisional responses. */
export function reliableFor(m: SipMessage): Leg['reliable'] {
  if (lists(m, H.Require, '100rel')) return 'must';
  return lists(m, H.Supported, '100rel') ? 'can' : 'no';
}

const HEADERS = 'Require: 100rel\r\nRSeq: ';

/**
 * The response said last to this INVITE is a reliable one and was acknowledged: nothing repeats it
 * (RFC 3262 3).
 */
export function settled(cx: Context, stx: Stx): boolean {
  if (!stx.response.startsWith(HEADERS)) return false;
  for (const row of cx.store.all(RPR, 'leg', stx.leg)) if (row.resendAt !== 0) return false;
  return true;
}

// ── towards the phone ──────────────────────────────────────────────────────────────────────────

/**
 * A reliable provisional response came on `leg`.
 * @returns false when it says nothing new: repeated, out of order, of another phone behind it.
 */
export function takesReliable(
  cx: Context,
  ctx: Ctx,
  leg: Leg,
  m: SipMessage,
  rseq: number,
): boolean {
  if (leg.rseq !== 0 && m.toTag !== leg.remoteTag) {
    // A proxy behind the phone forked; only one early dialog is followed, the others must not starve.
    if (!ctx.offerless) acknowledgeStranger(cx, ctx, leg, m, rseq);
    return false;
  }
  // RFC 3262 4: "the value of the RSeq ... MUST be one higher"; "a response that is not ... MUST NOT
  // be acknowledged with a PRACK, and MUST NOT be processed further".
  if (leg.rseq !== 0 && rseq !== leg.rseq + 1) return false;
  cx.store.patch(LEG, leg, { rseq });
  return true;
}

/**
 * PRACK for the response `rseq` of a phone. `onward`: the caller's PRACK it passes on, 0: ours.
 * `answers`: it brings the answer to the phone's offer.
 */
export function acknowledge(
  cx: Context,
  leg: Leg,
  rseq: number,
  tail: string,
  onward: number,
  answers = false,
): Ctx {
  const invite = cx.store.get(CTX, leg.uac);
  const rack = `RAck: ${rseq} ${invite?.cseq ?? 1} INVITE\r\n`;
  return sendInDialog(cx, leg, 'PRACK', 70, rack + tail, onward, answers);
}

function acknowledgeStranger(cx: Context, ctx: Ctx, leg: Leg, m: SipMessage, rseq: number): void {
  const rack = `RAck: ${rseq} ${ctx.cseq} INVITE\r\n`;
  askStranger(cx, leg, strangerOf(cx, leg, m), ctx, 'PRACK', rack + EMPTY_TAIL);
}

// ── towards the caller ─────────────────────────────────────────────────────────────────────────

export type Progress = {
  readonly status: number;
  readonly reason: string;
  /** Headers and body, without Require and RSeq. */
  readonly tail: string;
  readonly sdp: boolean;
  readonly reliable: boolean;
  /** The phone whose reliable response this passes on, and its RSeq. */
  readonly callee: Leg | undefined;
  readonly calleeRseq: number;
};

/** Tells the caller how his INVITE goes: now, or when what he was told before is acknowledged. */
export function progress(cx: Context, leg: Leg, stx: Stx, p: Progress): void {
  const before = cx.store.all(RPR, 'leg', leg.id);
  const waits = before.some((row) => row.resendAt !== 0);
  if (!p.reliable && !waits) {
    respond(cx, stx, p.status, p.reason, p.tail);
    return;
  }
  if (waits && p.status < 200 && (before.length >= WAITING || repeats(before, p))) return;
  const row = cx.store.insert(RPR, {
    stx: stx.id,
    cseq: stx.cseq,
    callId: leg.callId,
    leg: leg.id,
    status: p.status,
    reason: p.reason,
    tail: p.tail,
    sdp: p.sdp,
    reliable: p.reliable,
    callee: p.callee?.id ?? 0,
    calleeRseq: p.calleeRseq,
  });
  if (!waits) tell(cx, leg, stx, row);
}

/** A phone that rings on while the caller has not acknowledged that it rings. */
function repeats(before: readonly Rpr[], p: Progress): boolean {
  if (p.sdp || p.calleeRseq !== 0) return false;
  const last = before.at(-1);
  return last !== undefined && last.status === p.status;
}

/** Sends the response of a row, reliably; it is repeated from the INVITE's row. */
function tell(cx: Context, leg: Leg, stx: Stx, row: Rpr): void {
  const rseq = leg.rseq === 0 ? 1 + below(cx.chance, RSEQ_FIRST) : leg.rseq + 1;
  cx.store.patch(LEG, leg, { rseq });
  respond(cx, stx, row.status, row.reason, `${HEADERS}${rseq}\r\n${row.tail}`);
  cx.store.patch(RPR, row, {
    rseq,
    tail: '',
    reason: '',
    interval: cx.settings.t1,
    resendAt: at(cx.now, 'A', cx.settings),
    giveUpAt: cx.now + giveUpAfter(cx.settings),
  });
}

/**
 * RFC 3262 3: the UAS MAY send the final response before PRACK "unless the final response is 2xx and
 * any of the unacknowledged reliable provisional responses contained a session description".
 */
function holdsAnswer(cx: Context, leg: Leg): boolean {
  for (const row of cx.store.all(RPR, 'leg', leg.id))
    if (row.resendAt !== 0 && row.sdp) return true;
  return false;
}

/** What waits for the caller, oldest first. */
function waitingOf(cx: Context, legId: number): Rpr[] {
  return cx.store.all(RPR, 'leg', legId).filter((row) => row.rseq === 0);
}

/** A moment of a row has come. @returns true when the caller never acknowledged it. */
export function provisionalDue(cx: Context, row: Rpr): boolean {
  if (row.endAt !== 0 && row.endAt <= cx.now) {
    cx.store.remove(RPR, row);
    return false;
  }
  const stx = cx.store.get(STX, row.stx);
  if (stx === undefined || stx.state !== 'proceeding') {
    quiet(cx, row);
    return false;
  }
  if (row.giveUpAt <= cx.now) {
    quiet(cx, row);
    cx.count('timeoutsPrack');
    return true;
  }
  cx.count('reliableResent');
  say(cx, stx);
  // RFC 3262 3: "retransmitted ... with an interval that starts at T1 seconds and doubles for each
  // retransmission".
  const interval = row.interval * 2;
  cx.store.patch(RPR, row, { interval, resendAt: cx.now + interval });
  return false;
}

/**
 * The INVITE was answered: the response is not repeated, but its PRACK may still come. RFC 3262 3:
 * the UAS "MUST be prepared to process PRACK requests for those outstanding responses".
 */
function quiet(cx: Context, row: Rpr): void {
  const endAt = cx.now + giveUpAfter(cx.settings);
  cx.store.patch(RPR, row, { resendAt: 0, giveUpAt: 0, endAt });
  drop(cx, row.leg);
}

/** What waits will not be said any more. */
function drop(cx: Context, legId: number): void {
  for (const later of waitingOf(cx, legId)) cx.store.remove(RPR, later);
}

/** Nothing of the leg's is repeated any more, and nothing waits: it has its final response. */
export function conclude(cx: Context, leg: Leg): void {
  for (const row of [...cx.store.all(RPR, 'leg', leg.id)]) if (row.resendAt !== 0) quiet(cx, row);
}

/** The response a PRACK of a caller acknowledges; 'bad' when it does not say. */
function acknowledgedBy(cx: Context, m: SipMessage): Rpr | 'bad' | undefined {
  const rack: RAck | undefined = rackIn(m);
  if (rack === undefined) return 'bad';
  if (rack.methodId !== M.INVITE) return undefined;
  for (const row of cx.store.all(RPR, 'leg', idIn(m.toTag, 0))) {
    if (row.rseq === rack.rseq && row.cseq === rack.cseq) return row;
  }
  return undefined;
}

function rackIn(m: SipMessage): RAck | undefined {
  const rack = parseRAck(m.header(H.RAck) ?? '');
  return isFault(rack) ? undefined : rack;
}

/**
 * The answer to the caller; or, while RFC 3262 3 forbids it, a row that waits for his PRACK. `tail`
 * lacks what his session timer adds.
 */
export function give(
  cx: Context,
  leg: Leg,
  stx: Stx,
  status: number,
  reason: string,
  tail: string,
): void {
  if (holdsAnswer(cx, leg)) {
    const none = { sdp: true, reliable: false, callee: undefined, calleeRseq: 0 };
    progress(cx, leg, stx, { status, reason, tail, ...none });
    return;
  }
  conclude(cx, leg);
  respond(cx, stx, status, reason, grantFirst(cx, leg, stx) + tail);
}

/** PRACK (RFC 3262 3). `leg` undefined: the INVITE was refused meanwhile, and his PRACK crossed that. */
export function prack(
  cx: Context,
  m: SipMessage,
  key: string,
  from: Peer,
  leg: Leg | undefined,
): void {
  const row = acknowledgedBy(cx, m);
  if (row === 'bad' && leg !== undefined) {
    answerStateless(cx, m, from, 400, EMPTY_TAIL, 'Malformed RAck');
    return;
  }
  const stx = row === undefined || row === 'bad' ? undefined : cx.store.get(STX, row.stx);
  if (row === undefined || row === 'bad' || row.callId !== m.callId) {
    // "If the PRACK does not match any unacknowledged reliable provisional response, the PRACK
    // request MUST be rejected with a 481 response."
    answerStateless(cx, m, from, 481, EMPTY_TAIL);
    return;
  }
  const callee = row.callee === 0 ? undefined : cx.store.get(LEG, row.callee);
  cx.store.remove(RPR, row);
  if (leg === undefined) {
    answer(cx, m, key, from, 200, EMPTY_TAIL);
    drop(cx, row.leg);
    return;
  }
  cx.store.patch(LEG, leg, { remoteCseq: m.cseq });
  if (describes(m)) passOn(cx, m, key, from, leg, callee, row);
  else {
    answer(cx, m, key, from, 200, EMPTY_TAIL);
    if (leg.offer === 'local') exchange(cx, leg, 'failed');
    if (callee?.state === 'early') acknowledge(cx, callee, row.calleeRseq, EMPTY_TAIL, 0);
  }
  if (row.resendAt !== 0 && stx !== undefined) next(cx, leg, stx);
}

/** A PRACK with a description goes to the phone, and its answer comes back by `onward`. */
function passOn(
  cx: Context,
  m: SipMessage,
  key: string,
  from: Peer,
  leg: Leg,
  callee: Leg | undefined,
  row: Rpr,
): void {
  const answers = leg.offer === 'local';
  const open = callee !== undefined && callee.state === 'early' && row.calleeRseq !== 0;
  const free = answers || (refusesOffer(leg, 'offerIn') === 0 && callee?.offer === 'stable');
  if (!open || !free) {
    // A new offer for a phone that takes none now; the response it is for is acknowledged.
    answer(cx, m, key, from, 488, EMPTY_TAIL);
    if (open) acknowledge(cx, callee, row.calleeRseq, EMPTY_TAIL, 0);
    return;
  }
  const stx = openServer(cx, m, key, from, leg.id, '');
  exchange(cx, leg, answers ? 'answerIn' : 'offerIn');
  const said = bodyTail(m, continued(cx, callee, m.body));
  const ctx = acknowledge(cx, callee, row.calleeRseq, said, stx.id, answers);
  exchange(cx, callee, answers ? 'answerOut' : 'offerOut', m);
  // the INVITE's offer is answered: its 2xx needs nothing of the caller
  const invite = answers ? cx.store.get(CTX, callee.uac) : undefined;
  if (invite !== undefined) cx.store.patch(CTX, invite, { offerless: false });
  cx.store.patch(STX, stx, { onward: ctx.id });
}

/** The caller acknowledged: what waits goes out, up to the next that he must acknowledge. */
function next(cx: Context, leg: Leg, stx: Stx): void {
  if (stx.state !== 'proceeding') {
    drop(cx, leg.id);
    return;
  }
  for (const row of waitingOf(cx, leg.id)) {
    if (row.status >= 200) {
      cx.store.remove(RPR, row);
      give(cx, leg, stx, row.status, row.reason, row.tail);
      return;
    }
    if (row.reliable) {
      tell(cx, leg, stx, row);
      return;
    }
    cx.store.remove(RPR, row);
    respond(cx, stx, row.status, row.reason, row.tail);
  }
}
