/**
 * `sipair console`: the session of `panel/console/` on a terminal, a serial line or pipes. It needs no
 * other process: what does not answer is said. Nothing that goes wrong here ends it but the terminal's
 * own end: the session is thrown away and the next login begins.
 */

import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isatty, ReadStream, WriteStream } from 'node:tty';
import type { Json, Moment } from '../panel/console/dialog.ts';
import type { ConsoleEffect, ConsoleInput, ConsoleMachine } from '../panel/console/machine.ts';
import {
  newSession,
  oneCommand,
  type SessionOptions,
  screenSize,
  TERMINAL,
} from '../panel/console/session.ts';
import { RELEASE } from './config.ts';
import { Audit } from './console/audit.ts';
import { Output } from './console/output.ts';
import { type Running, start } from './console/programs.ts';
import { answerSelf } from './console/self.ts';
import { askOnce, openStream, type Stream } from './console/services.ts';
import { log } from './log.ts';

const TICK_MS = 1000;
/** What a stream says waits while so much is not written yet. */
const FULL = 32 * 1024;
const CTRL_C = 3;
/** ^D, as often as there are levels to leave: what the end of a pipe means. */
const END_OF_INPUT = Uint8Array.from({ length: 12 }, () => 4);
const LAST_MS = 30_000;

export type ConsoleOptions = {
  /** Folder that is taken for /. */
  readonly root: string;
  /** One command instead of a login. */
  readonly command?: string;
};

class TerminalSession {
  private readonly options: ConsoleOptions;
  private readonly audit: Audit;
  private readonly output: Output;
  private readonly done: (code: number) => void;
  private session: ConsoleMachine;
  private stream: Stream | undefined;
  private running: Running | undefined;
  private sessions = 0;
  private over = false;
  private inputEnded = false;

  constructor(options: ConsoleOptions, done: (code: number) => void) {
    this.options = options;
    this.done = done;
    this.audit = new Audit(options.root, lineName(), options.command === undefined && !isatty(2));
    this.output = new Output(1, () => this.finish(1));
    this.session = this.begin();
  }

  /** The first words of a session. */
  go(): void {
    this.step();
    const ticks = setInterval(() => this.step({ input: 'tick' }), TICK_MS);
    if (this.options.command !== undefined) ticks.unref();
  }

  private begin(): ConsoleMachine {
    const options: SessionOptions = {
      release: RELEASE,
      settings: { ...TERMINAL, ...sizeOf() },
      now: moment(),
      starting: this.sessions === 0,
      name: hostname().slice(0, 32),
    };
    const { command } = this.options;
    this.sessions += 1;
    return command === undefined ? newSession(options) : oneCommand(options, command);
  }

  typed(bytes: Uint8Array): void {
    // what was said before ^C is not wanted any more
    if (bytes.includes(CTRL_C)) this.output.drop();
    this.step({ input: 'bytes', bytes });
  }

  ended(): void {
    this.inputEnded = true;
    this.typed(END_OF_INPUT);
    setTimeout(() => this.finish(1), LAST_MS).unref();
  }

  resized(): void {
    this.step({ input: 'size', columns: sizeOf().columns, rows: sizeOf().rows });
  }

  step(input?: ConsoleInput): void {
    if (this.over) return;
    try {
      for (const effect of this.session.step(moment(), input)) this.perform(effect);
    } catch (e) {
      this.broken(e);
    }
  }

  /** Our own mistake: said, logged, and a new login. */
  broken(e: unknown): void {
    const why = e instanceof Error ? (e.stack ?? e.message) : String(e);
    log('warning', `console-fault: ${why.replaceAll('\n', ' | ')}`);
    this.output.push('\r\nconsole-fault: this session has ended by a mistake of the console\r\n');
    this.stop();
    if (this.options.command !== undefined) this.finish(1);
    else this.session = this.begin();
    setImmediate(() => this.step());
  }

