/**
 * What the disk gets: for every row changed since the last batch its latest version, for every row
 * gone its removal. A row that was born and died in between never reaches the disk. Written with
 * the position in one commit, the database is exactly the state at that position.
 */

import { type LiveRow, OP_INSERT, OP_REMOVE, putVarint, Reader, Writer } from './codec.ts';
import type { Tables } from './tables.ts';

const REMOVE_SIZE = 16;

/** Whether a batch would carry rows. */
export function isDirty(tables: Tables): boolean {
  for (const table of tables.list) {
    if (table.dirty.length > 0 || table.unstored.length > 0) return true;
  }
  return false;
}

/** Encodes and clears what the disk does not have yet. `all`: every row, for a reset. */
export function takeRows(tables: Tables, all: boolean): Uint8Array {
  const w = new Writer(16 * 1024);
  for (const table of tables.list) {
    const { compiled } = table;
    for (const id of table.unstored) {
      w.need(REMOVE_SIZE);
      w.buf[w.off] = OP_REMOVE;
      w.buf[w.off + 1] = compiled.number;
      w.off = putVarint(w.buf, w.off + 2, id);
    }
    table.unstored = [];
    if (table.own) continue;
    for (const row of all ? table.rows.values() : table.dirty) {
      if (row.$gone) continue;
      w.need(compiled.size(row));
      compiled.insert(w, row);
      row.$stored = true;
      row.$dirty = false;
    }
    table.dirty = [];
  }
  return w.buf.subarray(0, w.off);
}

/** Insert operations of the rows of one table, for a snapshot chunk. */
export function encodeRows(tables: Tables, number: number, rows: readonly LiveRow[]): Uint8Array {
  const w = new Writer(64 * 1024);
  const table = tables.byNumber[number];
  if (table === undefined) return w.buf.subarray(0, 0);
  for (const row of rows) {
    w.need(table.compiled.size(row));
    table.compiled.insert(w, row);
  }
  return w.buf.subarray(0, w.off);
}

/** One operation of a batch, as the disk needs it. */
export type RowChange = {
  op: number;
  table: number;
  id: number;
  /** The whole operation is `bytes[start .. end)`. */
  start: number;
  end: number;
};

/** Walks the operations of a batch. `change` is reused. @returns false on bytes not made by us. */
export function eachChange(
  bytes: Uint8Array,
  take: (change: RowChange, r: Reader) => void,
): boolean {
  const r = new Reader().over(bytes, 0, bytes.length);
  const change: RowChange = { op: 0, table: 0, id: 0, start: 0, end: 0 };
  while (r.off < bytes.length && !r.bad) {
    change.start = r.off;
    change.op = r.u8();
    change.table = r.u8();
    change.id = r.varint();
    if (change.op === OP_REMOVE) {
      change.end = r.off;
      take(change, r);
    } else if (change.op === OP_INSERT) {
      const length = r.u32();
      change.end = r.off + length;
      if (change.end > bytes.length) return false;
      r.end = change.end;
      take(change, r);
      r.end = bytes.length;
      r.off = change.end;
    } else return false;
  }
  return !r.bad;
}
