/**
 * The state at a position, as an operator can read it with `sqlite3`: one table a row type with real
 * columns, and the box's own word in table `box`, all in the same commit.
 *
 * Columns follow from the field lists (sqlite-schema.ts). What an older or newer release wrote is
 * read; a file that is damaged or of another meaning is set aside under a name with its time, never
 * thrown away: the peer has the state.
 *
 * What bounds it: pages are used again, so the file is as large as its fullest moment; the
 * write-ahead log is folded into it every CHECKPOINT_PAGES and cut back to that size; of files set
 * aside the last few of each kind stay.
 */

import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { LIMITS } from '../base/limits.ts';
import type { TableSpec } from '../base/row.ts';
import { eachChange } from '../ledger/batch.ts';
import type { BoxRow } from '../ledger/box-row.ts';
import {
  type Column,
  type Compiled,
  compile,
  type LiveRow,
  OP_INSERT,
  OP_REMOVE,
  putVarint,
  Writer,
} from '../ledger/codec.ts';
import type { Loaded, PersistBatch } from '../ledger/disk.ts';
import { newerTable } from '../ledger/tables.ts';
import { troubleOf } from './disk-trouble.ts';
import { type FileTable, LAYOUT, migrate, specOf, understood } from './sqlite-schema.ts';

/** Pages after which the write-ahead log is folded into the file, off the engine's thread. */
const CHECKPOINT_PAGES = 4000;
const PAGE_BYTES = 4096;
/** How long another program's lock is waited for, ms. */
const OPTIONS = { timeout: 1000 };

/** Columns of `box`, in the order in which they are written. */
const BOX = [
  ...['layout', 'epoch', 'recordEpoch', 'lsn', 'chain', 'primary', 'peerStale'],
  ...['staleEpoch', 'staleLsn', 'pairAt', 'wallAt', 'nextIds', 'led'],
];

type BoxColumns = { [name: string]: number | string | Uint8Array | null };

/** Rows written and ids removed by one statement: a call into SQLite costs as much as a row. */
const ROWS_AT_ONCE = 16;
const IDS_AT_ONCE = 32;

type TableWriter = {
  readonly compiled: Compiled;
  readonly width: number;
  readonly put: Database.Statement;
  readonly putMany: Database.Statement;
  readonly remove: Database.Statement;
  readonly removeMany: Database.Statement;
  /** Empties it. */
  readonly clear: Database.Statement;
  /** Column values of rows, and ids, waiting for their statement. */
  readonly puts: Column[];
  readonly removes: number[];
};

/** A table only a newer release knows: rows lie in `newer`, and in its own table if it wrote the file. */
type NewerWriter = {
  readonly compiled: Compiled;
  readonly put: Database.Statement;
  readonly removes: readonly Database.Statement[];
  readonly clears: readonly Database.Statement[];
};

export class StateFile {
  private readonly path: string;
  private readonly db: Database.Database;
  /** Every table of the file, with the list by which its rows are read. */
  private readonly file: readonly FileTable[];
  private readonly tables: (TableWriter | undefined)[] = [];
  private readonly newer: (NewerWriter | undefined)[] = [];
  private readonly putBox: Database.Statement;
  private readonly begin: Database.Statement;
  private readonly end: Database.Statement;
  private readonly back: Database.Statement;
  private synchronous: 'FULL' | 'NORMAL' = 'FULL';
  /** Set when a file that could not be used was put aside. */
  readonly setAside: string;

  constructor(path: string, specs: readonly TableSpec[], stamp: string) {
    this.path = path;
    this.setAside = usable(path, specs) ? '' : putAside(path, stamp);
    this.db = new Database(path, OPTIONS);
    this.db.pragma('journal_mode = WAL');
    this.db.pragma('synchronous = FULL');
    this.db.pragma('temp_store = MEMORY');
    this.db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    this.db.pragma(`journal_size_limit = ${CHECKPOINT_PAGES * PAGE_BYTES}`);
    this.file = this.db.transaction(() => migrate(this.db, specs))();
    for (const spec of specs) this.tables[spec.number] = this.writer(spec);
    for (const { number } of this.file) {
      if (this.tables[number] === undefined) this.newerWriter(number);
    }
    const kept = this.db.prepare('SELECT DISTINCT number FROM newer').pluck().all() as number[];
    for (const number of kept) {
      const own = this.tables[number];
      if (own === undefined) this.newerWriter(number);
      else this.takeHome(own);
    }
    this.putBox = this.db.prepare(
      `INSERT OR REPLACE INTO box (one,${BOX.map((n) => `"${n}"`).join(',')}) ` +
        `VALUES (1,${BOX.map(() => '?').join(',')})`,
    );
    this.begin = this.db.prepare('BEGIN IMMEDIATE');
    this.end = this.db.prepare('COMMIT');
    this.back = this.db.prepare('ROLLBACK');
  }

