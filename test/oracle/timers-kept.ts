/**
 * timers-kept: an absolute moment in a row (the end of a registration, of ringing, of a transaction)
 * comes when it would have come, within a second, whoever leads: the pair clock goes on through
 * takeovers, restarts and steps of wall clocks, and a leader acts on what is due.
 */

import { ledgerOf } from '../world/inside.ts';
import type { Oracle, World } from '../world/world.ts';

const SLACK_MS = 1000;
const EVERY = 5;
/** A leader that was just elected, or just woke, acts within this. */
const ACTS_MS = 1000;

export function timersKept(world: World): Oracle {
  /** Table, row and moment → when that is in true time, as first seen. */
  const ends = new Map<string, number>();
  let n = 0;
  let leader = '';
  let since = 0;
  return {
    name: 'timers-kept',
    quiet() {
      n += 1;
      const box = world.primary();
      const process = box?.process;
      const key = box === undefined ? '' : `${box.id}${box.lives}`;
      if (key !== leader || process?.stuck === true) since = world.now;
      leader = key;
      if (n % EVERY !== 0 || box === undefined || process === undefined || process.stuck) return;
      const { pairNow } = process.engine.standing;
      for (const table of ledgerOf(box)?.tables.list ?? []) {
        for (const row of table.rows.values()) {
          const moment = table.compiled.deadline(row as never);
          if (moment === 0 || moment >= Number.MAX_SAFE_INTEGER) continue;
          const name = `${table.compiled.spec.name} ${row.id} at ${moment}`;
          const end = world.now + moment - pairNow;
          const first = ends.get(name) ?? end;
          ends.set(name, first);
          if (Math.abs(end - first) > SLACK_MS) {
            const by = ((end - first) / 1000).toFixed(1);
            world.violate('timers-kept', `${name}: its end moved by ${by} s at box ${box.id}`);
          }
          const late = world.now - Math.max(first, since);
          if (late > SLACK_MS + ACTS_MS) {
            world.violate(
              'timers-kept',
              `${name}: over for ${(late / 1000).toFixed(1)} s, still here`,
            );
          }
        }
      }
    },
  };
}
