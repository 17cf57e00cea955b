/**
 * What a session says and wants, one thing after the other. A dialog is a generator: it yields what it
 * wants and is resumed with what it got, so that a wizard of nine questions reads like nine questions.
 * It touches nothing: `machine.ts` turns wants into effects and inputs into what was got.
 */

import type { Completer } from './complete.ts';
import { LINE_MAX } from './editor.ts';
import type { Key } from './keys.ts';

/** Who is asked. `self` is the process of the console: it answers what needs no other service. */
export type Service = 'control' | 'system' | 'monitor' | 'self';

export type Json = { readonly [name: string]: unknown };

export type Line = {
  readonly prompt: string;
  /** Not shown while it is typed, and in no history. */
  readonly secret?: boolean;
  /** Lines ↑ gives back; a new one is added. */
  readonly history?: string[];
  readonly complete?: Completer;
};

/** Programs a console may start, with their arguments made by the grammar. */
export type Program = 'ping' | 'traceroute' | 'tcpdump' | 'journalctl';

export type Want =
  | { readonly want: 'write'; readonly text: string }
  | ({ readonly want: 'line' } & Line)
  | { readonly want: 'key' }
  /** Goes on after so long, or when a key is pressed, which stays for whoever wants it. */
  | { readonly want: 'wait'; readonly ms: number }
  | {
      readonly want: 'ask';
      readonly service: Service;
      readonly request: Json;
      readonly patienceMs: number;
    }
  | { readonly want: 'open'; readonly service: Service; readonly request: Json }
  | { readonly want: 'spawn'; readonly program: Program; readonly args: readonly string[] }
  /** The next thing from the stream or program, or a key. */
  | { readonly want: 'event' }
  | { readonly want: 'tell'; readonly value: Json }
  | { readonly want: 'stop' }
  | { readonly want: 'audit'; readonly text: string }
  /** What was asked for was not done: the exit code of a single command. */
  | { readonly want: 'failed' }
  | { readonly want: 'settings'; readonly settings: Partial<Settings> };

export type Settings = {
  /** Rows before the pager asks; 0 never asks. */
  readonly rows: number;
  readonly columns: number;
  readonly idleMs: number;
};

/**
 * `now`: UTC, ms, as it is shown; somebody may set it. `mono`: goes on evenly, ms, and is what waiting and
 * growing old are reckoned by.
 */
export type Moment = { readonly now: number; readonly mono: number };

/** Every resumption brings the moment and what the terminal is. */
export type Got = Moment & { readonly settings: Settings } & (
    | { readonly got: 'nothing' }
    /** lost: so many characters did not fit. */
    | {
        readonly got: 'line';
        readonly text: string;
        readonly lost: number;
        readonly column: ColumnOf;
      }
    | { readonly got: 'end' }
    | { readonly got: 'key'; readonly key: Key }
    | { readonly got: 'answer'; readonly value: Json }
    /** From the stream. */
    | { readonly got: 'value'; readonly value: Json }
    /** From the program. */
    | { readonly got: 'output'; readonly text: string }
    /** The stream or program is over; events nobody took in time were dropped. */
    | { readonly got: 'over'; readonly code: number; readonly dropped: number }
  );

/** Where on the screen character `index` of the line stands, if it does. */
export type ColumnOf = (index: number) => number | undefined;

export type Dialog<T> = Generator<Want, T, Got>;

/** Thrown into a dialog where it waits: ^C, and the end of the session. */
export class Interrupted extends Error {
  readonly why: 'key' | 'over';
  constructor(why: 'key' | 'over') {
    super(why);
    this.why = why;
  }
}

/** An answer that could not be had is an answer too. */
export const UNREACHABLE = 'control-unreachable';

export const PATIENCE_MS = 5000;

export function* write(text: string): Dialog<void> {
  yield { want: 'write', text };
}

/** One line of output. */
export function* say(text: string): Dialog<void> {
  yield { want: 'write', text: `${text}\r\n` };
}

export type LineGot = { readonly text: string; readonly lost: number; readonly column: ColumnOf };

export const TOO_LONG = `longer than ${LINE_MAX} characters`;

/** @returns the line, whole or not; undefined for ^D. */
export function* anyLine(want: Line): Dialog<LineGot | undefined> {
  const got = yield { want: 'line', ...want };
  return got.got === 'line' ? got : undefined;
}

/** @returns the line; undefined for ^D. One that is too long is not taken in part, but asked for again. */
export function* line(want: Line): Dialog<LineGot | undefined> {
  for (;;) {
    const got = yield* anyLine(want);
    if (got === undefined || got.lost === 0) return got;
    yield* say(`this line is ${TOO_LONG}: nothing of it was taken`);
  }
}

/** @returns the answer to a question of the wizard or of a command; '' for ^D. */
export function* question(prompt: string, secret = false): Dialog<string> {
  const got = yield* line({ prompt, secret });
  return got?.text.trim() ?? '';
}

export function* key(): Dialog<Key> {
  const got = yield { want: 'key' };
  return got.got === 'key' ? got.key : { key: 'interrupt', text: '' };
}

export function* ask(service: Service, request: Json, patienceMs = PATIENCE_MS): Dialog<Json> {
  const got = yield { want: 'ask', service, request, patienceMs };
  return got.got === 'answer' ? got.value : { error: UNREACHABLE, text: 'no answer' };
}

/** @returns the moment and the terminal. */
export function* here(): Dialog<Moment & { settings: Settings }> {
  const { now, mono, settings } = yield { want: 'settings', settings: {} };
  return { now, mono, settings };
}

export function* audit(text: string): Dialog<void> {
  yield { want: 'audit', text };
}

/** The text of a value of an answer; '' when there is none. */
export function text(value: Json, name: string): string {
  const v = value[name];
  return typeof v === 'string' || typeof v === 'number' ? String(v) : '';
}

/** A part of an answer that is an object; an empty one when there is none. */
export function part(value: Json, name: string): Json {
  const v = value[name];
  return typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Json) : {};
}

export function failed(answer: Json): boolean {
  return 'error' in answer;
}
