/**
 * REFER (RFC 3515): a phone in a call asks that the other side be connected with somebody else. We
 * never pass it on: it is answered 202, the transfer is ours (`transfer.ts`), and he is told by NOTIFY.
 *
 *   Refer-To a number             blind: the number is called
 *   Refer-To with Replaces        attended: the dialog it names is his consultation, answered or ringing
 *
 * Outside a dialog REFER is refused 403: it would make us call anybody for whoever asks.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { uriOf, userOf } from '../proto/sip/address.ts';
import { answer, answerStateless } from '../proto/sip/server.ts';
import { ALLOW, EMPTY_TAIL, randomWord } from '../proto/sip/text.ts';
import {
  H,
  isFault,
  parseReferredBy,
  parseReferTo,
  type ReferTo,
  type Replaces,
  type SipMessage,
  unescapeUser,
} from '../sip-parser/index.ts';
import { extensions, tooLarge } from './admission.ts';
import { memberOf } from './conference/members.ts';
import { beginCall, ccallOf } from './csta/ccall.ts';
import { arrive, waitsInstead } from './distribute/arrive.ts';
import { keepHunt } from './hunt.ts';
import { invite, type Offer } from './invite.ts';
import { contactOf, partner, tidy } from './leg.ts';
import { notify } from './notify.ts';
import { findDialog } from './replaces.ts';
import { callerOn, type Route, route } from './route.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { inTransfer, refuseAtOnce, targetIsThere, transferDone, unsubscribe } from './transfer.ts';
import { TRANSFER, type Transfer } from './transfer-rows.ts';

type Refusal = { readonly status: number; readonly reason: string };

/** How much longer than the longest ringing a subscription lasts, ms. */
const MARGIN_MS = 60_000;

/** May the phone on this leg transfer? What the class of service of an extension says goes here. */
function mayTransfer(_cx: Context, leg: Leg): boolean {
  return leg.state === 'confirmed';
}

/** A REFER inside the dialog of `leg`. */
export function refer(
  cx: Context,
  m: SipMessage,
  key: string,
  leg: Leg,
  call: Call,
  from: Peer,
): void {
  const bad = tooLarge(m) ?? extensions(m);
  if (bad !== undefined) {
    answerStateless(cx, m, from, bad.status, bad.tail);
    return;
  }
  const to = referTo(m);
  const other = partner(cx, call, leg);
  const refused = 'status' in to ? to : refuses(cx, leg, other);
  if ('status' in to || refused !== undefined || other === undefined) {
    const { status, reason } = refused ?? { status: 491, reason: '' };
    cx.count('transfersRefused');
    answerStateless(cx, m, from, status, EMPTY_TAIL, reason);
    return;
  }
  cx.count('transfersTried');
  cx.store.patch(LEG, leg, { remoteCseq: m.cseq });
  // RFC 4488 4: the transferor wants no subscription
  const quiet = /^\s*false\b/i.test(m.header(H.ReferSub) ?? '');
  answer(
    cx,
    m,
    key,
    from,
    202,
    `${contactOf(cx, leg)}${ALLOW}${quiet ? 'Refer-Sub: false\r\n' : ''}${EMPTY_TAIL}`,
  );
  const { replaces } = to;
  const base = {
    state: 'calling',
    transferor: leg.id,
    transferee: other.id,
    event: m.cseq,
    subscription: quiet ? 'none' : 'active',
    status: 100,
    expiresAt: cx.now + cx.settings.noAnswerMs + MARGIN_MS,
    startedAt: cx.now,
  } as const;
  if (replaces === undefined) blind(cx, base, to, leg, other, m);
  else attended(cx, base, replaces, leg, other);
}

/** RFC 3515 2.4.2: exactly one Refer-To, else 400; what we would be asked to do must be a call. */
function referTo(m: SipMessage): ReferTo | Refusal {
  const text = m.header(H.ReferTo);
  if (text === undefined || m.find(H.ReferTo, m.find(H.ReferTo, 0) + 1) >= 0) {
    return { status: 400, reason: 'Exactly One Refer-To' };
  }
  const to = parseReferTo(text);
  if (isFault(to)) return { status: 400, reason: 'Bad Refer-To' };
  if (!/^(?:sips?|tel)$/i.test(to.scheme)) return { status: 416, reason: '' };
  if (to.method !== 'INVITE') return { status: 403, reason: 'Only Calls Are Transferred' };
  if (userOf(to.uri) === '' && to.replaces === undefined) {
    return { status: 400, reason: 'Nobody Referred To' };
  }
  return to;
}

