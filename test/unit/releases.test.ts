/**
 * Release N pairs with N-1 both ways: what the older one does not know it keeps, in memory, on its
 * disk, on the wire, and gives back. And what a release once wrote is read for ever (test/vectors/ledger).
 */

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { below, seeded } from '../../src/base/chance.ts';
import type { Fields, Kind, TableSpec, Values } from '../../src/base/row.ts';
import { NEVER } from '../../src/base/units.ts';
import { BINDING } from '../../src/call/rows.ts';
import { CALL_TABLES } from '../../src/call/switch.ts';
import { StateFile } from '../../src/edge/sqlite.ts';
import { encodeRows } from '../../src/ledger/batch.ts';
import type { PersistBatch } from '../../src/ledger/disk.ts';
import { Image } from '../../src/ledger/image.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { Persister } from '../../src/ledger/persister.ts';
import { FRAME, FRAME_HEADER, FrameReader } from '../../src/wire/frame.ts';
import { Bench } from './engine-pair.ts';
import { register } from './phone-words.ts';

const SIZES = { ringBytes: 1 << 22, slabBytes: 1 << 16 };
const VECTORS = join(import.meta.dirname, '../vectors/ledger');
const WORD = { epoch: 1, primary: true, peerStale: false, staleEpoch: 0, staleLsn: 0, led: 0 };

function spec(name: string, number: number, fields: Fields): TableSpec {
  return { name, about: 'A test.', number, fields, indexes: {}, deadline: () => NEVER, warm: true };
}

// ── what a release wrote ───────────────────────────────────────────────────────────────────────

type Expected = {
  readonly position: { readonly epoch: number; readonly lsn: number; readonly chain: number };
  readonly digests: { readonly [table: string]: { readonly count: number; readonly hash: number } };
  readonly nextIds: readonly number[];
  readonly rows: { readonly [table: string]: readonly { readonly [field: string]: unknown }[] };
};

const VERSIONS = readdirSync(VECTORS).filter((name) => /^\d/.test(name));

function wantRows(l: Ledger, expected: Expected): string[] {
  const wrong: string[] = [];
  for (const [name, rows] of Object.entries(expected.rows)) {
    const table = l.tables.list.find((one) => one.compiled.spec.name === name);
    if (table?.rows.size !== rows.length) wrong.push(`${name}: ${table?.rows.size} rows`);
    for (const row of rows) {
      const ours = table?.rows.get(row['id'] as number);
      for (const [field, value] of Object.entries(row)) {
        if (ours?.[field] !== value) wrong.push(`${name} ${String(row['id'])}.${field}`);
      }
    }
  }
  return wrong;
}

for (const version of VERSIONS) {
  const bytesOf = (name: string): Buffer => readFileSync(join(VECTORS, version, name));
  const expected = JSON.parse(bytesOf('expected.json').toString()) as Expected;

  test(`the journal of ${version} is read`, (t) => {
    const l = new Ledger(CALL_TABLES, SIZES);
    const bad = new FrameReader(1 << 24).push(bytesOf('records.bin'), (f) => {
      t.is(f.type, FRAME.records);
      return l.apply(f.bytes, f.from, f.end) === undefined;
    });
    t.is(bad, undefined);
    t.deepEqual(l.position(), expected.position);
    t.deepEqual(wantRows(l, expected), []);
    t.like(l.tables.digests(), expected.digests);
    t.deepEqual(l.tables.nextIds().slice(0, expected.nextIds.length), expected.nextIds);
  });

  test(`the snapshot of ${version} is read`, (t) => {
    const l = new Ledger(CALL_TABLES, SIZES);
    let last = 0;
    new FrameReader(1 << 24).push(bytesOf('snapshot.bin'), (f) => {
      last = f.type;
      return f.type !== FRAME.chunk || l.applyOps(f.bytes, f.from, f.end, true) === undefined;
    });
    t.is(last, FRAME.snapshotEnd);
    t.deepEqual(wantRows(l, expected), []);
    t.like(l.tables.digests(), expected.digests);
  });

  test(`the database of ${version} is opened, not set aside, and goes on`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sipair-release-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'state.db');
    copyFileSync(join(VECTORS, version, 'state.db'), path);
    for (let time = 0; time < 2; time += 1) {
      const file = new StateFile(path, CALL_TABLES, 'x');
      t.is(file.setAside, '');
      const { box, rows } = file.load(1);
      t.like(box, { lsn: expected.position.lsn, primary: true, staleLsn: 9 });
      const l = new Ledger(CALL_TABLES, SIZES);
      t.is(l.applyOps(rows, 0, rows.length, true), undefined);
      t.deepEqual(wantRows(l, expected), []);
      t.like(l.tables.digests(), expected.digests);
      file.close();
    }
  });

  test(`what ${version} knew is the beginning of what is known now`, (t) => {
    type Old = { name: string; number: number; fields: [string, Kind][]; warm: boolean };
    for (const old of JSON.parse(bytesOf('schema.json').toString()) as Old[]) {
      const now = CALL_TABLES.find((table) => table.number === old.number);
      t.is(now?.name, old.name);
      t.is(now?.warm, old.warm);
      const fields = Object.entries(now?.fields ?? {}).slice(0, old.fields.length);
      for (const [i, [name, kind]] of old.fields.entries()) {
        t.is(fields[i]?.[0], name);
        const ours = fields[i]?.[1];
        if (Array.isArray(kind)) t.deepEqual(ours?.slice(0, kind.length), kind, name);
        else t.is(ours, kind, name);
      }
    }
  });
}

