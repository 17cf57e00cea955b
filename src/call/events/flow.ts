/**
 * Watchers whose connection ended with the box that had it, or with a network that changed: what is
 * owed to them follows to the connection they come back by.
 */

import { isReliable, type Peer } from '../../base/peer.ts';
import type { Context } from '../../proto/context.ts';
import { sayAgain } from '../../proto/sip/client.ts';
import { samePeer } from '../../proto/sip/reach.ts';
import { CTX, type Ctx } from '../../proto/sip/rows.ts';
import { isRelayed } from '../message.ts';
import type { Binding } from '../rows.ts';
import { SUBSCRIPTION, type Subscription } from './rows.ts';

/** Requests outside any call that only a phone was sent: it is waited for, right after a takeover. */
export function awaitsPhone(ctx: Ctx): boolean {
  return ctx.subscription !== 0 || isRelayed(ctx);
}

/** A registration came by another connection than before: so do its subscriptions and messages. */
export function watchersFollow(cx: Context, binding: Binding, old: Peer, now: Peer): void {
  for (const sub of cx.store.all(SUBSCRIPTION, 'watcher', binding.aor)) {
    if (sub.binding !== binding.id && !samePeer(sub, old)) continue;
    if (!isReliable(sub.transport) || samePeer(sub, now)) continue;
    const { transport, ip, port } = now;
    cx.store.patch(SUBSCRIPTION, sub, { transport, ip, port });
    notifyFollows(cx, sub);
  }
  for (const ctx of [...cx.store.rows(CTX)]) {
    if (isRelayed(ctx) && samePeer(ctx, old)) say(cx, ctx, now);
  }
}

/** The NOTIFY that is not answered goes where its watcher is now. */
export function notifyFollows(cx: Context, sub: Subscription): void {
  const ctx = sub.notify === 0 ? undefined : cx.store.get(CTX, sub.notify);
  if (ctx !== undefined && isReliable(ctx.transport) && !samePeer(ctx, sub)) say(cx, ctx, sub);
}

function say(cx: Context, ctx: Ctx, now: Peer): void {
  const { transport, ip, port } = now;
  cx.store.patch(CTX, ctx, { transport, ip, port });
  if (ctx.state === 'trying' || ctx.state === 'proceeding') sayAgain(cx, ctx);
}
