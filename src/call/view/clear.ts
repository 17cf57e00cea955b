/** `clear`: an operator ends a call or a registration. Inside a transaction, at the primary only. */

import type { Context } from '../../proto/context.ts';
import { EMPTY_TAIL } from '../../proto/sip/text.ts';
import { happen, SILENT } from '../call.ts';
import { clearCall } from '../control/clear.ts';
import { publish } from '../csta/publish.ts';
import { watched } from '../events/watch.ts';
import { tidy } from '../leg.ts';
import { BINDING, CALL, type Call } from '../rows.ts';
import { findCall } from './calls.ts';

export const CLEARED = ['call', 'registration', 'counters'] as const;

export type ClearRequest = { readonly what: 'call' | 'registration'; readonly id: string };

export type ClearAnswer =
  | { readonly ok: true; readonly cleared: number; readonly text: string }
  | { readonly error: string; readonly text: string };

export function clear(plain: Context, r: ClearRequest): ClearAnswer {
  const cx = watched(plain);
  const answer = r.what === 'call' ? endCall(cx, r.id) : unregister(cx, r.id);
  publish(cx);
  return answer;
}

/** Everybody in it is hung up, who rings is told so, who calls hears a refusal. */
function endCall(cx: Context, id: string): ClearAnswer {
  const call = findCall(cx.store, id);
  if (call === undefined) return { error: 'clear-call', text: `there is no call ${id}` };
  const { caller, called } = call;
  // with all that belongs to it for programs: consultations, conferences, what waits in a queue
  if (call.ccall !== 0) clearCall(cx, { callId: call.ccall });
  if (cx.store.get(CALL, call.id) !== undefined && !isEnding(call)) {
    happen(cx, call, 'end', { ...SILENT, tail: EMPTY_TAIL });
    tidy(cx, call);
  }
  cx.log('info', `call ${call.id} (${caller} to ${called}) is cleared by the operator`);
  return { ok: true, cleared: 1, text: `call ${call.id} is being ended` };
}

function isEnding(call: Call): boolean {
  return call.state === 'ending';
}

/** All of an extension; `#17` is the one of that number (an extension may have the same digits). */
function unregister(cx: Context, id: string): ClearAnswer {
  const one = /^#\d{1,15}$/.test(id) ? cx.store.get(BINDING, Number(id.slice(1))) : undefined;
  const rows = one === undefined ? [...cx.store.all(BINDING, 'aor', id)] : [one];
  if (rows.length === 0) {
    return { error: 'clear-registration', text: `there is no registration of ${id}` };
  }
  for (const row of rows) {
    cx.store.remove(BINDING, row);
    cx.log('info', `registration of ${row.aor} at ${row.contact} is cleared by the operator`);
  }
  const many = rows.length === 1 ? 'registration is' : 'registrations are';
  return { ok: true, cleared: rows.length, text: `${rows.length} ${many} removed` };
}
