/** What the VRRP tests share: namespaces, the child in one of them, captures, keepalived. */

import type { Buffer } from 'node:buffer';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from './native-help.ts';

const CHILD = fileURLToPath(new URL('./vrrp-child.ts', import.meta.url));

export function ip(...args: string[]): string {
  return String(execFileSync('ip', args, { stdio: 'pipe' }));
}

/** Runs a program in a namespace. @returns what it said. */
export function inside(namespace: string, ...command: string[]): string {
  return ip('netns', 'exec', namespace, ...command);
}

/** Namespaces of one test file, with the process id in their names; leftovers are removed first. */
export class Namespaces {
  readonly #prefix: string;
  readonly #made: string[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
    if (process.getuid?.() !== 0) throw new Error('these tests need root: namespaces, raw sockets');
    for (const line of ip('netns', 'list').split('\n')) {
      const [name, pid] = new RegExp(`^${prefix}(\\d+)[a-z]+(?= |$)`).exec(line) ?? [];
      if (name !== undefined && !existsSync(`/proc/${pid}`)) ip('netns', 'del', name);
    }
  }

  add(letter: string): string {
    const name = `${this.#prefix}${process.pid}${letter}`;
    ip('netns', 'add', name);
    this.#made.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return name;
  }

  remove(): void {
    for (const name of this.#made.splice(0)) ip('netns', 'del', name);
  }
}

/** The interface `lan` with these addresses and no others, up. */
export function dress(namespace: string, ...addresses: string[]): void {
  ip('-n', namespace, 'link', 'set', 'lan', 'addrgenmode', 'none');
  ip('-n', namespace, 'link', 'set', 'lan', 'up');
  for (const address of addresses) {
    const how = address.includes(':') ? ['nodad'] : [];
    ip('-n', namespace, 'address', 'add', address, 'dev', 'lan', ...how);
  }
}

/** Ends a process and waits until it has. */
export async function end(
  child: ChildProcess,
  signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

/** A process of vrrp-child.ts in a namespace. */
export class Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  readonly #up: Promise<unknown>;
  #id = 0;

  constructor(namespace: string) {
    this.process = spawn('ip', ['netns', 'exec', namespace, process.execPath, CHILD]);
    this.process.stderr.on('data', (text: Buffer) => console.error(String(text)));
    this.#up = new Promise((resolve) => this.#waiting.set(0, resolve));
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      const { id, result } = JSON.parse(line) as { id: number; result: unknown };
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
    this.process.on('exit', () => {
      for (const resolve of this.#waiting.values()) resolve('the child has ended');
    });
  }

  async call<T>(call: string, ...args: unknown[]): Promise<T> {
    await this.#up;
    const id = ++this.#id;
    const result = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.process.stdin.write(`${JSON.stringify({ id, call, args })}\n`);
    return (await result) as T;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    await end(this.process, signal);
  }
}

/** tcpdump on an interface of a namespace. */
export class Capture {
  readonly #process: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sipair-vrrp-'));
  readonly #file = join(this.#folder, 'lan.pcap');
  #listening = false;

  constructor(namespace: string, ifname: string, filter: string) {
    const args = ['-i', ifname, '-U', '-w', this.#file, '--immediate-mode', filter];
    this.#process = spawn('ip', ['netns', 'exec', namespace, 'tcpdump', '-Z', 'root', ...args]);
    this.#process.stderr?.on('data', (text: Buffer) => {
      if (String(text).includes('listening on')) this.#listening = true;
    });
  }

  async started(): Promise<this> {
    await until('tcpdump listens', () => this.#listening);
    return this;
  }

  /** Ends the capture. @returns the lines of tshark with these arguments. */
  async read(...args: string[]): Promise<string[]> {
    // What has arrived is handed to tcpdump before the signal is.
    await sleep(100);
    await end(this.#process, 'SIGINT');
    return this.again(...args);
  }

  /** The same capture, with other arguments. */
  again(...args: string[]): string[] {
    const said = execFileSync('tshark', ['-n', '-r', this.#file, ...args], { stdio: 'pipe' });
    return String(said)
      .split('\n')
      .filter((line) => line !== '');
  }

  async remove(): Promise<void> {
    await end(this.#process, 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** keepalived in a namespace, one instance. */
export class Keepalived {
  readonly #process: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sipair-keepalived-'));
  /** What it said, a line each, with the moment. */
  readonly lines: { readonly at: number; readonly text: string }[] = [];

  constructor(
    namespace: string,
    options: {
      readonly vrid: number;
      readonly priority: number;
      readonly seconds: number;
      readonly vips: readonly string[];
      /** `lan` unless said. */
      readonly ifname?: string;
    },
  ) {
    const file = join(this.#folder, 'keepalived.conf');
    writeFileSync(
      file,
      `global_defs {
  vrrp_version 3
}
vrrp_instance theirs {
  state BACKUP
  interface ${options.ifname ?? 'lan'}
  virtual_router_id ${options.vrid}
  priority ${options.priority}
  advert_int ${options.seconds}
  virtual_ipaddress {
${options.vips.map((vip) => `    ${vip}`).join('\n')}
  }
}
`,
    );
    const pids = ['-p', join(this.#folder, 'pid'), '-r', join(this.#folder, 'vrrp.pid')];
    const args = ['keepalived', '-n', '-l', '-D', '-P', '-f', file, ...pids];
    this.#process = spawn('ip', ['netns', 'exec', namespace, ...args]);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (text) => {
        this.lines.push({ at: performance.now(), text });
      });
    }
  }

  /** Waits for the next line with these words after the moment `from`. @returns its moment */
  async says(words: string, from = 0, ms = 10_000): Promise<number> {
    const find = () => this.lines.find((l) => l.at >= from && l.text.includes(words));
    try {
      await until(`keepalived says "${words}"`, () => find() !== undefined, ms);
    } catch (e) {
      throw new Error(`${String(e)}\n${this.lines.map((l) => l.text).join('\n')}`);
    }
    return find()?.at ?? 0;
  }

  said(words: string, from = 0): boolean {
    return this.lines.some((l) => l.at >= from && l.text.includes(words));
  }

  async end(): Promise<void> {
    await end(this.#process, 'SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
