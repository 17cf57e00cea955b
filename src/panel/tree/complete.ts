/** What may come next while a person types words of the tree: Tab and `?`. */

import { SCHEMA } from './schema.ts';
import { type Container, isTree, quoted, type Tree, type Type } from './terms.ts';
import { resolve, valueAt } from './tree.ts';
import { typeText } from './values.ts';
import { byName } from './walk.ts';

export type Completion = {
  readonly word: string;
  readonly help: string;
  /** It stands for something to be typed, `<1..255>`: Tab does not write it. */
  readonly placeholder?: true;
};

/** A list of more entries than these helps nobody: the first are offered, and what kind they are of. */
const MOST_OFFERED = 500;

function placeholder(type: Type, help: string): Completion {
  // words there are besides are offered by themselves
  const word = type.type === 'name' ? '<name>' : typeText(type);
  return { word, help, placeholder: true };
}

/** Names a person may have given to what this type speaks of. */
function namesOf(type: Type, tree: Tree): readonly Completion[] {
  if (type.type !== 'name') return [];
  const own = (type.words ?? []).map((word) => ({ word, help: 'built in' }));
  const others = type.of.flatMap((path) => {
    const map = valueAt(tree, path.split(' '));
    return isTree(map) ? Object.keys(map).map((word) => ({ word: quoted(word), help: path })) : [];
  });
  return [...own, ...others];
}

function valuesOf(type: Type, help: string, tree: Tree): readonly Completion[] {
  if (type.type === 'flag') {
    return ['true', 'false'].map((word) => ({ word, help }));
  }
  if (type.type === 'enum') {
    return Object.entries(type.words).map(([word, text]) => ({ word, help: text }));
  }
  return [...namesOf(type, tree), placeholder(type, help)];
}

/**
 * @param words what stands before the word that is typed now; @param partial its beginning.
 * @param tree names of its entries are offered. Nothing is offered behind words that mean nothing.
 */
export function completions(
  schema: Container,
  words: readonly string[],
  partial: string,
  tree: Tree = {},
): readonly Completion[] {
  const place = resolve(words, schema);
  if (!('node' in place)) return [];
  const { node, rest } = place;
  // a leaf has one value; a list any number
  if (rest.length > 0 && node.kind === 'leaf') return [];
  const all = ((): readonly Completion[] => {
    switch (node.kind) {
      case 'container':
        return Object.entries(node.children).map(([word, { help }]) => ({ word, help }));
      case 'map': {
        const there = schema === SCHEMA ? valueAt(tree, place.words) : undefined;
        const keys = isTree(there) ? Object.keys(there).sort(byName) : [];
        const entries = keys.map((key) => ({ word: quoted(key), help: node.help }));
        return [...entries, { word: `<${node.keyName}>`, help: node.help, placeholder: true }];
      }
      default:
        return valuesOf(node.type, node.help, tree);
    }
  })();
  const low = partial.toLowerCase();
  const fit = all.filter((c) => c.placeholder === true || c.word.toLowerCase().startsWith(low));
  return fit.length <= MOST_OFFERED ? fit : [...fit.slice(0, MOST_OFFERED - 1), ...fit.slice(-1)];
}
