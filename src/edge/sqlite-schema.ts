/**
 * How the layout of a database file and the tables of this software meet. The file says itself what
 * is in it (table `schema`: the field lists it was written with), so that each release reads the file
 * of the one before and of the one after:
 *
 *   older file   missing columns and tables are added; every row has the default in them
 *   newer file   its extra columns and tables are read by its own field lists and become what a row
 *                keeps of fields it does not know (column `extra`, table `newer`); nothing is lost
 *                on the way back
 *   otherwise    (a field changed its name or kind, or `layout` is higher) the file is set aside; the
 *                peer has the state
 */

import type Database from 'better-sqlite3';
import type { Fields, Kind, TableSpec } from '../base/row.ts';
import { newerTable } from '../ledger/tables.ts';

/** Grows when the meaning of stored columns changes; a file of a higher one is set aside. */
export const LAYOUT = 1;

/** What the file says about one of its tables. */
export type FileTable = {
  readonly name: string;
  readonly number: number;
  readonly fields: readonly (readonly [string, Kind])[];
};

/** Columns of `box` that came after 0.1.0. */
const BOX_LATER = ['led INTEGER NOT NULL DEFAULT 0'];

const CREATE_BOX = `CREATE TABLE box (
  -- What this box says about itself; the rows are the state at (recordEpoch, lsn, chain).
  one INTEGER PRIMARY KEY CHECK (one = 1), layout INTEGER NOT NULL, epoch INTEGER NOT NULL,
  recordEpoch INTEGER NOT NULL, lsn INTEGER NOT NULL, chain INTEGER NOT NULL, "primary" INTEGER NOT NULL,
  peerStale INTEGER NOT NULL, staleEpoch INTEGER NOT NULL, staleLsn INTEGER NOT NULL,
  pairAt INTEGER NOT NULL, wallAt INTEGER NOT NULL, nextIds TEXT NOT NULL,
  ${BOX_LATER.join(', ')}) STRICT`;

const CREATE_SCHEMA = `CREATE TABLE schema (
  -- The field lists this file was written with, in the order of the wire.
  number INTEGER PRIMARY KEY, name TEXT NOT NULL, fields TEXT NOT NULL) STRICT`;

const CREATE_NEWER = `CREATE TABLE newer (
  -- Rows of tables that only a newer release knows, as it sent them.
  number INTEGER NOT NULL, id INTEGER NOT NULL, fields BLOB NOT NULL,
  PRIMARY KEY (number, id)) STRICT, WITHOUT ROWID`;

function column(name: string, kind: Kind): string {
  if (kind === 'text') return `"${name}" TEXT NOT NULL DEFAULT ''`;
  if (typeof kind === 'object') return `"${name}" TEXT NOT NULL DEFAULT '${kind[0]}'`;
  return `"${name}" INTEGER NOT NULL DEFAULT 0`;
}

function createTable(spec: TableSpec): string {
  const columns = Object.entries(spec.fields).map(([n, k]) => column(n, k));
  return (
    `CREATE TABLE "${spec.name}" (\n  -- ${spec.about}\n  id INTEGER PRIMARY KEY,\n  ` +
    `${columns.join(',\n  ')},\n  extra BLOB\n) STRICT`
  );
}

function listOf(spec: TableSpec): FileTable {
  return { name: spec.name, number: spec.number, fields: Object.entries(spec.fields) };
}

/** A table specification made of what a file says. */
export function specOf(table: FileTable): TableSpec {
  const fields = Object.fromEntries(table.fields) as Fields;
  return { ...newerTable(table.number), name: table.name, fields };
}

/** Whether one kind continues the other: the same, or tags were appended. */
function sameKind(a: Kind, b: Kind): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.every((tag, i) => b[i] === undefined || b[i] === tag);
}

/** @returns the field list with the fields of both, undefined when they contradict each other. */
function joined(a: FileTable['fields'], b: FileTable['fields']): FileTable['fields'] | undefined {
  const out: (readonly [string, Kind])[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [x, y] = [a[i], b[i]];
    if (x !== undefined && y !== undefined) {
      if (x[0] !== y[0] || !sameKind(x[1], y[1])) return undefined;
      out.push(typeof x[1] === 'object' && x[1].length < y[1].length ? y : x);
    } else out.push((x ?? y) as readonly [string, Kind]);
  }
  return out;
}

