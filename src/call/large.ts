/**
 * Requests too large for UDP. RFC 3261 18.1.1: "If a request is within 200 bytes of the path MTU, or if
 * it is larger than 1300 bytes and the path MTU is unknown, the request MUST be sent using an RFC 2914
 * congestion controlled transport protocol". A phone that registered over UDP and has a connection of
 * its own besides is called by that; one that has none has no other ear, and is called by UDP.
 *
 * The leg stays what it is: only the transaction goes by the connection. Is that gone when the request
 * has to be said again, it goes by UDP after all (18.1.1: "the element SHOULD retry the request, using
 * UDP").
 */

import { isReliable, type Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { sayAgain } from '../proto/sip/client.ts';
import { CTX, type Ctx } from '../proto/sip/rows.ts';
import { at } from '../proto/sip/timers.ts';
import { BINDING, type Leg } from './rows.ts';

const UDP_MAX = 1300;
/** Request line and Via but for the URI. */
const LINES = 130;

/** By which way a request of this text goes on `leg`. */
export function wayFor(cx: Context, leg: Leg, uri: string, route: string, rest: string): Peer {
  if (leg.transport !== 'udp' || leg.aor === '' || route !== '') return leg;
  if (LINES + uri.length + rest.length <= UDP_MAX) return leg;
  const own = leg.binding === 0 ? undefined : cx.store.get(BINDING, leg.binding);
  const instance = own?.instance ?? '';
  for (const { transport, ip, port, instance: other } of cx.store.all(BINDING, 'aor', leg.aor)) {
    if (!isReliable(transport)) continue;
    const same = instance === '' || other === '' ? ip === leg.ip : other === instance;
    const peer = { transport, ip, port };
    if (same && cx.isOpen(peer)) return peer;
  }
  return leg;
}

/** True for a request that took a connection because of its size. */
export function tookOther(ctx: Ctx, leg: Leg | undefined): leg is Leg {
  return leg?.transport === 'udp' && isReliable(ctx.transport);
}

/** The connection is gone: by UDP after all. */
export function backToUdp(cx: Context, ctx: Ctx, leg: Leg): void {
  const { transport, ip, port } = leg;
  const timer = ctx.method === 'INVITE' ? 'A' : 'E';
  const waits = ctx.state === 'calling' || ctx.state === 'trying';
  const resendAt = waits ? at(cx.now, timer, cx.settings, transport) : 0;
  cx.store.patch(CTX, ctx, { transport, ip, port, interval: cx.settings.t1, resendAt });
  sayAgain(cx, ctx);
}
