/**
 * The call: what its legs tell each other. SIP stays in the legs; here are only call events.
 *
 *   ring    a phone rings, or plays early media       refuse   a phone said no, or never answered
 *   answer  a phone answered                          decline  the user said no on all phones (6xx)
 *   exhaust nobody is left to try (`hunt.ts`)          cancel   the caller withdrew
 *   end     a side hung up                            silence  nobody answered in time
 *   unheard a side never acknowledged an answer, or a reliable provisional response
 *   expire  nobody refreshed the session of a side in time (RFC 4028)
 *   desert  the caller left it to a transfer         pickup   somebody else takes it (RFC 3891)
 *   redirect a phone names others (3xx)
 *
 * The table says for each state of a call what an event leads to; a test proves it total.
 */

import type { Context } from '../proto/context.ts';
import { awaitsAck, cancel } from '../proto/sip/client.ts';
import { CTX, type Ctx, STX } from '../proto/sip/rows.ts';
import { respond } from '../proto/sip/server.ts';
import { ALLOW, bodyTail, EMPTY_TAIL, passedOn, withBody } from '../proto/sip/text.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { bridgeAnswers, bridgeEnded, bridgeFor, bridgeRefuses, bridgeRings } from './bridge.ts';
import { type Cause, causeOf, FAILURES } from './csta/causes.ts';
import { leaveCall } from './csta/ccall.ts';
import { hearsEarly } from './distribute/hear.ts';
import { endHunt } from './hunt.ts';
import { callerOf, contactOf, hangUp, inviteLines, sendAck, tidy } from './leg.ts';
import { nailOver, parks } from './nail/nail.ts';
import { describes, move, spoke } from './offer.ts';
import { continued, continuedTail } from './origin.ts';
import { partsAlone } from './parts.ts';
import { endRedirect, follow } from './redirect.ts';
import { acknowledge, conclude, give, progress, rseqOf } from './reliable.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import {
  callEnded,
  callEnds,
  targetAnswers,
  targetRefuses,
  targetRings,
  waitsFor,
} from './transfer.ts';

export type CallState = Call['state'];
export type CallEvent =
  | 'ring'
  | 'answer'
  | 'refuse'
  | 'decline'
  | 'exhaust'
  | 'cancel'
  | 'end'
  | 'silence'
  | 'unheard'
  | 'expire'
  | 'desert'
  | 'pickup'
  | 'redirect';

export type CallAction =
  | 'ringCaller'
  | 'answerCaller'
  /** The caller hears the description of somebody who picked up. */
  | 'pickUpCaller'
  /** Withdraw the INVITE from every phone that has not answered. */
  | 'cancelForks'
  | 'keepBest'
  /** Invite whom the phone names (RFC 3261 8.1.3.4). */
  | 'recurse'
  /** Tell the caller the best refusal. */
  | 'refuseCaller'
  /** 487, 480: tell the caller why it ends. */
  | 'terminateCaller'
  | 'giveUpCaller'
  /** RFC 3262 3: he does not acknowledge: 5xx. */
  | 'failCaller'
  /** A phone that answered too late is thanked and hung up. */
  | 'hangUpLate'
  | 'hangUpOthers'
  | 'hangUpAll';

type Cell = { readonly to: CallState | 'same'; readonly act: readonly CallAction[] };

const NOTHING: Cell = { to: 'same', act: [] };

const UNANSWERED = {
  ring: { to: 'ringing', act: ['ringCaller'] },
  answer: { to: 'talking', act: ['answerCaller', 'cancelForks'] },
  refuse: { to: 'same', act: ['keepBest'] },
  // RFC 3261 16.7 step 5: on a 6xx the other branches are cancelled.
  decline: { to: 'ending', act: ['keepBest', 'cancelForks', 'refuseCaller'] },
  exhaust: { to: 'ending', act: ['refuseCaller'] },
  cancel: { to: 'ending', act: ['terminateCaller', 'cancelForks'] },
  end: { to: 'ending', act: ['terminateCaller', 'cancelForks'] },
  silence: { to: 'ending', act: ['giveUpCaller', 'cancelForks'] },
  unheard: { to: 'ending', act: ['failCaller', 'cancelForks'] },
  expire: NOTHING,
  desert: { to: 'same', act: ['terminateCaller'] },
  pickup: { to: 'talking', act: ['pickUpCaller', 'cancelForks'] },
  redirect: { to: 'same', act: ['recurse'] },
} as const;

