/** A command line into words with their places. Double quotes keep spaces and `|` together. */

export type Word = {
  readonly text: string;
  /** Character of the line where it begins. */
  readonly at: number;
  readonly quoted: boolean;
};

export type Words = {
  /** The command. */
  readonly words: readonly Word[];
  /** After each `|`. */
  readonly pipes: readonly (readonly Word[])[];
  /** Where the next word would begin, and true when the last one is finished by a space. */
  readonly end: number;
  readonly finished: boolean;
  /** A quote that is not closed. */
  readonly open: boolean;
};

type Reading = { text: string; at: number; quoted: boolean; open: boolean; next: number };

function readWord(line: string, from: number): Reading {
  const w: Reading = { text: '', at: from, quoted: false, open: false, next: from };
  let i = from;
  for (; i < line.length; i += 1) {
    const c = line[i] ?? '';
    if (c === '\\' && w.open && i + 1 < line.length) {
      i += 1;
      w.text += line[i];
    } else if (c === '"') {
      w.open = !w.open;
      w.quoted = true;
    } else if (!w.open && (c === ' ' || c === '\t' || c === '|')) break;
    else w.text += c;
  }
  w.next = i;
  return w;
}

export function split(line: string): Words {
  const parts: Word[][] = [[]];
  let i = 0;
  let finished = true;
  let open = false;
  while (i < line.length) {
    const c = line[i];
    if (c === ' ' || c === '\t') {
      finished = true;
      i += 1;
    } else if (c === '|') {
      parts.push([]);
      finished = true;
      i += 1;
    } else {
      const w = readWord(line, i);
      parts.at(-1)?.push({ text: w.text, at: w.at, quoted: w.quoted });
      finished = false;
      open = w.open;
      i = w.next;
    }
  }
  const [words = [], ...pipes] = parts;
  return { words, pipes, end: line.length, finished, open };
}

/** A word as it would be typed. */
export function quote(text: string): string {
  if (text !== '' && !/[\s"|\\{};#]/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
