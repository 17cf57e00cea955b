/**
 * Changing and asking a tree by words, as `set`, `delete` and `show` do. Trees are values: a change
 * gives another tree and leaves the old one as it was. Words may be beginnings, as long as only one
 * name of the schema begins so; names of entries are written whole.
 *
 *   set site centre queues 7000 maxWaitS 60      a value
 *   set dns servers 192.0.2.53                   added to a list; [ a b ] adds several
 *   set witnesses 192.0.2.1                      an entry that has nothing more
 *   set sip ws                                   a group that says something by being there
 */

import { SCHEMA } from './schema.ts';
import {
  type Container,
  type Fault,
  faultAt,
  isTree,
  type LeafList,
  type MapNode,
  type Node,
  type Scalar,
  type Tree,
  type Value,
} from './terms.ts';
import { oneOf, readValue, type Wrong } from './values.ts';

export type Place = {
  /** The words, written out, of the way to `node`. */
  readonly words: readonly string[];
  /** What stands there: an entry of a map is a container. */
  readonly node: Node;
  /** Words behind a leaf or list: values. */
  readonly rest: readonly string[];
  /** What `words` are: of the tree below each. */
  readonly ways: readonly Node[];
};

export function isWrong(v: unknown): v is Wrong {
  return typeof v === 'object' && v !== null && 'code' in v;
}

/** An entry of a map is a container that says something by being there. */
export function entryOf(map: MapNode): Container {
  return {
    kind: 'container',
    help: map.help,
    children: map.children,
    presence: true,
    apply: map.apply,
  };
}

/** The name a word means among those of a group. */
function nameOf(children: Container['children'], word: string): string | Wrong {
  const found = oneOf(word, Object.keys(children));
  if (typeof found === 'string' || found.code === 'tree-ambiguous') return found;
  const near = nearest(word, Object.keys(children));
  const all = Object.keys(children).join(', ');
  return {
    code: 'tree-unknown',
    text: near === '' ? `nothing here is called ${word}: ${all}` : `${word} is not here: ${near}?`,
  };
}

/** The name that differs by one slip or by its capitals; '' for none. */
function nearest(word: string, names: readonly string[]): string {
  const low = word.toLowerCase();
  return names.find((n) => n.toLowerCase() === low || slip(n.toLowerCase(), low)) ?? '';
}

/** One character more, less, other, or two exchanged. */
function slip(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || b.length < 3) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i += 1;
  const [restA, restB] = [a.slice(i), b.slice(i)];
  const swapped =
    restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
  return (
    restA.slice(1) === restB.slice(1) ||
    restA === restB.slice(1) ||
    restA.slice(1) === restB ||
    swapped
  );
}

/** Finds what words mean. Nothing need be there: this asks the schema alone. */
export function resolve(words: readonly string[], from: Container = SCHEMA): Place | Fault {
  const out: string[] = [];
  const ways: Node[] = [];
  let node: Node = from;
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] as string;
    if (node.kind === 'leaf' || node.kind === 'list') {
      return { words: out, node, rest: words.slice(i), ways };
    }
    if (node.kind === 'map') {
      const key = readValue(node.key, word);
      if (isWrong(key)) return faultAt('tree-key', [...out, word], key.text);
      out.push(String(key.value));
      node = entryOf(node);
    } else {
      const name = nameOf(node.children, word);
      if (typeof name !== 'string') return faultAt(name.code, [...out, word], name.text);
      out.push(name);
      node = node.children[name] as Node;
    }
    ways.push(node);
  }
  return { words: out, node, rest: [], ways };
}

export function isPlace(p: Place | Fault): p is Place {
  return 'node' in p;
}

/** A name that an object of its own has: `constructor` is nobody's entry. */
export function childOf(tree: Tree, name: string): Tree | Value | undefined {
  return Object.hasOwn(tree, name) ? tree[name] : undefined;
}

/** What stands at written-out words. */
export function valueAt(tree: Tree, words: readonly string[]): Tree | Value | undefined {
  let here: Tree | Value | undefined = tree;
  for (const word of words) {
    if (!isTree(here)) return undefined;
    here = childOf(here, word);
  }
  return here;
}

/** The tree with `value` at `words`; groups on the way are made. */
export function withValue(tree: Tree, words: readonly string[], value: Tree | Value): Tree {
  const [first, ...rest] = words;
  if (first === undefined) return isTree(value) ? value : tree;
  const child = childOf(tree, first);
  const below = rest.length === 0 ? value : withValue(isTree(child) ? child : {}, rest, value);
  return own(tree, first, below);
}

