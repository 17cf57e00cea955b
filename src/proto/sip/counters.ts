/** What SIP counts, for status and SNMP. Counters are not state: they start at 0 on each box. */

export const COUNTERS = [
  /** Datagrams taken in, by what they were. */
  'requestsIn',
  'responsesIn',
  'keepalivesIn',
  /** Said, each time it is said. */
  'requestsOut',
  'responsesOut',
  /** Malformed and answered, malformed and dropped. */
  'faultsAnswered',
  'faultsDropped',
  /** A retransmission was recognised and answered, or absorbed, from a row. */
  'requestsRepeatedIn',
  'responsesRepeatedIn',
  /** Sent again by timers A, E, G. */
  'requestsResent',
  'responsesResent',
  /** Nothing we know: responses and ACKs without a transaction or dialog. */
  'responsesStray',
  'acksStray',
  'requestsOutsideDialog',
  /** Timers B, F, H and the missing ACK to a 2xx. */
  'timeoutsInvite',
  'timeoutsRequest',
  'timeoutsAck',
  /** Reliable provisional responses sent again, and given up (RFC 3262 3). */
  'reliableResent',
  'timeoutsPrack',
  /** Sessions we refreshed, that ended unrefreshed, and intervals refused 422 (RFC 4028). */
  'sessionsRefreshed',
  'sessionsExpired',
  'sessionsTooSmall',
  'callsTried',
  'callsAnswered',
  'callsRefused',
  'callsCancelled',
  'callsUnanswered',
  'callsEnded',
  'callsOverload',
  'callsLooped',
  /** Another trunk or backup contact was tried; the class of service forbids; no trunk serves. */
  'callsHunted',
  'callsBarred',
  'callsUnroutable',
  'callsEmergency',
  /** Trunk contacts that went out of service. */
  'contactsLost',
  'challenges',
  'authFailures',
  /** Not answered: too many from one source; guesses of passwords; from our own address. */
  'floodDropped',
  'authLocked',
  'fromOurselves',
  'requestsForged',
  'registrations',
  'registrationsExpired',
  /** Requests that failed because no connection could be made. */
  'transportFailures',
  /** Accepted, lapsed without a refresh, and ended because a NOTIFY told nobody. */
  'subscriptions',
  'subscriptionsExpired',
  'subscriptionsLost',
  'notificationsSent',
  'notificationsRefused',
  'mailboxesTold',
  'messagesRelayed',
  /** REFER accepted, refused; what came of those accepted; INVITEs with Replaces; 3xx followed. */
  'transfersTried',
  'transfersRefused',
  'transfersDone',
  'transfersFailed',
  'callsReplaced',
  'callsRedirected',
  /** Calls that came to wait at a routing point or in a queue. */
  'callsWaited',
  'callsForwarded',
] as const;

export type CounterName = (typeof COUNTERS)[number];
