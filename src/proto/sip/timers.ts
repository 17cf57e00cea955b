/**
 * The timers of RFC 3261 17 and RFC 6026, by name. A transaction row has three moments and no more:
 * when to send again, when to give up, and when to be forgotten. Each named timer is one of the
 * three in one kind of transaction, so `deadline` is the least of three fields and no timer handle
 * exists.
 */

import { isReliable, type Transport } from '../../base/peer.ts';
import type { Instant, Millis } from '../../base/units.ts';
import { NEVER } from '../../base/units.ts';
import type { SipSettings } from '../context.ts';

export type Moment = 'resendAt' | 'giveUpAt' | 'endAt';

export type TimerName = 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

type TimerFacts = {
  readonly moment: Moment;
  /** Its (first) length over an unreliable transport. */
  readonly length: (s: SipSettings) => Millis;
  /**
   * Over a reliable one: of the same length; at once, for there is nothing to absorb; or not at all,
   * for nothing is repeated to make it arrive.
   */
  readonly reliable: 'same' | 'zero' | 'never';
  readonly rfc: string;
};

/** RFC 3261 17.1.1.2: 64*T1 is the time a request or a 2xx is tried before it is given up. */
export function giveUpAfter(s: SipSettings): Millis {
  return 64 * s.t1;
}

export const TIMERS: { readonly [name in TimerName]: TimerFacts } = {
  A: {
    moment: 'resendAt',
    length: (s) => s.t1,
    reliable: 'never',
    rfc:
      '17.1.1.2: "When timer A fires, the client transaction MUST retransmit the request ' +
      'by passing it to the transport layer, and MUST reset the timer with a value of ' +
      '2*T1."',
  },
  B: {
    moment: 'giveUpAt',
    length: giveUpAfter,
    reliable: 'same',
    rfc:
      '17.1.1.2: "If the client transaction is still in the Calling state when timer B ' +
      'fires, the client transaction SHOULD inform the TU that a timeout has occurred."',
  },
  C: {
    moment: 'giveUpAt',
    // Later than the call's own end of patience, so for a new call only a second net.
    length: (s) => s.noAnswerMs + giveUpAfter(s),
    reliable: 'same',
    rfc:
      '16.6 step 11: "Timer C handles the case where an INVITE request never generates a final ' +
      'response."',
  },
  D: {
    moment: 'endAt',
    length: () => 32_000,
    reliable: 'zero',
    rfc:
      '17.1.1.2: "Timer D ... reflects the amount of time that the server transaction can ' +
      'remain in the Completed state when unreliable transports are used": at least 32 ' +
      'seconds.',
  },
  E: {
    moment: 'resendAt',
    length: (s) => s.t1,
    reliable: 'never',
    rfc:
      '17.1.2.2: "If timer E fires while still in this state, the timer is reset, but this ' +
      'time with a value of MIN(2*T1, T2)."',
  },
  F: {
    moment: 'giveUpAt',
    length: giveUpAfter,
    reliable: 'same',
    rfc:
      '17.1.2.2: "If Timer F fires while the client transaction is still in the Trying ' +
      'state, the client transaction SHOULD inform the TU about the timeout."',
  },
  G: {
    moment: 'resendAt',
    length: (s) => s.t1,
    reliable: 'never',
    rfc:
      '17.2.1: "If timer G fires, the response is passed to the transport layer once more ' +
      'for retransmission, and timer G is set to fire in MIN(2*T1, T2) seconds." The same ' +
      'schedule serves a 2xx (13.3.1.4).',
  },
  H: {
    moment: 'giveUpAt',
    length: giveUpAfter,
    reliable: 'same',
    rfc:
      '17.2.1: "If timer H fires while in the Completed state, it implies that the ACK was ' +
      'never received." For a 2xx 13.3.1.4 says the same of 64*T1.',
  },
  I: {
    moment: 'endAt',
    length: (s) => s.t4,
    reliable: 'zero',
    rfc:
      '17.2.1: "The purpose of the Confirmed state is to absorb any additional ACK ' +
      'messages that arrive": timer I is T4.',
  },
  J: {
    moment: 'endAt',
    length: giveUpAfter,
    // 0 by 17.2.2; but who lost his connection with the old primary asks once more by another
    reliable: 'same',
    rfc:
      '17.2.2: "When the server transaction enters the Completed state, it MUST set Timer ' +
      'J to fire in 64*T1 seconds for unreliable transports."',
  },
  K: {
    moment: 'endAt',
    length: (s) => s.t4,
    reliable: 'zero',
    rfc:
      '17.1.2.2: "The client transaction ... MUST set Timer K to fire in T4 seconds for ' +
      'unreliable transports": it buffers additional response retransmissions.',
  },
  L: {
    moment: 'endAt',
    length: giveUpAfter,
    reliable: 'same',
    rfc:
      'RFC 6026 7.1: Timer L reflects how long the server transaction stays in Accepted to ' +
      'absorb retransmitted INVITEs: 64*T1.',
  },
  M: {
    moment: 'endAt',
    length: giveUpAfter,
    reliable: 'same',
    rfc:
      'RFC 6026 7.2: Timer M reflects how long the client transaction stays in Accepted ' +
      'for retransmitted and forked 2xx: 64*T1.',
  },
};

/**
 * The moment a named timer fires when it is started now, 0 for never. `transport` is that of the
 * transaction.
 */
export function at(
  now: Instant,
  name: TimerName,
  settings: SipSettings,
  transport: Transport = 'udp',
): Instant {
  const { length, reliable } = TIMERS[name];
  if (reliable === 'same' || !isReliable(transport)) return now + length(settings);
  return reliable === 'zero' ? now : 0;
}

/** The least of three moments, of which 0 means "not set". */
export function soonest(a: Instant, b: Instant, c: Instant): Instant {
  let least = NEVER;
  if (a !== 0 && a < least) least = a;
  if (b !== 0 && b < least) least = b;
  if (c !== 0 && c < least) least = c;
  return least;
}
