/**
 * The state at a position, as an operator can read it with `sqlite3`: one table a row type with real
 * columns, and the box's own word in table `box`, all in the same commit.
 *
 * Columns follow from the field lists. A database of another layout is set aside under a name with
 * its time, never thrown away; the peer has the state.
 */

import { existsSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Kind, TableSpec } from '../base/row.ts';
import { eachChange } from '../ledger/batch.ts';
import type { BoxRow } from '../ledger/box-row.ts';
import { type Compiled, compile, OP_REMOVE, Writer } from '../ledger/codec.ts';
import type { Loaded, PersistBatch } from '../ledger/disk.ts';

/** Grows when the meaning of stored columns changes. */
const LAYOUT = 1;
/** Pages after which the write-ahead log is folded into the file, off the engine's thread. */
const CHECKPOINT_PAGES = 4000;

function columnType(kind: Kind): string {
  return kind === 'text' || typeof kind === 'object' ? 'TEXT' : 'INTEGER';
}

function createTable(spec: TableSpec): string {
  const columns = Object.entries(spec.fields).map(([n, k]) => `"${n}" ${columnType(k)} NOT NULL`);
  return `CREATE TABLE "${spec.name}" (\n  -- ${spec.about}\n  id INTEGER PRIMARY KEY,\n  ${columns.join(',\n  ')}\n) STRICT`;
}

const CREATE_BOX = `CREATE TABLE box (
  -- What this box says about itself; the rows are the state at (recordEpoch, lsn, chain).
  one INTEGER PRIMARY KEY CHECK (one = 1), layout INTEGER NOT NULL, epoch INTEGER NOT NULL,
  recordEpoch INTEGER NOT NULL, lsn INTEGER NOT NULL, chain INTEGER NOT NULL, "primary" INTEGER NOT NULL,
  peerStale INTEGER NOT NULL, staleEpoch INTEGER NOT NULL, staleLsn INTEGER NOT NULL,
  pairAt INTEGER NOT NULL, wallAt INTEGER NOT NULL, nextIds TEXT NOT NULL) STRICT`;

type BoxColumns = { [name: string]: number | string };

/** Rows written and ids removed by one statement: a call into SQLite costs as much as a row. */
const ROWS_AT_ONCE = 16;
const IDS_AT_ONCE = 32;

type TableWriter = {
  readonly compiled: Compiled;
  readonly put: Database.Statement;
  readonly putMany: Database.Statement;
  readonly remove: Database.Statement;
  readonly removeMany: Database.Statement;
  /** Column values of rows, and ids, waiting for their statement. */
  readonly puts: (number | string)[];
  readonly removes: number[];
};

export class StateFile {
  private readonly db: Database.Database;
  private readonly tables: (TableWriter | undefined)[] = [];
  private readonly putBox: Database.Statement;
  private readonly begin: Database.Statement;
  private readonly end: Database.Statement;
  private readonly back: Database.Statement;
  private synchronous: 'FULL' | 'NORMAL' = 'FULL';
  /** Set when an older or damaged file was put aside. */
  readonly setAside: string;

  constructor(path: string, specs: readonly TableSpec[], stamp: string) {
    this.setAside = usable(path, specs) ? '' : putAside(path, stamp);
    this.db = new Database(path);
    this.db.pragma('journal_mode = WAL');
    this.db.pragma('synchronous = FULL');
    this.db.pragma('temp_store = MEMORY');
    this.db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    const have = this.db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .pluck()
      .all();
    if (!have.includes('box')) {
      this.db.exec(CREATE_BOX);
      for (const spec of specs) this.db.exec(createTable(spec));
    }
    for (const spec of specs) this.tables[spec.number] = this.writer(spec);
    this.putBox = this.db.prepare('INSERT OR REPLACE INTO box VALUES (1,?,?,?,?,?,?,?,?,?,?,?,?)');
    this.begin = this.db.prepare('BEGIN IMMEDIATE');
    this.end = this.db.prepare('COMMIT');
    this.back = this.db.prepare('ROLLBACK');
  }

