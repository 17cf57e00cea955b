/**
 * quiet-backup: a box that is not primary emits nothing from the service port: neither on the wire,
 * nor into a kernel that refuses it because the VIP is not here.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import { SIP_PORT, VIP } from '../world/box.ts';
import { gist } from '../world/sip-text.ts';
import type { Oracle, World } from '../world/world.ts';

export function quietBackup(world: World): Oracle {
  return {
    name: 'quiet-backup',
    frame(port, frame) {
      if (frame.kind !== 'udp' || (port !== 'a' && port !== 'b')) return;
      const { udp } = frame;
      // accepted by the kernel while this box had the voice, and held up by ARP
      if (udp.waited === true) return;
      if (udp.srcIp !== VIP && udp.srcPort !== SIP_PORT && udp.text === undefined) return;
      const { state } = world.boxes[port as BoxId];
      if (state !== 'primary' && state !== 'resigning') {
        world.violate('quiet-backup', `${port} is ${state} and says: ${gist(udp.text ?? '')}`);
      }
    },
    spoke(box, _stamp, sent, text) {
      if (sent) return;
      world.violate('quiet-backup', `${box.id} (${box.state}) has no VIP and says: ${gist(text)}`);
    },
  };
}