export const CALL_MACHINE: { readonly [s in CallState]: { readonly [e in CallEvent]: Cell } } = {
  trying: UNANSWERED,
  ringing: UNANSWERED,
  talking: {
    ring: NOTHING,
    answer: { to: 'same', act: ['hangUpLate'] },
    refuse: NOTHING,
    decline: NOTHING,
    exhaust: NOTHING,
    // RFC 3261 9.2: a CANCEL after the final response has no effect on the session.
    cancel: NOTHING,
    end: { to: 'ending', act: ['hangUpOthers'] },
    silence: NOTHING,
    unheard: { to: 'ending', act: ['hangUpAll'] },
    expire: { to: 'ending', act: ['hangUpAll'] },
    desert: NOTHING,
    pickup: NOTHING,
    redirect: NOTHING,
  },
  ending: {
    ring: NOTHING,
    answer: { to: 'same', act: ['hangUpLate'] },
    refuse: NOTHING,
    decline: NOTHING,
    exhaust: NOTHING,
    cancel: NOTHING,
    end: NOTHING,
    silence: NOTHING,
    unheard: NOTHING,
    expire: NOTHING,
    desert: NOTHING,
    pickup: NOTHING,
    redirect: NOTHING,
  },
};

/** What a leg has to say with an event. */
export type Said = {
  /** The leg it happened on; undefined when on none (silence). */
  readonly leg: Leg | undefined;
  /** The message that says so, if one does. */
  readonly m: SipMessage | undefined;
  /** INVITE the event answers (ring, answer). */
  readonly ctx: Ctx | undefined;
  readonly status: number;
  readonly reason: string;
  readonly tail: string;
};

/** Nobody says it by a message: what is known is put in. */
export const SILENT: Said = {
  leg: undefined,
  m: undefined,
  ctx: undefined,
  status: 0,
  reason: '',
  tail: '',
};

/** What an event means for programs. */
function causeIn(event: CallEvent, call: Call, status: number): Cause {
  switch (event) {
    case 'refuse':
    case 'decline':
      return causeOf(status);
    case 'exhaust':
      return causeOf(call.refusal || status);
    case 'silence':
      return 'noAnswer';
    case 'cancel':
      return 'callCancelled';
    case 'unheard':
    case 'expire':
      return 'timeout';
    case 'desert':
      return 'transfer';
    case 'pickup':
      return 'callPickup';
    case 'redirect':
      return 'redirected';
    case 'end':
      return status === 408 ? 'timeout' : 'normalClearing';
    default:
      return 'normal';
  }
}

/** Events of one leg, which may end alone. */
const ONE_LEG: ReadonlySet<CallEvent> = new Set(['end', 'unheard', 'expire']);

/** Lets a call event happen. The call's row is gone afterwards when its last leg is. */
export function happen(cx: Context, call: Call, given: CallEvent, said: Said): void {
  if (given === 'end' && said.leg === undefined && parks(cx, call)) return;
  // a call that a transfer waits for goes on without its caller
  const leaves = given === 'cancel' || (given === 'end' && said.leg?.side === 'caller');
  const awaited = leaves && (waitsFor(cx, call) ?? bridgeFor(cx, call)) !== undefined;
  const event = awaited ? 'desert' : given;
  if (ONE_LEG.has(event) && said.leg && partsAlone(cx, call, said.leg, said.tail)) return;
  const cell = CALL_MACHINE[call.state][event];
  const to = cell.to === 'same' ? call.state : cell.to;
  if (cx.settings.csta && cell.act.length > 0) {
    const cause = causeIn(event, call, said.status);
    cx.turn.causes.set(call.id, cause);
    if (event === 'end' && said.leg !== undefined) cx.turn.ender.set(call.id, said.leg.id);
    if (to === 'ending' && call.state !== 'talking' && FAILURES.has(cause)) {
      cx.turn.failed.set(call.id, { ccall: call.ccall, called: call.called });
    }
  }
  const answers = event === 'answer' || event === 'pickup';
  if (answers && to === 'talking' && call.state !== 'talking') {
    cx.store.patch(CALL, call, {
      state: to,
      winner: said.leg?.id ?? 0,
      answeredAt: cx.now,
      noAnswerAt: 0,
    });
    endHunt(cx, call);
  } else if (to !== call.state) {
    if (to === 'ending') endHunt(cx, call);
    cx.store.patch(CALL, call, { state: to, noAnswerAt: to === 'ending' ? 0 : call.noAnswerAt });
    if (to === 'ending') leaveCall(cx, call);
  }
  if (answers || to === 'ending') endRedirect(cx, call);
  const ends = to === 'ending' && cell.to !== 'same';
  if (ends) callEnds(cx, call, said.leg);
  for (const action of cell.act) act(cx, call, action, said);
  if (ends) {
    callEnded(cx, call);
    bridgeEnded(cx, call);
    nailOver(cx, call.id);
  }
}

