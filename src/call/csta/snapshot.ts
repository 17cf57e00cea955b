/** How things stand, for a program that begins to watch (CSTA SnapshotDevice, SnapshotCall). */

import type { JsonObject } from '../../base/json.ts';
import type { Context } from '../../proto/context.ts';
import { nailAt } from '../nail/nail.ts';
import { aboutCall } from './publish.ts';
import { CCALL, type Ccall, PARTY, type Party } from './rows.ts';

/** Of what time it is, pair clock in microseconds, as events say it. */
function micros(at: number): number {
  return at * 1000;
}

function connection(p: Party): JsonObject {
  return {
    connection: { callId: p.ccall, deviceId: p.device },
    localState: p.state,
    side: p.side,
    since: micros(p.since),
    ...(p.via === '' ? {} : { lastRedirection: p.via }),
  };
}

/** One call: who is in it, and what is known of it. */
export function callSnapshot(cx: Context, ccall: Ccall): JsonObject {
  return {
    callId: ccall.id,
    globalCallId: ccall.guid,
    ...aboutCall(ccall),
    startedAt: micros(ccall.startedAt),
    ...(ccall.answeredAt === 0 ? {} : { answeredAt: micros(ccall.answeredAt) }),
    connections: cx.store.all(PARTY, 'ccall', ccall.id).map(connection),
  };
}

/** All connections of a device, each with its call: empty when it is idle, or nobody knows it. */
export function deviceSnapshot(cx: Context, device: string): JsonObject {
  const own = cx.store.all(PARTY, 'device', device);
  return {
    deviceId: device,
    ...(nailAt(cx, device)?.leg ? { nailedUp: true } : {}),
    connections: own.map((party) => {
      const ccall = cx.store.get(CCALL, party.ccall);
      return {
        ...connection(party),
        ...(ccall === undefined ? {} : { call: callSnapshot(cx, ccall) }),
      };
    }),
  };
}
