/** What calls mean to agents: which are business calls, and whose device they are at. */

import { pointOf, queueOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { CCALL, type Ccall, PARTY, type Party } from '../csta/rows.ts';
import { agentAt, settle } from './agent.ts';
import { AGENT } from './rows.ts';

/** A connection came, changed, went or moved to another call. */
export function agentsFollow(cx: Context, party: Party): void {
  const ccall = cx.store.get(CCALL, party.ccall);
  if (ccall !== undefined) becomesBusiness(cx, ccall, party);
  if (cx.store.count(AGENT) === 0) return;
  follow(cx, party.device);
  // who called is talking when the other side answers
  for (const other of [...cx.store.all(PARTY, 'ccall', party.ccall)]) {
    if (other.device !== party.device) follow(cx, other.device);
  }
}

/** `into` has the connections of `from` now: a call that was business stays one. */
export function agentsMerge(cx: Context, from: Ccall | undefined, party: Party): void {
  const into = cx.store.get(CCALL, party.ccall);
  if (from?.business === true && into !== undefined) {
    cx.store.patch(CCALL, into, { business: true });
  }
  agentsFollow(cx, party);
}

function follow(cx: Context, device: string): void {
  const agent = agentAt(cx, device);
  if (agent !== undefined) settle(cx, agent);
}

function becomesBusiness(cx: Context, ccall: Ccall, party: Party): void {
  if (ccall.business) return;
  const came = [party.via, party.leg === 0 ? party.device : '', ccall.called];
  if (came.some((number) => distributes(cx, number))) {
    cx.store.patch(CCALL, ccall, { business: true });
  }
}

function distributes(cx: Context, number: string): boolean {
  const { centre } = cx.settings.site;
  return number !== '' && (pointOf(centre, number) ?? queueOf(centre, number)) !== undefined;
}
