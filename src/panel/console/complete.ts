/** Tab and `?`: what could stand where the cursor is, and how far one can go without choosing. */

import { PIPES } from './grammar.ts';
import type { Choice, GrammarNode } from './node.ts';
import { choicesOf, standing } from './parse.ts';
import { quote, split, type Word } from './words.ts';

export type Completion = {
  /** To be put in at the cursor. */
  readonly insert: string;
  readonly choices: readonly Choice[];
  /** Said instead of choices. */
  readonly text: string;
};

/** @param text the line before the cursor. */
export type Completer = (text: string) => Completion;

/** What a mode knows beside its grammar. */
export type Knowledge = {
  readonly roots: readonly GrammarNode[];
  /** Words of the configuration after `words`. */
  readonly paths: (words: readonly string[], partial: string, value: boolean) => readonly Choice[];
  /** For `run`. */
  readonly other: readonly GrammarNode[];
};

const NONE: Completion = { insert: '', choices: [], text: '' };
const PIPE: Choice = { word: '|', help: 'what is done with the output' };
const ENTER: Choice = { word: '<enter>', help: 'the command is complete' };

function pipeChoices(words: readonly Word[]): readonly Choice[] {
  const [first] = words;
  if (first === undefined) return PIPES;
  const pipe = PIPES.find((p) => p.word === first.text);
  if (pipe?.argument !== undefined && words.length === 1) {
    return [{ word: `<${pipe.argument}>`, help: pipe.help }];
  }
  return [ENTER, PIPE];
}

function nodeChoices(
  k: Knowledge,
  words: readonly Word[],
  partial: string,
): readonly Choice[] | string {
  const s = standing(k.roots, words);
  switch (s.kind) {
    case 'wrong':
      return s.wrong.text;
    case 'path':
      return k.paths(s.words, partial, s.value);
    case 'command':
      return nodeChoices({ ...k, roots: k.other }, s.words, partial);
    case 'nodes': {
      const choices = choicesOf(s.nodes);
      // a command that is complete and takes a path may go on with it
      const path = s.nodes.find((n) => n.kind === 'path');
      const paths = path?.kind === 'path' ? k.paths([], partial, path.value) : [];
      const own = choices.filter((c) => c.word !== '<path>');
      return s.complete ? [ENTER, ...own, ...paths, PIPE] : [...own, ...paths];
    }
  }
}

function common(words: readonly string[]): string {
  let [first = ''] = words;
  for (const w of words) while (!w.startsWith(first)) first = first.slice(0, -1);
  return first;
}

function isPlace(c: Choice): boolean {
  return c.word.startsWith('<') || c.word === '|';
}

/** What could stand at the end of `text`. */
export function complete(k: Knowledge, text: string): Completion {
  const s = split(text);
  if (s.open) return NONE;
  const current = s.pipes.at(-1) ?? s.words;
  const typed = s.finished ? undefined : current.at(-1);
  const before = typed === undefined ? current : current.slice(0, -1);
  const partial = typed?.text ?? '';
  const all = s.pipes.length > 0 ? pipeChoices(before) : nodeChoices(k, before, partial);
  if (typeof all === 'string') return { ...NONE, text: all };
  const fit = all
    .filter((c) => (isPlace(c) ? partial === '' || c.word !== '|' : true))
    .filter((c) => isPlace(c) || c.word.startsWith(partial));
  const words = fit.filter((c) => !isPlace(c)).map((c) => c.word);
  const places = fit.filter((c) => isPlace(c) && c.word !== '|' && c.word !== '<enter>');
  const shown = partial === '' ? fit : fit.filter((c) => c.word !== '<enter>');
  if (words.length === 1 && places.length === 0 && partial !== '' && typed?.quoted !== true) {
    const [only = ''] = words;
    return { insert: `${quote(only).slice(partial.length)} `, choices: shown, text: '' };
  }
  if (words.length > 0 && typed?.quoted !== true) {
    return { insert: common(words).slice(partial.length), choices: shown, text: '' };
  }
  if (shown.length === 0 && partial !== '') return { ...NONE, text: `unknown: ${partial}` };
  return { insert: '', choices: shown, text: '' };
}

/** Choices as lines of the screen. */
export function choiceLines(choices: readonly Choice[], columns: number): string[] {
  const wide = Math.min(24, Math.max(0, ...choices.map((c) => c.word.length)));
  return choices.map((c) => `  ${c.word.padEnd(wide)}  ${c.help}`.slice(0, columns - 1).trimEnd());
}
