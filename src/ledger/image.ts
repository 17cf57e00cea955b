/**
 * The in-memory twin of the database file: what a disk holds after a sequence of batches. The
 * simulator's disks are images; the parity test compares one with SQLite.
 */

import { assert } from '../base/assert.ts';
import type { Instant } from '../base/units.ts';
import { eachChange } from './batch.ts';
import type { BoxRow } from './box-row.ts';
import { OP_REMOVE } from './codec.ts';
import type { Loaded, PersistBatch } from './disk.ts';

export class Image {
  box: BoxRow | undefined;
  /** Encoded rows by table number and id. */
  readonly tables = new Map<number, Map<number, Uint8Array>>();

  apply(batch: PersistBatch): void {
    if (batch.reset) this.tables.clear();
    const ok = eachChange(batch.bytes, (c) => {
      let rows = this.tables.get(c.table);
      if (rows === undefined) {
        rows = new Map();
        this.tables.set(c.table, rows);
      }
      if (c.op === OP_REMOVE) rows.delete(c.id);
      else rows.set(c.id, batch.bytes.slice(c.start, c.end));
    });
    assert(ok, 'a batch is made of insert and remove operations');
    this.box = batch.box;
  }

  load(wallNow: Instant): Loaded {
    const all: Uint8Array[] = [];
    for (const rows of this.tables.values()) for (const bytes of rows.values()) all.push(bytes);
    return { box: this.box, rows: Buffer.concat(all), wallNow };
  }

  copy(): Image {
    const twin = new Image();
    twin.box = this.box;
    for (const [number, rows] of this.tables) twin.tables.set(number, new Map(rows));
    return twin;
  }
}
