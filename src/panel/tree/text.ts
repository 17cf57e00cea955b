/**
 * A tree as text, in two forms:
 *
 *   site {                                        set site centre queues 7000 maxWaitS 60
 *       centre {                                  set dns servers 192.0.2.53
 *           queues 7000 {                         set dns servers 192.0.2.54
 *               maxWaitS 60;                      set sip ws
 *   dns {                                         ## SECRET set users …
 *       servers [ 192.0.2.53 192.0.2.54 ];
 *
 * A secret is shown as MASK and marked; only a copy for the own data partition has it.
 */

import { SCHEMA } from './schema.ts';
import {
  isTree,
  MASK,
  type Node,
  placeText,
  quoted,
  type Scalar,
  type Tree,
  type Value,
} from './terms.ts';
import { isPlace, resolve, valueAt } from './tree.ts';
import { childrenOf, sameValue, visit } from './walk.ts';

export type TextOptions = { readonly secrets?: boolean };

/** Behind a line whose secret is not shown, and before a set line that lacks it. */
export const SECRET_MARK = '## SECRET';
const STEP = '    ';
/** A longer list goes over lines: a console takes lines of a bounded length only. */
const FOLD = 79;

function scalar(v: Scalar): string {
  return quoted(String(v));
}

/** `name value;` of a leaf or list, by its value. */
function statement(
  name: string,
  node: Node,
  value: Value,
  indent: string,
  options: TextOptions,
): readonly string[] {
  const head = `${indent}${name}`;
  if (node.kind === 'leaf' && node.secret === true && options.secrets !== true) {
    return [`${head} ${MASK}; ${SECRET_MARK}`];
  }
  if (!Array.isArray(value)) return [`${head} ${scalar(value as Scalar)};`];
  const all = (value as readonly Scalar[]).map(scalar);
  if (all.length === 1) return [`${head} ${all[0]};`];
  const line = `${head} [ ${all.join(' ')} ];`;
  return line.length <= FOLD ? [line] : [`${head} [`, ...folded(all, indent), `${indent}];`];
}

function folded(all: readonly string[], indent: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const one of all) {
    if (line !== '' && line.length + 1 + one.length > FOLD) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? `${indent}${STEP}${one}` : ` ${one}`;
  }
  return [...lines, line];
}

/** The lines of what stands at `name`; an entry of a map has the map's name before its own. */
function linesOf(
  name: string,
  node: Node,
  value: Tree | Value,
  indent: string,
  options: TextOptions,
): readonly string[] {
  if (!isTree(value)) return statement(name, node, value, indent, options);
  if (node.kind === 'map') {
    return childrenOf(node, value).flatMap((child) =>
      linesOf(`${name} ${quoted(child.name)}`, child.node, child.value, indent, options),
    );
  }
  const inner = bodyOf(node, value, indent + STEP, options);
  if (inner.length > 0) return [`${indent}${name} {`, ...inner, `${indent}}`];
  return node.kind === 'container' && node.presence === true ? [`${indent}${name};`] : [];
}

function bodyOf(node: Node, tree: Tree, indent: string, options: TextOptions): readonly string[] {
  return childrenOf(node, tree).flatMap((child) =>
    linesOf(
      node.kind === 'map' ? quoted(child.name) : child.name,
      child.node,
      child.value,
      indent,
      options,
    ),
  );
}

/** @param path words of a part: what stands in it; everything without. */
export function showTree(
  tree: Tree,
  path: readonly string[] = [],
  options: TextOptions = {},
): readonly string[] {
  const place = resolve(path);
  if (!isPlace(place) || place.rest.length > 0) return [];
  const value = valueAt(tree, place.words);
  if (value === undefined) return [];
  if (isTree(value)) return bodyOf(place.node, value, '', options);
  return linesOf(place.words.at(-1) as string, place.node, value, '', options);
}

/** The words of `set` that make this tree again, a line each. */
export function asSetLines(tree: Tree, options: TextOptions = {}): readonly string[] {
  const lines: string[] = [];
  visit(tree, (words, node, value) => {
    const head = `set ${placeText(words)}`;
    if (Array.isArray(value)) {
      for (const one of value as readonly Scalar[]) lines.push(`${head} ${scalar(one)}`);
    } else if (isTree(value)) {
      // what stands in it says that it is there
      if (childrenOf(node, value).length === 0) lines.push(head);
    } else if (node.kind === 'leaf' && node.secret === true && options.secrets !== true) {
      lines.push(`${SECRET_MARK} ${head}`);
    } else lines.push(`${head} ${scalar(value as Scalar)}`);
  });
  return lines;
}

/** What changes from `a` to `b`: `[edit …]`, then lines with - and +. Nothing when nothing does. */
export function compareTrees(a: Tree, b: Tree): readonly string[] {
  return compareAt(SCHEMA, a, b, []);
}

function compareAt(node: Node, a: Tree, b: Tree, words: readonly string[]): readonly string[] {
  const names = childrenOf(node, { ...a, ...b });
  const own: string[] = [];
  const below: string[] = [];
  for (const { name, node: child } of names) {
    const [x, y] = [valueAt(a, [name]), valueAt(b, [name])];
    if (sameValue(x, y)) continue;
    if (isTree(x) && isTree(y)) {
      below.push(...compareAt(child, x, y, [...words, name]));
      continue;
    }
    const word = node.kind === 'map' ? quoted(name) : name;
    const lines = (v: typeof x): readonly string[] =>
      v === undefined ? [] : linesOf(word, child, v, STEP, {});
    own.push(...lines(x).map((line) => `-${line.slice(1)}`));
    own.push(...lines(y).map((line) => `+${line.slice(1)}`));
  }
  const head = words.length === 0 ? '[edit]' : `[edit ${placeText(words)}]`;
  return own.length === 0 ? below : [head, ...own, ...below];
}
