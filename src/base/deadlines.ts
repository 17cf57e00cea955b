/**
 * When a row wants to be looked at again. No machine owns a timer: a row's table derives one
 * moment from its fields, and this calendar finds the rows whose moment has come.
 *
 * A calendar of buckets `GRAIN` milliseconds wide, a heap over the few bucket numbers in use.
 * Arming is O(1) and allocates nothing: the row carries its own moment in `$due`, and a bucket entry
 * whose row has moved on is simply stale. What is far off (the refresh of a session, the end of a
 * registration) most often moves or goes long before: it waits in lists that are swept as they grow,
 * so that no crowd of rows that are gone is kept alive for half an hour. It is a cache, rebuilt from
 * the rows at takeover.
 */

import { type Instant, NEVER } from './units.ts';

const GRAIN = 4;
/** Width of a list of what is far off; what is due in this one and the next is near. */
const FAR = 65_536;
/** A list is swept when it is twice as long as after the last time, and at least so long. */
const SWEPT = 128;

/** The part of a live row the calendar writes. */
export type Timed = { $due: Instant };

export class Deadlines<R extends Timed> {
  private readonly buckets = new Map<number, R[]>();
  /** Binary min-heap of the keys of `buckets`. */
  private readonly heap: number[] = [];
  /** What is far off, by moment / FAR. */
  private readonly far = new Map<number, { rows: R[]; sweepAt: number }>();
  private nextFar = NEVER;
  /** Lists up to this one are near. */
  private near = 1;
  /** Entries in all buckets, the stale ones too: the owner arms anew when most are. */
  entries = 0;

  /** Makes `due` the moment of `row`, in place of any earlier one. */
  arm(row: R, due: Instant): void {
    if (row.$due === due) return;
    row.$due = due;
    if (due === NEVER) return;
    this.entries += 1;
    const number = Math.floor(due / FAR);
    if (number > this.near) this.put(number, row);
    else this.soon(row, due);
  }

  private soon(row: R, due: Instant): void {
    const key = Math.ceil(due / GRAIN);
    const bucket = this.buckets.get(key);
    if (bucket !== undefined) {
      bucket.push(row);
      return;
    }
    this.buckets.set(key, [row]);
    this.push(key);
  }

  /** @returns the earliest moment at which `due` may have something, NEVER when nothing is armed. */
  next(): Instant {
    const look = this.nextFar === NEVER ? NEVER : (this.nextFar - 1) * FAR;
    return this.heap.length === 0 ? look : Math.min(look, (this.heap[0] as number) * GRAIN);
  }

  private put(number: number, row: R): void {
    const list = this.far.get(number);
    if (list === undefined) {
      this.far.set(number, { rows: [row], sweepAt: SWEPT });
      if (number < this.nextFar) this.nextFar = number;
      return;
    }
    list.rows.push(row);
    if (list.rows.length < list.sweepAt) return;
    const before = list.rows.length;
    list.rows = list.rows.filter((r) => r.$due !== NEVER && Math.floor(r.$due / FAR) === number);
    list.sweepAt = Math.max(SWEPT, 2 * list.rows.length);
    this.entries -= before - list.rows.length;
  }

  /** Time has come to `now`: what was far off is near. */
  private reach(now: Instant): void {
    this.near = Math.floor(now / FAR) + 1;
    while (this.nextFar <= this.near) {
      const number = this.nextFar;
      const rows = this.far.get(number)?.rows ?? [];
      this.far.delete(number);
      for (const row of rows) {
        if (row.$due !== NEVER && Math.floor(row.$due / FAR) === number) this.soon(row, row.$due);
        else this.entries -= 1;
      }
      this.nextFar = NEVER;
      for (const other of this.far.keys()) if (other < this.nextFar) this.nextFar = other;
    }
  }

  /**
   * Takes out every row whose moment is at or before `now`. Their `$due` is NEVER afterwards; the
   * caller handles each and arms it again if it still wants. At most `most` are looked at: the others
   * stay where they are, and are due at once.
   */
  due(now: Instant, into: R[], most = Number.POSITIVE_INFINITY): void {
    this.reach(now);
    let left = most;
    while (left > 0 && this.heap.length > 0 && (this.heap[0] as number) * GRAIN <= now) {
      const key = this.heap[0] as number;
      const whole = this.buckets.get(key) as R[];
      const bucket = whole.length <= left ? whole : whole.splice(0, left);
      if (bucket === whole) {
        this.pop();
        this.buckets.delete(key);
      }
      left -= bucket.length;
      this.entries -= bucket.length;
      for (const row of bucket) {
        if (row.$due !== NEVER && Math.ceil(row.$due / GRAIN) === key) {
          row.$due = NEVER;
          into.push(row);
        }
      }
    }
  }

  /** Forgets everything; it is `now`, as far as that is known. */
  clear(now: Instant = 0): void {
    if (now > 0) this.near = Math.floor(now / FAR) + 1;
    this.far.clear();
    this.nextFar = NEVER;
    this.buckets.clear();
    this.heap.length = 0;
    this.entries = 0;
  }

  private push(key: number): void {
    const h = this.heap;
    let i = h.length;
    h.push(key);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((h[parent] as number) <= key) break;
      h[i] = h[parent] as number;
      i = parent;
    }
    h[i] = key;
  }

  private pop(): number {
    const h = this.heap;
    const top = h[0] as number;
    const last = h.pop() as number;
    if (h.length > 0) {
      let i = 0;
      for (;;) {
        let child = 2 * i + 1;
        if (child >= h.length) break;
        if (child + 1 < h.length && (h[child + 1] as number) < (h[child] as number)) child += 1;
        if ((h[child] as number) >= last) break;
        h[i] = h[child] as number;
        i = child;
      }
      h[i] = last;
    }
    return top;
  }
}
