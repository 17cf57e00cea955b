/**
 * The configuration store: what is active, what is prepared, and the last revisions, as files. The commit
 * machine says what to write and in which order; here it is written, and read at a start.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Durable, Prepared, StoredFile } from '../../panel/system/commit-terms.ts';
import { type Active, EMPTY, type Entry } from '../../panel/system/revision.ts';
import type { RevisionHead, Tree } from '../../panel/system/terms.ts';
import { makeFolder, type Places, readJson, removeFile, writeWhole } from './files.ts';

/** Revisions kept on each box. */
export const KEPT = 50;
const NAME = /^(\d{5,9})\.json$/;

/** As others read it: `revision` and `tree` first, the rest is the machine's. */
type ActiveFile = { readonly revision: number; readonly tree: Tree; readonly active: Active };

export class Store {
  private readonly places: Places;

  constructor(places: Places) {
    this.places = places;
    makeFolder(places.config);
    makeFolder(places.revisions);
    makeFolder(places.secret, 0o700);
  }

  /** @returns what survived; `wrong` says what of it could not be read. */
  load(): { readonly durable: Durable; readonly wrong: string } {
    const file = readJson<Partial<ActiveFile>>(this.places.active);
    const prepared = readJson<Prepared>(this.places.prepared);
    const usable = file?.active?.entry?.tree !== undefined;
    if (usable) {
      const active = file.active as Active;
      return { durable: prepared === undefined ? { active } : { active, prepared }, wrong: '' };
    }
    // a damaged file: the newest revision is the best that is left, and the peer knows better
    const newest = this.heads()[0];
    const entry = newest === undefined ? undefined : this.revision(newest.number);
    if (entry === undefined) return { durable: { active: EMPTY }, wrong: '' };
    const lineage = [entry.id, entry.parent, ''];
    const wrong = `the active configuration cannot be read: revision ${entry.number} is used`;
    return { durable: { active: { entry, lineage, top: entry.number } }, wrong };
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
    if (file.name === 'active') {
      const { entry } = file.content;
      const whole: ActiveFile = { revision: entry.number, tree: entry.tree, active: file.content };
      return writeWhole(places.active, JSON.stringify(whole));
    }
    if (file.name === 'prepared') {
      if (file.content === undefined) return removeFile(places.prepared);
      return writeWhole(places.prepared, JSON.stringify(file.content));
    }
    const fault = writeWhole(this.pathOf(file.content.number), JSON.stringify(file.content));
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

  revision(number: number): Entry | undefined {
    return readJson<Entry>(this.pathOf(number));
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
