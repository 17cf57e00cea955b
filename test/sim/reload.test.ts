/**
 * An operator who configures a pair again and again while it works and is broken: each of the two boxes
 * takes the new site over at a moment of its own, the other one before, after or while a box is down. The
 * oracles of every run hold, and nothing is lost.
 */

import test from 'ava';
import { Checker } from '../../src/edge/config.ts';
import { siteOf } from '../../src/edge/config-site.ts';
import type { BoxId } from '../../src/pair/terms.ts';
import type { Site } from '../../src/proto/site.ts';
import { type RunResult, run } from '../world/run.ts';

const SEEDS = 8;
/** Both boxes are told within so long, ms. */
const APART = 400;

/** The nth site: trunks, extensions and dial rules come, change and go. */
function site(n: number): Site {
  const c = new Checker();
  const trunk = {
    name: 'provider',
    contact: `sip:192.0.2.${70 + (n % 3)}`,
    prefixes: ['0'],
    options: { periodS: 5 + (n % 2), forceS: 2, recoveryS: 5 },
    ...(n % 2 === 0 ? {} : { register: { user: `user${n % 3}`, password: 'x', expiresS: 60 } }),
  };
  const extensions = Object.fromEntries(
    [...Array(n % 5).keys()].map((i) => [String(7000 + n + i), { name: `number ${n}` }]),
  );
  const made = siteOf(
    c,
    { site: { extensions, trunks: n % 4 === 3 ? [] : [trunk] } },
    { userFrom: 1000, userTo: 1999, passwordPrefix: '' },
  );
  if (c.faults.length > 0) throw new Error(JSON.stringify(c.faults));
  return made;
}

function play(seed: number): RunResult & { readonly reloads: number } {
  let reloads = 0;
  const result = run({
    seed,
    adjust: (drawn) => ({ ...drawn, centre: undefined }),
    operate(world, programs) {
      const dice = world.dice.fork('operator');
      let n = 0;
      const tell = (id: BoxId, of: Site): void => {
        const input = programs[id].configure({ site: of });
        const { process } = world.boxes[id];
        if (process === undefined || process.dead) return;
        reloads += 1;
        process.toEngine(input);
      };
      const commit = (): void => {
        n += 1;
        const next = site(n);
        for (const id of ['a', 'b'] as const) {
          world.queue.after(dice.between(0, APART), () => tell(id, next));
        }
        world.queue.after(dice.between(APART + 100, 2500), commit);
      };
      world.queue.after(3000, commit);
    },
  });
  return { ...result, reloads };
}

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`configured again and again, seed ${seed}: nothing is lost`, (t) => {
    const { violations, reloads } = play(seed);
    t.deepEqual(violations, []);
    t.true(reloads > 5, `${reloads} reloads`);
  });
}
