/**
 * When the disk is given a batch. In hot standby the peer's memory is the durability and the disk
 * follows in groups, flushed every few seconds, so that a power cut at both boxes at once takes no more
 * than that; alone, every turn's records are handed over as soon as the disk is free, and
 * the gate waits for `synced`. One batch of rows is under way at a time, so what piles up meanwhile
 * is one batch again (the last writer of a row wins): a disk that stalls costs no memory beyond the
 * rows themselves.
 */

import { LIMITS } from '../base/limits.ts';
import type { Epoch, Instant, Lsn, Millis, Mono } from '../base/units.ts';
import { isDirty, takeRows } from './batch.ts';
import type { BoxRow } from './box-row.ts';
import type { PersistBatch } from './disk.ts';
import type { Ledger } from './ledger.ts';
import type { Position } from './record.ts';

/** What a box says about itself beside its rows. */
export type BoxWord = {
  epoch: Epoch;
  primary: boolean;
  peerStale: boolean;
  staleEpoch: Epoch;
  staleLsn: Lsn;
  led: Epoch;
};

/** @returns what a box says that starts with this row of its disk, or with none. */
export function wordOf(box: BoxRow | undefined): BoxWord {
  return {
    epoch: box?.epoch ?? 0,
    primary: box?.primary ?? false,
    peerStale: box?.peerStale ?? false,
    staleEpoch: box?.staleEpoch ?? 0,
    staleLsn: box?.staleLsn ?? 0,
    led: box?.led ?? 0,
  };
}

export class Persister {
  readonly word: BoxWord;
  /** Rows up to here are on the medium; a power cut does not take them. */
  durableLsn: Lsn = 0;
  /** `word` as of the newest durable batch that was answered. */
  durableWord: BoxWord;
  batches = 0;
  bytes = 0;

  private readonly ledger: Ledger;
  private readonly groupMs: Millis;
  private ticket = 0;
  private underWay: {
    readonly ticket: number;
    lsn: Lsn;
    readonly durable: boolean;
    readonly word: BoxWord;
    readonly at: Mono;
  }[] = [];
  /** Position of the rows in the newest batch handed over. */
  private rowsAt: Position;
  private lastAt: Mono = 0;
  /** When the medium was last asked to keep what it has. */
  private flushedAt: Mono = 0;
  private wordChanged = false;
  private resetNeeded = false;
  /** The next batch must reach the medium: a word waits for it. */
  private urgent = false;
  /** Reign whose rows are copied before a reset takes them, 0 for none. */
  private setAside: Epoch = 0;

  constructor(ledger: Ledger, groupMs: Millis, word: BoxWord) {
    this.ledger = ledger;
    this.groupMs = groupMs;
    this.word = word;
    this.durableWord = { ...word };
    this.rowsAt = ledger.position();
    this.durableLsn = ledger.lsn;
  }

  get idle(): boolean {
    return this.underWay.length === 0;
  }

  /** When the oldest batch that was not answered was handed over, 0 for none. */
  get oldest(): Mono {
    return this.underWay[0]?.at ?? 0;
  }

  /** Something was handed over, or made, that a power cut at both boxes would take. */
  private get unsafe(): boolean {
    return Math.max(this.ledger.lsn, this.rowsAt.lsn) > this.durableLsn;
  }

  /** Has the word written again though nothing changed: to see whether the disk writes. */
  probe(): void {
    this.wordChanged = true;
    this.urgent = true;
  }

  /** The file was replaced by an empty one: whatever was handed over is gone. All is written anew. */
  lost(): void {
    this.underWay = [];
    this.setAside = 0;
    this.resetNeeded = true;
    this.urgent = true;
    this.durableLsn = 0;
    this.durableWord = wordOf(undefined);
  }

  change(word: Partial<BoxWord>): void {
    Object.assign(this.word, word);
    // taking "stale" back may reach the disk at any time from now on
    if (word.peerStale === false) {
      this.durableWord = { ...this.durableWord, peerStale: false };
      for (const batch of this.underWay) batch.word.peerStale = false;
    }
    this.wordChanged = true;
  }

