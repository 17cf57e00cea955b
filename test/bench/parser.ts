/**
 * `./build.sh bench parser`: messages a second and octets allocated a message, of our parser and
 * those of npm, on the same texts in the same process. Parsers take turns, round by round, so that
 * whatever else the machine does hits all of them; of the rounds the median is told.
 *
 * Two figures a message: parsed (as far as each parser goes by itself: ours makes an index and
 * validates, the others make objects), and parsed and read (what a server needs of any message is
 * taken out), which compares the same work. All readings are compared first.
 */

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { KINDS, type Kind, type Reading, variants } from './parser-messages.ts';
import { type Parser, parsers } from './parsers.ts';

const USAGE = `usage: ./build.sh bench parser [options]
  --rounds 7     turns of each parser at each kind of message
  --ms 150       length of a turn
  --json FILE    everything measured, as JSON`;

type Figure = {
  readonly parser: string;
  readonly kind: Kind;
  readonly octets: number;
  readonly parsedPerSecond: number;
  readonly readPerSecond: number;
  readonly parsedAllocated: number;
  readonly readAllocated: number;
};

const VARIANTS = 128;

/** Readings must be the same, or somebody did not do the work. */
function compare(all: readonly Parser[], kind: Kind, texts: readonly string[]): void {
  for (const text of texts) {
    const readings = all.map((p) => JSON.stringify(sorted(p.read(p.parse(text)))));
    for (const [i, reading] of readings.entries()) {
      if (reading !== readings[0]) {
        throw new Error(`${all[i]?.name} reads ${kind} otherwise: ${reading} for ${readings[0]}`);
      }
    }
  }
}

function sorted(r: Reading): [string, string | number][] {
  return Object.entries(r).sort(([a], [b]) => a.localeCompare(b));
}

let sink = 0;

type Job = (text: string) => unknown;

/** Messages a second in one turn. */
function speed(job: Job, texts: readonly string[], ms: number): number {
  let done = 0;
  const began = performance.now();
  let passed = 0;
  while (passed < ms) {
    for (const text of texts) if (job(text) === undefined) sink += 1;
    done += texts.length;
    passed = performance.now() - began;
  }
  return (done / passed) * 1000;
}

/** So much is allocated in one count: the young generation holds it (see build.sh). */
const COUNTED_OCTETS = 16e6;

/** What the heap grows by in `count` messages, while nothing is collected. */
function grown(job: Job, texts: readonly string[], count: number): number {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('run it with --expose-gc, as ./build.sh does');
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i += 1) {
    if (job(texts[i % texts.length] as string) === undefined) sink += 1;
  }
  return (process.memoryUsage().heapUsed - before) / count;
}

/** Octets allocated a message: the median of five counts. */
function allocated(job: Job, texts: readonly string[]): number {
  const about = Math.max(1, grown(job, texts, 8));
  const count = Math.min(10_000, Math.max(8, Math.floor(COUNTED_OCTETS / about)));
  return median([1, 2, 3, 4, 5].map(() => grown(job, texts, count)));
}

function median(list: readonly number[]): number {
  const up = [...list].sort((a, b) => a - b);
  return up[up.length >> 1] ?? 0;
}

function measure(all: readonly Parser[], kind: Kind, rounds: number, ms: number): Figure[] {
  const texts = variants(kind, VARIANTS);
  compare(all, kind, texts);
  const jobs = all.flatMap((p): { p: Parser; read: boolean; job: Job; rates: number[] }[] => [
    { p, read: false, job: p.parse, rates: [] },
    { p, read: true, job: (text) => p.read(p.parse(text)), rates: [] },
  ]);
  for (const { job } of jobs) speed(job, texts, ms);
  for (let round = 0; round < rounds; round += 1) {
    for (const { job, rates } of jobs) rates.push(speed(job, texts, ms));
  }
  return all.map((p) => {
    const of = (read: boolean) => jobs.find((j) => j.p === p && j.read === read);
    const [parsed, read] = [of(false), of(true)];
    if (parsed === undefined || read === undefined) throw new Error(p.name);
    return {
      parser: `${p.name} ${p.version}`.trim(),
      kind,
      octets: Math.round(texts.reduce((sum, text) => sum + text.length, 0) / texts.length),
      parsedPerSecond: Math.round(median(parsed.rates)),
      readPerSecond: Math.round(median(read.rates)),
      parsedAllocated: Math.round(allocated(parsed.job, texts)),
      readAllocated: Math.round(allocated(read.job, texts)),
    };
  });
}

function row(cells: readonly (string | number)[]): string {
  const text = cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell));
  return text.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(13))).join(' ');
}

function positive(name: string, text: string): number {
  const n = Number(text);
  if (Number.isInteger(n) && n > 0) return n;
  console.error(`bench parser: --${name} ${text}\n${USAGE}`);
  return process.exit(2);
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '150' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const all = await parsers();
const figures: Figure[] = [];
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
for (const kind of KINDS) {
  const list = measure(all, kind, positive('rounds', options.rounds), positive('ms', options.ms));
  console.log(`\n${kind}, ${list[0]?.octets} octets`);
  console.log(row(['', 'parsed/s', 'and read/s', 'B a parse', 'B and read']));
  for (const f of list) {
    const { parser, parsedPerSecond, readPerSecond, parsedAllocated, readAllocated } = f;
    console.log(row([parser, parsedPerSecond, readPerSecond, parsedAllocated, readAllocated]));
  }
  figures.push(...list);
}
if (sink > 0) throw new Error(`${sink} messages were not parsed`);
if (options.json !== undefined)
  writeFileSync(options.json, `${JSON.stringify(figures, null, 1)}\n`);
