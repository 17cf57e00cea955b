/**
 * Random schedules against the promise the whole machine exists for: no two boxes have an open door
 * at one time, and nobody claims a VIP that is answered. A run draws which kinds of fault exist,
 * then a schedule; at the end everything is healed and the pair must be whole again.
 *
 * Left out, because no pair survives it (the manual says so): a primary that is frozen *and* cut off
 * the LAN *and* off the crossover still believes in its lease when it wakes up, on a LAN that cannot
 * hear it. So freezes and LAN cuts are not drawn together.
 */

import test from 'ava';
import fc from 'fast-check';
import { type Box, MAC, Pair, started } from './pair-harness.ts';

type Deed =
  | 'kill'
  | 'power-off'
  | 'boot'
  | 'freeze'
  | 'thaw'
  | 'cut-x'
  | 'heal-x'
  | 'cut-lan'
  | 'heal-lan'
  | 'switchover'
  | 'loss'
  | 'no-loss';

type Stage = { readonly deed: Deed; readonly onA: boolean; readonly pause: number };

const CRASHES: readonly Deed[] = [
  'kill',
  'power-off',
  'boot',
  'boot',
  'boot',
  'switchover',
  'loss',
  'no-loss',
];
const KINDS: readonly (readonly Deed[])[] = [
  CRASHES,
  [...CRASHES, 'freeze', 'freeze', 'thaw', 'thaw'],
  [...CRASHES, 'freeze', 'thaw', 'cut-x', 'heal-x'],
  [...CRASHES, 'cut-x', 'heal-x', 'cut-lan', 'heal-lan'],
];

const schedule = fc.constantFrom(...KINDS).chain((deeds) =>
  fc.array(
    fc.record({
      deed: fc.constantFrom(...deeds),
      onA: fc.boolean(),
      pause: fc.oneof(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 3000 }),
      ),
    }),
    { minLength: 6, maxLength: 30, size: 'max' },
  ),
);

function perform(pair: Pair, box: Box, deed: Deed): void {
  switch (deed) {
    case 'kill':
      pair.kill(box);
      return;
    case 'power-off':
      pair.powerOff(box);
      return;
    case 'boot':
      if (box.sentry === undefined) pair.boot(box);
      return;
    case 'freeze':
      pair.freeze(box);
      return;
    case 'thaw':
      pair.thaw(box);
      return;
    case 'cut-x':
      pair.cutX();
      return;
    case 'heal-x':
      pair.healX();
      return;
    case 'cut-lan':
      pair.setCarrier(box, 'l', false);
      return;
    case 'heal-lan':
      pair.setCarrier(box, 'l', true);
      return;
    case 'switchover':
      pair.operator(box, pair.now, { kind: 'switchover', force: false });
      return;
    case 'loss':
      pair.filter = () => pair.random() > 0.1;
      return;
    case 'no-loss':
      pair.filter = () => true;
      return;
  }
}

function play(seed: number, stages: readonly Stage[], deaf = false): Pair {
  const pair = seed % 3 === 0 ? new Pair(seed) : started(seed);
  pair.deaf = deaf;
  const base = pair.latency;
  pair.latency = () => base() + pair.random() * pair.random() * 4;
  if (seed % 3 === 0) {
    pair.boot(pair.a, pair.random() * 100);
    pair.boot(pair.b, pair.random() * 100);
  }
  for (const stage of stages) {
    perform(pair, stage.onA ? pair.a : pair.b, stage.deed);
    pair.run(stage.pause);
    if (pair.voice() === 'both' && pair.lUp()) pair.broken.push(`${pair.now}: two voices`);
  }
  return pair;
}

function heal(pair: Pair): void {
  pair.filter = () => true;
  pair.healX();
  for (const box of [pair.a, pair.b]) {
    pair.setCarrier(box, 'l', true);
    pair.thaw(box);
    if (box.sentry === undefined) pair.boot(box);
  }
  const whole = (): boolean =>
    (pair.voice() === 'a' || pair.voice() === 'b') &&
    pair.a.standing.inStep &&
    pair.b.standing.inStep &&
    pair.linked;
  // bounded: the hold, a lifetime, and the patience of a switchover, twice
  pair.run(8000, whole);
  pair.run(200);
}

const RUNS = Number(process.env['SCHEDULES'] ?? 400);

test('no two voices, whatever happens; and after healing one voice, in step', (t) => {
  const seen = { claims: 0, falseAlarms: 0, leasesLost: 0, handovers: 0 };
  const result = fc.check(
    fc.property(fc.nat(1_000_000), schedule, (seed, stages) => {
      const pair = play(seed, stages);
      heal(pair);
      const voice = pair.voice();
      if (voice === 'none' || voice === 'both') pair.broken.push(`healed, voice: ${voice}`);
      else if (pair.cache !== MAC[voice]) pair.broken.push('caches point elsewhere');
      if (!pair.a.standing.inStep || !pair.b.standing.inStep) pair.broken.push('not in step');
      for (const box of [pair.a, pair.b]) {
        const c = box.view().counters;
        seen.claims += box.claims.length;
        seen.falseAlarms += c.falseAlarms;
        seen.leasesLost += c.leasesLost;
        seen.handovers += c.handovers;
      }
      if (pair.broken.length === 0) return;
      const log = pair.logs.map((l) => `${l.at.toFixed(1)} ${l.box} ${l.text}`).join('\n');
      throw new Error(`${pair.broken.join('\n')}\n${log}`);
    }),
    { numRuns: RUNS, ...(process.env['SEED'] ? { seed: Number(process.env['SEED']) } : {}) },
  );
  if (result.failed) {
    t.log(`SEED=${result.seed} ${JSON.stringify(result.counterexample)}`);
    t.fail(String((result.errorInstance as Error).message));
    return;
  }
  t.log(JSON.stringify(seen));
  t.true(seen.claims > RUNS && seen.leasesLost > 0 && seen.handovers > 0, JSON.stringify(seen));
});

test('saboteur: a sentry that does not hear ARP replies breaks the promise', (t) => {
  const stages: Stage[] = [{ deed: 'freeze', onA: true, pause: 1000 }];
  t.deepEqual(play(1, stages).broken, []);
  t.true(play(1, stages, true).broken.length > 0);
});
