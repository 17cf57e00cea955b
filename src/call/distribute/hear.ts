/** What SIP tells of calls that wait: media services, devices that are called, digits. */

import type { Peer } from '../../base/peer.ts';
import type { Context } from '../../proto/context.ts';
import { mediaWord } from '../../proto/media.ts';
import { CTX, type Ctx } from '../../proto/sip/rows.ts';
import { answer } from '../../proto/sip/server.ts';
import { EMPTY_TAIL } from '../../proto/sip/text.ts';
import type { SipMessage } from '../../sip-parser/index.ts';
import type { Bridge } from '../bridge-rows.ts';
import type { BridgeOutcome } from '../bridged.ts';
import { dropLeg, hangUp, sendAck, tidy } from '../leg.ts';
import { type Call, LEG, type Leg } from '../rows.ts';
import { targetAnswers, targetRings } from './deliver.ts';
import { digitHeard, promptOver } from './digits.ts';
import { distributionOf, isUnanswered } from './leave.ts';
import { happens } from './machine.ts';
import { DISTRIBUTION, type Distribution } from './rows.ts';
import { forkAnew, letGo, mediaAnswered, mediaRefused, treatmentOver } from './treatment.ts';

/** The distribution whose caller hears this media leg, by an INVITE of his or by a bridge. */
function heardBy(cx: Context, leg: Leg): Distribution | undefined {
  if (leg.part !== 'media' || cx.store.count(DISTRIBUTION) === 0) return undefined;
  const own = distributionOf(cx, leg.call);
  if (own?.media === leg.id) return own;
  const peer = leg.peer === 0 ? undefined : cx.store.get(LEG, leg.peer);
  const other = peer === undefined ? undefined : distributionOf(cx, peer.call);
  return other?.media === leg.id ? other : undefined;
}

/** A provisional response. @returns true when the caller does not hear of it. */
export function waiterRings(cx: Context, call: Call, leg: Leg): boolean {
  const d = distributionOf(cx, call.id);
  if (leg.part === 'media' && d?.media === leg.id) return true;
  if (leg.peer === leg.id) return true;
  if (d !== undefined) targetRings(cx, d, leg);
  return false;
}

/** True while a caller hears a treatment in early media: nothing else is heard before an answer. */
export function hearsEarly(cx: Context, call: Call): boolean {
  return distributionOf(cx, call.id)?.shown === true;
}

/** A 2xx. @returns true when it is not the answer of the call. */
export function waiterAnswered(
  cx: Context,
  call: Call,
  ctx: Ctx,
  leg: Leg,
  m: SipMessage,
): boolean {
  const d = distributionOf(cx, call.id);
  if (leg.peer === leg.id) {
    // withdrawn, and it answered all the same (RFC 3261 9.1)
    if (ctx.offerless) cx.store.patch(CTX, ctx, { acked: true });
    sendAck(cx, leg, ctx, leg.remoteTag);
    hangUp(cx, leg, EMPTY_TAIL);
    return true;
  }
  if (leg.part === 'media' && d !== undefined) return mediaAnswered(cx, d, call, ctx, leg, m);
  if (d === undefined || d.state !== 'offering') return false;
  const caller = cx.store.get(LEG, d.leg);
  if (caller === undefined || !isUnanswered(call, caller)) return false;
  if (d.shown) forkAnew(cx, caller);
  targetAnswers(cx, d, leg);
  return false;
}

/** A refusal; the leg is gone. @returns true when the call is not refused by it. */
export function waiterRefused(
  cx: Context,
  call: Call,
  leg: Leg,
  status: number,
  others: () => boolean,
): boolean {
  const d = distributionOf(cx, call.id);
  if (leg.part === 'media' && d !== undefined) {
    mediaRefused(cx, d, leg);
    return true;
  }
  if (leg.peer === leg.id) {
    tidy(cx, call);
    return true;
  }
  if (d === undefined || d.state !== 'offering' || d.bridge !== 0) return false;
  if (!others()) happens(cx, d, 'refuse', { status, cause: 'busy' });
  return true;
}

/** A media service hung up, or is lost. @returns false when its leg is no treatment. */
export function mediaLeaves(cx: Context, leg: Leg, call: Call): boolean {
  const d = heardBy(cx, leg);
  if (d === undefined) return false;
  dropLeg(cx, leg);
  promptOver(cx, d);
  treatmentOver(cx, d, true);
  tidy(cx, call);
  return true;
}

/** INFO of a caller who waits, or of what he hears. @returns false when it is for the other side. */
export function infoHeard(
  cx: Context,
  m: SipMessage,
  key: string,
  leg: Leg,
  call: Call,
  from: Peer,
): boolean {
  const own = distributionOf(cx, call.id);
  const d = heardBy(cx, leg) ?? (own?.leg === leg.id ? own : undefined);
  if (d === undefined || (leg.part !== 'media' && d.state === 'offering' && d.bridge === 0))
    return false;
  const word = mediaWord(m);
  if (word === undefined && leg.part !== 'media') return false;
  cx.store.patch(LEG, leg, { remoteCseq: m.cseq });
  answer(cx, m, key, from, 200, EMPTY_TAIL);
  if (word?.kind === 'digit') digitHeard(cx, d, word.digit, word.stamp);
  else if (word?.kind === 'end') {
    promptOver(cx, d);
    treatmentOver(cx, d, false);
  }
  return true;
}

/** A device that is called by a bridge rings, took the call, or refused. */
export function routeBridged(
  cx: Context,
  b: Bridge,
  outcome: BridgeOutcome,
  status: number,
  left: readonly Leg[],
): void {
  const d = cx.store.get(DISTRIBUTION, b.ref);
  if (d === undefined || d.bridge !== b.id) return;
  if (outcome === 'refused') {
    happens(cx, d, 'refuse', { status, cause: 'busy' });
    return;
  }
  if (outcome === 'rings') {
    for (const leg of cx.store.all(LEG, 'call', b.call)) targetRings(cx, d, leg);
    return;
  }
  const leg = cx.store.get(LEG, b.other);
  if (leg !== undefined) targetAnswers(cx, d, leg);
  for (const old of left) if (old.part === 'media') letGo(cx, old);
}
