/**
 * Bytes of a terminal into keys. Emacs control keys, and arrows, home, end and delete as vt100, the
 * linux console, xterm and rxvt send them. Nothing here waits for time: a lone escape joins with what
 * comes next. Bytes that mean nothing (noise on the line, half of an UTF-8 character) are dropped.
 */

export type KeyName =
  | 'enter'
  | 'tab'
  | 'backspace'
  | 'delete'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'up'
  | 'down'
  | 'word-left'
  | 'word-right'
  | 'kill-end'
  | 'kill-start'
  | 'kill-word'
  | 'kill-word-on'
  | 'yank'
  | 'swap'
  | 'interrupt'
  | 'eof'
  | 'redraw'
  | 'search'
  | 'abort'
  | 'quote';

export type Key =
  | { readonly key: 'text'; readonly text: string }
  | { readonly key: KeyName; readonly text: '' };

const CONTROL: { readonly [byte: number]: KeyName } = {
  1: 'home',
  2: 'left',
  3: 'interrupt',
  4: 'eof',
  5: 'end',
  6: 'right',
  7: 'abort',
  8: 'backspace',
  9: 'tab',
  11: 'kill-end',
  12: 'redraw',
  14: 'down',
  16: 'up',
  18: 'search',
  20: 'swap',
  21: 'kill-start',
  22: 'quote',
  23: 'kill-word',
  25: 'yank',
  127: 'backspace',
};

/** What follows `ESC [` or `ESC O`, parameters included. */
const SEQUENCES: { readonly [text: string]: KeyName } = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  '1~': 'home',
  '7~': 'home',
  '4~': 'end',
  '8~': 'end',
  '3~': 'delete',
  '1;5C': 'word-right',
  '1;5D': 'word-left',
  '1;3C': 'word-right',
  '1;3D': 'word-left',
  '5C': 'word-right',
  '5D': 'word-left',
};

/** What follows a lone escape (the meta key). */
const META: { readonly [text: string]: KeyName } = {
  b: 'word-left',
  f: 'word-right',
  d: 'kill-word-on',
};

/** A sequence longer than this is noise. */
const LONGEST = 12;
const ESC = 27;
const LF = 10;
const CR = 13;

/** Characters of one column: what has none or two would put the cursor in the wrong place. */
export function isPlain(code: number): boolean {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0xad) return false;
  if (code >= 0x300 && code <= 0x36f) return false;
  return code < 0x1100;
}

export class Keys {
  private escape: string | undefined;
  private afterCr = false;
  private utf = 0;
  private missing = 0;

  /** @returns the key that this byte completes, if it does. */
  byte(b: number): Key | undefined {
    const afterCr = this.afterCr;
    this.afterCr = b === CR;
    if (b === LF && afterCr) return undefined;
    if (this.escape !== undefined) {
      const within = this.sequence(b);
      if (within !== 'over') return within;
    }
    if (b >= 0x80) return this.wide(b);
    this.missing = 0;
    if (b === ESC) {
      this.escape = '';
      return undefined;
    }
    if (b === CR || b === LF) return { key: 'enter', text: '' };
    if (b >= 0x20 && b < 0x7f) return { key: 'text', text: String.fromCharCode(b) };
    const name = CONTROL[b];
    return name === undefined ? undefined : { key: name, text: '' };
  }

  /** @returns 'over' when the byte does not belong to the sequence, which is then forgotten. */
  private sequence(b: number): Key | undefined | 'over' {
    const before = this.escape ?? '';
    // a control character never belongs to a sequence: ^C must work whatever was lost before it
    if (b < 0x20 || b >= 0x7f) {
      this.escape = undefined;
      return before === '' && b === 0x7f ? { key: 'kill-word', text: '' } : 'over';
    }
    const c = String.fromCharCode(b);
    if (before === '' && c !== '[' && c !== 'O') {
      this.escape = undefined;
      const name = META[c];
      return name === undefined ? undefined : { key: name, text: '' };
    }
    const text = before + c;
    this.escape = text;
    // parameters are digits and ; and such; a letter or ~ ends, `[[A` is the linux console's F1
    const ends = text.length > 1 && b >= 0x40 && !(text === '[[' || text === 'O[');
    if (!ends && text.length < LONGEST) return undefined;
    this.escape = undefined;
    const name = ends ? SEQUENCES[text.slice(1)] : undefined;
    return name === undefined ? undefined : { key: name, text: '' };
  }

  private wide(b: number): Key | undefined {
    if (b >= 0xc0) {
      this.missing = b >= 0xf8 ? 0 : b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : 1;
      this.utf = b & (0x3f >> this.missing);
      return undefined;
    }
    if (this.missing === 0) return undefined;
    this.utf = (this.utf << 6) | (b & 0x3f);
    this.missing -= 1;
    if (this.missing > 0 || !isPlain(this.utf)) return undefined;
    // written in more bytes than it needs: not a character
    if (this.utf < 0xa0) return undefined;
    return { key: 'text', text: String.fromCodePoint(this.utf) };
  }
}
