/**
 * The configuration store: what is active, what is prepared, and the last revisions, as files. The commit
 * machine says what to write and in which order; here it is written, and read at a start. A file says the
 * format of its tree: what an older release wrote is carried over while it is read, and stays on the disk
 * as it was, for the slot that wrote it. What a newer one wrote is not used.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Durable, Prepared, StoredFile } from '../../panel/system/commit-terms.ts';
import { type Active, EMPTY, type Entry } from '../../panel/system/revision.ts';
import type { RevisionHead, Tree } from '../../panel/system/terms.ts';
import { carried, isFormatFault, MIGRATIONS, type Migration } from '../../panel/tree/stored.ts';
import { makeFolder, type Places, readJson, removeFile, writeWhole } from './files.ts';

/** Revisions kept on each box. */
export const KEPT = 50;
const NAME = /^(\d{5,9})\.json$/;

/** As others read it: `revision` and `tree` first, the rest is the machine's. */
type ActiveFile = {
  /** Of the tree (`panel/tree/stored.ts`). */
  readonly format: number;
  readonly revision: number;
  readonly tree: Tree;
  readonly active: Active;
};

/** Files of the first release but `active` do not say theirs: 1. */
type WithFormat<T> = T & { readonly format?: number };

export class Store {
  private readonly places: Places;
  private readonly migrations: readonly Migration[];

  constructor(places: Places, migrations: readonly Migration[] = MIGRATIONS) {
    this.places = places;
    this.migrations = migrations;
    makeFolder(places.config);
    makeFolder(places.revisions);
    makeFolder(places.secret, 0o700);
  }

  /** @returns what survived; `wrong` says what of it could not be read. */
  load(): { readonly durable: Durable; readonly wrong: string } {
    const file = readJson<Partial<ActiveFile>>(this.places.active);
    const prepared = readJson<WithFormat<Prepared>>(this.places.prepared);
    const active = file?.active?.entry?.tree === undefined ? undefined : file.active;
    const opened = active === undefined ? '' : this.openActive(active, file?.format);
    if (typeof opened !== 'string') {
      const entry = prepared && this.open(prepared.entry, prepared.format);
      // of a release that is not this one's to finish
      if (prepared === undefined || entry === undefined || typeof entry === 'string') {
        return { durable: { active: opened }, wrong: '' };
      }
      const { confirmMin } = prepared;
      return { durable: { active: opened, prepared: { entry, confirmMin } }, wrong: '' };
    }
    // a damaged file: the newest revision is the best that is left, and the peer knows better
    const entry = this.newest();
    if (entry === undefined) return { durable: { active: EMPTY }, wrong: opened };
    const lineage = [entry.id, entry.parent, ''];
    const why = opened === '' ? '' : ` (${opened})`;
    const wrong = `the active configuration cannot be read${why}: revision ${entry.number} is used`;
    return { durable: { active: { entry, lineage, top: this.numbers()[0] ?? 0 } }, wrong };
  }

  /** The newest that this release understands. */
  private newest(): Entry | undefined {
    for (const number of this.numbers()) {
      const entry = this.revision(number);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** @returns the entry with its tree in today's format, or why not. */
  private open(entry: Entry, format = 1): Entry | string {
    const tree = carried({ format, tree: entry.tree }, this.migrations);
    return isFormatFault(tree) ? tree.text : { ...entry, tree: tree as Tree };
  }

  private openActive(active: Active, format: number | undefined): Active | string {
    const entry = this.open(active.entry, format);
    if (typeof entry === 'string') return entry;
    const { provisional } = active;
    const before = provisional && this.open(provisional.before, format);
    if (typeof before === 'string') return before;
    if (provisional === undefined || before === undefined) return { ...active, entry };
    return { ...active, entry, provisional: { ...provisional, before } };
  }

  /** In order. @returns '' or why what is active was not changed. */
  write(files: readonly StoredFile[]): string {
    for (const file of files) {
      const fault = this.writeOne(file);
      // a prepared one that stays is known to be none any more by what is active
      const matters = file.name !== 'prepared' || file.content !== undefined;
      if (fault !== '' && matters) return fault;
    }
    return '';
  }

  private writeOne(file: StoredFile): string {
    const { places } = this;
    const format = 1 + this.migrations.length;
    if (file.name === 'active') {
      const { entry } = file.content;
      const whole: ActiveFile = {
        format,
        revision: entry.number,
        tree: entry.tree,
        active: file.content,
      };
      return writeWhole(places.active, JSON.stringify(whole));
    }
    if (file.name === 'prepared') {
      if (file.content === undefined) return removeFile(places.prepared);
      return writeWhole(places.prepared, JSON.stringify({ format, ...file.content }));
    }
    const { number } = file.content;
    // it names the file, and the other box has a say in it
    if (!Number.isSafeInteger(number) || number < 1) return `${number} is no number of a revision`;
    const fault = writeWhole(this.pathOf(number), JSON.stringify({ format, ...file.content }));
    if (fault === '') this.prune();
    return fault;
  }

  private pathOf(number: number): string {
    return join(this.places.revisions, `${String(number).padStart(5, '0')}.json`);
  }

  /** The newest first. */
  private numbers(): number[] {
    return readdirSync(this.places.revisions)
      .flatMap((name) => NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => b - a);
  }

  private prune(): void {
    for (const number of this.numbers().slice(KEPT)) removeFile(this.pathOf(number));
  }

  /** @returns undefined for one that is not there, or that a newer release wrote. */
  revision(number: number): Entry | undefined {
    const file = readJson<WithFormat<Entry>>(this.pathOf(number));
    if (file === undefined) return undefined;
    const { format, ...stored } = file;
    const entry = this.open(stored, format);
    return typeof entry === 'string' ? undefined : entry;
  }

  heads(): readonly RevisionHead[] {
    return this.numbers().flatMap((n) => {
      const entry = this.revision(n);
      if (entry === undefined) return [];
      const { number, epoch, box, by, at, comment, digest } = entry;
      return [{ number, epoch, box, by, at, comment, digest }];
    });
  }

  /** Numbers of what is kept, for the peer. */
  kept(): readonly number[] {
    return this.numbers();
  }
}
