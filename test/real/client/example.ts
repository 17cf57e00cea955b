/** A program of `docs/examples` as a process on the host `lan`, started as the guide says. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../../lab/lab.ts';
import { LAN_ADDRESS, NODE, ROOT } from '../../lab/places.ts';
import { until } from '../clients/until.ts';

const PATIENCE = 30_000;

export class Example {
  readonly lines: string[] = [];
  /** Its exit code, once it has ended. */
  code: number | undefined;
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(lab: Lab, name: string, own: { readonly [option: string]: string }) {
    const all = {
      boxes: Object.values(LAN_ADDRESS).join(','),
      program: 'lab',
      password: 'lab',
      ...own,
    };
    const options = Object.entries(all).flatMap(([option, value]) => [`--${option}`, value]);
    this.#name = name;
    this.#child = lab.spawn('lan', [NODE, join(ROOT, `docs/examples/${name}.ts`), ...options]);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    }
    this.#child.on('exit', (code) => {
      this.code = code ?? -1;
    });
  }

  /** Waits for a line that it prints. */
  async says(what: RegExp): Promise<string> {
    const found = (): string | undefined => this.lines.find((line) => what.test(line));
    await until(
      () => found() !== undefined || this.code !== undefined,
      () => this.#failure(`${what}`),
      PATIENCE,
    );
    const line = found();
    if (line === undefined) throw this.#failure(`${what}, but ended`);
    return line;
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  async ended(): Promise<number> {
    await until(
      () => this.code !== undefined,
      () => this.#failure('its end'),
      PATIENCE,
    );
    return this.code ?? -1;
  }

  kill(): void {
    if (this.code === undefined) this.#child.kill('SIGKILL');
  }

  #failure(what: string): Error {
    return new Error([`${this.#name}: no ${what}; it said:`, ...this.lines].join('\n'));
  }
}
