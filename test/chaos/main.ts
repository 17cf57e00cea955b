/**
 * Chaos: faults drawn from a seed on a real pair with calls up, watched from outside.
 *
 *     ./build.sh chaos [--minutes N] [--seed S] [--faults kill-primary,hide,...] [--list]
 *
 * One line an event. Ends with exit code 1 and the reason at the first broken promise; the seed it
 * says draws the same faults again (when each of them hits depends on the machine, as in life).
 */

import { parseArgs } from 'node:util';
import { messageOf } from '../lab/control.ts';
import { removeLab } from '../lab/lab.ts';
import { BOXES, other } from '../lab/places.ts';
import { lastLines, sleep } from '../lab/processes.ts';
import { Dice } from '../world/dice.ts';
import { EXCLUDED, FAULTS, type Fault } from './faults.ts';
import { leaksBetween, useOf, words } from './leaks.ts';
import { Scene } from './scene.ts';

const HELP = `./build.sh chaos [options]      faults drawn from a seed, on a real pair with calls up

  --minutes N       how long, 5
  --seed S          draws the same faults again; without it one is made and said
  --faults A,B      only these; --list shows all
  --calls N         standing calls, 50
  --rate N          new calls a second, 10
  --check-every N   re-INVITE of every call and comparison of the tables after N faults, 3

Watched from outside: who answers ARP for the VIP, who speaks SIP and from which address, the tables
on both disks, every standing call, memory, descriptors, devices. Exit code 1 and the reason at the
first broken promise.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    faults: { type: 'string' },
    calls: { type: 'string', default: '50' },
    rate: { type: 'string', default: '10' },
    'check-every': { type: 'string', default: '3' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

function drawnFrom(): readonly Fault[] {
  if (values.faults === undefined) return FAULTS;
  return values.faults.split(',').map((name) => {
    const found = FAULTS.find((fault) => fault.name === name);
    if (found === undefined) throw new Error(`no fault "${name}"; see --list`);
    return found;
  });
}

const began = Date.now();

function say(text: string): void {
  const seconds = ((Date.now() - began) / 1000).toFixed(1).padStart(7);
  console.log(`${seconds} s  ${text}`);
}

/** Runs until the time is over. @returns what is wrong, empty when nothing is. */
async function storm(scene: Scene, dice: Dice, faults: readonly Fault[]): Promise<string[]> {
  const until = performance.now() + Number(values.minutes) * 60_000;
  const first = await useOf(scene.lab);
  const counts = new Map<string, number>();
  const every = Number(values['check-every']);
  say(`at first: ${words(first)}`);
  for (let n = 1; performance.now() < until; n++) {
    const ready = await scene.inStep();
    if (typeof ready === 'string') return [ready];
    const { primary } = ready;
    if (primary === null) return ['nobody leads'];
    // Time in which calls flow on a healthy pair.
    await sleep(dice.between(200, 1500));
    const fault = dice.pick(faults);
    const { lab, watch } = scene;
    const epoch = ready.boxes[primary].status?.epoch ?? 0;
    const started = performance.now();
    const told = await fault.run({ lab, dice, watch, primary, backup: other(primary) });
    const after = await scene.inStep();
    if (typeof after === 'string') return [`${fault.name} (${told}): ${after}`];
    counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1);
    const leads = after.primary ?? 'a';
    const now = after.boxes[leads].status?.epoch ?? 0;
    const moved = now === epoch ? `${primary} still leads` : `${leads} leads epoch ${now}`;
    const took = ((performance.now() - started) / 1000).toFixed(1);
    say(`#${n} ${fault.name}: ${told}; ${moved}, in step after ${took} s`);
    const wrong = n % every === 0 ? await scene.wrong() : scene.seen();
    if (wrong.length > 0) return [`after ${fault.name} (${told})`, ...wrong];
    if (n % every === 0) say(`  calls and tables are right; ${words(await useOf(lab))}`);
    await scene.flow();
  }
  const wrong = await scene.wrong();
  const last = await useOf(scene.lab);
  say(`at last: ${words(last)}`);
  const drawn = [...counts].sort().map(([name, count]) => `${name} ${count}`);
  say(`faults: ${drawn.join(', ')}; never drawn: ${EXCLUDED.join(', ')}`);
  return [...wrong, ...leaksBetween(first, last)];
}

async function main(): Promise<number> {
  if (values.help || values.list) {
    console.log(
      values.help ? HELP : FAULTS.map((f) => `${f.name.padEnd(16)} ${f.what}`).join('\n'),
    );
    return 0;
  }
  const faults = drawnFrom();
  const seed = Number(values.seed ?? Math.trunc(Math.random() * 1e9));
  const settings = { standing: Number(values.calls), rate: Number(values.rate) };
  const name = `chaos-${process.pid}`;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void removeLab(name).finally(() => process.exit(130)));
  }
  console.log(`chaos: seed ${seed}, ${settings.standing} calls, ${settings.rate} new a second`);
  const scene = await Scene.make(name, settings);
  const { lab, watch } = scene;
  let wrong: string[];
  try {
    wrong = await storm(scene, new Dice(seed), faults).catch((error) => [messageOf(error)]);
    say(
      `${scene.flowed} calls flowed, ${watch.datagrams} datagrams heard, the voice changed ` +
        `${watch.changes} times; two answered ARP for ${watch.longestTwoMs.toFixed(0)} ms at most, ` +
        `nobody for ${watch.longestSilentMs.toFixed(0)} ms at most`,
    );
    if (wrong.length > 0) {
      for (const box of BOXES) {
        console.log(`last lines of box ${box}:`);
        console.log(lastLines(lab.places.log(box), 25).join('\n'));
      }
    }
  } finally {
    await scene.end();
  }
  for (const text of wrong) console.error(`chaos: WRONG: ${text}`);
  console.log(`chaos: ${wrong.length === 0 ? 'all promises kept' : 'broken'}; seed ${seed}`);
  return wrong.length === 0 ? 0 : 1;
}

try {
  process.exit(await main());
} catch (error) {
  console.error(`chaos: ${messageOf(error)}`);
  process.exit(2);
}