// ── a release and the one after it ─────────────────────────────────────────────────────────────

const KINDS: readonly Kind[] = ['int', 'time', 'text', 'flag', ['one', 'two', 'three']];

/** Tables of a release, and of the next: fields, tags and tables appended. */
function twoReleases(seed: number): { readonly older: TableSpec[]; readonly newer: TableSpec[] } {
  const chance = seeded(seed);
  const draw = (n: number): number => below(chance, n);
  const older: TableSpec[] = [];
  const newer: TableSpec[] = [];
  for (let number = 1; number <= 2 + draw(2); number += 1) {
    const fields: [string, Kind][] = [];
    for (let i = 0; i < 1 + draw(5); i += 1) fields.push([`f${i}`, KINDS[draw(5)] as Kind]);
    older.push(spec(`t${number}`, number, Object.fromEntries(fields)));
    const more = fields.map(([name, kind]): [string, Kind] =>
      typeof kind === 'object' && draw(2) === 0 ? [name, [...kind, 'four']] : [name, kind],
    );
    for (let i = 0; i < draw(5); i += 1) more.push([`g${i}`, KINDS[draw(5)] as Kind]);
    newer.push(spec(`t${number}`, number, Object.fromEntries(more)));
  }
  newer.push(spec('added', 9, { g0: 'text', g1: KINDS[draw(5)] as Kind, g2: 'int' }));
  return { older, newer };
}

function values(fields: Fields, draw: (n: number) => number): Values<Fields> {
  const out: { [name: string]: unknown } = {};
  for (const [name, kind] of Object.entries(fields)) {
    if (draw(3) === 0) continue;
    if (kind === 'int') out[name] = [0, 1, 300, 2 ** 53 - 1][draw(4)];
    else if (kind === 'time') out[name] = [0, 1_790_000_000_123][draw(2)];
    else if (kind === 'flag') out[name] = draw(2) === 1;
    else if (kind === 'text') out[name] = ['', 'a', 'x'.repeat(200)][draw(3)];
    else out[name] = kind[draw(kind.length)];
  }
  return out as Values<Fields>;
}

/** Some transactions: insertions, changes and removals in the tables the ledger was made of. */
function work(l: Ledger, specs: readonly TableSpec[], draw: (n: number) => number): void {
  for (let n = 0; n < 6; n += 1) {
    l.begin(n);
    for (let i = 0; i < 4; i += 1) {
      const one = specs[draw(specs.length)] as TableSpec;
      const rows = [...l.rows(one)];
      const row = rows[draw(Math.max(1, rows.length))];
      const dice = draw(5);
      if (row === undefined || dice < 2) l.insert(one, values(one.fields, draw));
      else if (dice < 4) l.patch(one, row, values(one.fields, draw));
      else l.remove(one, row);
    }
    l.commit();
  }
}

