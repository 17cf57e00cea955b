/** User data of a call (CSTA AssociateData): names and texts that go with it through every transfer. */

import { asciiJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Context } from '../../proto/context.ts';
import { emit } from './event.ts';
import { aboutCall } from './publish.ts';
import { type Done, type Refusal, refuse } from './refusal.ts';
import { CCALL, type Ccall, PARTY } from './rows.ts';

export type DataChange = {
  readonly attach?: { readonly [name: string]: string } | undefined;
  readonly delete?: readonly string[] | undefined;
  readonly deleteAll?: boolean | undefined;
};

type Data = { readonly [name: string]: string };

/** Attaches, updates, deletes: those who watch the call or a device in it hear what is new. */
export function associateData(
  cx: Context,
  p: { readonly callId: number; readonly deviceId?: string | undefined } & DataChange,
): Done | Refusal {
  const ccall = cx.store.get(CCALL, p.callId);
  if (ccall === undefined) return refuse('invalidCallId');
  const { deviceId } = p;
  if (deviceId !== undefined) {
    const there = cx.store.all(PARTY, 'ccall', ccall.id).some((row) => row.device === deviceId);
    if (!there) return refuse('invalidConnectionId');
  }
  return changeData(cx, ccall, p, deviceId) ?? { userData: dataOf(ccall) };
}

function dataOf(ccall: Ccall): Data {
  return ccall.data === '' ? {} : JSON.parse(ccall.data);
}

/** @returns a refusal; undefined: done, and told when anything is other than before. */
export function changeData(
  cx: Context,
  ccall: Ccall,
  change: DataChange,
  device?: string,
): Refusal | undefined {
  const before = new Map(Object.entries(dataOf(ccall)));
  const after = new Map(change.deleteAll === true ? [] : before);
  for (const name of change.delete ?? []) after.delete(name);
  for (const [name, value] of Object.entries(change.attach ?? {})) after.set(name, value);
  const data = after.size === 0 ? '' : asciiJson(Object.fromEntries(after));
  if (data.length > LIMITS.userDataBytes)
    return refuse('limitReached', 'The user data is too long.');
  const changed = [...after.keys()].filter((name) => after.get(name) !== before.get(name));
  const deleted = [...before.keys()].filter((name) => !after.has(name));
  if (changed.length === 0 && deleted.length === 0) return undefined;
  cx.store.patch(CCALL, ccall, { data });
  const parties = cx.store.all(PARTY, 'ccall', ccall.id);
  emit(cx, {
    event: 'callInformation',
    ccall: ccall.id,
    devices: [...new Set(parties.map((row) => row.device))],
    body: {
      ...(device === undefined ? {} : { byDevice: device }),
      changed,
      deleted,
      ...aboutCall(ccall),
    },
  });
  return undefined;
}
