/**
 * face-follows-role: the VIP is where the primary is. Once
 * a box has been primary for a moment, every host that knows a MAC for the VIP knows the primary's.
 * The moment is 300 ms on a LAN that loses nothing; where it does, the announcement at one second
 * must have arrived.
 */

import { BOX_MAC, VIP } from '../world/box.ts';
import type { Oracle, World } from '../world/world.ts';

export function faceFollowsRole(world: World): Oracle {
  let since = 0;
  let who = '';
  const { loss, latency } = world.options.lan;
  const grace = (loss > 0 ? 1300 : 300) + 4 * latency[1];
  return {
    name: 'face-follows-role',
    quiet() {
      const primary = world.primary();
      // nobody hears a box behind a dead port, nor is it heard at once when the port is back
      const heard = primary !== undefined && world.lan.carries(primary.id);
      const key = heard ? `${primary.id}${primary.lives}` : '';
      if (key !== who) {
        who = key;
        since = world.now;
      }
      if (!heard || world.now - since < grace) return;
      if (!primary.kernel.hasVip) {
        world.violate('face-follows-role', `${primary.id} is primary without the VIP`);
      }
      for (const host of world.hosts) {
        const mac = host.macOf(VIP);
        if (mac === undefined || mac === BOX_MAC[primary.id]) continue;
        const text = `${host.name} (believes ${host.believes}) sends to ${mac}, not to ${primary.id}`;
        world.violate('face-follows-role', text);
      }
    },
  };
}
