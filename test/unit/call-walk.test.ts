/**
 * Phones that do anything at any time: legal, late, repeated, crossed, to the wrong dialog; and a
 * box that is replaced at any moment. Whatever happens: nothing throws, what we send is well formed,
 * a dialog keeps its tags, its CSeq and its RSeq grow, and when everybody has been silent for two
 * hours nothing is left but registrations and calls that were answered and never hung up, each of
 * which a BYE ends; with session timers, not even those.
 */

import test from 'ava';
import { Walker } from './call-walker.ts';

function walk(seed: number, steps: number, swapOneIn: number): string[] {
  const w = new Walker(seed);
  try {
    for (let i = 0; i < steps; i += 1) {
      if (swapOneIn > 0 && w.chance(swapOneIn)) w.swap();
      w.step();
      w.watch();
    }
    const left = [...w.leftovers(), ...w.model.look(w.lab), ...w.faults, ...w.unfair()];
    if (globalThis.process.env['STATS']) console.log(JSON.stringify([...w.lab.counters]));
    if (left.length > 0)
      left.push(...w.story.slice(-Number(globalThis.process.env['STORY'] ?? 60)));
    return left;
  } catch (error) {
    return [String((error as Error).stack), ...w.story.slice(-40)];
  }
}

const RUNS = Number(globalThis.process.env['WALKS'] ?? 150);

for (const [name, swapOneIn] of [
  ['one box', 0],
  ['a box replaced now and then', 25],
] as const) {
  test(`phones that do anything leave nothing behind: ${name}`, (t) => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      for (const steps of [30, 200]) {
        const left = walk(seed * 1000 + steps, steps, swapOneIn);
        t.deepEqual(left, [], `seed ${seed}, ${steps} steps`);
        if (left.length > 0) return;
      }
    }
  });
}
