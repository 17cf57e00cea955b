/** Who has calls that wait for agents: asked whenever one becomes free for a call. */

import type { Context } from '../../proto/context.ts';
import { agentLeft, agentReadyFor } from '../distribute/next.ts';
import type { Agent } from './rows.ts';

function queuesOf(agent: Agent): readonly string[] {
  return agent.queues.split(' ').filter((q) => q !== '');
}

/** `agent` is logged off; his row is gone. */
export function wentOff(cx: Context, agent: Agent): void {
  agentLeft(cx, queuesOf(agent));
}

/** `agent` is ready, at a registered device without a call, and kept for nobody. */
export function becameFree(cx: Context, agent: Agent): void {
  agentReadyFor(cx, queuesOf(agent), agent.id);
}
