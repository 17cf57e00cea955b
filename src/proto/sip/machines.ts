/**
 * The four transaction machines of RFC 3261 17, with the corrections of RFC 6026, as data.
 *
 *   state × event → next state and the actions to take, in order
 *
 * Everything that decides how a transaction moves is in this file; `server.ts` and `client.ts` only
 * carry out the named actions. A cell that is `IGNORE` absorbs the event. A test proves that each
 * table has every cell, that every state is reached and that every state can end.
 *
 * resend, giveUp and end are the three moments of a row (timers.ts): A/E/G, B/F/H and D/I/J/K/L/M.
 */

import type { TimerName } from './timers.ts';

/** gone: the row is removed. */
export type Next<S extends string> = S | 'same' | 'gone';

export type Action =
  /** Send the stored text again. */
  | 'repeat'
  /** Hand the event to the transaction user (the calls). */
  | 'tell'
  /** Tell the transaction user that nothing came. */
  | 'timeout'
  /** Acknowledge a refusal (RFC 3261 17.1.1.3). */
  | 'ack'
  /** Send what the transaction user says, and keep it for `repeat`. */
  | 'send'
  /** Nothing is sent again or given up any more; stored texts go. */
  | 'quiet'
  /** The same, but the text stays: the INVITE may have to be sent once more, a little different. */
  | 'still'
  /** Twice the interval (A). */
  | 'double'
  /** Twice the interval up to T2 (E, G). */
  | 'backOff'
  /** The interval is T2 (E in Proceeding). */
  | 'slow'
  | `start${TimerName}`;

export type Cell<S extends string> = { readonly to: Next<S>; readonly act: readonly Action[] };
export type Machine<S extends string, E extends string> = {
  readonly [state in S]: { readonly [event in E]: Cell<S> };
};

const IGNORE = { to: 'same', act: [] } as const;

export type ServerEvent =
  | 'request'
  | 'ack'
  | 'provisional'
  | 'success'
  | 'refusal'
  | 'resend'
  | 'giveUp'
  | 'end';
export type ClientEvent = 'provisional' | 'success' | 'refusal' | 'resend' | 'giveUp' | 'end';

export type InviteServerState = 'proceeding' | 'completed' | 'confirmed' | 'accepted';

/** RFC 3261 17.2.1, figure 7, as corrected by RFC 6026 7.1. */
export const INVITE_SERVER: Machine<InviteServerState, ServerEvent> = {
  proceeding: {
    // "If a request retransmission is received while in the Proceeding state, the most recent
    // provisional response that was received from the TU MUST be passed to the transport layer"
    request: { to: 'same', act: ['repeat'] },
    ack: IGNORE,
    provisional: { to: 'same', act: ['send'] },
    success: { to: 'accepted', act: ['send', 'startG', 'startH', 'startL'] },
    refusal: { to: 'completed', act: ['send', 'startG', 'startH'] },
    resend: IGNORE,
    giveUp: IGNORE,
    end: IGNORE,
  },
  completed: {
    request: { to: 'same', act: ['repeat'] },
    ack: { to: 'confirmed', act: ['quiet', 'startI'] },
    // "Any other final responses passed by the TU to the server transaction MUST be discarded"
    provisional: IGNORE,
    success: IGNORE,
    refusal: IGNORE,
    resend: { to: 'same', act: ['repeat', 'backOff'] },
    giveUp: { to: 'gone', act: [] },
    end: IGNORE,
  },
  confirmed: {
    request: IGNORE,
    ack: IGNORE,
    provisional: IGNORE,
    success: IGNORE,
    refusal: IGNORE,
    resend: IGNORE,
    giveUp: IGNORE,
    end: { to: 'gone', act: [] },
  },
  accepted: {
    // RFC 6026 7.1: retransmitted INVITEs are absorbed; the 2xx is repeated by its own timer.
    request: IGNORE,
    // "any ACKs received from the network while in the Accepted state MUST be passed directly to
    // the TU and not absorbed"
    ack: { to: 'same', act: ['tell'] },
    provisional: IGNORE,
    success: IGNORE,
    refusal: IGNORE,
    // RFC 3261 13.3.1.4: the 2xx is repeated at T1, doubling up to T2, until its ACK ...
    resend: { to: 'same', act: ['repeat', 'backOff'] },
    // ... and after 64*T1 without one "the session SHOULD be terminated".
    giveUp: { to: 'same', act: ['quiet', 'timeout'] },
    end: { to: 'gone', act: [] },
  },
};

export type OtherServerState = 'trying' | 'proceeding' | 'completed';

