/**
 * Every cell of the matrix once, with one seed; many seeds are `./build.sh matrix`. And that cells can
 * fail: a pair that is broken on purpose does not get through.
 */

import test from 'ava';
import { SABOTEURS } from '../sim/saboteurs.ts';
import type { Options } from '../world/options.ts';
import { allCells, chosen, notYet, ON } from './cells.ts';
import { DEATHS } from './faults.ts';
import { nameOf, play, type Verdict } from './play.ts';

const SEED = 1;
/** Within so many a broken pair is noticed. */
const SEEDS = 6;

for (const death of DEATHS) {
  test(`every state ends as without the fault: ${death.about}`, (t) => {
    const groups = chosen(`died=${death.name}`);
    if (typeof groups === 'string') return t.fail(groups);
    for (const cells of groups) {
      const { verdicts, broken } = play(cells, SEED);
      const wrong = verdicts
        .filter((v) => v.troubles.length > 0)
        .map((v) => `${nameOf(v.cell)}: ${v.troubles[0]?.what}`);
      if (wrong.length > 0) t.log(`./build.sh matrix --seed ${SEED} --only died=${death.name}`);
      t.deepEqual([wrong, broken], [[], []]);
      t.is(verdicts.length, cells.length);
    }
  });
}

test('no cell is left out without a word, and no two have one name', (t) => {
  const names = allCells().map(nameOf);
  t.is(new Set(names).size, names.length);
  for (const text of notYet()) t.log(text);
  const off = Object.values(ON).filter((on) => !on).length;
  t.is(notYet().length, off);
});

for (const name of ['open-gate-early', 'new-tags-at-resume', 'jump-the-pair-clock']) {
  test(`a cell notices: ${name}`, (t) => {
    const saboteur = SABOTEURS.find((s) => s.name === name);
    const groups = chosen('died=power,transport=udp');
    if (saboteur === undefined || typeof groups === 'string') return t.fail('not there');
    const slow = { latency: [2, 6] as const };
    const damage = {
      sabotage: saboteur.sabotage,
      adjust: (o: Options): Options => ({ ...o, cable: { ...o.cable, ...slow } }),
    };
    let wrong: readonly Verdict[] = [];
    // at which moment a fault finds each cell is the seed's choice
    for (let seed = SEED; seed < SEED + SEEDS && wrong.length === 0; seed += 1) {
      const { verdicts } = play(groups.flat(), seed, damage);
      wrong = verdicts.filter((v) => v.troubles.length > 0);
    }
    for (const v of wrong.slice(0, 5)) t.log(`${nameOf(v.cell)}: ${v.troubles[0]?.what}`);
    t.true(wrong.length > 0);
  });
}
