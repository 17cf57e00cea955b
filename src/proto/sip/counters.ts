/** What SIP counts, for status and SNMP. Counters are not state: they start at 0 on each box. */

export const COUNTERS = [
  /** Datagrams taken in, by what they were. */
  'requestsIn',
  'responsesIn',
  'keepalivesIn',
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
  'callsTried',
  'callsAnswered',
  'callsRefused',
  'callsCancelled',
  'callsUnanswered',
  'callsEnded',
  'callsOverload',
  'challenges',
  'authFailures',
  'registrations',
  'registrationsExpired',
  /** REFER accepted, refused; what came of those accepted; INVITEs with Replaces; 3xx followed. */
  'transfersTried',
  'transfersRefused',
  'transfersDone',
  'transfersFailed',
  'callsReplaced',
  'callsRedirected',
] as const;

export type CounterName = (typeof COUNTERS)[number];