/** RFC 3261 17.2.2, figure 8. */
export const OTHER_SERVER: Machine<OtherServerState, ServerEvent> = {
  trying: {
    // "Once in the Trying state, any further request retransmissions are discarded."
    request: IGNORE,
    ack: IGNORE,
    provisional: { to: 'proceeding', act: ['send'] },
    success: { to: 'completed', act: ['send', 'startJ'] },
    refusal: { to: 'completed', act: ['send', 'startJ'] },
    resend: IGNORE,
    giveUp: IGNORE,
    end: IGNORE,
  },
  proceeding: {
    request: { to: 'same', act: ['repeat'] },
    ack: IGNORE,
    provisional: { to: 'same', act: ['send'] },
    success: { to: 'completed', act: ['send', 'startJ'] },
    refusal: { to: 'completed', act: ['send', 'startJ'] },
    resend: IGNORE,
    giveUp: IGNORE,
    end: IGNORE,
  },
  completed: {
    request: { to: 'same', act: ['repeat'] },
    ack: IGNORE,
    provisional: IGNORE,
    success: IGNORE,
    refusal: IGNORE,
    resend: IGNORE,
    giveUp: IGNORE,
    end: { to: 'gone', act: [] },
  },
};

export type InviteClientState = 'calling' | 'proceeding' | 'completed' | 'accepted';

/** RFC 3261 17.1.1.2, figure 5, as corrected by RFC 6026 7.2. */
export const INVITE_CLIENT: Machine<InviteClientState, ClientEvent> = {
  calling: {
    provisional: { to: 'proceeding', act: ['still', 'startC', 'tell'] },
    success: { to: 'accepted', act: ['quiet', 'startM', 'tell'] },
    refusal: { to: 'completed', act: ['quiet', 'ack', 'startD', 'tell'] },
    resend: { to: 'same', act: ['repeat', 'double'] },
    giveUp: { to: 'gone', act: ['timeout'] },
    end: IGNORE,
  },
  proceeding: {
    provisional: { to: 'same', act: ['tell'] },
    success: { to: 'accepted', act: ['quiet', 'startM', 'tell'] },
    refusal: { to: 'completed', act: ['quiet', 'ack', 'startD', 'tell'] },
    resend: IGNORE,
    // Timer C, or sooner after CANCEL: RFC 3261 9.1, no final response in 64*T1.
    giveUp: { to: 'gone', act: ['timeout'] },
    end: IGNORE,
  },
  completed: {
    provisional: IGNORE,
    success: IGNORE,
    // "Any retransmissions of the final response that are received while in the Completed state
    // MUST cause the ACK to be re-passed to the transport layer"
    refusal: { to: 'same', act: ['ack'] },
    resend: IGNORE,
    giveUp: IGNORE,
    end: { to: 'gone', act: [] },
  },
  accepted: {
    provisional: IGNORE,
    // RFC 6026 7.2: a 2xx in Accepted is passed to the TU, which acknowledges it.
    success: { to: 'same', act: ['tell'] },
    refusal: IGNORE,
    resend: IGNORE,
    giveUp: IGNORE,
    end: { to: 'gone', act: [] },
  },
};

export type OtherClientState = 'trying' | 'proceeding' | 'completed';

/** RFC 3261 17.1.2.2, figure 6. */
export const OTHER_CLIENT: Machine<OtherClientState, ClientEvent> = {
  trying: {
    provisional: { to: 'proceeding', act: ['tell'] },
    success: { to: 'completed', act: ['quiet', 'startK', 'tell'] },
    refusal: { to: 'completed', act: ['quiet', 'startK', 'tell'] },
    resend: { to: 'same', act: ['repeat', 'backOff'] },
    giveUp: { to: 'gone', act: ['timeout'] },
    end: IGNORE,
  },
  proceeding: {
    provisional: { to: 'same', act: ['tell'] },
    success: { to: 'completed', act: ['quiet', 'startK', 'tell'] },
    refusal: { to: 'completed', act: ['quiet', 'startK', 'tell'] },
    // "If Timer E fires while in the Proceeding state, the request MUST be passed to the transport
    // layer for retransmission, and Timer E MUST be reset with a value of T2 seconds."
    resend: { to: 'same', act: ['repeat', 'slow'] },
    giveUp: { to: 'gone', act: ['timeout'] },
    end: IGNORE,
  },
  completed: {
    provisional: IGNORE,
    success: IGNORE,
    refusal: IGNORE,
    resend: IGNORE,
    giveUp: IGNORE,
    end: { to: 'gone', act: [] },
  },
};