function follow(from: Ledger, to: Ledger): void {
  const group = from.takeGroup();
  if (group === undefined) return;
  const wrong = to.apply(group, FRAME_HEADER, group.length);
  if (wrong !== undefined) throw new Error(wrong.fault);
}

/** The way of a snapshot. */
function copy(from: Ledger, specs: readonly TableSpec[]): Ledger {
  const to = new Ledger(specs, SIZES);
  to.restart(from.position(), from.tables.nextIds());
  for (const table of from.tables.list) {
    const bytes = encodeRows(from.tables, table.compiled.number, [...table.rows.values()]);
    const wrong = to.applyOps(bytes, 0, bytes.length, true);
    if (wrong !== undefined) throw new Error(wrong.fault);
  }
  return to;
}

/** Digests by number: the older release has no name for a table it does not know. */
function digests(l: Ledger): { readonly [number: string]: unknown } {
  const filled = l.tables.list.filter((table) => table.rows.size > 0);
  return Object.fromEntries(filled.map((table) => [table.compiled.number, table.digest()]));
}

test('any rows: N to N-1 to N loses nothing, by journal, by snapshot and over a disk', (t) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const { older, newer } = twoReleases(seed);
      const chance = seeded(seed ^ 0x5bd1e995);
      const draw = (n: number): number => below(chance, n);
      const n = new Ledger(newer, SIZES);
      const old = new Ledger(older, SIZES);
      work(n, newer, draw);
      follow(n, old);
      t.deepEqual(digests(old), digests(n), 'mirrored by the journal');
      // the older one leads, changes what it knows, the newer one follows
      const back = copy(old, newer);
      t.deepEqual(digests(back), digests(n), 'back by a snapshot');
      t.deepEqual(back.tables.nextIds(), n.tables.nextIds());
      work(old, older, draw);
      follow(old, back);
      t.deepEqual(digests(back), digests(old));
      // and over a restart of the older one
      const image = new Image();
      const out: PersistBatch[] = [];
      new Persister(old, 0, { ...WORD }).turn(1, true, true, 1, 1, out);
      for (const batch of out) image.apply(batch);
      const loaded = new Ledger(older, SIZES);
      loaded.restart(old.position(), image.box?.nextIds ?? []);
      const { rows } = image.load(0);
      t.is(loaded.applyOps(rows, 0, rows.length, true), undefined);
      t.deepEqual(digests(copy(loaded, newer)), digests(back));
    }),
    { numRuns: 150 },
  );
});

test('a database goes from N to N-1 and back: read by each, nothing lost', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-release-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (let seed = 1; seed <= 12; seed += 1) {
    const { older, newer } = twoReleases(seed);
    const chance = seeded(seed);
    const draw = (n: number): number => below(chance, n);
    const path = join(folder, `${seed}.db`);
    let last: unknown = {};
    for (const [time, specs] of [newer, older, newer, older, older, newer].entries()) {
      const file = new StateFile(path, specs, 'x');
      t.is(file.setAside, '', `time ${time}`);
      const loaded = file.load(0);
      const l = new Ledger(specs, SIZES);
      const { box, rows } = loaded;
      if (box !== undefined) {
        l.restart({ epoch: box.recordEpoch, lsn: box.lsn, chain: box.chain }, box.nextIds);
      }
      t.is(l.applyOps(rows, 0, rows.length, true), undefined);
      t.deepEqual(digests(l), last, `seed ${seed}, time ${time}`);
      for (const table of l.tables.list) table.markStored();
      const persister = new Persister(l, 0, { ...WORD });
      for (let turn = 0; turn < 3; turn += 1) {
        work(l, specs, draw);
        // a row only the newer release knows may go, too
        const foreign = l.tables.byNumber[9];
        if (turn === 1)
          for (const row of [...(foreign?.rows.values() ?? [])].slice(0, 2)) foreign?.drop(row);
        if (time === 4 && turn === 0) persister.reset();
        const out: PersistBatch[] = [];
        persister.turn(turn + 1, true, true, 1, 1, out);
        for (const batch of out) {
          file.apply(batch);
          persister.synced(batch.ticket);
        }
      }
      last = digests(l);
      file.close();
    }
  }
});