  /**
   * A snapshot replaced every row. What this box led and nobody proved to be in that history is
   * copied on the disk before: a reign that lost is set aside, not forgotten.
   */
  reset(): void {
    if (this.word.led > 0) this.setAside = this.word.led;
    this.word.led = 0;
    this.resetNeeded = true;
    this.wordChanged = true;
    // what the disk has is another history: its numbers say nothing about this one
    this.durableLsn = 0;
    for (const batch of this.underWay) batch.lsn = 0;
  }

  /**
   * The box's word alone, at once, ahead of any rows: one small row with a flush of the medium. It
   * stands on the critical path of a takeover. Only when the disk still holds the rows that a
   * snapshot replaced, they go with it: the word is about the new ones. Behind a disk that answers
   * nothing the word waits here, and the newest one goes.
   */
  sayNow(now: Mono, pairAt: Instant, wallAt: Instant, out: PersistBatch[]): number {
    if (this.underWay.length >= LIMITS.diskBatches) {
      this.wordChanged = true;
      this.urgent = true;
      return this.ticket + 1;
    }
    if (this.resetNeeded) return this.handRows(now, true, pairAt, wallAt, out);
    return this.hand(now, new Uint8Array(0), true, this.rowsAt, false, pairAt, wallAt, out);
  }

  /** Hands over a batch if it is time. `durable`: every record is waited for. */
  turn(
    now: Mono,
    durable: boolean,
    flush: boolean,
    pairAt: Instant,
    wallAt: Instant,
    out: PersistBatch[],
  ): void {
    if (this.underWay.length > 0 || this.ledger.filling) return;
    const behind = this.ledger.lsn > (durable ? this.durableLsn : this.rowsAt.lsn);
    const anew = this.wordChanged || this.resetNeeded;
    const settles = this.unsafe && now - this.flushedAt >= LIMITS.diskSettleMs;
    if (!behind && !anew && !settles && !isDirty(this.ledger.tables)) return;
    if (!durable && !flush && !anew && !settles && now - this.lastAt < this.groupMs) return;
    this.lastAt = now;
    this.handRows(now, durable || flush || settles || this.urgent, pairAt, wallAt, out);
  }

  private handRows(
    now: Mono,
    durable: boolean,
    pairAt: Instant,
    wallAt: Instant,
    out: PersistBatch[],
  ): number {
    const reset = this.resetNeeded;
    this.resetNeeded = false;
    const rows = takeRows(this.ledger.tables, reset);
    return this.hand(now, rows, durable, this.ledger.position(), reset, pairAt, wallAt, out);
  }

  private hand(
    now: Mono,
    bytes: Uint8Array,
    durable: boolean,
    at: Position,
    reset: boolean,
    pairAt: Instant,
    wallAt: Instant,
    out: PersistBatch[],
  ): number {
    this.ticket += 1;
    this.batches += 1;
    this.bytes += bytes.length;
    if (durable) this.flushedAt = now;
    this.rowsAt = at;
    this.wordChanged = false;
    this.urgent = false;
    const word = { ...this.word };
    const box: BoxRow = {
      ...word,
      recordEpoch: at.epoch,
      lsn: at.lsn,
      chain: at.chain,
      pairAt,
      wallAt,
      nextIds: this.ledger.tables.nextIds(),
    };
    const setAside = reset ? this.setAside : 0;
    if (reset) this.setAside = 0;
    this.underWay.push({ ticket: this.ticket, lsn: at.lsn, durable, word, at: now });
    out.push({ ticket: this.ticket, bytes, box, durable, reset, setAside });
    return this.ticket;
  }

  /** @returns when the newest batch answered by this was handed over, 0 when none was. */
  synced(ticket: number): Mono {
    let at: Mono = 0;
    while (this.underWay.length > 0) {
      const first = this.underWay[0] as (typeof this.underWay)[number];
      if (first.ticket > ticket) break;
      at = first.at;
      this.underWay.shift();
      if (first.durable) {
        this.durableLsn = first.lsn;
        this.durableWord = first.word;
      }
    }
    return at;
  }

  /** When `turn` may have something to hand over without any input. */
  deadline(): Mono {
    if (this.underWay.length > 0 || this.ledger.filling) return Number.POSITIVE_INFINITY;
    const anew = this.wordChanged || this.resetNeeded;
    if (anew || isDirty(this.ledger.tables)) return this.lastAt + this.groupMs;
    return this.unsafe ? this.flushedAt + LIMITS.diskSettleMs : Number.POSITIVE_INFINITY;
  }
}
