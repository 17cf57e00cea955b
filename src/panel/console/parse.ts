/**
 * A command line against the grammar. Words may be shortened while they stay unambiguous. What is wrong
 * comes back with the character where it is wrong and what could stand there.
 */

import { type ArgumentNode, type Choice, type GrammarNode, misfit, type WordNode } from './node.ts';
import type { Verb } from './verbs.ts';
import type { Word } from './words.ts';

export type Parsed = {
  readonly verb: Verb;
  readonly args: { readonly [name: string]: string };
  /** Of a path: its words; of `run`: where in the line the other command begins. */
  readonly rest: readonly Word[];
};

export type Wrong = {
  readonly at: number;
  readonly text: string;
  readonly choices: readonly Choice[];
};

export function isWrong(x: Parsed | Wrong): x is Wrong {
  return 'choices' in x;
}

/** @returns what may stand there, as it is shown. */
export function choicesOf(nodes: readonly GrammarNode[]): Choice[] {
  return nodes.map((n) => ({
    word: n.kind === 'word' ? n.word : `<${n.name}>`,
    help: n.help,
  }));
}

type Step = { readonly node: GrammarNode } | Wrong;

function pick(nodes: readonly GrammarNode[], w: Word): Step {
  const named = nodes.filter((n): n is WordNode => n.kind === 'word');
  const exact = w.quoted ? undefined : named.find((n) => n.word === w.text);
  if (exact !== undefined) return { node: exact };
  const begun = w.quoted ? [] : named.filter((n) => w.text !== '' && n.word.startsWith(w.text));
  if (begun.length === 1 && begun[0] !== undefined) return { node: begun[0] };
  const argument = nodes.find((n) => n.kind !== 'word');
  if (argument?.kind === 'argument') {
    const why = misfit(argument, w.text);
    if (why === '') return { node: argument };
    if (begun.length === 0) return { at: w.at, text: why, choices: choicesOf(nodes) };
  } else if (argument !== undefined) return { node: argument };
  return begun.length > 1
    ? { at: w.at, text: `ambiguous: ${w.text}`, choices: choicesOf(begun) }
    : { at: w.at, text: `unknown: ${w.text}`, choices: choicesOf(nodes) };
}

function nextOf(node: GrammarNode): readonly GrammarNode[] {
  return node.kind === 'word' || node.kind === 'argument' ? (node.next ?? []) : [];
}

/** @param end where the line ends: the place of what is missing. */
export function parse(
  roots: readonly GrammarNode[],
  words: readonly Word[],
  end: number,
): Parsed | Wrong {
  let nodes = roots;
  let run: Verb | undefined;
  const args: { [name: string]: string } = {};
  for (const [i, w] of words.entries()) {
    if (nodes.length === 0) return { at: w.at, text: `nothing may follow: ${w.text}`, choices: [] };
    const step = pick(nodes, w);
    if ('choices' in step) return step;
    const { node } = step;
    if (node.kind === 'path' || node.kind === 'command') {
      return { verb: node.run, args, rest: words.slice(i) };
    }
    if (node.kind === 'argument') args[(node as ArgumentNode).name] = w.text;
    run = node.run;
    nodes = nextOf(node);
  }
  if (run === undefined) {
    return { at: end, text: 'the command is not complete', choices: choicesOf(nodes) };
  }
  return { verb: run, args, rest: [] };
}

export type Standing =
  | { readonly kind: 'nodes'; readonly nodes: readonly GrammarNode[]; readonly complete: boolean }
  | { readonly kind: 'path'; readonly words: readonly string[]; readonly value: boolean }
  | { readonly kind: 'command'; readonly words: readonly Word[] }
  | { readonly kind: 'wrong'; readonly wrong: Wrong };

/** What the grammar says after these finished words. */
export function standing(roots: readonly GrammarNode[], words: readonly Word[]): Standing {
  let nodes = roots;
  let complete = false;
  for (const [i, w] of words.entries()) {
    const step = pick(nodes, w);
    if ('choices' in step) return { kind: 'wrong', wrong: step };
    const { node } = step;
    if (node.kind === 'path') {
      return { kind: 'path', words: words.slice(i).map((x) => x.text), value: node.value };
    }
    if (node.kind === 'command') return { kind: 'command', words: words.slice(i) };
    nodes = nextOf(node);
    complete = node.run !== undefined;
  }
  const only = nodes.find((n) => n.kind === 'path' || n.kind === 'command');
  if (only?.kind === 'path' && nodes.length === 1) {
    return { kind: 'path', words: [], value: only.value };
  }
  if (only?.kind === 'command') return { kind: 'command', words: [] };
  return { kind: 'nodes', nodes, complete };
}

export type Known = {
  /** Written out; an argument is not told. */
  readonly told: readonly string[];
  /** From the first word on that is none of the grammar's. */
  readonly rest: readonly Word[];
  /** What the rest is: a place, another command, or nothing that is known. */
  readonly path: 'path' | 'command' | 'none';
};

/** How much of a line is words of the grammar. */
export function known(roots: readonly GrammarNode[], words: readonly Word[]): Known {
  let nodes = roots;
  const told: string[] = [];
  for (const [i, w] of words.entries()) {
    const step = pick(nodes, w);
    const rest = words.slice(i);
    if ('choices' in step || step.node.kind === 'argument') return { told, rest, path: 'none' };
    const { node } = step;
    if (node.kind !== 'word') return { told, rest, path: node.kind };
    told.push(node.word);
    nodes = nextOf(node);
  }
  return { told, rest: [], path: 'none' };
}
