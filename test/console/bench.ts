/** A session with fake services and a screen, in one call: keys in, what a person sees out. */

import type { Json, Moment } from '../../src/panel/console/dialog.ts';
import type { ConsoleEffect, ConsoleMachine } from '../../src/panel/console/machine.ts';
import { newSession, TERMINAL } from '../../src/panel/console/session.ts';
import { FakePair, PASSWORD } from './fake-pair.ts';
import { Screen } from './screen.ts';

export type BenchOptions = {
  readonly pair?: FakePair;
  readonly columns?: number;
  readonly rows?: number;
};

export class Bench {
  readonly pair: FakePair;
  readonly screen: Screen;
  readonly audit: string[] = [];
  readonly spawned: (readonly string[])[] = [];
  /** Bytes written, for slow lines. */
  bytes = 0;
  ends = 0;
  failed = false;
  /** Hears what is written. */
  said: (text: string) => void = () => {};
  private session: ConsoleMachine;
  private stream = 0;
  private readonly options: BenchOptions;

  constructor(options: BenchOptions = {}) {
    this.options = options;
    this.pair = options.pair ?? new FakePair();
    this.screen = new Screen(options.columns ?? 80);
    this.session = this.begin();
    this.perform(this.session.step(this.at()));
  }

  private begin(): ConsoleMachine {
    const { columns = 80, rows = 24 } = this.options;
    return newSession({
      release: 'sipair 0.1.0',
      settings: { ...TERMINAL, columns, rows },
      now: this.at(),
      starting: this.ends === 0,
      name: 'sipair',
    });
  }

  private at(): Moment {
    const { now, mono } = this.pair;
    return { now, mono };
  }

  /** Everything a step wants, and what comes of that, until it rests. */
  private perform(first: readonly ConsoleEffect[]): void {
    const queue = [...first];
    for (let e = queue.shift(); e !== undefined; e = queue.shift()) {
      const now = this.at();
      if (e.effect === 'write') {
        this.bytes += e.text.length;
        this.screen.write(e.text);
        this.said(e.text);
      } else if (e.effect === 'audit') this.audit.push(e.text);
      else if (e.effect === 'ask') {
        const value = this.pair.ask(e.service, e.request);
        if (value !== 'silent') {
          queue.push(
            ...this.session.step(now, { input: 'answer', id: e.id, value: value as Json }),
          );
        }
      } else if (e.effect === 'open') {
        this.stream = e.id;
        this.give(this.pair.ask(e.service, e.request), queue);
      } else if (e.effect === 'tell') this.give(this.pair.told(e.value), queue);
      else if (e.effect === 'spawn') {
        this.stream = e.id;
        this.spawned.push([e.program, ...e.args]);
      } else if (e.effect === 'end') {
        this.ends += 1;
        this.failed = e.failed;
        this.session = this.begin();
        queue.push(...this.session.step(now));
      }
    }
  }

  private give(values: unknown, queue: ConsoleEffect[]): void {
    const all = Array.isArray(values) ? (values as readonly Json[]) : [values as Json];
    for (const value of all) {
      const input = { input: 'value', id: this.stream, value } as const;
      queue.push(...this.session.step(this.at(), input));
    }
  }

  /** Output of the program that runs. */
  output(text: string): void {
    this.perform(this.session.step(this.at(), { input: 'output', id: this.stream, text }));
  }

  over(code = 0): void {
    this.perform(this.session.step(this.at(), { input: 'over', id: this.stream, code }));
  }

  keys(text: string): void {
    this.raw(new TextEncoder().encode(text));
  }

  raw(bytes: Uint8Array): void {
    this.perform(this.session.step(this.at(), { input: 'bytes', bytes }));
  }

  pass(ms: number): void {
    this.pair.pass(ms);
    this.perform(this.session.step(this.at(), { input: 'tick' }));
  }

  /** Somebody sets the clock: no time passes. */
  step(ms: number): void {
    this.pair.now += ms;
    this.perform(this.session.step(this.at(), { input: 'tick' }));
  }

  /** A line and Enter. @returns the lines that came of it, without the next prompt. */
  line(text: string): string[] {
    const from = this.screen.lines().length;
    this.keys(`${text}\r`);
    return this.screen.lines().slice(from, -1) as string[];
  }

  login(): this {
    this.line('admin');
    this.line(PASSWORD);
    return this;
  }
}
