/**
 * One run: a load on one pair, and what it cost. `later` is what the pair still spends on finished
 * calls before its next run (transactions kept for retransmissions, rows on their way to the disk):
 * it is work for those calls, but no run of a few seconds sees all of it, so it stands apart.
 */

import { cpus } from 'node:os';
import type { Calls, Delays, Generator, Load } from './generator.ts';
import { machineTime, quiet, sleep, spent, type Usage } from './machine.ts';
import type { Subject } from './subject.ts';

/** Costs are processor microseconds a call, of all processes of a box. */
export type Cost = { readonly us: number; readonly systemUs: number };

export type Run = {
  readonly system: Subject['name'];
  readonly rate: number;
  readonly round: number;
  readonly calls: Calls;
  readonly primary: Cost;
  readonly backup: Cost | undefined;
  /** Primary box: µs a call after the run, idle work taken off; undefined until the next run. */
  laterUs: number | undefined;
  readonly memoryMb: number;
  readonly backupMemoryMb: number | undefined;
  /** How often the primary gave up waiting for its backup during the run: not mirrored then. */
  readonly lapses: number;
  /** Share of the machine used by others during the run, 0 to 1: neither pair nor generator. */
  readonly others: number;
  readonly stolen: number;
};

const SETTLE_MS = 500;

/** Idle cost of a subject's primary and the last run whose aftermath is still being paid. */
export class Meter {
  readonly subject: Subject;
  private readonly generator: Generator;
  /** Processor µs a second of the primary with nothing to do. */
  idle = 0;
  private last: { readonly run: Run; readonly usage: Usage; readonly at: number } | undefined;

  constructor(subject: Subject, generator: Generator) {
    this.subject = subject;
    this.generator = generator;
  }

  /** Measures the idle pair, then calls once so that compilers and pools are warm. */
  async warmUp(load: Load): Promise<string> {
    const { primary } = await this.subject.boxes();
    const before = primary.usage();
    const from = performance.now();
    await sleep(1500);
    this.idle = (spent(before, primary.usage()).us * 1000) / (performance.now() - from);
    const { lan } = this.subject;
    await this.generator.place(lan, { ...load, secs: 3 });
    let mirror = '';
    const register = this.registers;
    await this.generator.hold(lan, { ...load, rate: 100, register }, 20, async () => {
      await sleep(300);
      mirror = await this.subject.proveMirror(20);
    });
    return mirror;
  }

  private get registers(): boolean {
    return this.subject.registrar && this.generator.registersEachTime;
  }

  async measure(load: Load, round: number): Promise<Run> {
    await quiet(5000);
    await this.closeLast();
    const { primary, backup } = await this.subject.boxes();
    const lapses = await this.subject.lapses();
    const [p0, b0] = [primary.usage(), backup?.usage()];
    const [m0, from] = [machineTime(), performance.now()];
    const calls = await this.generator.place(this.subject.lan, {
      ...load,
      register: this.registers,
    });
    await sleep(SETTLE_MS);
    const [p1, b1] = [primary.usage(), backup?.usage()];
    const machine = machineTime();
    const wallUs = (performance.now() - from) * 1000 * cpus().length;
    const memoryMb = await this.subject.memory(primary);
    const backupMemoryMb = backup && (await this.subject.memory(backup));
    if ((await this.subject.boxes()).primary !== primary) {
      throw new Error(`${this.subject.name}: the boxes changed roles at ${load.rate} calls/s`);
    }
    const [own, other] = [spent(p0, p1), b0 && b1 ? spent(b0, b1) : undefined];
    const ours = own.us + (other?.us ?? 0) + calls.cpu_us;
    const run: Run = {
      system: this.subject.name,
      rate: load.rate,
      round,
      calls,
      primary: perCall(own, calls.calls),
      backup: other && perCall(other, calls.calls),
      laterUs: undefined,
      memoryMb,
      backupMemoryMb,
      lapses: (await this.subject.lapses()) - lapses,
      others: Math.max(0, (machine.busyUs - m0.busyUs - ours) / wallUs),
      stolen: (machine.stolenUs - m0.stolenUs) / wallUs,
    };
    this.last = { run, usage: p1, at: performance.now() };
    return run;
  }

