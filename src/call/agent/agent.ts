/**
 * One agent: his state moves by `machine.ts`, is told when programs see a difference, and follows the
 * calls at his device. That is derived, never counted: whatever happened to calls, `settle` looks which
 * connections his device has now, so a switchover or a merged call cannot leave him busy for ever.
 *
 *   business call (through a routing point or a queue)  busy; then after-call work and legal guard
 *   a call he makes in after-call work or guard         busy; after-call work goes on where it was
 *   any other call                                      nothing
 */

import type { JsonObject } from '../../base/json.ts';
import { type AgentLogin, agentOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { extensionOf } from '../../proto/site.ts';
import { emit } from '../csta/event.ts';
import { CCALL, PARTY } from '../csta/rows.ts';
import { onwardAtOnce } from '../device/features.ts';
import { BINDING, LEG } from '../rows.ts';
import { AGENT_MACHINE, type AgentEvent, isBusy, SEEN } from './machine.ts';
import { becameFree, wentOff } from './ready-hook.ts';
import { AGENT, type Agent } from './rows.ts';

/** Reason of an agent who is kept from calls by the legal guard. */
const GUARD = 'legalGuard';

/** What an operator says of an agent; of one he says nothing of, on a site that is not strict. */
export function loginOf(cx: Context, id: string): AgentLogin {
  const login = agentOf(cx.settings.site.centre, id);
  return login ?? { ...UNKNOWN, id };
}

const UNKNOWN: AgentLogin = {
  id: '',
  password: '',
  queues: [],
  wrapUpS: 0,
  noAnswer: { afterS: 0, overflow: [], action: 'none' },
  autoLogoutS: 0,
  legalGuardS: 0,
  record: false,
};

export function agentAt(cx: Context, device: string): Agent | undefined {
  return device === '' ? undefined : cx.store.find(AGENT, 'device', device);
}

export function queuesOf(agent: Agent): readonly string[] {
  return agent.queues === '' ? [] : agent.queues.trim().split(' ');
}

/** An agent as events, answers and snapshots show him. */
export function agentView(cx: Context, agent: Agent): JsonObject {
  const seen = SEEN[agent.state];
  const reason = agent.state === 'guard' ? GUARD : agent.reason;
  const busy = isBusy(agent.state);
  return {
    agentId: agent.agent,
    deviceId: agent.device,
    state: seen.state,
    ...(seen.pending === undefined ? {} : { pendingState: seen.pending }),
    ...(reason === '' ? {} : { reason }),
    // times as in events: microseconds
    since: agent.since * 1000,
    loggedOnAt: agent.loggedOnAt * 1000,
    queues: queuesOf(agent),
    // what an established call announces: -1 for as long as he wants
    ...(busy && agent.served ? { wrapUpTime: loginOf(cx, agent.agent).wrapUpS } : {}),
    ...(agent.wrapUpEnd === 0 ? {} : { wrapUpEnd: agent.wrapUpEnd * 1000 }),
    ...(agent.state === 'guard' ? { readyAt: agent.guardUntil * 1000 } : {}),
    ...(agent.logoutAt === 0 ? {} : { logoutAt: agent.logoutAt * 1000 }),
    ...(isReserved(cx, agent) ? { reserved: true } : {}),
  };
}

/** Tells the state programs see. */
export function tellState(cx: Context, agent: Agent): void {
  emit(cx, {
    event: SEEN[agent.state].event,
    devices: [agent.device],
    ccall: 0,
    body: agentView(cx, agent),
  });
}

/** When an agent who is not ready from now on is logged off. */
export function logoutAt(cx: Context, id: string): number {
  const { autoLogoutS } = loginOf(cx, id);
  return autoLogoutS === 0 ? 0 : cx.now + autoLogoutS * 1000;
}

/** Moves the agent; told when programs see a difference. `reason`: what he says with a state he asks for. */
export function step(cx: Context, agent: Agent, event: AgentEvent, reason?: string): void {
  const landing = AGENT_MACHINE[agent.state][event];
  if (landing === 'same') return;
  const was = agent.state;
  const wanted = landing === 'back' ? agent.back : landing;
  const is = wanted === 'ready' && agent.guardUntil > cx.now ? 'guard' : wanted;
  const asked = reason !== undefined;
  // what he said of not being ready holds through a call
  // as does that of after-call work which a call of his own interrupted
  const lasts = is === 'notReady' ? event !== 'wrapUpOver' : isBusy(is) || event === 'callEnds';
  const why = asked ? reason : lasts && wanted !== 'ready' ? agent.reason : '';
  const anew = is !== was || why !== agent.reason || (is === 'work' && asked);
  if (!anew && !(asked && is === 'notReady')) return;
  const same = SEEN[is].state === SEEN[was].state && why === agent.reason;
  const login = loginOf(cx, agent.agent);
  cx.store.patch(AGENT, agent, {
    state: is,
    reason: why,
    since: same ? agent.since : cx.now,
    back: backOf(agent, is),
    idleSince: is === 'ready' && was !== 'ready' ? cx.now : agent.idleSince,
    logoutAt: is === 'notReady' ? logoutAt(cx, agent.agent) : 0,
    ...wrapUpOf(cx, agent, event, is, login),
  });
  if (anew) tellState(cx, agent);
}

/** Where after-call work that begins now, or is to come, will land. */
function backOf(agent: Agent, is: Agent['state']): Agent['back'] {
  const was = agent.state;
  if (is !== 'work' && is !== 'busyWork') return agent.back;
  if (was === 'work' || was === 'busyWork') return agent.back;
  return was === 'notReady' || was === 'busyNotReady' ? 'notReady' : 'ready';
}

/** The time of after-call work: anew when it was earned or asked for, else it goes on where it was. */
function wrapUpOf(
  cx: Context,
  agent: Agent,
  event: AgentEvent,
  is: Agent['state'],
  login: AgentLogin,
): { readonly wrapUpEnd: number; readonly wrapUpLeft: number } {
  const whole = Math.max(0, login.wrapUpS) * 1000;
  if (is === 'busyWork') {
    const left = agent.wrapUpEnd === 0 ? agent.wrapUpLeft : Math.max(1, agent.wrapUpEnd - cx.now);
    return { wrapUpEnd: 0, wrapUpLeft: event === 'askWork' ? whole : left };
  }
  if (is !== 'work') return { wrapUpEnd: 0, wrapUpLeft: 0 };
  const ms = event === 'callEnds' ? agent.wrapUpLeft : whole;
  return { wrapUpEnd: ms === 0 ? 0 : cx.now + ms, wrapUpLeft: 0 };
}

/** The connections of his device changed: busy or not any more. */
export function settle(cx: Context, agent: Agent): void {
  // each round moves at least one step, and there are no circles: a call cannot begin by ending
  for (let round = 0; round < 3; round += 1) {
    const { occupied, business } = workAt(cx, agent);
    if (business && !agent.served) cx.store.patch(AGENT, agent, { served: true });
    if (occupied === isBusy(agent.state)) break;
    if (occupied) begins(cx, agent);
    else ends(cx, agent);
  }
  if (isFree(cx, agent)) becameFree(cx, agent);
}

function begins(cx: Context, agent: Agent): void {
  cx.store.patch(AGENT, agent, { reserved: 0, holder: 0, reservedUntil: 0 });
  step(cx, agent, 'callBegins');
}

function ends(cx: Context, agent: Agent): void {
  const { wrapUpS, legalGuardS } = loginOf(cx, agent.agent);
  const { served } = agent;
  // a call that came while a guard ran: it begins anew (a work-related call reapplies it)
  const guarded = legalGuardS > 0 && (served || agent.guardUntil > agent.since);
  const guardUntil = guarded ? cx.now + legalGuardS * 1000 : 0;
  cx.store.patch(AGENT, agent, { served: false, guardUntil });
  step(cx, agent, served && wrapUpS !== 0 ? 'callEndsWork' : 'callEnds');
}

/** Does a call keep him busy, and is one of those a business call. */
function workAt(
  cx: Context,
  agent: Agent,
): { readonly occupied: boolean; readonly business: boolean } {
  const own = agent.state !== 'ready' && agent.state !== 'notReady';
  let occupied = false;
  let business = false;
  for (const party of cx.store.all(PARTY, 'device', agent.device)) {
    if (party.leg === 0 || (party.state !== 'connected' && party.state !== 'hold')) continue;
    // he has transferred it away, and is told so later in this turn
    if (cx.store.get(LEG, party.leg)?.part === 'left') continue;
    const ccall = cx.store.get(CCALL, party.ccall);
    // one he makes himself is none before somebody answers
    const talks = party.side !== 'calling' || (ccall?.answeredAt ?? 0) !== 0;
    if (ccall?.business === true && talks) business = true;
    else if (own && party.side === 'calling') occupied = true;
  }
  return { occupied: occupied || business, business };
}

/** He is kept for a call that is still there, or by a program. */
export function isReserved(cx: Context, agent: Agent): boolean {
  if (agent.reservedUntil > cx.now) return true;
  return agent.reserved !== 0 && cx.store.get(CCALL, agent.reserved) !== undefined;
}

/** His device can be called: it is registered, or has a contact of its own. */
export function isReachable(cx: Context, device: string): boolean {
  if (cx.store.all(BINDING, 'aor', device).some((b) => b.expiresAt > cx.now)) return true;
  return (extensionOf(cx.settings.site, device)?.contact ?? '') !== '';
}

/** A call can be offered to him now. */
export function isFree(cx: Context, agent: Agent): boolean {
  if (agent.state !== 'ready' || isReserved(cx, agent)) return false;
  if (cx.store.all(PARTY, 'device', agent.device).length > 0) return false;
  // who is not to be disturbed is not, and what goes elsewhere is not his
  if (onwardAtOnce(cx, agent.device, true) !== undefined) return false;
  return isReachable(cx, agent.device);
}

/** Off, whatever he does now: a call he has goes on. */
export function logOff(cx: Context, agent: Agent, reason: string): void {
  const { agent: agentId, device } = agent;
  cx.store.remove(AGENT, agent);
  emit(cx, {
    event: 'agentLoggedOff',
    devices: [device],
    ccall: 0,
    body: { agentId, deviceId: device, ...(reason === '' ? {} : { reason }) },
  });
  wentOff(cx, agent);
}

/** A deadline of his came. */
export function agentDue(cx: Context, agent: Agent): void {
  if (agent.logoutAt !== 0 && agent.logoutAt <= cx.now) {
    logOff(cx, agent, 'autoLogout');
    return;
  }
  if (agent.reservedUntil !== 0 && agent.reservedUntil <= cx.now) {
    cx.store.patch(AGENT, agent, { reserved: 0, holder: 0, reservedUntil: 0 });
  }
  if (agent.wrapUpEnd !== 0 && agent.wrapUpEnd <= cx.now) step(cx, agent, 'wrapUpOver');
  else if (agent.state === 'guard' && agent.guardUntil <= cx.now) step(cx, agent, 'guardOver');
  settle(cx, agent);
}

/** On a new primary: agents are as the calls say that are there. */
export function resumeAgents(cx: Context): void {
  for (const agent of [...cx.store.rows(AGENT)]) settle(cx, agent);
}
