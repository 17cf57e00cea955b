/** What the console needs of the configuration tree. */

import type { Tree } from '../system/terms.ts';
import type { Choice } from './node.ts';

export type TreeFault = {
  readonly code: string;
  readonly place: string;
  readonly text: string;
  readonly line?: number;
};

export type TreeTools = {
  readonly set: (tree: Tree, words: readonly string[]) => Tree | TreeFault;
  readonly remove: (tree: Tree, words: readonly string[]) => Tree | TreeFault;
  /** Words written out, when they lead to something that has more below it. */
  readonly group: (words: readonly string[]) => readonly string[] | TreeFault;
  readonly complete: (
    tree: Tree,
    words: readonly string[],
    partial: string,
    value: boolean,
  ) => readonly Choice[];
  /** Secrets are not shown. */
  readonly show: (tree: Tree, words: readonly string[]) => readonly string[] | TreeFault;
  readonly setLines: (tree: Tree, secrets: boolean) => readonly string[];
  /** Lines with + and - that lead from one to the other. */
  readonly compare: (from: Tree, to: Tree) => readonly string[];
  /** A whole configuration in braces, or lines of set and delete upon `tree`. */
  readonly load: (tree: Tree, text: string) => Tree | readonly TreeFault[];
  readonly verify: (tree: Tree) => readonly TreeFault[];
  /** Is there a secret in the words of this set line? */
  readonly secret: (words: readonly string[]) => boolean;
};

export function isTreeFault(x: unknown): x is TreeFault {
  return typeof x === 'object' && x !== null && 'code' in x && 'place' in x;
}
