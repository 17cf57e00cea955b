/**
 * Output a screen at a time: space one more screen, enter one more line, `/` goes on at what is typed,
 * q ends. On a slow line this is what keeps a long answer from burying the operator; ^C ends it too.
 */

import { type Dialog, here, key, write } from './dialog.ts';

const MORE = '--More--';
const WIPE = `\r${' '.repeat(MORE.length)}\r`;
/** Of a line that comes from elsewhere. */
const LONGEST = 4096;

/** Nothing that came from the network may steer the terminal. */
export function harmless(text: string): string {
  let out = '';
  for (const c of text.slice(0, LONGEST)) {
    const code = c.codePointAt(0) ?? 0;
    out += code < 0x20 || (code >= 0x7f && code < 0xa0) ? '·' : c;
  }
  return out;
}

function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(line.length / columns));
}

/** After `/`: what is looked for; '' gives up. */
function* wanted(): Dialog<string> {
  yield* write(`${WIPE}/`);
  let text = '';
  for (;;) {
    const k = yield* key();
    if (k.key === 'enter') return text;
    if (k.key === 'backspace') {
      if (text === '') return '';
      text = text.slice(0, -1);
      yield* write('\b \b');
    } else if (k.key === 'text' && text.length < 60) {
      text += k.text;
      yield* write(k.text);
    }
  }
}

/** @returns index of the line that holds the text, from `from` on; `from` itself when none does. */
function* searched(lines: readonly string[], from: number): Dialog<number> {
  const text = (yield* wanted()).toLowerCase();
  yield* write(`\r${' '.repeat(text.length + 1)}\r`);
  if (text === '') return from;
  const at = lines.findIndex((l, i) => i >= from && l.toLowerCase().includes(text));
  if (at >= 0) return at;
  yield* write('not found\r\n');
  return from;
}

/** Shows lines; `more` false: all at once. */
export function* page(lines: readonly string[], more: boolean): Dialog<void> {
  const { settings } = yield* here();
  const screen = Math.max(2, settings.rows - 1);
  const paced = more && settings.rows > 0;
  let left = screen;
  let i = 0;
  let block = '';
  while (i < lines.length) {
    const text = harmless(lines[i] ?? '');
    const rows = rowsOf(text, settings.columns);
    if (paced && rows > left && left < screen) {
      yield* write(block + MORE);
      block = '';
      left = 0;
      while (left === 0) {
        const k = yield* key();
        if (k.key === 'enter' || k.key === 'down') left = 1;
        else if (k.text === '/') {
          i = yield* searched(lines, i);
          left = screen;
        } else if (k.text === ' ' || k.text === 'f') left = screen;
        else if (k.text === 'q' || k.text === 'Q') {
          yield* write(WIPE);
          return;
        }
      }
      yield* write(WIPE);
      // one line more, however many rows it takes
      if (left === 1) left = Math.max(1, rowsOf(harmless(lines[i] ?? ''), settings.columns));
      continue;
    }
    block += `${text}\r\n`;
    left -= rows;
    i += 1;
  }
  if (block !== '') yield* write(block);
}
