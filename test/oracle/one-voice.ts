/**
 * one-voice: no two boxes let held effects out in overlapping leases. A box that speaks while the
 * other one, alive, still holds a lease under which it has spoken, breaks it, even if by luck the
 * other says nothing any more.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import { other } from '../world/crossover.ts';
import type { Oracle, World } from '../world/world.ts';

export function oneVoice(world: World): Oracle {
  /** The life in which each box spoke last. */
  const spoken: Record<BoxId, number> = { a: 0, b: 0 };
  return {
    name: 'one-voice',
    spoke(box) {
      spoken[box.id] = box.lives;
      const rival = world.boxes[other(box.id)];
      // a dead process has no lease; one given back early is over early
      if (rival.process === undefined || rival.lives !== spoken[rival.id]) return;
      const until = rival.leaseEnd();
      if (until > world.now) {
        const left = (until - world.now).toFixed(1);
        world.violate(
          'one-voice',
          `${box.id} speaks; the lease of ${rival.id} lasts ${left} ms more`,
        );
      }
    },
  };
}
