/**
 * Processes of a lab, known by number *and* start time: a number alone may by now belong to
 * somebody else, and a lab must never signal what it did not start.
 */

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export type Known = { readonly pid: number; readonly start: string };

/** Field 22 of /proc/PID/stat; undefined when there is no such process or it is a zombie. */
export function startTime(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** True while the process is stopped by a signal. */
export function isStopped(known: Known): boolean {
  return statFields(known.pid)?.[0] === 'T' && isAlive(known);
}

/** The fields after the command's name, which may itself contain blanks and brackets. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** A process found by its number just now. */
export function knownOf(pid: number): Known {
  return { pid, start: startTime(pid) ?? 'gone' };
}

export function isAlive(known: Known): boolean {
  return startTime(known.pid) === known.start;
}

/** This process. */
export function self(): Known {
  return knownOf(process.pid);
}

export function readKnown(file: string): Known | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isKnown(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isKnown(value: unknown): value is Known {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, start } = value as { pid?: unknown; start?: unknown };
  return typeof pid === 'number' && typeof start === 'string';
}

/** The process written in `file`, if it is still that process and lives. */
export function living(file: string): Known | undefined {
  const known = readKnown(file);
  return known !== undefined && isAlive(known) ? known : undefined;
}

/** Signals the process unless it is gone or its number was given to another. */
export function signal(known: Known, name: NodeJS.Signals): boolean {
  if (!isAlive(known)) return false;
  try {
    return process.kill(known.pid, name);
  } catch {
    return false;
  }
}

/** Waits until the process is gone. False: it still lives after `timeoutMs`. */
export async function gone(known: Known, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (isAlive(known)) {
    if (performance.now() > end) return false;
    await sleep(2);
  }
  return true;
}

/** TERM, then KILL after `graceMs`; waits for the end. */
export async function end(known: Known, graceMs: number): Promise<void> {
  signal(known, 'SIGTERM');
  if (await gone(known, graceMs)) return;
  signal(known, 'SIGKILL');
  await gone(known, 5000);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, ms);
  });
}

export type Start = {
  readonly netns: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly log: string;
  readonly pidFile: string;
};

/**
 * Starts a process in a namespace, in a session of its own, so that the end of its starter or a
 * Ctrl-C on a terminal does not reach it. `ip netns exec` turns into the command, so the number is
 * the command's. Rejects when it cannot be started.
 */
export async function startDetached(start: Start): Promise<Known> {
  const out = openSync(start.log, 'a', 0o600);
  try {
    const child = spawn('ip', ['netns', 'exec', start.netns, ...start.command], {
      cwd: start.cwd,
      detached: true,
      stdio: ['ignore', out, out],
    });
    await new Promise<void>((done, fail) => {
      child.once('spawn', done);
      child.once('error', fail);
    });
    child.unref();
    const pid = child.pid ?? 0;
    const known = knownOf(pid);
    writeWhole(start.pidFile, JSON.stringify(known));
    return known;
  } finally {
    closeSync(out);
  }
}

/** A reader sees the old text or the new, never half of it. */
export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.new`;
  writeFileSync(temporary, `${text}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

export function remove(file: string): void {
  rmSync(file, { force: true, recursive: true });
}

/** The last lines of a log, for the one who asks why. */
export function lastLines(file: string, count: number): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
  } catch {
    return [];
  }
}
