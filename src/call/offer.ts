/**
 * Offer and answer on the legs: a session description that came or goes moves its leg by the table
 * of `proto/sip/offers.ts`, and what we said last is kept for the day we must repeat it.
 */

import type { Context } from '../proto/context.ts';
import { OFFER_MACHINE, type OfferEvent } from '../proto/sip/offers.ts';
import { bodyTail, isOfferless } from '../proto/sip/text.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { continued } from './origin.ts';
import { LEG, type Leg } from './rows.ts';

/** True when `m` brings a session description. */
export function describes(m: SipMessage): boolean {
  return !isOfferless(m);
}

/** Status that refuses an offer from `leg`, or to it, as things stand; 0: it may go on. */
export function refusesOffer(leg: Leg, event: 'offerIn' | 'offerOut'): 0 | 491 | 500 {
  return OFFER_MACHINE[leg.offer][event].refuse;
}

/**
 * Moves a leg. `said` is the message whose description goes out on the leg, with `offerOut` and
 * `answerOut`.
 */
export function exchange(cx: Context, leg: Leg, event: OfferEvent, said?: SipMessage): void {
  const text = said === undefined ? '' : bodyTail(said, continued(cx, leg, said.body));
  move(cx, leg, event, text);
}

/** The same with the text of the description at hand. */
export function move(cx: Context, leg: Leg, event: OfferEvent, text: string): void {
  const before = leg.offer;
  const { to } = OFFER_MACHINE[before][event];
  if (to === before) return;
  if (event === 'offerOut') cx.store.patch(LEG, leg, { offer: to, offered: text });
  else if (event === 'answerOut') cx.store.patch(LEG, leg, { offer: to, sdp: text });
  else if (event === 'answerIn') {
    cx.store.patch(LEG, leg, { offer: to, sdp: leg.offered, offered: '' });
  } else cx.store.patch(LEG, leg, { offer: to, offered: '' });
}

/** A response or an ACK brings a description: the answer to what we offered, else an offer. */
export function heard(cx: Context, leg: Leg): void {
  if (leg.offer === 'local') exchange(cx, leg, 'answerIn');
  else if (leg.offer === 'none') exchange(cx, leg, 'offerIn');
}

/** The other way round: a response or an ACK of ours brings one. */
export function spoke(cx: Context, leg: Leg, said: SipMessage): void {
  if (leg.offer === 'remote') exchange(cx, leg, 'answerOut', said);
  else if (leg.offer === 'none') exchange(cx, leg, 'offerOut', said);
}
