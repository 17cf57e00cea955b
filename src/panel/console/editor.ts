/**
 * One line being typed, on a terminal that answers nothing: only carriage return, backspace, cursor
 * left and right and "clear to the end of the line" are used, and only what changed is written, so
 * that a 9600 baud line keeps up. A line longer than the screen slides sideways. ^L draws it anew.
 */

import type { Key } from './keys.ts';

/** What the editor tells; the text is the whole line, or the part before the cursor. */
export type EditorEvent =
  /** lost: so many characters did not fit: what is there is not what was meant. */
  | { readonly event: 'line'; readonly text: string; readonly lost: number }
  | { readonly event: 'interrupt' | 'eof' }
  | { readonly event: 'complete' | 'help'; readonly text: string };

export type Edited = { readonly out: string; readonly event?: EditorEvent };

/** Longest line, characters. */
export const LINE_MAX = 1024;
/** Lines that ↑ remembers. */
export const HISTORY_MAX = 200;
/** Columns a line needs beside its prompt; a longer prompt stands on a line of its own. */
const ROOM = 22;
/** A screen that says it has fewer columns is drawn upon as if it had these. */
const NARROWEST = 20;
/** Columns that ^R needs beside what is looked for. */
const SEARCH_ROOM = 17;
const BELL = '\x07';
const CLEAR_REST = '\x1b[K';

type Kept = { readonly chars: readonly string[]; readonly cursor: number };

export class Editor {
  private columns: number;
  private prompt = '';
  private secret = false;
  private chars: string[] = [];
  private cursor = 0;
  private from = 0;
  /** What the terminal shows after the prompt, and where its cursor stands. */
  private shown = '';
  private at = 0;
  private killed = '';
  private literal = false;
  private lost = 0;
  private history: string[] = [];
  private place = 0;
  private kept: Kept = { chars: [], cursor: 0 };
  private search: { pattern: string; readonly before: Kept; readonly prompt: string } | undefined;

  constructor(columns: number) {
    this.columns = Math.max(NARROWEST, columns);
  }

  resize(columns: number): void {
    this.columns = Math.max(NARROWEST, columns);
  }

  /** Begins a line. @returns what to write. */
  begin(prompt: string, secret: boolean, history: string[]): string {
    this.secret = secret;
    this.history = history;
    this.place = history.length;
    this.search = undefined;
    this.literal = false;
    this.set('', 0);
    const own = prompt.length > 2 && prompt.length + ROOM > this.columns;
    this.prompt = own ? '> ' : prompt;
    return (own ? `${prompt.trimEnd()}\r\n` : '') + this.whole();
  }

  /** Column, from 0, where character `index` of the line stands; undefined when it slid away. */
  columnOf(index: number): number | undefined {
    const column = this.prompt.length + index;
    return column < this.columns - 1 && this.from === 0 ? column : undefined;
  }

  /** The prompt and the line, from column 0 of a fresh line. */
  whole(): string {
    this.shown = '';
    this.at = 0;
    return `\r${this.prompt}${CLEAR_REST}${this.draw()}`;
  }

  /** Text put in at the cursor by somebody else: a completion. */
  insert(text: string): string {
    for (const c of text) this.put(c);
    return this.draw();
  }

  key(k: Key): Edited {
    if (this.literal) {
      this.literal = false;
      if (k.key === 'text') return this.typed(k.text);
    }
    if (this.search !== undefined) return this.searching(k);
    if (k.key === 'text') {
      if (k.text === '?' && !this.secret && !this.inQuotes()) {
        return { out: '', event: { event: 'help', text: this.before() } };
      }
      return this.typed(k.text);
    }
    switch (k.key) {
      case 'enter':
        return this.finish();
      case 'tab':
        if (this.secret) return { out: '' };
        return { out: '', event: { event: 'complete', text: this.before() } };
      case 'interrupt':
        return { out: '^C\r\n', event: { event: 'interrupt' } };
      case 'eof':
        if (this.chars.length === 0) return { out: '\r\n', event: { event: 'eof' } };
        return this.edit('delete');
      case 'redraw':
        return { out: `\x1b[H\x1b[2J${this.whole()}` };
      case 'quote':
        this.literal = true;
        return { out: '' };
      case 'search':
        return this.secret ? { out: '' } : this.beginSearch();
      default:
        return this.edit(k.key);
    }
  }

