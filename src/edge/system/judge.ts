/**
 * Everything that can be said against a configuration: the schema's own word, then the daemon's, which
 * reads the files that would be made of it for both boxes. Faults of those are told by the words of the tree.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigurationFault, Tree } from '../../panel/system/terms.ts';
import { verifyTree } from '../../panel/tree/check.ts';
import { boxFile, placeOf } from '../../panel/tree/generate.ts';
import { zoneFault } from '../../panel/tree/machine-network.ts';
import { readConfig } from '../config.ts';
import type { Places } from './files.ts';

/** More than these are not told one by one. */
const TOLD = 50;

/** A zone that this box does not have would silently be UTC. Where there are no zones at all, none is missing. */
export function zoneFaults(tree: Tree, places: Places): readonly ConfigurationFault[] {
  const { zones } = places;
  if (!existsSync(zones)) return [];
  const fault = zoneFault(tree, (zone) => existsSync(join(zones, zone)));
  return fault === undefined ? [] : [fault];
}

export function judgeTree(tree: Tree, places: Places): readonly ConfigurationFault[] {
  const faults: ConfigurationFault[] = [...verifyTree(tree), ...zoneFaults(tree, places)];
  if (faults.length > 0) return faults.slice(0, TOLD);
  const { state: data, control, key: keyFile } = places;
  const said = new Set<string>();
  for (const box of ['a', 'b'] as const) {
    const read = readConfig(boxFile(tree, box, { data, control, keyFile }), false);
    if ('node' in read) continue;
    for (const { code, place, text } of read) {
      const fault = { code, place: placeOf(tree, box, place), text };
      const key = JSON.stringify(fault);
      if (!said.has(key)) faults.push(fault);
      said.add(key);
    }
  }
  return faults.slice(0, TOLD);
}
