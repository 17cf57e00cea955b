/**
 * Transactions as rows. Nothing here is a copy that could be worked out again: our branch and our
 * tag are made of the row's own id and a random part that is stored, so that a response or a
 * request finds its row by number and is then checked against the random part. A text is kept only
 * while it may have to be sent again.
 */

import { TRANSPORTS } from '../../base/peer.ts';
import { type RowOf, table } from '../../base/row.ts';
import { soonest } from './timers.ts';

/** Methods a transaction can have. */
export const METHOD_TAGS = [
  'INVITE',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'UPDATE',
  'INFO',
  'MESSAGE',
  'PRACK',
  'REFER',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
] as const;

export type Method = (typeof METHOD_TAGS)[number];

export const STX = table({
  name: 'stx',
  about: 'Server transactions: requests received and what was answered (RFC 3261 17.2).',
  number: 4,
  fields: {
    /** RFC 3261 17.2.3: branch, sent-by, method; ACK counts as INVITE. */
    key: 'text',
    method: METHOD_TAGS,
    state: ['trying', 'proceeding', 'completed', 'confirmed', 'accepted'],
    cseq: 'int',
    /** Where responses go: RFC 3261 18.2.2 with RFC 3581. */
    ip: 'text',
    port: 'int',
    /** Via, From, Call-ID, CSeq, Record-Route and To of every response; '' when none can follow. */
    head: 'text',
    /**
     * The last response: its code, and what follows the head while it may be repeated ('': no
     * more).
     */
    status: 'int',
    response: 'text',
    /** Reason phrase when it is not the registered one. */
    reason: 'text',
    /** The leg the request belongs to; 0 for none. */
    leg: 'int',
    /** The client transaction by which the request was passed on; 0 for none. */
    onward: 'int',
    /** T of the last interval of G. */
    interval: 'int',
    resendAt: 'time',
    giveUpAt: 'time',
    endAt: 'time',
    transport: TRANSPORTS,
    /**
     * INVITE, UPDATE: the session interval our 2xx will name, in seconds (0: none), and who refreshes
     * (RFC 4028 9).
     */
    sessionS: 'int',
    refresher: ['none', 'us', 'them'],
  },
  indexes: { key: 'unique' },
  deadline: (row) => soonest(row.resendAt, row.giveUpAt, row.endAt),
  warm: false,
});

export const CTX = table({
  name: 'ctx',
  about: 'Client transactions: requests we sent and wait on (RFC 3261 17.1).',
  number: 5,
  fields: {
    method: METHOD_TAGS,
    state: ['calling', 'trying', 'proceeding', 'completed', 'accepted'],
    cseq: 'int',
    /** Random part of the branch. */
    rnd: 'text',
    /** A CANCEL has the branch of this INVITE (RFC 3261 9.1); 0 otherwise. */
    cancels: 'int',
    ip: 'text',
    port: 'int',
    /** Request-URI and Route lines, which CANCEL and the ACK of a refusal repeat (17.1.1.3). */
    uri: 'text',
    route: 'text',
    /** The whole request without its Via, while it may have to be sent again. */
    request: 'text',
    leg: 'int',
    /** The server transaction this passes on; 0 when the request is our own. */
    onward: 'int',
    /**
     * INVITE: a CANCEL waits for a provisional response, or was sent as transaction
     * `cancelledBy`.
     */
    cancel: ['no', 'wanted', 'sent'],
    cancelledBy: 'int',
    /**
     * INVITE without an offer: the 2xx brings it, and the ACK waits for the answer from the other
     * side. (PRACK: it brought an answer, no offer.) `acked` says it went out, with `ackBody`. Otherwise the 2xx is acknowledged at once,
     * and the ACK of a repeated 2xx is made again from the leg.
     */
    offerless: 'flag',
    acked: 'flag',
    ackBody: 'text',
    interval: 'int',
    resendAt: 'time',
    giveUpAt: 'time',
    endAt: 'time',
    transport: TRANSPORTS,
    /** A session refresh of our own (RFC 4028 10): nobody waits for its response but us. */
    refresh: 'flag',
    /** NOTIFY: the subscription it tells; 0 for none. */
    subscription: 'int',
    /** Where its receiver listens, as its registration says; '' where that is not known. */
    ear: 'text',
  },
  indexes: {},
  deadline: (row) => soonest(row.resendAt, row.giveUpAt, row.endAt),
  warm: false,
});

export type Stx = RowOf<typeof STX.fields>;
export type Ctx = RowOf<typeof CTX.fields>;
