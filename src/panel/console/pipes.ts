/**
 * What follows `|`: the output is lines, a pipe makes other lines of them. Nothing else is done while
 * lines are looked through, so an expression is one that takes no longer than the lines are long.
 */

import { expression, search } from '../expression.ts';
import { PIPES } from './grammar.ts';
import type { Wrong } from './parse.ts';
import type { Word } from './words.ts';

export type Pipes = {
  /** Where the first that does something to lines begins, and where `json`; undefined: there is none. */
  readonly at?: number;
  readonly jsonAt?: number;
  readonly more: boolean;
  readonly json: boolean;
  readonly apply: (lines: readonly string[]) => readonly string[];
};

type Stage = (lines: readonly string[]) => readonly string[];

const PIPES_MAX = 8;
/** Only so much of a line is looked at. */
const LINE_LOOKED = 400;

function wrong(w: Word, text: string): Wrong {
  return { at: w.at, text, choices: [] };
}

function stageOf(name: string, argument: Word | undefined, first: Word): Stage | Wrong {
  if (name === 'count') return (lines) => [`Count: ${lines.length} lines`];
  if (name === 'no-more' || name === 'json') return (lines) => lines;
  const w = argument ?? first;
  if (name === 'last') {
    const n = argument === undefined ? 10 : Number(argument.text);
    if (!Number.isInteger(n) || n < 1) return wrong(w, 'a number is expected');
    return (lines) => lines.slice(-n);
  }
  if (argument === undefined) {
    const what = { word: '<expression>', help: 'text or regular expression' };
    return { at: first.at + first.text.length, text: 'what?', choices: [what] };
  }
  const re = expression(argument.text);
  if (typeof re === 'string') return wrong(argument, `this expression is refused: ${re}`);
  const keep = name === 'match';
  return (lines) => {
    const { lines: kept, unread } = search(lines, re, keep, LINE_LOOKED);
    const tired = `(given up: ${unread} of ${lines.length} lines are not looked at, it takes too long)`;
    return unread === 0 ? kept : [...kept, tired];
  };
}

function isWrong(x: object): x is Wrong {
  return 'choices' in x;
}

export function readPipes(parts: readonly (readonly Word[])[], end: number): Pipes | Wrong {
  const stages: Stage[] = [];
  const names: string[] = [];
  const places: number[] = [];
  if (parts.length > PIPES_MAX) return { at: end, text: 'too many pipes', choices: [] };
  for (const words of parts) {
    const [first, argument, more] = words;
    if (first === undefined) return { at: end, text: 'what?', choices: [...PIPES] };
    const begun = PIPES.filter((p) => p.word.startsWith(first.text));
    const pipe =
      begun.find((p) => p.word === first.text) ?? (begun.length === 1 ? begun[0] : undefined);
    if (pipe === undefined) {
      const text = begun.length > 1 ? `ambiguous: ${first.text}` : `unknown: ${first.text}`;
      return { at: first.at, text, choices: begun.length > 1 ? begun : [...PIPES] };
    }
    const extra = pipe.argument === undefined ? argument : more;
    if (extra !== undefined) return wrong(extra, `nothing may follow: ${extra.text}`);
    const stage = stageOf(pipe.word, argument, first);
    if (isWrong(stage)) return stage;
    stages.push(stage);
    names.push(pipe.word);
    places.push(first.at);
  }
  // who wants no pager has none of a command without one
  const at = places[names.findIndex((name) => name !== 'no-more')];
  const jsonAt = places[names.indexOf('json')];
  return {
    ...(at === undefined ? {} : { at }),
    ...(jsonAt === undefined ? {} : { jsonAt }),
    more: !names.includes('no-more'),
    json: names.includes('json'),
    apply: (lines) => stages.reduce((l, stage) => stage(l), lines),
  };
}
