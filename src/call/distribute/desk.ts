/** Agents as those who distribute calls need them: who is next, kept while he rings, given back. */

import type { NoAnswerAction } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { agentAt as findAgent, isFree } from '../agent/agent.ts';
import { loggedOn, longestIdle, noAnswer, readyAgents, release, reserve } from '../agent/offer.ts';
import { AGENT, type Agent } from '../agent/rows.ts';
import { ccallOf } from '../csta/ccall.ts';
import { CALL } from '../rows.ts';
import type { Distribution } from './rows.ts';

/** True when somebody is logged in who serves the queue. */
export function isStaffed(cx: Context, queue: string): boolean {
  return loggedOn(cx, queue) > 0;
}

/** The agent of a queue who is ready longest; not one of `avoid`. */
export function nextAgent(cx: Context, queue: string, avoid: readonly string[]): Agent | undefined {
  if (avoid.length === 0) return longestIdle(cx, queue);
  return readyAgents(cx, queue).find((a) => !avoid.includes(String(a.id)));
}

/**
 * The row of the agent at a device who can have a call now; 0 for none. Whoever is routed to by his
 * number is called all the same: his phone says whether he will have it.
 */
export function freeAgentAt(cx: Context, device: string): number {
  const agent = findAgent(cx, device);
  return agent !== undefined && isFree(cx, agent) ? agent.id : 0;
}

/** The name of the agent at a device; '' for none. */
export function nameAt(cx: Context, device: string): string {
  return findAgent(cx, device)?.agent ?? '';
}

/** The name he logged in by; '' once he is gone. */
export function loginOf(cx: Context, agent: number): string {
  return cx.store.get(AGENT, agent)?.agent ?? '';
}

/** He is called for this call, and for no other. */
export function keep(cx: Context, agent: number, d: Distribution): void {
  const row = cx.store.get(AGENT, agent);
  const call = cx.store.get(CALL, d.call);
  const ccall = call === undefined ? undefined : ccallOf(cx, call);
  if (row !== undefined && ccall !== undefined) reserve(cx, row, ccall);
}

/** He is not called any more; he keeps his place among those who are ready. */
export function freeAgent(cx: Context, agent: number): void {
  const row = cx.store.get(AGENT, agent);
  if (row !== undefined) release(cx, row, true);
}

/** He did not answer. */
export function noAnswerOf(cx: Context, agent: number, action: NoAnswerAction): void {
  const row = cx.store.get(AGENT, agent);
  if (row !== undefined) noAnswer(cx, row, action);
}
