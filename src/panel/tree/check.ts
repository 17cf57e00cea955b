/**
 * Whether a tree is right. `checkTree` looks at one that came as JSON: names, types, ranges, how many;
 * `verifyTree` asks what a whole configuration needs besides: what must be there, and that the parts
 * fit together. What only the daemon can judge is left to its own reading of the generated file.
 */

import { relations } from './relations.ts';
import { SCHEMA } from './schema.ts';
import {
  type Container,
  type Fault,
  faultAt,
  isTree,
  MASK,
  type Node,
  type Scalar,
  type Tree,
  type Type,
  type Value,
} from './terms.ts';
import { childOf, entryOf, isWrong, valueAt } from './tree.ts';
import { checkValue, isInRange, readValue } from './values.ts';
import { visit } from './walk.ts';

type Words = readonly string[];

/** A value that came from outside, in its one form. @returns undefined when it says nothing. */
function checked(
  node: Node,
  value: unknown,
  words: Words,
  faults: Fault[],
): Tree | Value | undefined {
  const wrong = (
    code: Parameters<typeof faultAt>[0],
    text: string,
    at: Words = words,
  ): undefined => {
    faults.push(faultAt(code, at, text));
    return undefined;
  };
  if (node.kind === 'leaf') {
    if (node.secret === true && value === MASK)
      return wrong('tree-secret', 'the secret is needed here');
    const read = checkValue(node.type, value);
    return isWrong(read) ? wrong(read.code, read.text) : read.value;
  }
  if (node.kind === 'list') {
    if (!Array.isArray(value)) return wrong('tree-type', 'a list is needed here');
    if (value.length > node.most) return wrong('tree-full', `at most ${node.most} fit here`);
    const out: Scalar[] = [];
    for (const one of value as readonly unknown[]) {
      const read = checkValue(node.type, one);
      if (isWrong(read)) wrong(read.code, read.text, [...words, String(one)]);
      else if (out.includes(read.value)) wrong('tree-conflict', `${String(one)} is there twice`);
      else out.push(read.value);
    }
    return out.length === 0 ? undefined : out;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong('tree-type', 'a group of names is needed here, not a value');
  }
  const names = Object.entries(value);
  if (node.kind === 'map' && names.length > node.most) {
    return wrong('tree-full', `at most ${node.most} fit here`);
  }
  const out: [string, Tree | Value][] = [];
  for (const [name, below] of names) {
    const at = [...words, name];
    const child = node.kind === 'map' ? entryOf(node) : childNode(node, name);
    if (child === undefined) {
      wrong('tree-unknown', 'nothing has this name', at);
      continue;
    }
    if (node.kind === 'map') {
      const key = readValue(node.key, name);
      if (isWrong(key)) wrong('tree-key', key.text, at);
      else if (String(key.value) !== name)
        wrong('tree-key', `this is written ${String(key.value)}`, at);
    }
    const made = checked(child, below, at, faults);
    if (made !== undefined) out.push([name, made]);
  }
  const speaks = node.kind === 'container' && node.presence === true;
  return out.length === 0 && !speaks ? undefined : Object.fromEntries(out);
}

function childNode(node: Container, name: string): Node | undefined {
  return Object.hasOwn(node.children, name) ? node.children[name] : undefined;
}

/** A tree that came as JSON. @returns it without empty groups, or every mistake. */
export function checkTree(value: unknown): Tree | readonly Fault[] {
  const faults: Fault[] = [];
  const tree = checked(SCHEMA, value, [], faults);
  if (faults.length > 0) return faults;
  return isTree(tree) ? tree : {};
}

/** What must be there and is not. A group that is not there needs nothing unless it must be. */
function missing(node: Node, tree: Tree, words: Words, faults: Fault[]): void {
  if (node.kind === 'map') {
    const entry = entryOf(node);
    for (const [name, value] of Object.entries(tree)) {
      if (isTree(value)) missing(entry, value, [...words, name], faults);
    }
    return;
  }
  if (node.kind !== 'container') return;
  for (const [name, child] of Object.entries(node.children)) {
    const value = childOf(tree, name);
    const at = [...words, name];
    if (child.kind === 'leaf' || child.kind === 'list') {
      if (child.must === true && value === undefined) {
        faults.push(faultAt('tree-missing', at, `this is needed: ${child.help}`));
      }
    } else if (isTree(value)) missing(child, value, at, faults);
    else if (child.kind === 'container' && child.must === true) missing(child, {}, at, faults);
  }
}

/** A number of `map`, by itself or within a range of its names. */
function isNamed(map: Tree | Value | undefined, name: string): boolean {
  if (!isTree(map)) return false;
  if (Object.hasOwn(map, name)) return true;
  return Object.keys(map).some((key) => isInRange(key, name));
}

/** Names that are nobody's. */
function references(tree: Tree): readonly Fault[] {
  const faults: Fault[] = [];
  visit(tree, (words, node, value) => {
    if (node.kind !== 'leaf' && node.kind !== 'list') return;
    const type: Type = node.type;
    if (type.type !== 'name') return;
    for (const one of Array.isArray(value) ? (value as readonly Scalar[]) : [value as Scalar]) {
      const name = String(one);
      if (type.words?.includes(name) === true) continue;
      if (type.of.some((path) => isNamed(valueAt(tree, path.split(' ')), name))) continue;
      const at = node.kind === 'list' ? [...words, name] : words;
      faults.push(
        faultAt('tree-reference', at, `${type.of.join(', ')}: nothing is called ${name}`),
      );
    }
  });
  return faults;
}

/** Everything that can be said against a configuration without asking the daemon. */
export function verifyTree(tree: Tree): readonly Fault[] {
  const shape = checkTree(tree);
  if (Array.isArray(shape)) return shape as readonly Fault[];
  const faults: Fault[] = [];
  missing(SCHEMA, shape as Tree, [], faults);
  return [...faults, ...references(shape as Tree), ...relations(shape as Tree)];
}