  private writer(spec: TableSpec): TableWriter {
    const compiled = compile(spec);
    const names = ['id', ...compiled.names, 'extra'];
    const marks = `(${names.map(() => '?').join(',')})`;
    const many = (mark: string, n: number): string => new Array(n).fill(mark).join(',');
    const columns = names.map((n) => `"${n}"`).join(',');
    const put = `INSERT OR REPLACE INTO "${spec.name}" (${columns}) VALUES `;
    const remove = `DELETE FROM "${spec.name}" WHERE id IN `;
    return {
      compiled,
      width: names.length,
      put: this.db.prepare(put + marks),
      putMany: this.db.prepare(put + many(marks, ROWS_AT_ONCE)),
      remove: this.db.prepare(`${remove}(?)`),
      removeMany: this.db.prepare(`${remove}(${many('?', IDS_AT_ONCE)})`),
      clear: this.db.prepare(`DELETE FROM "${spec.name}"`),
      puts: [],
      removes: [],
    };
  }

  private newerWriter(number: number): NewerWriter {
    const known = this.newer[number];
    if (known !== undefined) return known;
    const sql = [`newer WHERE number = ${number}`];
    const own = this.file.find((t) => t.number === number);
    if (own !== undefined) sql.push(`"${own.name}" WHERE true`);
    const made = {
      compiled: compile(newerTable(number)),
      put: this.db.prepare(`INSERT OR REPLACE INTO newer VALUES (${number},?,?)`),
      removes: sql.map((from) => this.db.prepare(`DELETE FROM ${from} AND id = ?`)),
      clears: sql.map((from) => this.db.prepare(`DELETE FROM ${from}`)),
    };
    this.newer[number] = made;
    return made;
  }

  /** Rows that an older release kept as bytes, in a table that this one knows. */
  private takeHome(t: TableWriter): void {
    const { number } = t.compiled;
    const rows = this.db.prepare('SELECT id, fields FROM newer WHERE number = ?').all(number);
    this.db.transaction(() => {
      for (const { id, fields } of rows as { id: number; fields: Uint8Array }[]) {
        this.change(insertOf(number, id, fields));
      }
      this.flush();
      this.db.prepare('DELETE FROM newer WHERE number = ?').run(number);
    })();
  }

  /** One commit: rows, and the word beside them. Throws what SQLite throws (full, read-only, ...). */
  apply(batch: PersistBatch): void {
    const wanted = batch.durable ? 'FULL' : 'NORMAL';
    if (wanted !== this.synchronous) {
      this.db.pragma(`synchronous = ${wanted}`);
      this.synchronous = wanted;
    }
    this.begin.run();
    try {
      if (batch.reset) {
        for (const t of this.tables) t?.clear.run();
        for (const t of this.newer) for (const clear of t?.clears ?? []) clear.run();
      }
      this.change(batch.bytes);
      this.flush();
      this.writeBox(batch.box);
      this.end.run();
    } catch (e) {
      for (const t of this.tables) {
        if (t === undefined) continue;
        t.puts.length = 0;
        t.removes.length = 0;
      }
      if (this.db.inTransaction) this.back.run();
      throw e;
    }
  }

  private change(bytes: Uint8Array): void {
    eachChange(bytes, (c, r) => {
      const t = this.tables[c.table];
      if (t === undefined) {
        const newer = this.newerWriter(c.table);
        for (const remove of newer.removes) remove.run(c.id);
        if (c.op === OP_REMOVE) return;
        const row = newer.compiled.create(c.id, {});
        newer.compiled.read(r, row);
        newer.put.run(c.id, Buffer.from(row.$extra ?? []));
        return;
      }
      if (c.op === OP_REMOVE) {
        t.removes.push(c.id);
        if (t.removes.length === IDS_AT_ONCE) flushRemoves(t);
        return;
      }
      const row = t.compiled.create(c.id, {});
      t.compiled.read(r, row);
      t.puts.push(...t.compiled.columns(row));
      if (t.puts.length === ROWS_AT_ONCE * t.width) flushPuts(t);
    });
  }

  /** A batch has a row once: removed, or written; which of the two is done first does not matter. */
  private flush(): void {
    for (const t of this.tables) {
      if (t === undefined) continue;
      flushRemoves(t);
      flushPuts(t);
    }
  }

  private writeBox(b: BoxRow): void {
    this.putBox.run(
      LAYOUT,
      b.epoch,
      b.recordEpoch,
      b.lsn,
      b.chain,
      b.primary ? 1 : 0,
      b.peerStale ? 1 : 0,
      b.staleEpoch,
      b.staleLsn,
      b.pairAt,
      b.wallAt,
      JSON.stringify(b.nextIds),
      b.led,
    );
  }

