/**
 * The flap guard. A switchover costs callers little, ten a minute cost a lot, and a pair that goes to
 * and fro hides what is wrong with its LAN. So roles that nobody asked to change and nobody died for
 * change at most once a minute, and after the third within ten minutes not at all: the guard
 * holds, with an alarm, until the window has passed or somebody decides. A dead box overrides it: it is
 * never asked then.
 */

import type { Millis, Mono } from '../base/units.ts';

export class FlapGuard {
  private readonly apart: Millis;
  private readonly most: number;
  private readonly window: Millis;
  private readonly moments: Mono[] = [];

  constructor(apart: Millis, most: number, window: Millis) {
    this.apart = apart;
    this.most = most;
    this.window = window;
  }

  /** A switchover nobody asked for. */
  note(now: Mono): void {
    this.moments.push(now);
    if (this.moments.length > this.most) this.moments.shift();
  }

  /** Automatic switchovers within the window, at most as many as the guard remembers. */
  lately(now: Mono): number {
    return this.moments.filter((at) => now - at < this.window).length;
  }

  /** @returns why a further one must wait, '' when it need not. */
  holds(now: Mono): string {
    const last = this.moments.at(-1);
    if (last === undefined) return '';
    if (this.lately(now) >= this.most) {
      return `${this.most} automatic switchovers within ${minutes(this.window)}`;
    }
    if (now - last < this.apart) return `the last automatic switchover was ${ago(now - last)} ago`;
    return '';
  }
}

function minutes(ms: Millis): string {
  return ms < 60_000 ? ago(ms) : `${Math.round(ms / 60_000)} minutes`;
}

function ago(ms: Millis): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