/** Why this leg cannot transfer now; undefined when it can. */
function refuses(cx: Context, leg: Leg, other: Leg | undefined): Refusal | undefined {
  if (leg.state === 'ending' || leg.state === 'closing' || leg.state === 'subscribed') {
    return { status: 481, reason: '' };
  }
  if (!mayTransfer(cx, leg)) return { status: 403, reason: '' };
  // one at a time: a storm of them would call the world
  if (inTransfer(cx, leg)) return { status: 491, reason: '' };
  if (other === undefined || other.state !== 'confirmed' || inTransfer(cx, other)) {
    return { status: 491, reason: '' };
  }
  // who hears music has nobody to give away
  // who leaves a conference gives his place away
  if (other.part === 'media' && memberOf(cx, leg) === undefined) {
    return { status: 403, reason: 'Nobody To Transfer' };
  }
  return undefined;
}

function blind(
  cx: Context,
  base: Base,
  to: ReferTo,
  leg: Leg,
  transferee: Leg,
  m: SipMessage,
): void {
  const user = userOf(to.uri);
  const called = unescapeUser(user);
  const full = cx.store.count(CALL) >= cx.settings.maxCalls;
  const way: Route = full ? { kind: 'refuse', status: 503 } : route(cx, called, callerOn(cx, leg));
  if (way.kind === 'refuse') {
    refuseAtOnce(cx, cx.store.insert(TRANSFER, { ...base, kind: 'blind' }), way.status);
    return;
  }
  if (way.kind === 'distribute') {
    // it waits there from now on: what becomes of it is not the transferor's business any more
    for (const l of [leg, transferee]) cx.store.patch(LEG, l, { peer: l.id });
    const own = cx.store.get(CALL, transferee.call);
    if (own !== undefined) arrive(cx, own, transferee, way.number, way.at, { via: leg.aor });
    transferDone(cx, cx.store.insert(TRANSFER, { ...base, kind: 'blind' }));
    return;
  }
  const caller = userOf(uriOf(transferee.remoteUri));
  const values = {
    state: 'trying',
    // nobody's INVITE: only a word that no other call has
    callId: randomWord(cx.chance),
    caller,
    called,
    startedAt: cx.now,
    noAnswerAt: cx.now + cx.settings.noAnswerMs,
  } as const;
  const own = cx.store.get(CALL, transferee.call);
  const of = own === undefined ? undefined : ccallOf(cx, own);
  const call = beginCall(cx, values, of ?? { kind: 'internal' });
  const t = cx.store.insert(TRANSFER, { ...base, kind: 'blind', targetCall: call.id });
  const hops = m.maxForwards < 0 ? 69 : Math.max(0, m.maxForwards - 1);
  // on an open site nobody has proven anything
  const known = cx.settings.auth && transferee.aor !== '';
  const offer: Offer = {
    caller,
    localUri: transferee.remoteUri,
    remoteUri: `<sip:${user}@${cx.settings.here}>`,
    hops,
    tail: `${ALLOW}Referred-By: ${referredBy(m, leg)}\r\n${EMPTY_TAIL}`,
    offerless: true,
    identity: known ? `<sip:${transferee.aor}@${cx.settings.here}>` : '',
    anonymous: transferee.anonymous,
  };
  for (const target of way.targets) invite(cx, call, target, offer);
  keepHunt(cx, call, way.targets, way.later, offer);
  notify(cx, t);
}

/** RFC 3892 2.1: who referred, as he said, or as we know him; never more than an address. */
function referredBy(m: SipMessage, transferor: Leg): string {
  const given = parseReferredBy(m.header(H.ReferredBy) ?? '');
  return isFault(given) || given.uri === '' ? transferor.remoteUri : `<${given.uri}>`;
}

type Base = Partial<Omit<Transfer, 'id' | 'kind'>> & { readonly transferor: number };

