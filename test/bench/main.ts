/**
 * Measures what a call costs: sipair's pair beside a Kamailio pair with dialog replication, on this
 * machine, in this hour, with the same generator.
 *
 * The call is the basic one: INVITE 100 180 200 ACK BYE 200 with SDP, 7 messages into the system
 * and 7 out of it, from callers to callees on the LAN through the virtual address. Both pairs stand
 * side by side in network namespaces of this run; at each rate they are measured in turn, round by
 * round (sipair, Kamailio, sipair, Kamailio), so that whatever else the machine does hits both.
 * The primary has core 0 for itself; the generator and the replica share core 1.
 *
 * Per rate: calls completed a second, failures, set-up delay (INVITE sent to 200 received) p50 and
 * p99, processor time a call of everything that runs in the primary's box and in the backup's,
 * memory. Cost a call falls as the rate rises (wake-ups are shared), so a figure without its rate
 * says nothing, and figures of two machines or two runs must not be compared.
 *
 * What is not equal: Kamailio is a proxy with the callee's address given to it; sipair is a
 * registrar and a back-to-back agent that keeps ringing calls too, and lets no message go before
 * the backup has what it rests on.
 *
 * To repeat: `./build.sh bench` as root on a machine with two quiet cores; see USAGE below.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BENCH_TRANSPORTS, type BenchTransport, Generator } from './generator.ts';
import { Kamailio, kamailioVersion } from './kamailio.ts';
import { describeMachine, hasProgram, type Machine, run, sleep } from './machine.ts';
import { Meter, type Run, type Summary, summarise } from './measure.ts';
import { makePlace, removePlaces, removeStale } from './place.ts';
import { table } from './report.ts';
import { Sipair, sipairMissing } from './sipair.ts';
import type { Subject } from './subject.ts';

const USAGE = `usage: ./build.sh bench [options]      (as root)
  --rates 500,1000,2000,3000   calls a second, one after the other
  --secs 5                     length of a run
  --rounds 2                   runs of each system at each rate, in turn
  --users 20                   callees the calls are spread over
  --hold 0                     milliseconds a call stays up
  --transport udp|tcp|tls      by streamgen, the same for all three (default: sipgen, UDP)
  --only sipair|kamailio       measure one of them
  --alone                      one box, no backup (Kamailio: dialog without replication)
  --warm                       sipair in warm standby
  --profile FOLDER             V8 processor profiles of sipair's threads (they cost a little)
  --json FILE                  everything measured, as JSON`;

type Options = {
  readonly rates: readonly number[];
  readonly secs: number;
  readonly rounds: number;
  readonly users: number;
  readonly holdMs: number;
  readonly transport: BenchTransport | undefined;
  readonly only: Subject['name'] | undefined;
  readonly alone: boolean;
  readonly warm: boolean;
  readonly profile: string | undefined;
  readonly json: string | undefined;
};

/** A mistake of the person at the keyboard: one sentence, no stack. */
class Refusal extends Error {}

function numberIn(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= low && value <= high) return value;
  throw new Refusal(`--${name} ${text}: a number from ${low} to ${high} is wanted\n\n${USAGE}`);
}

function readOptions(args: string[]): Options {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const shape = {
    rates: text('500,1000,2000,3000'),
    secs: text('5'),
    rounds: text('2'),
    users: text('20'),
    hold: text('0'),
    transport: { type: 'string' },
    only: { type: 'string' },
    alone: flag,
    warm: flag,
    profile: { type: 'string' },
    json: { type: 'string' },
    help: flag,
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof shape }>>['values'];
  try {
    values = parseArgs({ args, options: shape }).values;
  } catch (error) {
    throw new Refusal(`${messageOf(error)}\n\n${USAGE}`);
  }
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { only, transport } = values;
  if (transport !== undefined && !BENCH_TRANSPORTS.some((t) => t === transport)) {
    throw new Refusal(`--transport ${transport}: udp, tcp or tls is wanted\n\n${USAGE}`);
  }
  if (only !== undefined && only !== 'sipair' && only !== 'kamailio') {
    throw new Refusal(`--only ${only}: sipair or kamailio is wanted\n\n${USAGE}`);
  }
  return {
    rates: values.rates.split(',').map((rate) => numberIn('rates', rate, 1, 100_000)),
    secs: numberIn('secs', values.secs, 0.5, 600),
    rounds: Math.round(numberIn('rounds', values.rounds, 1, 100)),
    users: Math.round(numberIn('users', values.users, 1, 900)),
    holdMs: numberIn('hold', values.hold, 0, 60_000),
    transport: BENCH_TRANSPORTS.find((t) => t === transport),
    only,
    alone: values.alone,
    warm: values.warm,
    profile: values.profile === undefined ? undefined : resolve(values.profile),
    json: values.json === undefined ? undefined : resolve(values.json),
  };
}

/** Throws a Refusal that names what to install. */
function checkMachine(options: Options): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Refusal('the bench makes network namespaces: run it as root on Linux');
  }
  if (cpus().length < 2) throw new Refusal('the bench needs two processor cores');
  const packages = new Set<string>();
  if (!hasProgram('gcc')) packages.add('gcc').add('libc6-dev');
  if (!hasProgram('ip')) packages.add('iproute2');
  if (!hasProgram('setpriv') || !hasProgram('taskset')) packages.add('util-linux');
  if (options.only !== 'sipair' && !hasProgram('kamailio')) packages.add('kamailio');
  if (packages.size > 0) {
    throw new Refusal(`something is missing: apt-get install ${[...packages].join(' ')}`);
  }
  const missing = options.only === 'kamailio' ? undefined : sipairMissing();
  if (missing !== undefined) throw new Refusal(`sipair cannot be measured: ${missing}`);
}