function act(cx: Context, call: Call, action: CallAction, said: Said): void {
  switch (action) {
    case 'ringCaller':
      ringCaller(cx, call, said);
      targetRings(cx, call, said.status);
      bridgeRings(cx, call, said.leg, said.status);
      return;
    case 'answerCaller':
      answerCaller(cx, call, said);
      return;
    case 'pickUpCaller':
      pickUpCaller(cx, call, said);
      return;
    case 'cancelForks':
      cancelForks(cx, call);
      return;
    case 'keepBest':
      keepBest(cx, call, said);
      return;
    case 'recurse':
      if (said.leg && said.m && said.ctx) follow(cx, call, said.ctx, said.leg, said.m, said.tail);
      return;
    case 'refuseCaller':
      cx.count('callsRefused');
      endCaller(cx, call, call.refusal || 480, call.refusalReason, call.refusalTail);
      targetRefuses(cx, call, call.refusal || 480);
      bridgeRefuses(cx, call, call.refusal || 480);
      return;
    case 'terminateCaller':
      cx.count('callsCancelled');
      endCaller(cx, call, 487, '', EMPTY_TAIL);
      return;
    case 'giveUpCaller':
      cx.count('callsUnanswered');
      endCaller(cx, call, 480, '', EMPTY_TAIL);
      targetRefuses(cx, call, 480);
      bridgeRefuses(cx, call, 480);
      return;
    case 'failCaller':
      cx.count('callsUnanswered');
      endCaller(cx, call, 504, '', EMPTY_TAIL);
      return;
    case 'hangUpLate':
      hangUpLate(cx, said);
      return;
    case 'hangUpOthers':
    case 'hangUpAll':
      hangUpLegs(cx, call, action === 'hangUpAll' ? undefined : said.leg, said.tail);
      return;
  }
}

/** True when `leg` is the only phone that could answer: its early media and offers are the caller's. */
function alone(cx: Context, call: Call, leg: Leg): boolean {
  for (const other of cx.store.all(LEG, 'call', call.id)) {
    if (other.side === 'callee' && other.id !== leg.id) return false;
  }
  return true;
}

function ringCaller(cx: Context, call: Call, said: Said): void {
  const caller = callerOf(cx, call);
  const stx = caller === undefined ? undefined : cx.store.get(STX, caller.uas);
  const { leg, m } = said;
  if (m === undefined || leg === undefined) return;
  const rseq = rseqOf(m);
  if (caller === undefined || stx === undefined) {
    // only a transfer waits for it, and it waits for us
    if (rseq !== 0) acknowledgeHere(cx, leg, m, rseq);
    return;
  }
  if (hearsEarly(cx, call)) {
    if (rseq !== 0) acknowledgeHere(cx, leg, m, rseq);
    return;
  }
  // RFC 3261 13.2.1: the first description the caller sees is the answer to his offer. Of several
  // phones nobody knows yet which one it will come from.
  const shown = alone(cx, call, leg);
  const through = rseq !== 0 && shown && caller.reliable !== 'no';
  if (rseq !== 0 && !through) acknowledgeHere(cx, leg, m, rseq);
  const reliable = through || caller.reliable === 'must';
  const sdp = shown && describes(m);
  const own = contactOf(cx, caller) + (reliable ? ALLOW : '');
  const tail = passedOn(m, own, shown ? continued(cx, caller, m.body) : '');
  // Several phones ring: the caller needs to hear it once.
  const told = stx.status === said.status && (!sdp || stx.response === tail);
  if (told && !through) return;
  if (reliable && sdp) spoke(cx, caller, m);
  const { status, reason } = said;
  const callee = through ? leg : undefined;
  progress(cx, caller, stx, { status, reason, tail, sdp, reliable, callee, calleeRseq: rseq });
}

/** We acknowledge a phone ourselves; the answer it gave with that goes into our 2xx (RFC 3262 5). */
function acknowledgeHere(cx: Context, leg: Leg, m: SipMessage, rseq: number): void {
  // An offer of the phone would need an answer of the caller, who cannot give it.
  if (leg.offer === 'remote') return;
  if (describes(m)) cx.store.patch(LEG, leg, { answer: bodyTail(m) });
  acknowledge(cx, leg, rseq, EMPTY_TAIL, 0);
}

