/**
 * watchers-see: what a subscription was told last is so. A call that a watched phone has had for a
 * while is lit at each of its watchers, one that has been over for a while is not, whatever happened to
 * the boxes in between. That versions and CSeq rise is what the phones themselves insist on.
 */

import type { Phone } from '../world/phone.ts';
import type { Watch } from '../world/phone-watch.ts';
import type { Oracle, World } from '../world/world.ts';

/** The same measure as of calls-survive: time in which there is a primary that the LAN reaches. */
const TOLD_MS = 12_000;

export function watchersSee(world: World): Oracle {
  let served = 0;
  let lookedAt = world.now;
  /** Served time since when a phone's end of a call, or a subscription, is what it is. */
  const since = new Map<string, { readonly state: string; readonly at: number }>();

  function age(key: string, state: string): number {
    const known = since.get(key);
    if (known?.state === state) return served - known.at;
    since.set(key, { state, at: served });
    return 0;
  }

  function judge(watcher: Phone, watch: Watch, watched: Phone): void {
    for (const leg of watched.calls.legs.values()) {
      if (leg.state !== 'established' && leg.state !== 'ended') continue;
      // the other end has hung up, and this one is about to hear it
      if (leg.state === 'established' && leg.call.hungBy !== '') continue;
      if (age(`leg ${leg.callId}`, leg.state) < TOLD_MS) continue;
      const lamp = watch.lamps.get(leg.callId) ?? 'none';
      const right = leg.state === 'established' ? 'confirmed' : 'none';
      if (lamp === right) continue;
      const what = `${watched.number} has ${leg.call.id} ${leg.state}`;
      world.violate('watchers-see', `${watcher.number} sees it ${lamp}: ${what}`);
    }
  }

  return {
    name: 'watchers-see',
    quiet() {
      const primary = world.primary();
      if (primary !== undefined && world.lan.carries(primary.id)) served += world.now - lookedAt;
      lookedAt = world.now;
      for (const phone of world.phones) {
        for (const leg of phone.calls.legs.values()) age(`leg ${leg.callId}`, leg.state);
      }
      for (const watcher of world.phones) {
        for (const watch of watcher.watches.all) {
          if (age(`watch ${watch.callId}`, watch.state) < TOLD_MS) continue;
          if (watch.state !== 'active') continue;
          const watched = world.traffic.phone(watch.number);
          if (watched !== undefined) judge(watcher, watch, watched);
        }
      }
    },
  };
}
