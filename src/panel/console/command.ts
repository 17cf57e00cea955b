/** A line of either mode, read: the command and what follows `|`, or where it is wrong. */

import type { GrammarNode } from './node.ts';
import { isWrong, type Parsed, parse, type Wrong } from './parse.ts';
import { type Pipes, readPipes } from './pipes.ts';
import { split } from './words.ts';

export type Command = { readonly parsed: Parsed; readonly pipes: Pipes; readonly end: number };

export function readCommand(roots: readonly GrammarNode[], text: string): Command | Wrong {
  const s = split(text);
  if (s.open) return { at: s.end, text: 'a quote is not closed', choices: [] };
  const end = s.pipes.length === 0 ? s.end : (s.words.at(-1)?.at ?? 0);
  const parsed = parse(roots, s.words, end);
  if (isWrong(parsed)) return parsed;
  const pipes = readPipes(s.pipes, s.end);
  return 'choices' in pipes ? pipes : { parsed, pipes, end };
}

export function isCommand(x: Command | Wrong): x is Command {
  return 'parsed' in x;
}