test('a database whose fields contradict ours, or of a higher layout, is set aside', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-release-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const ours = [spec('pet', 1, { name: 'text', age: 'int' })];
  const others: [string, TableSpec[]][] = [
    ['kind', [spec('pet', 1, { name: 'text', age: 'text' })]],
    ['order', [spec('pet', 1, { age: 'int', name: 'text' })]],
    ['number', [spec('pet', 2, { name: 'text', age: 'int' })]],
  ];
  for (const [what, theirs] of others) {
    const path = join(folder, `${what}.db`);
    new StateFile(path, theirs, 'x').close();
    const file = new StateFile(path, ours, 'y');
    t.is(file.setAside, `${path}.set-aside-y`, what);
    file.close();
  }
  const path = join(folder, 'layout.db');
  const later = new StateFile(path, ours, 'x');
  const out: PersistBatch[] = [];
  const persister = new Persister(new Ledger(ours, SIZES), 0, { ...WORD });
  persister.sayNow(1, 1, 1, out);
  for (const batch of out) later.apply(batch);
  later.close();
  const db = new Database(path);
  db.exec('UPDATE box SET layout = layout + 1');
  db.close();
  const file = new StateFile(path, ours, 'y');
  t.is(file.setAside, `${path}.set-aside-y`);
  file.close();
});

test('a database that another program keeps locked is sound: told, and not renamed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-release-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'state.db');
  new StateFile(path, CALL_TABLES, 'x').close();
  const other = new Database(path);
  other.pragma('locking_mode = EXCLUSIVE');
  other.exec('UPDATE schema SET name = name');
  t.throws(() => new StateFile(path, CALL_TABLES, 'y'), { code: 'SQLITE_BUSY' });
  other.close();
  t.deepEqual(readdirSync(folder), ['state.db']);
  const file = new StateFile(path, CALL_TABLES, 'z');
  t.is(file.setAside, '');
  file.close();
});

// ── two engines ────────────────────────────────────────────────────────────────────────────────

const QUEUE = spec('queue', 40, { name: 'text', waiting: 'int' });
const NEXT: readonly TableSpec[] = [
  ...CALL_TABLES.map((one) =>
    one.number === BINDING.number
      ? { ...one, fields: { ...one.fields, transport: 'text' as const } }
      : one,
  ),
  QUEUE,
];

test('a pair in the middle of an upgrade: the older box leads, restarts, and gives everything back', (t) => {
  const bench = new Bench('hot-standby', {}, SIZES, { a: NEXT });
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  for (let i = 0; i < 40; i += 1) register(bench.a, 1000 + i);
  bench.settle();
  const newer = bench.a.engine.ledger;
  const binding = NEXT[0] as TableSpec;
  newer.begin(1);
  for (const row of [...newer.rows(binding)])
    newer.patch(binding, row, { transport: 'tls' } as never);
  for (let i = 0; i < 30; i += 1) newer.insert(QUEUE, { name: `q${i}`, waiting: i });
  newer.commit();
  bench.advance(300);
  t.true(bench.a.engine.standing.inStep);
  t.is(bench.b.engine.view(true).tables['table40']?.count, 30);
  // scrubbed for a while: what b does not know is compared too
  for (let i = 0; i < 12; i += 1) bench.advance(500);
  t.false(bench.a.logs.some((l) => l.includes('differs')));
  // a goes for its other slot, b leads, changes what it knows, and restarts from its disk
  bench.cut = true;
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  bench.crown('b');
  for (let i = 0; i < 40; i += 2) register(bench.b, 1000 + i, 2);
  bench.advance(300);
  bench.b.restart(bench.now, 9);
  bench.settle();
  bench.crown('b');
  t.is(bench.b.engine.view(true).tables['table40']?.count, 30, 'over the restart');
  // a comes back from nothing
  bench.a.disk = new Image();
  bench.a.restart(bench.now, 8);
  bench.cut = false;
  bench.followAll('a');
  bench.connect();
  t.true(bench.b.engine.standing.inStep);
  const back = bench.a.engine.ledger;
  t.is(back.count(QUEUE), 30);
  t.is([...back.rows(binding)].filter((row) => (row as never)['transport'] === 'tls').length, 40);
  t.deepEqual(back.tables.nextIds(), bench.b.engine.ledger.tables.nextIds());
});
