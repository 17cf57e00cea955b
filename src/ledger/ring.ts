/**
 * The last part of the journal, in memory, as the frames that went over the crossover. A peer whose
 * position lies in it catches up from here; one further behind gets a snapshot.
 */

import type { Lsn } from '../base/units.ts';
import { FRAME_HEADER } from '../wire/frame.ts';
import { ORIGIN, type Position } from './record.ts';

type Entry = {
  /** Position before the first record of the frame. */
  readonly before: Position;
  /** Position after its last. */
  readonly after: Position;
  /** A whole `records` frame. */
  readonly bytes: Uint8Array;
};

const EVICTED: Entry = { before: ORIGIN, after: ORIGIN, bytes: new Uint8Array(0) };

export class Ring {
  private entries: Entry[] = [];
  private head = 0;
  private size = 0;
  private readonly limit: number;

  constructor(limitBytes: number) {
    this.limit = limitBytes;
  }

  push(before: Position, after: Position, bytes: Uint8Array): void {
    this.entries.push({ before, after, bytes });
    this.size += bytes.length;
    while (this.size > this.limit && this.head < this.entries.length - 1) {
      this.size -= (this.entries[this.head] as Entry).bytes.length;
      this.entries[this.head] = EVICTED;
      this.head += 1;
    }
    if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }

  clear(): void {
    this.entries = [];
    this.head = 0;
    this.size = 0;
  }

  /**
   * Whether the history after `p` is here: `p` is the head of the journal or the position before or
   * inside one of the frames, chain and all.
   */
  holds(p: Position, headOfJournal: Position): boolean {
    if (p.lsn === headOfJournal.lsn) {
      return p.chain === headOfJournal.chain && p.epoch === headOfJournal.epoch;
    }
    const entry = this.find(p.lsn);
    return entry !== undefined && this.offsetAfter(entry, p) >= 0;
  }

  /**
   * The bytes that follow `lsn`: a whole frame, or, where `lsn` lies inside a frame, its records
   * after that one. @returns undefined when nothing follows.
   */
  next(p: Position): { readonly records: Uint8Array; readonly after: Position } | undefined {
    const entry = this.find(p.lsn);
    if (entry === undefined) return undefined;
    const from = this.offsetAfter(entry, p);
    if (from < 0) return undefined;
    return { records: entry.bytes.subarray(from), after: entry.after };
  }

  /** The entry whose records include the one after `lsn`. Binary search. */
  private find(lsn: Lsn): Entry | undefined {
    let low = this.head;
    let high = this.entries.length - 1;
    while (low <= high) {
      const mid = (low + high) >> 1;
      const e = this.entries[mid] as Entry;
      if (lsn < e.before.lsn) high = mid - 1;
      else if (lsn >= e.after.lsn) low = mid + 1;
      else return e;
    }
    return undefined;
  }

  /** Offset of the record after `p` in the entry's frame, -1 when histories differ there. */
  private offsetAfter(entry: Entry, p: Position): number {
    if (p.lsn === entry.before.lsn) return p.chain === entry.before.chain ? FRAME_HEADER : -1;
    const view = new DataView(entry.bytes.buffer, entry.bytes.byteOffset, entry.bytes.byteLength);
    let at = FRAME_HEADER;
    for (let lsn = entry.before.lsn + 1; at < entry.bytes.length; lsn += 1) {
      const length = view.getUint32(at, true);
      const chain = view.getUint32(at + 4, true);
      at += length;
      if (lsn === p.lsn) return chain === p.chain ? at : -1;
    }
    return -1;
  }
}
