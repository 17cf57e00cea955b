/**
 * Client transactions (RFC 3261 17.1): carries out what `machines.ts` says for a row of `ctx`.
 *
 * A request is kept without its Via, which the row makes of its own id; so it is written once, in
 * the insert. It is let go at the final response.
 */

import type { Peer } from '../../base/peer.ts';
import { H, type SipMessage } from '../../sip-parser/index.ts';
import type { Context } from '../context.ts';
import { type ClientEvent, INVITE_CLIENT, type Next, OTHER_CLIENT } from './machines.ts';
import { reach, sentBy } from './reach.ts';
import { CTX, type Ctx, type Method } from './rows.ts';
import type { Verdict } from './server.ts';
import { COOKIE, EMPTY_TAIL, idIn, isWord, randomWord, viaTo, word } from './text.ts';
import { at, giveUpAfter } from './timers.ts';

type Cell = { readonly to: Next<Ctx['state']>; readonly act: readonly string[] };
type Rows = { readonly [state: string]: { readonly [event in ClientEvent]: Cell } };

export type NewRequest = {
  readonly method: Method;
  readonly uri: string;
  /** `Route:` lines, '' for none. */
  readonly route: string;
  /** Everything after Via and Route: headers, empty line, body. */
  readonly rest: string;
  readonly cseq: number;
  readonly to: Peer;
  readonly leg: number;
  /** Over a stream to a phone: where its registration says that it listens. */
  readonly ear?: string;
  /** A NOTIFY: the subscription it tells. */
  readonly subscription?: number;
  /** Server transaction this passes on, 0 for none. */
  readonly onward: number;
  /** An INVITE whose ACK will have to bring the answer. */
  readonly offerless: boolean;
  /** A session refresh of our own. */
  readonly refresh?: boolean;
};

/** The branch of our top Via. A CANCEL has that of its INVITE (RFC 3261 9.1). */
export function branchOf(ctx: Ctx): string {
  return COOKIE + word(ctx.cancels === 0 ? ctx.id : ctx.cancels, ctx.rnd);
}

/** Starts a client transaction and sends its request. */
export function request(cx: Context, r: NewRequest): Ctx {
  return start(cx, r, 0, randomWord(cx.chance));
}

function start(cx: Context, r: NewRequest, cancels: number, rnd: string): Ctx {
  const s = cx.settings;
  const invite = r.method === 'INVITE';
  const ctx = cx.store.insert(CTX, {
    method: r.method,
    state: invite ? 'calling' : 'trying',
    cseq: r.cseq,
    rnd,
    cancels,
    transport: r.to.transport,
    ip: r.to.ip,
    port: r.to.port,
    uri: r.uri,
    route: r.route,
    request: r.rest,
    leg: r.leg,
    subscription: r.subscription ?? 0,
    ear: r.ear ?? '',
    onward: r.onward,
    offerless: r.offerless,
    refresh: r.refresh === true,
    interval: s.t1,
    resendAt: at(cx.now, invite ? 'A' : 'E', s, r.to.transport),
    giveUpAt: at(cx.now, invite ? 'B' : 'F', s),
  });
  transmit(cx, ctx);
  return ctx;
}

function transmit(cx: Context, ctx: Ctx): void {
  const via = viaTo(cx.settings, ctx, branchOf(ctx));
  const to = reach(cx, ctx, sentBy(ctx.route, ctx.ear, ctx.uri));
  cx.send(to, `${ctx.method} ${ctx.uri} SIP/2.0\r\n${via}${ctx.route}${ctx.request}`);
}

/** Says a request that has no answer yet once more, by a connection that may be another one. */
export function sayAgain(cx: Context, ctx: Ctx): void {
  if (ctx.request === '' || ctx.state === 'completed' || ctx.state === 'accepted') return;
  cx.count('requestsResent');
  transmit(cx, ctx);
}

/**
 * The transaction of a response (RFC 3261 17.1.3): the top Via's branch is ours, and the CSeq
 * method is the transaction's ("since a CANCEL request constitutes a different transaction, but
 * shares the same value of the branch parameter").
 */
