/**
 * Tables are truth, indexes are cache. A table is a map from id to row; an index is a map from a
 * field's value to rows, kept up as rows come and go, and rebuildable at any time from the rows
 * (`rebuiltIndexes`, which the simulator compares at random).
 *
 * A table that only a newer release knows is a table without fields: its rows are what a row keeps of
 * fields it does not know (codec.ts). So they are mirrored, compared, stored and passed on as any.
 */

import { crc32 } from 'node:zlib';
import { assert } from '../base/assert.ts';
import type { TableSpec } from '../base/row.ts';
import { NEVER } from '../base/units.ts';
import { type Compiled, compile, type LiveRow, Writer } from './codec.ts';

type Key = string | number;
const NONE: readonly LiveRow[] = [];

export class UniqueIndex {
  readonly map = new Map<Key, LiveRow>();
  readonly field: string;
  constructor(field: string) {
    this.field = field;
  }
  add(row: LiveRow): void {
    const key = row[this.field] as Key;
    if (key !== '') this.map.set(key, row);
  }
  remove(row: LiveRow): void {
    const key = row[this.field] as Key;
    if (this.map.get(key) === row) this.map.delete(key);
  }
}

/** So many rows are moved one by one. */
const SHORT = 32;

export class ManyIndex {
  readonly map = new Map<Key, LiveRow[]>();
  readonly field: string;
  constructor(field: string) {
    this.field = field;
  }
  /** Nobody asks for '': what a row does not have is not found by it, and costs nothing. */
  add(row: LiveRow): void {
    const key = row[this.field] as Key;
    if (key === '') return;
    const rows = this.map.get(key);
    if (rows === undefined) this.map.set(key, [row]);
    else rows.push(row);
  }
  remove(row: LiveRow): void {
    const key = row[this.field] as Key;
    const rows = this.map.get(key);
    if (rows === undefined) return;
    const last = rows.length - 1;
    if (last === 0 && rows[0] === row) {
      this.map.delete(key);
      return;
    }
    const i = rows.indexOf(row);
    if (i < 0) return;
    if (i === 0) rows.shift();
    else if (last - i > SHORT) rows.splice(i, 1);
    else {
      // `splice` would make a list of what it took, and `copyWithin` is slow on lists
      for (let k = i; k < last; k += 1) rows[k] = rows[k + 1] as LiveRow;
      rows.pop();
    }
  }
  all(key: Key): readonly LiveRow[] {
    return this.map.get(key) ?? NONE;
  }
}

/** One table: its compiled functions, its rows, its indexes, its disk bookkeeping. */
export class Table {
  readonly compiled: Compiled;
  readonly rows = new Map<number, LiveRow>();
  readonly indexes: (UniqueIndex | ManyIndex)[] = [];
  /** The next id to give; follows the journal on a backup. */
  nextId = 1;
  /** Rows changed since the last batch for the disk. */
  dirty: LiveRow[] = [];
  /** Ids the disk still has and should not. */
  unstored: number[] = [];
  /**
   * Kept by this box alone, in memory only: neither in the journal nor in a snapshot nor on the disk.
   * What a warm-standby pair does with calls.
   */
  readonly own: boolean;

  constructor(spec: TableSpec, own = false) {
    this.compiled = compile(spec);
    this.own = own;
    for (const [field, kind] of Object.entries(spec.indexes)) {
      this.indexes.push(kind === 'unique' ? new UniqueIndex(field) : new ManyIndex(field));
    }
  }

  index(field: string): UniqueIndex | ManyIndex {
    for (const index of this.indexes) if (index.field === field) return index;
    assert(false, `${this.compiled.spec.name}.${field} is indexed`);
    throw new Error('unreachable');
  }

  add(row: LiveRow): void {
    this.rows.set(row.id, row);
    if (row.id >= this.nextId) this.nextId = row.id + 1;
    for (const index of this.indexes) index.add(row);
    this.touch(row);
  }

  touch(row: LiveRow): void {
    if (row.$dirty || this.own) return;
    row.$dirty = true;
    // a disk that stalls for long must not keep every row that came and went meanwhile
    if (this.dirty.length > 1024 + 2 * this.rows.size) {
      this.dirty = this.dirty.filter((r) => !r.$gone);
    }
    this.dirty.push(row);
  }

  drop(row: LiveRow): void {
    this.rows.delete(row.id);
    for (const index of this.indexes) index.remove(row);
    row.$gone = true;
    row.$due = NEVER;
    if (row.$stored) this.unstored.push(row.id);
  }

