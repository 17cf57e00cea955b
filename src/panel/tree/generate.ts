/**
 * From the tree to the file one daemon reads, and from a place in that file back to the tree's words.
 * What is an entry by name in the tree is an object in an array where the file has it so; the peer's
 * addresses come from the other box's part; folders and the key file are the machine's.
 */

import { effective, textOf } from './defaults.ts';
import { SCHEMA } from './schema.ts';
import {
  isTree,
  type MapNode,
  type Node,
  placeText,
  type Scalar,
  type Tree,
  type Value,
} from './terms.ts';
import { entryOf, valueAt } from './tree.ts';
import { isInRange } from './values.ts';
import { byName, childrenOf } from './walk.ts';

export type Which = 'a' | 'b';
export type Json = { readonly [name: string]: unknown };

/** Where the machine keeps what the daemon needs. */
export type Paths = { readonly data: string; readonly control: string; readonly keyFile: string };

/** Of the daemon's file, and in no tree. */
export const MACHINE_KEYS = ['box', 'data', 'control', 'key', 'keyFile'] as const;
/** Of the daemon's file, and the other box's part of the tree. */
export const PEER_KEYS = ['lan.peerAddress', 'crossover.peerAddress'] as const;
/** Sections of the tree that are the system's and not the daemon's, and those each box has. */
const OTHERS = ['system', 'box'];

export function otherBox(box: Which): Which {
  return box === 'a' ? 'b' : 'a';
}

function fileValue(node: Node, value: Tree | Value): unknown {
  if (!isTree(value)) {
    const ports = node.kind === 'leaf' && node.type.type === 'ports';
    return ports ? String(value).split('-').map(Number) : value;
  }
  const children = childrenOf(node, value);
  if (node.kind === 'map' && node.array !== undefined) {
    const field = node.array;
    return children.map(({ name, node: child, value: below }) => ({
      ...(field === '' ? {} : { [field]: name }),
      ...(fileValue(child, below) as Json),
    }));
  }
  return Object.fromEntries(
    children.map(({ name, node: child, value: below }) => [name, fileValue(child, below)]),
  );
}

/** `system hep`: the daemon itself sends there. */
function hepOf(tree: Tree): Json {
  const hep = valueAt(tree, ['system', 'hep']);
  return hep === undefined ? {} : { hep };
}

/** A port of one box, with the peer's address. */
function portOf(tree: Tree, box: Which, port: 'lan' | 'crossover'): Json {
  const of = (leaf: string): unknown => effective(tree, ['box', box, port, leaf]);
  return {
    interface: of('interface'),
    address: of('address'),
    ...(port === 'lan' ? { prefix: of('prefix') } : {}),
    peerAddress: textOf(tree, `box ${otherBox(box)} ${port} address`),
  };
}

/** What `readConfig` reads, for one box of the pair. */
export function boxFile(tree: Tree, box: Which, paths: Paths): Json {
  const sections = Object.fromEntries(
    childrenOf(SCHEMA, tree)
      .filter(({ name }) => !OTHERS.includes(name))
      .map(({ name, node, value }) => [name, fileValue(node, value)]),
  );
  return {
    box,
    redundancy: textOf(tree, 'redundancy'),
    lan: portOf(tree, box, 'lan'),
    crossover: portOf(tree, box, 'crossover'),
    vip: {},
    sip: {},
    users: {},
    ...sections,
    ...hepOf(tree),
    ...paths,
  };
}

/** The beginning of a place of the file, and what is left of it. */
type Step = { readonly word: string; readonly node: Node | undefined; readonly rest: string };

function stepInMap(map: MapNode, tree: Tree | undefined, place: string): Step | undefined {
  const names = Object.keys(tree ?? {}).sort(byName);
  const at = /^\[(\d+)\](.*)$/.exec(place);
  if (at !== null) {
    const word = names[Number(at[1])];
    if (word === undefined) return undefined;
    // the field that has the key is the entry itself
    const field = map.array === undefined || map.array === '' ? undefined : `.${map.array}`;
    const rest = at[2] === field ? '' : (at[2] as string);
    return { word, node: entryOf(map), rest };
  }
  // names may have dots: the longest that fits
  const said = place.replace(/^\./, '');
  const fit = names
    .filter((n) => said === n || (said.startsWith(n) && /^[.[]/.test(said.slice(n.length))))
    .sort((x, y) => y.length - x.length);
  const [one] = fit;
  if (one !== undefined) return { word: one, node: entryOf(map), rest: said.slice(one.length) };
  // one of a range: the daemon spreads ranges out
  const member = /^[A-Za-z0-9_]+/.exec(said)?.[0] ?? '';
  const range = names.find((n) => isInRange(n, member));
  if (range === undefined) return undefined;
  return { word: range, node: entryOf(map), rest: said.slice(member.length) };
}

function step(node: Node, here: Tree | Value | undefined, place: string): Step | undefined {
  if (node.kind === 'map') return stepInMap(node, isTree(here) ? here : undefined, place);
  if (node.kind === 'list') {
    const index = /^\[(\d+)\]/.exec(place)?.[1];
    const value = Array.isArray(here) ? (here as readonly Scalar[])[Number(index)] : undefined;
    return value === undefined ? undefined : { word: String(value), node: undefined, rest: '' };
  }
  if (node.kind !== 'container') return undefined;
  const m = /^\.?([^.[\]]+)(.*)$/.exec(place);
  const name = m?.[1] ?? '';
  if (!Object.hasOwn(node.children, name)) return undefined;
  return { word: name, node: node.children[name], rest: m?.[2] ?? '' };
}

/**
 * Words of the tree for a place in the file of one box; '' for what is no part of the tree, and as far
 * as it is known otherwise.
 */
export function placeOf(tree: Tree, box: Which, filePlace: string): string {
  const [first = ''] = filePlace.split(/[.[]/);
  if ((MACHINE_KEYS as readonly string[]).includes(first)) return '';
  const port = first === 'lan' || first === 'crossover';
  const peer = (PEER_KEYS as readonly string[]).includes(filePlace);
  if (peer) return `box ${otherBox(box)} ${first} address`;
  const front = port ? `box.${box}.` : first === 'hep' ? 'system.' : '';
  let rest = front + filePlace;
  let node: Node | undefined = SCHEMA;
  const words: string[] = [];
  while (rest !== '' && node !== undefined) {
    const next: Step | undefined = step(node, valueAt(tree, words), rest);
    if (next === undefined) break;
    words.push(next.word);
    node = next.node;
    rest = next.rest;
  }
  return placeText(words);
}
