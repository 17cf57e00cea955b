/** Two phones on the LAN of a pair, in a process of their own (two-phones.ts): they do what they are told and tell what happens. */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import type { VmPair } from './pair.ts';

const MINUTE = 60_000;

export class Phones {
  readonly process: ChildProcess;
  readonly said: string[] = [];

  constructor(pair: VmPair) {
    const script = join(ROOT, 'test/vm/two-phones.ts');
    const args = ['netns', 'exec', pair.places.netns, process.execPath, script];
    this.process = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.process.stdout !== null) {
      createInterface({ input: this.process.stdout }).on('line', (line) => this.said.push(line));
    }
  }

  say(word: string): void {
    this.process.stdin?.write(`${word}\n`);
  }

  async heard(what: string, times = 1): Promise<void> {
    const end = performance.now() + 3 * MINUTE;
    while (this.said.filter((l) => l.includes(`"what":"${what}"`)).length < times) {
      if (performance.now() > end) throw new Error(`no ${what}; ${this.said.join(' ')}`);
      await sleep(100);
    }
  }

  /** Nothing went wrong with a call. */
  get isWell(): boolean {
    return !this.said.some((l) => /"what":"(failed|broken)"/.test(l));
  }
}
