/**
 * Is the other box there? Think of standing at a window and watching for a bus that comes every 25
 * milliseconds. When one is late you look up (yellow). When four in a row did not come, you say
 * that the line does not run (red). You do not conclude that the driver is dead: the road may be closed.
 * There are two roads, and what to conclude from both is not decided here (`takeover.ts`).
 *
 * The rule is the simple one, a count of missed heartbeats, on purpose. Detectors that learn the
 * jitter of the line (phi accrual) are better when the line is unknown and far; ours is a cable a
 * metre long with a budget written in the manual, and an operator must be able to say beforehand
 * after how many milliseconds the light turns red.
 *
 * One trap is built in: when *we* slept, every bus that came meanwhile was missed by us, not by the
 * driver. `excuse` gives both roads one more interval before anything turns worse.
 *
 *   last heard ──┬──── 1.5 × interval ────┬──────── (missed + ½) × interval ────▶
 *                │ green                  │ yellow                          │ red
 */

import { type Millis, type Mono, NEVER } from '../base/units.ts';
import type { Path } from './terms.ts';

export type Colour = 'green' | 'yellow' | 'red';

const PATHS: readonly Path[] = ['x', 'l'];

export class Detector {
  private readonly yellowAfter: Millis;
  private readonly redAfter: Millis;
  /** Moment of the last heartbeat of each path; long ago when there never was one. */
  private readonly last: Record<Path, Mono> = { x: -NEVER, l: -NEVER };
  /** Since when a path has not been red. */
  private readonly since: Record<Path, Mono> = { x: NEVER, l: NEVER };

  /** @param interval between heartbeats. @param missed in a row make a path red. */
  constructor(interval: Millis, missed: number) {
    this.yellowAfter = 1.5 * interval;
    this.redAfter = (missed + 0.5) * interval;
  }

  heard(path: Path, now: Mono): void {
    if (this.colour(path, now) === 'red') this.since[path] = now;
    this.last[path] = now;
  }

  /** We did not look for a while: what is not red yet gets time to show itself again. */
  excuse(lookedLast: Mono, now: Mono): void {
    for (const path of PATHS) {
      if (lookedLast - this.last[path] < this.redAfter) {
        this.last[path] = Math.max(this.last[path], now - this.yellowAfter);
      }
    }
  }

  /** Everything heard so far was somebody else: the peer starts unheard. */
  forget(): void {
    this.last.x = -NEVER;
    this.last.l = -NEVER;
  }

  colour(path: Path, now: Mono): Colour {
    const quiet = now - this.last[path];
    if (quiet >= this.redAfter) return 'red';
    return quiet >= this.yellowAfter ? 'yellow' : 'green';
  }

  /** @returns for how long `path` has not shown the peer; very long when it never did. */
  quietMs(path: Path, now: Mono): Millis {
    return now - this.last[path];
  }

  /** @returns whether `path` is red though the other one has shown the peer for as long as that takes. */
  alone(path: Path, now: Mono): boolean {
    const other = path === 'x' ? 'l' : 'x';
    if (this.colour(path, now) !== 'red' || this.colour(other, now) === 'red') return false;
    return now - this.since[other] >= this.redAfter;
  }

  /** @returns true when neither path has shown the peer for the whole time that makes one red. */
  silent(now: Mono): boolean {
    return this.colour('x', now) === 'red' && this.colour('l', now) === 'red';
  }

  /** @returns the next moment at which a path turns red by itself, NEVER when both are. */
  deadline(now: Mono): Mono {
    let next: Mono = NEVER;
    for (const path of PATHS) {
      const at = this.last[path] + this.redAfter;
      if (at > now && at < next) next = at;
    }
    return next;
  }

  /** How long a path must be quiet to be called red. */
  redAfterMs(): Millis {
    return this.redAfter;
  }
}
