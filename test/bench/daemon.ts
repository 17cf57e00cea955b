/**
 * One box's program while it runs: in its namespace, pinned to its core, at raised priority, its
 * words in a file, and ended with this process whatever happens to it.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { processesIn, run, sleep, type Usage, usageOf } from './machine.ts';

/** The core of the primary box, and the one its replica and the generator share. */
export const CORE = { primary: 0, others: 1 } as const;

export class Daemon {
  readonly netns: string;
  private readonly child: ChildProcess;
  private readonly log: string;
  private ended: string | undefined;

  constructor(netns: string, core: number, command: readonly string[], log: string) {
    this.netns = netns;
    this.log = log;
    const out = openSync(log, 'w');
    this.child = spawn('setpriv', inPlace(netns, core, ['--pdeathsig', 'TERM'], command), {
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    this.child.on('error', (error) => {
      this.ended = error.message;
    });
    this.child.on('exit', (code, signal) => {
      this.ended = `ended with ${signal ?? code}`;
    });
  }

  /** Throws with the program's last words when it is no longer there. */
  mustRun(): void {
    if (this.ended === undefined) return;
    const words = readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-15).join('\n  ');
    throw new Error(`${this.netns}: ${this.ended}. Its last words:\n  ${words}`);
  }

  usage(): Usage {
    return usageOf(this.netns);
  }

  /** Moves every thread of the box to `core`. */
  async pin(core: number): Promise<void> {
    for (const pid of processesIn(this.netns)) {
      await run('taskset', ['-acp', String(core), String(pid)]).catch(() => '');
    }
  }

  /** Asks the program to end, then makes it. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    for (let tries = 0; tries < 100; tries += 1) {
      if (processesIn(this.netns).length === 0) return;
      if (tries === 80) for (const pid of processesIn(this.netns)) killQuietly(pid);
      await sleep(50);
    }
  }
}

/** Arguments of `setpriv` that run `command` in a namespace on one core at raised priority. */
export function inPlace(
  netns: string,
  core: number,
  privileges: readonly string[],
  command: readonly string[],
): string[] {
  const where = ['ip', 'netns', 'exec', netns, 'nice', '-n', '-10', 'taskset', '-c', String(core)];
  return [...privileges, ...where, ...command];
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}