export function findClient(cx: Context, m: SipMessage): Ctx | undefined {
  const branch = m.branch;
  if (!branch.startsWith(COOKIE)) return undefined;
  const id = idIn(branch, COOKIE.length);
  let ctx = id === 0 ? undefined : cx.store.get(CTX, id);
  if (ctx === undefined || ctx.cancels !== 0) return undefined;
  if (!isWord(branch, COOKIE.length, ctx.rnd)) return undefined;
  const method = m.cseqMethod;
  if (method === 'CANCEL' && ctx.cancelledBy !== 0) ctx = cx.store.get(CTX, ctx.cancelledBy);
  return ctx !== undefined && ctx.method === method && ctx.cseq === m.cseq ? ctx : undefined;
}

/** A response arrived for `ctx`. */
export function clientReceives(cx: Context, ctx: Ctx, m: SipMessage): Verdict {
  const event = m.status < 200 ? 'provisional' : m.status < 300 ? 'success' : 'refusal';
  const before = ctx.state;
  const verdict = step(cx, ctx, event, m);
  if (before === 'completed' || before === 'accepted') cx.count('responsesRepeatedIn');
  return verdict;
}

/** A moment of the row has come. On `timeout` the row is gone, but can still be read. */
export function clientDue(cx: Context, ctx: Ctx): Verdict {
  const now = cx.now;
  if (ctx.giveUpAt !== 0 && ctx.giveUpAt <= now) return step(cx, ctx, 'giveUp', undefined);
  if (ctx.resendAt !== 0 && ctx.resendAt <= now) return step(cx, ctx, 'resend', undefined);
  if (ctx.endAt !== 0 && ctx.endAt <= now) return step(cx, ctx, 'end', undefined);
  return 'done';
}

/** True while an INVITE of ours has no final response, or a 2xx whose ACK waits for an answer. */
export function outstanding(ctx: Ctx | undefined): boolean {
  if (ctx === undefined) return false;
  return ctx.state === 'calling' || ctx.state === 'proceeding' || awaitsAck(ctx);
}

/** True when a 2xx came and its ACK waits for the answer of the other side. */
export function awaitsAck(ctx: Ctx): boolean {
  return ctx.state === 'accepted' && ctx.offerless && !ctx.acked;
}

/**
 * Withdraws an INVITE. RFC 3261 9.1: "If no provisional response has been received, the CANCEL
 * request MUST NOT be sent; rather, the client MUST wait for the arrival of a provisional
 * response": then it is marked, and the transaction user calls again when it is told of one.
 * @param dialog From, To and Call-ID lines of the INVITE.
 */
export function cancel(cx: Context, ctx: Ctx, dialog: string): void {
  if (ctx.method !== 'INVITE' || ctx.cancel === 'sent') return;
  if (ctx.state === 'calling') cx.store.patch(CTX, ctx, { cancel: 'wanted' });
  if (ctx.state !== 'proceeding') return;
  const by = start(
    cx,
    {
      method: 'CANCEL',
      uri: ctx.uri,
      route: ctx.route,
      rest: `Max-Forwards: 70\r\n${dialog}CSeq: ${ctx.cseq} CANCEL\r\n${EMPTY_TAIL}`,
      cseq: ctx.cseq,
      to: ctx,
      ear: ctx.ear,
      leg: 0,
      onward: 0,
      offerless: false,
    },
    ctx.id,
    ctx.rnd,
  );
  // RFC 3261 9.1: without a final response in 64*T1 "the client SHOULD then consider the original
  // transaction cancelled and SHOULD destroy the client transaction".
  cx.store.patch(CTX, ctx, {
    cancel: 'sent',
    cancelledBy: by.id,
    giveUpAt: cx.now + giveUpAfter(cx.settings),
  });
}

/** Stops repeating a request whose answer no longer matters; its response is still absorbed. */
export function hush(cx: Context, ctx: Ctx): void {
  if (ctx.state === 'calling' || ctx.state === 'proceeding') {
    cx.store.patch(CTX, ctx, {
      request: '',
      resendAt: 0,
      giveUpAt: cx.now + giveUpAfter(cx.settings),
    });
  }
}