function answerCaller(cx: Context, call: Call, said: Said): void {
  const caller = callerOf(cx, call);
  const stx = caller === undefined ? undefined : cx.store.get(STX, caller.uas);
  const { leg, ctx, m } = said;
  const transfer = waitsFor(cx, call);
  if (transfer !== undefined && leg !== undefined && ctx !== undefined && m !== undefined) {
    endCaller(cx, call, 487, '', EMPTY_TAIL);
    targetAnswers(cx, transfer, leg, ctx, m);
    return;
  }
  const bridge = bridgeFor(cx, call);
  if (bridge !== undefined && leg !== undefined && ctx !== undefined && m !== undefined) {
    endCaller(cx, call, 487, '', EMPTY_TAIL);
    bridgeAnswers(cx, bridge, leg, ctx, m);
    return;
  }
  if (caller === undefined || stx === undefined || leg === undefined) return;
  if (ctx === undefined || m === undefined) return;
  cx.count('callsAnswered');
  let tail = passedOn(m, contactOf(cx, caller) + ALLOW, continued(cx, caller, m.body));
  if (describes(m)) spoke(cx, caller, m);
  else if (leg.answer !== '') {
    const said = continuedTail(cx, caller, leg.answer);
    tail = withBody(tail, said);
    move(cx, caller, 'answerOut', said);
  }
  if (leg.answer !== '') cx.store.patch(LEG, leg, { answer: '' });
  give(cx, caller, stx, said.status, said.reason, tail);
  if (!awaitsAck(ctx)) sendAck(cx, leg, ctx, leg.remoteTag);
}

/** RFC 3891 3: the new INVITE takes the place of the early dialog; its description is the answer. */
function pickUpCaller(cx: Context, call: Call, said: Said): void {
  const caller = callerOf(cx, call);
  const stx = caller === undefined ? undefined : cx.store.get(STX, caller.uas);
  if (caller === undefined || stx === undefined || said.m === undefined) return;
  cx.count('callsAnswered');
  cx.store.patch(LEG, caller, { peer: said.leg?.id ?? 0 });
  const body = bodyTail(said.m, continued(cx, caller, said.m.body));
  spoke(cx, caller, said.m);
  give(cx, caller, stx, 200, '', contactOf(cx, caller) + ALLOW + body);
}

function cancelForks(cx: Context, call: Call): void {
  for (const leg of cx.store.all(LEG, 'call', call.id)) {
    if (leg.side !== 'callee' || (leg.state !== 'inviting' && leg.state !== 'early')) continue;
    const ctx = cx.store.get(CTX, leg.uac);
    if (ctx !== undefined) cancel(cx, ctx, inviteLines(leg));
  }
}

// RFC 3261 16.7 step 6: a 6xx wins, then the lowest class, and within 4xx the codes that tell the
// caller how to try again.
function rank(status: number): number {
  if (status >= 600) return 0;
  const hint = status === 415 || status === 420 || status === 484 ? 0 : status === 408 ? 2 : 1;
  return Math.floor(status / 100) * 10 + hint;
}

function keepBest(cx: Context, call: Call, said: Said): void {
  if (call.refusal !== 0 && rank(call.refusal) <= rank(said.status)) return;
  cx.store.patch(CALL, call, {
    refusal: said.status,
    refusalReason: said.reason,
    refusalTail: said.tail,
  });
}

/** The final refusal to the caller, whose leg is then gone; its transaction sees to the ACK. */
function endCaller(cx: Context, call: Call, status: number, reason: string, tail: string): void {
  const caller = callerOf(cx, call);
  if (caller === undefined) return;
  const stx = cx.store.get(STX, caller.uas);
  conclude(cx, caller);
  if (stx !== undefined) respond(cx, stx, status, reason, tail);
  cx.store.remove(LEG, caller);
  tidy(cx, call);
}

/** RFC 3261 13.2.2.4: a 2xx that comes too late must be acknowledged; then the dialog is ended. */
function hangUpLate(cx: Context, said: Said): void {
  const { leg, ctx } = said;
  if (leg === undefined || ctx === undefined) return;
  if (ctx.offerless) cx.store.patch(CTX, ctx, { acked: true });
  sendAck(cx, leg, ctx, leg.remoteTag);
  hangUp(cx, leg, EMPTY_TAIL);
}

function hangUpLegs(cx: Context, call: Call, except: Leg | undefined, tail: string): void {
  for (const leg of [...cx.store.all(LEG, 'call', call.id)]) {
    if (leg.id === except?.id) continue;
    const open = leg.state === 'confirmed' || leg.side === 'caller';
    if (open) hangUp(cx, leg, tail === '' ? EMPTY_TAIL : tail);
  }
  cancelForks(cx, call);
  tidy(cx, call);
}
