/**
 * What the bench asks of the machine: other programs, processor time and memory of everything that
 * runs in a namespace, and how much the rest of the machine was in the way.
 *
 * Processor time comes from /proc/PID/task/TID/schedstat (nanoseconds on a processor, so interrupts
 * for packets between namespaces are in it: a veth delivers on the sender's time). The split into
 * user and system comes from clock ticks, so it is only as good as the run is long.
 */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';

/** Runs a program. Rejects with its own words when it fails. */
export function run(file: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((done, fail) => {
    const child = execFile(file, [...args], { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`${file} ${args.join(' ')}: ${stderr.trim() || error.message}`));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** @returns whether `name` is a program on the path (or where Debian keeps daemons). */
export function hasProgram(name: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      return statSync(`${folder}/${name}`).isFile();
    } catch {
      return false;
    }
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // the process ended while we looked
  }
}

/** Processes whose network is the namespace `netns`. */
export function processesIn(netns: string): number[] {
  let inode: number;
  try {
    inode = statSync(`/run/netns/${netns}`).ino;
  } catch {
    return [];
  }
  const link = `net:[${inode}]`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/net`) === link;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Processor time so far: nanoseconds of each thread, clock ticks of all processes. */
export type Usage = {
  readonly threads: ReadonlyMap<string, number>;
  readonly user: number;
  readonly system: number;
};

export function usageOf(netns: string): Usage {
  const threads = new Map<string, number>();
  let user = 0;
  let system = 0;
  for (const pid of processesIn(netns)) {
    const stat = read(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    user += Number(fields[11] ?? 0);
    system += Number(fields[12] ?? 0);
    let tids: string[] = [];
    try {
      tids = readdirSync(`/proc/${pid}/task`);
    } catch {
      continue;
    }
    for (const tid of tids) {
      const text = read(`/proc/${pid}/task/${tid}/schedstat`);
      if (text !== '') threads.set(`${pid}/${tid}`, Number(text.split(' ')[0]));
    }
  }
  return { threads, user, system };
}

/** Microseconds between two usages, and the part of them spent in the kernel. */
export type Spent = { readonly us: number; readonly systemUs: number };

export function spent(before: Usage, after: Usage): Spent {
  let ns = 0;
  for (const [thread, total] of after.threads) ns += total - (before.threads.get(thread) ?? 0);
  const user = Math.max(0, after.user - before.user);
  const system = Math.max(0, after.system - before.system);
  const us = ns / 1000;
  return { us, systemUs: user + system === 0 ? 0 : (us * system) / (user + system) };
}

/** Proportional set size of everything in the namespace, in megabytes. */
export function memoryOf(netns: string): number {
  let kilobytes = 0;
  for (const pid of processesIn(netns)) {
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

/** Busy and stolen time of the whole machine since boot, in microseconds of one processor. */
export function machineTime(): { readonly busyUs: number; readonly stolenUs: number } {
  const fields = read('/proc/stat').split('\n')[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  const tick = 10_000; // USER_HZ is 100 on every Linux that Node runs on
  return { busyUs: (user + nice + system + irq + softirq + steal) * tick, stolenUs: steal * tick };
}

/**
 * Waits until the machine is less than a quarter busy, `patienceMs` at most: on a shared machine
 * the next run should not start under somebody else's peak.
 */
export async function quiet(patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    const from = performance.now();
    const before = machineTime().busyUs;
    await sleep(400);
    const wallUs = (performance.now() - from) * 1000;
    if ((machineTime().busyUs - before) / (wallUs * cpus().length) < 0.25) return;
  }
}

/** What a reader must know of the machine to judge the figures. */
export type Machine = {
  readonly kernel: string;
  readonly processor: string;
  readonly cores: number;
  readonly loadAtStart: number;
  readonly date: string;
};

export function describeMachine(): Machine {
  return {
    kernel: release(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    loadAtStart: loadavg()[0] ?? 0,
    date: new Date().toISOString(),
  };
}