/** RFC 3261 17.1.1.3: the ACK to a refusal repeats the INVITE's Via, URI and Route. */
function acknowledgeRefusal(cx: Context, ctx: Ctx, m: SipMessage): void {
  cx.send(
    ctx,
    `ACK ${ctx.uri} SIP/2.0\r\n${viaTo(cx.settings, ctx, branchOf(ctx))}${ctx.route}Max-Forwards: 70\r\n` +
      `From: ${m.header(H.From) ?? ''}\r\nTo: ${m.header(H.To) ?? ''}\r\nCall-ID: ${m.callId}\r\n` +
      `CSeq: ${ctx.cseq} ACK\r\n${EMPTY_TAIL}`,
  );
}

/** The ACK to a 2xx (RFC 3261 13.2.2.4) whose dialog is over: made of the response alone. */
export function acknowledgeLate(cx: Context, ctx: Ctx, m: SipMessage): void {
  cx.send(
    ctx,
    `ACK ${ctx.uri} SIP/2.0\r\n${viaTo(cx.settings, ctx, `${branchOf(ctx)}.ack`)}${ctx.route}` +
      `Max-Forwards: 70\r\nFrom: ${m.header(H.From) ?? ''}\r\nTo: ${m.header(H.To) ?? ''}\r\n` +
      `Call-ID: ${m.callId}\r\nCSeq: ${ctx.cseq} ACK\r\n${ctx.ackBody === '' ? EMPTY_TAIL : ctx.ackBody}`,
  );
}

function step(cx: Context, ctx: Ctx, event: ClientEvent, m: SipMessage | undefined): Verdict {
  const machine: Rows = ctx.method === 'INVITE' ? INVITE_CLIENT : (OTHER_CLIENT as Rows);
  const cell = (machine[ctx.state] as { readonly [event in ClientEvent]: Cell })[event];
  const s = cx.settings;
  let verdict: Verdict = 'done';
  let quiet = false;
  let still = false;
  let giveUpAt = 0;
  let endAt = ctx.endAt;
  for (const action of cell.act) {
    switch (action) {
      case 'repeat':
        cx.count('requestsResent');
        transmit(cx, ctx);
        break;
      case 'double':
        backOff(cx, ctx, ctx.interval * 2);
        break;
      case 'backOff':
        backOff(cx, ctx, Math.min(ctx.interval * 2, s.t2));
        break;
      case 'slow':
        backOff(cx, ctx, s.t2);
        break;
      case 'ack':
        if (m !== undefined) acknowledgeRefusal(cx, ctx, m);
        break;
      case 'quiet':
        quiet = true;
        break;
      case 'still':
        still = true;
        break;
      case 'startC':
        // An INVITE that was hushed before it was heard has its end already.
        giveUpAt = ctx.request === '' ? ctx.giveUpAt : at(cx.now, 'C', s);
        break;
      case 'startD':
        endAt = at(cx.now, 'D', s, ctx.transport);
        break;
      case 'startK':
        endAt = at(cx.now, 'K', s, ctx.transport);
        break;
      case 'startM':
        endAt = at(cx.now, 'M', s);
        break;
      case 'timeout':
        verdict = 'timeout';
        cx.count(ctx.method === 'INVITE' ? 'timeoutsInvite' : 'timeoutsRequest');
        break;
      case 'tell':
        verdict = 'tell';
        break;
      default:
        break;
    }
  }
  if (cell.to === 'gone') cx.store.remove(CTX, ctx);
  else if (cell.to !== 'same') {
    if (quiet) {
      cx.store.patch(CTX, ctx, { state: cell.to, request: '', resendAt: 0, giveUpAt, endAt });
    } else if (still) cx.store.patch(CTX, ctx, { state: cell.to, resendAt: 0, giveUpAt, endAt });
    else cx.store.patch(CTX, ctx, { state: cell.to });
  }
  return verdict;
}

function backOff(cx: Context, ctx: Ctx, interval: number): void {
  cx.store.patch(CTX, ctx, { interval, resendAt: cx.now + interval });
}
