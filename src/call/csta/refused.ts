/** A call that was refused before it began: nobody was called, but somebody called. */

import type { Context } from '../../proto/context.ts';
import { type Cause, causeOf } from './causes.ts';
import { newCcall } from './ccall.ts';
import { partyChanged } from './hooks.ts';
import { clear, tell } from './publish.ts';
import { type Ccall, PARTY } from './rows.ts';

export type Attempt = {
  readonly kind: Ccall['kind'];
  /** The device that called, and what it dialled. */
  readonly calling: string;
  readonly called: string;
};

/**
 * Tells of a call that got `status` at once: programs hear of it like of any other that fails, and it
 * has its CDR. The answer must be remembered (a server transaction), or a repeated INVITE is told twice.
 */
export function refusedCall(cx: Context, attempt: Attempt, status: number): void {
  if (!cx.settings.csta) return;
  const { kind, calling, called } = attempt;
  const cause: Cause = status === 480 ? 'destNotObtainable' : causeOf(status);
  const ccall = newCcall(cx, { caller: calling, called }, { kind });
  const values = { ccall: ccall.id, since: cx.now, startedAt: cx.now };
  const device = (text: string): string => (text === '' ? 'anonymous' : text.replace(/\s/g, '_'));
  const caller = cx.store.insert(PARTY, {
    ...values,
    device: device(calling),
    state: 'connected',
    side: 'calling',
  });
  tell(cx, caller, 'originated', 'normal');
  partyChanged(cx, { party: caller, was: undefined, is: 'connected', cause: 'normal' });
  const wanted = cx.store.insert(PARTY, {
    ...values,
    device: device(called),
    state: 'failed',
    side: 'called',
  });
  tell(cx, wanted, 'failed', cause);
  clear(cx, wanted, cause);
  clear(cx, caller, cause);
  cx.turn.ended.add(ccall.id);
}
