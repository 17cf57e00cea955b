/**
 * How late the sentry is run: the time from the moment it wanted to be woken to the moment it was.
 * A sentry that is late cannot be trusted with other people's silence, so an operator shall see it
 * before it matters.
 */

import type { Millis } from '../base/units.ts';

/** Upper bounds of the buckets, ms; the last one is open. */
export const LATENESS_MS = [1, 2, 5, 10, 25, 50, 100, 250] as const;

export class Lateness {
  private readonly counts = new Array<number>(LATENESS_MS.length + 1).fill(0);

  private sum: Millis = 0;

  note(late: Millis): void {
    this.sum += late;
    let i = 0;
    while (i < LATENESS_MS.length && late >= (LATENESS_MS[i] as number)) i += 1;
    (this.counts[i] as number) += 1;
  }

  /** Bucket by bucket, e.g. "<5ms": 17, the open one as "more", and all that was noted added up, ms. */
  view(): { readonly [bucket: string]: number } {
    const out: { [bucket: string]: number } = {};
    LATENESS_MS.forEach((ms, i) => {
      out[`<${ms}ms`] = this.counts[i] as number;
    });
    out['more'] = this.counts[LATENESS_MS.length] as number;
    out['sum'] = Math.round(this.sum);
    return out;
  }
}
