/** How often a program may ask: a bucket for each, filled as its configuration says. */

import type { Mono } from '../base/units.ts';
import type { Program } from '../proto/centre.ts';

export class Rates {
  private readonly now: () => Mono;
  private readonly buckets = new Map<string, { left: number; at: Mono }>();

  constructor(now: () => Mono) {
    this.now = now;
  }

  /** @param cost so many requests it counts as. */
  takes({ name, rate, burst }: Program, cost = 1): boolean {
    const now = this.now();
    const bucket = this.buckets.get(name) ?? { left: burst, at: now };
    this.buckets.set(name, bucket);
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) * rate) / 1000);
    bucket.at = now;
    // what costs more than all there is must be possible, too
    if (bucket.left < Math.min(cost, burst)) return false;
    bucket.left -= cost;
    return true;
  }
}
