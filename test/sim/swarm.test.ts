/**
 * A short swarm: fixed seeds, and every seed that ever failed (seeds.txt). Bound by their number, not
 * by time. The seed and its options are printed before a run; a red one says how to replay it.
 */

import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import {
  DISK_FAULTS,
  describe,
  drawOptions,
  FAULT_KINDS,
  LAN_FAULT_KINDS,
  type Options,
} from '../world/options.ts';
import { run } from '../world/run.ts';

const FIRST = 1;
const COUNT = 60;
const GROUP = 10;
const NARROW = 4;

const AS_DRAWN = (drawn: Options): Options => drawn;

function green(t: ExecutionContext, seed: number, adjust = AS_DRAWN): void {
  t.log(describe(adjust(drawOptions(seed))));
  const { violations, world } = run({ seed, adjust });
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

/** One kind of fault alone, or with one that only bites together with it; often, quickly over. */
const PAIRS = FAULT_KINDS.map((kind) =>
  kind === 'restart-alone' ? (['power-backup', kind] as const) : ([kind] as const),
);

for (const kinds of [
  ...PAIRS,
  ...LAN_FAULT_KINDS.map((kind) => [kind] as const),
  ['cut-x', 'power-primary'],
  ['gateway-off', 'kill-primary', 'dead-port-primary'],
  ['freeze-backup', 'freeze-primary', 'pull-lan-backup'],
  ['wall-step', 'kill-primary'],
  [...DISK_FAULTS, 'cut-x', 'kill-backup'],
  [...DISK_FAULTS, 'power-primary', 'switchover'],
  ['disk-stall', 'kill-primary'],
  ['disk-damage', 'power-backup', 'restart-alone'],
] as const) {
  test(`narrow swarm: ${kinds.join(' and ')}`, (t) => {
    for (let seed = 1; seed <= NARROW; seed += 1) {
      green(t, seed, (drawn) => ({
        ...drawn,
        kinds,
        faultGap: 1000,
        aimed: 0.5,
        repair: seed % 2 === 0 ? [20, 200] : [100, 1500],
        // the link cases with a witness, and half of them without
        pair: { ...drawn.pair, witness: seed % 4 < 2 },
      }));
    }
  });
}

test('narrow swarm: the primary loses power just after its backup came in step', (t) => {
  for (let seed = 1; seed <= 2 * NARROW; seed += 1) {
    green(t, seed, (drawn) => ({
      ...drawn,
      kinds: ['kill-backup', 'power-primary'],
      faultGap: 250,
      aimed: 0.5,
      repair: [20, 200],
      box: { ...drawn.box, disk: { commit: 4, sync: 15, stall: 0.01 } },
    }));
  }
});

/** They were found before disks could fail, before anybody watched, and before streams and programs. */
const AS_FOUND = (drawn: Options): Options => ({
  ...drawn,
  streams: 0,
  centre: undefined,
  kinds: drawn.kinds.filter((kind) => !(DISK_FAULTS as readonly string[]).includes(kind)),
  mix: { ...drawn.mix, watch: 0 },
});

const known = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\d/.test(line));

test('seeds that failed once', (t) => {
  t.true(known.length > 0);
  for (const line of known) green(t, Number.parseInt(line, 10), AS_FOUND);
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
