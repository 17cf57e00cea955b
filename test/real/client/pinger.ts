/** `ping.ts` as a test sees it. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Lab } from '../../lab/lab.ts';
import { NODE } from '../../lab/places.ts';
import type { Outage } from './ping.ts';

export class RemotePinger {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  #words = '';

  constructor(lab: Lab) {
    this.#child = lab.spawn('lan', [NODE, join(import.meta.dirname, 'ping.ts'), '192.0.2.1']);
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#child.stderr.on('data', (bytes) => {
      this.#words += String(bytes);
    });
  }

  #ask(line: string): Promise<unknown> {
    return new Promise((done, fail) => {
      const gone = (): void => fail(new Error(`the pinger ended: ${this.#words}`));
      this.#child.once('exit', gone);
      this.#lines.once('line', (text) => {
        this.#child.off('exit', gone);
        done(JSON.parse(text));
      });
      this.#child.stdin.write(`${line}\n`);
    });
  }

  /** This moment on the machine's monotonic clock. */
  async mark(): Promise<number> {
    return ((await this.#ask('mark')) as { at: number }).at;
  }

  /** The longest time without an answer since `mark`. */
  async since(mark: number): Promise<Outage> {
    return (await this.#ask(`since ${mark}`)) as Outage;
  }

  close(): void {
    this.#child.stdin.end();
  }
}
