/**
 * Programs, phones and switchovers at random: whatever was asked for in whatever order, in the end the
 * phones have nothing to complain of, those who are connected hear each other, and nothing is left.
 */

import test from 'ava';
import { below, seeded } from '../../src/base/chance.ts';
import {
  ask,
  type Cast,
  end,
  FUNCTIONS,
  type Func,
  faults,
  settle,
  stage,
  view,
} from './control-lab.ts';
import type { TransferPhone } from './transfer-phone.ts';

const ALL = Object.keys(FUNCTIONS) as Func[];
const SEEDS = 120;
const STEPS = 40;

function walk(seed: number, steps: number): { cast: Cast; story: string[] } {
  const chance = seeded(seed);
  const cast = stage(seed % 4 === 0 ? '' : 'music');
  const { lab, phones } = cast;
  const story: string[] = [];
  const one = (): TransferPhone => phones[below(chance, 4)] as TransferPhone;
  for (let i = 0; i < steps; i += 1) {
    const dice = below(chance, 20);
    const phone = one();
    if (dice < 10) {
      const f = ALL[below(chance, ALL.length)] as Func;
      const said = ask(cast, f, `r${i}`, phone.user);
      if (said === 'ok') story.push(`${phone.user} ${f}`);
    } else if (dice < 12) {
      const to = one().user;
      if (to !== phone.user && phone.living().length === 0) {
        story.push(`${phone.user} calls ${to}`);
        phone.call(to);
      }
    } else if (dice < 14) {
      if (phone.lift(below(chance, 4) === 0 ? 486 : 200)) story.push(`${phone.user} lifts`);
    } else if (dice === 14) {
      const talk = phone.living()[0];
      if (talk !== undefined && phone.idle) {
        story.push(`${phone.user} hangs up`);
        phone.bye(talk);
      }
    } else if (dice === 15) {
      story.push('switchover');
      if (below(chance, 2) === 0) lab.air.length = 0;
      lab.swap(false);
      lab.pass(10);
    }
    settle(cast, 50 * below(chance, 24), below(chance, 3) > 0);
  }
  settle(cast, 20_000);
  return { cast, story };
}

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`a walk: seed ${seed}`, (t) => {
    const { cast, story } = walk(seed, STEPS);
    const where = `${story.join(', ')}\n${view(cast)}`;
    t.deepEqual(faults(cast), [], where);
    t.deepEqual(end(cast, seed), [], where);
  });
}
