/**
 * `./build.sh fuzz`: the parser under mutated messages, guided by coverage, for a while. The engine
 * runs in a thread of its own and shows each input before it runs, so that one that never ends is
 * known too. What breaks a promise is saved under build/fuzz, made as small as a search finds it.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Failure, fuzz, type Report } from './fuzz.ts';

const USAGE = `usage: ./build.sh fuzz [--seconds 60] [--seed 1] [--executions N] [--missing]
       ./build.sh fuzz --file FILE      one saved input again
  --missing   lists the blocks of the parser that no input reached`;

/** How long one input may run before it counts as one that never ends. */
const STUCK_MS = 20_000;
const FOLDER = new URL('../../build/fuzz/', import.meta.url);

type Job = {
  readonly seed: number;
  readonly executions: number;
  readonly seconds: number;
  readonly shared: SharedArrayBuffer;
};

// What the two threads share: executions, octets of the present input, then those octets.
const AT_EXECUTIONS = 0;
const AT_SIZE = 1;
const HEADER = 8;
const ROOM = 1 << 18;

if (isMainThread) await main();
else await work(workerData as Job);

async function work(job: Job): Promise<void> {
  const counters = new Int32Array(job.shared, 0, 2);
  const octets = Buffer.from(job.shared, HEADER);
  const end = Date.now() + job.seconds * 1000;
  const report = await fuzz({
    seed: job.seed,
    executions: job.executions,
    go: () => Date.now() < end,
    before: (text, executions) => {
      counters[AT_SIZE] = octets.write(text, 'latin1');
      counters[AT_EXECUTIONS] = executions;
    },
  });
  parentPort?.postMessage(report);
}

function refuse(text: string): never {
  console.error(`fuzz: ${text}\n${USAGE}`);
  process.exit(2);
}

function whole(name: string, text: string, low: number): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= low ? value : refuse(`--${name} ${text}`);
}

function options() {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  try {
    return parseArgs({
      options: {
        seconds: text('60'),
        seed: text('1'),
        executions: text('0'),
        file: { type: 'string' },
        missing: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (e) {
    return refuse((e as Error).message);
  }
}

async function main(): Promise<void> {
  const o = options();
  if (o.help) {
    console.log(USAGE);
    return;
  }
  if (o.file !== undefined) return again(o.file);
  const executions = whole('executions', o.executions, 0);
  const job: Job = {
    seed: whole('seed', o.seed, 0),
    executions: executions === 0 ? Number.MAX_SAFE_INTEGER : executions,
    seconds: executions === 0 ? whole('seconds', o.seconds, 1) : 1e9,
    shared: new SharedArrayBuffer(HEADER + ROOM),
  };
  const began = Date.now();
  const report = await watched(job);
  const seconds = Math.max(1, Date.now() - began) / 1000;
  tell(report, seconds, o.missing);
  if (report.failure === undefined) return;
  save(report.failure);
  process.exitCode = 1;
}

/** Runs the engine in its thread; an input that does not end becomes a failure. */
function watched(job: Job): Promise<Report> {
  const worker = new Worker(new URL(import.meta.url), { workerData: job });
  const counters = new Int32Array(job.shared, 0, 2);
  let seen = -1;
  let since = Date.now();
  return new Promise((done, failed) => {
    const look = setInterval(() => {
      const now = counters[AT_EXECUTIONS] ?? 0;
      if (now !== seen) {
        seen = now;
        since = Date.now();
      } else if (now > 0 && Date.now() - since > STUCK_MS) {
        clearInterval(look);
        const size = counters[AT_SIZE] ?? 0;
        const text = Buffer.from(job.shared, HEADER, size).toString('latin1');
        save({ text, cuts: [], rule: 'work is bounded', detail: `no end in ${STUCK_MS} ms` });
        process.exit(1);
      }
    }, 500);
    worker.once('message', (report: Report) => {
      clearInterval(look);
      done(report);
    });
    worker.once('error', (e) => {
      clearInterval(look);
      failed(e);
    });
  });
}

function tell(r: Report, seconds: number, missing: boolean): void {
  const rate = Math.round(r.executions / seconds);
  // On a busy machine the first rate says little.
  const busy = Math.round(r.executions / (process.cpuUsage().user / 1e6));
  const rates = `${rate} a second, ${busy} a second of the processor`;
  console.log(`fuzz: ${r.executions} executions in ${seconds.toFixed(1)} s: ${rates}`);
  console.log(`fuzz: ${r.covered} of ${r.known} blocks of src/sip-parser covered`);
  console.log(`fuzz: ${r.corpus} inputs kept, ${r.seeds} of them seeds`);
  console.log(`fuzz: at most ${r.workPerOctet} block executions an octet in a batch`);
  const verdicts = [...r.verdicts].sort((a, b) => b[1] - a[1]);
  console.log(`fuzz: verdicts ${verdicts.map(([word, n]) => `${word} ${n}`).join(', ')}`);
  if (missing) for (const { url, at } of r.missing) console.log(places(url, at));
}

/** Offsets as line numbers. */
function places(url: string, at: readonly number[]): string {
  const text = readFileSync(new URL(url), 'utf8');
  const lines = new Set(at.map((offset) => text.slice(0, offset).split('\n').length));
  return `fuzz: not reached in ${url.slice(url.lastIndexOf('/') + 1)}: line ${[...lines].join(' ')}`;
}

function save(f: Failure): void {
  mkdirSync(FOLDER, { recursive: true });
  const name = `${f.rule.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${f.text.length}`;
  const file = new URL(`${name}.dat`, FOLDER);
  writeFileSync(file, Buffer.from(f.text, 'latin1'));
  writeFileSync(new URL(`${name}.txt`, FOLDER), `cuts ${f.cuts.join(' ')}\n${f.detail}\n`);
  console.log(`fuzz: FAILED: ${f.rule}\n${f.detail.slice(0, 2000)}`);
  console.log(
    `fuzz: the input is ${file.pathname}; again: ./build.sh fuzz --file ${file.pathname}`,
  );
}

async function again(path: string): Promise<void> {
  const { check } = await import('./target.ts');
  const text = readFileSync(path, 'latin1');
  let cuts: number[] = [];
  try {
    const first = readFileSync(path.replace(/\.dat$/, '.txt'), 'utf8').split('\n')[0] ?? '';
    cuts = first.split(' ').slice(1).filter(Boolean).map(Number);
  } catch {
    // An input from elsewhere has no cuts beside it.
  }
  console.log(`fuzz: verdict ${check(text, cuts)}, every rule holds`);
}
