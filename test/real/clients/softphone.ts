/** A softphone of the web (JsSIP over WebSocket) as a test sees it; see `softphone-agent.ts`. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../../lab/lab.ts';
import { NODE, VIP } from '../../lab/places.ts';
import type { SoftphoneCommand, SoftphoneEvent } from './softphone-agent.ts';
import { until } from './until.ts';

export type SoftphoneOptions = {
  readonly number: number;
  /** ws://host:port/path */
  readonly url: string;
  /** Domain of its address, instead of the VIP. */
  readonly server?: string;
};

export class Softphone {
  readonly number: number;
  /** Everything it told of, in order. */
  readonly events: SoftphoneEvent[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  #words = '';

  private constructor(lab: Lab, options: SoftphoneOptions) {
    this.number = options.number;
    this.#child = lab.spawn('lan', [NODE, join(import.meta.dirname, 'softphone-agent.ts')]);
    this.#child.stderr.on('data', (bytes) => {
      this.#words = (this.#words + String(bytes)).slice(-8000);
    });
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as SoftphoneEvent);
    });
    const { number, url, server = VIP } = options;
    this.say({ do: 'start', number, url, server });
  }

  /** Starts it and waits until it is registered. */
  static async start(lab: Lab, options: SoftphoneOptions): Promise<Softphone> {
    const phone = new Softphone(lab, options);
    await phone.told('registered');
    return phone;
  }

  say(command: SoftphoneCommand): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  count(what: string): number {
    return this.events.filter((event) => event.what === what).length;
  }

  /** Waits until `what` was told at least `times` times. */
  async told(what: string, times = 1, ms = 20_000): Promise<SoftphoneEvent> {
    await until(
      () => this.count(what) >= times,
      () => {
        const seen = this.events.map((e) => `${e.what} ${e.why ?? ''}`.trim()).join(', ');
        const asked = times === 1 ? '' : ` ${times} times`;
        return new Error(`softphone ${this.number}: no ${what}${asked}; ${seen}\n${this.#words}`);
      },
      ms,
    );
    return this.events.filter((event) => event.what === what)[times - 1] as SoftphoneEvent;
  }

  close(): void {
    this.#child.kill();
  }
}
