/** What a long run may eat up: memory, descriptors, devices, files, processes. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../lab/lab.ts';
import { insiders, netnsOf, run } from '../lab/network.ts';
import { BOXES, type BoxName } from '../lab/places.ts';

export type BoxUse = {
  readonly pid: number;
  readonly rssMb: number;
  readonly fds: number;
  readonly threads: number;
};

export type Use = {
  readonly boxes: Readonly<Partial<Record<BoxName, BoxUse>>>;
  /** Network devices in all namespaces of the lab. */
  readonly devices: number;
  /** Processes in them. */
  readonly processes: number;
  /** The lab's directory without its logs: data directories and sockets. */
  readonly dataMb: number;
  readonly logMb: number;
  /** Entries of /tmp itself. */
  readonly tmp: number;
  readonly netns: number;
};

export async function useOf(lab: Lab): Promise<Use> {
  const names = netnsOf(lab.places);
  const texts = await Promise.all(names.map((n) => run('ip', ['-n', n, '-o', 'link'])));
  const boxes: Partial<Record<BoxName, BoxUse>> = {};
  for (const box of BOXES) {
    const known = lab.process(box);
    const use = known === undefined ? undefined : processUse(known.pid);
    if (use !== undefined) boxes[box] = use;
  }
  const { data, log } = sizes(lab.places.dir);
  return {
    boxes,
    devices: texts.join('').split('\n').filter(Boolean).length,
    processes: (await insiders(names)).length,
    dataMb: data / 1e6,
    logMb: log / 1e6,
    tmp: readdirSync('/tmp').length,
    netns: names.length,
  };
}

function processUse(pid: number): BoxUse | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const field = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    return {
      pid,
      rssMb: field('VmRSS') / 1024,
      fds: readdirSync(`/proc/${pid}/fd`).length,
      threads: field('Threads'),
    };
  } catch {
    return undefined;
  }
}

function sizes(dir: string): { readonly data: number; readonly log: number } {
  let [data, log] = [0, 0];
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    try {
      const { size } = statSync(join(entry.parentPath, entry.name));
      if (entry.name.endsWith('.log') || entry.name.endsWith('.pcap')) log += size;
      else data += size;
    } catch {
      // It was a temporary file.
    }
  }
  return { data, log };
}

/** Growth that ordinary work explains: descriptors of connections under way, a heap not yet swept. */
const SLACK = { fds: 12, threads: 2, rssShare: 0.5, rssMb: 60, devices: 0, dataMb: 64, tmp: 60 };

/** Compares the use at the end of a run with that at its beginning, both in step and calm. */
export function leaksBetween(first: Use, last: Use): string[] {
  const found: string[] = [];
  const grew = (what: string, from: number, to: number, slack: number): void => {
    if (to > from + slack) found.push(`${what}: ${from.toFixed(0)} at first, ${to.toFixed(0)} now`);
  };
  for (const box of BOXES) {
    const [a, b] = [first.boxes[box], last.boxes[box]];
    if (a === undefined || b === undefined) continue;
    grew(`file descriptors of box ${box}`, a.fds, b.fds, SLACK.fds);
    grew(`threads of box ${box}`, a.threads, b.threads, SLACK.threads);
    grew(`MB of box ${box}`, a.rssMb, b.rssMb, a.rssMb * SLACK.rssShare + SLACK.rssMb);
  }
  grew('network devices', first.devices, last.devices, SLACK.devices);
  grew('processes in the namespaces', first.processes, last.processes, 0);
  grew('MB in the data directories', first.dataMb, last.dataMb, SLACK.dataMb);
  grew('entries of /tmp', first.tmp, last.tmp, SLACK.tmp);
  grew('namespaces', first.netns, last.netns, 0);
  return found;
}

export function words(use: Use): string {
  const boxes = BOXES.map((box) => {
    const one = use.boxes[box];
    return one === undefined ? `${box} -` : `${box} ${one.rssMb.toFixed(0)} MB ${one.fds} fd`;
  });
  return `${boxes.join(', ')}, ${use.devices} devices, data ${use.dataMb.toFixed(1)} MB`;
}
