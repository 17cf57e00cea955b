/**
 * What each service does: the command of `call/` behind its name. Parameters were looked at by the
 * schema of `services.ts` already; a command answers in the same turn, and events tell the rest.
 */

import { getAgentState, setAgentState, snapshotAgents } from '../call/agent/commands.ts';
import { answerCall } from '../call/control/answer.ts';
import { clearCall, clearConnection } from '../call/control/clear.ts';
import { alternateCall, holdCall, reconnectCall, retrieveCall } from '../call/control/hold.ts';
import { consultationCall, makeCall } from '../call/control/make.ts';
import { deflectCall, singleStepTransferCall, transferCall } from '../call/control/transfer.ts';
import { associateData } from '../call/csta/data.ts';
import { type Done, type Refusal, refuse } from '../call/csta/refusal.ts';
import type { Session } from '../call/csta/rows.ts';
import { setDoNotDisturb, setForwarding, setMessageWaiting } from '../call/device/commands.ts';
import type { Context } from '../proto/context.ts';
import {
  changeMonitorFilter,
  getDevices,
  monitorStart,
  monitorStop,
  snapshotCall,
  snapshotDevice,
} from './monitor.ts';
import type { Method, Params } from './services.ts';

type Command<M extends Method> = (cx: Context, p: Params<M>, session: Session) => Done | Refusal;

const CONTROL: { readonly [M in Method]?: Command<M> } = {
  makeCall: (cx, p) =>
    makeCall(cx, {
      callingDevice: p.callingDevice,
      calledNumber: p.calledDevice,
      ...(p.userData === undefined ? {} : { userData: p.userData }),
    }),
  answerCall: (cx, p) => answerCall(cx, p.connection),
  clearConnection: (cx, p) => clearConnection(cx, p.connection),
  clearCall: (cx, p) => clearCall(cx, p),
  holdCall: (cx, p) => holdCall(cx, p.connection),
  retrieveCall: (cx, p) => retrieveCall(cx, p.connection),
  alternateCall: (cx, p) => alternateCall(cx, p),
  reconnectCall: (cx, p) => reconnectCall(cx, p),
  transferCall: (cx, p) => transferCall(cx, p),
  consultationCall: (cx, p) =>
    consultationCall(cx, { existingCall: p.connection, consultedDevice: p.calledDevice }),
  singleStepTransferCall: (cx, p) =>
    singleStepTransferCall(cx, { activeCall: p.connection, transferredTo: p.transferredTo }),
  deflectCall: (cx, p) => deflectCall(cx, { ...p.connection, newDestination: p.newDestination }),
};

const AGENTS: { readonly [M in Method]?: Command<M> } = {
  setAgentState: (cx, p) => {
    const { deviceId: device, requestedAgentState: requestedState, ...more } = p;
    return setAgentState(cx, { device, requestedState, ...more } as never);
  },
  getAgentState: (cx, p) => getAgentState(cx, { device: p.deviceId }),
  snapshotAgents: (cx, p) => snapshotAgents(cx, p.queue === undefined ? {} : { queue: p.queue }),
  setDoNotDisturb: (cx, p) =>
    setDoNotDisturb(cx, { device: p.deviceId, doNotDisturbOn: p.doNotDisturbOn }),
  setMessageWaiting: (cx, p) =>
    setMessageWaiting(cx, { device: p.deviceId, messageWaitingOn: p.messageWaitingOn }),
  setForwarding: (cx, p) => {
    const { deviceId: device, ...more } = p;
    return setForwarding(cx, { device, ...more } as never);
  },
};

/** Sessions are in `request.ts`; `ping` and `getSystemStatus` are answered at the door. */
const COMMANDS: { readonly [M in Method]?: Command<M> } = {
  monitorStart,
  monitorStop,
  changeMonitorFilter,
  snapshotDevice,
  snapshotCall,
  getDevices,
  associateData,
  ...CONTROL,
  ...AGENTS,
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
export function sessionOver(_cx: Context, _session: number): void {}
