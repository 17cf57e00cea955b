/**
 * Who an event is about. Of connections it is read off the event itself, independently of the product's
 * own fan-out; of what has no connection (agents, routes, mailboxes) it is what any program's monitor
 * was told for: who watches the same must have been told too.
 */

import type { EventView } from './record.ts';

/** Events of connections name all devices of their call, and these besides. */
const NAMED = ['transferringDevice', 'transferredToDevice', 'conferencingDevice', 'addedParty'];
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'originated',
  'delivered',
  'established',
  'held',
  'retrieved',
  'connectionCleared',
  'failed',
  'queued',
  'diverted',
]);

/** @returns the devices; undefined: the event does not say. */
export function devicesOf(event: EventView): ReadonlySet<string> | undefined {
  if (event.connection === undefined || !OF_CONNECTIONS.has(event.event)) return undefined;
  // a request that came to nothing: told to whoever it was for, too
  if (event.event === 'failed' && event.localState === undefined) return undefined;
  const found = new Set<string>([event.connection.deviceId]);
  for (const party of event.parties ?? []) found.add(party.deviceId);
  for (const field of NAMED) {
    const value = event[field];
    if (typeof value === 'string') found.add(value);
  }
  return found;
}

export type Watch = {
  readonly session: string;
  readonly ref: string;
  readonly kind: 'device' | 'call' | 'all';
  readonly subject: string;
  /** Events left out. */
  readonly filter: ReadonlySet<string>;
  /** Events with a greater id are for it, up to `until`; what is told up to `last` is not wrong. */
  readonly since: number;
  until: number;
  last: number;
};

/** Whether a monitor is for an event that is about these devices. */
export function isFor(watch: Watch, event: EventView, about: ReadonlySet<string>): boolean {
  if (watch.filter.has(event.event)) return false;
  if (watch.kind === 'all') return true;
  if (watch.kind === 'call') return String(event.callId ?? '') === watch.subject;
  return about.has(watch.subject);
}
