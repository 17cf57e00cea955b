/**
 * calls-survive: every call becomes what its two ends meant it to become, whatever happens to the
 * boxes: an answered one stands until somebody hangs up, a refused one is refused with the callee's
 * own words, a cancelled one stops ringing; a re-INVITE and a BYE from either side succeed; nobody
 * is told 481; registrations are renewed. And when one side hangs up, the other is told.
 */

import type { Oracle, World } from '../world/world.ts';

/**
 * The other end must be told within this, counted while there is a primary that the LAN reaches; a
 * takeover and one retransmission fit.
 */
const TOLD_MS = 12_000;

export function callsSurvive(world: World): Oracle {
  let heard = 0;
  let served = 0;
  let lookedAt = world.now;
  /** Served time when a call was first seen to be hung up. */
  const hung = new Map<string, number>();
  return {
    name: 'calls-survive',
    quiet() {
      const { failures, calls } = world.book;
      const primary = world.primary();
      if (primary !== undefined && world.lan.carries(primary.id)) served += world.now - lookedAt;
      lookedAt = world.now;
      for (; heard < failures.length; heard += 1) {
        const failure = failures[heard];
        if (failure === undefined) continue;
        world.violate('calls-survive', `${failure.who}: ${failure.what}`);
      }
      for (const call of calls.values()) {
        if (call.hungBy === '') continue;
        const since = hung.get(call.id) ?? served;
        hung.set(call.id, since);
        if (served - since < TOLD_MS) continue;
        const rest = call.hungBy === 'caller' ? call.calleeState : call.callerState;
        if (rest === 'ended') continue;
        const side = call.hungBy === 'caller' ? 'callee' : 'caller';
        const who = `${call.caller} to ${call.callee}, hung up at ${call.hungAt.toFixed(0)}`;
        world.violate(
          'calls-survive',
          `${call.id} (${who}): ${call.hungBy} hung up, ${side} never told`,
        );
      }
    },
  };
}
