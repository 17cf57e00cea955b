/**
 * A new INVITE (RFC 3261 13.3): checks, the dial plan, and one INVITE to each phone of the callee.
 * Everything is written in this one turn: the call, both kinds of legs, and all transactions.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { targetOf, uriOf, userOf } from '../proto/sip/address.ts';
import type { Proof } from '../proto/sip/digest.ts';
import { STX } from '../proto/sip/rows.ts';
import { answerStateless, openServer, trying } from '../proto/sip/server.ts';
import {
  ALLOW,
  behindNat,
  EMPTY_TAIL,
  isOfferless,
  passedOn,
  randomWord,
  withoutTag,
} from '../proto/sip/text.ts';
import { escapeUser, H, type SipMessage, unescapeUser } from '../sip-parser/index.ts';
import { refusal, whoIs } from './admission.ts';
import { isExtension } from './dialplan.ts';
import { invite } from './invite.ts';
import { hopFor, routeLines, tagOf } from './leg.ts';
import { describes } from './offer.ts';
import { reliableFor } from './reliable.ts';
import { route, type Target } from './route.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { abilities, termsFor, tooBrief } from './session.ts';

/** An INVITE outside any dialog. */
export function newCall(cx: Context, m: SipMessage, key: string, from: Peer): void {
  const bad = refusal(cx, m);
  if (bad !== undefined) {
    answerStateless(cx, m, from, bad.status, bad.tail);
    return;
  }
  // RFC 3261 16.3: a request that has no hops left is not passed on.
  const hops = m.maxForwards;
  if (hops === 0) {
    answerStateless(cx, m, from, 483, EMPTY_TAIL);
    return;
  }
  const proof = whoIs(cx, m, from);
  if (proof === undefined) return;
  if (!maySpeakAs(cx, m, proof)) {
    answerStateless(cx, m, from, 403, EMPTY_TAIL);
    return;
  }
  const called = unescapeUser(userOf(m.requestUri));
  const way = route(cx, called);
  if (way.kind === 'refuse') {
    answerStateless(cx, m, from, way.status, EMPTY_TAIL);
    return;
  }
  const brief = tooBrief(cx, m);
  if (brief !== '') {
    answerStateless(cx, m, from, 422, brief + EMPTY_TAIL);
    return;
  }
  cx.count('callsTried');
  place(cx, m, key, from, called, way.targets, hops < 0 ? 69 : hops - 1, proof);
}

/** On a site with passwords nobody calls under the number of another extension. */
export function maySpeakAs(cx: Context, m: SipMessage, proof: Proof): boolean {
  if (proof.as !== 'user') return true;
  const from = unescapeUser(userOf(uriOf(m.header(H.From) ?? '')));
  return from === proof.user || !isExtension(cx.settings, from);
}

function place(
  cx: Context,
  m: SipMessage,
  key: string,
  from: Peer,
  called: string,
  targets: readonly Target[],
  hops: number,
  proof: Proof,
): void {
  const fromValue = m.header(H.From) ?? '';
  const to = m.header(H.To) ?? '';
  const caller = userOf(uriOf(fromValue));
  const call = cx.store.insert(CALL, {
    state: 'trying',
    callId: m.callId,
    caller,
    called,
    startedAt: cx.now,
    noAnswerAt: cx.now + cx.settings.noAnswerMs,
  });
  const leg = callerLeg(cx, m, from, call, called, fromValue, to, ownExtension(cx, caller, proof));
  const stx = openServer(cx, m, key, from, leg.id, tagOf(leg));
  cx.store.patch(LEG, leg, { uas: stx.id });
  cx.store.patch(STX, stx, termsFor(cx, leg, m));
  trying(cx, m, stx);
  const asserted = proof.as === 'user' ? assertedIdentity(cx, m, proof.user) : '';
  const tail = passedOn(m, ALLOW + asserted);
  const offerless = isOfferless(m);
  const localUri = withoutTag(fromValue);
  const remoteUri = withoutTag(to);
  // A phone's offer in a reliable response would need this caller's answer, and one alone.
  const reliable = !offerless || (leg.reliable !== 'no' && targets.length === 1);
  for (const target of targets) {
    invite(cx, call, target, { caller, localUri, remoteUri, hops, tail, offerless, reliable });
  }
}

/** RFC 3325 9.1: what we know of the caller, unless he asks that it stay here. */
export function assertedIdentity(cx: Context, m: SipMessage, user: string): string {
  if (/\bid\b/i.test(m.header(H.Privacy) ?? '')) return '';
  return `P-Asserted-Identity: <sip:${user}@${cx.settings.here}>\r\n`;
}

/** The extension that calls; '' when it is none of ours. */
function ownExtension(cx: Context, caller: string, proof: Proof): string {
  if (proof.as === 'user') return proof.user;
  return isExtension(cx.settings, caller) ? caller : '';
}

/** RFC 3261 12.1.1: the dialog a UAS has with the sender of an INVITE. */
function callerLeg(
  cx: Context,
  m: SipMessage,
  from: Peer,
  call: Call,
  user: string,
  fromValue: string,
  to: string,
  aor: string,
): Leg {
  const nat = behindNat(m, from.ip);
  const contact = m.contactUri === '*' ? '' : m.contactUri;
  const target = targetOf(contact === '' ? uriOf(fromValue) : contact);
  const routeSet = routeLines(m, false);
  const hop = contact === '' ? from : hopFor(cx, routeSet, target, from, nat);
  return cx.store.insert(LEG, {
    call: call.id,
    side: 'caller',
    state: 'inviting',
    callId: m.callId,
    tag: randomWord(cx.chance),
    remoteTag: m.fromTag,
    localUri: withoutTag(to),
    remoteUri: withoutTag(fromValue),
    remoteCseq: m.cseq,
    remoteTarget: target,
    routeSet,
    // what a number decodes to must not end our own Contact
    user: escapeUser(user),
    transport: hop.transport,
    ip: hop.ip,
    port: hop.port,
    nat,
    offer: describes(m) ? 'remote' : 'none',
    reliable: reliableFor(m),
    ...abilities(m),
    aor,
  });
}
