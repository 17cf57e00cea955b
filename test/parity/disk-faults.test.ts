/**
 * The simulator's disk and the real one answer the same, and hold the same, when the file system is
 * full or read-only, when the database is damaged, and when the rows of a lost reign are copied aside.
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import Database from 'better-sqlite3';
import { LIMITS } from '../../src/base/limits.ts';
import { BINDING } from '../../src/call/rows.ts';
import { CALL_TABLES } from '../../src/call/switch.ts';
import { StateDisk } from '../../src/edge/state-disk.ts';
import type { DiskWord, PersistBatch } from '../../src/ledger/disk.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { Persister } from '../../src/ledger/persister.ts';
import { Dice } from '../world/dice.ts';
import { Disk } from '../world/disk.ts';
import { Queue } from '../world/queue.ts';

const SIZES = { ringBytes: 1 << 20, slabBytes: 1 << 16 };
const WORD = { epoch: 4, primary: true, peerStale: false, staleEpoch: 0, staleLsn: 0, led: 0 };

/** Either disk, in one hand. */
type Drive = {
  readonly words: DiskWord[];
  put(batch: PersistBatch): void;
  /** A second passes: what was refused is tried again. */
  second(): void;
  break(trouble: 'full' | 'read-only'): void;
  repair(): void;
  damage(): void;
  load(): ReturnType<StateDisk['load']>;
};

function simulated(): Drive {
  const queue = new Queue();
  const disk = new Disk(queue, new Dice(1), { commit: 0.5, sync: 2, stall: 0 });
  const words: DiskWord[] = [];
  const pass = (ms: number): void => queue.runUntil(queue.now + ms, () => {});
  return {
    words,
    put(batch) {
      disk.persist(batch, (word) => words.push(word));
      pass(10);
    },
    second: () => pass(1000),
    break: (trouble) => disk.break(trouble),
    repair: () => disk.repair(),
    damage: () => disk.damage(),
    load: () => disk.load(7),
  };
}

type Pragmatic = { readonly file: { readonly db: Database.Database } };

function real(t: ExecutionContext): Drive & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-parity-'));
  const path = join(folder, 'state.db');
  const words: DiskWord[] = [];
  let n = 0;
  const stamp = (): string => `t${String(++n).padStart(3, '0')}`;
  const disk = new StateDisk(path, CALL_TABLES, stamp, (word) => words.push(word));
  t.teardown(() => {
    disk.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const pragma = (text: string): unknown => (disk as unknown as Pragmatic).file.db.pragma(text);
  return {
    words,
    folder,
    put(batch) {
      disk.take(batch);
      disk.work();
    },
    second: () => disk.work(),
    break(trouble) {
      if (trouble === 'full') pragma('max_page_count = 1');
      else pragma('query_only = 1');
    },
    repair() {
      pragma('max_page_count = 1000000');
      pragma('query_only = 0');
    },
    damage() {
      // what a broken medium leaves: pages of other bytes, in the file and in its log
      pragma('wal_checkpoint(TRUNCATE)');
      writeFileSync(path, Buffer.alloc(200_000, 'not a page '), { flag: 'r+' });
      pragma('shrink_memory');
    },
    load: () => disk.load(7),
  };
}

/** A ledger whose persister drives a disk. */
class Box {
  readonly ledger = new Ledger(CALL_TABLES, SIZES);
  readonly persister = new Persister(this.ledger, 0, { ...WORD });
  readonly drive: Drive;
  private heard = 0;
  private users = 0;

  constructor(drive: Drive) {
    this.drive = drive;
  }

  register(n: number): void {
    this.ledger.begin(1);
    for (let i = 0; i < n; i += 1) {
      this.users += 1;
      this.ledger.insert(BINDING, { aor: `${this.users}`, contact: 'x'.repeat(500) });
    }
    this.ledger.commit();
    this.ledger.takeGroup();
    this.write();
  }

  write(): void {
    const out: PersistBatch[] = [];
    this.persister.turn(1, true, true, 5, 6, out);
    for (const batch of out) this.drive.put(batch);
    this.hear();
  }

  second(): void {
    this.drive.second();
    this.hear();
  }

  private hear(): void {
    for (const word of this.drive.words.slice(this.heard)) {
      if (word.kind === 'synced') this.persister.synced(word.ticket);
      if (word.kind === 'disk-replaced') this.persister.lost();
    }
    this.heard = this.drive.words.length;
  }

  agrees(t: ExecutionContext, why: string): void {
    const loaded = this.drive.load();
    const twin = new Ledger(CALL_TABLES, SIZES);
    t.is(twin.applyOps(loaded.rows, 0, loaded.rows.length, true), undefined);
    t.deepEqual(twin.tables.digests(), this.ledger.tables.digests(), why);
    t.is(loaded.box?.lsn, this.ledger.lsn, why);
  }
}

const kinds = (box: Box): string[] => box.drive.words.map((w) => w.kind);

test('full and read-only: refused until repaired, then everything at once', (t) => {
  for (const trouble of ['full', 'read-only'] as const) {
    const heard = [simulated(), real(t)].map((drive) => {
      const box = new Box(drive);
      box.register(10);
      box.drive.break(trouble);
      box.register(400);
      box.second();
      box.register(400);
      box.second();
      box.drive.repair();
      box.second();
      box.write();
      box.agrees(t, trouble);
      const text = drive.words.find((w) => w.kind === 'disk-fault')?.text ?? '';
      t.regex(text, trouble === 'full' ? /system is full/ : /system is read-only/);
      return kinds(box);
    });
    t.deepEqual(heard[0], heard[1]);
    t.deepEqual(heard[1], [
      'synced',
      ...['disk-fault', 'disk-fault', 'disk-fault'],
      ...['synced', 'synced'],
    ]);
  }
});

test('damaged: set aside, and written whole from memory', (t) => {
  const drives = [simulated(), real(t)] as const;
  const heard = drives.map((drive) => {
    const box = new Box(drive);
    box.register(300);
    box.drive.damage();
    box.register(1);
    box.register(1);
    box.register(1);
    box.agrees(t, 'damaged');
    return kinds(box).filter((kind) => kind !== 'synced');
  });
  t.deepEqual(heard[0], heard[1]);
  t.deepEqual(heard[1], ['disk-replaced']);
  const beside = readdirSync(drives[1].folder).filter((name) => /\.set-aside-t\d+$/.test(name));
  t.is(beside.length, 1);
});

test('rows of a lost reign are copied before a snapshot replaces them; the last few copies stay', (t) => {
  const drives = [simulated(), real(t)] as const;
  const heard = drives.map((drive) => {
    const box = new Box(drive);
    for (let epoch = 1; epoch <= LIMITS.setAsideFiles + 2; epoch += 1) {
      box.register(epoch);
      box.persister.change({ led: epoch });
      box.persister.reset();
      box.ledger.restart({ epoch, lsn: 1000 * epoch, chain: 1 }, []);
      box.register(1);
      box.agrees(t, `epoch ${epoch}`);
    }
    return kinds(box);
  });
  t.deepEqual(heard[0], heard[1]);
  const files = readdirSync(drives[1].folder).filter((name) => name.includes('.lost-'));
  t.is(files.length, LIMITS.setAsideFiles);
  t.true(files.every((name) => /^state\.db\.lost-[34567]-t/.test(name)));
  const newest = files.find((name) => name.includes('.lost-7-')) ?? '';
  const copy = new Database(join(drives[1].folder, newest), { readonly: true });
  t.is(copy.prepare('SELECT count(*) FROM binding').pluck().get(), 8, 'one, and seven more');
  copy.close();
});
