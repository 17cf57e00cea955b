/**
 * A call as programs and CDRs know it: it begins with the first row of `call`, further ones join it
 * (the way to a transfer's target, say), two become one by a transfer, and it is over with the last.
 */

import { hex } from '../../base/chance.ts';
import type { Values } from '../../base/row.ts';
import type { Context } from '../../proto/context.ts';
import { CALL, type Call } from '../rows.ts';
import { CCALL, type Ccall } from './rows.ts';

/** A UUID (RFC 9562, version 4) drawn from chance. */
function uuid(cx: Context): string {
  const h = hex(cx.chance, 4);
  const variant = '89ab'[Number.parseInt(h[16] as string, 16) & 3];
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-${variant}${h.slice(17, 20)}-${h.slice(20)}`;
}

export type Beginning = {
  readonly kind: Ccall['kind'];
  /** The call a consultation was made from; 0 for none. */
  readonly primary?: number;
  /** Who calls whom, when that is not as in the row of `call`. */
  readonly calling?: string;
  readonly called?: string;
  /** User data it begins with, as a JSON object; '' for none. */
  readonly data?: string;
};

/**
 * Inserts a row of `call`: of the call `of`, or, without one, of a new one.
 */
export function beginCall(
  cx: Context,
  values: Values<typeof CALL.fields>,
  of: Ccall | Beginning,
): Call {
  if (!cx.settings.csta) return cx.store.insert(CALL, values);
  const own = values as { ccall?: number };
  if ('guid' in of) {
    cx.store.patch(CCALL, of, { calls: of.calls + 1 });
    own.ccall = of.id;
  } else own.ccall = newCcall(cx, values, of, 1).id;
  return cx.store.insert(CALL, values);
}

/** @param calls rows of `call` it begins with. */
export function newCcall(
  cx: Context,
  values: Values<typeof CALL.fields>,
  how: Beginning,
  calls = 0,
): Ccall {
  return cx.store.insert(CCALL, {
    guid: uuid(cx),
    kind: how.kind,
    calling: how.calling ?? values.caller ?? '',
    called: how.called ?? values.called ?? '',
    primary: how.primary ?? 0,
    calls,
    data: how.data ?? '',
    startedAt: cx.now,
  });
}

/** undefined when programs know of no such call, or not any more. */
export function ccallOf(cx: Context, call: Call): Ccall | undefined {
  return call.ccall === 0 ? undefined : cx.store.get(CCALL, call.ccall);
}

/** A row of `call` is gone, or ends: what follows is only between us and its phones. */
export function leaveCall(cx: Context, call: Call): void {
  const ccall = ccallOf(cx, call);
  if (ccall === undefined) return;
  cx.store.patch(CCALL, ccall, { calls: ccall.calls - 1 });
  if (ccall.calls === 0) cx.turn.ended.add(ccall.id);
}

/** `call` and its connections are part of `into` from now on. What is told of that: `publish.ts`. */
export function moveCall(cx: Context, call: Call, into: Ccall): void {
  if (call.ccall === into.id || call.ccall === 0 || call.state === 'ending') return;
  const from = ccallOf(cx, call);
  cx.store.patch(CCALL, into, { calls: into.calls + 1 });
  cx.store.patch(CALL, call, { ccall: into.id });
  cx.turn.calls.add(call.id);
  if (from === undefined) return;
  cx.store.patch(CCALL, from, { calls: from.calls - 1 });
  if (from.calls === 0) cx.turn.ended.add(from.id);
}
