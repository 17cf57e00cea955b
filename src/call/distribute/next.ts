/**
 * Where a waiting call goes next.
 *
 *   routing point   a router is asked; without one, or when it says nothing: default numbers in turn,
 *                   none twice, a limited number of hops from point to point; then it is refused
 *   queue           the agent who is ready longest; nobody logged in, full, too long: overflow numbers
 *   no answer       the overflow list of the agent or the place: `recall`, `release`, or numbers
 */

import { pointOf, queueOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { noAnswerFor } from './deliver.ts';
import { freeAgent, isStaffed, nextAgent, noAnswerOf } from './desk.ts';
import { queued, refuseCaller } from './leave.ts';
import { happens } from './machine.ts';
import { askRouter } from './router.ts';
import { DISTRIBUTION, type Distribution, TURNS } from './rows.ts';
import { firstTreatment } from './treatment.ts';

/** Queues have no hop limit of their own. */
export const HOPS = 4;
/** A router whose destinations refuse is asked again so often in a row. */
const ASKED = 16;
/** An agent who was tried in vain is not tried again for the same call, so long, ms. */
const RETRY_MS = 5000;

const words = (text: string): string[] => text.split(' ').filter((w) => w !== '');

function isGone(cx: Context, d: Distribution): boolean {
  return cx.store.get(DISTRIBUTION, d.id) === undefined;
}

/** Looks for where it can go: asks a router, finds an agent. */
export function seek(cx: Context, d: Distribution): void {
  if (d.retryAt !== 0 && d.retryAt <= cx.now) {
    cx.store.patch(DISTRIBUTION, d, { retryAt: 0, avoid: '' });
  }
  if (d.kind === 'point') {
    if (!askRouter(cx, d)) byDefault(cx, d);
    return;
  }
  const queue = queueOf(cx.settings.site.centre, d.device);
  if (queue === undefined || d.state !== 'waiting') return;
  if (!isStaffed(cx, d.device)) {
    overflow(cx, d);
    return;
  }
  if (ahead(cx, d)) return;
  const agent = nextAgent(cx, d.device, words(d.avoid));
  if (agent !== undefined) assign(cx, d, agent.id, agent.device);
}

function assign(cx: Context, d: Distribution, agent: number, number: string): void {
  happens(cx, d, 'assign', { agent, number, cause: 'distributed' });
}

/** Somebody waits longer in the same queue who could have the same agent. */
function ahead(cx: Context, d: Distribution): boolean {
  for (const other of cx.store.all(DISTRIBUTION, 'device', d.device)) {
    if (other.id === d.id || other.state !== 'waiting' || other.avoid !== '') continue;
    if (other.since < d.since || (other.since === d.since && other.id < d.id)) return true;
  }
  return false;
}

/** Calls that wait in a queue for an agent, in the order in which they get one. */
export function inOrder(cx: Context, queue: string): Distribution[] {
  return cx.store
    .all(DISTRIBUTION, 'device', queue)
    .filter((d) => d.kind === 'queue' && d.state === 'waiting')
    .sort((a, b) => a.since - b.since || a.id - b.id);
}

/** An agent is ready for the calls of these queues: he gets the one that waits longest. */
export function agentReadyFor(cx: Context, queues: readonly string[], agent: number): void {
  const all = queues.flatMap((q) => inOrder(cx, q));
  all.sort((a, b) => a.since - b.since || a.id - b.id);
  for (const d of all) {
    if (words(d.avoid).includes(String(agent))) continue;
    const one = nextAgent(cx, d.device, words(d.avoid));
    if (one === undefined) return;
    assign(cx, d, one.id, one.device);
    if (one.id === agent) return;
  }
}

/** An agent has left: calls of queues nobody serves any more go where those go that find nobody. */
export function agentLeft(cx: Context, queues: readonly string[]): void {
  for (const number of queues) {
    const queue = queueOf(cx.settings.site.centre, number);
    // without another place for them they wait for whoever comes back
    if (queue === undefined || queue.overflow.length === 0 || isStaffed(cx, number)) continue;
    for (const d of inOrder(cx, number)) {
      if (!isGone(cx, d)) happens(cx, d, 'late', { cause: 'agentLoggedOff' });
    }
  }
}

/** Nobody said where it goes in time, or it cannot wait here (any longer). */
export function overflow(cx: Context, d: Distribution): void {
  cx.store.patch(DISTRIBUTION, d, { timeoutAt: 0 });
  if (d.kind === 'point') {
    byDefault(cx, d);
    return;
  }
  const queue = queueOf(cx.settings.site.centre, d.device);
  cx.store.patch(DISTRIBUTION, d, {
    last: true,
    rest: (queue?.overflow ?? []).filter((w) => w !== 'recall').join(' '),
  });
  nextInList(cx, d, 480);
}

/** Default routing of a point: its default numbers in turn over all calls, none twice for one. */
export function byDefault(cx: Context, d: Distribution): void {
  const point = pointOf(cx.settings.site.centre, d.device);
  const tried = new Set([...words(d.tried), d.device]);
  const left = (point?.defaults ?? []).filter((n) => !tried.has(n));
  const limit = point?.hopLimit ?? HOPS;
  if (left.length === 0 || (limit > 0 && d.hops >= limit)) {
    const why = left.length === 0 ? 'no default number is left' : `${d.hops} redirections`;
    cx.log('warning', `a call at routing point ${d.device} is refused: ${why}`);
    refuseCaller(cx, d, 480, 'destNotObtainable');
    return;
  }
  const number = turnOf(cx, d.device, point?.defaults ?? [], left);
  cx.store.patch(DISTRIBUTION, d, {
    tried: [...words(d.tried), number].join(' '),
    hops: d.hops + 1,
  });
  happens(cx, d, 'instruct', { number, cause: 'overflow' });
}

/** The first of `left` from where the last call of this point stopped. */
function turnOf(
  cx: Context,
  device: string,
  all: readonly string[],
  left: readonly string[],
): string {
  if (all.length === 1) return left[0] as string;
  const row = cx.store.find(TURNS, 'device', device);
  const from = row?.next ?? 0;
  let at = from % all.length;
  while (!left.includes(all[at] as string)) at = (at + 1) % all.length;
  if (row === undefined) cx.store.insert(TURNS, { device, next: at + 1 });
  else cx.store.patch(TURNS, row, { next: at + 1 });
  return all[at] as string;
}

/** Whoever was called refused, by `status`: an agent is free for other calls at once. */
export function afterRefusal(cx: Context, d: Distribution, status: number): void {
  const { agent } = d;
  cx.store.patch(DISTRIBUTION, d, { noAnswerAt: 0, bridge: 0, agent: 0 });
  if (agent !== 0) {
    avoid(cx, d, agent);
    freeAgent(cx, agent);
  }
  onwards(cx, d, status);
}

/** Whoever was called did not answer: his action, and the list of what to do then. */
export function afterSilence(cx: Context, d: Distribution): void {
  const { action, overflow: list } = noAnswerFor(cx, d);
  const { agent, target } = d;
  cx.log('info', `${target} does not answer a call of ${d.device}`);
  cx.store.patch(DISTRIBUTION, d, { noAnswerAt: 0, bridge: 0, agent: 0 });
  if (agent !== 0) {
    avoid(cx, d, agent);
    noAnswerOf(cx, agent, action);
  }
  if (!d.listed && !d.last && list.length > 0) {
    cx.store.patch(DISTRIBUTION, d, { rest: list.join(' '), listed: true });
  }
  onwards(cx, d, 480);
}

function onwards(cx: Context, d: Distribution, status: number): void {
  // to free an agent may have given him to this very call, by another queue
  if (isGone(cx, d) || d.state !== 'waiting') return;
  if (d.rest !== '' || d.last) nextInList(cx, d, status);
  else back(cx, d, status);
}

/** This agent is left alone with this call for a while. */
export function avoid(cx: Context, d: Distribution, agent: number): void {
  cx.store.patch(DISTRIBUTION, d, {
    avoid: [...words(d.avoid), agent].join(' '),
    retryAt: cx.now + RETRY_MS,
  });
}

/** The next of an overflow list; at its end the call is refused. */
function nextInList(cx: Context, d: Distribution, status: number): void {
  const [word, ...rest] = words(d.rest);
  cx.store.patch(DISTRIBUTION, d, { rest: rest.join(' ') });
  if (word === undefined || word === 'release') {
    if (word === undefined) cx.log('warning', `a call at ${d.device} is refused: nobody has it`);
    refuseCaller(cx, d, status, word === undefined ? 'overflow' : 'noAnswer');
  } else if (word === 'recall') back(cx, d, status);
  else happens(cx, d, 'instruct', { number: word, cause: 'overflow' });
}

/** It waits again where it was, in its old place. */
function back(cx: Context, d: Distribution, status: number): void {
  const { target } = d;
  cx.store.patch(DISTRIBUTION, d, {
    target: '',
    noAnswer: '',
    last: false,
    listed: false,
    rest: '',
  });
  queued(cx, d, 'recall');
  if (d.kind === 'point') {
    const asked = d.asked + 1;
    cx.store.patch(DISTRIBUTION, d, { asked });
    if (asked > ASKED || !askRouter(cx, d, status, target)) byDefault(cx, d);
  } else {
    const queue = queueOf(cx.settings.site.centre, d.device);
    const late =
      queue !== undefined && queue.maxWaitS > 0 && d.since + queue.maxWaitS * 1000 <= cx.now;
    if (late) overflow(cx, d);
    else seek(cx, d);
  }
  if (!isGone(cx, d)) firstTreatment(cx, d);
}