  /** Books what was spent since the last run on that run's calls. */
  async closeLast(): Promise<void> {
    if (this.last === undefined) return;
    const { run, usage, at } = this.last;
    const { primary } = await this.subject.boxes();
    const us = spent(usage, primary.usage()).us;
    const idle = (this.idle * (performance.now() - at)) / 1000;
    run.laterUs = Math.max(0, us - idle) / run.calls.calls;
    this.last = undefined;
  }
}

function perCall(cost: Cost, calls: number): Cost {
  return { us: cost.us / calls, systemUs: cost.systemUs / calls };
}

/** All rounds of one system at one rate, together. */
export type Summary = {
  readonly system: Subject['name'];
  readonly rate: number;
  readonly calls: number;
  readonly achievedCps: number;
  readonly failPct: number;
  readonly failedWith: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** RFC 6076 delays, median and p99 in ms, where the generator measures them. */
  readonly delays: readonly (readonly [name: string, p50: number, p99: number])[];
  readonly primaryUs: number;
  readonly primaryUserUs: number;
  readonly primarySystemUs: number;
  readonly laterUs: number | undefined;
  readonly backupUs: number | undefined;
  readonly memoryMb: number;
  readonly backupMemoryMb: number | undefined;
  readonly repeats: number;
  readonly lapses: number;
  readonly lateMs: number;
  readonly others: number;
};

/** @param runs of one system at one rate, at least one. */
export function summarise(runs: readonly Run[]): Summary {
  const first = runs[0] as Run;
  const calls = sum(runs, (r) => r.calls.calls);
  const weighted = (of: (r: Run) => number) => sum(runs, (r) => of(r) * r.calls.calls) / calls;
  const optional = (of: (r: Run) => number | undefined) =>
    runs.some((r) => of(r) === undefined) ? undefined : weighted((r) => of(r) as number);
  const delays = merged(runs, (c) => c.setup_us);
  const causes: Record<string, number> = {};
  for (const { calls: c } of runs) {
    for (const [cause, n] of Object.entries(c.failed_with))
      causes[cause] = (causes[cause] ?? 0) + n;
  }
  const primaryUs = weighted((r) => r.primary.us);
  const primarySystemUs = weighted((r) => r.primary.systemUs);
  return {
    system: first.system,
    rate: first.rate,
    calls,
    achievedCps: sum(runs, (r) => r.calls.ok) / sum(runs, (r) => r.calls.placed_s),
    failPct: (100 * sum(runs, (r) => r.calls.failed)) / calls,
    failedWith: causes,
    p50Ms: quantile(delays, 0.5),
    p99Ms: quantile(delays, 0.99),
    delays: NAMED.flatMap(([name, of]) => {
      const all = merged(runs, (c) => of(c) ?? []);
      return all.size === 0 ? [] : [[name, quantile(all, 0.5), quantile(all, 0.99)] as const];
    }),
    primaryUs,
    primaryUserUs: primaryUs - primarySystemUs,
    primarySystemUs,
    laterUs: optional((r) => r.laterUs),
    backupUs: optional((r) => r.backup?.us),
    memoryMb: Math.max(...runs.map((r) => r.memoryMb)),
    backupMemoryMb: optional((r) => r.backupMemoryMb),
    repeats: sum(
      runs,
      (r) => r.calls.repeats.invite + r.calls.repeats.bye + r.calls.repeats.answer,
    ),
    lapses: sum(runs, (r) => r.lapses),
    lateMs: Math.max(...runs.map((r) => r.calls.late_ms)),
    others: weighted((r) => r.others),
  };
}

const NAMED: readonly (readonly [string, (c: Calls) => Delays | undefined])[] = [
  ['SRD', (c) => c.srd_us],
  ['SDD', (c) => c.sdd_us],
];

function merged(runs: readonly Run[], of: (c: Calls) => Delays): Map<number, number> {
  const all = new Map<number, number>();
  for (const { calls } of runs) {
    for (const [us, n] of of(calls)) all.set(us, (all.get(us) ?? 0) + n);
  }
  return all;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** @returns milliseconds; 0 when no call came up. */
function quantile(delays: ReadonlyMap<number, number>, q: number): number {
  const sorted = [...delays].sort((x, y) => x[0] - y[0]);
  const want = q * sum(sorted, (pair) => pair[1]);
  let seen = 0;
  for (const [us, n] of sorted) {
    seen += n;
    if (seen > want) return us / 1000;
  }
  return 0;
}
