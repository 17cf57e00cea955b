/**
 * Programs and agents while the primary is taken away every second or two, in every way there is: what
 * the checker of histories demands holds. More of it: `./build.sh sim --programs --runs 200`.
 */

import test from 'ava';
import { check, summary } from '../history/check.ts';
import { drawOptions } from '../world/options.ts';
import { run } from '../world/run.ts';
import { PROGRAMS_SWARM } from './sabotage.ts';

const SEEDS = 6;

test('every request is done once and every event heard once through switchovers', (t) => {
  let resumed = 0;
  let repeated = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violations, world } = run({ seed, adjust: PROGRAMS_SWARM });
    if (violations.length > 0) {
      t.log(`replay: ./build.sh sim --seed ${seed} --programs --log --verbose`);
    }
    t.deepEqual(violations, [], `seed ${seed}`);
    const lines = world.centre?.lines ?? [];
    const verdict = check(lines);
    t.log(`seed ${seed}: ${summary(verdict)}`);
    resumed += lines.filter((l) => l.kind === 'session' && l.how === 'resumed').length;
    repeated += verdict.history.asks.filter((ask) => ask.sent.length > 1).length;
    t.true(PROGRAMS_SWARM(drawOptions(seed)).centre !== undefined);
  }
  t.true(resumed > SEEDS && repeated > 0, `${resumed} resumed, ${repeated} repeated`);
});
