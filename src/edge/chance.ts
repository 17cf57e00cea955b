/** Chance from the operating system, drawn in pools: a word costs nanoseconds, not a system call. */

import { randomFillSync } from 'node:crypto';
import type { Chance } from '../base/chance.ts';

const POOL = 4096;

export function systemChance(): Chance {
  const pool = new Uint32Array(POOL);
  let at = POOL;
  return {
    u32(): number {
      if (at === POOL) {
        randomFillSync(pool);
        at = 0;
      }
      const word = pool[at] as number;
      pool[at] = 0;
      at += 1;
      return word;
    },
  };
}
