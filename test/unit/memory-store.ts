/**
 * The smallest honest `Store`: rows in maps, indexes as the tables declare them, deadlines from the
 * rows. It insists on what the ledger insists on: no change of an indexed field, no use of a
 * removed row, no unknown field. A JSON round trip of it is a switchover.
 */

import { assert } from '../../src/base/assert.ts';
import { Deadlines } from '../../src/base/deadlines.ts';
import type { Fields, Kind, RowOf, Store, TableSpec, Values } from '../../src/base/row.ts';
import { type Instant, NEVER } from '../../src/base/units.ts';

export type MemoryRow = { id: number; $due: number; $spec: TableSpec; [field: string]: unknown };

type Shelf = {
  readonly spec: TableSpec;
  readonly rows: Map<number, MemoryRow>;
  readonly indexes: { readonly field: string; readonly map: Map<unknown, MemoryRow[]> }[];
  readonly defaults: [string, unknown][];
  nextId: number;
};

function defaultOf(kind: Kind): unknown {
  if (kind === 'int' || kind === 'time') return 0;
  if (kind === 'text') return '';
  return kind === 'flag' ? false : kind[0];
}

export class MemoryStore implements Store {
  readonly shelves = new Map<string, Shelf>();
  readonly deadlines = new Deadlines<MemoryRow>();
  /** Changes so far, for counting what a call costs. */
  writes = { insert: 0, patch: 0, remove: 0 };

  constructor(tables: readonly TableSpec[]) {
    for (const spec of tables) {
      this.shelves.set(spec.name, {
        spec,
        rows: new Map(),
        indexes: Object.keys(spec.indexes).map((field) => ({ field, map: new Map() })),
        defaults: Object.entries(spec.fields).map(([n, k]) => [n, defaultOf(k)]),
        nextId: 1,
      });
    }
  }

  private shelf(name: string): Shelf {
    const shelf = this.shelves.get(name);
    assert(shelf !== undefined, `table ${name} exists`);
    return shelf;
  }

  insert<F extends Fields>(table: TableSpec<F>, values: Values<F>): RowOf<F> {
    const shelf = this.shelf(table.name);
    const row: MemoryRow = { id: shelf.nextId, $due: NEVER, $spec: shelf.spec };
    for (const [n, d] of shelf.defaults) row[n] = d;
    for (const n in values) {
      assert(n in row, `${table.name}.${n} is a field`);
      if (values[n] !== undefined) row[n] = values[n];
    }
    this.writes.insert += 1;
    return this.shelve(shelf, row) as unknown as RowOf<F>;
  }

  private shelve(shelf: Shelf, row: MemoryRow): MemoryRow {
    shelf.nextId = Math.max(shelf.nextId, row.id + 1);
    shelf.rows.set(row.id, row);
    for (const { field, map } of shelf.indexes) {
      if (row[field] === '') continue;
      const list = map.get(row[field]);
      if (list === undefined) map.set(row[field], [row]);
      else {
        const unique = (shelf.spec.indexes as Record<string, string>)[field] === 'unique';
        assert(!unique, `${shelf.spec.name}.${field} ${String(row[field])} is unique`);
        list.push(row);
      }
    }
    this.deadlines.arm(row, shelf.spec.deadline(row as never));
    return row;
  }

  patch<F extends Fields>(table: TableSpec<F>, given: RowOf<F>, values: Values<F>): void {
    const shelf = this.shelf(table.name);
    const row = given as unknown as MemoryRow;
    assert(shelf.rows.get(row.id) === row, `a live row of ${table.name} is patched`);
    let changed = false;
    for (const n in values) {
      assert(n in row, `${table.name}.${n} is a field`);
      if (row[n] === values[n]) continue;
      assert(!(n in table.indexes), `${table.name}.${n} is indexed and does not change`);
      row[n] = values[n];
      changed = true;
    }
    if (!changed) return;
    this.writes.patch += 1;
    this.deadlines.arm(row, table.deadline(given));
  }

  remove<F extends Fields>(table: TableSpec<F>, given: RowOf<F>): void {
    const shelf = this.shelf(table.name);
    const row = given as unknown as MemoryRow;
    assert(shelf.rows.get(row.id) === row, `a live row of ${table.name} is removed`);
    this.writes.remove += 1;
    shelf.rows.delete(row.id);
    row.$due = NEVER;
    for (const { field, map } of shelf.indexes) {
      const list = map.get(row[field]) ?? [];
      list.splice(list.indexOf(row), 1);
      if (list.length === 0) map.delete(row[field]);
    }
  }

  get<F extends Fields>(table: TableSpec<F>, id: number): RowOf<F> | undefined {
    return this.shelf(table.name).rows.get(id) as unknown as RowOf<F> | undefined;
  }

  find<F extends Fields>(
    table: TableSpec<F>,
    field: keyof F & string,
    value: string | number,
  ): RowOf<F> | undefined {
    return this.all(table, field, value)[0];
  }

  all<F extends Fields>(
    table: TableSpec<F>,
    field: keyof F & string,
    value: string | number,
  ): readonly RowOf<F>[] {
    const index = this.shelf(table.name).indexes.find((i) => i.field === field);
    assert(index !== undefined, `${table.name}.${field} is indexed`);
    return (index.map.get(value) ?? []) as unknown as readonly RowOf<F>[];
  }

  rows<F extends Fields>(table: TableSpec<F>): Iterable<RowOf<F>> {
    return [...this.shelf(table.name).rows.values()] as unknown as RowOf<F>[];
  }

  count<F extends Fields>(table: TableSpec<F>): number {
    return this.shelf(table.name).rows.size;
  }

  /** Every row as text, and a store made of nothing but that text. */
  /**
   * What another box has that takes over: rows as text, in the order of their ids, as the ledger puts them
   * when a box begins to lead (`Table.putInOrder`).
   */
  copy(): MemoryStore {
    const text = JSON.stringify(
      [...this.shelves.values()].map((s) => [
        s.spec.name,
        s.nextId,
        [...s.rows.values()].map(({ $due, $spec, ...fields }) => fields),
      ]),
    );
    const tables = [...this.shelves.values()].map((s) => s.spec);
    const fresh = new MemoryStore(tables);
    for (const [name, nextId, rows] of JSON.parse(text) as [string, number, MemoryRow[]][]) {
      const shelf = fresh.shelf(name);
      shelf.nextId = nextId;
      for (const row of rows) fresh.shelve(shelf, { ...row, $due: NEVER, $spec: shelf.spec });
    }
    return fresh;
  }

  /** Rows whose moment has come, in no promised order. */
  due(now: Instant): MemoryRow[] {
    const out: MemoryRow[] = [];
    this.deadlines.due(now, out);
    return out.filter((row) => this.shelf(row.$spec.name).rows.get(row.id) === row);
  }

  /** After `onDue`: a row must have moved its deadline, and is armed again. */
  rearm(row: MemoryRow, now: Instant): void {
    if (this.shelf(row.$spec.name).rows.get(row.id) !== row) return;
    const next = row.$spec.deadline(row as never);
    assert(next > now, `${row.$spec.name} ${row.id} moves its deadline`);
    this.deadlines.arm(row, next);
  }
}
