/**
 * INVITE with Replaces (RFC 3891): who sends it takes the place of somebody in a dialog of ours.
 *
 *   an answered dialog       the other side of its call is re-INVITEd; whoever was replaced gets BYE
 *   a phone we let ring      directed pickup: the caller is answered with the new one's description,
 *                            then re-INVITEd with the same as an offer, whose answer the new one gets;
 *                            the phones that ring are cancelled
 *
 * The dialog may be named from our side (RFC 3891 3: to-tag is ours) or from the phone's, as who read
 * it in a dialog-info document (RFC 4235) does.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { uriOf, userOf } from '../proto/sip/address.ts';
import type { Proof } from '../proto/sip/digest.ts';
import { STX } from '../proto/sip/rows.ts';
import { answerStateless, openServer, respond, trying } from '../proto/sip/server.ts';
import {
  bodyTail,
  EMPTY_TAIL,
  idIn,
  isOfferless,
  isWord,
  statelessTag,
} from '../proto/sip/text.ts';
import {
  H,
  isFault,
  parseReplaces,
  type Replaces,
  type SipMessage,
  unescapeUser,
} from '../sip-parser/index.ts';
import { happen } from './call.ts';
import { beginCall, ccallOf } from './csta/ccall.ts';
import { isExtension } from './dialplan.ts';
import { callerOf, partner, tagOf } from './leg.ts';
import { reoffer } from './renegotiate.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { termsFor } from './session.ts';
import { callerLeg } from './setup.ts';
import { inTransfer } from './transfer.ts';
import { TRANSFER } from './transfer-rows.ts';

/** The dialog a Replaces names; `ours`: its to-tag is our own. */
export function findDialog(
  cx: Context,
  r: Replaces,
): { readonly leg: Leg; readonly ours: boolean } | undefined {
  const own = withTags(cx, r.callId, r.toTag, r.fromTag);
  if (own !== undefined) return { leg: own, ours: true };
  const theirs = withTags(cx, r.callId, r.fromTag, r.toTag);
  return theirs === undefined ? undefined : { leg: theirs, ours: false };
}

function withTags(cx: Context, callId: string, our: string, their: string): Leg | undefined {
  const id = idIn(our, 0);
  const leg = id === 0 ? undefined : cx.store.get(LEG, id);
  if (leg === undefined || !isWord(our, 0, leg.tag) || leg.callId !== callId) return undefined;
  return leg.remoteTag === their ? leg : undefined;
}

/**
 * Only an extension takes the place of somebody, on a site with passwords one that proved who it is.
 * What pickup groups say goes here.
 */
function mayReplace(cx: Context, m: SipMessage, proof: Proof): boolean {
  const from = unescapeUser(userOf(uriOf(m.header(H.From) ?? '')));
  return proof.as === 'user'
    ? proof.user === from
    : !cx.settings.auth && isExtension(cx.settings, from);
}

type Found = { readonly leg: Leg; readonly call: Call; readonly other: Leg };

/** RFC 3891 3, in its order: the status that refuses, or whose place is taken. */
function judge(cx: Context, m: SipMessage, proof: Proof): number | Found {
  const text = m.header(H.Replaces) ?? '';
  const r = parseReplaces(text);
  if (isFault(r) || m.find(H.Replaces, m.find(H.Replaces, 0) + 1) >= 0) return 400;
  const found = findDialog(cx, r);
  const call = found === undefined ? undefined : cx.store.get(CALL, found.leg.call);
  if (found === undefined || call === undefined) return 481;
  if (!mayReplace(cx, m, proof)) return 403;
  const { leg } = found;
  // "If the Replaces header field matches a dialog that has already terminated": 603
  if (leg.state === 'ending' || leg.state === 'closing' || leg.state === 'subscribed') return 603;
  if (leg.state === 'confirmed') {
    // "... the dialog is confirmed and the early-only flag is present": 486
    if (r.earlyOnly) return 486;
    const other = partner(cx, call, leg);
    if (other?.state !== 'confirmed' || inTransfer(cx, leg) || inTransfer(cx, other)) return 491;
    return { leg, call, other };
  }
  // "If the Replaces header field matches an early dialog that was not initiated by this UA": 481
  const caller = callerOf(cx, call);
  if (leg.side !== 'callee' || caller === undefined || inTransfer(cx, leg)) return 481;
  // it rings no more: another phone has the call, or it is over
  if (call.state !== 'trying' && call.state !== 'ringing') return 603;
  // the caller's offer has to be answered by a description
  return isOfferless(m) ? 488 : { leg, call, other: caller };
}

/**
 * What depends on how a dialog stands is remembered: repeated a moment later the same INVITE would
 * get another answer.
 */
function refuse(cx: Context, m: SipMessage, key: string, from: Peer, status: number): void {
  if (status === 400 || status === 403 || status === 481) {
    answerStateless(cx, m, from, status, EMPTY_TAIL);
    return;
  }
  const stx = openServer(cx, m, key, from, 0, statelessTag(m, cx.settings));
  respond(cx, stx, status, '', EMPTY_TAIL);
}

/** An INVITE outside any dialog, by somebody who was let in, that has a Replaces. */
export function replace(cx: Context, m: SipMessage, key: string, from: Peer, proof: Proof): void {
  const found = judge(cx, m, proof);
  if (typeof found === 'number') {
    refuse(cx, m, key, from, found);
    return;
  }
  cx.count('callsReplaced');
  const { leg, call, other } = found;
  const early = leg.state !== 'confirmed';
  const values = {
    state: 'trying',
    callId: m.callId,
    caller: userOf(uriOf(m.header(H.From) ?? '')),
    called: call.called,
    startedAt: cx.now,
    noAnswerAt: cx.now + cx.settings.noAnswerMs,
  } as const;
  const own = beginCall(cx, values, ccallOf(cx, call) ?? { kind: 'internal' });
  const fromValue = m.header(H.From) ?? '';
  const to = m.header(H.To) ?? '';
  const user = userOf(uriOf(fromValue));
  const aor = isExtension(cx.settings, unescapeUser(user)) ? unescapeUser(user) : '';
  const taker = callerLeg(cx, m, from, own, fromValue, to, {
    called: unescapeUser(user),
    extension: aor,
    trunk: '',
  });
  const stx = openServer(cx, m, key, from, taker.id, tagOf(taker));
  cx.store.patch(LEG, taker, { uas: stx.id });
  cx.store.patch(STX, stx, termsFor(cx, taker, m));
  trying(cx, m, stx);
  const t = cx.store.insert(TRANSFER, {
    kind: 'replace',
    state: 'joining',
    transferor: early ? 0 : leg.id,
    transferee: other.id,
    target: taker.id,
    targetCall: own.id,
    subscription: 'none',
    startedAt: cx.now,
  });
  if (early) {
    happen(cx, call, 'pickup', {
      leg: taker,
      m,
      ctx: undefined,
      status: 200,
      reason: '',
      tail: '',
    });
  }
  reoffer(cx, other, isOfferless(m) ? '' : bodyTail(m), 'transfer', t.id);
}