  private typed(text: string): Edited {
    return this.put(text) ? { out: this.draw() } : { out: BELL };
  }

  private put(c: string): boolean {
    if (this.chars.length >= LINE_MAX) {
      this.lost += 1;
      return false;
    }
    this.chars.splice(this.cursor, 0, c);
    this.cursor += 1;
    return true;
  }

  private before(): string {
    return this.chars.slice(0, this.cursor).join('');
  }

  private inQuotes(): boolean {
    let open = false;
    for (let i = 0; i < this.cursor; i += 1) {
      if (this.chars[i] === '\\') i += 1;
      else if (this.chars[i] === '"') open = !open;
    }
    return open;
  }

  private finish(): Edited {
    const text = this.chars.join('');
    const { history, lost } = this;
    if (lost === 0 && !this.secret && text.trim() !== '' && history.at(-1) !== text) {
      history.push(text);
      if (history.length > HISTORY_MAX) history.shift();
    }
    return { out: '\r\n', event: { event: 'line', text, lost } };
  }

  private set(text: string, cursor: number): void {
    this.chars = [...text];
    this.cursor = cursor;
    this.from = 0;
    this.lost = 0;
  }

  private edit(name: Key['key']): Edited {
    const { chars, cursor } = this;
    switch (name) {
      case 'backspace':
        if (cursor === 0) return { out: '' };
        this.cut(cursor - 1, cursor, false);
        break;
      case 'delete':
        this.cut(cursor, cursor + 1, false);
        break;
      case 'left':
        this.cursor = Math.max(0, cursor - 1);
        break;
      case 'right':
        this.cursor = Math.min(chars.length, cursor + 1);
        break;
      case 'home':
        this.cursor = 0;
        break;
      case 'end':
        this.cursor = chars.length;
        break;
      case 'word-left':
        this.cursor = this.wordLeft();
        break;
      case 'word-right':
        this.cursor = this.wordRight();
        break;
      case 'kill-end':
        this.cut(cursor, chars.length, true);
        break;
      case 'kill-start':
        this.cut(0, cursor, true);
        break;
      case 'kill-word':
        this.cut(this.wordLeft(), cursor, true);
        break;
      case 'kill-word-on':
        this.cut(cursor, this.wordRight(), true);
        break;
      case 'yank':
        return { out: this.insert(this.killed) };
      case 'swap':
        this.swap();
        break;
      case 'up':
        return this.recall(-1);
      case 'down':
        return this.recall(1);
      default:
        break;
    }
    return { out: this.draw() };
  }

  private cut(from: number, to: number, keep: boolean): void {
    const gone = this.chars.splice(from, to - from);
    this.cursor = from;
    // who has made it shorter means what he sees
    if (gone.length > 0) this.lost = 0;
    // a password that was cut away is not to be had again by ^Y, which shows it
    if (keep && gone.length > 0 && !this.secret) this.killed = gone.join('');
  }

  private swap(): void {
    const at = Math.min(this.cursor, this.chars.length - 1);
    const [one, two] = [this.chars[at - 1], this.chars[at]];
    if (at < 1 || one === undefined || two === undefined) return;
    this.chars[at - 1] = two;
    this.chars[at] = one;
    this.cursor = at + 1;
  }

  private wordLeft(): number {
    let i = this.cursor;
    while (i > 0 && this.chars[i - 1] === ' ') i -= 1;
    while (i > 0 && this.chars[i - 1] !== ' ') i -= 1;
    return i;
  }

