/** One INVITE to somebody who is called: a leg of the call, and its transaction (RFC 3261 13.2.1). */

import type { Context } from '../proto/context.ts';
import { request } from '../proto/sip/client.ts';
import { descriptionIn, randomWord, SUPPORTED } from '../proto/sip/text.ts';
import { contactOf, dialogLines } from './leg.ts';
import type { Target } from './route.ts';
import { BINDING, type Call, LEG, type Leg } from './rows.ts';
import { sessionLines, TIMER_ONLY } from './session.ts';

export type Offer = {
  /** User part of the Contact we give. */
  readonly caller: string;
  /** From and To values without tags. */
  readonly localUri: string;
  readonly remoteUri: string;
  /** Max-Forwards. */
  readonly hops: number;
  /** Further headers, empty line, body. */
  readonly tail: string;
  /** No offer inside: the ACK will have to bring the answer. */
  readonly offerless: boolean;
  /** May the phone answer with reliable provisional responses? Said for an INVITE without an offer. */
  readonly reliable?: boolean;
};

/** Invites `target` into `call`. */
export function invite(cx: Context, call: Call, target: Target, offer: Offer): Leg {
  const { transport, ip, port } = target.peer;
  const leg = cx.store.insert(LEG, {
    call: call.id,
    side: 'callee',
    state: 'inviting',
    callId: `${randomWord(cx.chance)}${randomWord(cx.chance)}@${cx.settings.vip}`,
    tag: randomWord(cx.chance),
    localUri: offer.localUri,
    remoteUri: offer.remoteUri,
    localCseq: 1,
    remoteTarget: target.uri,
    user: offer.caller,
    transport,
    ip,
    port,
    nat: target.nat,
    binding: target.binding,
    offer: offer.offerless ? 'none' : 'local',
    offered: offer.offerless ? '' : descriptionIn(offer.tail),
    aor: target.binding === 0 ? '' : (cx.store.get(BINDING, target.binding)?.aor ?? ''),
  });
  const reliable = offer.reliable ?? !offer.offerless;
  const ctx = request(cx, {
    method: 'INVITE',
    uri: leg.remoteTarget,
    route: target.route,
    rest:
      `Max-Forwards: ${offer.hops}\r\n${dialogLines(leg, false)}CSeq: 1 INVITE\r\n` +
      contactOf(cx, leg) +
      sessionLines(cx, leg, reliable ? SUPPORTED : TIMER_ONLY) +
      offer.tail,
    cseq: 1,
    to: leg,
    leg: leg.id,
    onward: 0,
    offerless: offer.offerless,
  });
  cx.store.patch(LEG, leg, { uac: ctx.id });
  return leg;
}
