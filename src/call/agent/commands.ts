/**
 * What programs ask of agents: setAgentState, getAgentState, reserveAgent, snapshotAgents (ECMA-269 22).
 * An agent is named by his id or by his device. Nothing is done when a request is refused.
 */

import { agentOf, queueOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { emit } from '../csta/event.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { isExtension } from '../dialplan.ts';
import {
  agentAt,
  agentView,
  isFree,
  isReserved,
  loginOf,
  logOff,
  logoutAt,
  settle,
  step,
  tellState,
} from './agent.ts';
import type { AgentEvent } from './machine.ts';
import { AGENT, type Agent } from './rows.ts';

export const REQUESTED_STATES = [
  'loggedOn',
  'loggedOff',
  'notReady',
  'ready',
  'workingAfterCall',
] as const;
export type RequestedState = (typeof REQUESTED_STATES)[number];

/** Agents logged on at once. */
const MOST_AGENTS = 100_000;
/** A program may keep an agent so long, ms. */
const LONGEST_RESERVE = 60_000;

type Named = { readonly agentId?: string; readonly device?: string };

export type SetAgentState = Named & {
  readonly requestedState: RequestedState;
  /** For `loggedOn`, on a site that is strict with passwords. */
  readonly password?: string;
  /** Why: printable ASCII, at most 64 characters. */
  readonly reason?: string;
  /** For `loggedOn`: queues he serves, in place of those he is configured with. */
  readonly queues?: readonly string[];
  /** For `loggedOn`: who is in the way is logged off. */
  readonly force?: boolean;
};

/** @returns the agent as he is now. */
export function setAgentState(cx: Context, p: SetAgentState): Done | Refusal {
  const reason = p.reason ?? '';
  if (reason.length > 64 || /[^ -~]/.test(reason)) return refuse('invalidParameter', 'reason');
  if (p.requestedState === 'loggedOn') return logOn(cx, p, reason);
  const agent = named(cx, p);
  if (isRefusal(agent)) return agent;
  if (p.requestedState === 'loggedOff') {
    logOff(cx, agent, reason);
    return { agent: offView(agent.agent) };
  }
  step(cx, agent, ASKED[p.requestedState], reason);
  settle(cx, agent);
  return { agent: agentView(cx, agent) };
}

const ASKED: { readonly [s in Exclude<RequestedState, 'loggedOn' | 'loggedOff'>]: AgentEvent } = {
  ready: 'askReady',
  notReady: 'askNotReady',
  workingAfterCall: 'askWork',
};

function offView(agentId: string): Done {
  return { agentId, state: 'loggedOff' };
}

/** The agent that is meant, logged on. */
function named(cx: Context, p: Named): Agent | Refusal {
  const byId = p.agentId ? cx.store.find(AGENT, 'agent', p.agentId) : undefined;
  const byDevice = p.device ? agentAt(cx, p.device) : undefined;
  const agent = byId ?? (p.agentId ? undefined : byDevice);
  if (agent === undefined) {
    const known = p.agentId === undefined || isKnown(cx, p.agentId);
    return known ? refuse('invalidAgentState', 'He is not logged on.') : refuse('invalidAgentId');
  }
  if (p.device && agent.device !== p.device) return refuse('invalidDeviceId', 'He is elsewhere.');
  return agent;
}

function isKnown(cx: Context, id: string): boolean {
  const { centre } = cx.settings.site;
  return centre.strict === 'no' || agentOf(centre, id) !== undefined;
}

function logOn(cx: Context, p: SetAgentState, reason: string): Done | Refusal {
  const no = mayLogOn(cx, p);
  if (no !== undefined) return no;
  const { agentId = '', device = '' } = p;
  const queues = keyOf(p.queues ?? loginOf(cx, agentId).queues);
  const there = cx.store.find(AGENT, 'agent', agentId);
  if (there?.device === device) {
    if (p.queues !== undefined) cx.store.patch(AGENT, there, { queues });
    settle(cx, there);
    return { agent: agentView(cx, there) };
  }
  const other = agentAt(cx, device);
  if (p.force !== true) {
    if (there !== undefined) return refuse('agentAlreadyLoggedOn', there.device);
    if (other !== undefined) return refuse('deviceAlreadyHasAgent', other.agent);
  }
  for (const one of [there, other]) if (one !== undefined) logOff(cx, one, 'forced');
  if (cx.store.count(AGENT) >= MOST_AGENTS) return refuse('limitReached');
  const agent = cx.store.insert(AGENT, {
    agent: agentId,
    device,
    queues,
    state: 'notReady',
    reason,
    logoutAt: logoutAt(cx, agentId),
    loggedOnAt: cx.now,
    since: cx.now,
    idleSince: cx.now,
  });
  emit(cx, { event: 'agentLoggedOn', devices: [device], ccall: 0, body: agentView(cx, agent) });
  tellState(cx, agent);
  settle(cx, agent);
  return { agent: agentView(cx, agent) };
}

function keyOf(queues: readonly string[]): string {
  return queues.length === 0 ? '' : ` ${[...new Set(queues)].join(' ')} `;
}

/** undefined: he may, were nobody in the way. */
function mayLogOn(cx: Context, p: SetAgentState): Refusal | undefined {
  const { agentId = '', device = '' } = p;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.]{0,31}$/.test(agentId)) return refuse('invalidAgentId');
  if (!isKnown(cx, agentId)) return refuse('invalidAgentId', agentId);
  if (!isExtension(cx.settings, device)) return refuse('invalidDeviceId', device);
  const { centre } = cx.settings.site;
  if (centre.strict === 'password' && (p.password ?? '') !== passwordOf(cx, agentId)) {
    cx.log('warning', `agent ${agentId} at ${device}: wrong password`);
    return refuse('invalidPassword');
  }
  const queues = p.queues ?? [];
  if (queues.length > 100) return refuse('limitReached', 'queues');
  const none = queues.find((q) => queueOf(centre, q) === undefined);
  return none === undefined ? undefined : refuse('invalidDeviceId', `${none} is no queue.`);
}

