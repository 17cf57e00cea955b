/**
 * One session of the console, without I/O: bytes of the terminal, answers and time come in, effects go
 * out. It runs the dialog (`dialog.ts`), which says what it wants; keys that come while it wants none
 * wait, except ^C, which goes before everything.
 */

import { type Completion, choiceLines } from './complete.ts';
import {
  type Dialog,
  type Got,
  Interrupted,
  type Json,
  type Line,
  type Moment,
  type Program,
  type Service,
  type Settings,
  UNREACHABLE,
  type Want,
} from './dialog.ts';
import { Editor } from './editor.ts';
import { Keys } from './keys.ts';

export type ConsoleInput =
  | { readonly input: 'bytes'; readonly bytes: Uint8Array }
  /** Nobody is there any more. */
  | { readonly input: 'hangup' }
  /** Time goes on: once a second is enough. */
  | { readonly input: 'tick' }
  | { readonly input: 'size'; readonly columns: number; readonly rows: number }
  | { readonly input: 'answer'; readonly id: number; readonly value: Json }
  | { readonly input: 'value'; readonly id: number; readonly value: Json }
  | { readonly input: 'output'; readonly id: number; readonly text: string }
  | { readonly input: 'over'; readonly id: number; readonly code: number };

export type ConsoleEffect =
  | { readonly effect: 'write'; readonly text: string }
  | {
      readonly effect: 'ask';
      readonly id: number;
      readonly service: Service;
      readonly request: Json;
      readonly patienceMs: number;
    }
  | {
      readonly effect: 'open';
      readonly id: number;
      readonly service: Service;
      readonly request: Json;
    }
  | { readonly effect: 'tell'; readonly id: number; readonly value: Json }
  | { readonly effect: 'stop'; readonly id: number }
  | {
      readonly effect: 'spawn';
      readonly id: number;
      readonly program: Program;
      readonly args: readonly string[];
    }
  | { readonly effect: 'audit'; readonly text: string }
  /** The session is over: the next one begins with a login. */
  | { readonly effect: 'end'; readonly failed: boolean };

/** Keys that wait: more than a paste of 2000 lines. What comes beyond is lost, and said. */
const TYPED_MAX = 512 * 1024;
/** Events of a stream that wait. */
const EVENTS_MAX = 500;
const CTRL_C = 3;

type Event = Extract<ConsoleInput, { input: 'value' | 'output' | 'over' }>;
type Blocked = Extract<Want, { want: 'line' | 'key' | 'ask' | 'event' | 'wait' }>;

export class ConsoleMachine {
  private readonly dialog: Dialog<void>;
  private readonly keys = new Keys();
  private readonly editor: Editor;
  private settings: Settings;
  private effects: ConsoleEffect[] = [];
  private written = '';
  private blocked: Blocked | undefined;
  private typed: Uint8Array = new Uint8Array(0);
  private taken = 0;
  private lost = 0;
  private asked = 0;
  private stream = 0;
  private events: Event[] = [];
  private dropped = 0;
  private idleFrom: number;
  private waitUntil = 0;
  private at: Moment;
  private begun = false;
  private failed = false;
  ended = false;

  constructor(dialog: Dialog<void>, settings: Settings, at: Moment) {
    this.dialog = dialog;
    this.settings = settings;
    this.editor = new Editor(settings.columns);
    this.at = at;
    this.idleFrom = at.mono;
  }

  /** @returns effects, in their order. */
  step(at: Moment, input?: ConsoleInput): readonly ConsoleEffect[] {
    this.at = at;
    if (!this.begun) {
      this.begun = true;
      this.resume(this.got({ got: 'nothing' }));
    }
    if (input !== undefined && !this.ended) this.take(input);
    while (!this.ended && this.feed());
    this.flush();
    const out = this.effects;
    this.effects = [];
    return out;
  }

