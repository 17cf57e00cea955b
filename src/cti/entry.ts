/**
 * Where requests of programs enter, and where the rows kept for them come due. Everything else of the
 * switch passes through to `call/switch.ts`, which knows nothing of programs' sessions.
 */

import type { Store, TableSpec } from '../base/row.ts';
import { monitorDue } from '../call/csta/monitors.ts';
import { publish } from '../call/csta/publish.ts';
import {
  EVENT,
  HOUSE,
  type House,
  MONITOR,
  type Monitor,
  REQUEST,
  type Request,
  SESSION,
  type Session,
} from '../call/csta/rows.ts';
import { watched } from '../call/events/watch.ts';
import { onDue as callDue, resume as callResume } from '../call/switch.ts';
import type { Context } from '../proto/context.ts';
import { houseDue, requestDue, resumeSessions, sessionDue } from './house.ts';
import { handle } from './request.ts';
import type { ProgramInput } from './terms.ts';

export function onRequest(plain: Context, r: ProgramInput): void {
  const cx = watched(plain);
  handle(cx, r);
  publish(cx);
}

/** A row's moment has come; see `call/switch.ts`. */
export function onDue(plain: Context, table: TableSpec, row: { readonly id: number }): void {
  switch (table.number) {
    case SESSION.number:
      dueHere(plain, SESSION, row as Session, sessionDue);
      return;
    case REQUEST.number:
      dueHere(plain, REQUEST, row as Request, requestDue);
      return;
    case HOUSE.number:
      dueHere(plain, HOUSE, row as House, houseDue);
      return;
    case MONITOR.number:
      dueHere(plain, MONITOR, row as Monitor, monitorDue);
      return;
    default:
      callDue(plain, table, row);
  }
}

function dueHere<R extends { readonly id: number }>(
  plain: Context,
  table: { readonly name: string },
  row: R,
  act: (cx: Context, row: R) => void,
): void {
  const cx = watched(plain);
  const spec = table as TableSpec;
  // of several rows due at once, one may have taken another with it
  if (cx.store.get(spec, row.id) !== (row as unknown)) return;
  if (spec.deadline(row as never) > cx.now) return;
  act(cx, row);
  publish(cx);
}

/** Once, on a new primary: calls as they were, and every session has time to come back. */
export function resume(plain: Context): void {
  callResume(plain);
  resumeSessions(watched(plain));
}

/** Counts for status. */
export function programsView(store: Store): {
  readonly sessions: number;
  readonly away: number;
  readonly monitors: number;
  readonly answers: number;
  readonly events: number;
} {
  let away = 0;
  for (const row of store.rows(SESSION)) if (row.endsAt !== 0) away += 1;
  return {
    sessions: store.count(SESSION),
    away,
    monitors: store.count(MONITOR),
    answers: store.count(REQUEST),
    events: store.count(EVENT),
  };
}
