/** What conferences, supervision and recording do when connections and calls change (`csta/hooks.ts`). */

import type { Context } from '../../proto/context.ts';
import type { PartyChange } from '../csta/hooks.ts';
import type { Ccall } from '../csta/rows.ts';
import { callGone, callTalks, leaves } from './conference.ts';
import { recordAgents, recordedMoves, recordedTalks } from './record.ts';
import { watchedMoves, watchedTalks } from './supervise.ts';

export function conferencePartyChanged(cx: Context, { party, was, is }: PartyChange): void {
  if (party.leg === 0) return;
  if (is === undefined) leaves(cx, { id: party.leg, call: party.call });
  if (is !== 'connected') return;
  if (was !== 'hold') recordAgents(cx, party.ccall);
  recordedTalks(cx, party.ccall);
  watchedTalks(cx, party.ccall);
  callTalks(cx, party.ccall);
}

export function conferenceCallOver(cx: Context, ccall: Ccall): void {
  const now = callGone(cx, ccall.id);
  recordedMoves(cx, ccall.id, now);
  if (now !== 0) watchedMoves(cx, ccall.id, now);
}
