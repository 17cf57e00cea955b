/**
 * The simulator's command line.
 *
 *   ./build.sh sim [--seed N] [--runs K] [--log] [--verbose] [--pcap FILE] [--history FILE]
 *               [--saboteur NAME] [--programs]
 *
 * `--programs`: every run has programs, and its primary is taken away every second or two.
 *
 * Runs the seeds N, N+1, … and says the seed and its options before each. A broken promise ends it
 * with the end of the picture, the tale of the phones concerned, and the command that replays it.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { writeLines } from '../history/record.ts';
import { describe, drawOptions, type Options } from '../world/options.ts';
import { type RunResult, run } from '../world/run.ts';
import { PROGRAMS_SWARM } from './sabotage.ts';
import { SABOTEURS } from './saboteurs.ts';

const USAGE =
  'usage: ./build.sh sim [--seed N] [--runs K] [--log] [--verbose] [--pcap FILE] [--history FILE] ' +
  '[--saboteur NAME] [--programs] [--keep]';

function refuse(text: string): never {
  console.error(`sim: ${text}\n${USAGE}`);
  process.exit(2);
}

function read() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (e) {
    return refuse((e as Error).message);
  }
}

const OPTIONS = {
  seed: { type: 'string', default: '1' },
  runs: { type: 'string', default: '1' },
  log: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
  pcap: { type: 'string' },
  history: { type: 'string' },
  saboteur: { type: 'string' },
  programs: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const values = read();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const first = Number(values.seed);
const runs = Number(values.runs);
const saboteur = SABOTEURS.find((s) => s.name === values.saboteur);
if (values.saboteur !== undefined && saboteur === undefined) {
  const names = SABOTEURS.map((s) => s.name).join(', ');
  refuse(`no saboteur ${values.saboteur}; there are: ${names}`);
}
if (!Number.isInteger(first) || !Number.isInteger(runs) || runs < 1) {
  refuse('--seed and --runs are whole numbers');
}

const adjust =
  saboteur?.adjust ?? (values.programs ? PROGRAMS_SWARM : (drawn: Options): Options => drawn);

function summary(result: RunResult, realMs: number): string {
  const { world, injector } = result;
  const c = world.book.counts();
  const faults = [...injector.done].map(([kind, n]) => `${kind} ${n}`).join(', ');
  return (
    `  ${(world.now / 1000).toFixed(1)} s in ${realMs.toFixed(0)} ms, ${world.queue.turns} events, ` +
    `${c.calls} calls, ${c.answered} answered, hash ${result.hash.toString(16)}; ${faults}`
  );
}

function report(result: RunResult): void {
  const { world } = result;
  if (!values.log) for (const line of world.picture.lines.slice(-40)) console.log(line);
  for (const v of result.violations.slice(0, 5)) {
    console.log(`\n${v.at.toFixed(3)} ${v.oracle}: ${v.text}`);
    const numbers = new Set(v.text.match(/\b1\d\d\d\b/g) ?? []);
    for (const phone of world.phones) {
      if (numbers.has(phone.number)) for (const line of phone.tale(16)) console.log(line);
    }
  }
  const wide = values.programs ? ' --programs' : '';
  const extra = values.saboteur === undefined ? wide : ` --saboteur ${values.saboteur}`;
  console.log(`\nreplay: ./build.sh sim --seed ${result.seed}${extra} --log --verbose`);
}

let failed = 0;
let done = 0;
const faults = new Map<string, number>();
const began = performance.now();
for (let seed = first; seed < first + runs; seed += 1) {
  const drawn = drawOptions(seed);
  const options = adjust(drawn);
  console.log(describe(options));
  const started = performance.now();
  const result = run({
    seed,
    adjust,
    ...(saboteur === undefined ? {} : { sabotage: saboteur.sabotage }),
    only: saboteur?.oracle,
    print: values.log ? (line) => console.log(line) : undefined,
    verbose: values.verbose,
    capture: values.pcap !== undefined,
  });
  console.log(summary(result, performance.now() - started));
  done += 1;
  for (const [kind, n] of result.injector.done) faults.set(kind, (faults.get(kind) ?? 0) + n);
  if (values.pcap !== undefined && result.world.capture !== undefined) {
    try {
      writeFileSync(values.pcap, result.world.capture.file());
    } catch (e) {
      refuse(`the capture cannot be written: ${(e as Error).message}`);
    }
    console.log(`  packets in ${values.pcap}`);
  }
  if (values.history !== undefined && result.world.centre !== undefined) {
    writeFileSync(values.history, writeLines(result.world.centre.lines));
  }
  if (result.violations.length > 0) {
    failed += 1;
    report(result);
    if (!values.keep) break;
  }
}
const took = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `${done} ${done === 1 ? 'seed' : 'seeds'} in ${took} s: ${done - failed} kept every promise, ${failed} did not`,
);
if (runs > 1) console.log(`faults: ${[...faults].map(([kind, n]) => `${kind} ${n}`).join(', ')}`);
process.exitCode = failed > 0 ? 1 : 0;
