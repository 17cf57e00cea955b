/** Who watches: monitors begin, change and end, and the hub hears of it in the order it happens. */

import { asciiJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Context } from '../../proto/context.ts';
import { type Ccall, EVENT, MONITOR, type Monitor } from './rows.ts';

/** Tells the hub of a monitor, new or changed. */
export function tellMonitor(cx: Context, row: Monitor): void {
  const { session, id: ref, subject, kind: of, filter, since } = row;
  cx.tell(`${asciiJson({ kind: 'monitor', session, ref, subject, of, filter, since })}\n`);
}

export function unmonitor(cx: Context, row: Monitor): void {
  cx.store.remove(MONITOR, row);
  tellEnd(cx, row);
}

function tellEnd(cx: Context, row: Monitor): void {
  cx.tell(`${asciiJson({ kind: 'unmonitor', session: row.session, ref: row.id })}\n`);
}

/**
 * A call is over, and with it what watched it. The row stays until its program has the last event: who
 * is away now, or loses what is on its way to him, is to be given the end of the call.
 */
export function callUnwatched(cx: Context, ccall: Ccall): void {
  if (cx.store.count(MONITOR) === 0) return;
  const watching = cx.store.all(MONITOR, 'subject', `${ccall.id}`);
  let until = 0;
  for (const row of watching) {
    if (row.kind !== 'call' || row.until !== 0) continue;
    until ||= lastEvent(cx);
    cx.store.patch(MONITOR, row, { until, goneAt: cx.now + LIMITS.eventKeepMs });
    tellEnd(cx, row);
  }
}

/** No event so far has a greater id. */
function lastEvent(cx: Context): number {
  const probe = cx.store.insert(EVENT, {});
  cx.store.remove(EVENT, probe);
  return probe.id - 1;
}

/** The events of calls that are over came to their session, up to `seen`. */
export function endsSeen(cx: Context, session: number, seen: number): void {
  const rows = cx.store.all(MONITOR, 'session', session);
  if (rows.length === 0) return;
  for (const row of rows.filter((r) => r.until !== 0 && r.until <= seen)) unmonitor(cx, row);
}

/** A monitor of a call that is over makes room for another. @returns false when there is none. */
export function makeRoom(cx: Context, session: number): boolean {
  const over = cx.store.all(MONITOR, 'session', session).find((r) => r.until !== 0);
  if (over !== undefined) unmonitor(cx, over);
  return over !== undefined;
}

/** What its session did not come for is not kept any more. */
export function monitorDue(cx: Context, row: Monitor): void {
  unmonitor(cx, row);
}
