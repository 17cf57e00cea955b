/**
 * Hundreds of switchovers in a row on one pair with calls up: nothing lost, nothing leaked.
 *
 *     ./build.sh soak [--failovers 500] [--calls 50] [--rate 5] [--seed S]
 *
 * Each waits only until the pair is in step again. The kinds are mixed as WEIGHTS says.
 */

import { parseArgs } from 'node:util';
import { messageOf, statusOf } from '../lab/control.ts';
import type { Lab } from '../lab/lab.ts';
import { BOXES, type BoxName, other } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { Dice } from '../world/dice.ts';
import { leaksBetween, type Use, useOf, words } from './leaks.ts';
import { playOn } from './play.ts';
import type { Scene } from './scene.ts';

const HELP = `./build.sh soak [options]       hundreds of switchovers in a row, with calls up

  --failovers N   500 (under 25 minutes)
  --calls N       standing calls, 50
  --rate N        new calls a second, 5
  --seed S        mixes the kinds in the same order again

Progress every 10 switchovers. Exit code 1 when a call, a row or memory was lost.`;

const { values } = parseArgs({
  options: {
    failovers: { type: 'string', default: '500' },
    calls: { type: 'string', default: '50' },
    rate: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** Of 20 switchovers; a freeze lasts two seconds, so it is rare. */
const WEIGHTS = { kill: 8, power: 4, planned: 4, term: 3, freeze: 1 } as const;
type Kind = keyof typeof WEIGHTS;
const BAG = (Object.keys(WEIGHTS) as Kind[]).flatMap((kind) => Array(WEIGHTS[kind]).fill(kind));

const TAKEOVER_MS = 8000;
/** How often everything is checked; a check costs a second. */
const CHECK_EVERY = 10;

async function takenOver(lab: Lab, box: BoxName, epoch: number): Promise<boolean> {
  for (const end = performance.now() + TAKEOVER_MS; performance.now() < end; await sleep(10)) {
    const status = await statusOf(lab.places.control(box));
    if (status?.role === 'primary' && (status.epoch ?? 0) > epoch) return true;
  }
  return false;
}

/** One switchover away from `box`. @returns what is wrong. */
async function once(lab: Lab, kind: Kind, box: BoxName, epoch: number): Promise<string> {
  if (kind === 'kill') await lab.kill(box);
  else if (kind === 'term') await lab.kill(box, 'SIGTERM');
  else if (kind === 'power') await lab.powerOff(box);
  else if (kind === 'freeze') await lab.kill(box, 'SIGSTOP');
  else {
    // On a busy machine the backup may be out of step at that moment: asked again.
    for (let tries = 0; ; tries++) {
      const { ok, text } = await lab.switchover();
      if (ok) break;
      if (tries === 20) return `switchover refused: ${text}`;
      await lab.ready(60_000);
    }
  }
  const taken = await takenOver(lab, other(box), epoch);
  if (kind === 'freeze') await lab.kill(box, 'SIGCONT');
  else if (kind !== 'planned') await lab.start(box);
  return taken ? '' : `${kind} of ${box}: ${other(box)} did not take over in ${TAKEOVER_MS} ms`;
}

function progress(n: number, all: number, began: number, use: Use): void {
  const seconds = (performance.now() - began) / 1000;
  const left = (seconds / n) * (all - n);
  console.log(
    `${n} of ${all} switchovers, ${seconds.toFixed(0)} s (${(seconds / n).toFixed(2)} s each, ` +
      `${left.toFixed(0)} s to go); ${words(use)}`,
  );
}

/** Memory of boxes at the checks: the last quarter must not be far above the second. */
function trend(uses: readonly Use[]): string[] {
  if (uses.length < 8) return [];
  const quarter = Math.floor(uses.length / 4);
  const median = (some: readonly Use[], box: BoxName): number => {
    const all = some.flatMap((use) => use.boxes[box]?.rssMb ?? []).sort((a, b) => a - b);
    return all[Math.floor(all.length / 2)] ?? 0;
  };
  return BOXES.flatMap((box) => {
    const early = median(uses.slice(quarter, 2 * quarter), box);
    const late = median(uses.slice(-quarter), box);
    const text = `memory of box ${box} grows: ${early.toFixed(0)} MB, then ${late.toFixed(0)} MB`;
    return late > early * 1.3 + 20 ? [text] : [];
  });
}

async function soak(scene: Scene, dice: Dice): Promise<string[]> {
  const { lab } = scene;
  const all = Number(values.failovers);
  const first = await useOf(lab);
  const uses: Use[] = [];
  console.log(`at first: ${words(first)}`);
  const began = performance.now();
  for (let n = 1; n <= all; n++) {
    const ready = await scene.inStep();
    if (typeof ready === 'string') return [ready];
    const box = ready.primary ?? 'a';
    const kind = dice.pick(BAG) as Kind;
    const wrong = await once(lab, kind, box, ready.boxes[box].status?.epoch ?? 0);
    if (wrong !== '') return [`switchover ${n}: ${wrong}`];
    if (n % CHECK_EVERY !== 0 && n !== all) continue;
    const after = await scene.inStep();
    if (typeof after === 'string') return [`switchover ${n}, ${kind} of ${box}: ${after}`];
    const found = await scene.wrong();
    uses.push(await useOf(lab));
    progress(n, all, began, uses.at(-1) as Use);
    if (found.length > 0) return [`after switchover ${n}, ${kind} of ${box}`, ...found];
    await scene.flow();
  }
  return [...leaksBetween(first, uses.at(-1) ?? first), ...trend(uses)];
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const settings = { standing: Number(values.calls), rate: Number(values.rate) };
  const dice = new Dice(Number(values.seed));
  return playOn('soak', settings, 'nothing lost, nothing leaked', (scene) => soak(scene, dice));
}

try {
  process.exit(await main());
} catch (error) {
  console.error(`soak: ${messageOf(error)}`);
  process.exit(2);
}
