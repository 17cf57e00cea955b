/** A line of either mode, read: the command and what follows `|`, or where it is wrong. */

import type { GrammarNode } from './node.ts';
import { isWrong, type Parsed, parse, type Wrong } from './parse.ts';
import { type Pipes, readPipes } from './pipes.ts';
import type { Verb } from './verbs.ts';
import { split } from './words.ts';

export type Command = { readonly parsed: Parsed; readonly pipes: Pipes; readonly end: number };

/** Commands whose output is lines that go through pipes, and those that have JSON beside. */
const LINES: readonly Verb[] = ['help', 'compare'];

function hasJson(verb: Verb): boolean {
  return verb === 'show' || verb.startsWith('show ');
}

/** A pipe where none is would be ignored: then the whole command is refused, before it is begun. */
function misplaced({ verb }: Parsed, { at, jsonAt }: Pipes): Wrong | undefined {
  // the other command has it
  if (at === undefined || verb === 'run' || hasJson(verb)) return undefined;
  if (!LINES.includes(verb)) {
    return { at, text: 'pipe-not-here: this command is not for pipes', choices: [] };
  }
  if (jsonAt === undefined) return undefined;
  return { at: jsonAt, text: 'pipe-not-here: this command has no JSON', choices: [] };
}

export function readCommand(roots: readonly GrammarNode[], text: string): Command | Wrong {
  const s = split(text);
  if (s.open) return { at: s.end, text: 'a quote is not closed', choices: [] };
  const end = s.pipes.length === 0 ? s.end : (s.words.at(-1)?.at ?? 0);
  const parsed = parse(roots, s.words, end);
  if (isWrong(parsed)) return parsed;
  const pipes = readPipes(s.pipes, s.end);
  if ('choices' in pipes) return pipes;
  return misplaced(parsed, pipes) ?? { parsed, pipes, end };
}

export function isCommand(x: Command | Wrong): x is Command {
  return 'parsed' in x;
}
