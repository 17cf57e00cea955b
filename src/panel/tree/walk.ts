/**
 * A tree in its one order: groups as the schema has them, entries by number or by name, lists as they
 * are. Whoever prints, compares or translates a tree goes through it here, so that two boxes write
 * the same of the same.
 */

import { SCHEMA } from './schema.ts';
import { isTree, MASK, type Node, type Scalar, type Tree, type Value } from './terms.ts';
import { childOf, entryOf } from './tree.ts';

const DIGITS = /^\d+$/;

/** Numbers by size before names by their characters. */
export function byName(a: string, b: string): number {
  const [x, y] = [DIGITS.test(a), DIGITS.test(b)];
  if (x && y && Number(a) !== Number(b)) return Number(a) - Number(b);
  if (x !== y) return x ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

export type Child = { readonly name: string; readonly node: Node; readonly value: Tree | Value };

/** What stands in a group or map, in order; names the schema does not know are passed over. */
export function childrenOf(node: Node, tree: Tree): readonly Child[] {
  if (node.kind === 'map') {
    const entry = entryOf(node);
    return Object.keys(tree)
      .sort(byName)
      .map((name) => ({ name, node: entry, value: tree[name] as Tree | Value }));
  }
  if (node.kind !== 'container') return [];
  return Object.entries(node.children).flatMap(([name, child]) => {
    const value = childOf(tree, name);
    return value === undefined ? [] : [{ name, node: child, value }];
  });
}

export type Visit = (words: readonly string[], node: Node, value: Tree | Value) => void;

/** Everything that says something: leaves, lists, entries and groups by their presence. */
export function visit(
  tree: Tree,
  visitor: Visit,
  node: Node = SCHEMA,
  words: readonly string[] = [],
): void {
  for (const child of childrenOf(node, tree)) {
    const at = [...words, child.name];
    if (!isTree(child.value)) visitor(at, child.node, child.value);
    else {
      if (child.node.kind === 'container' && child.node.presence === true) {
        visitor(at, child.node, child.value);
      }
      visit(child.value, visitor, child.node, at);
    }
  }
}

export function sameValue(a: Tree | Value | undefined, b: Tree | Value | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    const [x, y] = [a as readonly Scalar[], b as readonly Scalar[]];
    return (
      Array.isArray(a) && Array.isArray(b) && x.length === y.length && x.every((v, i) => v === y[i])
    );
  }
  if (!isTree(a) || !isTree(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((n) => Object.hasOwn(b, n) && sameValue(a[n], b[n]))
  );
}

/** The same tree as a person may see it: every secret is MASK. */
export function maskTree(tree: Tree, node: Node = SCHEMA): Tree {
  const below = Object.entries(tree).map(([name, value]): [string, Tree | Value] => {
    const child = node.kind === 'map' ? entryOf(node) : childNode(node, name);
    if (child?.kind === 'leaf' && child.secret === true) return [name, MASK];
    return [name, isTree(value) && child !== undefined ? maskTree(value, child) : value];
  });
  return Object.fromEntries(below);
}

function childNode(node: Node, name: string): Node | undefined {
  if (node.kind !== 'container' || !Object.hasOwn(node.children, name)) return undefined;
  return node.children[name];
}
