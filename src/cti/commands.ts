/**
 * What each service does: the command of `call/` behind its name. Parameters were looked at by the
 * schema of `services.ts` already; a command answers in the same turn, and events tell the rest.
 */

import { answerCall, generateDigits, setMute } from '../call/control/answer.ts';
import { clearCall, clearConnection } from '../call/control/clear.ts';
import { alternateCall, holdCall, reconnectCall, retrieveCall } from '../call/control/hold.ts';
import { consultationCall, makeCall, makePredictiveCall } from '../call/control/make.ts';
import { deflectCall, singleStepTransferCall, transferCall } from '../call/control/transfer.ts';
import { associateData } from '../call/csta/data.ts';
import { type Done, type Refusal, refuse } from '../call/csta/refusal.ts';
import type { Session } from '../call/csta/rows.ts';
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

/** Sessions are in `request.ts`; `ping` and `getSystemStatus` are answered at the door. */
const COMMANDS: { readonly [M in Method]?: Command<M> } = {
  monitorStart,
  monitorStop,
  changeMonitorFilter,
  snapshotDevice,
  snapshotCall,
  snapshotCalls,
  getDevices,
  associateData,
  makeCall,
  makePredictiveCall,
  answerCall: (cx, p) => answerCall(cx, p.connection),
  clearConnection: (cx, p) => clearConnection(cx, p.connection),
  clearCall,
  holdCall: (cx, p) => holdCall(cx, p.connection),
  retrieveCall: (cx, p) => retrieveCall(cx, p.connection),
  alternateCall,
  reconnectCall,
  consultationCall,
  transferCall,
  singleStepTransferCall,
  deflectCall: (cx, { connection, ...p }) => deflectCall(cx, { ...connection, ...p }),
  generateDigits: (cx, { connection, ...p }) => generateDigits(cx, { ...connection, ...p }),
  setMute: (cx, { connection, ...p }) => setMute(cx, { ...connection, ...p }),
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
