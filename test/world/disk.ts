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
 *
 * A disk can stand still (nothing is answered), refuse (full or read-only: the batch is tried again
 * every second, as the disk thread does) and be damaged (found at the next commit or at the next
 * start: the file is set aside, an empty one waits for a whole state).
 */

import type { DiskWord, Loaded, PersistBatch } from '../../src/ledger/disk.ts';
import { Image } from '../../src/ledger/image.ts';
import type { Dice } from './dice.ts';
import type { Queue, Timer } from './queue.ts';

/** Kernel write-back of dirty pages. */
const WRITE_BACK = 5000;
/** The disk thread tries again. */
const RETRY = 1000;
/** Copies of reigns that lost. */
const KEPT = 5;

export type DiskTrouble = 'none' | 'stalled' | 'full' | 'read-only';

type Order = { readonly batch: PersistBatch; readonly say: (word: DiskWord) => void };

export class Disk {
  /** What no power cut can take. */
  private medium = new Image();
  /** Committed, in the page cache only; oldest first. */
  private cached: { batch: PersistBatch; at: number }[] = [];
  private pending: Timer[] = [];
  private freeAt = 0;
  /** Due, but the disk does not do it. */
  private stuck: Order[] = [];
  private retry: Timer | undefined;
  private trouble: DiskTrouble = 'none';
  private damaged = false;
  private awaitsReset = false;
  private soundSince = 0;
  /** States of reigns that lost, copied before a snapshot replaced them. */
  readonly lost: { readonly epoch: number; readonly state: Image }[] = [];
  private readonly queue: Queue;
  private readonly dice: Dice;
  /** Commit times, ms: without and with an fsync; `stall` is the odds of a slow one. */
  readonly speed: { readonly commit: number; readonly sync: number; readonly stall: number };

  constructor(queue: Queue, dice: Dice, speed: Disk['speed']) {
    this.queue = queue;
    this.dice = dice;
    this.speed = speed;
  }

  /** How long it has done what it is asked to, ms; 0 when it does not. */
  get soundMs(): number {
    const bad = this.trouble !== 'none' || this.damaged || this.awaitsReset;
    return bad || this.stuck.length > 0 ? 0 : this.queue.now - this.soundSince;
  }

  /** Takes a batch from the engine; `say` is called once it is as safe as it asked to be. */
  persist(batch: PersistBatch, say: (word: DiskWord) => void): void {
    const { commit, sync, stall } = this.speed;
    const slow = this.dice.odds(stall) ? this.dice.between(20, 200) : 0;
    const cost = this.dice.between(0.3, 1.7) * (batch.durable ? sync : commit) + slow;
    const at = Math.max(this.queue.now, this.freeAt) + cost;
    this.freeAt = at;
    this.pending.push(
      this.queue.at(at, () => {
        this.pending.shift();
        this.stuck.push({ batch, say });
        if (this.stuck.length === 1) this.work();
      }),
    );
  }

  private work(): void {
    this.retry = undefined;
    while (this.stuck.length > 0 && this.trouble !== 'stalled') {
      const { batch, say } = this.stuck[0] as Order;
      if (this.trouble !== 'none') {
        say({ kind: 'disk-fault', text: `the file system is ${this.trouble}` });
        this.retry = this.queue.after(RETRY, () => this.work());
        return;
      }
      if (this.damaged) {
        this.exchange();
        this.awaitsReset = true;
        say({ kind: 'disk-replaced', name: 'beside', text: 'the database is damaged' });
      }
      this.stuck.shift();
      if (this.awaitsReset && !batch.reset) continue;
      if (this.awaitsReset) this.soundSince = this.queue.now;
      this.awaitsReset = false;
      if (batch.setAside > 0) this.keep(batch.setAside, say);
      this.commit(batch);
      say({ kind: 'synced', ticket: batch.ticket, flashBytes: 0 });
    }
  }

  private keep(epoch: number, say: (word: DiskWord) => void): void {
    this.lost.push({ epoch, state: this.seen() });
    if (this.lost.length > KEPT) this.lost.shift();
    say({ kind: 'disk-kept', name: `lost-${epoch}` });
  }

  private exchange(): void {
    this.damaged = false;
    this.medium = new Image();
    this.cached = [];
  }

  private commit(batch: PersistBatch): void {
    this.cached.push({ batch, at: this.queue.now });
    if (batch.durable) this.flush(this.cached.length);
    else this.writeBack();
  }

  /** The kernel has written what was dirty for so long, whether or not anything followed it. */
  private writeBack(): void {
    const due = this.queue.now - WRITE_BACK;
    const young = this.cached.findIndex((entry) => entry.at >= due);
    this.flush(young < 0 ? this.cached.length : young);
  }

  private flush(count: number): void {
    for (const { batch } of this.cached.splice(0, count)) this.medium.apply(batch);
  }

  // ── what happens to a disk ───────────────────────────────────────────────────────────────────

  break(trouble: Exclude<DiskTrouble, 'none'>): void {
    this.trouble = trouble;
  }

  repair(): void {
    const stalled = this.trouble === 'stalled';
    this.trouble = 'none';
    this.soundSince = this.queue.now;
    // one that refused is tried again in its own time
    if (stalled) this.work();
  }

  damage(): void {
    this.damaged = true;
  }

  /** The disk thread dies with its process: what it had not committed is gone. */
  processDied(): void {
    for (const timer of this.pending) timer.dead = true;
    if (this.retry !== undefined) this.retry.dead = true;
    this.retry = undefined;
    this.pending = [];
    this.stuck = [];
    this.awaitsReset = false;
    this.freeAt = this.queue.now;
  }

  /** What only the page cache had is gone, from a drawn point on. */
  powerCut(): void {
    this.processDied();
    if (this.trouble === 'none') this.writeBack();
    this.cached.length = this.dice.whole(0, this.cached.length);
    this.flush(this.cached.length);
  }

  /** What a starting process reads. */
  load(wallNow: number): Loaded {
    if (this.damaged) {
      this.exchange();
      this.soundSince = this.queue.now;
    }
    if (this.cached.length === 0) return this.medium.load(wallNow);
    return this.seen().load(wallNow);
  }

  private seen(): Image {
    const seen = this.medium.copy();
    for (const { batch } of this.cached) seen.apply(batch);
    return seen;
  }
}
