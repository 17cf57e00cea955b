/**
 * The disk of a box: the in-memory twin of the SQLite file and, in front of it, the two places where
 * writes can still be lost.
 *
 *   handed to the disk thread ──commit──► page cache ──fsync──► medium
 *     lost when the process dies            lost when power is cut
 *
 * Commits happen one after the other, in order. A batch marked durable is on the medium before
 * `synced` is answered and takes everything before it along; others wait for the next durable one or
 * for the kernel's write-back. What a power cut takes is always a suffix (SQLite in WAL mode).
 */

import type { Loaded, PersistBatch } from '../../src/ledger/disk.ts';
import { Image } from '../../src/ledger/image.ts';
import type { Dice } from './dice.ts';
import type { Queue, Timer } from './queue.ts';

/** Kernel write-back of dirty pages. */
const WRITE_BACK = 5000;

export class Disk {
  /** What no power cut can take. */
  private medium = new Image();
  /** Committed, in the page cache only; oldest first. */
  private cached: { batch: PersistBatch; at: number }[] = [];
  private pending: Timer[] = [];
  private freeAt = 0;
  private readonly queue: Queue;
  private readonly dice: Dice;
  /** Commit times, ms: without and with an fsync; `stall` is the odds of a slow one. */
  readonly speed: { readonly commit: number; readonly sync: number; readonly stall: number };

  constructor(queue: Queue, dice: Dice, speed: Disk['speed']) {
    this.queue = queue;
    this.dice = dice;
    this.speed = speed;
  }

  /** Takes a batch from the engine; `synced` is called once it is as safe as it asked to be. */
  persist(batch: PersistBatch, synced: () => void): void {
    const { commit, sync, stall } = this.speed;
    const slow = this.dice.odds(stall) ? this.dice.between(20, 200) : 0;
    const cost = this.dice.between(0.3, 1.7) * (batch.durable ? sync : commit) + slow;
    const at = Math.max(this.queue.now, this.freeAt) + cost;
    this.freeAt = at;
    this.pending.push(
      this.queue.at(at, () => {
        this.pending.shift();
        this.commit(batch);
        synced();
      }),
    );
  }

  private commit(batch: PersistBatch): void {
    this.cached.push({ batch, at: this.queue.now });
    if (batch.durable) this.flush(this.cached.length);
    else {
      let old = 0;
      while ((this.cached[old] as { at: number }).at < this.queue.now - WRITE_BACK) old += 1;
      this.flush(old);
    }
  }

  private flush(count: number): void {
    for (const { batch } of this.cached.splice(0, count)) this.medium.apply(batch);
  }

  /** The disk thread dies with its process: what it had not committed is gone. */
  processDied(): void {
    for (const timer of this.pending) timer.dead = true;
    this.pending = [];
    this.freeAt = this.queue.now;
  }

  /** What only the page cache had is gone, from a drawn point on. */
  powerCut(): void {
    this.processDied();
    this.cached.length = this.dice.whole(0, this.cached.length);
    this.flush(this.cached.length);
  }

  /** What a starting process reads. */
  load(wallNow: number): Loaded {
    if (this.cached.length === 0) return this.medium.load(wallNow);
    const seen = this.medium.copy();
    for (const { batch } of this.cached) seen.apply(batch);
    return seen.load(wallNow);
  }
}
