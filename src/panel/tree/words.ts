/**
 * A line as words: blanks separate, '…' and "…" hold together, \ takes the next character as it is
 * (outside of '…'). `[`, `]`, `{`, `}` and `;` are characters like others here: they mean something in
 * a text only (`parse.ts`), or as words of their own.
 */

import type { Fault } from './terms.ts';

export type Word = {
  readonly text: string;
  /** Column of its first character, from 1. */
  readonly column: number;
  /** It had quotes: it is not a keyword, and not looked up by its beginning. */
  readonly quoted: boolean;
};

export type Line = {
  readonly words: readonly Word[];
  /** The line ends with a blank, or is empty: a next word has not begun. */
  readonly open: boolean;
};

const MOST_WORDS = 256;

function fault(column: number, text: string): Fault {
  return { code: 'tree-quote', place: '', text, column };
}

/** @returns words, or where a quote was not closed. */
export function tokenise(line: string): Line | Fault {
  const words: Word[] = [];
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line[at] as string)) {
      at += 1;
      continue;
    }
    const word = wordAt(line, at);
    if ('code' in word) return word;
    words.push(word.word);
    if (words.length > MOST_WORDS)
      return fault(at + 1, `at most ${MOST_WORDS} words fit in a line`);
    at = word.end;
  }
  return { words, open: line === '' || /\s$/.test(line) };
}

/** The word that begins at `at`, until a blank or one of `stops` outside of quotes. */
export function wordAt(
  line: string,
  at: number,
  stops = '',
): { readonly word: Word; readonly end: number } | Fault {
  let text = '';
  let quote = '';
  let quoteAt = 0;
  let quoted = false;
  let i = at;
  for (; i < line.length; i += 1) {
    const c = line[i] as string;
    if (c === '\\' && quote !== "'") {
      if (i + 1 >= line.length) return fault(i + 1, 'nothing stands behind this \\');
      i += 1;
      text += line[i];
      quoted = true;
    } else if (quote !== '') {
      if (c === quote) quote = '';
      else text += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      quoteAt = i;
      quoted = true;
    } else if (/\s/.test(c) || stops.includes(c)) break;
    else text += c;
  }
  if (quote !== '') return fault(quoteAt + 1, `this ${quote} is not closed`);
  return { word: { text, column: at + 1, quoted }, end: i };
}
