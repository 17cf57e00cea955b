/**
 * What each service does: the command of `call/` behind its name. Parameters were looked at by the
 * schema of `services.ts` already; a command answers in the same turn, and events tell the rest.
 */

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
