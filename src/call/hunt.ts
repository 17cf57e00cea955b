/**
 * Serial hunting (RFC 3261 16.7, one group after the other): when those invited now cannot serve, the
 * next group is. What is still to be tried is a row, so a box that takes over goes on with it.
 *
 *   refusal that is the neighbour's, not the callee's ─ next group
 *   nothing heard for tryS ─ next group, and the silent INVITE is withdrawn when it is heard of
 *   provisional ─ patience: only a refusal moves on
 *   answer, end, refusal by the callee ─ the row is gone
 */

import type { Context } from '../proto/context.ts';
import { cancel } from '../proto/sip/client.ts';
import { CTX } from '../proto/sip/rows.ts';
import { trunkOf } from '../proto/site.ts';
import { invite, type Offer } from './invite.ts';
import { inviteLines } from './leg.ts';
import { stillServes, type Target } from './route.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { suspect, UNFIT } from './trunk.ts';
import { HUNT, type Hunt } from './trunk-rows.ts';

/** Refusals of a neighbour after which others are tried: unfit, or it does not know us. */
export function isNeighbours(status: number): boolean {
  return UNFIT.has(status) || status === 401 || status === 407;
}

/** Remembers what is to be tried when `targets` fail. */
export function keepHunt(
  cx: Context,
  call: Call,
  targets: readonly Target[],
  later: readonly (readonly Target[])[],
  offer: Offer,
): void {
  if (later.length === 0) return;
  cx.store.insert(HUNT, {
    call: call.id,
    rest: JSON.stringify(later),
    offer: JSON.stringify(offer),
    nextAt: patience(cx, targets),
  });
}

function patience(cx: Context, targets: readonly Target[]): number {
  const tries = targets.map((t) => trunkOf(cx.settings.site, t.hop?.trunk ?? '')?.tryS ?? 0);
  const longest = Math.max(0, ...tries);
  return longest === 0 ? 0 : cx.now + longest * 1000;
}

/** A call has one at most. */
function huntOf(cx: Context, call: Call): Hunt | undefined {
  return cx.store.all(HUNT, 'call', call.id)[0];
}

/** Nothing more is tried for a call. */
export function endHunt(cx: Context, call: Call): void {
  const row = huntOf(cx, call);
  if (row !== undefined) cx.store.remove(HUNT, row);
}

/** Somebody was heard: from now on only a refusal moves the call on. */
export function heardOf(cx: Context, call: Call): void {
  const row = huntOf(cx, call);
  if (row !== undefined && row.nextAt !== 0) cx.store.patch(HUNT, row, { nextAt: 0 });
}

/** Invites the next group that still serves. @returns false when there is none. */
export function tryNext(cx: Context, call: Call): boolean {
  const row = huntOf(cx, call);
  if (row === undefined || (call.state !== 'trying' && call.state !== 'ringing')) return false;
  const groups = JSON.parse(row.rest) as (readonly Target[])[];
  const offer = JSON.parse(row.offer) as Offer;
  for (let i = 0; i < groups.length; i += 1) {
    const targets = (groups[i] as readonly Target[]).filter((t) => stillServes(cx, t));
    if (targets.length === 0) continue;
    const rest = groups.slice(i + 1);
    if (rest.length === 0) cx.store.remove(HUNT, row);
    else {
      cx.store.patch(HUNT, row, { rest: JSON.stringify(rest), nextAt: patience(cx, targets) });
    }
    cx.count('callsHunted');
    for (const target of targets) invite(cx, call, target, offer);
    return true;
  }
  cx.store.remove(HUNT, row);
  return false;
}

/** Nothing was heard in time from those tried now. */
export function huntDue(cx: Context, row: Hunt): void {
  cx.store.patch(HUNT, row, { nextAt: 0 });
  const call = cx.store.get(CALL, row.call);
  if (call === undefined) {
    cx.store.remove(HUNT, row);
    return;
  }
  const silent = cx.store
    .all(LEG, 'call', call.id)
    .filter((leg) => leg.side === 'callee' && cx.store.get(CTX, leg.uac)?.state === 'calling');
  for (const leg of silent) suspect(cx, leg);
  if (!tryNext(cx, call)) return;
  // RFC 3261 9.1: it is withdrawn once it is heard of; should it answer before, it has the call
  for (const leg of silent) {
    const ctx = cx.store.get(CTX, leg.uac);
    if (ctx !== undefined) cancel(cx, ctx, inviteLines(leg));
  }
}

/**
 * A leg was refused by `status` and is gone. @returns true when the call goes on elsewhere.
 */
export function huntsOn(cx: Context, call: Call, leg: Leg, status: number): boolean {
  if (status === 408) suspect(cx, leg);
  if (isNeighbours(status)) return tryNext(cx, call);
  endHunt(cx, call);
  return false;
}
