/** Small things that the tests of the native addon share. */

import type { Buffer } from 'node:buffer';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { isOsError } from '../../src/edge/native/netlite.ts';

const CHILD = fileURLToPath(new URL('./native-child.ts', import.meta.url));

type Closable = { close(): void };
type Opened<T> = Exclude<T, { readonly osError: string } | number>;

/**
 * @returns what was opened, closed at the end of the test however it ends; throws when the operating
 * system said no.
 */
export function opened<T>(t: ExecutionContext, x: T): Opened<T> {
  if (isOsError(x)) throw new Error(`${x.call}: ${x.osError}`);
  t.teardown(() => (x as Closable).close());
  return x as Opened<T>;
}

/** Waits until it is so, and throws when that takes longer than `ms`. */
export async function until(what: string, done: () => boolean, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !done(); await sleep(2)) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for: ${what}`);
  }
}

/** A process of native-child.ts in a namespace. */
export class Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  readonly #up: Promise<unknown>;
  #id = 0;

  constructor(namespace: string) {
    const args = ['netns', 'exec', namespace, process.execPath, CHILD];
    this.process = spawn('ip', args);
    this.process.stderr.on('data', (text: Buffer) => console.error(String(text)));
    this.#up = new Promise((resolve) => this.#waiting.set(0, resolve));
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      const { id, result } = JSON.parse(line) as { id: number; result: unknown };
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  async call<T>(call: string, ...args: unknown[]): Promise<T> {
    await this.#up;
    const id = ++this.#id;
    const result = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.process.stdin.write(`${JSON.stringify({ id, call, args })}\n`);
    return (await result) as T;
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await exit;
  }
}

/** A child that ends with the test, however that ends. */
export function start(t: ExecutionContext, namespace: string): Child {
  const child = new Child(namespace);
  t.teardown(() => child.end());
  return child;
}
