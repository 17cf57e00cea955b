/**
 * Calls come to wait at a routing point or in a queue: a new one, one that was transferred or deflected
 * there, one that another point or queue sent on.
 */

import { asciiJson } from '../../base/json.ts';
import { pointOf, queueOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { STX } from '../../proto/sip/rows.ts';
import { say } from '../../proto/sip/server.ts';
import { BRIDGE } from '../bridge-rows.ts';
import type { Cause } from '../csta/causes.ts';
import type { PartyChange } from '../csta/hooks.ts';
import { type Done, type Refusal, refuse } from '../csta/refusal.ts';
import { PARTY, type Party } from '../csta/rows.ts';
import type { Offer } from '../invite.ts';
import { route } from '../route.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import { distributionOf, diverted, isUnanswered, refuseCaller, waitingIn } from './leave.ts';
import { happens } from './machine.ts';
import { HOPS, overflow } from './next.ts';
import { routeOver } from './router.ts';
import { DISTRIBUTION, type Distribution } from './rows.ts';

/** RFC 3261 13.3.1.1: "every minute" a UAS that wants more time says so. */
const REMIND_MS = 60_000;

export type Place = 'point' | 'queue';

export type Arrival = {
  /** What the caller's open INVITE says; left out: he was answered. */
  readonly offer?: Offer;
  /** Who sent it there. */
  readonly via?: string;
  /** It waits since then: left out, it begins now. */
  readonly since?: number;
};

/** A call comes to wait at `number`. */
export function arrive(
  cx: Context,
  call: Call,
  leg: Leg,
  number: string,
  kind: Place,
  how: Arrival = {},
): Distribution {
  const { offer, via = '', since = cx.now } = how;
  const { centre } = cx.settings.site;
  const place = kind === 'point' ? pointOf(centre, number) : queueOf(centre, number);
  cx.count('callsWaited');
  if (call.noAnswerAt !== 0) cx.store.patch(CALL, call, { noAnswerAt: 0 });
  const d = cx.store.insert(DISTRIBUTION, {
    call: call.id,
    leg: leg.id,
    device: number,
    kind,
    since,
    offer: offer === undefined ? '' : asciiJson(offer),
    remindAt: offer === undefined ? 0 : cx.now + REMIND_MS,
    charge: place?.charge ?? 'answered',
    timeoutAt: kind === 'queue' ? waitsUntil(cx, number, since) : 0,
    via,
  });
  // a new caller is told of at the end of the turn, before that he waits here
  if (cx.store.all(PARTY, 'leg', leg.id).length > 0) settle(cx, d);
  return d;
}

function waitsUntil(cx: Context, number: string, since: number): number {
  const s = queueOf(cx.settings.site.centre, number)?.maxWaitS ?? 0;
  return s === 0 ? 0 : since + s * 1000;
}

/** It is here now: it waits, or there is no room for it. */
function settle(cx: Context, d: Distribution): void {
  const cause: Cause = d.via === '' ? 'normal' : 'redirected';
  const max = queueOf(cx.settings.site.centre, d.device)?.maxCalls ?? 0;
  const full =
    d.kind === 'queue' && max > 0 && cx.store.all(DISTRIBUTION, 'device', d.device).length > max;
  if (!full) {
    happens(cx, d, 'arrive', { cause });
    return;
  }
  cx.log('warning', `queue ${d.device} is full`);
  cx.store.patch(DISTRIBUTION, d, { state: 'waiting' });
  overflow(cx, d);
}

/** It goes on to another point or queue, with what it hears and whom it was tried with. */
export function moveOn(
  cx: Context,
  d: Distribution,
  number: string,
  kind: Place,
  cause: Cause,
): void {
  const hops = cause === 'overflow' ? d.hops + (d.kind === 'queue' ? 1 : 0) : d.hops;
  if (hops > HOPS) {
    cx.log('warning', `a call at ${d.device} is refused: ${hops} redirections`);
    refuseCaller(cx, d, 480, 'destNotObtainable');
    return;
  }
  const place =
    kind === 'point'
      ? pointOf(cx.settings.site.centre, number)
      : queueOf(cx.settings.site.centre, number);
  diverted(cx, d, cause);
  routeOver(cx, d, cause);
  const { call, leg, offer, treatment, media, shown, device, remindAt } = d;
  const tried = d.tried === '' ? device : `${d.tried} ${device}`;
  cx.store.remove(DISTRIBUTION, d);
  const next = cx.store.insert(DISTRIBUTION, {
    call,
    leg,
    device: number,
    kind,
    since: cx.now,
    offer,
    remindAt,
    charge: place?.charge ?? 'answered',
    treatment,
    media,
    shown,
    hops,
    tried,
    timeoutAt: kind === 'queue' ? waitsUntil(cx, number, cx.now) : 0,
    via: device,
  });
  settle(cx, next);
}

/** A connection of a waiting call came or went. */
export function waiterChanged(cx: Context, change: PartyChange): void {
  if (cx.store.count(DISTRIBUTION) === 0 || change.party.leg === 0) return;
  const d = distributionOf(cx, change.party.call);
  if (d === undefined || d.leg !== change.party.leg) return;
  if (change.is === undefined) happens(cx, d, 'abandon', { cause: 'abandoned' });
  else if (d.state === 'arriving') settle(cx, d);
}

/** A moment of the row has come. */
export function distributionDue(cx: Context, d: Distribution): void {
  const { now } = cx;
  if (d.remindAt !== 0 && d.remindAt <= now) remind(cx, d);
  if (d.retryAt !== 0 && d.retryAt <= now) {
    happens(cx, d, 'retry');
    if (cx.store.get(DISTRIBUTION, d.id) === undefined) return;
    if (d.retryAt !== 0 && d.retryAt <= now)
      cx.store.patch(DISTRIBUTION, d, { retryAt: 0, avoid: '' });
  }
  if (d.noAnswerAt !== 0 && d.noAnswerAt <= now) {
    cx.store.patch(DISTRIBUTION, d, { noAnswerAt: 0 });
    cx.turn.causes.set(d.call, 'noAnswer');
    happens(cx, d, 'silence', { cause: 'noAnswer' });
    if (cx.store.get(DISTRIBUTION, d.id) === undefined) return;
  }
  if (d.timeoutAt !== 0 && d.timeoutAt <= now) {
    cx.store.patch(DISTRIBUTION, d, { timeoutAt: 0 });
    happens(cx, d, 'late', { cause: 'timeout' });
  }
}

/** Who waits on the way (a proxy, RFC 3261 16.8) hears from us at least so often. */
function remind(cx: Context, d: Distribution): void {
  const waiting = waitingIn(cx, d);
  const open = waiting !== undefined && isUnanswered(waiting.call, waiting.leg);
  const stx = open ? cx.store.get(STX, waiting.leg.uas) : undefined;
  cx.store.patch(DISTRIBUTION, d, { remindAt: stx === undefined ? 0 : cx.now + REMIND_MS });
  if (stx !== undefined && stx.status > 100) say(cx, stx);
}

/** The call that waits at a number, by its connection there (a PARTY without a leg). */
export function waitingAt(cx: Context, party: Party): Distribution | undefined {
  const d = party.leg === 0 ? distributionOf(cx, party.call) : undefined;
  return d?.device === party.device ? d : undefined;
}

/** The same, or the call that rings at a device because it was distributed there. */
export function waitingFor(cx: Context, party: Party): Distribution | undefined {
  if (party.leg === 0 || cx.store.count(DISTRIBUTION) === 0) return waitingAt(cx, party);
  if (party.state !== 'alerting') return undefined;
  const own = distributionOf(cx, party.call);
  if (own?.state === 'offering' && own.bridge === 0) return own;
  const bridge = cx.store.all(BRIDGE, 'call', party.call).find((b) => b.purpose === 'route');
  return bridge === undefined ? undefined : cx.store.get(DISTRIBUTION, bridge.ref);
}

/** A program sends a waiting call elsewhere: to a number, as a router would. */
export function deflectWaiting(cx: Context, d: Distribution, to: string): Done | Refusal {
  if (d.state === 'arriving') return refuse('invalidConnectionState');
  if (to === d.device || to === d.target) return refuse('invalidDestination');
  if (route(cx, to).kind === 'refuse') return refuse('invalidDestination');
  const plain = { hops: 0, tried: '', rest: '', last: false, listed: false };
  cx.store.patch(DISTRIBUTION, d, { ...plain, timeoutAt: d.kind === 'point' ? 0 : d.timeoutAt });
  happens(cx, d, 'instruct', { number: to, cause: 'redirected' });
  return {};
}

/** A program clears a waiting call: its caller is refused, or hung up when he was answered. */
export function clearWaiting(cx: Context, party: Party): Done | Refusal {
  const d = waitingAt(cx, party);
  if (d === undefined) return refuse('invalidConnectionState');
  happens(cx, d, 'reject', { status: 480, cause: 'normalClearing' });
  return {};
}

/**
 * Who waits is somebody else from now on: a consultation that waits was transferred. He has its place and
 * its waiting time. @returns false when `from` does not wait.
 */
export function waitsInstead(cx: Context, from: Leg, to: Leg, by: string): boolean {
  const d = distributionOf(cx, from.call);
  const call = cx.store.get(CALL, to.call);
  if (d === undefined || d.leg !== from.id || call === undefined) return false;
  const { device, kind, since } = d;
  happens(cx, d, 'taken', { cause: 'transfer' });
  arrive(cx, call, to, device, kind, { via: by, since });
  return true;
}

/** The call was taken away from here: whoever did it cares for the leg that waited, which is returned. */
export function takeWaiting(cx: Context, party: Party, cause: Cause): Leg | undefined {
  const d = waitingAt(cx, party);
  const leg = d === undefined ? undefined : cx.store.get(LEG, d.leg);
  if (d !== undefined) happens(cx, d, 'taken', { cause });
  return leg;
}
