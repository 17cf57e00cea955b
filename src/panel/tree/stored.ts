/**
 * How a tree is kept: `{format, tree}`. A release that changes the meaning of a name raises FORMAT and
 * adds one migration, from the format before to its own; what an older release wrote is carried over
 * step by step. What a newer one wrote is refused: an older slot must not guess.
 */

import { checkTree } from './check.ts';
import { type Fault, faultAt, type Tree } from './terms.ts';

export type Stored = { readonly format: number; readonly tree: Tree };
type Loose = { readonly [name: string]: unknown };
/** What was `format` n becomes n + 1; index 0 begins at format 1. */
export type Migration = (tree: Loose) => Loose;

export const MIGRATIONS: readonly Migration[] = [];
export const FORMAT = 1 + MIGRATIONS.length;

export function storedTree(tree: Tree): Stored {
  return { format: FORMAT, tree };
}

/** @returns the tree in today's format, or why it cannot be used. */
export function openStored(
  value: unknown,
  migrations: readonly Migration[] = MIGRATIONS,
): Tree | readonly Fault[] {
  const { format, tree } = (value ?? {}) as Partial<Stored>;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) {
    return [faultAt('tree-format', [], 'this is no configuration: {format, tree} is needed')];
  }
  const newest = 1 + migrations.length;
  if (format > newest) {
    const text = `format ${format} was written by a newer release; this one knows ${newest}`;
    return [faultAt('tree-format', [], text)];
  }
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) {
    return [faultAt('tree-format', [], 'this is no configuration: tree must be an object')];
  }
  return checkTree(migrations.slice(format - 1).reduce((t, step) => step(t), tree as Loose));
}
