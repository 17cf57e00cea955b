/** `show queues`, `routing-points`, `agents`, `programs`, `conferences`, `parks`. */

import { type Answer, listed } from './answer.ts';
import { left, type ShowContext, since } from './kit.ts';

export function showQueues(a: Answer<'queues'>, cx: ShowContext): string[] {
  return listed<'queues'>(
    a,
    [
      { head: 'queue', value: (r) => r.number },
      { head: 'name', value: (r) => r.name, least: 6, drop: 3 },
      { head: 'waiting', value: (r) => String(r.waiting), right: true },
      { head: 'longest', value: (r) => since(r.longestSince, a.at), right: true },
      { head: 'offered', value: (r) => String(r.offering), right: true, drop: 2 },
      { head: 'agents', value: (r) => String(r.loggedOn), right: true, drop: 1 },
      { head: 'ready', value: (r) => String(r.ready), right: true },
      { head: 'busy', value: (r) => String(r.busy), right: true, drop: 1 },
      { head: 'not ready', value: (r) => String(r.notReady), right: true, drop: 4 },
    ],
    cx,
    ['queue', 'queues'],
  );
}

export function showPoints(a: Answer<'routing-points'>, cx: ShowContext): string[] {
  return listed<'routing-points'>(
    a,
    [
      { head: 'point', value: (r) => r.number },
      { head: 'calls', value: (r) => String(r.waiting), right: true },
      { head: 'asked', value: (r) => String(r.asked), right: true, drop: 2 },
      { head: 'longest', value: (r) => since(r.longestSince, a.at), right: true },
      { head: 'routers', value: (r) => String(r.routers), right: true },
      { head: 'by default to', value: (r) => r.defaults || '-', least: 8, drop: 1 },
    ],
    cx,
    ['routing point', 'routing points'],
  );
}

export function showAgents(a: Answer<'agents'>, cx: ShowContext): string[] {
  return listed<'agents'>(
    a,
    [
      { head: 'agent', value: (r) => r.agent, least: 6 },
      { head: 'device', value: (r) => r.device },
      { head: 'state', value: (r) => STATES[r.state] ?? r.state },
      { head: 'since', value: (r) => since(r.since, a.at), right: true },
      { head: 'reason', value: (r) => r.reason, least: 6, drop: 2 },
      { head: 'work ends', value: (r) => left(r.wrapUpEnd, a.at), right: true, drop: 3 },
      { head: 'queues', value: (r) => r.queues, least: 6, drop: 1 },
      { head: 'logged on', value: (r) => since(r.loggedOnAt, a.at), right: true, drop: 4 },
    ],
    cx,
    ['agent', 'agents'],
  );
}

/** States of the agent's machine as the field says them. */
const STATES: { readonly [state: string]: string } = {
  notReady: 'not ready',
  ready: 'ready',
  guard: 'legal guard',
  work: 'after-call work',
  busyNotReady: 'busy, then not ready',
  busyReady: 'busy',
  busyWork: 'busy, then work',
};

export function showPrograms(a: Answer<'programs'>, cx: ShowContext): string[] {
  return listed<'programs'>(
    a,
    [
      { head: 'session', value: (r) => String(r.id), right: true },
      { head: 'program', value: (r) => r.program, least: 8 },
      {
        head: 'connection',
        value: (r) => (r.endsAt === 0 ? 'up' : `away, ends in ${left(r.endsAt, a.at)}`),
      },
      { head: 'monitors', value: (r) => String(r.monitors), right: true, drop: 1 },
      { head: 'since', value: (r) => since(r.startedAt, a.at), right: true, drop: 2 },
      { head: 'routes', value: (r) => r.routes, least: 6, drop: 3 },
      { head: 'seen', value: (r) => String(r.seen), right: true, drop: 4 },
    ],
    cx,
    ['session', 'sessions'],
  );
}

export function showConferences(a: Answer<'conferences'>, cx: ShowContext): string[] {
  return listed<'conferences'>(
    a,
    [
      { head: 'id', value: (r) => String(r.id), right: true },
      { head: 'state', value: (r) => r.state },
      { head: 'CSTA', value: (r) => String(r.csta), right: true },
      { head: 'service', value: (r) => r.host, least: 8, drop: 1 },
      {
        head: 'members',
        value: (r) => r.members.map((m) => `${m.device || m.role} (${m.mode})`).join(', '),
        least: 12,
      },
    ],
    cx,
    ['conference', 'conferences'],
  );
}

export function showParks(a: Answer<'parks'>, cx: ShowContext): string[] {
  return listed<'parks'>(
    a,
    [
      { head: 'at', value: (r) => r.number },
      { head: 'parked', value: (r) => r.parked, least: 6 },
      { head: 'by', value: (r) => r.by },
      { head: 'state', value: (r) => r.state, drop: 1 },
      { head: 'recall in', value: (r) => left(r.recallAt, a.at), right: true },
      { head: 'recalls', value: (r) => String(r.recalls), right: true, drop: 2 },
    ],
    cx,
    ['parked call', 'parked calls'],
  );
}