  private writer(spec: TableSpec): TableWriter {
    const compiled = compile(spec);
    const marks = `(${['?', ...compiled.names.map(() => '?')].join(',')})`;
    const many = (mark: string, n: number): string => new Array(n).fill(mark).join(',');
    const put = `INSERT OR REPLACE INTO "${spec.name}" VALUES `;
    const remove = `DELETE FROM "${spec.name}" WHERE id IN `;
    return {
      compiled,
      put: this.db.prepare(put + marks),
      putMany: this.db.prepare(put + many(marks, ROWS_AT_ONCE)),
      remove: this.db.prepare(`${remove}(?)`),
      removeMany: this.db.prepare(`${remove}(${many('?', IDS_AT_ONCE)})`),
      puts: [],
      removes: [],
    };
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
        for (const t of this.tables) {
          if (t !== undefined) this.db.exec(`DELETE FROM "${t.compiled.spec.name}"`);
        }
      }
      eachChange(batch.bytes, (c, r) => {
        const t = this.tables[c.table];
        if (t === undefined) return;
        if (c.op === OP_REMOVE) {
          t.removes.push(c.id);
          if (t.removes.length === IDS_AT_ONCE) flushRemoves(t);
          return;
        }
        const row = t.compiled.create(c.id, {});
        t.compiled.read(r, row);
        t.puts.push(...t.compiled.columns(row));
        if (t.puts.length === ROWS_AT_ONCE * (t.compiled.names.length + 1)) flushPuts(t);
      });
      // a batch has a row once: removed, or written; which of the two is done first does not matter
      for (const t of this.tables) {
        if (t === undefined) continue;
        flushRemoves(t);
        flushPuts(t);
      }
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
    );
  }

  load(wallNow: number): Loaded {
    const found = this.db.prepare('SELECT * FROM box').get() as BoxColumns | undefined;
    const w = new Writer(64 * 1024);
    for (const t of this.tables) {
      if (t === undefined) continue;
      const { compiled } = t;
      const rows = this.db.prepare(`SELECT * FROM "${compiled.spec.name}"`).iterate();
      for (const raw of rows as Iterable<BoxColumns>) {
        const row = compiled.create(raw['id'] as number, fromColumns(compiled.spec, raw));
        w.need(compiled.size(row));
        compiled.insert(w, row);
      }
    }
    return {
      box: found === undefined ? undefined : boxOf(found),
      rows: w.buf.subarray(0, w.off),
      wallNow,
    };
  }

  close(): void {
    this.db.close();
  }
}

function flushPuts(t: TableWriter): void {
  const width = t.compiled.names.length + 1;
  if (t.puts.length === ROWS_AT_ONCE * width) t.putMany.run(t.puts);
  else for (let at = 0; at < t.puts.length; at += width) t.put.run(t.puts.slice(at, at + width));
  t.puts.length = 0;
}

function flushRemoves(t: TableWriter): void {
  if (t.removes.length === IDS_AT_ONCE) t.removeMany.run(t.removes);
  else for (const id of t.removes) t.remove.run(id);
  t.removes.length = 0;
}

function fromColumns(spec: TableSpec, raw: BoxColumns): { [name: string]: never } {
  const values: { [name: string]: unknown } = {};
  for (const [n, k] of Object.entries(spec.fields))
    values[n] = k === 'flag' ? raw[n] === 1 : raw[n];
  return values as { [name: string]: never };
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
    nextIds: JSON.parse(c['nextIds'] as string) as number[],
  };
}

/** Whether the file can be opened, is sound and has our layout. A missing file is fine. */
function usable(path: string, specs: readonly TableSpec[]): boolean {
  if (!existsSync(path)) return true;
  let db: Database.Database | undefined;
  try {
    db = new Database(path);
    if (db.pragma('quick_check(1)', { simple: true }) !== 'ok') return false;
    const layout = db.prepare('SELECT layout FROM box').pluck().get() as number | undefined;
    if (layout !== undefined && layout !== LAYOUT) return false;
    for (const spec of specs) {
      const columns = db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(spec.name);
      const wanted = ['id', ...Object.keys(spec.fields)];
      if (columns.join() !== wanted.join()) return false;
    }
    return true;
  } catch {
    return false;
  } finally {
    db?.close();
  }
}

function putAside(path: string, stamp: string): string {
  const name = `${path}.set-aside-${stamp}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, name + suffix);
  }
  return name;
}
