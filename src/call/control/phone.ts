/**
 * Steering a phone itself: NOTIFY with the events `talk` and `hold` (as Broadsoft's Remote Control Talk
 * Event Package, which most desk phones know), and the headers by which a phone answers at once.
 */

import type { Context } from '../../proto/context.ts';
import { CTX } from '../../proto/sip/rows.ts';
import { EMPTY_TAIL } from '../../proto/sip/text.ts';
import { contactOf, sendInDialog } from '../leg.ts';
import type { Leg } from '../rows.ts';
import { controlOf } from './find.ts';

/**
 * Tells a phone to answer what rings (early dialog), to take up a call, or to hold it. What comes of it
 * the phone says itself. Told the same again while that is still out it is told nothing: the second
 * could overtake the first, which the phone would refuse then (RFC 3261 12.2.2).
 * @returns false when it has no dialog with us yet.
 */
export function tellPhone(cx: Context, leg: Leg, event: 'talk' | 'hold'): boolean {
  if (leg.remoteTag === '' || (leg.state !== 'early' && leg.state !== 'confirmed')) return false;
  if (isTold(cx, leg, event)) return true;
  const lines = `${contactOf(cx, leg)}Event: ${event}\r\nSubscription-State: active\r\n`;
  sendInDialog(cx, leg, 'NOTIFY', 70, lines + EMPTY_TAIL, 0, false);
  return true;
}

function isTold(cx: Context, leg: Leg, event: 'talk' | 'hold'): boolean {
  for (const ctx of cx.store.rows(CTX)) {
    if (ctx.leg !== leg.id || ctx.method !== 'NOTIFY' || ctx.state === 'completed') continue;
    if (ctx.request.includes(`\r\nEvent: ${event}\r\n`)) return true;
  }
  return false;
}

/** Headers of an INVITE to a phone that answers by itself when asked (RFC 5373 and common habit). */
export function answerLines(cx: Context, device: string): string {
  if (controlOf(cx, device).answer !== 'auto') return '';
  const here = `<sip:${cx.settings.here}>`;
  return (
    `Alert-Info: ${here};info=alert-autoanswer\r\nCall-Info: ${here};answer-after=0\r\n` +
    'Answer-Mode: Auto\r\n'
  );
}
