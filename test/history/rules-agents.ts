/**
 * Promises about agents. The reference model: an agent is logged off or in one of four states, events
 * move him, and nothing else does; what he asked for is what he is.
 */

import type { History } from './history.ts';
import { isResult } from './history.ts';
import { Calls } from './model-calls.ts';
import type { EventView } from './record.ts';
import type { Rule } from './rule.ts';

/** State after each event. Log-on comes from logged off, and nothing else does. */
const STEPS: { readonly [event: string]: string } = {
  agentLoggedOn: 'notReady',
  agentNotReady: 'notReady',
  agentReady: 'ready',
  agentBusy: 'busy',
  agentWorkingAfterCall: 'workingAfterCall',
  agentLoggedOff: 'loggedOff',
};

type Agent = { readonly state: string; readonly said: string; readonly device: string };

function agentIdOf(event: EventView): string {
  return String(event['agentId'] ?? '');
}

/** What programs see of him: they are told when this is something else. */
function saidOf(event: EventView): string {
  const { event: name } = event;
  const { reason = '', pendingState = '', queues = '' } = event as { [name: string]: unknown };
  return JSON.stringify([name, reason, pendingState, queues]);
}

function replay(
  history: History,
  each: (text: string) => void,
  upTo = Number.POSITIVE_INFINITY,
): Map<string, Agent> {
  const agents = new Map<string, Agent>();
  const calls = new Calls();
  for (const event of history.events) {
    if (event.id > upTo) break;
    calls.take(event);
    const to = STEPS[event.event];
    if (to === undefined) continue;
    const id = agentIdOf(event);
    const known = agents.get(id);
    const said = saidOf(event);
    const device = String(event['deviceId'] ?? '');
    agents.set(id, { state: to, said, device });
    if (event.id <= history.witnessedFrom) continue;
    const what = `agent ${id}, event ${event.id}: ${event.event}`;
    // logged on before anybody looked: the first event says where he is
    const state = known?.state ?? (history.witnessedFrom > 0 ? undefined : 'loggedOff');
    const on = event.event === 'agentLoggedOn';
    if (state !== undefined && (state === 'loggedOff') !== on) each(`${what}, but he is ${state}`);
    // whoever asks for after-call work once more has his time anew
    const again = event.event === 'agentWorkingAfterCall';
    if (known?.said === said && !again) each(`${what}, which he is already`);
    if (known !== undefined && state !== 'loggedOff' && device !== known.device) {
      each(`${what} at ${device}, but he is at ${known.device}`);
    }
    if (to === 'busy' && !inCall(calls, device)) each(`${what}, but ${device} is in no call`);
  }
  return agents;
}

function inCall(calls: Calls, device: string): boolean {
  for (const call of calls.calls.values()) {
    if (call.connections.some((c) => c.deviceId === device)) return true;
  }
  return false;
}

export const agentLegal: Rule = {
  name: 'agent-legal',
  about: 'agents go from state to state as the reference model does',
  find(history, broken) {
    replay(history, (text) => broken(0, text));
  },
};

export const agentsAsModel: Rule = {
  name: 'agents-as-model',
  about: 'at the end every agent is what his events made him',
  find(history, broken) {
    const { quiet } = history;
    if (quiet === undefined) return;
    const at = history.lines.indexOf(quiet);
    const agents = replay(history, () => {}, quiet.snapshot.position);
    const said = new Map(quiet.snapshot.agents.map((a) => [a.agentId, a]));
    for (const [id, agent] of agents) {
      const state = said.get(id)?.state ?? 'loggedOff';
      if (state !== agent.state) {
        broken(at, `agent ${id} is ${agent.state} by his events, and ${state}`);
      }
    }
    for (const [id, { state }] of said) {
      const silent = !agents.has(id) && history.witnessedFrom === 0;
      if (silent && state !== 'loggedOff') broken(at, `agent ${id} is ${state}; nobody was told`);
    }
  },
};

/** The last state a program set, and no event since, is what he is. */
export const agentsObey: Rule = {
  name: 'agents-obey',
  about: 'an agent whose request was accepted was told of as being what he asked for',
  find(history, broken) {
    const seen = new Map<string, Set<string>>();
    for (const event of history.events) {
      const to = STEPS[event.event];
      if (to === undefined) continue;
      const states = seen.get(agentIdOf(event)) ?? new Set<string>();
      seen.set(agentIdOf(event), states.add(to));
    }
    const witnessed = history.witnessedFrom < Number.POSITIVE_INFINITY;
    for (const ask of history.asks) {
      if (ask.method !== 'setAgentState' || !isResult(ask.answered[0]) || !witnessed) continue;
      const wanted = STATE_ASKED[String(ask.params['requestedAgentState'])];
      const id = String(ask.params['agentId'] ?? '');
      if (wanted === undefined || id === '') continue;
      // busy: it is pending until his call ends
      if (seen.get(id)?.has(wanted) || seen.get(id)?.has('busy')) continue;
      broken(ask.line, `agent ${id} was accepted as ${wanted}, and never was`);
    }
  },
};

const STATE_ASKED: { readonly [asked: string]: string } = {
  loggedOn: 'notReady',
  loggedOff: 'loggedOff',
  notReady: 'notReady',
  ready: 'ready',
  workingAfterCall: 'workingAfterCall',
};
