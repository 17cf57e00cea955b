/**
 * A new INVITE (RFC 3261 13.3): checks, the dial plan, and one INVITE to each phone of the callee or
 * to a trunk.
 * Everything is written in this one turn: the call, both kinds of legs, and all transactions.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { targetOf, uriOf, userOf } from '../proto/sip/address.ts';
import { authenticate, type Proof, SERVICE } from '../proto/sip/digest.ts';
import { answerStateless, openServer, respond, trying } from '../proto/sip/server.ts';
import {
  ALLOW,
  behindNat,
  bodyTail,
  EMPTY_TAIL,
  isOfferless,
  passedOn,
  randomWord,
  statelessTag,
  withoutTag,
} from '../proto/sip/text.ts';
import { type Trunk, trunkOfUser } from '../proto/site.ts';
import { escapeUser, H, type SipMessage, unescapeUser } from '../sip-parser/index.ts';
import { refusal, whoIs } from './admission.ts';
import { referred } from './control/refer-out.ts';
import { beginCall } from './csta/ccall.ts';
import { refusedCall } from './csta/refused.ts';
import { calledIn, emergencyNumber, isExtension } from './dialplan.ts';
import { arrive } from './distribute/arrive.ts';
import { keepHunt } from './hunt.ts';
import { assertedBy, calledBy, wantsPrivacy } from './identity.ts';
import { invite, type Offer } from './invite.ts';
import { hopFor, routeLines, tagOf } from './leg.ts';
import { answersNailed } from './nail/nail.ts';
import { describes } from './offer.ts';
import { divert } from './redirect.ts';
import { reliableFor } from './reliable.ts';
import { replace } from './replaces.ts';
import { type Caller, classOf, type Route, route } from './route.ts';
import { type Call, LEG, type Leg } from './rows.ts';
import { abilities, termsFor, tooBrief } from './session.ts';
import { trunkAt } from './trunk.ts';

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
  const sender = senderOf(cx, m, from);
  if (sender === undefined) return;
  if (sender === 'impostor') {
    answerStateless(cx, m, from, 403, EMPTY_TAIL);
    return;
  }
  if (m.has(H.Replaces)) {
    replace(cx, m, key, from, sender.proof);
    return;
  }
  const way = route(cx, sender.called, sender.caller);
  if (way.kind === 'refuse') {
    refuse(cx, m, key, from, sender, way);
    return;
  }
  const brief = tooBrief(cx, m);
  if (brief !== '') {
    answerStateless(cx, m, from, 422, brief + EMPTY_TAIL);
    return;
  }
  cx.count('callsTried');
  place(cx, m, key, from, sender, way, hops < 0 ? 69 : hops - 1);
}

/** Who belongs to us and calls what leads nowhere is told of, and so it is remembered. */
function refuse(
  cx: Context,
  m: SipMessage,
  key: string,
  from: Peer,
  sender: Sender,
  way: Extract<Route, { kind: 'refuse' }>,
): void {
  const tail = way.tail ?? EMPTY_TAIL;
  const { extension, called } = sender;
  if (!cx.settings.csta || (extension === '' && sender.caller.trunk === '')) {
    answerStateless(cx, m, from, way.status, tail);
    return;
  }
  const stx = openServer(cx, m, key, from, 0, statelessTag(m, cx.settings));
  respond(cx, stx, way.status, '', tail);
  const kind = extension === '' ? 'inbound' : 'internal';
  const calling = extension || unescapeUser(userOf(uriOf(m.header(H.From) ?? '')));
  refusedCall(cx, { kind, calling, called }, way.status);
}

/** Who calls, by what is known of him; what he calls, in the site's own numbering. */
type Sender = {
  readonly caller: Caller;
  readonly called: string;
  /** The extension that calls; '' when it is none of ours. */
  readonly extension: string;
  /** P-Asserted-Identity; '' for none. */
  readonly identity: string;
  readonly proof: Proof;
};

/** undefined when he was challenged instead; an impostor calls under somebody else's number. */
function senderOf(cx: Context, m: SipMessage, from: Peer): Sender | 'impostor' | undefined {
  const { site } = cx.settings;
  const dialled = calledIn(site, m.requestUri);
  const neighbour = trunkAt(cx, from);
  if (neighbour !== undefined && neighbour.inbound.digest === undefined) {
    return byTrunk(m, neighbour);
  }
  const urgent = emergencyNumber(site, dialled) !== undefined;
  if (urgent) {
    cx.count('callsEmergency');
    cx.log('warning', `emergency call to ${dialled} from ${from.ip}`);
  }
  // who calls for help is not asked for a password
  const proof = urgent ? authenticate(cx, m, SERVICE.from, from.ip) : whoIs(cx, m, from);
  if (proof === undefined) return undefined;
  const trunk = proof.as === 'user' ? trunkOfUser(site, proof.user) : undefined;
  if (trunk !== undefined) return byTrunk(m, trunk);
  if (!urgent && !maySpeakAs(cx, m, proof)) return 'impostor';
  const number =
    proof.as === 'user' ? proof.user : unescapeUser(userOf(uriOf(m.header(H.From) ?? '')));
  return {
    caller: { classOfService: classOf(cx, number), trunk: '' },
    called: dialled,
    extension: proof.as === 'user' || isExtension(cx.settings, number) ? number : '',
    identity: proof.as === 'user' ? `<sip:${proof.user}@${cx.settings.here}>` : '',
    proof,
  };
}

