/** Phones on desks (`desk-agent.ts`) as a test sees them: they call, are called, and say so. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../../lab/lab.ts';
import { NODE } from '../../lab/places.ts';
import { until } from '../clients/until.ts';
import type { DeskCommand, DeskEvent } from './desk-agent.ts';

const PATIENCE = 30_000;

export class Desk {
  /** Everything that happened, in order. */
  readonly events: DeskEvent[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  #words = '';

  constructor(lab: Lab) {
    this.#child = lab.spawn('lan', [NODE, join(import.meta.dirname, 'desk-agent.ts')]);
    this.#child.stderr.on('data', (octets) => {
      this.#words += String(octets);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as DeskEvent);
    });
  }

  /** A phone that is registered; see `DeskCommand` for `answersMs`. */
  async phone(number: number, answersMs = 0): Promise<void> {
    this.#say({ do: 'phone', number, answersMs });
    await this.saw(number, 'registered');
  }

  call(number: number, to: number): void {
    this.#say({ do: 'call', number, to });
  }

  hangUp(number: number): void {
    this.#say({ do: 'hang-up', number });
  }

  /** How often this happened to that phone. */
  count(number: number, what: DeskEvent['what']): number {
    return this.events.filter((e) => e.number === number && e.what === what).length;
  }

  /** Waits until it has happened so often. */
  async saw(number: number, what: DeskEvent['what'], times = 1): Promise<void> {
    const told = (): Error =>
      new Error(`phone ${number}: not ${what}: ${JSON.stringify(this.events)} ${this.#words}`);
    await until(() => this.count(number, what) >= times, told, PATIENCE);
  }

  close(): void {
    this.#child.stdin.end();
  }

  #say(command: DeskCommand): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }
}
