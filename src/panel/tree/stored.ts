/**
 * How a tree is kept: `{format, tree}`. A release that changes the meaning of a name raises FORMAT and
 * adds one migration, from the format before to its own; what an older release wrote is carried over
 * step by step. What a newer one wrote is refused: an older slot must not guess.
 */

import { type Fault, faultAt, type Tree } from './terms.ts';

export type Stored = { readonly format: number; readonly tree: Tree };
type Loose = { readonly [name: string]: unknown };
/** What was `format` n becomes n + 1; index 0 begins at format 1. */
export type Migration = (tree: Loose) => Loose;

export const MIGRATIONS: readonly Migration[] = [];
export const FORMAT = 1 + MIGRATIONS.length;

const fault = (text: string): Fault => faultAt('tree-format', [], text);

/** @returns the tree with the names of today, or why it cannot be had. What stands in it is not judged. */
export function carried(
  value: unknown,
  migrations: readonly Migration[] = MIGRATIONS,
): Loose | Fault {
  const { format, tree } = (value ?? {}) as Partial<Stored>;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) {
    return fault('this is no configuration: {format, tree} is needed');
  }
  const newest = 1 + migrations.length;
  if (format > newest) {
    return fault(`format ${format} was written by a newer release; this one knows ${newest}`);
  }
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) {
    return fault('this is no configuration: tree must be an object');
  }
  return migrations.slice(format - 1).reduce((t, step) => step(t), tree as Loose);
}

export function isFormatFault(x: Loose | Fault): x is Fault {
  return x['code'] === 'tree-format';
}
