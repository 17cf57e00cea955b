/** What a transferor hears of his transfer: NOTIFY with a message/sipfrag (RFC 3515 2.4.4, 2.4.5). */

import type { Context } from '../proto/context.ts';
import { reasonPhrase } from '../sip-parser/index.ts';
import { contactOf, sendInDialog } from './leg.ts';
import { LEG } from './rows.ts';
import { TRANSFER, type Transfer } from './transfer-rows.ts';

/**
 * Tells the transferor what became of the target, unless he knows, or a NOTIFY is still out: then its
 * end brings us here again. One at a time, so that they cannot overtake each other.
 * @param over the time of the subscription is up.
 */
export function notify(cx: Context, t: Transfer, over = false): void {
  if (t.subscription !== 'active') return;
  if (!over && (t.notify !== 0 || t.said === t.status)) return;
  const leg = cx.store.get(LEG, t.transferor);
  if (leg === undefined || (leg.state !== 'confirmed' && leg.state !== 'subscribed')) {
    cx.store.patch(TRANSFER, t, { subscription: 'ended' });
    return;
  }
  const left = Math.max(1, Math.ceil((t.expiresAt - cx.now) / 1000));
  // RFC 3515 2.4.7: after the final response the subscription ends, with reason noresource
  const state =
    t.status >= 200
      ? 'terminated;reason=noresource'
      : over
        ? 'terminated;reason=timeout'
        : `active;expires=${left}`;
  const body = `SIP/2.0 ${t.status} ${reasonPhrase(t.status)}\r\n`;
  const tail =
    `${contactOf(cx, leg)}Event: refer;id=${t.event}\r\nSubscription-State: ${state}\r\n` +
    'Content-Type: message/sipfrag;version=2.0\r\n' +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  const ctx = sendInDialog(cx, leg, 'NOTIFY', 70, tail, 0, false);
  cx.store.patch(TRANSFER, t, { said: t.status, notify: ctx.id });
}
