/** What a grammar is made of: words, arguments, and paths of the configuration. */

import type { Verb } from './verbs.ts';

export type ArgumentType =
  | 'word'
  | 'number'
  | 'host'
  | 'interface'
  | 'file'
  | 'source'
  | 'expression';

export type WordNode = {
  readonly kind: 'word';
  readonly word: string;
  readonly help: string;
  /** The command that is complete here. */
  readonly run?: Verb;
  readonly next?: readonly GrammarNode[];
};

export type ArgumentNode = {
  readonly kind: 'argument';
  /** Name under which the command finds it; shown as <name>. */
  readonly name: string;
  readonly help: string;
  readonly type: ArgumentType;
  readonly min?: number;
  readonly max?: number;
  readonly run?: Verb;
  readonly next?: readonly GrammarNode[];
};

/** The rest of the line is a place in the configuration, with a value where `value` says so. */
export type PathNode = {
  readonly kind: 'path';
  readonly name: 'path';
  readonly help: string;
  readonly value: boolean;
  readonly run: Verb;
};

/** The rest of the line is an operational command. */
export type CommandNode = {
  readonly kind: 'command';
  readonly name: 'command';
  readonly help: string;
  readonly run: Verb;
};

export type GrammarNode = WordNode | ArgumentNode | PathNode | CommandNode;

/** What may stand at a place. */
export type Choice = { readonly word: string; readonly help: string };

/** An argument's own words. @returns '' when it fits, else what was expected. */
export function misfit(node: ArgumentNode, text: string): string {
  switch (node.type) {
    case 'number': {
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = node;
      const n = /^\d{1,15}$/.test(text) ? Number(text) : -1;
      return n >= min && n <= max ? '' : `a number from ${min} to ${max} is expected`;
    }
    case 'host':
      // what ping and traceroute are given: never an option of theirs
      return /^[A-Za-z0-9:][A-Za-z0-9.:%_-]{0,252}$/.test(text)
        ? ''
        : 'an address or a name is expected';
    case 'interface':
      return /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(text) ? '' : 'an interface is expected';
    case 'file':
    case 'source':
      return text !== '' && !text.startsWith('-') && text.length <= 500
        ? ''
        : 'a file name is expected';
    default:
      return text === '' ? 'a word is expected' : '';
  }
}
