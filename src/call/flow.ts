/**
 * Connections come and go; what was said over them stays. Here rows follow their peers from one
 * connection to the next:
 *
 *   a registration came by another connection   its legs follow
 *   a request or response in a dialog did       its leg follows (or its transaction)
 *   there is no way to a peer                   phones are waited for, everybody else has failed
 *
 * Whatever was in flight on what follows is said again at once: the old connection may have taken it
 * to its grave.
 */

import { isReliable, type Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { findClient, sayAgain } from '../proto/sip/client.ts';
import { reach, samePeer, sentBy } from '../proto/sip/reach.ts';
import { CTX, type Ctx, STX } from '../proto/sip/rows.ts';
import { findServer, repeatTo, serverKey } from '../proto/sip/server.ts';
import { at as timerAt } from '../proto/sip/timers.ts';
import { M, type SipMessage } from '../sip-parser/index.ts';
import { publish } from './csta/publish.ts';
import { awaitsPhone, watchersFollow } from './events/flow.ts';
import { watched } from './events/watch.ts';
import { backToUdp, tookOther } from './large.ts';
import { findLeg } from './leg.ts';
import { unanswered } from './responses.ts';
import { type Binding, CALL, LEG, type Leg } from './rows.ts';

function at({ transport, ip, port }: Peer): Peer {
  return { transport, ip, port };
}

/** A message came over a stream, maybe by another connection than what it belongs to knows. */
export function follow(cx: Context, m: SipMessage, from: Peer): void {
  if (!m.isRequest) {
    const ctx = findClient(cx, m);
    if (ctx === undefined || samePeer(ctx, from) || !isReliable(ctx.transport)) return;
    const leg = ctx.leg === 0 ? undefined : cx.store.get(LEG, ctx.leg);
    // it has the request, so there is nothing to say again
    cx.store.patch(CTX, ctx, at(from));
    if (leg !== undefined) legFollows(cx, leg, from);
    return;
  }
  const leg = m.toTag === '' ? undefined : findLeg(cx, m);
  if (leg !== undefined) legFollows(cx, leg, from);
  // the same request once more, or its CANCEL: the answer goes where its sender is now
  const cancel = m.methodId === M.CANCEL;
  if (cancel) answerFollows(cx, serverKey(m, m.method), from);
  answerFollows(cx, serverKey(m, cancel || m.methodId === M.ACK ? 'INVITE' : m.method), from);
}

function answerFollows(cx: Context, key: string, now: Peer): void {
  const stx = findServer(cx, key);
  // while its own connection stands nobody else speaks for it
  if (stx !== undefined && isReliable(stx.transport) && !samePeer(stx, now) && !cx.isOpen(stx)) {
    cx.store.patch(STX, stx, at(now));
  }
}

function legFollows(cx: Context, leg: Leg, now: Peer): void {
  if (!isReliable(leg.transport) || samePeer(leg, now)) return;
  // a server calls us by one connection and is called by another: both are good while they stand
  const phone = leg.side === 'caller' || leg.binding !== 0;
  if (!phone && cx.isOpen(leg)) return;
  const old = at(leg);
  cx.store.patch(LEG, leg, at(now));
  speakAgain(cx, new Set([leg.id]), old, now);
}

/** A registration came by another connection than before. `old`: the one that was. */
export function bindingFollows(cx: Context, binding: Binding, old: Peer, now: Peer): void {
  if (samePeer(old, now) || !isReliable(now.transport)) return;
  const moved = new Set<number>();
  for (const leg of cx.store.rows(LEG)) {
    if (!isReliable(leg.transport) || samePeer(leg, now)) continue;
    if (leg.binding !== binding.id && !isOwn(cx, leg, binding, old)) continue;
    cx.store.patch(LEG, leg, at(now));
    moved.add(leg.id);
  }
  if (moved.size > 0) speakAgain(cx, moved, old, now);
  watchersFollow(cx, binding, old, now);
}

/** The leg of a caller who has this registration and called by its connection. */
function isOwn(cx: Context, leg: Leg, binding: Binding, old: Peer): boolean {
  if (leg.side !== 'caller' || !samePeer(leg, old)) return false;
  return cx.store.get(CALL, leg.call)?.caller === binding.aor;
}

/** What is in flight on these legs follows them, and is said again. */
function speakAgain(cx: Context, legs: ReadonlySet<number>, old: Peer, now: Peer): void {
  for (const ctx of cx.store.rows(CTX)) {
    const leg = legOf(cx, ctx);
    if (leg === undefined || !legs.has(leg.id)) continue;
    if (!isReliable(ctx.transport) || samePeer(ctx, now)) continue;
    cx.store.patch(CTX, ctx, at(now));
    // it hears the INVITE only now: patience with who was away (`unreachable`) is over
    if (ctx.method === 'INVITE' && ctx.state === 'calling' && ctx.request !== '') {
      cx.store.patch(CTX, ctx, { giveUpAt: timerAt(cx.now, 'B', cx.settings) });
    }
    sayAgain(cx, ctx);
  }
  for (const stx of cx.store.rows(STX)) {
    if (!legs.has(stx.leg) || !samePeer(stx, old)) continue;
    cx.store.patch(STX, stx, at(now));
    repeatTo(cx, stx);
  }
}

/** The leg of a transaction; a CANCEL has that of its INVITE. */
function legOf(cx: Context, ctx: Ctx): Leg | undefined {
  const id = ctx.cancels === 0 ? ctx.leg : (cx.store.get(CTX, ctx.cancels)?.leg ?? 0);
  return id === 0 ? undefined : cx.store.get(LEG, id);
}

/** Who is reached by a connection that only its other side can make. */
function isPhone(leg: Leg | undefined): boolean {
  return leg !== undefined && (leg.side === 'caller' || leg.binding !== 0);
}

/**
 * No connection to this peer could be made. RFC 3261 8.1.3.1: a fatal transport error is a 503 for
 * the transaction, so another way is tried at once. A phone is waited for a while instead: right after
 * a takeover it is on its way back.
 */
export function unreachable(plain: Context, peer: Peer): void {
  const cx = watched(plain);
  for (const ctx of [...cx.store.rows(CTX)]) {
    if (ctx.state !== 'calling' && ctx.state !== 'trying') continue;
    if (!isReliable(ctx.transport)) continue;
    if (
      !samePeer(ctx, peer) &&
      !samePeer(reach(cx, ctx, sentBy(ctx.route, ctx.ear, ctx.uri)), peer)
    )
      continue;
    const leg = legOf(cx, ctx);
    if (tookOther(ctx, leg)) {
      backToUdp(cx, ctx, leg);
      continue;
    }
    if (!isPhone(leg) && !awaitsPhone(ctx)) {
      cx.count('transportFailures');
      cx.store.remove(CTX, ctx);
      unanswered(cx, ctx);
      continue;
    }
    const patience = cx.now + cx.settings.flowWaitMs;
    if (ctx.method === 'INVITE' && ctx.giveUpAt > patience) {
      cx.store.patch(CTX, ctx, { giveUpAt: patience });
    }
  }
  publish(cx);
}

/**
 * On a new primary: what timers would not say again over a stream. Only to those who can be connected
 * to, or are there already; the others are about to come back.
 */
export function resumeFlows(cx: Context): void {
  for (const ctx of cx.store.rows(CTX)) {
    if (!isReliable(ctx.transport)) continue;
    const leg = legOf(cx, ctx);
    if (tookOther(ctx, leg)) {
      if (!cx.isOpen(ctx)) backToUdp(cx, ctx, leg);
      continue;
    }
    const hop = reach(cx, ctx, sentBy(ctx.route, ctx.ear, ctx.uri));
    const phone = isPhone(leg) || awaitsPhone(ctx);
    if (cx.isOpen(ctx) || !samePeer(hop, ctx) || !phone) sayAgain(cx, ctx);
  }
}
