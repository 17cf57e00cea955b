/** Agents for those who distribute calls: who is next, and keeping one while his device rings. */

import type { NoAnswerAction } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import type { Ccall } from '../csta/rows.ts';
import { isFree, logOff, settle, step } from './agent.ts';
import { AGENT, type Agent } from './rows.ts';

/** Free agents of a queue, the longest idle first. */
export function readyAgents(cx: Context, queue: string): readonly Agent[] {
  const key = ` ${queue} `;
  const found: Agent[] = [];
  for (const agent of cx.store.rows(AGENT)) {
    if (agent.state === 'ready' && agent.queues.includes(key) && isFree(cx, agent)) {
      found.push(agent);
    }
  }
  return found.sort((a, b) => a.idleSince - b.idleSince || a.id - b.id);
}

/** The first of those, without looking at the devices of all. */
export function longestIdle(cx: Context, queue: string): Agent | undefined {
  const key = ` ${queue} `;
  let best: Agent | undefined;
  for (const agent of cx.store.rows(AGENT)) {
    if (agent.state !== 'ready' || !agent.queues.includes(key)) continue;
    const later =
      best !== undefined &&
      (agent.idleSince > best.idleSince ||
        (agent.idleSince === best.idleSince && agent.id > best.id));
    if (!later && isFree(cx, agent)) best = agent;
  }
  return best;
}

/** Agents who serve a queue, in whatever state. */
export function loggedOn(cx: Context, queue: string): number {
  const key = ` ${queue} `;
  let n = 0;
  for (const agent of cx.store.rows(AGENT)) if (agent.queues.includes(key)) n += 1;
  return n;
}

/** Nobody else is offered to him until it is answered, given back, or over. */
export function reserve(cx: Context, agent: Agent, ccall: Ccall): void {
  cx.store.patch(AGENT, agent, { reserved: ccall.id, holder: 0, reservedUntil: 0 });
}

/** The call is not his. `back`: he keeps his place among those who wait; else he is the last. */
export function release(cx: Context, agent: Agent, back: boolean): void {
  if (cx.store.get(AGENT, agent.id) !== agent) return;
  cx.store.patch(AGENT, agent, {
    reserved: 0,
    holder: 0,
    reservedUntil: 0,
    idleSince: back ? agent.idleSince : cx.now,
  });
  settle(cx, agent);
}

/** His device rang and he did not answer. */
export function noAnswer(cx: Context, agent: Agent, action: NoAnswerAction): void {
  if (cx.store.get(AGENT, agent.id) !== agent) return;
  cx.store.patch(AGENT, agent, { reserved: 0, holder: 0, reservedUntil: 0, idleSince: cx.now });
  if (action === 'log-out') logOff(cx, agent, 'noAnswer');
  else {
    if (action === 'not-ready') step(cx, agent, 'askNotReady', 'noAnswer');
    settle(cx, agent);
  }
}
