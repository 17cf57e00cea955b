/**
 * Exactly once, shown: programs, agents and calls on a real pair whose primary is taken away every few
 * seconds; everything is written down, and the checker judges it.
 *
 *     ./build.sh history [--switchovers 200] [--programs 50] [--agents 300] [--calls 200] [--seed S]
 *     ./build.sh history --check FILE
 */

import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../lab/control.ts';
import { createLab, removeLab } from '../lab/lab.ts';
import { BOXES } from '../lab/places.ts';
import { lastLines } from '../lab/processes.ts';
import { check, RULES, summary, type Verdict } from './check.ts';
import { Play, readRecord } from './play.ts';

const HELP = `./build.sh history [options]    programs and agents through switchovers, judged afterwards

  --switchovers N   200: kill -9, power off, freeze, planned, a few seconds apart
  --programs N      50, each with agents of its own, and one more that watches everything
  --agents N        300 phones with agents; programs act for them
  --calls N         200 at once, made by phones and programs
  --seed S          draws the same wishes and the same switchovers again
  --minutes N       60: ends after so long in any case
  --gap MS          3000: mean pause of a program between two requests
  --folder DIR      build/history: the record stays there
  --check FILE      only judges a record
  --rules           what is judged

One line a minute. Exit code 1 and the reasons when a promise was broken.`;

const { values } = parseArgs({
  options: {
    switchovers: { type: 'string', default: '200' },
    programs: { type: 'string', default: '50' },
    agents: { type: 'string', default: '300' },
    calls: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '60' },
    gap: { type: 'string', default: '3000' },
    folder: { type: 'string', default: 'build/history' },
    check: { type: 'string' },
    rules: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

function say(line: string): void {
  console.log(`history: ${line}`);
}

/** @returns the exit code. */
function judge(verdict: Verdict, wrong: readonly string[]): number {
  for (const { rule, line, text } of verdict.broken) {
    console.error(`history: BROKEN ${rule}: ${text} (line ${line + 1})`);
  }
  for (const text of wrong) console.error(`history: WRONG: ${text}`);
  say(summary(verdict));
  return verdict.broken.length + wrong.length === 0 ? 0 : 1;
}

async function play(): Promise<number> {
  const name = `history-${process.pid}`;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void removeLab(name).finally(() => process.exit(130)));
  }
  const folder = resolve(values.folder);
  mkdirSync(folder, { recursive: true });
  // one switchover after the other, by itself: the flap guard would hold them, as it should
  const config = { timers: { flapMs: 0, flapMost: 100, flapWindowMs: 0 } };
  const lab = await createLab({ name, config });
  try {
    const seed = Number(values.seed);
    say(`seed ${seed}, record in ${folder}`);
    const { verdict, done, wrong } = await new Play(lab, {
      switchovers: Number(values.switchovers),
      programs: Number(values.programs),
      agents: Number(values.agents),
      calls: Number(values.calls),
      minutes: Number(values.minutes),
      gapMs: Number(values.gap),
      ...{ seed, folder, say },
    }).run();
    say(`switchovers: ${[...done].map(([kind, n]) => `${kind} ${n}`).join(', ')}`);
    const code = judge(verdict, wrong);
    if (code !== 0) {
      for (const box of BOXES) {
        console.log(`last lines of box ${box}:`);
        console.log(lastLines(lab.places.log(box), 25).join('\n'));
      }
    }
    return code;
  } finally {
    await lab.down();
  }
}

async function main(): Promise<number> {
  if (values.help) console.log(HELP);
  else if (values.rules) {
    for (const { name, about } of RULES) console.log(`${name.padEnd(18)} ${about}`);
  } else if (values.check !== undefined) return judge(check(await readRecord(values.check)), []);
  else return play();
  return 0;
}

try {
  process.exit(await main());
} catch (error) {
  console.error(`history: ${messageOf(error)}`);
  process.exit(2);
}
