/** How often a program may ask: a bucket for each, filled as its configuration says. */

import type { Mono } from '../base/units.ts';
import type { Program } from '../proto/centre.ts';

export class Rates {
  private readonly now: () => Mono;
  private readonly buckets = new Map<string, { left: number; at: Mono }>();

  constructor(now: () => Mono) {
    this.now = now;
  }

  takes({ name, rate, burst }: Program): boolean {
    const now = this.now();
    const bucket = this.buckets.get(name) ?? { left: burst, at: now };
    this.buckets.set(name, bucket);
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) * rate) / 1000);
    bucket.at = now;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
}
