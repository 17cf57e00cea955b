/**
 * The simulator's disk and the real one hold the same after the same batches, so that what is shown
 * in the simulator about restarts is true of a box.
 */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { below, seeded } from '../../src/base/chance.ts';
import type { Fields, TableSpec, Values } from '../../src/base/row.ts';
import { CALL_TABLES } from '../../src/call/switch.ts';
import { StateFile } from '../../src/edge/sqlite.ts';
import type { PersistBatch } from '../../src/ledger/disk.ts';
import { Image } from '../../src/ledger/image.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { Persister } from '../../src/ledger/persister.ts';

const SIZES = { ringBytes: 1 << 20, slabBytes: 1 << 16 };

test('the file and its log do not grow with what comes and goes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-parity-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'state.db');
  const ledger = new Ledger(CALL_TABLES, SIZES);
  const word = { epoch: 1, primary: true, peerStale: false, staleEpoch: 0, staleLsn: 0, led: 0 };
  const persister = new Persister(ledger, 0, word);
  const file = new StateFile(path, CALL_TABLES, 'x');
  const [spec] = CALL_TABLES as [TableSpec];
  const churn = (batches: number): void => {
    for (let i = 0; i < batches; i += 1) {
      ledger.begin(i);
      const old = [...ledger.rows(spec)].slice(0, 100);
      if (ledger.count(spec) > 400) for (const row of old) ledger.remove(spec, row);
      for (let k = 0; k < 100; k += 1) {
        ledger.insert(spec, { aor: `${k}`, contact: 'c'.repeat(400) } as never);
      }
      ledger.commit();
      ledger.takeGroup();
      const out: PersistBatch[] = [];
      persister.turn(i + 1, false, true, 1, 1, out);
      for (const batch of out) {
        file.apply(batch);
        persister.synced(batch.ticket);
      }
    }
  };
  const sizes = (): number => statSync(path).size + statSync(`${path}-wal`).size;
  churn(150);
  const early = sizes();
  churn(450);
  t.true(sizes() < 18e6 && sizes() < 1.5 * Math.max(early, 12e6), `${early} then ${sizes()}`);
  t.true(statSync(path).size < 4e6, `${statSync(path).size} for a few hundred rows`);
  file.close();
});

/** Values of every kind for the fields of a table, odd ones among them. */
function values(spec: TableSpec, draw: (n: number) => number): Values<Fields> {
  const out: { [name: string]: unknown } = {};
  for (const [name, kind] of Object.entries(spec.fields)) {
    const dice = draw(4);
    if (kind === 'int') out[name] = [0, 7, 2 ** 32 - 1, 2 ** 53 - 1][dice];
    else if (kind === 'time') out[name] = [0, 1_790_000_000_123, 1, 2 ** 53 - 1][dice];
    else if (kind === 'flag') out[name] = dice > 1;
    else if (kind === 'text')
      out[name] = ['', 'a"b\'c', 'z\u0000\u00ff\r\n', `k${draw(1e9)}`][dice];
    else out[name] = kind[dice % kind.length];
  }
  // what is found by its value is unlike every other
  for (const [name, how] of Object.entries(spec.indexes)) {
    const n = draw(1e9);
    if (how === 'unique') out[name] = spec.fields[name] === 'text' ? `u${n}` : n;
  }
  return out as Values<Fields>;
}

function work(ledger: Ledger, draw: (n: number) => number, at: number): void {
  ledger.begin(at);
  for (let i = draw(30); i > 0; i -= 1) {
    const spec = CALL_TABLES[draw(CALL_TABLES.length)]!;
    const rows = [...ledger.rows(spec)];
    const row = rows[draw(Math.max(1, rows.length))];
    if (row === undefined || draw(3) > 0) ledger.insert(spec, values(spec, draw));
    else ledger.remove(spec, row);
  }
  ledger.commit();
  ledger.takeGroup();
}

test('a file of SQLite and an image hold the same after the same batches', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-parity-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'state.db');
  for (let seed = 1; seed <= 6; seed += 1) {
    rmSync(path, { force: true });
    const chance = seeded(seed);
    const draw = (n: number): number => below(chance, n);
    const ledger = new Ledger(CALL_TABLES, SIZES);
    const word = {
      epoch: seed,
      primary: true,
      peerStale: false,
      staleEpoch: 0,
      staleLsn: 0,
      led: 0,
    };
    const persister = new Persister(ledger, 0, word);
    const image = new Image();
    let file = new StateFile(path, CALL_TABLES, 'x');
    for (let turn = 1; turn <= 40; turn += 1) {
      work(ledger, draw, turn);
      if (draw(10) === 0) persister.reset();
      const out: PersistBatch[] = [];
      persister.turn(turn * 1000, draw(2) === 0, true, turn, turn, out);
      for (const batch of out) {
        image.apply(batch);
        file.apply(batch);
        persister.synced(batch.ticket);
      }
      if (draw(8) === 0) {
        file.close();
        file = new StateFile(path, CALL_TABLES, 'x');
        t.is(file.setAside, '');
      }
    }
    const digests = [file.load(5), image.load(5)].map((loaded) => {
      const twin = new Ledger(CALL_TABLES, SIZES);
      t.is(twin.applyOps(loaded.rows, 0, loaded.rows.length, true), undefined);
      t.deepEqual(loaded.box, image.box);
      return twin.tables.digests();
    });
    t.deepEqual(digests[0], digests[1]);
    t.deepEqual(digests[0], ledger.tables.digests());
    file.close();
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
  }
});