  load(wallNow: number): Loaded {
    const found = this.db.prepare('SELECT * FROM box').get() as BoxColumns | undefined;
    const w = new Writer(64 * 1024);
    for (const table of this.file) {
      const compiled = compile(specOf(table));
      const rows = this.db.prepare(`SELECT * FROM "${table.name}"`).iterate();
      for (const raw of rows as Iterable<BoxColumns>) put(w, compiled, rowOf(compiled, raw));
    }
    const kept = this.db.prepare('SELECT number, id, fields FROM newer').iterate();
    for (const raw of kept as Iterable<{ number: number; id: number; fields: Uint8Array }>) {
      const op = insertOf(raw.number, raw.id, raw.fields);
      w.need(op.length);
      w.buf.set(op, w.off);
      w.off += op.length;
    }
    return {
      box: found === undefined ? undefined : boxOf(found),
      rows: w.buf.subarray(0, w.off),
      wallNow,
    };
  }

  /** Copies the whole state to a file of its own. @returns its name. */
  copyAside(label: string, stamp: string): string {
    const name = `${this.path}.${label}-${stamp}`;
    rmSync(name, { force: true });
    try {
      this.db.prepare('VACUUM INTO ?').run(name);
    } catch (e) {
      rmSync(name, { force: true });
      throw e;
    }
    prune(this.path, 'lost-');
    return name;
  }

  close(): void {
    this.db.close();
  }
}

function flushPuts(t: TableWriter): void {
  const { width } = t;
  if (t.puts.length === ROWS_AT_ONCE * width) t.putMany.run(t.puts);
  else for (let at = 0; at < t.puts.length; at += width) t.put.run(t.puts.slice(at, at + width));
  t.puts.length = 0;
}

function flushRemoves(t: TableWriter): void {
  if (t.removes.length === IDS_AT_ONCE) t.removeMany.run(t.removes);
  else for (const id of t.removes) t.remove.run(id);
  t.removes.length = 0;
}

/** An insert operation around fields already encoded. */
function insertOf(number: number, id: number, fields: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(16 + fields.length);
  bytes[0] = OP_INSERT;
  bytes[1] = number;
  const at = putVarint(bytes, 2, id);
  bytes.writeUInt32LE(fields.length, at);
  bytes.set(fields, at + 4);
  return bytes.subarray(0, at + 4 + fields.length);
}

function put(w: Writer, compiled: Compiled, row: LiveRow): void {
  w.need(compiled.size(row));
  compiled.insert(w, row);
}

function rowOf(compiled: Compiled, raw: BoxColumns): LiveRow {
  const values: { [name: string]: unknown } = {};
  for (const [n, k] of Object.entries(compiled.spec.fields)) {
    values[n] = k === 'flag' ? raw[n] === 1 : raw[n];
  }
  const row = compiled.create(raw['id'] as number, values as { [name: string]: never });
  const extra = raw['extra'];
  if (extra instanceof Uint8Array) row.$extra = extra;
  return row;
}

function boxOf(c: BoxColumns): BoxRow {
  const n = (name: string): number => c[name] as number;
  return {
    epoch: n('epoch'),
    recordEpoch: n('recordEpoch'),
    lsn: n('lsn'),
    chain: n('chain'),
    primary: n('primary') === 1,
    peerStale: n('peerStale') === 1,
    staleEpoch: n('staleEpoch'),
    staleLsn: n('staleLsn'),
    pairAt: n('pairAt'),
    wallAt: n('wallAt'),
    led: n('led'),
    nextIds: JSON.parse(c['nextIds'] as string) as number[],
  };
}

/** Whether the file can be opened, is sound and is understood. A missing file is fine. */
function usable(path: string, specs: readonly TableSpec[]): boolean {
  if (!existsSync(path)) return true;
  let db: Database.Database | undefined;
  try {
    db = new Database(path, OPTIONS);
    return db.pragma('quick_check(1)', { simple: true }) === 'ok' && understood(db, specs);
  } catch (e) {
    // what only cannot be read just now is not to be renamed
    const known = (e as { code?: unknown }).code !== undefined;
    if (known && troubleOf(e).kind === 'wait') throw e;
    return false;
  } finally {
    db?.close();
  }
}

/** Renames the file and what belongs to it. @returns its new name. */
export function putAside(path: string, stamp: string): string {
  const name = `${path}.set-aside-${stamp}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, name + suffix);
  }
  prune(path, 'set-aside-');
  return name;
}

/** Of files of this kind beside `path` the newest few stay. */
function prune(path: string, kind: string): void {
  const folder = dirname(path);
  const files = readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(path)}.${kind}`) && !/-(wal|shm)$/.test(name))
    .map((name) => ({ name: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
    .sort((x, y) => y.at - x.at || (x.name < y.name ? 1 : -1));
  for (const { name } of files.slice(LIMITS.setAsideFiles)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(name + suffix, { force: true });
  }
}
