/**
 * What each service does: the command of `call/` behind its name. Parameters were looked at by the
 * schema of `services.ts` already; a command answers in the same turn, and events tell the rest.
 */

import {
  getAgentState,
  reserveAgent,
  setAgentState,
  snapshotAgents,
} from '../call/agent/commands.ts';
import { conferenceCall, singleStepConferenceCall } from '../call/conference/commands.ts';
import {
  pauseRecording,
  resumeRecording,
  startRecording,
  stopRecording,
} from '../call/conference/record.ts';
import { changeMonitoring, startMonitoring, stopMonitoring } from '../call/conference/supervise.ts';
import { answerCall, generateDigits, setMute } from '../call/control/answer.ts';
import { clearCall, clearConnection } from '../call/control/clear.ts';
import { alternateCall, holdCall, reconnectCall, retrieveCall } from '../call/control/hold.ts';
import { consultationCall, makeCall, makePredictiveCall } from '../call/control/make.ts';
import { deflectCall, singleStepTransferCall, transferCall } from '../call/control/transfer.ts';
import { associateData } from '../call/csta/data.ts';
import { type Done, type Refusal, refuse } from '../call/csta/refusal.ts';
import type { Session } from '../call/csta/rows.ts';
import {
  getDoNotDisturb,
  getForwarding,
  getMessageWaiting,
  setDoNotDisturb,
  setForwarding,
  setMessageWaiting,
} from '../call/device/commands.ts';
import { snapshotQueues } from '../call/distribute/queues.ts';
import {
  applyTreatment,
  routeEnd,
  routeRegister,
  routeRegisterCancel,
  routeReject,
  routersLeave,
  routeSelect,
} from '../call/distribute/router.ts';
import { nailUp, releaseNailed } from '../call/nail/commands.ts';
import { parkCall, pickupCall } from '../call/park/park.ts';
import type { Context } from '../proto/context.ts';
import {
  changeMonitorFilter,
  getDevices,
  monitorStart,
  monitorStop,
  snapshotCall,
  snapshotCalls,
  snapshotDevice,
} from './monitor.ts';
import type { Method, Params } from './services.ts';

type Command<M extends Method> = (cx: Context, p: Params<M>, session: Session) => Done | Refusal;
type Commands = { readonly [M in Method]?: Command<M> };

/** Two calls of one device. */
function two(p: Params<'transferCall'>) {
  return { heldConnection: p.heldCall, activeConnection: p.activeCall };
}

const CALLS: Commands = {
  makeCall: (cx, { calledNumber: calledDevice, ...p }) => makeCall(cx, { calledDevice, ...p }),
  makePredictiveCall: (cx, { calledNumber: calledDevice, noAnswerS: ringS, ...p }) =>
    makePredictiveCall(cx, { calledDevice, ringS, ...p }),
  answerCall,
  clearConnection,
  clearCall,
  holdCall,
  retrieveCall,
  alternateCall: (cx, p) => alternateCall(cx, two(p)),
  reconnectCall: (cx, p) => reconnectCall(cx, two(p)),
  consultationCall: (cx, { existingCall: connection, consultedDevice: calledDevice, ...p }) =>
    consultationCall(cx, { connection, calledDevice, ...p }),
  transferCall: (cx, p) => transferCall(cx, two(p)),
  conferenceCall,
  singleStepTransferCall: (cx, { activeCall: connection, ...p }) =>
    singleStepTransferCall(cx, { connection, ...p }),
  singleStepConferenceCall,
  deflectCall,
  generateDigits: (cx, { durationMs: toneMs, ...p }) => generateDigits(cx, { toneMs, ...p }),
  setMute: (cx, { muted: mute, ...p }) => setMute(cx, { mute, ...p }),
  parkCall,
  directedPickupCall: (cx, { newDevice: device, callToBePickedUp: target }) =>
    pickupCall(cx, { device, target }),
  associateData,
};

const CENTRE: Commands = {
  routeRegister,
  routeRegisterCancel,
  routeSelect,
  routeReject,
  routeEnd,
  applyTreatment,
  setAgentState: (cx, { deviceId: device, requestedAgentState: requestedState, ...p }) =>
    setAgentState(cx, { device, requestedState, ...p }),
  getAgentState: (cx, p) => getAgentState(cx, { device: p.deviceId }),
  reserveAgent,
  snapshotAgents,
  snapshotQueues,
  setDoNotDisturb: (cx, { deviceId: device, ...p }) => setDoNotDisturb(cx, { device, ...p }),
  getDoNotDisturb: (cx, p) => getDoNotDisturb(cx, { device: p.deviceId }),
  nailUp: (cx, p) => nailUp(cx, { device: p.deviceId }),
  releaseNailed: (cx, p) => releaseNailed(cx, { device: p.deviceId }),
  setForwarding: (cx, { deviceId: device, ...p }) => setForwarding(cx, { device, ...p }),
  getForwarding: (cx, p) => getForwarding(cx, { device: p.deviceId }),
  setMessageWaiting: (cx, { deviceId: device, ...p }) => setMessageWaiting(cx, { device, ...p }),
  getMessageWaiting: (cx, p) => getMessageWaiting(cx, { device: p.deviceId }),
  startMonitoring: (cx, { supervisor: supervisorDevice, deviceId: device, ...p }) =>
    startMonitoring(cx, { supervisorDevice, device, ...p }),
  changeMonitoring: (cx, { supervisor: supervisorDevice, deviceId: device, mode }) =>
    changeMonitoring(cx, { supervisorDevice, mode, ...(device === undefined ? {} : { device }) }),
  stopMonitoring: (cx, { supervisor: supervisorDevice, deviceId: device }) =>
    stopMonitoring(cx, { supervisorDevice, ...(device === undefined ? {} : { device }) }),
  startRecording,
  pauseRecording,
  resumeRecording,
  stopRecording,
};

/** Sessions are in `request.ts`; `ping` and `getSystemStatus` are answered at the door. */
const COMMANDS: Commands = {
  monitorStart,
  monitorStop,
  changeMonitorFilter,
  snapshotDevice,
  snapshotCall,
  snapshotCalls,
  getDevices,
  ...CALLS,
  ...CENTRE,
};

export function command(
  cx: Context,
  method: string,
  params: unknown,
  session: Session,
): Done | Refusal {
  const run = Object.hasOwn(COMMANDS, method) ? COMMANDS[method as Method] : undefined;
  if (run === undefined) return refuse('notSupported');
  return (run as Command<Method>)(cx, params as never, session);
}

/** A session is over: what its program did for others, somebody else must do. */
export function sessionOver(cx: Context, session: number): void {
  routersLeave(cx, session);
}
