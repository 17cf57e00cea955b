/** The crowd (`agent.ts`) as a test sees it: commands over a pipe to a process on the host `lan`. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../../lab/lab.ts';
import { NODE } from '../../lab/places.ts';
import type { Command } from './agent.ts';
import type { Tally } from './crowd.ts';

export type BookView = {
  readonly violations: readonly string[];
  readonly violated: number;
  /** "INVITE 200" → how often; "got BYE", "repeated INVITE", ... */
  readonly counts: Readonly<Record<string, number>>;
};

type Waiting = { readonly done: (value: unknown) => void; readonly fail: (e: Error) => void };

export class RemoteCrowd {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #words = '';

  private constructor(lab: Lab) {
    this.#child = lab.spawn('lan', [NODE, join(import.meta.dirname, 'agent.ts')]);
    this.#child.stderr.on('data', (bytes) => {
      this.#words += String(bytes);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { id, value, error } = JSON.parse(line) as {
        id: number;
        value?: unknown;
        error?: string;
      };
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.done(value);
      else waiting?.fail(new Error(error));
    });
    this.#child.on('exit', (code) => {
      for (const { fail } of this.#waiting.values()) {
        fail(new Error(`the crowd ended (${code}): ${this.#words}`));
      }
    });
  }

  /** Starts the process; it ends with the lab, or by `close`. */
  static async start(lab: Lab): Promise<RemoteCrowd> {
    const crowd = new RemoteCrowd(lab);
    await new Promise((done, fail) => crowd.#waiting.set(crowd.#next++, { done, fail }));
    return crowd;
  }

  close(): void {
    this.#child.stdin.end();
  }

  #ask(command: Command): Promise<unknown> {
    const id = this.#next++;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      this.#child.stdin.write(`${JSON.stringify({ id, command })}\n`);
    });
  }

  async register(): Promise<Tally> {
    return (await this.#ask({ do: 'register' })) as Tally;
  }

  async establish(count: number, rate = 100): Promise<Tally> {
    return (await this.#ask({ do: 'establish', count, rate })) as Tally;
  }

  async reinvite(turn: 0 | 1, step: string): Promise<Tally> {
    return (await this.#ask({ do: 'reinvite', turn, step })) as Tally;
  }

  async hangUp(turn: 0 | 1): Promise<Tally> {
    return (await this.#ask({ do: 'hang-up', turn })) as Tally;
  }

  async startFlow(rate: number): Promise<void> {
    await this.#ask({ do: 'flow', rate });
  }

  async endFlow(): Promise<Tally> {
    return (await this.#ask({ do: 'end-flow' })) as Tally;
  }

  async book(): Promise<BookView> {
    return (await this.#ask({ do: 'book' })) as BookView;
  }
}
