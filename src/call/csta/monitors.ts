/** Who watches: monitors begin, change and end, and the hub hears of it in the order it happens. */

import { asciiJson } from '../../base/json.ts';
import type { Context } from '../../proto/context.ts';
import { type Ccall, MONITOR, type Monitor } from './rows.ts';

/** Tells the hub of a monitor, new or changed. */
export function tellMonitor(cx: Context, row: Monitor): void {
  const { session, id: ref, subject, kind: of, filter, since } = row;
  cx.tell(`${asciiJson({ kind: 'monitor', session, ref, subject, of, filter, since })}\n`);
}

export function unmonitor(cx: Context, row: Monitor): void {
  cx.store.remove(MONITOR, row);
  cx.tell(`${asciiJson({ kind: 'unmonitor', session: row.session, ref: row.id })}\n`);
}

/** A call is over, and with it what watched it. */
export function callUnwatched(cx: Context, ccall: Ccall): void {
  if (cx.store.count(MONITOR) === 0) return;
  for (const row of [...cx.store.all(MONITOR, 'subject', `${ccall.id}`)]) {
    if (row.kind === 'call') unmonitor(cx, row);
  }
}
