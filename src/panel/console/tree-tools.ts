/** The configuration tree as the console uses it: one door to the room `tree/`. */

import { verifyTree } from '../tree/check.ts';
import { completions } from '../tree/complete.ts';
import { mergeSecrets, parseText } from '../tree/parse.ts';
import { SCHEMA } from '../tree/schema.ts';
import type { Tree } from '../tree/terms.ts';
import { faultAt } from '../tree/terms.ts';
import { asSetLines, compareTrees, showTree } from '../tree/text.ts';
import { deletePath, isPlace, resolve, setPath, valueAt } from '../tree/tree.ts';
import { maskTree } from '../tree/walk.ts';
import type { Choice } from './node.ts';

export type TreeFault = {
  readonly code: string;
  readonly place: string;
  readonly text: string;
  readonly line?: number;
};

export function isTreeFault(x: unknown): x is TreeFault {
  return typeof x === 'object' && x !== null && 'code' in x && 'place' in x;
}

/** `set` and `delete`. */
export const setWords: (tree: Tree, words: readonly string[]) => Tree | TreeFault = setPath;
export const deleteWords: (tree: Tree, words: readonly string[]) => Tree | TreeFault = deletePath;

/** Words written out, when they lead to something that has more below it. */
export function groupAt(words: readonly string[]): readonly string[] | TreeFault {
  const place = resolve(words);
  if (!isPlace(place)) return place;
  const { node, rest } = place;
  if (rest.length === 0 && node.kind === 'container') return place.words;
  return node.kind === 'map'
    ? faultAt('tree-incomplete', place.words, `<${node.keyName}> is needed after this`)
    : faultAt('tree-extra', [...place.words, ...rest], 'there is nothing below this: use set');
}

/** What could come after `words`; `<enter>` where nothing need come. */
export function choicesAt(
  tree: Tree,
  words: readonly string[],
  partial: string,
  value: boolean,
): readonly Choice[] {
  const place = resolve(words);
  if (!isPlace(place)) return [];
  const { node, rest } = place;
  const ends = node.kind === 'leaf' || node.kind === 'list';
  const done = value
    ? rest.length > 0 || (node.kind === 'container' && node.presence === true)
    : words.length > 0;
  const enter = done ? [{ word: '<enter>', help: 'the command is complete' }] : [];
  // show, edit and delete end before the value
  if (!value && ends && node.kind === 'leaf') return enter;
  const all = completions(SCHEMA, words, partial, tree);
  return [
    ...enter,
    ...all.map(({ word, help, placeholder }) => ({ word: boxed(word, placeholder), help })),
  ];
}

/** What stands for something to be typed is told from a word by its brackets. */
function boxed(word: string, placeholder: boolean | undefined): string {
  return placeholder === true && !word.startsWith('<') ? `<${word}>` : word;
}

/** The tree or a part of it in braces, without its secrets. */
export function shownAt(tree: Tree, words: readonly string[]): readonly string[] | TreeFault {
  const place = resolve(words);
  if (!isPlace(place)) return place;
  if (words.length > 0 && valueAt(tree, place.words) === undefined) {
    return faultAt('tree-absent', place.words, 'nothing is set here');
  }
  return showTree(tree, words);
}

/** For `| json`: the tree or a part of it, without its secrets. */
export function jsonAt(tree: Tree, words: readonly string[]): unknown {
  const place = resolve(words);
  if (!isPlace(place)) return place;
  const value = valueAt(maskTree(tree), place.words);
  return value ?? faultAt('tree-absent', place.words, 'nothing is set here');
}

export function setLinesOf(tree: Tree, secrets: boolean): readonly string[] {
  return asSetLines(tree, { secrets });
}

/** Lines with + and - that lead from one to the other. */
export const comparedLines: (from: Tree, to: Tree) => readonly string[] = compareTrees;

/** Lines of set and delete upon `tree`, or a whole configuration in braces in its place. */
export function loaded(tree: Tree, text: string): Tree | readonly TreeFault[] {
  const lines = /^(\s|#.*\n)*(set|delete)\s/.test(text) || /^\s*## SECRET set /.test(text);
  const read = parseText(text, lines ? tree : {});
  return Array.isArray(read) ? (read as readonly TreeFault[]) : mergeSecrets(tree, read as Tree);
}

export const faultsOf: (tree: Tree) => readonly TreeFault[] = verifyTree;

/** Which of the words is the first that belongs to a secret: its value, or what is taken for it. */
export function secretAt(words: readonly string[]): number | undefined {
  const place = resolve(words);
  if (!isPlace(place) || place.node.kind !== 'leaf' || place.node.secret !== true) return undefined;
  return place.rest.length === 0 ? undefined : place.words.length;
}

export type KnownPath = {
  /** Words of the schema, written out; undefined for the name of an entry. */
  readonly told: readonly (string | undefined)[];
  /** Every word is a word of the schema, a name that may stand there, or a value. */
  readonly whole: boolean;
  /** How many words lead there, and how many follow as values. */
  readonly keys: number;
  readonly values: number;
};

/** How much of these words is known to the schema. */
export function knownPath(words: readonly string[]): KnownPath {
  for (let n = words.length; n >= 0; n -= 1) {
    const place = resolve(words.slice(0, n));
    if (!isPlace(place)) continue;
    const { ways } = place;
    const told = place.words.map((w, i) => {
      const around = i === 0 ? 'container' : ways[i - 1]?.kind;
      return around === 'map' ? undefined : w;
    });
    return { told, whole: n === words.length, keys: told.length, values: place.rest.length };
  }
  return { told: [], whole: false, keys: 0, values: 0 };
}
