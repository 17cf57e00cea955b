/**
 * Offer and answer (RFC 3264, RFC 6337) as data: where the exchange of session descriptions stands
 * on one leg, and what each description that comes or goes does to it.
 *
 *   none     nothing was described yet           local    our offer waits for the other's answer
 *   stable   both sides agree                    remote   the other's offer waits for our answer
 *
 * A back-to-back user agent has two legs: what one side offers is offered to the other, so a
 * request with an offer is passed on only when both tables allow it. A test proves the table total.
 */

export const OFFER_STATES = ['none', 'local', 'remote', 'stable'] as const;
export type OfferState = (typeof OFFER_STATES)[number];

export type OfferEvent =
  | 'offerIn'
  | 'answerIn'
  | 'offerOut'
  | 'answerOut'
  /** The offer was refused, or nobody answered: the session is what it was (RFC 3261 14.1). */
  | 'failed';

export type OfferCell = {
  readonly to: OfferState;
  /** Status that refuses a request with this offer; 0: it may go on. */
  readonly refuse: 0 | 491 | 500;
};

const to = (state: OfferState, refuse: 0 | 491 | 500 = 0): OfferCell => ({ to: state, refuse });

export const OFFER_MACHINE: {
  readonly [s in OfferState]: { readonly [e in OfferEvent]: OfferCell };
} = {
  none: {
    offerIn: to('remote'),
    answerIn: to('none'),
    offerOut: to('local'),
    answerOut: to('none'),
    failed: to('none'),
  },
  local: {
    // RFC 3311 5.2: "If an UPDATE is received that contains an offer, and the UAS has generated an
    // offer ... to which it has not yet received an answer, the UAS MUST reject the UPDATE with a
    // 491 response."
    offerIn: to('local', 491),
    answerIn: to('stable'),
    // RFC 3264 4: "It MUST NOT generate a new offer if it has already generated one that is
    // outstanding": the one who wants it tries again.
    offerOut: to('local', 491),
    answerOut: to('local'),
    failed: to('stable'),
  },
  remote: {
    // RFC 3311 5.2: "if an UPDATE is received that contains an offer, and the UAS has received an
    // offer ... to which it has not yet generated an answer, the UAS MUST reject the UPDATE with a
    // 500 response, and MUST include a Retry-After header field".
    offerIn: to('remote', 500),
    answerIn: to('remote'),
    offerOut: to('remote', 491),
    answerOut: to('stable'),
    failed: to('stable'),
  },
  stable: {
    offerIn: to('remote'),
    // RFC 3261 13.2.1: the first description is the answer, further ones "MUST" be ignored.
    answerIn: to('stable'),
    offerOut: to('local'),
    answerOut: to('stable'),
    failed: to('stable'),
  },
};