/** The digits an id ends with; '' for none. */
function numberAtEnd(id: string): string {
  let at = id.length;
  while (at > 0 && id.charCodeAt(at - 1) >= 48 && id.charCodeAt(at - 1) <= 57) at -= 1;
  return id.slice(at);
}

/** His own, or in a lab its prefix and the number at the end of his id; an agent without either cannot log on. */
function passwordOf(cx: Context, id: string): string | undefined {
  const own = loginOf(cx, id).password;
  if (own !== '') return own;
  const { passwordPrefix } = cx.settings;
  const number = numberAtEnd(id);
  return passwordPrefix === '' || number === '' ? undefined : passwordPrefix + number;
}

export type GetAgentState = Named;

export function getAgentState(cx: Context, p: GetAgentState): Done | Refusal {
  const agent = named(cx, p);
  if (!isRefusal(agent)) return { agent: agentView(cx, agent) };
  if (p.agentId !== undefined && agent.refused === 'invalidAgentState') {
    return { agent: offView(p.agentId) };
  }
  return agent;
}

export type ReserveAgent = Named & {
  /** Nobody else's calls are offered to him for so long; 0: he is given back. */
  readonly reserveMs: number;
};

/** A program keeps a free agent for a call of its own choice. @returns until when. */
export function reserveAgent(cx: Context, p: ReserveAgent): Done | Refusal {
  const ms = p.reserveMs;
  if (!Number.isInteger(ms) || ms < 0 || ms > LONGEST_RESERVE) {
    return refuse('invalidParameter', `reserveMs is 0 to ${LONGEST_RESERVE}`);
  }
  const agent = named(cx, p);
  if (isRefusal(agent)) return agent;
  const own = agent.reservedUntil > cx.now && agent.holder === cx.turn.session;
  if (isReserved(cx, agent) && !own) return refuse('resourceBusy', 'Somebody else keeps him.');
  if (ms > 0 && !own && !isFree(cx, agent)) return refuse('invalidAgentState');
  const until = ms === 0 ? 0 : cx.now + ms;
  cx.store.patch(AGENT, agent, { reserved: 0, holder: cx.turn.session, reservedUntil: until });
  settle(cx, agent);
  return { reservedUntil: until * 1000, agent: agentView(cx, agent) };
}

/** Agents in one answer of `snapshotAgents`. */
const PAGE = 1000;

/** Agents who are logged on, of one queue or all, by their rows' order; `from`: go on behind this. */
export function snapshotAgents(
  cx: Context,
  p: { readonly queue?: string; readonly from?: number },
): Done | Refusal {
  if (p.queue !== undefined && queueOf(cx.settings.site.centre, p.queue) === undefined) {
    return refuse('invalidDeviceId', p.queue);
  }
  const key = p.queue === undefined ? '' : ` ${p.queue} `;
  const rows: Agent[] = [];
  for (const agent of cx.store.rows(AGENT)) {
    if (agent.id > (p.from ?? 0) && agent.queues.includes(key)) rows.push(agent);
  }
  // a backup that was filled while agents logged on has them in another order
  rows.sort((a, b) => a.id - b.id);
  const agents = rows.slice(0, PAGE).map((agent) => agentView(cx, agent));
  const last = rows[PAGE - 1];
  return rows.length > PAGE && last !== undefined ? { agents, more: last.id } : { agents };
}
