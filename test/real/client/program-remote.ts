/** A program on the host `lan`, as a test holds it. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../../lab/lab.ts';
import { LAN_ADDRESS, NODE } from '../../lab/places.ts';

export type ToldEvent = {
  readonly id: number;
  readonly event: string;
  readonly callId?: number;
  readonly changed?: readonly string[];
  readonly requestId?: number;
  readonly [name: string]: unknown;
};

export type ProgramAnswer = {
  readonly result?: { readonly [name: string]: unknown };
  readonly fault?: string;
};

export class RemoteProgram {
  readonly events: ToldEvent[] = [];
  /** Everything else it was told: `serving`, `afresh`, ... */
  readonly told: string[] = [];
  /** Answers, by the number of the request; more than one is a mistake. */
  readonly answers = new Map<number, ProgramAnswer[]>();
  private readonly child: ChildProcessWithoutNullStreams;
  private nextId = 1;

  constructor(lab: Lab, program = 'lab', password = 'lab') {
    const boxes = [LAN_ADDRESS.a, LAN_ADDRESS.b];
    const script = join(import.meta.dirname, 'program.ts');
    this.child = lab.spawn('lan', [NODE, script, program, password, ...boxes]);
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const { what, told, id, ...answer } = JSON.parse(line);
      if (what === 'event') this.events.push(told);
      else if (what === 'answer') this.answers.set(id, [...(this.answers.get(id) ?? []), answer]);
      else this.told.push(what);
    });
  }

  /** @returns the number of the request. */
  send(method: string, params: object = {}): number {
    const id = this.nextId;
    this.nextId += 1;
    this.child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
    return id;
  }

  async ask(method: string, params: object = {}): Promise<ProgramAnswer> {
    const id = this.send(method, params);
    const end = performance.now() + 30_000;
    for (;;) {
      const [answer] = this.answers.get(id) ?? [];
      if (answer !== undefined) return answer;
      if (performance.now() > end) throw new Error(`no answer to ${method}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  close(): void {
    this.child.kill('SIGKILL');
  }
}
