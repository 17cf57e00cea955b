/**
 * What a member of a conference says, put in order: packets of any length, early, late or twice, go in
 * by their timestamps; frames of 20 ms come out, with silence where nothing came. It holds two frames
 * back, and begins anew when sender and reader have drifted apart.
 */

import { FRAME } from './sound.ts';

/** Samples kept: a power of two. */
const SIZE = 2048;
/** Frames held back at the beginning, and the most that may wait before some are left out. */
const BEHIND = 2 * FRAME;
const MOST = 6 * FRAME;
/** After so many empty frames whoever speaks next begins anew. */
const PATIENCE = 25;

export class Jitter {
  private readonly ring = new Int16Array(SIZE);
  /** Timestamp that is read next, and that behind the last sample written. */
  private readAt = 0;
  private writtenTo = 0;
  private running = false;
  private empty = 0;
  private readonly frame = new Int16Array(FRAME);

  put(timestamp: number, samples: Int16Array): void {
    if (samples.length > MOST) return;
    if (!this.running) this.begin(timestamp);
    const ahead = (timestamp - this.readAt) | 0;
    if (ahead + samples.length <= 0 && ahead > -SIZE) return;
    if (ahead <= -SIZE || ahead + samples.length > MOST) this.begin(timestamp);
    const skip = Math.max(0, -((timestamp - this.readAt) | 0));
    for (let i = skip; i < samples.length; i += 1) {
      this.ring[(timestamp + i) & (SIZE - 1)] = samples[i] as number;
    }
    const end = (timestamp + samples.length) >>> 0;
    if (((end - this.writtenTo) | 0) > 0) this.writtenTo = end;
  }

  private begin(timestamp: number): void {
    this.running = true;
    this.empty = 0;
    this.ring.fill(0);
    this.readAt = (timestamp - BEHIND) >>> 0;
    this.writtenTo = timestamp;
  }

  /** The next frame, valid until the next call; undefined for silence. */
  take(): Int16Array | undefined {
    if (!this.running) return undefined;
    const there = (this.writtenTo - this.readAt) | 0;
    if (there <= 0) {
      this.readAt = (this.readAt + FRAME) >>> 0;
      this.empty += 1;
      if (this.empty >= PATIENCE) this.running = false;
      return undefined;
    }
    this.empty = 0;
    for (let i = 0; i < FRAME; i += 1) {
      const at = (this.readAt + i) & (SIZE - 1);
      this.frame[i] = this.ring[at] as number;
      this.ring[at] = 0;
    }
    this.readAt = (this.readAt + FRAME) >>> 0;
    return this.frame;
  }
}
