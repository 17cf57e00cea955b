/**
 * face-follows-role: the VIP is where the primary is. Once
 * a box has been primary for a moment, every host that knows a MAC for the VIP knows the primary's.
 * The moment is 300 ms on a LAN that loses nothing; where it does, the announcement at one second
 * must have arrived.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import { BOX_MAC, VIP } from '../world/box.ts';
import { other } from '../world/crossover.ts';
import type { Oracle, World } from '../world/world.ts';

/** A rare question to the gateway, or the last announcement of a burst. */
const LEARNS_MS = 5500;

export function faceFollowsRole(world: World): Oracle {
  let since = 0;
  /** The port of the primary was dead behind its carrier, and nothing has told it that it is back. */
  let deaf = false;
  let toldAt = 0;
  let who = '';
  const { loss, latency } = world.options.lan;
  const grace = (loss > 0 ? 1300 : 300) + 4 * latency[1];
  /** Somebody shows the box that its port carries: the gateway, or the other box. */
  function tells(id: BoxId): boolean {
    const peer = world.boxes[other(id)];
    const shown = peer.process !== undefined && !peer.process.frozen && world.lan.carries(peer.id);
    return shown || (world.options.pair.witness && world.gateway.on);
  }

  return {
    name: 'face-follows-role',
    quiet() {
      const primary = world.primary();
      // nobody hears a box behind a dead port, nor is it heard at once when the port is back
      const heard = primary !== undefined && world.lan.carries(primary.id);
      if (primary !== undefined && world.lan.mute.has(primary.id)) deaf = true;
      if (!deaf || !heard || !tells(primary.id)) toldAt = world.now;
      else if (world.now - toldAt > LEARNS_MS) deaf = false;
      const key = heard ? `${primary.id}${primary.lives}` : '';
      if (key !== who) {
        who = key;
        since = world.now;
      }
      if (!heard || deaf || world.now - since < grace) return;
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
