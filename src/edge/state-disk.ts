/**
 * What the disk thread does, without the thread: writes batches in order, and knows what to do when
 * it cannot.
 *
 *   full, read-only, locked    the same batch again once a second, the reason in words
 *   damaged, or the medium     the file is set aside, an empty one takes its place, and the engine
 *   fails three times          gives everything again (disk-replaced, then a batch with `reset`)
 *
 * No batch is written to a new file before that one.
 */

import { readFileSync } from 'node:fs';
import type { TableSpec } from '../base/row.ts';
import type { DiskWord, Loaded, PersistBatch } from '../ledger/disk.ts';
import { type Trouble, troubleOf } from './disk-trouble.ts';
import { putAside, StateFile } from './sqlite.ts';

/** An I/O error may pass; one that stays is in the file or the medium. */
const IO_ERRORS = 3;
const FLASH_READ_MS = 1000;

/** Bytes this thread caused to be written, as the kernel counts them; 0 where it does not. */
function writtenByThread(): number {
  try {
    const text = readFileSync('/proc/thread-self/io', 'latin1');
    return Number(/^write_bytes: (\d+)/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

export class StateDisk {
  private readonly path: string;
  private readonly specs: readonly TableSpec[];
  private readonly stamp: () => string;
  private readonly say: (word: DiskWord) => void;
  private file: StateFile | undefined;
  private readonly waiting: PersistBatch[] = [];
  /** The file is new: nothing but a whole state is written to it. */
  private awaitsReset = false;
  private ioErrors = 0;
  /** Ticket for which the rows were copied aside already. */
  private copied = 0;
  private flashBytes = 0;
  private flashAt = -FLASH_READ_MS;
  /** Name under which a file was put aside at start, '' for none. */
  setAside: string;

  /** Opens the file; throws when that cannot be done at all. */
  constructor(
    path: string,
    specs: readonly TableSpec[],
    stamp: () => string,
    say: (word: DiskWord) => void,
  ) {
    this.path = path;
    this.specs = specs;
    this.stamp = stamp;
    this.say = say;
    this.file = new StateFile(path, specs, stamp());
    this.setAside = this.file.setAside;
  }

  /** What a starting box finds. A file that breaks while it is read is damaged like any. */
  load(wallNow: number): Loaded {
    try {
      return (this.file as StateFile).load(wallNow);
    } catch (e) {
      if (troubleOf(e).kind === 'wait') throw e;
      this.setAside = this.exchange();
      return (this.file as StateFile).load(wallNow);
    }
  }

  take(batch: PersistBatch): void {
    this.waiting.push(batch);
  }

  get idle(): boolean {
    return this.waiting.length === 0 && this.file !== undefined;
  }

  /** Writes what waits. @returns false when it is to be tried again later. */
  work(): boolean {
    while (!this.idle) {
      if (this.file === undefined) {
        if (!this.replace('the database is damaged')) return false;
        continue;
      }
      const batch = this.waiting[0] as PersistBatch;
      if (this.awaitsReset && !batch.reset) {
        this.waiting.shift();
        continue;
      }
      try {
        this.write(this.file, batch);
      } catch (e) {
        if (!this.troubled(troubleOf(e))) return false;
        continue;
      }
      this.awaitsReset = false;
      this.ioErrors = 0;
      this.waiting.shift();
      this.say({ kind: 'synced', ticket: batch.ticket, flashBytes: this.flash() });
    }
    return true;
  }

  private write(file: StateFile, batch: PersistBatch): void {
    if (batch.setAside > 0 && this.copied !== batch.ticket) {
      const name = file.copyAside(`lost-${batch.setAside}`, this.stamp());
      this.copied = batch.ticket;
      this.say({ kind: 'disk-kept', name });
    }
    file.apply(batch);
  }

  /** @returns whether to go on at once. */
  private troubled({ kind, text }: Trouble): boolean {
    this.ioErrors = kind === 'medium' ? this.ioErrors + 1 : 0;
    if (kind === 'damaged' || this.ioErrors >= IO_ERRORS) return this.replace(text);
    this.say({ kind: 'disk-fault', text });
    return false;
  }

  /** A new, empty file in place of one that can no longer be used. */
  private replace(text: string): boolean {
    let name: string;
    try {
      name = this.exchange();
    } catch (e) {
      this.say({ kind: 'disk-fault', text: troubleOf(e).text });
      return false;
    }
    this.waiting.length = 0;
    this.awaitsReset = true;
    this.ioErrors = 0;
    this.say({ kind: 'disk-replaced', name, text });
    return true;
  }

  private exchange(): string {
    const { file } = this;
    this.file = undefined;
    try {
      file?.close();
    } catch {
      // what cannot be closed is not used any more
    }
    const name = putAside(this.path, this.stamp());
    this.file = new StateFile(this.path, this.specs, this.stamp());
    return name;
  }

  private flash(): number {
    const now = performance.now();
    if (now - this.flashAt >= FLASH_READ_MS) {
      this.flashAt = now;
      this.flashBytes = writtenByThread();
    }
    return this.flashBytes;
  }

  close(): void {
    this.file?.close();
  }
}