  private take(input: ConsoleInput): void {
    switch (input.input) {
      case 'bytes':
        this.bytes(input.bytes);
        break;
      case 'tick':
        if (this.settings.idleMs > 0 && this.at.mono - this.idleFrom >= this.settings.idleMs) {
          this.write('\r\nidle for too long: logged out\r\n');
          this.interrupt('over');
        }
        break;
      case 'hangup':
        this.interrupt('over');
        break;
      case 'size':
        this.set({ columns: input.columns, rows: input.rows });
        break;
      case 'answer':
        if (this.blocked?.want === 'ask' && input.id === this.asked) {
          this.resume(this.got({ got: 'answer', value: input.value }));
        }
        break;
      default:
        if (input.id !== this.stream) break;
        if (this.events.length < EVENTS_MAX || input.input === 'over') this.events.push(input);
        else this.dropped += 1;
    }
  }

  private bytes(bytes: Uint8Array): void {
    this.idleFrom = this.at.mono;
    const typing = this.blocked?.want === 'line' || this.blocked?.want === 'key';
    let from = 0;
    const at = typing ? -1 : bytes.lastIndexOf(CTRL_C);
    if (at >= 0) {
      this.typed = new Uint8Array(0);
      this.taken = 0;
      from = at + 1;
      this.write('^C\r\n');
      this.interrupt('key');
    }
    const room = TYPED_MAX - (this.typed.length - this.taken);
    const kept = bytes.subarray(from, from + room);
    this.lost += bytes.length - from - kept.length;
    const left = this.typed.length - this.taken;
    const joined = new Uint8Array(left + kept.length);
    joined.set(this.typed.subarray(this.taken));
    joined.set(kept, left);
    this.typed = joined;
    this.taken = 0;
  }

  /** Gives the dialog one thing that waits. @returns false when there is none it wants. */
  private feed(): boolean {
    const { blocked } = this;
    if (blocked === undefined) return false;
    if (blocked.want === 'event') {
      const event = this.events.shift();
      if (event !== undefined) {
        this.resume(this.event(event));
        return true;
      }
    }
    if (blocked.want === 'ask') return false;
    if (blocked.want === 'wait') {
      if (this.at.mono < this.waitUntil && this.typed[this.taken] === undefined) return false;
      this.resume(this.got({ got: 'nothing' }));
      return true;
    }
    const b = this.typed[this.taken];
    if (b === undefined) {
      if (this.lost > 0) {
        this.write(`\r\n${this.lost} bytes came too fast and are lost\r\n`);
        this.lost = 0;
      }
      return false;
    }
    this.taken += 1;
    const k = this.keys.byte(b);
    if (k === undefined) return true;
    if (blocked.want === 'line') {
      this.edit(blocked, k);
    } else if (k.key === 'interrupt') {
      this.write('^C\r\n');
      this.interrupt('key');
    } else this.resume(this.got({ got: 'key', key: k }));
    return true;
  }

  private event(event: Event): Got {
    if (event.input === 'value') return this.got({ got: 'value', value: event.value });
    if (event.input === 'output') return this.got({ got: 'output', text: event.text });
    const { dropped } = this;
    this.stream = 0;
    this.dropped = 0;
    return this.got({ got: 'over', code: event.code, dropped });
  }

  private edit(line: Line, k: Parameters<Editor['key']>[0]): void {
    const { out, event } = this.editor.key(k);
    this.write(out);
    if (event === undefined) return;
    switch (event.event) {
      case 'line': {
        const column = (index: number): number | undefined => this.editor.columnOf(index);
        const { text, lost } = event;
        this.resume(this.got({ got: 'line', text, lost, column }));
        break;
      }
      case 'eof':
        this.resume(this.got({ got: 'end' }));
        break;
      case 'interrupt':
        this.interrupt('key');
        break;
      default:
        this.complete(line, event.event === 'help', event.text);
    }
  }