  private perform(e: ConsoleEffect): void {
    switch (e.effect) {
      case 'write':
        this.write(e.text);
        break;
      case 'audit':
        this.audit.tell(e.text);
        break;
      case 'ask': {
        const answer = (value: Json): void => this.step({ input: 'answer', id: e.id, value });
        const { root } = this.options;
        // never within this step: the answer is the next one
        if (e.service === 'self') setImmediate(() => answerSelf(root, e.request, answer));
        else askOnce(root, e.service, e.request, e.patienceMs, answer);
        break;
      }
      case 'open':
        this.open(e);
        break;
      case 'spawn':
        this.running = start(
          e.program,
          e.args,
          (text) => {
            this.step({ input: 'output', id: e.id, text });
            this.pace(this.running);
          },
          (code) => this.step({ input: 'over', id: e.id, code }),
        );
        break;
      case 'tell':
        this.stream?.tell(e.value);
        break;
      case 'stop':
        this.stop();
        break;
      default:
        this.end(e.failed);
    }
  }

  private open(e: Extract<ConsoleEffect, { effect: 'open' }>): void {
    if (e.service === 'self') return;
    this.stream = openStream(
      this.options.root,
      e.service,
      e.request,
      (value) => {
        this.step({ input: 'value', id: e.id, value });
        this.pace(this.stream);
      },
      () => this.step({ input: 'over', id: e.id, code: 0 }),
    );
  }

  /** Who speaks faster than the line waits; what he drops meanwhile he counts himself. */
  private pace(source: Stream | Running | undefined): void {
    if (source === undefined || this.output.length < FULL) return;
    source.pause(true);
    this.output.empty(() => source.pause(false));
  }

  private write(text: string): void {
    const plain = this.options.command !== undefined && !isatty(1);
    this.output.push(plain ? text.replaceAll('\r\n', '\n') : text);
  }

  private stop(): void {
    this.stream?.close();
    this.running?.stop();
    this.stream = undefined;
    this.running = undefined;
  }

  private end(failed: boolean): void {
    if (this.options.command !== undefined || this.inputEnded) {
      this.output.empty(() => this.finish(failed && this.options.command !== undefined ? 1 : 0));
      return;
    }
    this.session = this.begin();
    setImmediate(() => this.step());
  }

  private finish(code: number): void {
    if (this.over) return;
    this.over = true;
    this.stop();
    this.done(code);
  }

  /** The terminal is gone. */
  hangup(): void {
    this.step({ input: 'hangup' });
    this.finish(0);
  }
}

/** ttyS0, pts/3, or pipe. */
function lineName(): string {
  try {
    return isatty(0) ? readlinkSync('/proc/self/fd/0').replace(/^\/dev\//, '') : 'pipe';
  } catch {
    return 'terminal';
  }
}

function moment(): Moment {
  return { now: Date.now(), mono: performance.now() };
}

let screen: WriteStream | undefined;

function sizeOf(): { columns: number; rows: number } {
  const [columns = 0, rows = 0] = screen?.getWindowSize() ?? [];
  return screenSize(columns, rows);
}

/** Runs until the terminal ends (or the command is done). @returns the exit code. */
export function runConsole(options: ConsoleOptions): Promise<number> {
  if (isatty(1)) screen = new WriteStream(1);
  return new Promise((resolve) => {
    const session = new TerminalSession(options, resolve);
    process.on('uncaughtException', (e) => session.broken(e));
    process.on('unhandledRejection', (e) => session.broken(e));
    process.on('SIGHUP', () => session.hangup());
    process.on('SIGTERM', () => session.hangup());
    // a terminal that does not clear the signals of its driver
    process.on('SIGINT', () => session.typed(Uint8Array.of(CTRL_C)));
    screen?.on('resize', () => session.resized());
    listen(session, options.command !== undefined);
    session.go();
  });
}

function listen(session: TerminalSession, once: boolean): void {
  if (isatty(0)) {
    const tty = new ReadStream(0);
    tty.setRawMode(true);
    process.on('exit', () => tty.setRawMode(false));
    tty.on('data', (bytes: Buffer) => session.typed(bytes));
    tty.on('error', () => session.hangup());
    tty.on('end', () => session.hangup());
    if (once) tty.unref();
    return;
  }
  if (once) return;
  process.stdin.on('data', (bytes: Buffer) => session.typed(bytes));
  process.stdin.on('error', () => session.hangup());
  process.stdin.on('end', () => session.ended());
}