/** The two calls of the transferor become one (RFC 5589 7). */
function attended(cx: Context, base: Base, replaces: Replaces, leg: Leg, other: Leg): void {
  const found = findDialog(cx, replaces);
  const consult = found?.ours === true ? found.leg : undefined;
  const call = consult === undefined ? undefined : cx.store.get(CALL, consult.call);
  const target = consult && call ? partner(cx, call, consult) : undefined;
  const row = { ...base, kind: 'attended' } as const;
  if (consult !== undefined && consult.id !== leg.id && consult.call !== leg.call) {
    // a consultation that waits for somebody: who is transferred waits in its place
    if (waitsInstead(cx, consult, other, leg.aor)) {
      for (const l of [leg, other, consult]) cx.store.patch(LEG, l, { peer: l.id });
      transferDone(cx, cx.store.insert(TRANSFER, { ...row, consult: consult.id }));
      if (call !== undefined) tidy(cx, call);
      return;
    }
  }
  const status = consult && call ? unfit(cx, replaces, consult, call, target, leg, other) : 481;
  if (status !== 0 || consult === undefined || call === undefined) {
    refuseAtOnce(cx, cx.store.insert(TRANSFER, row), status);
    return;
  }
  const there = call.state === 'talking' && target !== undefined;
  // a consultation that was transferred itself leads into another call
  const targetCall = there ? target.call : call.id;
  const t = cx.store.insert(TRANSFER, { ...row, targetCall, consult: consult.id });
  if (there) {
    notify(cx, t);
    targetIsThere(cx, t, target);
  } else {
    if (call.state === 'ringing') cx.store.patch(TRANSFER, t, { status: 180 });
    notify(cx, t);
  }
}

/** Status the transferor hears when his consultation cannot be joined; 0 when it can. */
function unfit(
  cx: Context,
  replaces: Replaces,
  consult: Leg,
  call: Call,
  target: Leg | undefined,
  leg: Leg,
  other: Leg,
): number {
  if (consult.id === leg.id || consult.id === other.id || target?.id === leg.id) return 481;
  if (target !== undefined && target.id === other.id) return 482;
  if (inTransfer(cx, consult) || (target !== undefined && inTransfer(cx, target))) return 491;
  if (call.state === 'talking') {
    if (consult.state !== 'confirmed' || target?.state !== 'confirmed') return 481;
    // RFC 3891 3: "early-only" and the dialog is confirmed: 486
    return replaces.earlyOnly ? 486 : 0;
  }
  // a call that rings at the transferor is not his to give away
  return consult.side === 'caller' && call.state !== 'ending' ? 0 : 481;
}

/** Outside a dialog there is no call to transfer, and we call nobody for a stranger. */
export function outOfDialog(cx: Context, m: SipMessage, from: Peer): void {
  cx.count('transfersRefused');
  answerStateless(cx, m, from, 403, EMPTY_TAIL, 'Refer Inside A Call');
}

/**
 * SUBSCRIBE to what a REFER began: its end is what it was, or now (RFC 6665 4.1.2.3, 4.2.1.4: the
 * notifier may shorten what is asked). @returns false when there is no such subscription.
 */
export function resubscribe(
  cx: Context,
  m: SipMessage,
  key: string,
  leg: Leg,
  from: Peer,
): boolean {
  const event = /^refer(?:;id=(\d+))?$/i.exec((m.header(H.Event) ?? '').replace(/\s/g, ''));
  const t = cx.store
    .all(TRANSFER, 'transferor', leg.id)
    .find((x) => x.subscription === 'active' && String(x.event) === (event?.[1] ?? `${x.event}`));
  if (event === null || t === undefined) return false;
  cx.store.patch(LEG, leg, { remoteCseq: m.cseq });
  const ends = /^\s*0+\s*$/.test(m.header(H.Expires) ?? '');
  const left = ends ? 0 : Math.max(1, Math.ceil((t.expiresAt - cx.now) / 1000));
  answer(cx, m, key, from, 200, `${contactOf(cx, leg)}Expires: ${left}\r\n${EMPTY_TAIL}`);
  if (ends) unsubscribe(cx, t);
  return true;
}
