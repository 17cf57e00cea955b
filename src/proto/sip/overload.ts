/**
 * When there is more to do than can be done, new calls are refused (503 with Retry-After) before
 * anything is written, so that those in progress keep room (RFC 7339 in spirit: here the one who is
 * asked decides, from what waits to be read and to be let go).
 *
 * A turn is full when it read all it may, or far too much waits at the gate. A single full turn is a
 * pause of the collector; several in a row are load. From then on the share of new calls refused
 * rises with each full turn and falls with each other one.
 */

import { below, type Chance } from '../../base/chance.ts';

/** Full turns in a row that are nobody's fault. */
const PATIENCE = 8;
const RISE = 0.05;
const FALL = 0.01;
/** Refused requests remembered, the oldest forgotten first: what comes again comes within seconds. */
const REMEMBERED = 16_384;

export class Overload {
  /** Share of new calls that is refused now, 0 to 1. */
  share = 0;
  private fullTurns = 0;
  /** What was refused, and for how many seconds. */
  private readonly refused = new Map<string, number>();

  /** After a turn. @returns what changed, to be told. */
  turn(full: boolean): 'begins' | 'ends' | undefined {
    const before = this.share;
    this.fullTurns = full ? this.fullTurns + 1 : 0;
    if (this.fullTurns > PATIENCE) this.share = Math.min(1, before + RISE);
    else if (before > 0) this.share = Math.max(0, before - FALL);
    if (before === 0) return this.share > 0 ? 'begins' : undefined;
    return this.share === 0 ? 'ends' : undefined;
  }

  /**
   * Seconds after which the new call with this transaction key may be tried again; 0: it is taken now.
   * What was refused stays so when it comes again: the queue may have held it twice, and a caller who
   * heard 503 must not ring somebody.
   */
  refuses(key: string, chance: Chance): number {
    const before = this.refused.size === 0 ? undefined : this.refused.get(key);
    if (before !== undefined) return before;
    if (this.share === 0 || below(chance, 1000) >= this.share * 1000) return 0;
    // not all at once again
    return this.remember(key, 1 + below(chance, 5));
  }

  /** It was refused for another want of room. @returns `seconds`. */
  remember(key: string, seconds: number): number {
    if (this.refused.size >= REMEMBERED) {
      for (const oldest of this.refused.keys()) {
        this.refused.delete(oldest);
        break;
      }
    }
    this.refused.set(key, seconds);
    return seconds;
  }
}
