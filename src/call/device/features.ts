/**
 * What a device's features mean to a call to it. Asked by the dial plan (`../route.ts`: do not disturb,
 * forwarding at once), by a refusal (`../redirect.ts`: busy) and by silence (no answer).
 *
 *   do not disturb  486, or on to where calls go when busy
 *   immediate       on at once; as if the forwarding extension called: its class of service holds
 *   busy            its phones said 486 or 600
 *   no answer       nobody answered in time, or none of its phones is registered
 *
 * Calls given to an agent are not forwarded: who distributes them has his own rules for that.
 */

import type { Context } from '../../proto/context.ts';
import { AGENT } from '../agent/rows.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import { DEVICE, type Device } from './rows.ts';

/** Why a call was forwarded, in the words of RFC 5806 4. */
export type Reason = 'unconditional' | 'do-not-disturb' | 'user-busy' | 'no-answer' | 'unavailable';

/** A device a call was forwarded by, and where to. */
export type Diverted = { readonly by: string; readonly to: string; readonly reason: Reason };

export function featuresOf(cx: Context, device: string): Device | undefined {
  if (device === '' || cx.store.count(DEVICE) === 0) return undefined;
  return cx.store.find(DEVICE, 'device', device);
}

/** Where a call goes instead; `to` '': nowhere, the device does not want to be disturbed. */
export type Onward = { readonly to: string; readonly reason: Reason };

/** Before any phone rings. @param there one of its phones is registered. */
export function onwardAtOnce(cx: Context, device: string, there: boolean): Onward | undefined {
  const f = featuresOf(cx, device);
  if (f === undefined) return undefined;
  if (f.immediate !== '') return { to: f.immediate, reason: 'unconditional' };
  if (f.dnd) return { to: f.busy, reason: 'do-not-disturb' };
  return there || f.noAnswer === '' ? undefined : { to: f.noAnswer, reason: 'unavailable' };
}

/** After a phone of the device refused with `status`: '' for nowhere. */
export function onwardWhenBusy(cx: Context, leg: Leg, status: number): string {
  if (status !== 486 && status !== 600) return '';
  const to = featuresOf(cx, leg.aor)?.busy ?? '';
  if (to === '' || isDistributed(cx, leg)) return '';
  // another phone of it may still be answered
  const rings = cx.store
    .all(LEG, 'call', leg.call)
    .some((l) => l.id !== leg.id && l.aor === leg.aor && l.side === 'callee');
  return rings ? '' : to;
}

/** A leg that rings too long, and where its call goes on to. */
export function onwardWhenSilent(
  cx: Context,
  legs: readonly Leg[],
): { readonly leg: Leg; readonly to: string } | undefined {
  for (const leg of legs) {
    const to = featuresOf(cx, leg.aor)?.noAnswer ?? '';
    if (to !== '' && !isDistributed(cx, leg)) return { leg, to };
  }
  return undefined;
}

/** Its call was given to the agent at its device. */
function isDistributed(cx: Context, leg: Leg): boolean {
  const agent = cx.store.find(AGENT, 'device', leg.aor);
  const ccall = cx.store.get(CALL, leg.call)?.ccall ?? 0;
  return agent !== undefined && ccall !== 0 && agent.reserved === ccall;
}

/** A phone of the device is invited: its user has so long to answer. */
export function limitRinging(cx: Context, leg: Leg): void {
  const f = featuresOf(cx, leg.aor);
  const call = f === undefined || f.noAnswer === '' ? undefined : cx.store.get(CALL, leg.call);
  if (f === undefined || call === undefined || isDistributed(cx, leg)) return;
  const at = cx.now + f.noAnswerS * 1000;
  if (call.noAnswerAt > at) cx.store.patch(CALL, call, { noAnswerAt: at });
}
