/**
 * Promises about agents. The reference model: an agent is logged off or in one of four states, events
 * move him, and nothing else does; what he asked for is what he is.
 */

import type { History } from './history.ts';
import { isResult } from './history.ts';
import type { EventView } from './record.ts';
import type { Rule } from './rule.ts';

/** State after each event, and states before it. */
const STEPS: {
  readonly [event: string]: { readonly to: string; readonly from: readonly string[] };
} = {
  agentLoggedOn: { to: 'notReady', from: ['loggedOff'] },
  agentNotReady: { to: 'notReady', from: ['notReady', 'ready', 'busy', 'workingAfterCall'] },
  agentReady: { to: 'ready', from: ['notReady', 'busy', 'workingAfterCall'] },
  agentBusy: { to: 'busy', from: ['notReady', 'ready', 'workingAfterCall'] },
  agentWorkingAfterCall: { to: 'workingAfterCall', from: ['notReady', 'ready', 'busy'] },
  agentLoggedOff: { to: 'loggedOff', from: ['notReady', 'ready', 'busy', 'workingAfterCall'] },
};

type Agent = { state: string; reason: string; device: string; fresh: boolean };

function agentIdOf(event: EventView): string {
  return String(event['agentId'] ?? '');
}

function replay(
  history: History,
  each: (text: string) => void,
  upTo = Number.POSITIVE_INFINITY,
): Map<string, Agent> {
  const agents = new Map<string, Agent>();
  for (const event of history.events) {
    if (event.id > upTo) break;
    const step = STEPS[event.event];
    if (step === undefined) continue;
    const id = agentIdOf(event);
    const known = agents.get(id);
    if (event.id <= history.witnessedFrom) {
      agents.set(id, { state: step.to, reason: reasonOf(event), device: '', fresh: false });
      continue;
    }
    const state = known?.state ?? 'loggedOff';
    // logged on before anybody looked: the first event says where he is
    const unknown = known === undefined && history.witnessedFrom > 0;
    if (!unknown && !step.from.includes(state)) {
      each(`agent ${id}, event ${event.id}: ${event.event}, but he is ${state}`);
    }
    if (state === step.to && known !== undefined && reasonOf(event) === known.reason) {
      each(`agent ${id}, event ${event.id}: ${event.event}, which he is already`);
    }
    agents.set(id, {
      state: step.to,
      reason: reasonOf(event),
      device: String(event['deviceId'] ?? known?.device ?? ''),
      fresh: true,
    });
  }
  return agents;
}

function reasonOf(event: EventView): string {
  return String(event['reason'] ?? '');
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
      const step = STEPS[event.event];
      if (step === undefined) continue;
      const states = seen.get(agentIdOf(event)) ?? new Set<string>();
      seen.set(agentIdOf(event), states.add(step.to));
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
