/** One INVITE to somebody who is called: a leg of the call, and its transaction (RFC 3261 13.2.1). */

import type { Context } from '../proto/context.ts';
import { request } from '../proto/sip/client.ts';
import { descriptionIn, randomWord, SUPPORTED } from '../proto/sip/text.ts';
import { trunkOf } from '../proto/site.ts';
import { limitRinging } from './device/features.ts';
import { dress, identityLine } from './identity.ts';
import { wayFor } from './large.ts';
import { contactOf, dialogLines } from './leg.ts';
import type { Target } from './route.ts';
import { type Call, LEG, type Leg } from './rows.ts';
import { sessionLines, TIMER_ONLY } from './session.ts';
import { contactKey, contactRow } from './trunk.ts';
import { CONTACT } from './trunk-rows.ts';

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
  /** Value of P-Asserted-Identity: who the caller is known to be; '' or left out: not known. */
  readonly identity?: string;
  /** He asked that this go no further (RFC 3323). */
  readonly anonymous?: boolean;
  /** Feature parameter of our Contact (RFC 3840); '' or left out: none. */
  readonly feature?: string;
  /** What he is who is called; left out: a device. */
  readonly part?: Leg['part'];
  /** The description in `tail` with its headers, where the caller has it at hand. */
  readonly description?: string;
};

/** Invites `target` into `call`. */
export function invite(cx: Context, call: Call, target: Target, offer: Offer): Leg {
  const { transport, ip, port } = target.peer;
  const trunk = trunkOf(cx.settings.site, target.hop?.trunk ?? '');
  const { localUri, remoteUri, tail } = offer;
  const clothes =
    trunk === undefined || target.hop === undefined
      ? { user: offer.caller, localUri, remoteUri, lines: identityLine(offer), tail }
      : dress(cx, offer, trunk, target.hop, target.peer, target.uri);
  const leg = cx.store.insert(LEG, {
    call: call.id,
    side: 'callee',
    state: 'inviting',
    callId: `${randomWord(cx.chance)}${randomWord(cx.chance)}@${cx.settings.vip}`,
    tag: randomWord(cx.chance),
    localUri: clothes.localUri,
    remoteUri: clothes.remoteUri,
    localCseq: 1,
    remoteTarget: target.uri,
    user: clothes.user,
    transport,
    ip,
    port,
    nat: target.nat,
    binding: target.binding,
    offer: offer.offerless ? 'none' : 'local',
    sdp: offer.offerless ? '' : (offer.description ?? descriptionIn(offer.tail)),
    aor: target.extension,
    trunk: trunk?.name ?? '',
    part: offer.part ?? 'device',
  });
  const reliable = offer.reliable ?? !offer.offerless;
  const rest =
    `Max-Forwards: ${offer.hops}\r\n${dialogLines(leg, false)}CSeq: 1 INVITE\r\n` +
    contactWith(contactOf(cx, leg), offer.feature ?? '') +
    sessionLines(cx, leg, reliable ? SUPPORTED : TIMER_ONLY) +
    clothes.lines +
    clothes.tail;
  const ctx = request(cx, {
    method: 'INVITE',
    uri: leg.remoteTarget,
    route: target.route,
    rest,
    cseq: 1,
    to: wayFor(cx, leg, leg.remoteTarget, target.route, rest),
    leg: leg.id,
    onward: 0,
    offerless: offer.offerless,
  });
  cx.store.patch(LEG, leg, { uac: ctx.id });
  limitRinging(cx, leg);
  if (trunk !== undefined) takeTurn(cx, call, trunk.name);
  return leg;
}

function contactWith(contact: string, feature: string): string {
  return feature === '' ? contact : contact.replace('>', `>;${feature}`);
}

/** Trunks that take turns remember who was last. */
function takeTurn(cx: Context, call: Call, name: string): void {
  const { groups, trunks } = cx.settings.site;
  if (!groups.some((g) => g.order === 'round-robin' && g.trunks.includes(name))) return;
  const trunk = trunks.find((t) => t.name === name);
  const row = trunk === undefined ? undefined : contactRow(cx, contactKey(trunk, 0));
  if (row !== undefined) cx.store.patch(CONTACT, row, { lastUsed: call.id });
}