  private wordRight(): number {
    let i = this.cursor;
    while (i < this.chars.length && this.chars[i] === ' ') i += 1;
    while (i < this.chars.length && this.chars[i] !== ' ') i += 1;
    return i;
  }

  private recall(step: number): Edited {
    const { history } = this;
    const place = this.place + step;
    if (this.secret || place < 0 || place > history.length) return { out: BELL };
    if (this.place === history.length) this.kept = { chars: this.chars, cursor: this.cursor };
    this.place = place;
    const text = history[place] ?? this.kept.chars.join('');
    this.set(text, [...text].length);
    return { out: this.draw() };
  }

  // ------------------------------------------------------------ ^R

  private beginSearch(): Edited {
    const before = { chars: this.chars, cursor: this.cursor };
    this.search = { pattern: '', before, prompt: this.prompt };
    return this.showSearch();
  }

  private showSearch(): Edited {
    const pattern = this.search?.pattern ?? '';
    const shown = Math.min(10, this.columns - SEARCH_ROOM);
    this.prompt = `(search)'${pattern.slice(-shown)}': `;
    return { out: this.whole() };
  }

  private find(from: number): boolean {
    const pattern = this.search?.pattern ?? '';
    for (let i = Math.min(from, this.history.length - 1); i >= 0; i -= 1) {
      const text = this.history[i] ?? '';
      if (!text.includes(pattern)) continue;
      this.place = i;
      this.set(text, [...text].length);
      return true;
    }
    return false;
  }

  private searching(k: Key): Edited {
    const { search } = this;
    if (search === undefined) return { out: '' };
    if (k.key === 'text' || k.key === 'backspace' || k.key === 'search') {
      let from = this.history.length - 1;
      if (k.key === 'text') search.pattern = (search.pattern + k.text).slice(0, 80);
      else if (k.key === 'backspace') search.pattern = search.pattern.slice(0, -1);
      else from = this.place - 1;
      const found = this.find(from);
      const { out } = this.showSearch();
      return { out: found ? out : out + BELL };
    }
    this.search = undefined;
    this.prompt = search.prompt;
    if (k.key === 'abort' || k.key === 'interrupt') {
      this.chars = [...search.before.chars];
      this.cursor = search.before.cursor;
      return { out: this.whole() };
    }
    const out = this.whole();
    const then = k.key === 'tab' ? { out: '' } : this.key(k);
    return then.event === undefined
      ? { out: out + then.out }
      : { out: out + then.out, event: then.event };
  }

  // ------------------------------------------------------------ drawing

  /** Writes what differs from what the terminal shows. Never in the last column: no line wraps. */
  private draw(): string {
    if (this.secret) return '';
    const room = Math.max(4, this.columns - 1 - this.prompt.length);
    if (this.cursor >= this.from + room || (this.from > 0 && this.cursor <= this.from)) {
      this.from = Math.max(0, this.cursor - Math.floor(room / 2));
    }
    if (this.chars.length < room) this.from = 0;
    const part = this.chars.slice(this.from, this.from + room);
    if (this.from > 0) part[0] = '<';
    if (this.from + room < this.chars.length) part[room - 1] = '>';
    const next = part.join('');
    let same = 0;
    while (same < next.length && next[same] === this.shown[same]) same += 1;
    let out = '';
    if (next !== this.shown) {
      out += this.moveTo(same) + next.slice(same);
      this.at = next.length;
      if (next.length < this.shown.length) out += CLEAR_REST;
      this.shown = next;
    }
    return out + this.moveTo(this.cursor - this.from);
  }

  private moveTo(column: number): string {
    const by = column - this.at;
    const from = this.at;
    this.at = column;
    if (by === 0) return '';
    if (by < 0) return by > -4 ? '\b'.repeat(-by) : `\x1b[${-by}D`;
    return by < 4 ? this.shown.slice(from, column) : `\x1b[${by}C`;
  }
}
