/**
 * same-position-same-tables: two boxes at the same (epoch, lsn, chain) have the same rows, by count
 * and hash of every table. Compared whenever both stand at one position at a quiet point, and right
 * after a backup has caught up with its primary.
 */

import { diffTables } from '../../src/ledger/diff.ts';
import { other } from '../world/crossover.ts';
import { ledgerOf } from '../world/inside.ts';
import type { Oracle, World } from '../world/world.ts';

/** Not more often than this, nor twice for the same position within the second. */
const GAP_MS = 50;
const STALE_MS = 1000;

export function samePositionSameTables(world: World): Oracle {
  let last = -GAP_MS;
  let lastChain = 0;

  function compare(): void {
    const a = ledgerOf(world.boxes.a);
    const b = ledgerOf(world.boxes.b);
    if (a === undefined || b === undefined || a.lsn !== b.lsn || a.lsn === 0) return;
    if (a.epoch !== b.epoch || a.chain !== b.chain || a.filling || b.filling) return;
    if (a.chain === lastChain && world.now - last < STALE_MS) return;
    last = world.now;
    lastChain = a.chain;
    for (const table of a.tables.list) {
      if (table.own) continue;
      const twin = b.tables.of(table.compiled.spec);
      const mine = table.digest();
      const theirs = twin.digest();
      if (mine.count === theirs.count && mine.hash === theirs.hash) continue;
      const text = `lsn ${a.lsn}, a and b: ${diffTables(a.tables, b.tables, 3).join('; ')}`;
      world.violate('same-position-same-tables', text);
      return;
    }
  }

  return {
    name: 'same-position-same-tables',
    stepped(box, who) {
      if (who !== 'engine' || world.now - last < GAP_MS) return;
      const rival = world.boxes[other(box.id)];
      if (box.state === 'backup' && rival.state === 'primary') compare();
    },
    quiet: compare,
  };
}