/** A copy with one more name; `__proto__` would be none otherwise. */
function own(tree: Tree, name: string, value: Tree | Value): Tree {
  const copy = { ...tree };
  Object.defineProperty(copy, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}

/** Without what stands at `words`, and without the groups that are empty then and say nothing. */
function without(tree: Tree, words: readonly string[], ways: readonly Node[]): Tree {
  const [first, ...rest] = words;
  if (first === undefined) return tree;
  const child = childOf(tree, first);
  const left = rest.length > 0 && isTree(child) ? without(child, rest, ways.slice(1)) : undefined;
  const node = ways[0];
  const speaks = node?.kind === 'container' && node.presence === true;
  if (left !== undefined && (Object.keys(left).length > 0 || speaks)) return own(tree, first, left);
  const { [first]: _gone, ...others } = tree;
  return others;
}

/** Values of a list: one word each, brackets around several. */
function listWords(words: readonly string[]): readonly string[] {
  const bracketed = words.length >= 2 && words[0] === '[' && words.at(-1) === ']';
  return bracketed ? words.slice(1, -1) : words;
}

function readList(place: Place, node: LeafList): readonly Scalar[] | Fault {
  const values: Scalar[] = [];
  for (const word of listWords(place.rest)) {
    const read = readValue(node.type, word);
    if (isWrong(read)) return faultAt(read.code, [...place.words, word], read.text);
    if (!values.includes(read.value)) values.push(read.value);
  }
  return values;
}

/** A map that has one more entry than it may. */
function fullMap(tree: Tree, place: Place): Fault | undefined {
  for (const [i, node] of [SCHEMA, ...place.ways].entries()) {
    if (node.kind !== 'map') continue;
    const here = valueAt(tree, place.words.slice(0, i));
    const count = isTree(here) ? Object.keys(here).length : 0;
    if (count > node.most) {
      return faultAt('tree-full', place.words.slice(0, i), `at most ${node.most} fit here`);
    }
  }
  return undefined;
}

/** `set`: the last words are the value. */
export function setPath(tree: Tree, words: readonly string[]): Tree | Fault {
  const place = resolve(words);
  if (!isPlace(place)) return place;
  const put = putOf(tree, place);
  if ('code' in put) return put;
  const changed = withValue(tree, put.words, put.value);
  return fullMap(changed, place) ?? changed;
}

/** What `set` puts where; the schema has been asked, limits of lists too. */
export type Put = { readonly words: readonly string[]; readonly value: Tree | Value };

/** @returns what these words put into `tree`, or what is wrong with them. */
export function putOf(tree: Tree, place: Place): Put | Fault {
  const { node, words, rest } = place;
  switch (node.kind) {
    case 'leaf': {
      const [word, ...more] = rest;
      if (word === undefined) return faultAt('tree-missing-value', words, `a value: ${node.help}`);
      // faults are logged: what was meant to be a secret is not in their place
      const said = node.secret === true ? [] : rest;
      if (more.length > 0) {
        return faultAt('tree-extra', [...words, ...said], 'one value fits here; quote its blanks');
      }
      const read = readValue(node.type, word);
      if (isWrong(read)) return faultAt(read.code, [...words, ...said], read.text);
      return { words, value: read.value };
    }
    case 'list': {
      if (rest.length === 0) return faultAt('tree-missing-value', words, `a value: ${node.help}`);
      const values = readList(place, node);
      if ('code' in values) return values;
      const old = valueAt(tree, words);
      const before = Array.isArray(old) ? (old as readonly Scalar[]) : [];
      const all = [...before, ...values.filter((v) => !before.includes(v))];
      if (all.length > node.most)
        return faultAt('tree-full', words, `at most ${node.most} fit here`);
      return { words, value: all };
    }
    case 'map':
      return faultAt('tree-incomplete', words, `<${node.keyName}> is needed after this`);
    case 'container': {
      if (node.presence === true) {
        const old = valueAt(tree, words);
        return { words, value: isTree(old) ? old : {} };
      }
      const names = Object.keys(node.children).join(', ');
      return faultAt('tree-incomplete', words, `one of these is needed after this: ${names}`);
    }
    default:
      return node satisfies never;
  }
}

/** `delete`: a value of a list, a leaf, an entry, or everything below. */
export function deletePath(tree: Tree, words: readonly string[]): Tree | Fault {
  const place = resolve(words);
  if (!isPlace(place)) return place;
  const { node, rest } = place;
  const old = valueAt(tree, place.words);
  if (old === undefined) return faultAt('tree-absent', place.words, 'there is nothing to delete');
  if (place.words.length === 0) return {};
  if (rest.length === 0) return without(tree, place.words, place.ways);
  if (node.kind !== 'list' || !Array.isArray(old)) {
    const same = node.kind === 'leaf' && rest.length === 1 && String(old) === rest[0];
    if (same) return without(tree, place.words, place.ways);
    return faultAt(
      'tree-extra',
      [...place.words, ...rest],
      'the value need not be said, or differs',
    );
  }
  const gone = readList(place, node);
  if ('code' in gone) return gone;
  const missing = gone.find((v) => !old.includes(v));
  if (missing !== undefined) {
    return faultAt(
      'tree-absent',
      [...place.words, String(missing)],
      'this value is not in the list',
    );
  }
  const left = old.filter((v: Scalar) => !gone.includes(v));
  if (left.length === 0) return without(tree, place.words, place.ways);
  return withValue(tree, place.words, left);
}

/** What stands there; undefined when nothing does. */
export function getPath(tree: Tree, words: readonly string[]): Tree | Value | Fault | undefined {
  const place = resolve(words);
  if (!isPlace(place)) return place;
  if (place.rest.length > 0) {
    return faultAt('tree-extra', [...place.words, ...place.rest], 'nothing stands below a value');
  }
  return valueAt(tree, place.words);
}
