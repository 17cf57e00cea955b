/**
 * A call comes to wait at a number and leaves it: what programs see of that, and what goes with the
 * row. The connection of the number is a PARTY without a leg.
 */

import type { Context } from '../../proto/context.ts';
import { EMPTY_TAIL } from '../../proto/sip/text.ts';
import { happen, SILENT } from '../call.ts';
import type { Cause } from '../csta/causes.ts';
import { clear, tell } from '../csta/publish.ts';
import { PARTY, type Party } from '../csta/rows.ts';
import { tidy } from '../leg.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import { endCollecting } from './digits.ts';
import { routeOver } from './router.ts';
import { DISTRIBUTION, type Distribution } from './rows.ts';
import { endTreatment } from './treatment.ts';

/** What waits: undefined when it is gone already. */
export function waitingIn(cx: Context, d: Distribution): { call: Call; leg: Leg } | undefined {
  const call = cx.store.get(CALL, d.call);
  const leg = cx.store.get(LEG, d.leg);
  return call === undefined || leg === undefined ? undefined : { call, leg };
}

/** The distribution a row of `call` is in. */
export function distributionOf(cx: Context, call: number): Distribution | undefined {
  if (cx.store.count(DISTRIBUTION) === 0) return undefined;
  return cx.store.all(DISTRIBUTION, 'call', call)[0];
}

/** True until the caller's INVITE has its final response. */
export function isUnanswered(call: Call, leg: Leg): boolean {
  return leg.state === 'inviting' && (call.state === 'trying' || call.state === 'ringing');
}

/** The connection of the number where it waits; undefined once it was diverted. */
export function waitingParty(cx: Context, d: Distribution): Party | undefined {
  return cx.store.all(PARTY, 'call', d.call).find((p) => p.leg === 0 && p.device === d.device);
}

/** Programs are told that it waits here: at first, and when it comes back. */
export function queued(cx: Context, d: Distribution, cause: Cause): void {
  const call = cx.store.get(CALL, d.call);
  if (call === undefined || call.ccall === 0 || waitingParty(cx, d) !== undefined) return;
  const party = cx.store.insert(PARTY, {
    ccall: call.ccall,
    call: call.id,
    leg: 0,
    device: d.device,
    state: 'queued',
    side: 'called',
    via: d.via,
    since: d.since,
    session: cx.turn.session,
    request: cx.turn.request,
  });
  tell(cx, party, 'queued', cause);
}

/** It has left: for a device that rings or answers, or for another number. */
export function diverted(cx: Context, d: Distribution, cause: Cause): void {
  const party = waitingParty(cx, d);
  if (party !== undefined) clear(cx, party, cause, 'diverted');
}

/** The row goes, and with it what was only there while it waited. */
export function close(cx: Context, d: Distribution, cause: Cause): void {
  if (cx.store.get(DISTRIBUTION, d.id) === undefined) return;
  endCollecting(cx, d);
  endTreatment(cx, d);
  routeOver(cx, d, cause);
  const party = waitingParty(cx, d);
  if (party !== undefined) clear(cx, party, cause);
  cx.store.remove(DISTRIBUTION, d);
}

/** Nobody will have it: its caller is refused, or hung up once he was answered. */
export function refuseCaller(cx: Context, d: Distribution, status: number, cause: Cause): void {
  const waiting = waitingIn(cx, d);
  close(cx, d, cause);
  if (waiting === undefined) return;
  const { call, leg } = waiting;
  if (isUnanswered(call, leg)) {
    cx.store.patch(CALL, call, { refusal: status, refusalReason: '', refusalTail: EMPTY_TAIL });
    happen(cx, call, 'exhaust', { ...SILENT, status });
  } else {
    const tail = `Reason: SIP;cause=${status}\r\n${EMPTY_TAIL}`;
    happen(cx, call, 'end', { ...SILENT, tail });
  }
  cx.turn.causes.set(call.id, cause);
  tidy(cx, call);
}
