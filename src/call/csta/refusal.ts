/**
 * Why a request of a program is refused: stable codes, named as the error values of CSTA (ECMA-269
 * 12.2.9), and one sentence each. Programs compare codes, never sentences.
 */

import type { JsonObject } from '../../base/json.ts';

export const REFUSALS = {
  invalidDeviceId: 'There is no such device.',
  invalidCallId: 'There is no such call.',
  invalidConnectionId: 'The device has no connection to this call.',
  invalidConnectionState: 'The connection is in a state in which this cannot be done.',
  invalidCalledDevice: 'The called number leads nowhere.',
  invalidDestination: 'The call cannot be sent there.',
  invalidFeature: 'This is not a feature of the device.',
  invalidParameter: 'A parameter has a value that means nothing here.',
  deviceOutOfService: 'The device is not registered.',
  resourceBusy: 'The device or the call is busy with something else; try again.',
  resourceOutOfService: 'No media service can do this now.',
  privilegeViolation: 'The program may not do this.',
  requestIncompatibleWithCall: 'The call is in a state in which this cannot be done.',
  requestIncompatibleWithDevice: 'The device is set so that this cannot be done with it.',
  noCallToAnswer: 'No call rings at the device.',
  noActiveCall: 'The device has no active call.',
  noHeldCall: 'The device holds no call.',
  noCallToClear: 'There is nothing to clear.',
  invalidAgentId: 'There is no such agent.',
  invalidPassword: 'The password is wrong.',
  invalidAgentState: 'The agent is in a state from which this cannot be reached.',
  agentAlreadyLoggedOn: 'The agent is logged on at another device.',
  deviceAlreadyHasAgent: 'Another agent is logged on at the device.',
  notSupported: 'This is not supported.',
  limitReached: 'There are too many of these already.',
  overload: 'The system has too much to do; try again later.',
  routeTimerExpired: 'The time to route this call is over.',
  invalidRouteId: 'No call waits to be routed under this reference.',
  invalidMonitor: 'There is no such monitor.',
  notPrimary: 'This box does not serve now; ask the other.',
  unknownSession: 'There is no such session.',
  eventsLost: 'Events that were missed are not kept any more; take snapshots.',
} as const satisfies { readonly [code: string]: string };

export type RefusalCode = keyof typeof REFUSALS;

/** A request that was refused: nothing was done. */
export type Refusal = { readonly refused: RefusalCode; readonly text: string };

/** A request that was done or is under way: its result, a plain object. */
export type Done = JsonObject;

/** @param more what is to be known besides the code's own sentence; '' for nothing. */
export function refuse(refused: RefusalCode, more = ''): Refusal {
  return { refused, text: more === '' ? REFUSALS[refused] : `${REFUSALS[refused]} ${more}` };
}

export function isRefusal<T extends object>(x: T | Refusal): x is Refusal {
  return 'refused' in x;
}
