/**
 * Draws, in the words a fault model needs. Everything random in a run comes from one seed; parts
 * that must not disturb each other (the faults, the phones, the boxes' own entropy) get a stream of
 * their own, so that adding a phone does not move the faults.
 */

import { type Chance, seeded } from '../../src/base/chance.ts';

export class Dice implements Chance {
  private readonly chance: Chance;

  constructor(seed: number) {
    this.chance = seeded(seed);
  }

  u32(): number {
    return this.chance.u32();
  }

  /** @returns a stream of its own, the same for the same seed and name. */
  fork(name: string): Dice {
    let h = this.chance.u32();
    for (let i = 0; i < name.length; i += 1) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
    return new Dice(h >>> 0);
  }

  /** @returns a real number in low ≤ x < high. */
  between(low: number, high: number): number {
    return low + (this.chance.u32() / 0x1_0000_0000) * (high - low);
  }

  /** @returns a whole number in low ≤ x ≤ high. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  /** @returns true with probability `p`. p = 0 draws nothing and is never true. */
  odds(p: number): boolean {
    return p > 0 && this.chance.u32() < p * 0x1_0000_0000;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)] as T;
  }

  /** @returns a waiting time with mean `mean`, exponentially distributed, at most ten times that. */
  wait(mean: number): number {
    return Math.min(mean * 10, -Math.log(1 - this.between(0, 1)) * mean);
  }
}
