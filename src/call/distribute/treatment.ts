/**
 * What is heard while a call waits: a leg to a media service, in early media (the caller pays nothing
 * yet) or after an answer. Nothing goes back from answered to early.
 *
 *   ringing            180, nobody else has a part in it
 *   early              the service is invited with the caller's offer; its answer goes into a 183
 *   answered           the same, and its answer is ours
 *   answered already   the two legs are joined by re-INVITE (`bridge.ts`)
 */

import type { JsonObject } from '../../base/json.ts';
import { asciiJson } from '../../base/json.ts';
import { type Charge, pointOf, queueOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import type { Announcement } from '../../proto/media.ts';
import { cancel } from '../../proto/sip/client.ts';
import { CTX, type Ctx, STX } from '../../proto/sip/rows.ts';
import { ALLOW, bodyTail, EMPTY_TAIL, randomWord } from '../../proto/sip/text.ts';
import type { SipMessage } from '../../sip-parser/index.ts';
import { bridgeTo, cancelBridge } from '../bridge.ts';
import { BRIDGE, type Bridge } from '../bridge-rows.ts';
import type { BridgeOutcome } from '../bridged.ts';
import { emit } from '../csta/event.ts';
import type { Offer } from '../invite.ts';
import { contactOf, hangUp, inviteLines, sendAck, tagOf } from '../leg.ts';
import { avoidService, inviteMedia, mediaLeg } from '../media-service.ts';
import { describes } from '../offer.ts';
import { progress } from '../reliable.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import { isUnanswered, waitingIn } from './leave.ts';
import { routerSubject } from './router.ts';
import { DISTRIBUTION, type Distribution } from './rows.ts';

export const TREATMENTS = [
  'prompt',
  'music',
  'ringback',
  'busy',
  'fastBusy',
  'silence',
  'collect',
] as const;
export type TreatmentKind = (typeof TREATMENTS)[number];

export type Treatment = {
  readonly kind: TreatmentKind;
  /** What is said, by `prompt` and before `collect`; another music for `music`. */
  readonly prompt?: string;
  readonly repeat?: number;
  readonly durationS?: number;
  readonly charge?: Charge;
};

/** What a service is asked to play. It stays until the call goes on. */
function announcement(t: Treatment): Announcement {
  const { kind, prompt = '', durationS } = t;
  const more = durationS === undefined ? {} : { durationMs: durationS * 1000 };
  switch (kind) {
    case 'music':
      return { play: prompt === '' ? 'music' : prompt, repeat: 'forever', ...more };
    case 'fastBusy':
      return { play: 'fast-busy', ...more };
    case 'prompt':
      return { play: prompt, repeat: t.repeat ?? 1, stay: true, ...more };
    case 'collect':
      return prompt === ''
        ? { play: 'silence', stay: true }
        : { play: prompt, repeat: t.repeat ?? 1, stay: true, ...more };
    default:
      return { play: kind, ...more };
  }
}

/** What an operator wrote as the treatment of a number. */
function configured(text: string): Treatment | undefined {
  if (text === '') return undefined;
  if (text === 'music' || text === 'ringback') return { kind: text };
  return { kind: 'prompt', prompt: text };
}

function placeOf(cx: Context, d: Distribution) {
  const { centre } = cx.settings.site;
  return d.kind === 'point' ? pointOf(centre, d.device) : queueOf(centre, d.device);
}

/** Treatment of the number where it waits, unless it is on its way already or hears the same. */
export function firstTreatment(cx: Context, d: Distribution): void {
  if (cx.store.get(DISTRIBUTION, d.id) === undefined || d.state === 'offering') return;
  const wanted = configured(placeOf(cx, d)?.treatment ?? '');
  if (d.treatment !== '' && (wanted === undefined || d.treatment === asciiJson(wanted))) return;
  treat(cx, d, wanted ?? { kind: 'ringback' });
}

/** Something else is heard from now on. */
export function treat(cx: Context, d: Distribution, t: Treatment): void {
  const waiting = waitingIn(cx, d);
  if (waiting === undefined) return;
  endTreatment(cx, d);
  cx.store.patch(DISTRIBUTION, d, { treatment: asciiJson(t) });
  const { call, leg } = waiting;
  if (!isUnanswered(call, leg)) treatAnswered(cx, d, t, call, leg);
  else if (!early(cx, d, t, call, leg)) {
    ring(cx, d, leg);
    treatmentEvent(cx, d, 'treatmentStarted');
  }
}

/** @returns false when ringing is all there is. */
function early(cx: Context, d: Distribution, t: Treatment, call: Call, leg: Leg): boolean {
  if (t.kind === 'ringback' && !d.shown) return false;
  const charge = t.charge ?? d.charge;
  const offer = JSON.parse(d.offer) as Offer;
  // whoever must acknowledge it reliably has one session; without an offer of his there is none yet
  if (charge === 'early' && (offer.offerless || leg.reliable === 'must')) return false;
  const target = mediaLeg(
    cx,
    call.ccall,
    t.kind === 'music' ? 'music' : 'treatment',
    announcement(t),
  );
  if (target === undefined) {
    cx.log('warning', `no media service for ${d.device}: the caller hears ringing`);
    return false;
  }
  const media = inviteMedia(cx, call, target, offer);
  cx.store.patch(DISTRIBUTION, d, { media: media.id, charge });
  return true;
}

/** The caller hears ringing, unless he heard something else already. */
function ring(cx: Context, d: Distribution, leg: Leg): void {
  const stx = cx.store.get(STX, leg.uas);
  if (stx === undefined || d.shown || stx.status >= 180) return;
  const reliable = leg.reliable === 'must';
  const tail = contactOf(cx, leg) + (reliable ? ALLOW : '') + EMPTY_TAIL;
  const none = { sdp: false, callee: undefined, calleeRseq: 0 };
  progress(cx, leg, stx, { status: 180, reason: '', tail, reliable, ...none });
}

/** An answered caller: his leg is joined with that of a service. @returns false when there is none. */
function treatAnswered(cx: Context, d: Distribution, t: Treatment, call: Call, leg: Leg): boolean {
  const kind = t.kind === 'music' ? 'music' : 'treatment';
  const target = mediaLeg(cx, call.ccall, kind, announcement(t));
  if (target === undefined) {
    cx.log('warning', `no media service for ${d.device}: the caller hears nothing`);
    return false;
  }
  const way = { kind: 'targets', targets: [target], later: [] } as const;
  const how = { called: d.device, part: 'media' } as const;
  const bridge = bridgeTo(cx, leg, way, how, 'media', d.id);
  cx.store.patch(DISTRIBUTION, d, { playing: bridge.id });
  return true;
}

/** A media service was joined with an answered caller, or refused that. */
export function mediaBridged(
  cx: Context,
  b: Bridge,
  outcome: BridgeOutcome,
  left: readonly Leg[],
): void {
  if (outcome === 'rings') return;
  for (const leg of left) if (leg.part === 'media') letGo(cx, leg);
  const d = cx.store.get(DISTRIBUTION, b.ref);
  const leg = cx.store.get(LEG, b.other);
  if (d === undefined || d.playing !== b.id) {
    if (leg !== undefined && outcome === 'joined') letGo(cx, leg);
    return;
  }
  cx.store.patch(DISTRIBUTION, d, { playing: 0, media: outcome === 'joined' ? b.other : 0 });
  if (outcome === 'joined') treatmentEvent(cx, d, 'treatmentStarted');
  else cx.log('warning', `no media service took a call of ${d.device}: the caller hears nothing`);
}

/** What is heard ends: its leg is withdrawn or hung up. */
export function endTreatment(cx: Context, d: Distribution): void {
  const bridge = d.playing === 0 ? undefined : cx.store.get(BRIDGE, d.playing);
  if (d.playing !== 0) cx.store.patch(DISTRIBUTION, d, { playing: 0 });
  if (bridge !== undefined) cancelBridge(cx, bridge);
  const leg = d.media === 0 ? undefined : cx.store.get(LEG, d.media);
  // what never began does not end
  const began = leg === undefined || (leg.state !== 'inviting' && leg.state !== 'early');
  if (leg !== undefined) {
    letGo(cx, leg);
    alone(cx, d, leg.id);
  }
  if (d.treatment !== '' && began) treatmentEvent(cx, d, 'treatmentEnded');
  if (d.media !== 0 || d.treatment !== '') {
    cx.store.patch(DISTRIBUTION, d, { media: 0, treatment: '' });
  }
}

/** Nobody is at the other side of an answered caller until something else is heard. */
function alone(cx: Context, d: Distribution, media: number): void {
  const leg = cx.store.get(LEG, d.leg);
  const hears = leg?.peer === 0 || leg?.peer === media;
  if (leg?.state === 'confirmed' && hears) cx.store.patch(LEG, leg, { peer: leg.id });
}

/** A leg that is not wanted any more; `peer` says that nobody hears what it still has to say. */
export function letGo(cx: Context, leg: Leg): void {
  cx.store.patch(LEG, leg, { peer: leg.id });
  if (leg.state !== 'inviting' && leg.state !== 'early') {
    hangUp(cx, leg, EMPTY_TAIL);
    return;
  }
  const ctx = cx.store.get(CTX, leg.uac);
  if (ctx !== undefined) cancel(cx, ctx, inviteLines(leg));
}

/** What a service was asked is not waited for when somebody is called in the same moment. */
export function dropPending(cx: Context, d: Distribution): void {
  const leg = d.media === 0 ? undefined : cx.store.get(LEG, d.media);
  if (leg?.state === 'inviting' || leg?.state === 'early') endTreatment(cx, d);
}

/**
 * A dialog of its own for what comes next: what a caller was shown before the answer was another's
 * answer to his offer, as if he had been forked (RFC 3261 12.1, 13.2.2.4).
 */
export function forkAnew(cx: Context, leg: Leg): void {
  const stx = cx.store.get(STX, leg.uas);
  const before = tagOf(leg);
  cx.store.patch(LEG, leg, { tag: randomWord(cx.chance), origin: '', author: '', answer: '' });
  if (stx?.head.endsWith(before) !== true) return;
  cx.store.patch(STX, stx, { head: stx.head.slice(0, -before.length) + tagOf(leg) });
}

/**
 * A media service answered. @returns false when its answer is the one of the call, as of any callee.
 */
export function mediaAnswered(
  cx: Context,
  d: Distribution | undefined,
  call: Call,
  ctx: Ctx,
  leg: Leg,
  m: SipMessage,
): boolean {
  const caller = d === undefined ? undefined : cx.store.get(LEG, d.leg);
  if (
    d === undefined ||
    caller === undefined ||
    d.media !== leg.id ||
    !isUnanswered(call, caller)
  ) {
    if (ctx.offerless) cx.store.patch(CTX, ctx, { acked: true });
    sendAck(cx, leg, ctx, leg.remoteTag);
    hangUp(cx, leg, EMPTY_TAIL);
    return true;
  }
  if (d.shown) forkAnew(cx, caller);
  if (d.charge === 'answered') {
    cx.store.patch(DISTRIBUTION, d, { offer: '', remindAt: 0, shown: false });
    treatmentEvent(cx, d, 'treatmentStarted');
    return false;
  }
  sendAck(cx, leg, ctx, leg.remoteTag);
  const stx = cx.store.get(STX, caller.uas);
  if (stx === undefined || !describes(m)) return true;
  cx.store.patch(DISTRIBUTION, d, { shown: true });
  const tail = contactOf(cx, caller) + bodyTail(m);
  const plain = { sdp: true, reliable: false, callee: undefined, calleeRseq: 0 };
  progress(cx, caller, stx, { status: 183, reason: '', tail, ...plain });
  treatmentEvent(cx, d, 'treatmentStarted');
  return true;
}

/** A service refused, or was not heard of: another one is asked, or the caller hears ringing. */
export function mediaRefused(cx: Context, d: Distribution | undefined, leg: Leg): void {
  if (d === undefined || d.media !== leg.id) return;
  avoidService(cx, leg);
  cx.log('warning', `the media service at ${leg.ip} refused a call of ${d.device}`);
  const waiting = waitingIn(cx, d);
  cx.store.patch(DISTRIBUTION, d, { media: 0 });
  if (waiting === undefined || !isUnanswered(waiting.call, waiting.leg)) return;
  const more = cx.settings.site.centre.services.length > 0;
  const t = JSON.parse(d.treatment) as Treatment;
  if (!more || !early(cx, d, t, waiting.call, waiting.leg)) ring(cx, d, waiting.leg);
}

/** What was played is over: the service says so, or has hung up. */
export function treatmentOver(cx: Context, d: Distribution, gone: boolean): void {
  if (gone) {
    const { media } = d;
    cx.store.patch(DISTRIBUTION, d, { media: 0 });
    alone(cx, d, media);
  }
  if (d.treatment === '') return;
  treatmentEvent(cx, d, 'treatmentEnded');
  cx.store.patch(DISTRIBUTION, d, { treatment: '' });
}

function treatmentEvent(
  cx: Context,
  d: Distribution,
  event: 'treatmentStarted' | 'treatmentEnded',
): void {
  const call = cx.store.get(CALL, d.call);
  const { kind, prompt } = JSON.parse(d.treatment) as Treatment;
  const body: JsonObject = {
    routeId: d.id,
    deviceId: d.device,
    treatment: kind,
    ...(prompt === undefined ? {} : { prompt }),
  };
  emit(cx, { event, ccall: call?.ccall ?? 0, devices: [d.device, ...routerSubject(d)], body });
}
