/**
 * Server transactions (RFC 3261 17.2): carries out what `machines.ts` says for a row of `stx`.
 *
 * Most refusals need no row at all: a stateless answer (8.2.7) to a repeated request is the same
 * octets, so nothing is written for a challenge, an unknown user or an overload.
 */

import type { Peer } from '../../base/peer.ts';
import type { Values } from '../../base/row.ts';
import { H, M, type SipMessage } from '../../sip-parser/index.ts';
import type { Context } from '../context.ts';
import { INVITE_SERVER, type Next, OTHER_SERVER, type ServerEvent } from './machines.ts';
import { reachBack } from './reach.ts';
import { type Method, STX, type Stx } from './rows.ts';
import { COOKIE, replyTo, responseHead, responseText, statelessTag } from './text.ts';
import { at } from './timers.ts';

/** What the transaction user must do after an event: nothing, look at it, or learn of silence. */
export type Verdict = 'done' | 'tell' | 'timeout';

type Cell = { readonly to: Next<Stx['state']>; readonly act: readonly string[] };
type Rows = { readonly [state: string]: { readonly [event in ServerEvent]: Cell } };

/**
 * The key by which a request finds its transaction (RFC 3261 17.2.3), with `method` in place of the
 * request's own (ACK and CANCEL look for the INVITE's). Branches without the magic cookie come from
 * RFC 2543 senders: those are told apart by the fields that rule names, less the To tag, which the
 * ACK to a refusal has and the INVITE has not.
 */
export function serverKey(m: SipMessage, method: string): string {
  const branch = m.branch;
  if (branch.startsWith(COOKIE) && branch.length > COOKIE.length) {
    return `${branch}|${m.viaHost}:${m.viaPort}|${method}`;
  }
  const via = m.viaSpan;
  return `${m.callId}|${m.fromTag}|${m.cseq}|${m.text.slice(via[0], via[1])}|${method}`;
}

/** The transaction a request belongs to, by its `serverKey`; for ACK and CANCEL by the INVITE's. */
export function findServer(cx: Context, key: string): Stx | undefined {
  return cx.store.find(STX, 'key', key);
}

/**
 * Starts a server transaction. Its head is kept while a response may still be needed from us
 * unasked; `leg` 0 when the request belongs to no leg; `terms`: of a session it asks for.
 */
export function openServer(
  cx: Context,
  m: SipMessage,
  key: string,
  from: Peer,
  leg: number,
  tag: string,
  terms: Values<typeof STX.fields> = {},
): Stx {
  const invite = m.methodId === M.INVITE;
  const to = replyTo(m, from);
  return cx.store.insert(STX, {
    key,
    method: m.method as Method,
    state: invite ? 'proceeding' : 'trying',
    cseq: m.cseq,
    transport: to.transport,
    ip: to.ip,
    port: to.port,
    head: responseHead(m, from, tag, invite),
    status: invite ? 100 : 0,
    leg,
    ...terms,
  });
}

/** Answers a non-INVITE request at once and finally: a small row that only answers repetitions. */
export function answer(
  cx: Context,
  m: SipMessage,
  key: string,
  from: Peer,
  status: number,
  tail: string,
  tag = '',
): void {
  const tagged = m.toTag !== '';
  const own = tagged ? '' : tag === '' ? statelessTag(m, cx.settings) : tag;
  const head = responseHead(m, from, own, false);
  const to = replyTo(m, from);
  cx.store.insert(STX, {
    key,
    method: m.method as Method,
    state: 'completed',
    cseq: m.cseq,
    transport: to.transport,
    ip: to.ip,
    port: to.port,
    // The repeated request says again what the head says, unless the tag is ours.
    head: tagged ? '' : head,
    status,
    response: tail,
    endAt: at(cx.now, 'J', cx.settings),
  });
  cx.send(to, responseText(status, '', head, tail));
}

/** Answers without leaving a row (RFC 3261 8.2.7). ACK is never answered. */
export function answerStateless(
  cx: Context,
  m: SipMessage,
  from: Peer,
  status: number,
  tail: string,
  reason = '',
): void {
  if (m.methodId === M.ACK) return;
  const tag = m.toTag === '' ? statelessTag(m, cx.settings) : '';
  const head = responseHead(m, from, tag, false);
  cx.send(replyTo(m, from), responseText(status, reason, head, tail));
}

/** 100 Trying for a new INVITE (RFC 3261 8.2.6.1), with the Timestamp it came with. */
export function trying(cx: Context, m: SipMessage, stx: Stx): void {
  const stamp = m.has(H.Timestamp) ? `${m.lines(H.Timestamp)}Content-Length: 0\r\n\r\n` : '';
  cx.send(stx, responseText(100, '', stx.head, stamp));
}

