/** Two calls become one: what a transfer or a conference means for programs (ECMA-269 17.2). */

import { asciiJson } from '../../base/json.ts';
import type { Context } from '../../proto/context.ts';
import { CALL, type Leg } from '../rows.ts';
import type { Cause } from './causes.ts';
import { ccallOf, moveCall } from './ccall.ts';
import { type EventName, emit } from './event.ts';
import { aboutCall, deviceOf, partyView } from './publish.ts';
import { CCALL, type Ccall, PARTY } from './rows.ts';

/**
 * The legs talk with each other from now on. The call of `stays` goes on, under its id and with the
 * user data of both (its own wins); the call of `joins` becomes part of it. `by`: the leg of the device
 * that did it.
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
  cx.turn.causes.set(own.id, cause);
  cx.turn.causes.set(call.id, cause);
  const parties = [...cx.store.all(PARTY, 'ccall', kept.id)];
  if (gone !== undefined && gone.id !== kept.id) {
    parties.push(...cx.store.all(PARTY, 'ccall', gone.id));
    mergeData(cx, kept, gone);
    moveCall(cx, call, kept);
  }
  const device = by === undefined ? '' : deviceOf(by);
  const remain = parties.filter((p) => p.device !== device);
  emit(cx, {
    event,
    ccall: kept.id,
    devices: [...new Set([...parties.map((p) => p.device), deviceOf(joins)])],
    cause,
    body: {
      primaryOldCall: kept.id,
      ...(gone === undefined || gone.id === kept.id ? {} : { secondaryOldCall: gone.id }),
      ...(device === '' ? {} : { transferringDevice: device }),
      transferredToDevice: deviceOf(joins),
      ...aboutCall(kept),
      parties: remain.map(partyView),
    },
  });
}

export function mergeData(cx: Context, kept: Ccall, gone: Ccall): void {
  if (gone.data === '') return;
  const own = kept.data === '' ? {} : JSON.parse(kept.data);
  cx.store.patch(CCALL, kept, { data: asciiJson({ ...JSON.parse(gone.data), ...own }) });
}
