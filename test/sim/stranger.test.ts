/** A short swarm with a stranger on the LAN that floods, repeats, guesses and forges, while boxes die. */

import test from 'ava';
import type { Options } from '../world/options.ts';
import { ProductEngine } from '../world/product.ts';
import { run } from '../world/run.ts';

const RUNS = 4;

/** Calls that move are the affair of moves.test.ts. */
const WITH_STRANGER = (drawn: Options): Options => ({
  ...drawn,
  stranger: 150,
  mix: { ...drawn.mix, transfer: 0, redirect: 0 },
});

test('what a stranger says changes nothing for anybody else', (t) => {
  const all: Record<string, number> = {};
  let sent = 0;
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const { violations, world } = run({ seed, adjust: WITH_STRANGER });
    t.deepEqual(violations, [], `seed ${seed}`);
    sent += world.stranger?.sent ?? 0;
    t.true((world.stranger?.heard ?? 0) > 10, 'it is answered too');
    for (const box of world.pair) {
      const engine = box.process?.engine;
      const counters = engine instanceof ProductEngine ? engine.engine.view(false).counters : {};
      for (const [name, n] of Object.entries(counters)) all[name] = (all[name] ?? 0) + n;
    }
  }
  t.log(`${sent} messages`, all);
  t.true(sent > 2000);
  for (const name of ['fromOurselves', 'requestsOutsideDialog', 'acksStray', 'faultsDropped']) {
    t.true((all[name] ?? 0) > 0, name);
  }
});
