/** What differs between two configurations, and whether the daemon can take it over while it runs. */

import { SCHEMA } from './schema.ts';
import { type Apply, isTree, type Node, placeText, type Tree } from './terms.ts';
import { valueAt } from './tree.ts';
import { childrenOf, sameValue } from './walk.ts';

export type Change = {
  readonly words: readonly string[];
  /** The same joined by spaces. */
  readonly place: string;
  readonly apply: Apply;
};

/** Every leaf, list, entry and present group that is not the same. */
export function changed(old: Tree, now: Tree): readonly Change[] {
  const out: Change[] = [];
  changesAt(SCHEMA, old, now, [], out);
  return out;
}

function changesAt(node: Node, a: Tree, b: Tree, words: readonly string[], out: Change[]): void {
  for (const { name, node: child } of childrenOf(node, { ...a, ...b })) {
    const [x, y] = [valueAt(a, [name]), valueAt(b, [name])];
    if (sameValue(x, y)) continue;
    const at = [...words, name];
    const groups = isTree(x) || isTree(y);
    const presence = child.kind === 'container' && child.presence === true;
    // an entry that came or went is a change even when nothing stands in it
    if (!groups || (presence && (x === undefined || y === undefined))) {
      const apply = child.apply;
      out.push({ words: at, place: placeText(at), apply });
    }
    if (groups) changesAt(child, isTree(x) ? x : {}, isTree(y) ? y : {}, at, out);
  }
}

/** The places for which the daemon must begin anew; empty when all of it is live. */
export function restarts(old: Tree, now: Tree): readonly string[] {
  return changed(old, now)
    .filter((c) => c.apply === 'restart')
    .map((c) => c.place);
}
