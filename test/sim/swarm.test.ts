/**
 * A short swarm: fixed seeds, and every seed that ever failed (seeds.txt). Bound by their number, not
 * by time. The seed and its options are printed before a run; a red one says how to replay it.
 */

import { readFileSync } from 'node:fs';
import test from 'ava';
import { describe, drawOptions } from '../world/options.ts';
import { run } from '../world/run.ts';

const FIRST = 1;
const COUNT = 60;
const GROUP = 10;

function green(t: import('ava').ExecutionContext, seed: number): void {
  t.log(describe(drawOptions(seed)));
  const { violations, world } = run({ seed });
  if (violations.length > 0) {
    for (const line of world.picture.lines.slice(-25)) t.log(line);
    t.log(`replay: ./build.sh sim --seed ${seed} --log --verbose`);
  }
  t.deepEqual(violations, [], `seed ${seed}`);
  t.true(world.book.counts().answered > 0, `seed ${seed}: somebody talked`);
}

for (let from = FIRST; from < FIRST + COUNT; from += GROUP) {
  test(`seeds ${from} to ${from + GROUP - 1}`, (t) => {
    for (let seed = from; seed < from + GROUP; seed += 1) green(t, seed);
  });
}

const known = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\d/.test(line));

test('seeds that failed once', (t) => {
  t.true(known.length > 0);
  for (const line of known) green(t, Number.parseInt(line, 10));
});

test('the same seed twice gives the same run, to the byte', (t) => {
  for (const seed of [3, 11]) {
    const first = run({ seed, capture: true });
    const second = run({ seed, capture: true });
    t.is(first.hash, second.hash);
    t.is(first.world.queue.turns, second.world.queue.turns);
    const bytes = first.world.capture?.file() ?? new Uint8Array();
    t.true(bytes.length > 10_000);
    t.deepEqual(bytes, second.world.capture?.file());
    t.not(run({ seed: seed + 1 }).hash, first.hash);
  }
});