/** A repeated request, or the ACK to a refusal, arrived for `stx`. */
export function serverReceives(cx: Context, stx: Stx, m: SipMessage, from: Peer): Verdict {
  if (m.methodId === M.ACK) return step(cx, stx, 'ack', m);
  cx.count('requestsRepeatedIn');
  if (stx.head === '' && stx.status !== 0 && stx.state === 'completed') {
    // The head was let go because the repeated request carries it.
    const head = responseHead(m, from, '', false);
    cx.send(stx, responseText(stx.status, stx.reason, head, stx.response));
    return 'done';
  }
  return step(cx, stx, 'request', m);
}

/** The transaction user responds. @param reason '' for the registered phrase. */
export function respond(cx: Context, stx: Stx, status: number, reason: string, tail: string): void {
  const event = status < 200 ? 'provisional' : status < 300 ? 'success' : 'refusal';
  const cell = cellOf(stx, event);
  if (cell.act.length === 0) return;
  const s = cx.settings;
  const text = responseText(status, reason, stx.head, tail);
  if (stx.method !== 'INVITE') {
    const final = status >= 200;
    const keepHead = !final || stx.leg === 0;
    cx.store.patch(STX, stx, {
      state: cell.to as Stx['state'],
      status,
      reason,
      response: tail,
      head: keepHead ? stx.head : '',
      endAt: final ? at(cx.now, 'J', s, stx.transport) : 0,
    });
  } else if (status < 200) {
    cx.store.patch(STX, stx, { status, reason, response: tail });
  } else {
    cx.store.patch(STX, stx, {
      state: cell.to as Stx['state'],
      status,
      reason,
      response: tail,
      interval: s.t1,
      // a 2xx is repeated over every transport, a refusal is not (13.3.1.4, 17.2.1)
      resendAt: at(cx.now, 'G', s, status < 300 ? 'udp' : stx.transport),
      giveUpAt: at(cx.now, 'H', s),
      endAt: status < 300 ? at(cx.now, 'L', s) : 0,
    });
  }
  cx.send(reachBack(cx, stx, stx.head), text);
}

/** The last response once more, to where its receiver is now. */
export function say(cx: Context, stx: Stx): void {
  const text = responseText(stx.status, stx.reason, stx.head, stx.response);
  cx.send(reachBack(cx, stx, stx.head), text);
}

/** The peer is by another connection now: what it may not have heard is said again. */
export function repeatTo(cx: Context, stx: Stx): void {
  const ringing = stx.state === 'proceeding' && stx.status > 100;
  if (!ringing && !(stx.giveUpAt !== 0 && stx.head !== '')) return;
  cx.count('responsesResent');
  say(cx, stx);
}

/** The ACK to our 2xx came: nothing is repeated any more, the row only absorbs (RFC 6026 7.1). */
export function acknowledged(cx: Context, stx: Stx): void {
  cx.store.patch(STX, stx, { response: '', reason: '', head: '', resendAt: 0, giveUpAt: 0 });
}

/** True while an INVITE from this side is not settled: no final response, or a 2xx without ACK. */
export function unsettled(stx: Stx | undefined): boolean {
  if (stx === undefined) return false;
  return stx.state === 'proceeding' || (stx.state === 'accepted' && stx.head !== '');
}

/** A moment of the row has come. */
export function serverDue(cx: Context, stx: Stx): Verdict {
  const now = cx.now;
  if (stx.resendAt !== 0 && stx.resendAt <= now) {
    const verdict = step(cx, stx, 'resend', undefined);
    if (verdict !== 'done') return verdict;
  }
  let verdict: Verdict = 'done';
  if (stx.giveUpAt !== 0 && stx.giveUpAt <= now) verdict = step(cx, stx, 'giveUp', undefined);
  // H and L of an accepted INVITE end at the same moment.
  if (stx.endAt !== 0 && stx.endAt <= now) step(cx, stx, 'end', undefined);
  return verdict;
}

function cellOf(stx: Stx, event: ServerEvent): Cell {
  const machine: Rows = stx.method === 'INVITE' ? INVITE_SERVER : (OTHER_SERVER as Rows);
  return (machine[stx.state] as { readonly [event in ServerEvent]: Cell })[event];
}

function step(cx: Context, stx: Stx, event: ServerEvent, m: SipMessage | undefined): Verdict {
  const cell = cellOf(stx, event);
  let verdict: Verdict = 'done';
  for (const action of cell.act) {
    switch (action) {
      case 'repeat':
        say(cx, stx);
        if (event === 'resend') cx.count('responsesResent');
        break;
      case 'backOff': {
        const interval = Math.min(stx.interval * 2, cx.settings.t2);
        cx.store.patch(STX, stx, { interval, resendAt: cx.now + interval });
        break;
      }
      case 'quiet':
        acknowledged(cx, stx);
        break;
      case 'startI':
        cx.store.patch(STX, stx, {
          state: 'confirmed',
          endAt: at(cx.now, 'I', cx.settings, stx.transport),
        });
        break;
      case 'tell':
        if (m !== undefined) verdict = 'tell';
        break;
      case 'timeout':
        verdict = 'timeout';
        break;
      default:
        break;
    }
  }
  if (cell.to === 'gone') {
    if (event === 'giveUp') cx.count('timeoutsAck');
    cx.store.remove(STX, stx);
  }
  return verdict;
}