  private complete(line: Line, help: boolean, text: string): void {
    if (line.complete === undefined) {
      this.write(help ? this.editor.insert('?') : '\x07');
      return;
    }
    const c: Completion = line.complete(text);
    if (!help && c.insert !== '') {
      this.write(this.editor.insert(c.insert));
      return;
    }
    const lines = c.text !== '' ? [c.text] : choiceLines(c.choices, this.settings.columns);
    if (lines.length === 0) {
      this.write('\x07');
      return;
    }
    const rows = this.settings.rows > 0 ? this.settings.rows * 3 : lines.length;
    const shown = lines.length > rows ? [...lines.slice(0, rows - 1), '  ...'] : lines;
    this.write(`\r\n${shown.join('\r\n')}\r\n${this.editor.whole()}`);
  }

  private interrupt(why: 'key' | 'over'): void {
    this.blocked = undefined;
    this.advance(() => this.dialog.throw(new Interrupted(why)));
  }

  private resume(got: Got): void {
    this.blocked = undefined;
    this.advance(() => this.dialog.next(got));
  }

  /** Runs the dialog until it wants what is not there yet. */
  private advance(first: () => IteratorResult<Want, void>): void {
    let go = first;
    for (;;) {
      const result = go();
      if (result.done === true) {
        this.ended = true;
        this.stopStream();
        this.flush();
        this.effects.push({ effect: 'end', failed: this.failed });
        return;
      }
      if (this.act(result.value)) return;
      go = () => this.dialog.next(this.got({ got: 'nothing' }));
    }
  }

  /** @returns true when the dialog has to wait. */
  private act(want: Want): boolean {
    switch (want.want) {
      case 'write':
        this.write(want.text);
        return false;
      case 'settings':
        this.set(want.settings);
        return false;
      case 'failed':
        this.failed = true;
        return false;
      case 'audit':
        this.push({ effect: 'audit', text: want.text });
        return false;
      case 'tell':
        if (this.stream > 0) this.push({ effect: 'tell', id: this.stream, value: want.value });
        return false;
      case 'stop':
        this.stopStream();
        return false;
      case 'open':
      case 'spawn':
        this.open(want);
        return false;
      case 'line':
        this.write(this.editor.begin(want.prompt, want.secret === true, want.history ?? []));
        break;
      case 'wait':
        this.waitUntil = this.at.mono + want.ms;
        break;
      case 'ask': {
        this.asked += 1;
        const { service, request, patienceMs } = want;
        this.push({ effect: 'ask', id: this.asked, service, request, patienceMs });
        break;
      }
      default:
        break;
    }
    this.blocked = want;
    return true;
  }

  private open(want: Extract<Want, { want: 'open' | 'spawn' }>): void {
    this.stopStream();
    this.asked += 1;
    this.stream = this.asked;
    this.push(
      want.want === 'open'
        ? { effect: 'open', id: this.stream, service: want.service, request: want.request }
        : { effect: 'spawn', id: this.stream, program: want.program, args: want.args },
    );
  }

  private stopStream(): void {
    if (this.stream > 0) this.push({ effect: 'stop', id: this.stream });
    this.stream = 0;
    this.events = [];
    this.dropped = 0;
  }

  private set(settings: Partial<Settings>): void {
    this.settings = { ...this.settings, ...settings };
    this.editor.resize(this.settings.columns);
  }

  private got<T>(what: T): T & Moment & { settings: Settings } {
    return { ...what, ...this.at, settings: this.settings };
  }

  private write(text: string): void {
    this.written += text;
  }

  private push(effect: ConsoleEffect): void {
    this.flush();
    this.effects.push(effect);
  }

  private flush(): void {
    if (this.written !== '') this.effects.push({ effect: 'write', text: this.written });
    this.written = '';
  }
}

/** The answer for a service that could not be asked. */
export function unreachable(service: Service, why: string): Json {
  return { error: UNREACHABLE, text: `${service}: ${why}` };
}
