/**
 * What is kept for programs, and for how long: events until every session has seen them or they are too
 * old or too many; sessions until they had no connection for so long; answers until the program said
 * that they came, or so long that it cannot ask for them any more.
 */

import { LIMITS } from '../base/limits.ts';
import { unmonitor } from '../call/csta/monitors.ts';
import {
  EVENT,
  HOUSE,
  type House,
  MONITOR,
  REQUEST,
  type Request,
  SESSION,
  type Session,
} from '../call/csta/rows.ts';
import type { Context } from '../proto/context.ts';
import { sessionOver } from './commands.ts';
import { item } from './terms.ts';

/** Between two looks at what may go. */
const LOOK_MS = 1000;
/** The same when there is more to remove than one turn should. */
const SOON_MS = 20;

/** No later event has a smaller id, no earlier one a greater. Ids only grow: this one is used up. */
export function position(cx: Context): number {
  const probe = cx.store.insert(EVENT, {});
  cx.store.remove(EVENT, probe);
  return probe.id;
}

function houseOf(cx: Context): House | undefined {
  for (const house of cx.store.rows(HOUSE)) return house;
  return undefined;
}

/** Events up to this id are not kept any more. */
export function goneUpTo(cx: Context): number {
  return houseOf(cx)?.gone ?? 0;
}

/** There is a session: from now on what is kept is looked after; it is younger than `looked`. */
export function openHouse(cx: Context, looked: number): void {
  if (houseOf(cx) === undefined) cx.store.insert(HOUSE, { looked, lookAt: cx.now + LOOK_MS });
}

/** Events up to this one were seen by all sessions. */
function seenByAll(cx: Context): number {
  let least = Number.MAX_SAFE_INTEGER;
  for (const { seen } of cx.store.rows(SESSION)) least = Math.min(least, seen);
  return least;
}

/**
 * Removes events nobody will ask for, a batch a turn, by their ids: a backup that was filled while calls
 * went on has its rows in another order than that of their birth.
 */
export function houseDue(cx: Context, house: House): void {
  const { store, now } = cx;
  const seen = seenByAll(cx);
  const end = position(cx);
  let over = store.count(EVENT) - LIMITS.eventsKept;
  let { gone, looked } = house;
  const most = looked + LIMITS.trimRows;
  for (; looked + 1 < end && looked < most; looked += 1) {
    const row = store.get(EVENT, looked + 1);
    // not every id is an event's
    if (row === undefined) continue;
    if (row.id > seen && row.at + LIMITS.eventKeepMs > now && over <= 0) break;
    gone = row.id;
    store.remove(EVENT, row);
    over -= 1;
  }
  if (store.count(SESSION) === 0 && store.count(EVENT) === 0) {
    store.remove(HOUSE, house);
    return;
  }
  const more = looked === most;
  store.patch(HOUSE, house, { gone, looked, lookAt: now + (more ? SOON_MS : LOOK_MS) });
}

/** A session ends, by its own word or because nobody came back to it. */
export function endSession(cx: Context, session: Session): void {
  const { store } = cx;
  sessionOver(cx, session.id);
  for (const row of [...store.all(MONITOR, 'session', session.id)]) unmonitor(cx, row);
  for (const row of [...store.all(REQUEST, 'session', session.id)]) store.remove(REQUEST, row);
  store.remove(SESSION, session);
  cx.tell(item({ kind: 'end', session: session.id }));
}

export function sessionDue(cx: Context, session: Session): void {
  cx.log('info', `program ${session.program}: session ${session.id} ended, nobody came back to it`);
  endSession(cx, session);
}

/** An answer was kept long enough, and with it the older ones of its session. */
export function requestDue(cx: Context, request: Request): void {
  const old = cx.store
    .all(REQUEST, 'session', request.session)
    .filter((row) => row.expiresAt <= cx.now)
    .slice(0, LIMITS.trimRows);
  for (const row of old) cx.store.remove(REQUEST, row);
}

/** A new primary: nobody is connected to it yet, and everybody may come back. */
export function resumeSessions(cx: Context): void {
  for (const session of cx.store.rows(SESSION)) {
    cx.store.patch(SESSION, session, { endsAt: cx.now + LIMITS.sessionKeepMs, conn: 0 });
  }
}
