/** Watching and looking: monitors of a session, snapshots of devices and calls (ECMA-269 14, 16). */

import { LIMITS } from '../base/limits.ts';
import { makeRoom, tellMonitor, unmonitor } from '../call/csta/monitors.ts';
import { type Done, type Refusal, refuse } from '../call/csta/refusal.ts';
import { CCALL, type Ccall, MONITOR, type Monitor, type Session } from '../call/csta/rows.ts';
import { callSnapshot, deviceSnapshot } from '../call/csta/snapshot.ts';
import { isRouters } from '../call/distribute/router.ts';
import type { Context } from '../proto/context.ts';
import { position } from './house.ts';
import type { Params } from './services.ts';

function filterText(events: readonly string[] | undefined): string {
  return events === undefined || events.length === 0 ? '' : ` ${events.join(' ')} `;
}

export function monitorStart(
  cx: Context,
  p: Params<'monitorStart'>,
  session: Session,
): Done | Refusal {
  const { store } = cx;
  const own = store.all(MONITOR, 'session', session.id).length;
  if (own >= LIMITS.ctiMonitors && !makeRoom(cx, session.id)) return refuse('limitReached');
  if (store.count(MONITOR) >= LIMITS.ctiMonitorsAll) return refuse('limitReached');
  if (p.callId !== undefined && store.get(CCALL, p.callId) === undefined) {
    return refuse('invalidCallId');
  }
  const since = position(cx);
  const row = store.insert(MONITOR, {
    session: session.id,
    kind: p.callId !== undefined ? 'call' : p.all === true ? 'all' : 'device',
    subject: p.callId !== undefined ? `${p.callId}` : (p.deviceId ?? '*'),
    filter: filterText(p.filter),
    since,
  });
  tellMonitor(cx, row);
  return { monitor: row.id, position: since };
}

function own(cx: Context, ref: number, session: Session): Monitor | undefined {
  const row = cx.store.get(MONITOR, ref);
  return row?.session === session.id && row.until === 0 ? row : undefined;
}

export function monitorStop(
  cx: Context,
  p: Params<'monitorStop'>,
  session: Session,
): Done | Refusal {
  const row = own(cx, p.monitor, session);
  if (row === undefined || isRouters(row)) return refuse('invalidMonitor');
  unmonitor(cx, row);
  return {};
}

export function changeMonitorFilter(
  cx: Context,
  p: Params<'changeMonitorFilter'>,
  session: Session,
): Done | Refusal {
  const row = own(cx, p.monitor, session);
  if (row === undefined) return refuse('invalidMonitor');
  cx.store.patch(MONITOR, row, { filter: filterText(p.filter) });
  tellMonitor(cx, row);
  return {};
}

export function snapshotDevice(cx: Context, p: Params<'snapshotDevice'>): Done {
  return { ...deviceSnapshot(cx, p.deviceId), position: position(cx) };
}

export function snapshotCall(cx: Context, p: Params<'snapshotCall'>): Done | Refusal {
  const ccall = cx.store.get(CCALL, p.callId);
  if (ccall === undefined) return refuse('invalidCallId');
  return { ...callSnapshot(cx, ccall), position: position(cx) };
}

/** Calls in one answer of `snapshotCalls`. */
const PAGE = 500;

export function snapshotCalls(cx: Context, p: Params<'snapshotCalls'>): Done {
  const rows: Ccall[] = [];
  for (const ccall of cx.store.rows(CCALL)) if (ccall.id >= (p.from ?? 0)) rows.push(ccall);
  // a backup that was filled while calls went on has them in another order
  rows.sort((a, b) => a.id - b.id);
  const more = rows[PAGE]?.id ?? 0;
  const calls = rows.slice(0, PAGE).map((ccall) => callSnapshot(cx, ccall));
  return { calls, position: position(cx), ...(more === 0 ? {} : { more }) };
}

export function getDevices(cx: Context): Done {
  const { userFrom: from, userTo: to, site } = cx.settings;
  return {
    extensions: { from, to },
    routingPoints: Object.keys(site.centre.points),
    queues: Object.keys(site.centre.queues),
  };
}
