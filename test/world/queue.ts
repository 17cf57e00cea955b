/**
 * Virtual time. One priority queue, ordered by moment and then by order of arrival, is the only
 * thing that makes anything happen; `now` jumps from event to event. No promise and no sleep exists
 * in the world, so a run is a pure function of its seed and as fast as the processor.
 *
 * True time is in milliseconds with a fraction, from 0. Each box sees it through a clock of its own
 * (`BoxClock` in box.ts); phones see it directly.
 */

import { assert } from '../../src/base/assert.ts';

/** Something that will happen. `cancel` by setting `dead`: cheaper than taking it out. */
export type Timer = {
  readonly at: number;
  readonly seq: number;
  readonly run: () => void;
  dead: boolean;
};

export class Queue {
  now = 0;
  /** Events performed so far. */
  turns = 0;
  private seq = 0;
  private readonly heap: Timer[] = [];

  /** Performs `run` at `at` (never in the past). Same moment: order of calls. */
  at(at: number, run: () => void): Timer {
    const timer: Timer = { at: Math.max(at, this.now), seq: this.seq, run, dead: false };
    this.seq += 1;
    this.push(timer);
    return timer;
  }

  after(delay: number, run: () => void): Timer {
    return this.at(this.now + delay, run);
  }

  /** Performs events until `end`; `each` is called after every one. */
  runUntil(end: number, each: () => void): void {
    assert(end >= this.now, 'time goes forward');
    for (;;) {
      const top = this.heap[0];
      if (top === undefined || top.at > end) break;
      this.pop();
      if (top.dead) continue;
      this.now = top.at;
      this.turns += 1;
      top.run();
      each();
    }
    this.now = end;
  }

  private push(timer: Timer): void {
    const h = this.heap;
    let i = h.length;
    h.push(timer);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const p = h[parent] as Timer;
      if (!before(timer, p)) break;
      h[i] = p;
      i = parent;
    }
    h[i] = timer;
  }

  private pop(): void {
    const h = this.heap;
    const last = h.pop() as Timer;
    if (h.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= h.length) break;
      if (child + 1 < h.length && before(h[child + 1] as Timer, h[child] as Timer)) child += 1;
      if (!before(h[child] as Timer, last)) break;
      h[i] = h[child] as Timer;
      i = child;
    }
    h[i] = last;
  }
}

function before(x: Timer, y: Timer): boolean {
  return x.at < y.at || (x.at === y.at && x.seq < y.seq);
}
