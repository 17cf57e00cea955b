/**
 * MESSAGE outside any dialog (RFC 3428): passed at once to every phone of the extension. The first
 * 2xx is the answer; without one it is the best refusal. Nothing is stored: with nobody there it is
 * refused 480, and the sender tries again.
 *
 * Its forks are client transactions with consecutive ids from `stx.onward` on, so which are still out
 * is read from the rows.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { userOf } from '../proto/sip/address.ts';
import { request } from '../proto/sip/client.ts';
import { CTX, type Ctx, STX, type Stx } from '../proto/sip/rows.ts';
import { answerStateless, openServer, respond } from '../proto/sip/server.ts';
import { EMPTY_TAIL, passedOn, randomWord, statelessTag, withoutTag } from '../proto/sip/text.ts';
import { H, type SipMessage, unescapeUser } from '../sip-parser/index.ts';
import { refusal, whoIs } from './admission.ts';
import { route, type Target } from './route.ts';
import { assertedIdentity, maySpeakAs } from './setup.ts';

/** A MESSAGE outside any dialog that repeats none. */
export function newMessage(cx: Context, m: SipMessage, key: string, from: Peer): void {
  const bad =
    refusal(cx, m) ?? (m.maxForwards === 0 ? { status: 483, tail: EMPTY_TAIL } : undefined);
  if (bad !== undefined) {
    answerStateless(cx, m, from, bad.status, bad.tail);
    return;
  }
  const proof = whoIs(cx, m, from);
  if (proof === undefined) return;
  if (!maySpeakAs(cx, m, proof)) {
    answerStateless(cx, m, from, 403, EMPTY_TAIL);
    return;
  }
  const way = route(cx, unescapeUser(userOf(m.requestUri)));
  const phones = way.kind === 'targets' ? way.targets.filter((to) => to.binding !== 0) : [];
  if (phones.length === 0) {
    answerStateless(cx, m, from, way.kind === 'refuse' ? way.status : 404, EMPTY_TAIL);
    return;
  }
  cx.count('messagesRelayed');
  const tail = passedOn(m, proof.as === 'user' ? assertedIdentity(cx, m, proof.user) : '');
  const stx = openServer(cx, m, key, from, 0, statelessTag(m, cx.settings));
  let first = 0;
  for (const phone of phones) {
    const ctx = relay(cx, m, phone, stx, tail);
    if (first === 0) first = ctx.id;
  }
  cx.store.patch(STX, stx, { onward: first });
}

function relay(cx: Context, m: SipMessage, to: Target, stx: Stx, tail: string): Ctx {
  const callId = `${randomWord(cx.chance)}${randomWord(cx.chance)}@${cx.settings.vip}`;
  const hops = m.maxForwards < 0 ? 69 : m.maxForwards - 1;
  return request(cx, {
    method: 'MESSAGE',
    uri: to.uri,
    route: to.route,
    rest:
      `Max-Forwards: ${hops}\r\nFrom: ${withoutTag(m.header(H.From) ?? '')};tag=${randomWord(cx.chance)}\r\n` +
      `To: ${withoutTag(m.header(H.To) ?? '')}\r\nCall-ID: ${callId}\r\nCSeq: 1 MESSAGE\r\n${tail}`,
    cseq: 1,
    to: to.peer,
    leg: 0,
    onward: stx.id,
    offerless: false,
  });
}

/** True when `ctx` is a fork of a MESSAGE outside any dialog. */
export function isRelayed(ctx: Ctx): boolean {
  return ctx.method === 'MESSAGE' && ctx.leg === 0 && ctx.onward !== 0;
}

/** A fork was answered, or (`m` undefined) nobody answered it. */
export function relayed(cx: Context, ctx: Ctx, m: SipMessage | undefined): void {
  const stx = cx.store.get(STX, ctx.onward);
  if (stx === undefined || stx.state !== 'trying') return;
  if (m !== undefined && m.status < 200) return;
  if (m !== undefined && m.status < 300) {
    respond(cx, stx, m.status, m.reason, passedOn(m, ''));
    return;
  }
  const status = m === undefined ? 0 : understood(m.status);
  if (status >= 600) {
    respond(cx, stx, status, '', EMPTY_TAIL);
    return;
  }
  // nothing was said to the sender yet: meanwhile the row remembers the best refusal
  if (status !== 0 && (stx.status === 0 || status < stx.status)) {
    cx.store.patch(STX, stx, { status });
  }
  if (waits(cx, stx)) return;
  if (stx.status !== 0) respond(cx, stx, stx.status, '', EMPTY_TAIL);
  // RFC 4320 4.2: no 408 to a request that is no INVITE; its sender has given up by now
  else cx.store.remove(STX, stx);
}

/** A redirection, a challenge or an overload of a phone mean nothing to who sent the MESSAGE. */
function understood(status: number): number {
  if (status < 400 || status === 408 || status === 481 || status === 487) return 480;
  if (status === 401 || status === 407) return 403;
  return status === 503 ? 500 : status;
}

function waits(cx: Context, stx: Stx): boolean {
  for (let i = 0; i < cx.settings.maxForks; i += 1) {
    const fork = cx.store.get(CTX, stx.onward + i);
    if (fork?.onward !== stx.id) continue;
    if (fork.state === 'trying' || fork.state === 'proceeding') return true;
  }
  return false;
}
