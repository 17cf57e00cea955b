/**
 * Saying an event to programs. It becomes a row when anybody watches what it is about, and with that
 * row's id, which only grows, it goes to the hub, which knows who watches. Like a SIP message it is
 * held until the row is safe in two places, so nobody hears what a switchover could undo; and who was
 * away is given the rows he missed.
 */

import { asciiJson, type JsonObject } from '../../base/json.ts';
import type { Context } from '../../proto/context.ts';
import type { Cause } from './causes.ts';
import { CCALL, EVENT, type Event, MONITOR } from './rows.ts';

export const EVENT_NAMES = [
  'originated',
  'delivered',
  'established',
  'held',
  'retrieved',
  'connectionCleared',
  'callCleared',
  'failed',
  'queued',
  'diverted',
  'transferred',
  'conferenced',
  'callInformation',
  'digitsGenerated',
  'routeRequest',
  'routeUsed',
  'routeEnd',
  'treatmentStarted',
  'treatmentEnded',
  'agentLoggedOn',
  'agentLoggedOff',
  'agentNotReady',
  'agentReady',
  'agentBusy',
  'agentWorkingAfterCall',
  'doNotDisturb',
  'forwarding',
  'messageWaiting',
  'outOfService',
  'backInService',
  'recording',
  'monitoringStarted',
  'monitoringEnded',
  'muted',
  'unmuted',
  'serviceInitiated',
  'nailedUp',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

export type Told = {
  readonly event: EventName;
  /** Devices it is about: whoever watches one of them, or the call, hears it. */
  readonly devices: readonly string[];
  /** The row of `cstacall`; 0 for none. */
  readonly ccall: number;
  readonly cause?: Cause;
  readonly body: JsonObject;
  /** The request it follows from, when that is not the one of this turn. */
  readonly session?: number;
  readonly request?: string;
};

/** Tells whoever watches. @returns the row; undefined when nobody does. */
export function emit(cx: Context, told: Told): Event | undefined {
  if (!isWatched(cx, told)) return undefined;
  const session = told.session || cx.turn.session;
  const call = told.ccall === 0 ? undefined : cx.store.get(CCALL, told.ccall);
  const body = asciiJson({
    ...(call === undefined ? {} : { callId: call.id, globalCallId: call.guid }),
    ...(told.cause === undefined ? {} : { cause: told.cause }),
    ...told.body,
  });
  const row = cx.store.insert(EVENT, {
    at: cx.now,
    devices: told.devices.length === 0 ? '' : ` ${told.devices.join(' ')} `,
    ccall: told.ccall,
    session,
    request: session === 0 ? '' : told.request || cx.turn.request,
    event: told.event,
    body,
  });
  cx.tell(eventItem(row));
  return row;
}

/** The row as the hub takes it: what it is for, a line end, and the parameters without monitors. */
export function eventItem(row: Event): string {
  const { id, ccall, session, request, event } = row;
  const devices = row.devices === '' ? [] : row.devices.trim().split(' ');
  const head = asciiJson({ kind: 'event', id, event, ccall, devices, session, request });
  const sep = row.body === '{}' ? '' : ',';
  return `${head}\n{"id":${id},"time":${row.at}000,"event":"${event}"${sep}${row.body.slice(1)}`;
}

function isWatched(cx: Context, told: Told): boolean {
  const { store } = cx;
  if (store.count(MONITOR) === 0) return false;
  if (store.all(MONITOR, 'subject', '*').length > 0) return true;
  for (const device of told.devices)
    if (store.all(MONITOR, 'subject', device).length > 0) return true;
  // a call and a device of the same name are told apart by the hub
  return told.ccall !== 0 && store.all(MONITOR, 'subject', `${told.ccall}`).length > 0;
}