function columnsOf(db: Database.Database, table: string): string[] {
  return db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[];
}

/** The field lists the file was written with; undefined when it does not say so intelligibly. */
function read(db: Database.Database, specs: readonly TableSpec[]): FileTable[] | undefined {
  if (columnsOf(db, 'schema').length > 0) {
    const rows = db.prepare('SELECT number, name, fields FROM schema ORDER BY number').all() as {
      number: number;
      name: string;
      fields: string;
    }[];
    return rows.map(({ name, number, ...r }) => ({
      name,
      number,
      fields: JSON.parse(r.fields) as FileTable['fields'],
    }));
  }
  // release 0.1.0 did not say: its columns are the first of ours
  const found: FileTable[] = [];
  for (const spec of specs) {
    const names = columnsOf(db, spec.name).slice(1);
    if (names.length === 0) continue;
    const fields = listOf(spec).fields.slice(0, names.length);
    if (fields.map(([n]) => n).join() !== names.join()) return undefined;
    found.push({ ...listOf(spec), fields });
  }
  return found;
}

/** Creates what an empty file needs. */
export function create(db: Database.Database, specs: readonly TableSpec[]): void {
  for (const text of [CREATE_BOX, CREATE_SCHEMA, CREATE_NEWER]) db.exec(text);
  for (const spec of specs) db.exec(createTable(spec));
  say(db, specs.map(listOf));
}

function say(db: Database.Database, tables: readonly FileTable[]): void {
  const put = db.prepare('INSERT OR REPLACE INTO schema VALUES (?,?,?)');
  for (const t of tables) put.run(t.number, t.name, JSON.stringify(t.fields));
}

/** Whether the file has a state this release can read, or can be made to have. */
export function understood(db: Database.Database, specs: readonly TableSpec[]): boolean {
  if (columnsOf(db, 'box').length === 0) return isEmpty(db);
  const layout = db.prepare('SELECT layout FROM box').pluck().get() as number | undefined;
  if (layout !== undefined && layout > LAYOUT) return false;
  const file = read(db, specs);
  return file?.every((t) => fits(t, specs)) === true;
}

function isEmpty(db: Database.Database): boolean {
  return db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
}

function fits(table: FileTable, specs: readonly TableSpec[]): boolean {
  const own = specs.find((s) => s.number === table.number);
  const namesake = specs.find((s) => s.name === table.name);
  if (own === undefined || namesake === undefined) return own === namesake;
  return own === namesake && joined(table.fields, listOf(own).fields) !== undefined;
}

/**
 * Gives an understood file what this release needs beside what it has.
 * @returns every table of the file with the field list by which it is to be read.
 */
export function migrate(db: Database.Database, specs: readonly TableSpec[]): FileTable[] {
  if (isEmpty(db)) create(db, specs);
  const box = columnsOf(db, 'box');
  for (const text of BOX_LATER) {
    const [name] = text.split(' ');
    if (!box.includes(name as string)) db.exec(`ALTER TABLE box ADD COLUMN ${text}`);
  }
  const file = read(db, specs) as FileTable[];
  const byNumber = new Map(file.map((t) => [t.number, t]));
  const silent = columnsOf(db, 'schema').length === 0;
  if (silent) db.exec(`${CREATE_SCHEMA};${CREATE_NEWER}`);
  for (const spec of specs) {
    const own = listOf(spec);
    const old = byNumber.get(spec.number);
    if (old === undefined) db.exec(createTable(spec));
    else {
      const have = columnsOf(db, spec.name);
      const add = own.fields.filter(([n]) => !have.includes(n)).map(([n, k]) => column(n, k));
      if (!have.includes('extra')) add.push('extra BLOB');
      for (const text of add) db.exec(`ALTER TABLE "${spec.name}" ADD COLUMN ${text}`);
    }
    const fields = joined(old?.fields ?? [], own.fields) as FileTable['fields'];
    byNumber.set(spec.number, { ...own, fields });
  }
  const all = [...byNumber.values()];
  // a start that changes nothing writes nothing: the disk may be full
  if (silent || JSON.stringify(all) !== JSON.stringify(file)) say(db, all);
  return all;
}