  /** Rows just loaded: the disk has them all. */
  markStored(): void {
    for (const row of this.rows.values()) {
      row.$stored = true;
      row.$dirty = false;
    }
    this.dirty = [];
  }

  /** Empties the table; `nextId` stays. The disk is told by a batch with `reset`. */
  clear(): void {
    for (const row of this.rows.values()) {
      row.$gone = true;
      row.$due = NEVER;
    }
    this.rows.clear();
    for (const index of this.indexes) index.map.clear();
    this.dirty = [];
    this.unstored = [];
  }

  /**
   * Rows, and what indexes find, by ids. A backup that was filled while calls went on has younger rows
   * before older ones: the journal brought those before the snapshot came to their elders.
   */
  putInOrder(): void {
    let last = 0;
    let inOrder = true;
    for (const id of this.rows.keys()) {
      inOrder &&= id > last;
      last = id;
    }
    if (inOrder) return;
    const rows = [...this.rows.values()].sort((a, b) => a.id - b.id);
    this.rows.clear();
    for (const index of this.indexes) index.map.clear();
    for (const row of rows) {
      this.rows.set(row.id, row);
      for (const index of this.indexes) index.add(row);
    }
  }

  /** Indexes as they would be if built from the rows now. */
  rebuiltIndexes(): (UniqueIndex | ManyIndex)[] {
    return this.indexes.map((old) => {
      const fresh =
        old instanceof UniqueIndex ? new UniqueIndex(old.field) : new ManyIndex(old.field);
      for (const row of this.rows.values()) fresh.add(row);
      return fresh;
    });
  }

  /**
   * Count and order-free hash of the rows: equal on two boxes when the tables are equal. Walks the
   * whole table; for status, tests and oracles, not for the hot path.
   */
  digest(): { readonly count: number; readonly hash: number } {
    const w = scratch;
    let hash = 0;
    for (const row of this.rows.values()) hash = (hash + rowHash(this.compiled, row, w)) >>> 0;
    return { count: this.rows.size, hash };
  }
}

const scratch = new Writer(256 * 1024);

/** CRC-32 of a row's insert operation. */
export function rowHash(compiled: Compiled, row: LiveRow, w: Writer = scratch): number {
  w.off = 0;
  w.need(compiled.size(row));
  compiled.insert(w, row);
  return crc32(w.buf.subarray(0, w.off), 0);
}

export const MOST_TABLES = 63;

/** A table of a newer release: its rows are bytes to us. */
export function newerTable(number: number): TableSpec {
  return {
    name: `table${number}`,
    about: 'Rows of a newer release.',
    number,
    fields: {},
    indexes: {},
    deadline: () => NEVER,
    warm: true,
  };
}

/** All tables of a box by number. */
export class Tables {
  readonly byNumber: (Table | undefined)[] = [];
  readonly list: Table[] = [];

  /** @param warmOnly what is not kept by a warm-standby pair is each box's own. */
  constructor(specs: readonly TableSpec[], warmOnly = false) {
    for (const spec of specs) {
      assert(this.byNumber[spec.number] === undefined, `table number ${spec.number} is unique`);
      const table = new Table(spec, warmOnly && !spec.warm);
      this.byNumber[spec.number] = table;
      this.list.push(table);
    }
  }

  of(spec: { readonly number: number }): Table {
    return this.byNumber[spec.number] as Table;
  }

  /** The table of this number, made when only a newer release knows it; undefined for no number. */
  orNewer(number: number): Table | undefined {
    const known = this.byNumber[number];
    if (known !== undefined || number < 1 || number > MOST_TABLES) return known;
    const table = new Table(newerTable(number));
    this.byNumber[number] = table;
    this.list.push(table);
    return table;
  }

  /** By name; `hashed` false: counts only, which costs nothing. */
  digests(hashed = true): {
    readonly [name: string]: { readonly count: number; readonly hash: number };
  } {
    const all: { [name: string]: { readonly count: number; readonly hash: number } } = {};
    for (const table of this.list) {
      const { name } = table.compiled.spec;
      all[name] = hashed ? table.digest() : { count: table.rows.size, hash: 0 };
    }
    return all;
  }

  nextIds(): number[] {
    const ids: number[] = [];
    for (const table of this.list) ids[table.compiled.number] = table.nextId;
    for (let i = 0; i < ids.length; i += 1) ids[i] ??= 0;
    return ids;
  }
}
