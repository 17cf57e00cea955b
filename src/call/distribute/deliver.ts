/**
 * A waiting call is offered to somebody: to a device, by the caller's own INVITE while that is open,
 * else by a bridge; or it moves on to another routing point or queue. What was offered can be withdrawn.
 */

import { asciiJson } from '../../base/json.ts';
import { agentOf, type NoAnswer, pointOf, queueOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { CTX } from '../../proto/sip/rows.ts';
import { escapeUser } from '../../sip-parser/index.ts';
import { bridgeTo, cancelBridge, type Targets } from '../bridge.ts';
import { BRIDGE } from '../bridge-rows.ts';
import { endHunt, keepHunt } from '../hunt.ts';
import { invite, type Offer } from '../invite.ts';
import { answersNailed, nailWithdrawn } from '../nail/nail.ts';
import { endRedirect } from '../redirect.ts';
import { route } from '../route.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import { moveOn } from './arrive.ts';
import { freeAgent, freeAgentAt, keep, loginOf, nameAt } from './desk.ts';
import { isUnanswered, waitingIn } from './leave.ts';
import { happens, type News } from './machine.ts';
import { DISTRIBUTION, type Distribution } from './rows.ts';
import { dropPending, letGo } from './treatment.ts';

/** Nobody is called for ever: where nothing is configured a device rings so long, ms. */
const LONGEST_MS = 180_000;

/** Calls the number that comes with the event, or moves on to it; or it was refused at once. */
export function offer(cx: Context, d: Distribution, news: News): void {
  const waiting = waitingIn(cx, d);
  if (waiting === undefined) return;
  const agent = news.agent === 0 ? freeAgentAt(cx, news.number) : news.agent;
  const noAnswer = news.noAnswer === undefined ? '' : asciiJson(news.noAnswer);
  cx.store.patch(DISTRIBUTION, d, { target: news.number, agent, noAnswer });
  if (agent !== 0) keep(cx, agent, d);
  const way = route(cx, news.number);
  switch (way.kind) {
    case 'distribute':
      moveOn(cx, d, way.number, way.at, news.cause);
      return;
    case 'refuse':
      cx.store.patch(DISTRIBUTION, d, { state: 'offering' });
      happens(cx, d, 'refuse', { status: way.status, cause: news.cause });
      return;
    case 'targets': {
      const { afterS } = noAnswerFor(cx, d);
      const wait = afterS === 0 ? LONGEST_MS : afterS * 1000;
      cx.store.patch(DISTRIBUTION, d, { state: 'offering', noAnswerAt: cx.now + wait });
      if (isUnanswered(waiting.call, waiting.leg)) byInvite(cx, d, waiting.call, way);
      else byBridge(cx, d, waiting.leg, way);
    }
  }
}

function byInvite(cx: Context, d: Distribution, call: Call, way: Targets): void {
  dropPending(cx, d);
  // who is called now, by whichever trunk: his connection is named by it
  cx.store.patch(CALL, call, { called: d.target });
  const said = JSON.parse(d.offer) as Offer;
  const alone = way.targets.length === 1 && !d.shown;
  const reliable = said.offerless ? said.reliable === true && alone : true;
  const remoteUri = `<sip:${escapeUser(d.target)}@${cx.settings.here}>`;
  const how: Offer = { ...said, remoteUri, reliable };
  if (answersNailed(cx, call, way.targets, how)) return;
  for (const target of way.targets) invite(cx, call, target, how);
  keepHunt(cx, call, way.targets, way.later, how);
}

function byBridge(cx: Context, d: Distribution, leg: Leg, way: Targets): void {
  const bridge = bridgeTo(
    cx,
    leg,
    way,
    { called: d.target, noAnswerMs: LONGEST_MS },
    'route',
    d.id,
  );
  cx.store.patch(DISTRIBUTION, d, { bridge: bridge.id });
}

/** Nobody is called any more for it. What they still say is heard by nobody. */
export function withdraw(cx: Context, d: Distribution): void {
  const call = waitingIn(cx, d)?.call;
  cx.store.patch(DISTRIBUTION, d, { noAnswerAt: 0 });
  const bridge = d.bridge === 0 ? undefined : cx.store.get(BRIDGE, d.bridge);
  cx.store.patch(DISTRIBUTION, d, { bridge: 0 });
  if (bridge !== undefined) {
    cancelBridge(cx, bridge);
    const why = cx.turn.causes.get(d.call);
    if (why !== undefined) cx.turn.causes.set(bridge.call, why);
  }
  if (call === undefined) return;
  endHunt(cx, call);
  endRedirect(cx, call);
  nailWithdrawn(cx, call);
  for (const leg of cx.store.all(LEG, 'call', call.id)) {
    if (leg.side !== 'callee' || leg.part !== 'device' || leg.peer === leg.id) continue;
    if (leg.state === 'inviting' || leg.state === 'early') letGo(cx, leg);
  }
}

/** The agent who was called for it is free for others. */
export function excuse(cx: Context, d: Distribution): void {
  cx.store.patch(DISTRIBUTION, d, { noAnswerAt: 0, bridge: 0 });
  if (d.agent === 0) return;
  const { agent } = d;
  cx.store.patch(DISTRIBUTION, d, { agent: 0 });
  freeAgent(cx, agent);
}

const NONE: NoAnswer = { afterS: 0, overflow: [], action: 'none' };

/** No-answer supervision of who is called: of the request, else of the agent, else of where it waits. */
export function noAnswerFor(cx: Context, d: Distribution): NoAnswer {
  if (d.noAnswer !== '') return JSON.parse(d.noAnswer) as NoAnswer;
  const { centre } = cx.settings.site;
  const name = d.agent === 0 ? nameAt(cx, d.target) : loginOf(cx, d.agent);
  const login = name === '' ? undefined : agentOf(centre, name);
  if (login !== undefined && login.noAnswer.afterS > 0) return login.noAnswer;
  const place = d.kind === 'point' ? pointOf(centre, d.device) : queueOf(centre, d.device);
  return place?.noAnswer ?? NONE;
}

/** A device that is called rings. */
export function targetRings(cx: Context, d: Distribution, leg: Leg): void {
  if (d.state !== 'offering') return;
  cx.turn.via.set(leg.id, d.device);
  happens(cx, d, 'rings', { cause: causeFor(d) });
}

/** It answered: the call is its own from here on. */
export function targetAnswers(cx: Context, d: Distribution, leg: Leg): void {
  cx.turn.via.set(leg.id, d.device);
  happens(cx, d, 'joins', { cause: causeFor(d) });
}

function causeFor(d: Distribution) {
  return d.kind === 'queue' ? 'distributed' : 'redirected';
}

/** Somebody who was called refused: only who is not withdrawn counts. */
export function wasWithdrawn(cx: Context, leg: Leg): boolean {
  return leg.peer === leg.id || (cx.store.get(CTX, leg.uac)?.cancel ?? 'no') !== 'no';
}
