/**
 * index-is-cache: tables are truth, an index is what one would build from the rows now: same keys,
 * same rows behind each. Looked at on both boxes twice a second.
 */

import { ManyIndex, type UniqueIndex } from '../../src/ledger/tables.ts';
import { ledgerOf } from '../world/inside.ts';
import type { Oracle, World } from '../world/world.ts';

const EVERY = 5;

export function indexIsCache(world: World): Oracle {
  let n = 0;

  function differs(live: UniqueIndex | ManyIndex, fresh: UniqueIndex | ManyIndex): boolean {
    if (live.map.size !== fresh.map.size) return true;
    if (live instanceof ManyIndex && fresh instanceof ManyIndex) {
      for (const [key, rows] of fresh.map) {
        const mine = live.map.get(key);
        if (mine === undefined || mine.length !== rows.length) return true;
        const ids = new Set(mine.map((row) => row.id));
        if (rows.some((row) => !ids.has(row.id))) return true;
      }
      return false;
    }
    for (const [key, row] of fresh.map) if (live.map.get(key) !== row) return true;
    return false;
  }

  return {
    name: 'index-is-cache',
    quiet() {
      n += 1;
      if (n % EVERY !== 0) return;
      for (const box of world.pair) {
        for (const table of ledgerOf(box)?.tables.list ?? []) {
          const fresh = table.rebuiltIndexes();
          table.indexes.forEach((live, i) => {
            const built = fresh[i];
            if (built !== undefined && differs(live, built)) {
              const name = `${table.compiled.spec.name}.${live.field}`;
              world.violate('index-is-cache', `${name} of box ${box.id} is stale`);
            }
          });
        }
      }
    },
  };
}
