/**
 * one-face: in no case do two boxes answer ARP for the VIP for more than a second. The named residual
 * case (hidden from each other, crossover cut) is excused while it lasts; when it is over the box of
 * the higher epoch announces within 100 ms, and within 300 ms every cache points to it.
 *
 * On a LAN that loses frames the announcement at one second must have arrived.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import { BOX_MAC, VIP } from '../world/box.ts';
import { readArp } from '../world/ether.ts';
import type { Oracle, World } from '../world/world.ts';

const BOTH_MS = 1000;
const ANNOUNCE_MS = 100;
const CACHES_MS = 300;

export function oneFace(world: World): Oracle {
  const { loss, latency } = world.options.lan;
  const grace = (loss > 0 ? 1000 : 0) + 4 * latency[1];
  let both = 0;
  /** Until the heal is judged: when it was, and whether its winner has announced. */
  let healedAt = 0;
  let announced = false;
  let split = false;
  let winner: BoxId = 'a';

  /** Its port carries, so that somebody hears its answers. */
  function answers(id: BoxId): boolean {
    return world.boxes[id].kernel.hasVip && world.lan.carries(id);
  }

  function higher(): BoxId {
    const epoch = (id: BoxId): number => world.boxes[id].process?.engine.standing.epoch ?? 0;
    return epoch('b') > epoch('a') ? 'b' : 'a';
  }

  /** In the instant of the heal: the loser may give way within a millisecond. */
  function watch(): void {
    if (world.lan.hidden.size > 0) split ||= answers('a') && answers('b');
    else if (split) {
      split = false;
      healedAt = world.now;
      winner = higher();
      announced = false;
    }
  }

  function judgeHeal(): void {
    const past = world.now - healedAt;
    if (world.boxes[winner].process === undefined) healedAt = 0;
    if (healedAt === 0) return;
    if (past > ANNOUNCE_MS + latency[1] && !announced) {
      world.violate('one-face', `nobody announced within ${ANNOUNCE_MS} ms of the heal`);
    }
    if (past <= CACHES_MS + grace) return;
    healedAt = 0;
    const mac = BOX_MAC[winner];
    for (const host of world.hosts) {
      const known = host.macOf(VIP);
      if (known === undefined || known === mac) continue;
      world.violate('one-face', `after the heal ${host.name} sends to ${known}, not to ${winner}`);
    }
  }

  return {
    name: 'one-face',
    stepped: watch,
    frame(port, frame) {
      watch();
      if (frame.kind !== 'arp' || healedAt === 0 || port !== winner) return;
      const arp = readArp(frame.bytes);
      if (arp?.senderIp === VIP && arp.targetIp === VIP) announced = true;
    },
    quiet() {
      const two = answers('a') && answers('b');
      watch();
      if (healedAt > 0) judgeHeal();
      if (!two || world.lan.hidden.size > 0) both = 0;
      else if (both === 0) both = world.now;
      else if (world.now - both > BOTH_MS) {
        world.violate('one-face', 'both boxes answer for the VIP');
        both = world.now;
      }
    },
  };
}
