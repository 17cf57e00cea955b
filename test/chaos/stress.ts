/**
 * A pair under load that is not its own fault: processors, disk and fsync busy, calls at full rate.
 * Nothing is broken, so nothing may happen: no change of roles, no call lost.
 *
 *     ./build.sh stress [--minutes 10] [--rate 300] [--calls 50] [--cpu 4] [--disk 2]
 *
 * Load comes from the bench's generator, which tells set-up delays; standing calls are the crowd's.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Generator } from '../bench/generator.ts';
import { CALLEES } from '../bench/place.ts';
import { type BoxStatus, messageOf, statusOf } from '../lab/control.ts';
import { BOXES, type BoxName, LAN_PREFIX } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { burn } from './burners.ts';
import { leaksBetween, useOf, words } from './leaks.ts';
import { playOn } from './play.ts';
import type { Scene } from './scene.ts';

const HELP = `./build.sh stress [options]     calls at full rate while processors and disk are busy

  --minutes N   how long, 10
  --rate N      calls a second of the generator, 300
  --calls N     standing calls besides, 50
  --cpu N       busy processor loads, 4 (0: none)
  --disk N      writers with fsync on the disk of the data directories, 2 (0: none)

Exit code 1 when a role changed or a call was lost. Says how late heartbeats and turns were.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '300' },
    calls: { type: 'string', default: '50' },
    cpu: { type: 'string', default: '4' },
    disk: { type: 'string', default: '2' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const SAMPLE_MS = 100;
/** The generator places calls in pieces, so that a failure is near to its cause. */
const PIECE_S = 30;

/** What two boxes said of themselves over the run. */
class Sampler {
  readonly violations: string[] = [];
  longestUnheardMs = 0;
  outOfStep = 0;
  samples = 0;
  readonly unanswered: Record<BoxName, number> = { a: 0, b: 0 };
  readonly #control: (box: BoxName) => string;
  readonly #roles: Readonly<Record<BoxName, string>>;
  readonly last: Partial<Record<BoxName, BoxStatus>> = {};
  #running = true;

  constructor(control: (box: BoxName) => string, roles: Readonly<Record<BoxName, string>>) {
    this.#control = control;
    this.#roles = roles;
  }

  async run(): Promise<void> {
    while (this.#running) {
      await Promise.all(BOXES.map((box) => this.#sample(box)));
      this.samples++;
      await sleep(SAMPLE_MS);
    }
  }

  stop(): void {
    this.#running = false;
  }

  async #sample(box: BoxName): Promise<void> {
    const status = await statusOf(this.#control(box));
    if (status === undefined) {
      this.unanswered[box]++;
      return;
    }
    this.last[box] = status;
    const heard = (status as { peer?: { heardMsAgo?: number } }).peer?.heardMsAgo ?? 0;
    this.longestUnheardMs = Math.max(this.longestUnheardMs, heard);
    if (status.inStep !== true) this.outOfStep++;
    if (status.role !== this.#roles[box] && this.violations.length < 5) {
      this.violations.push(`box ${box} is ${status.role}, was ${this.#roles[box]}`);
    }
  }
}

/** How late the sentry of a box was run, and what that led to. */
function lateness(status: BoxStatus | undefined): string {
  if (status === undefined) return 'says nothing';
  const { stalls, longestStallMs, falseAlarms } = status.pairCounters ?? {};
  const late = Object.entries(status.lateness ?? {}).map(([bucket, n]) => `${bucket} ${n}`);
  return (
    `sentry late: ${late.join(', ')}; held up ${stalls} times, ${longestStallMs?.toFixed(0)} ms at ` +
    `most; ${falseAlarms} wrong suspicions, went alone ${status.wentAlone} times`
  );
}

/** Places calls in pieces; `warm` is called once when the heaps have the size of this load. */
async function calls(
  scene: Scene,
  generator: Generator,
  seconds: number,
  warm: () => Promise<void>,
): Promise<string[]> {
  const wrong: string[] = [];
  // The crowd has the extensions up to 1199.
  const users = { users: 100, firstUser: 1300, register: true };
  const load = { rate: Number(values.rate), holdMs: 1000, ...users };
  for (let left = seconds; left > 0; left -= PIECE_S) {
    const secs = Math.min(PIECE_S, left);
    const one = await generator.place(scene.lab.places.netns('lan'), { ...load, secs });
    const delays = one.setup_us.flatMap(([us, n]) => Array<number>(n).fill(us));
    delays.sort((a, b) => a - b);
    const at = (q: number) =>
      ((delays[Math.floor(q * (delays.length - 1))] ?? 0) / 1000).toFixed(1);
    console.log(
      `${one.calls} calls, ${one.achieved_cps.toFixed(0)} a second, ${one.failed} failed; set-up ` +
        `median ${at(0.5)} ms, p99 ${at(0.99)} ms; generator late ${one.late_ms.toFixed(0)} ms; ` +
        `repeated INVITEs ${one.repeats.invite}`,
    );
    if (left > seconds / 2 && left - secs <= seconds / 2) await warm();
    if (one.failed > 0) wrong.push(`${one.failed} calls: ${JSON.stringify(one.failed_with)}`);
  }
  return wrong;
}

async function stress(scene: Scene): Promise<string[]> {
  const { lab } = scene;
  const seconds = Math.max(5, Math.round(Number(values.minutes) * 60));
  const folder = join(lab.places.dir, 'generator');
  mkdirSync(folder);
  // Where the generator's callees live; its callers are at the host's first address.
  await lab.exec('lan', ['ip', 'addr', 'add', `${CALLEES}/${LAN_PREFIX}`, 'dev', 'lan0']);
  const generator = await Generator.build(folder);
  const { boxes } = await lab.status();
  const role = (box: BoxName) => boxes[box].status?.role ?? '';
  const sampler = new Sampler(lab.places.control, { a: role('a'), b: role('b') });
  // A heap grows with its load; what grows after half of it is a leak.
  let first = await useOf(lab);
  const sampling = sampler.run();
  const burning = burn(lab.places.dir, seconds + 60, {
    cpu: Number(values.cpu),
    disk: Number(values.disk),
  });
  let wrong: string[];
  try {
    wrong = await calls(scene, generator, seconds, async () => {
      first = await useOf(lab);
    });
  } finally {
    generator.stop();
    await burning.stop();
    sampler.stop();
    await sampling;
  }
  console.log(
    `a box had not heard the other for ${sampler.longestUnheardMs.toFixed(0)} ms at most; ` +
      `${sampler.outOfStep} of ${sampler.samples * 2} samples out of step; unanswered: ` +
      `a ${sampler.unanswered.a}, b ${sampler.unanswered.b}`,
  );
  for (const box of BOXES) console.log(`box ${box}: ${lateness(sampler.last[box])}`);
  wrong.push(...sampler.violations);
  const after = await scene.inStep();
  if (typeof after === 'string') return [...wrong, after];
  wrong.push(...(await scene.wrong()));
  const last = await useOf(lab);
  console.log(`half-way: ${words(first)}; at last: ${words(last)}`);
  return [...wrong, ...leaksBetween(first, last)];
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const settings = { standing: Number(values.calls), rate: 0 };
  return playOn('stress', settings, 'no role changed, no call lost', stress);
}

try {
  process.exit(await main());
} catch (error) {
  console.error(`stress: ${messageOf(error)}`);
  process.exit(2);
}
