/**
 * Every oracle is shown to fail: with its saboteur at work it turns red within a few seeds, and the
 * very seed that is red with it is green, on every oracle, without it.
 */

import test from 'ava';
import { ORACLES } from '../oracle/all.ts';
import { drawOptions } from '../world/options.ts';
import { product } from '../world/product.ts';
import { run } from '../world/run.ts';
import { World } from '../world/world.ts';
import { SABOTEURS } from './saboteurs.ts';

const SEEDS = 16;
/** Virtual time; the safety phase of every draw is longer. */
const SHORTEST_RUN_MS = 10_000;

for (const saboteur of SABOTEURS) {
  test(`${saboteur.name} turns ${saboteur.oracle} red`, (t) => {
    const { adjust, sabotage, oracle } = saboteur;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const broken = run({ seed, adjust, sabotage, only: oracle });
      if (!broken.violations.some((v) => v.oracle === oracle)) continue;
      t.log(`seed ${seed}: ${broken.violations[0]?.text}`);
      const whole = run({ seed, adjust });
      t.deepEqual(whole.violations, [], `seed ${seed} is green without ${saboteur.name}`);
      t.true(whole.world.now > SHORTEST_RUN_MS, 'and was a whole run');
      return;
    }
    t.fail(`${oracle} stayed green for ${SEEDS} seeds though: ${saboteur.about}`);
  });
}

test('every oracle has a saboteur', (t) => {
  const programs = { a: product('a'), b: product('b') };
  const world = new World({ options: drawOptions(1), programs, oracles: [] });
  const names = ORACLES.map((make) => make(world).name);
  for (const name of names) {
    t.true(
      SABOTEURS.some((s) => s.oracle === name),
      `somebody breaks what ${name} watches`,
    );
  }
});
