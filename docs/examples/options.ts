/** What the examples are told: `--boxes 192.0.2.11,192.0.2.12 --program lab --password lab`, and more of each. */

import { parseArgs } from 'node:util';
import type { ConnectOptions } from 'sipair/client';

/** @param own further options with their defaults. */
export function options<K extends string>(
  own: Readonly<Record<K, string>>,
): ConnectOptions & { readonly own: Readonly<Record<K, string>> } {
  const all = { boxes: '192.0.2.11,192.0.2.12', program: 'lab', password: 'lab', ...own };
  const described = Object.entries(all).map(
    ([name, value]) => [name, { type: 'string', default: value }] as const,
  );
  const { values } = parseArgs({ options: Object.fromEntries(described) });
  const given = values as Readonly<Record<string, string>>;
  const { boxes = '', program = '', password = '' } = given;
  return { boxes: boxes.split(','), program, password, own: given as Readonly<Record<K, string>> };
}