async function makeSubjects(options: Options, folder: string): Promise<Subject[]> {
  const subjects: Subject[] = [];
  if (options.only !== 'kamailio') {
    subjects.push(
      new Sipair(await makePlace('s'), `${folder}/sipair`, {
        alone: options.alone,
        redundancy: options.warm ? 'warm-standby' : 'hot-standby',
        profile: options.profile,
      }),
    );
  }
  if (options.only !== 'sipair') {
    const load = { rate: Math.max(...options.rates), hold: options.holdMs / 1000 };
    const place = await makePlace('k');
    const { alone, transport } = options;
    subjects.push(new Kamailio(place, `${folder}/kamailio`, alone, load, transport));
  }
  return subjects;
}

/** Milliseconds a system rests between its own runs when no other one runs in between. */
const REST_MS = 6000;

async function measureAll(meters: readonly Meter[], options: Options): Promise<Run[]> {
  const runs: Run[] = [];
  for (const rate of options.rates) {
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const meter of meters) {
        const { secs, users, holdMs } = options;
        const run = await meter.measure({ rate, secs, users, holdMs, register: false }, round);
        runs.push(run);
        console.log(progress(run));
        if (meters.length === 1) await sleep(REST_MS);
      }
    }
  }
  await sleep(meters.length === 1 ? 0 : REST_MS);
  for (const meter of meters) await meter.closeLast();
  return runs;
}

function progress(run: Run): string {
  const { calls, primary, backup } = run;
  const cost = `${primary.us.toFixed(0)} us a call, backup ${backup?.us.toFixed(0) ?? '-'}`;
  const failed = calls.failed === 0 ? '' : `, ${calls.failed} failed`;
  return `  ${run.system} ${run.rate}/s round ${run.round}: ${calls.ok} calls, ${cost}${failed}`;
}

function summaries(runs: readonly Run[]): Summary[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const key = `${run.rate} ${run.system}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map(summarise);
}

function heading(machine: Machine, versions: Readonly<Record<string, string>>): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const load = `load ${machine.loadAtStart.toFixed(2)} at the start`;
  return `${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}, ${load}
${named.join(', ')}`;
}

async function bench(options: Options, folder: string, onStop: StopHooks): Promise<void> {
  await removeStale();
  const machine = describeMachine();
  const peers = options.only === 'sipair' ? {} : { kamailio: await kamailioVersion() };
  const versions = { node: process.versions.node, ...peers };
  console.log(heading(machine, versions));
  const generator = await generatorFor(options, folder);
  onStop.push(async () => generator.stop());
  const subjects = await makeSubjects(options, folder);
  const meters = subjects.map((subject) => new Meter(subject, generator));
  const mirror: Record<string, string> = {};
  for (const meter of meters) {
    const { subject } = meter;
    onStop.push(() => subject.stop());
    console.log(`starting ${subject.name}`);
    await subject.start();
    const rate = Math.min(1000, ...options.rates);
    const load = { rate, secs: 3, users: options.users, holdMs: 0, register: subject.registrar };
    mirror[subject.name] = await meter.warmUp(load);
    const idle = `idle ${(meter.idle / 1000).toFixed(1)} ms of processor a second`;
    console.log(`  ${subject.name}: ${mirror[subject.name]}; ${idle}`);
  }
  const runs = await measureAll(meters, options);
  const summary = summaries(runs);
  console.log(`\n${table(summary)}`);
  if (options.json !== undefined) {
    const idle = Object.fromEntries(meters.map((m) => [m.subject.name, m.idle]));
    const all = { machine, versions, options, mirror, idleUsPerSecond: idle, summary, runs };
    writeFileSync(options.json, `${JSON.stringify(all, undefined, 1)}\n`);
  }
}

/** Kamailio and its callee show this certificate, as sipair shows one of its own. */
async function generatorFor(options: Options, folder: string): Promise<Generator> {
  if (options.transport === undefined) return Generator.build(folder);
  mkdirSync(`${folder}/kamailio`, { recursive: true });
  const files = ['-keyout', `${folder}/kamailio/key.pem`, '-out', `${folder}/kamailio/cert.pem`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await run('openssl', ['req', '-x509', ...key, ...files, '-days', '2', '-subj', '/CN=bench']);
  return Generator.streams(options.transport, `${folder}/kamailio`);
}

/** What must be undone, last first. */
type StopHooks = (() => Promise<void>)[];

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const FOLDERS = `${tmpdir()}/sipair-bench-`;

/** Deletes the folders of benches that were killed outright. */
function removeStaleFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^sipair-bench-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    rmSync(`${tmpdir()}/${name}`, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const hooks: StopHooks = [];
  let folder: string | undefined;
  let cleaning: Promise<void> | undefined;
  const undo = async (): Promise<void> => {
    for (const hook of hooks.reverse()) await hook().catch(() => {});
    await removePlaces();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  // once only, whether the bench ended, failed or was interrupted
  const clean = (): Promise<void> => {
    cleaning ??= undo();
    return cleaning;
  };
  const interrupted = (): void => {
    void clean().then(() => process.exit(130));
  };
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', interrupted);
  try {
    const options = readOptions(process.argv.slice(2));
    checkMachine(options);
    removeStaleFolders();
    folder = mkdtempSync(`${FOLDERS}${process.pid}-`);
    await bench(options, folder, hooks);
  } catch (error) {
    if (cleaning === undefined) {
      console.error(`bench: ${messageOf(error)}`);
      process.exitCode = 1;
    }
  } finally {
    await clean();
  }
}

await main();
