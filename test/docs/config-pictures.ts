/** The reference of the configuration, printed from its schema: a table for each section. */

import { SCHEMA } from '../../src/panel/tree/schema.ts';
import type { Leaf, LeafList, Node } from '../../src/panel/tree/terms.ts';
import { entryOf } from '../../src/panel/tree/tree.ts';
import { typeText } from '../../src/panel/tree/values.ts';
import { grid } from './grid.ts';

/** A table's cell may have no bar, and no tag. */
function code(text: string): string {
  return text === '' ? '' : `\`${text.replace(/\|/g, '\\|')}\``;
}

function valueRow(path: string, node: Leaf | LeafList): readonly string[] {
  const several = node.kind === 'list' ? ` (${node.most} at most)` : '';
  const or = node.default === undefined ? '' : code(String(node.default) || '""');
  const secret = node.kind === 'leaf' && node.secret === true ? ' (secret)' : '';
  return [
    code(path),
    code(typeText(node.type)) + several,
    node.must === true ? 'needed' : or,
    node.help + secret,
    node.apply,
  ];
}

function rows(path: string, node: Node): readonly (readonly string[])[] {
  if (node.kind === 'leaf' || node.kind === 'list') return [valueRow(path, node)];
  const map = node.kind === 'map';
  const at = map ? `${path} <${node.keyName}>` : path;
  const own = map ? `${typeText(node.key)}` : '';
  const head = [code(at), map ? `${code(own)} (${node.most} at most)` : '', '', `**${node.help}**`];
  const speaks = map || node.presence === true;
  const children = map ? entryOf(node).children : node.children;
  return [
    [...head, speaks ? node.apply : ''],
    ...Object.entries(children).flatMap(([name, child]) => rows(`${at} ${name}`, child)),
  ];
}

const HEAD = ['words after `set`', 'value', 'default', 'meaning', 'applied'];

/** One picture for each name at the top of the schema. */
export const CONFIG_PICTURES: { readonly [name: string]: () => string } = Object.fromEntries(
  Object.entries(SCHEMA.children).map(([name, node]) => [
    `config-${name}`,
    () => grid(HEAD, rows(name, node)),
  ]),
);
