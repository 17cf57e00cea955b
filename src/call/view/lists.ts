/** Everything else `show` shows, a row each: registrations, queues, agents, programs, trunks, ... */

import type { Store } from '../../base/row.ts';
import type { SipSettings } from '../../proto/context.ts';
import { AGENT, type Agent } from '../agent/rows.ts';
import { type Conference, MEMBER } from '../conference/rows.ts';
import { deviceOf } from '../csta/devices.ts';
import { MONITOR, type Session } from '../csta/rows.ts';
import { DEVICE } from '../device/rows.ts';
import { DISTRIBUTION, type Distribution, ROUTER } from '../distribute/rows.ts';
import { MAILBOX, type Mailbox, type Subscription } from '../events/rows.ts';
import type { Park } from '../park/rows.ts';
import { type Binding, LEG } from '../rows.ts';
import type {
  AgentRow,
  ConferenceRow,
  DeviceRow,
  ParkRow,
  PointRow,
  ProgramRow,
  QueueRow,
  RegistrationRow,
  SubscriptionRow,
} from './terms.ts';

export function registrationRow(b: Binding): RegistrationRow {
  const { id, aor, contact, transport, ip, port, nat, registeredAt, expiresAt } = b;
  const { userAgent, instance, regId, path } = b;
  const row = { id, number: aor, contact, transport, ip, port, nat, registeredAt, expiresAt };
  return { ...row, userAgent, instance, regId, path: path.trim() };
}

export function subscriptionRow(s: Subscription): SubscriptionRow {
  const { id, event, aor, watcher, state, transport, ip, port, expiresAt, version, unasked } = s;
  const at = { transport, ip, port };
  return { id, event, number: aor, watcher, state, ...at, expiresAt, version, unasked };
}

/** What waits at a number, with the moment at which the first began to. */
function waitingAt(store: Store, number: string): { all: readonly Distribution[]; since: number } {
  const all = store.all(DISTRIBUTION, 'device', number);
  let since = 0;
  for (const d of all) if (since === 0 || d.since < since) since = d.since;
  return { all, since };
}

/** Agents of each queue, by state; the table is walked once for all queues. */
export function agentsByQueue(store: Store): Map<string, Agent[]> {
  const found = new Map<string, Agent[]>();
  for (const agent of store.rows(AGENT)) {
    for (const queue of agent.queues.split(' ')) {
      if (queue === '') continue;
      const list = found.get(queue);
      if (list === undefined) found.set(queue, [agent]);
      else list.push(agent);
    }
  }
  return found;
}

export function queueRow(
  store: Store,
  settings: SipSettings,
  agents: Map<string, Agent[]>,
  number: string,
): QueueRow {
  const { all, since } = waitingAt(store, number);
  const mine = agents.get(number) ?? [];
  const ready = mine.filter(({ state }) => state === 'ready').length;
  const busy = mine.filter(({ state }) => state.startsWith('busy')).length;
  const offering = all.filter(({ state }) => state === 'offering').length;
  return {
    id: Number(number),
    number,
    name: settings.site.centre.queues[number]?.name ?? '',
    waiting: all.length - offering,
    offering,
    longestSince: since,
    loggedOn: mine.length,
    ready,
    busy,
    notReady: mine.length - ready - busy,
  };
}

export function pointRow(store: Store, settings: SipSettings, number: string): PointRow {
  const { all, since } = waitingAt(store, number);
  return {
    id: Number(number),
    number,
    waiting: all.length,
    asked: all.filter(({ state }) => state === 'routing').length,
    longestSince: since,
    routers: store.all(ROUTER, 'device', number).length + store.all(ROUTER, 'device', '*').length,
    defaults: settings.site.centre.points[number]?.defaults.join(' ') ?? '',
  };
}

export function agentRow(a: Agent): AgentRow {
  const { id, agent, device, state, reason, since, loggedOnAt, wrapUpEnd } = a;
  return {
    id,
    agent,
    device,
    state,
    reason,
    queues: a.queues.trim(),
    since,
    loggedOnAt,
    wrapUpEnd,
  };
}

/** Numbers at which something is set or waits, in order. */
export function featuredDevices(store: Store): readonly string[] {
  const found = new Set<string>();
  for (const { device } of store.rows(DEVICE)) found.add(device);
  for (const { aor } of store.rows(MAILBOX)) found.add(aor);
  return [...found].sort();
}

export function deviceRow(store: Store, device: string): DeviceRow {
  const set = store.find(DEVICE, 'device', device);
  const box = store.find(MAILBOX, 'aor', device) as Mailbox | undefined;
  const row = {
    id: set?.id ?? 0,
    device,
    dnd: set?.dnd ?? false,
    immediate: set?.immediate ?? '',
    busy: set?.busy ?? '',
    noAnswer: set?.noAnswer ?? '',
    noAnswerS: set?.noAnswerS ?? 0,
  };
  if (box === undefined) return row;
  return { ...row, mailbox: { new: box.newMessages, old: box.oldMessages } };
}

/** Of a session everything but the word by which it is resumed. */
export function programRow(store: Store, s: Session): ProgramRow {
  const { id, program, startedAt, seen, endsAt } = s;
  const routes = store.all(ROUTER, 'session', id).map(({ device }) => device);
  const monitors = store.all(MONITOR, 'session', id).length;
  return { id, program, startedAt, monitors, routes: routes.join(' '), seen, endsAt };
}

export function conferenceRow(store: Store, c: Conference): ConferenceRow {
  const members = store.all(MEMBER, 'conference', c.id).map((m) => {
    const leg = m.leg === 0 ? undefined : store.get(LEG, m.leg);
    const device = leg === undefined ? '' : deviceOf(leg);
    return { device, role: m.role, state: m.state, mode: m.mode };
  });
  return { id: c.id, state: c.state, csta: c.ccall, host: c.host, members };
}

export function parkRow(store: Store, p: Park): ParkRow {
  const leg = store.get(LEG, p.leg);
  const { id, number, state, by, recalls, recallAt } = p;
  const parked = leg === undefined ? '' : deviceOf(leg);
  return { id, number, state, parked, by, recalls, recallAt };
}
