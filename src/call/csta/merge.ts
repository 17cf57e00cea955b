/** Two calls become one: what a transfer or a conference means for programs (ECMA-269 17.2). */

import { asciiJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Context } from '../../proto/context.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import type { Cause } from './causes.ts';
import { ccallOf, moveCall } from './ccall.ts';
import { logTo } from './cdr.ts';
import { nameOf } from './devices.ts';
import { type EventName, emit } from './event.ts';
import { aboutCall, forget, moveParties, partyView } from './publish.ts';
import { CCALL, type Ccall, PARTY, type Party } from './rows.ts';

/**
 * The legs talk with each other from now on. The call of `stays` goes on, under its id and with the
 * user data of both (its own wins); the call of `joins` becomes part of it. `by`: the leg of the device
 * that did it: its legs that are connected with nobody any more are seen no more, the event says so.
 */
export function oneCall(
  cx: Context,
  stays: Leg,
  joins: Leg,
  by: Leg | undefined,
  cause: Cause,
  event: EventName = 'transferred',
): void {
  if (!cx.settings.csta) return;
  const call = cx.store.get(CALL, joins.call);
  const own = cx.store.get(CALL, stays.call);
  const kept = own === undefined ? undefined : ccallOf(cx, own);
  if (call === undefined || own === undefined || kept === undefined) return;
  const gone = ccallOf(cx, call);
  const other = gone === undefined || gone.id === kept.id ? undefined : gone;
  cx.turn.causes.set(own.id, cause);
  cx.turn.causes.set(call.id, cause);
  // who picks up an unanswered call joins it: his `established` says all there is
  if (cause === 'callPickup' && by === undefined) return;
  const parties = [...cx.store.all(PARTY, 'ccall', kept.id)];
  if (other !== undefined) parties.push(...cx.store.all(PARTY, 'ccall', other.id));
  const device = by === undefined ? '' : (nameOf(cx, by) ?? '');
  const left = parties.filter((p) => p.device === device && talksWithNobody(cx, p));
  const target = nameOf(cx, joins) ?? '';
  const remain = parties.filter((p) => !left.includes(p)).map(partyView);
  if (other !== undefined) mergeData(cx, kept, other);
  emit(cx, {
    event,
    ccall: kept.id,
    devices: [...new Set([...parties.map((p) => p.device), target])],
    cause,
    body: {
      primaryOldCall: kept.id,
      ...(other === undefined ? {} : { secondaryOldCall: other.id }),
      ...(device === '' ? {} : { transferringDevice: device }),
      transferredToDevice: target,
      ...aboutCall(kept),
      parties: remain,
    },
  });
  // the call they leave is not theirs any more, whatever becomes of it
  for (const { leg: id } of left) {
    const leg = cx.store.get(LEG, id);
    if (leg !== undefined) cx.store.patch(LEG, leg, { part: 'left' });
  }
  if (other !== undefined) oneRow(cx, call.id, parties, other, kept, left);
  // only now: who waits for them to leave tells of a call that is one already
  for (const party of left) forget(cx, party, party.state, cause);
  const done = { what: event, by: device, to: target, at: cx.now };
  if (other === undefined) {
    logTo(cx, kept, done);
    return;
  }
  logTo(cx, kept, { ...done, with: other.guid });
  logTo(cx, other, { ...done, into: kept.guid });
  cx.store.patch(CCALL, other, { cause });
}

/** All of `from`, or somebody would be left behind in a call that is over; but for those who leave. */
function oneRow(
  cx: Context,
  call: number,
  parties: readonly Party[],
  from: Ccall,
  into: Ccall,
  left: readonly Party[],
): void {
  for (const id of new Set([call, ...parties.map((p) => p.call)])) {
    const row = cx.store.get(CALL, id);
    if (row !== undefined && row.ccall === from.id) moveCall(cx, row, into);
  }
  // what is talked about in one call since then is talked about in the other from now on
  const { answeredAt } = from;
  if (into.answeredAt === 0 && answeredAt !== 0) cx.store.patch(CCALL, into, { answeredAt });
  moveParties(cx, from, left);
}

function talksWithNobody(cx: Context, party: Party): boolean {
  const leg = party.leg === 0 ? undefined : cx.store.get(LEG, party.leg);
  return leg !== undefined && leg.peer === leg.id;
}

export function mergeData(cx: Context, kept: Ccall, gone: Ccall): void {
  if (gone.data === '') return;
  const own = kept.data === '' ? {} : JSON.parse(kept.data);
  const data = asciiJson({ ...JSON.parse(gone.data), ...own });
  // what programs gave to two calls each within its limit is kept; what grows from call to call is not
  if (data.length > 2 * LIMITS.userDataBytes) {
    cx.log('warning', `csta: the user data of call ${gone.id} is too much for call ${kept.id}`);
    return;
  }
  cx.store.patch(CCALL, kept, { data });
}
