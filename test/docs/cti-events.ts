/**
 * Events as the integrator's guide tells them: when each comes, and what it carries besides what all
 * have. The type wants a line for every event there is; a test holds each example against the schema.
 */

import type { EventName } from '../../src/call/csta/event.ts';

export type EventFacts = {
  readonly when: string;
  /** Of one event, without id, time, event, globalCallId and monitors. */
  readonly example: { readonly [field: string]: unknown };
};

const at = (deviceId: string, localState: string, more: object = {}) => ({
  callId: 7,
  connection: { callId: 7, deviceId },
  localState,
  ...more,
});

/** Agents have more fields, as `snapshotAgents` shows them. */
const agent = (state: string, more: object = {}) => ({
  agentId: 'agent1001',
  deviceId: '1001',
  state,
  ...more,
  queues: ['6000'],
});

export const CTI_EVENTS = {
  serviceInitiated: {
    when: 'A device is called by a program (`makeCall`), before it calls anybody.',
    example: at('1000', 'initiated'),
  },
  originated: {
    when: 'A device calls.',
    example: at('1000', 'connected', { callingDevice: '1000', calledDevice: '1001' }),
  },
  delivered: {
    when: 'A device rings: of the called device, which has the calling one and the user data.',
    example: at('1001', 'alerting', { callingDevice: '1000', userData: { customer: '4711' } }),
  },
  established: { when: 'A device answered, or joined.', example: at('1001', 'connected') },
  held: {
    when: 'A device put the call on hold, by phone or by program.',
    example: at('1001', 'hold'),
  },
  retrieved: { when: 'It goes on with the call.', example: at('1001', 'connected') },
  connectionCleared: {
    when: 'A device left the call; `parties` are those who are left.',
    example: at('1000', 'null', { cause: 'normalClearing', parties: [] }),
  },
  callCleared: {
    when: 'The call is over; the last event of it. Not told to those who watch a device.',
    example: { callId: 7, cause: 'normalClearing' },
  },
  failed: {
    when: 'A device could not be reached, and why.',
    example: at('1001', 'failed', { cause: 'busy' }),
  },
  queued: {
    when: 'The call waits at a queue or routing point, which is the device.',
    example: at('6000', 'queued', { callingDevice: '0301234567' }),
  },
  diverted: {
    when: 'It left that device, or a ringing one, for another; `delivered` there tells which.',
    example: at('6000', 'null', { cause: 'distributed' }),
  },
  transferred: {
    when: 'Two calls became one, or the other side of one went to another device. `callId` goes on.',
    example: {
      callId: 7,
      primaryOldCall: 7,
      secondaryOldCall: 8,
      transferringDevice: '1001',
      transferredToDevice: '1002',
    },
  },
  conferenced: {
    when: 'A device was added; `secondaryOldCall` is part of `callId` now.',
    example: {
      callId: 7,
      primaryOldCall: 7,
      secondaryOldCall: 8,
      conferencingDevice: '1001',
      addedParty: '1002',
    },
  },
  callInformation: {
    when: 'The user data of the call changed.',
    example: { callId: 7, changed: ['customer'], deleted: [], userData: { customer: '4711' } },
  },
  digitsGenerated: {
    when: 'A device sent digits, or those of a `collect` treatment are there.',
    example: {
      callId: 7,
      routeId: 3,
      deviceId: '5000',
      digits: '4711',
      end: 'terminator',
      enough: true,
    },
  },
  routeRequest: {
    when: 'A call waits at a routing point for your word. Told to one registered router alone.',
    example: {
      callId: 7,
      routeId: 3,
      deviceId: '5000',
      callingDevice: '0301234567',
      calledDevice: '5000',
    },
  },
  routeUsed: {
    when: 'It was sent on.',
    example: { callId: 7, routeId: 3, deviceId: '5000', routeUsed: '6000' },
  },
  routeEnd: {
    when: 'Your word is not waited for any more: done, too late (`timeout`), or the caller left.',
    example: { callId: 7, routeId: 3, deviceId: '5000', cause: 'normal' },
  },
  treatmentStarted: {
    when: 'The waiting caller hears it.',
    example: { callId: 7, routeId: 3, deviceId: '5000', treatment: 'music' },
  },
  treatmentEnded: {
    when: 'It is over, was replaced, or could not be played.',
    example: { callId: 7, routeId: 3, deviceId: '5000', treatment: 'music' },
  },
  agentLoggedOn: { when: 'An agent logged on.', example: agent('notReady') },
  agentLoggedOff: {
    when: 'He logged off, or was (`autoLogout`, `forced`).',
    example: { agentId: 'agent1001', deviceId: '1001', reason: 'autoLogout' },
  },
  agentNotReady: {
    when: 'No calls from queues, and why.',
    example: agent('notReady', { reason: 'lunch' }),
  },
  agentReady: { when: 'He waits for calls.', example: agent('ready') },
  agentBusy: {
    when: 'He has a business call; `pendingState`: what comes after it.',
    example: agent('busy', { pendingState: 'ready' }),
  },
  agentWorkingAfterCall: {
    when: 'After-call work, until `wrapUpEnd` if that is there.',
    example: agent('workingAfterCall'),
  },
  nailedUp: {
    when: 'The phone of a device stays connected between calls from now on, or does no more.',
    example: { deviceId: '1001', nailedUp: true },
  },
  doNotDisturb: {
    when: 'Switched on or off at a device.',
    example: { deviceId: '1001', doNotDisturbOn: true },
  },
  forwarding: {
    when: 'Switched on or off at a device.',
    example: {
      deviceId: '1001',
      forwardingType: 'forwardBusy',
      forwardStatus: true,
      forwardDN: '1002',
    },
  },
  messageWaiting: {
    when: 'The lamp of a device was lit, or went out.',
    example: { deviceId: '1001', messageWaitingOn: true, newMessages: 1, oldMessages: 0 },
  },
  outOfService: {
    when: 'A device is not registered any more.',
    example: { deviceId: '1001' },
  },
  backInService: { when: 'A device is registered again.', example: { deviceId: '1001' } },
  recording: {
    when: 'A recording began, was paused, goes on, or ended (`state`).',
    example: at('1001', 'connected', { recordingId: 'f3…', state: 'recording' }),
  },
  monitoringStarted: {
    when: 'A supervisor listens, or in another mode.',
    example: { supervisorDevice: '1009', monitoredDevice: '1001', mode: 'silent', scope: 'call' },
  },
  monitoringEnded: {
    when: 'He does no more.',
    example: { supervisorDevice: '1009', monitoredDevice: '1001', mode: 'silent', scope: 'call' },
  },
  muted: {
    when: 'A device is not heard.',
    example: { callId: 7, connection: { callId: 7, deviceId: '1001' } },
  },
  unmuted: {
    when: 'It is heard again.',
    example: { callId: 7, connection: { callId: 7, deviceId: '1001' } },
  },
} as const satisfies { readonly [event in EventName]: EventFacts };
