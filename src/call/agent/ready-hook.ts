/** Who has calls that wait for agents: asked whenever one becomes free for a call. */

import type { Context } from '../../proto/context.ts';
import { agentReadyFor } from '../distribute/next.ts';
import type { Agent } from './rows.ts';

/** `agent` is ready, at a registered device without a call, and kept for nobody. */
export function becameFree(cx: Context, agent: Agent): void {
  agentReadyFor(
    cx,
    agent.queues.split(' ').filter((q) => q !== ''),
    agent.id,
  );
}
