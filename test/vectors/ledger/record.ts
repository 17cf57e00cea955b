/**
 * Records what a release writes, so that every later release can be held to reading it:
 *
 *     node test/vectors/ledger/record.ts
 *
 * writes `test/vectors/ledger/VERSION/`: the table lists (`schema.json`), a journal (`records.bin`),
 * the frames of a snapshot (`snapshot.bin`), the database (`state.db`) and what all three must give
 * (`expected.json`). It is run once a release, on that release; what it wrote is never written again.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { below, seeded } from '../../../src/base/chance.ts';
import type { Fields, TableSpec, Values } from '../../../src/base/row.ts';
import { CALL_TABLES } from '../../../src/call/switch.ts';
import { StateFile } from '../../../src/edge/sqlite.ts';
import { encodeRows } from '../../../src/ledger/batch.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { Persister } from '../../../src/ledger/persister.ts';
import { FRAME, frame, positionFrame } from '../../../src/wire/frame.ts';

const PACKAGE = join(import.meta.dirname, '../../../package.json');
const VERSION = (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
const TURNS = 30;
const chance = seeded(1);
const draw = (n: number): number => below(chance, n);

function values(spec: TableSpec, n: number): Values<Fields> {
  const out: { [name: string]: unknown } = {};
  for (const [name, kind] of Object.entries(spec.fields)) {
    const dice = draw(4);
    if (kind === 'int') out[name] = [0, 7, 2 ** 32 - 1, 2 ** 53 - 1][dice];
    else if (kind === 'time') out[name] = [0, 1_790_000_000_123, 1, 2 ** 53 - 1][dice];
    else if (kind === 'flag') out[name] = dice > 1;
    else if (kind === 'text') out[name] = ['', 'a"b', 'z\u0000\u00ff\r\n', `k${n}`][dice];
    else out[name] = kind[dice % kind.length];
  }
  for (const [name, how] of Object.entries(spec.indexes)) if (how === 'unique') out[name] = `u${n}`;
  return out as Values<Fields>;
}

const ledger = new Ledger(CALL_TABLES, { ringBytes: 1 << 20, slabBytes: 1 << 16 });
const groups: Uint8Array[] = [];
ledger.reign(3, 1000);
for (let turn = 1; turn <= TURNS; turn += 1) {
  ledger.begin(1000 + turn);
  for (let i = 0; i < 6; i += 1) {
    const spec = CALL_TABLES[draw(CALL_TABLES.length)] as TableSpec;
    const rows = [...ledger.rows(spec)];
    const row = rows[draw(Math.max(1, rows.length))];
    const dice = draw(4);
    if (row === undefined || dice < 2) ledger.insert(spec, values(spec, turn * 10 + i));
    else if (dice === 2) ledger.remove(spec, row);
    else {
      const change = Object.entries(values(spec, turn * 10 + i));
      const fixed = Object.keys(spec.indexes);
      ledger.patch(spec, row, Object.fromEntries(change.filter(([n]) => !fixed.includes(n))));
    }
  }
  ledger.commit();
  const group = ledger.takeGroup();
  if (group !== undefined) groups.push(Uint8Array.from(group));
}

const folder = join(import.meta.dirname, VERSION);
if (existsSync(folder)) throw new Error(`${folder} is there: what a release wrote stays`);
mkdirSync(folder);
const schema = CALL_TABLES.map(({ name, number, fields, indexes, warm }) => {
  return { name, number, fields: Object.entries(fields), indexes, warm };
});
writeFileSync(join(folder, 'schema.json'), `${JSON.stringify(schema, null, 1)}\n`);
writeFileSync(join(folder, 'records.bin'), Buffer.concat(groups));
const chunks = ledger.tables.list.map((table) => {
  const rows = [...table.rows.values()];
  return frame(FRAME.chunk, encodeRows(ledger.tables, table.compiled.number, rows));
});
const end = positionFrame(FRAME.snapshotEnd, ledger.position());
writeFileSync(join(folder, 'snapshot.bin'), Buffer.concat([...chunks, end]));

const db = join(folder, 'state.db');
const file = new StateFile(db, CALL_TABLES, 'x');
const word = { epoch: 3, primary: true, peerStale: true, staleEpoch: 2, staleLsn: 9, led: 0 };
const persister = new Persister(ledger, 0, word);
const batches: Parameters<StateFile['apply']>[0][] = [];
persister.turn(1, true, true, 1_790_000_000_000, 1_790_000_000_001, batches);
for (const batch of batches) file.apply(batch);
file.close();
for (const suffix of ['-wal', '-shm']) rmSync(db + suffix, { force: true });

const rows = ledger.tables.list.map((table) => {
  const plain = [...table.rows.values()].map((row) =>
    Object.fromEntries(['id', ...table.compiled.names].map((name) => [name, row[name]])),
  );
  return [table.compiled.spec.name, plain] as const;
});
const expected = {
  position: ledger.position(),
  digests: ledger.tables.digests(),
  nextIds: ledger.tables.nextIds(),
  rows: Object.fromEntries(rows),
};
writeFileSync(join(folder, 'expected.json'), `${JSON.stringify(expected)}\n`);
