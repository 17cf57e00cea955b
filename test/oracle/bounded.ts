/**
 * bounded: whatever happens, nothing grows beyond what is written in `LIMITS`: held effects, the ring
 * of the journal, alarms and their history, what is asked of the edge and not yet answered.
 */

import { LIMITS } from '../../src/base/limits.ts';
import { ALARMS } from '../../src/pair/alarms.ts';
import { ProductEngine, ProductSentry } from '../world/product.ts';
import type { Oracle, World } from '../world/world.ts';

/** Alarms that are over and still shown. */
const HISTORY = 64;
/** Requests about the VIP under way: a claim given up, its drop, and the next, a few times. */
const ASKED = 16;

export function bounded(world: World): Oracle {
  function most(box: string, what: string, is: number, limit: number): void {
    if (is > limit) world.violate('bounded', `box ${box}: ${is} ${what}, at most ${limit}`);
  }
  return {
    name: 'bounded',
    quiet() {
      for (const { id, process } of world.pair) {
        if (process === undefined) continue;
        const { engine, sentry } = process;
        if (engine instanceof ProductEngine) {
          most(id, 'held effects', engine.facts().held, LIMITS.held);
          const { ring } = engine.engine.ledger as unknown as InnerLedger;
          most(id, 'bytes in the ring', ring.size, LIMITS.ringBytes);
        }
        if (!(sentry instanceof ProductSentry)) continue;
        const { active, over } = sentry.sentry.view().alarms;
        most(id, 'active alarms', active.length, Object.keys(ALARMS).length);
        most(id, 'alarms of the past', over.length, HISTORY);
        const { asked } = (sentry.sentry as unknown as Inner).core;
        most(id, 'requests to the edge', asked.length, ASKED);
      }
    },
  };
}

/** What no view shows. */
type InnerLedger = { readonly ring: { readonly size: number } };
type Inner = { readonly core: { readonly asked: readonly unknown[] } };
