/**
 * What the calls keep: who is registered where, which calls exist, and the dialogs ("legs") they
 * are made of. Written so that an operator who opens the database can read it.
 */

import { TRANSPORTS } from '../base/peer.ts';
import { type RowOf, table } from '../base/row.ts';
import { NEVER } from '../base/units.ts';
import { OFFER_STATES } from '../proto/sip/offers.ts';
import { soonest } from '../proto/sip/timers.ts';

export const BINDING = table({
  name: 'binding',
  about: 'Registrations: where an extension can be reached, and until when (RFC 3261 10.3).',
  number: 1,
  fields: {
    /** The extension. */
    aor: 'text',
    /** The Contact URI it gave, which requests to it carry. */
    contact: 'text',
    /** Where requests are sent, and the address the REGISTER came from. */
    ip: 'text',
    port: 'int',
    sourceIp: 'text',
    sourcePort: 'int',
    /** What it says of itself is not where it is: send to the source only. */
    nat: 'flag',
    callId: 'text',
    cseq: 'int',
    /** Preference, 0 to 1000. */
    q: 'int',
    registeredAt: 'time',
    expiresAt: 'time',
    userAgent: 'text',
    instance: 'text',
    /** The last nonce that authenticated it and its count, so that neither can be used again. */
    nonce: 'text',
    nonceCount: 'int',
    transport: TRANSPORTS,
    /** Route lines of requests to it, as its Path said (RFC 3327); '' for none. */
    path: 'text',
    /** Which of its phone's connections this is (RFC 5626 4.2.1); 0: its phone does not say. */
    regId: 'int',
  },
  indexes: { aor: 'many' },
  deadline: (row) => row.expiresAt,
  warm: true,
});

export const CALL = table({
  name: 'call',
  about: 'Calls: one row each, from the INVITE to the end of its last leg.',
  number: 2,
  fields: {
    state: ['trying', 'ringing', 'talking', 'ending'],
    /** Call-ID of the caller's INVITE; finds merged requests (RFC 3261 8.2.2.2). */
    callId: 'text',
    caller: 'text',
    called: 'text',
    startedAt: 'time',
    answeredAt: 'time',
    noAnswerAt: 'time',
    /** Leg that answered; 0 for none. */
    winner: 'int',
    /** Best refusal so far (RFC 3261 16.7 step 6): code, phrase and the rest of the response. */
    refusal: 'int',
    refusalReason: 'text',
    refusalTail: 'text',
    /** The call it is part of for programs and in CDRs (csta/rows.ts). */
    ccall: 'int',
  },
  indexes: { callId: 'many' },
  deadline: (row) => (row.noAnswerAt === 0 ? NEVER : row.noAnswerAt),
  warm: false,
});

export const LEG = table({
  name: 'leg',
  about: 'Legs: our side of each dialog (RFC 3261 12.1).',
  number: 3,
  fields: {
    call: 'int',
    side: ['caller', 'callee'],
    /**
     * closing: our BYE waits for the ACK to our 2xx (RFC 3261 15). ending: our BYE is out.
     * subscribed: the session is over, but the dialog still has a subscription (RFC 5057 3.1).
     */
    state: ['inviting', 'early', 'confirmed', 'closing', 'ending', 'subscribed'],
    callId: 'text',
    /** Random part of the local tag; the tag is made of it and the id. */
    tag: 'text',
    remoteTag: 'text',
    /** From/To values without tag, for requests we send: localUri is our From. */
    localUri: 'text',
    remoteUri: 'text',
    localCseq: 'int',
    remoteCseq: 'int',
    remoteTarget: 'text',
    /** Route lines, ready to send; '' for none. */
    routeSet: 'text',
    /** User part of the Contact we give on this leg. */
    user: 'text',
    /** Next hop, and whether it is fixed because a NAT lies between. */
    ip: 'text',
    port: 'int',
    nat: 'flag',
    /** The last INVITE from the other side (server) and to it (client); 0 for none. */
    uas: 'int',
    uac: 'int',
    transport: TRANSPORTS,
    /** The registration by which its other side is reached; 0 for none. */
    binding: 'int',
    /** Where the exchange of session descriptions stands (offers.ts). */
    offer: OFFER_STATES,
    /**
     * The session description we sent last that holds, or the first; and a later one that waits for
     * its answer, with their headers: what a refresh by re-INVITE repeats, and what the next one
     * continues.
     */
    sdp: 'text',
    offered: 'text',
    /**
     * An answer a phone gave in a reliable provisional response that its caller could not be given
     * reliably: our 2xx brings it.
     */
    answer: 'text',
    /** The other side: does it take reliable provisional responses (a caller), and UPDATE. */
    reliable: ['no', 'can', 'must'],
    update: 'flag',
    /** RSeq of the last reliable provisional response, ours (caller) or its (callee); 0 for none. */
    rseq: 'int',
    /** Session timer (RFC 4028): interval in seconds (0: none), Min-SE it asked for, who refreshes. */
    sessionS: 'int',
    minSe: 'int',
    refresher: ['none', 'us', 'them'],
    /** When we refresh, and when the session ends unless somebody did; 0 for not at all. */
    refreshAt: 'time',
    expiresAt: 'time',
    /** The extension whose phone the other side is; '' for none. */
    aor: 'text',
    /** The trunk it uses; '' for none. What a trunk carries is counted by it. */
    trunk: 'text',
    /**
     * The leg a transfer connected it with, in whichever call; its own id: nobody any more; 0: the
     * other side of its call.
     */
    peer: 'int',
    /**
     * The o= line we said last, and the same as its author said it, once the two differ (RFC 3264 8);
     * '' while what we pass on can stay as it is.
     */
    origin: 'text',
    author: 'text',
    /** A caller who asked that his identity go no further (RFC 3323). */
    anonymous: 'flag',
    /**
     * What the other side is: a device of the call, a media service, somebody who listens in, a device
     * that left it by a transfer and is still to be hung up.
     */
    part: ['device', 'media', 'monitor', 'left'],
    /** A program holds it: its own side hears what was put in its place. */
    held: 'flag',
    /** A program muted it: nothing of what it sends is wanted. */
    muted: 'flag',
  },
  indexes: { call: 'many', aor: 'many', trunk: 'many' },
  deadline: (row) => (row.state === 'confirmed' ? soonest(row.refreshAt, row.expiresAt, 0) : NEVER),
  warm: false,
});

export const RPR = table({
  name: 'rpr',
  about: 'Reliable provisional responses a caller must acknowledge, and what waits (RFC 3262 3).',
  number: 8,
  fields: {
    /** The caller's INVITE with its CSeq and Call-ID, and his leg, which may be gone. */
    stx: 'int',
    cseq: 'int',
    callId: 'text',
    leg: 'int',
    /** 0 while it waits its turn. */
    rseq: 'int',
    /** Response and whether it brings a session description; the text only while it waits. */
    status: 'int',
    reason: 'text',
    tail: 'text',
    sdp: 'flag',
    reliable: 'flag',
    /** The response of a phone that this passes on, acknowledged when this is; 0 for none. */
    callee: 'int',
    calleeRseq: 'int',
    interval: 'int',
    resendAt: 'time',
    giveUpAt: 'time',
    endAt: 'time',
  },
  indexes: { leg: 'many' },
  deadline: (row) => soonest(row.resendAt, row.giveUpAt, row.endAt),
  warm: false,
});

export type Binding = RowOf<typeof BINDING.fields>;
export type Call = RowOf<typeof CALL.fields>;
export type Leg = RowOf<typeof LEG.fields>;
export type Rpr = RowOf<typeof RPR.fields>;
