/** Why something happened to a connection: CSTA event causes (ECMA-269 12.2.15), and where SIP says them. */

export const CAUSES = [
  'normal',
  'normalClearing',
  'callCancelled',
  'abandoned',
  'busy',
  'doNotDisturb',
  'noAnswer',
  'callRejected',
  'destNotObtainable',
  'invalidDestination',
  'blocked',
  'networkCongestion',
  'networkOutOfOrder',
  'resourcesNotAvailable',
  'timeout',
  'redirected',
  'overflow',
  'distributed',
  'callForward',
  'callPickup',
  'multipleAlerting',
  'transfer',
  'singleStepTransfer',
  'conference',
  'consultation',
  'alternate',
  'keyOperation',
  'makeCall',
  'predictive',
  'park',
  'recall',
  'agentLoggedOff',
  'silentMonitor',
  'warmStart',
] as const;
export type Cause = (typeof CAUSES)[number];

/** A final SIP status as a cause. */
export function causeOf(status: number): Cause {
  switch (status) {
    case 486:
    case 600:
      return 'busy';
    case 480:
    case 408:
      return 'noAnswer';
    case 403:
      return 'blocked';
    case 404:
    case 410:
    case 484:
    case 604:
      return 'invalidDestination';
    case 487:
      return 'callCancelled';
    case 603:
      return 'callRejected';
    case 503:
      return 'networkCongestion';
    default:
      return status >= 500 ? 'networkOutOfOrder' : 'destNotObtainable';
  }
}

/** A call that nobody answered for such a cause has failed. */
export const FAILURES: ReadonlySet<Cause> = new Set([
  'busy',
  'doNotDisturb',
  'noAnswer',
  'callRejected',
  'destNotObtainable',
  'invalidDestination',
  'blocked',
  'networkCongestion',
  'networkOutOfOrder',
  'resourcesNotAvailable',
]);
