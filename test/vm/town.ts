/** The phones and the web server on the LAN of a pair (lan.ts), and what is said of their calls. */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Counts } from '../lab/demo.ts';
import { ROOT } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import type { VmPair } from './pair.ts';

type Line = Counts & {
  readonly what: string;
  readonly why?: string;
  readonly lasting: { established: number; reinvited: number; lost: number; why: string };
  readonly silentMs: number;
};

export class Town {
  readonly #process: ChildProcess;
  readonly #say: (text: string) => void;
  #now: Line | undefined;
  #silentMs = 0;

  constructor(pair: VmPair, say: (text: string) => void) {
    const script = join(ROOT, 'test/vm/lan.ts');
    const args = ['netns', 'exec', pair.places.netns, process.execPath, script];
    this.#say = say;
    this.#process = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.#process.stdout !== null) {
      createInterface({ input: this.#process.stdout }).on('line', (text) => this.#line(text));
    }
  }

  #line(text: string): void {
    const line = JSON.parse(text) as Line;
    if (line.what !== 'counts') {
      this.#say(`phones: ${text}`);
      return;
    }
    this.#now = line;
    if (line.lasting.established > 0) this.#silentMs = Math.max(this.#silentMs, line.silentMs);
  }

  get now(): Line {
    if (this.#now === undefined) throw new Error('the phones have not said anything');
    return this.#now;
  }

  /** The lasting call stands, and others have been made. */
  async busy(): Promise<void> {
    const end = performance.now() + 240_000;
    while ((this.#now?.lasting.established ?? 0) < 2 || (this.#now?.connected ?? 0) < 2) {
      if (performance.now() > end) throw new Error(`no calls: ${JSON.stringify(this.#now)}`);
      await sleep(500);
    }
    this.#silentMs = 0;
  }

  /** Another re-INVITE of the lasting call is answered from now on, and another call is made and ended. */
  async serves(patienceMs = 180_000): Promise<void> {
    const { lasting, connected, ended } = this.now;
    const end = performance.now() + patienceMs;
    for (;;) {
      const { now } = this;
      const called = now.connected > connected && now.ended > ended;
      if (called && now.lasting.reinvited > lasting.reinvited) return;
      if (now.lasting.lost > 0) throw new Error(`the lasting call: ${now.lasting.why}`);
      if (performance.now() > end) throw new Error(`no service: ${JSON.stringify(now)}`);
      await sleep(500);
    }
  }

  /** In words: what the phones have seen. */
  words(): string {
    if (this.#now === undefined) return 'nothing was seen';
    const { attempts, connected, ended, failed, lost, faults, lasting } = this.now;
    return [
      `${attempts} calls made, ${connected} connected, ${ended} ended, ${failed} failed, ${lost} lost`,
      `lasting call: ${lasting.reinvited} re-INVITEs answered, ${lasting.lost} lost`,
      `${faults} faults heard, longest silence of the VIP ${this.#silentMs} ms`,
    ].join('; ');
  }

  /** No call was lost, none was refused. */
  check(): void {
    const { failed, lost, faults, lasting } = this.now;
    this.#say(`phones: ${this.words()}`);
    if (failed + lost + faults + lasting.lost > 0) throw new Error(`calls: ${this.words()}`);
  }

  end(): void {
    this.#process.stdin?.end();
  }
}
