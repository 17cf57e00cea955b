/**
 * The clocks of a box. The monotonic one has an origin of its own (the boot) and runs a few parts
 * per million fast or slow; the wall clock may be stepped by whoever likes to.
 */

import type { Dice } from './dice.ts';

const WALL_EPOCH = 1_800_000_000_000;

export class BoxClock {
  private origin: number;
  private readonly rate: number;
  private wallOffset: number;

  /** `ppm`: the largest drift either way. */
  constructor(dice: Dice, ppm: number) {
    this.origin = dice.between(10_000, 5_000_000);
    this.rate = 1 + dice.between(-ppm, ppm) / 1e6;
    this.wallOffset = dice.between(-2000, 2000);
  }

  /** Monotonic clock at true time `t`. */
  mono(t: number): number {
    return this.origin + t * this.rate;
  }

  /** True time at which the monotonic clock shows at least `mono`. */
  trueTime(mono: number): number {
    const t = (mono - this.origin) / this.rate;
    return this.mono(t) < mono ? t + 1e-6 : t;
  }

  /** Wall clock, whole ms since 1970. */
  wall(t: number): number {
    return Math.floor(WALL_EPOCH + t * this.rate + this.wallOffset);
  }

  stepWall(by: number): void {
    this.wallOffset += by;
  }

  /** A boot: the monotonic clock starts again near 0. */
  reboot(t: number, dice: Dice): void {
    this.origin = dice.between(3000, 20_000) - t * this.rate;
  }
}