function byTrunk(m: SipMessage, trunk: Trunk): Sender {
  return {
    caller: { classOfService: trunk.classOfService, trunk: trunk.name },
    called: calledBy(m, trunk),
    extension: '',
    identity: assertedBy(m, trunk),
    proof: { as: 'nobody', stale: false, tried: '' },
  };
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
  sender: Sender,
  way: Exclude<Route, { kind: 'refuse' }>,
  hops: number,
): void {
  const { called } = sender;
  const fromValue = m.header(H.From) ?? '';
  const to = m.header(H.To) ?? '';
  const caller = userOf(uriOf(fromValue));
  const targets = way.kind === 'targets' ? way.targets : [];
  const outside = targets.some((t) => t.hop !== undefined);
  const kind = sender.extension === '' ? 'inbound' : outside ? 'outbound' : 'internal';
  const values = {
    state: 'trying',
    callId: m.callId,
    caller,
    called,
    startedAt: cx.now,
    noAnswerAt: cx.now + cx.settings.noAnswerMs,
  } as const;
  const call = beginCall(cx, values, referred(cx, sender.extension, called) ?? { kind });
  const leg = callerLeg(cx, m, from, call, fromValue, to, {
    called,
    extension: sender.extension,
    trunk: sender.caller.trunk,
  });
  const stx = openServer(cx, m, key, from, leg.id, tagOf(leg), termsFor(cx, leg, m));
  cx.store.patch(LEG, leg, { uas: stx.id });
  trying(cx, m, stx);
  const offerless = isOfferless(m);
  const offer: Offer = {
    caller,
    localUri: withoutTag(fromValue),
    remoteUri: withoutTag(to),
    hops,
    tail: passedOn(m, ALLOW),
    offerless,
    // A phone's offer in a reliable response would need this caller's answer, and one alone.
    reliable: !offerless || (leg.reliable !== 'no' && targets.length < 2),
    identity: sender.identity,
    anonymous: wantsPrivacy(m),
    description: offerless ? '' : bodyTail(m),
  };
  if (way.kind === 'distribute') {
    arrive(cx, call, leg, way.number, way.at, { offer });
    return;
  }
  inviteAll(cx, call, way, offer);
}

/** Invites whom a number led to; who forwarded the call is told of, and remembered. */
function inviteAll(
  cx: Context,
  call: Call,
  way: Extract<Route, { kind: 'targets' }>,
  plain: Offer,
): void {
  const offer = way.diverted === undefined ? plain : divert(cx, call, plain, way.diverted);
  if (answersNailed(cx, call, way.targets, offer)) return;
  for (const target of way.targets) invite(cx, call, target, offer);
  keepHunt(cx, call, way.targets, way.later, offer);
}

/** RFC 3325 9.1: what we know of the caller, unless he asks that it stay here. */
export function assertedIdentity(cx: Context, m: SipMessage, user: string): string {
  if (/\bid\b/i.test(m.header(H.Privacy) ?? '')) return '';
  return `P-Asserted-Identity: <sip:${user}@${cx.settings.here}>\r\n`;
}

/** RFC 3261 12.1.1: the dialog a UAS has with the sender of an INVITE. */
export function callerLeg(
  cx: Context,
  m: SipMessage,
  from: Peer,
  call: Call,
  fromValue: string,
  to: string,
  sender: { readonly called: string; readonly extension: string; readonly trunk: string },
): Leg {
  const nat = behindNat(m, from.ip);
  const contact = m.contactUri === '*' ? '' : m.contactUri;
  const target = targetOf(contact === '' ? uriOf(fromValue) : contact);
  const routeSet = routeLines(m, false);
  const hop = contact === '' ? from : hopFor(cx, routeSet, target, from, nat);
  const { update, minSe } = abilities(m);
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
    user: escapeUser(sender.called),
    transport: hop.transport,
    ip: hop.ip,
    port: hop.port,
    nat,
    offer: describes(m) ? 'remote' : 'none',
    reliable: reliableFor(m),
    update,
    minSe,
    aor: sender.extension,
    trunk: sender.trunk,
    anonymous: wantsPrivacy(m),
  });
}
