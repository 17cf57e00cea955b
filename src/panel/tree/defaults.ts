/** What holds at a place of a tree: what was set, or the default of the schema. */

import { SCHEMA } from './schema.ts';
import type { Container, Node, Scalar, Tree, Value } from './terms.ts';
import { entryOf, valueAt } from './tree.ts';

/** The node of written-out words; undefined when they mean nothing. */
export function nodeAt(words: readonly string[]): Node | undefined {
  let node: Node = SCHEMA;
  for (const word of words) {
    if (node.kind === 'map') {
      node = entryOf(node);
      continue;
    }
    if (node.kind !== 'container') return undefined;
    const children: Container['children'] = node.children;
    if (!Object.hasOwn(children, word)) return undefined;
    node = children[word] as Node;
  }
  return node;
}

export function effective(tree: Tree, words: readonly string[]): Tree | Value | undefined {
  const set = valueAt(tree, words);
  if (set !== undefined) return set;
  const node = nodeAt(words);
  return node?.kind === 'leaf' || node?.kind === 'list' ? node.default : undefined;
}

/** A text that was set or has a default; '' otherwise. */
export function textOf(tree: Tree, path: string): string {
  const v = effective(tree, path.split(' '));
  return typeof v === 'string' ? v : '';
}

export function numberOf(tree: Tree, path: string): number {
  const v = effective(tree, path.split(' '));
  return typeof v === 'number' ? v : 0;
}

export function flagOf(tree: Tree, path: string): boolean {
  return effective(tree, path.split(' ')) === true;
}

export function listOf(tree: Tree, path: string): readonly Scalar[] {
  const v = effective(tree, path.split(' '));
  return Array.isArray(v) ? (v as readonly Scalar[]) : [];
}
