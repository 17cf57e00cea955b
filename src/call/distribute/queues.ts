/** Queues as programs look at them: what waits and since when, and who serves it. */

import { queueOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { loggedOn, readyAgents } from '../agent/offer.ts';
import { type Done, type Refusal, refuse } from '../csta/refusal.ts';
import { PARTY } from '../csta/rows.ts';
import { CALL } from '../rows.ts';
import { DISTRIBUTION } from './rows.ts';

export type SnapshotQueues = { readonly queue?: string | undefined };

/** One queue, or all: calls in the order in which they are served, times in µs. */
export function snapshotQueues(cx: Context, p: SnapshotQueues): Done | Refusal {
  const { queues } = cx.settings.site.centre;
  if (p.queue !== undefined && queueOf(cx.settings.site.centre, p.queue) === undefined) {
    return refuse('invalidDeviceId');
  }
  const wanted = p.queue === undefined ? Object.keys(queues) : [p.queue];
  return { queues: wanted.map((number) => queueView(cx, number)) };
}

function queueView(cx: Context, number: string): Done {
  const rows = [...cx.store.all(DISTRIBUTION, 'device', number)];
  rows.sort((a, b) => a.since - b.since || a.id - b.id);
  return {
    deviceId: number,
    name: queueOf(cx.settings.site.centre, number)?.name ?? '',
    agentsLoggedOn: loggedOn(cx, number),
    agentsReady: readyAgents(cx, number).length,
    calls: rows.map((d) => ({
      callId: cx.store.get(CALL, d.call)?.ccall ?? 0,
      callingDevice: cx.store.all(PARTY, 'leg', d.leg)[0]?.device ?? '',
      waitingSince: d.since * 1000,
      state: d.state === 'offering' ? 'offered' : 'queued',
      ...(d.state === 'offering' ? { offeredTo: d.target } : {}),
    })),
  };
}
