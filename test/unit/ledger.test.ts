import test from 'ava';
import fc from 'fast-check';
import { seeded } from '../../src/base/chance.ts';
import { Deadlines } from '../../src/base/deadlines.ts';
import { table } from '../../src/base/row.ts';
import { NEVER } from '../../src/base/units.ts';
import { takeRows } from '../../src/ledger/batch.ts';
import { diffTables } from '../../src/ledger/diff.ts';
import { Image } from '../../src/ledger/image.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { samePosition } from '../../src/ledger/record.ts';
import { FRAME_HEADER } from '../../src/wire/frame.ts';

const PET = table({
  name: 'pet',
  about: 'A table for tests.',
  number: 7,
  fields: {
    name: 'text',
    kind: ['cat', 'dog', 'bird'],
    age: 'int',
    bornAt: 'time',
    tame: 'flag',
    owner: 'int',
    wakeAt: 'time',
  },
  indexes: { name: 'unique', owner: 'many' },
  deadline: (row) => (row.wakeAt === 0 ? NEVER : row.wakeAt),
  warm: true,
});

const SIZES = { ringBytes: 1 << 20, slabBytes: 1 << 12 };
const make = (): Ledger => new Ledger([PET], SIZES);

function write(l: Ledger, at: number, change: () => void): void {
  l.begin(at);
  change();
  l.commit();
}

function follow(from: Ledger, to: Ledger): void {
  const group = from.takeGroup();
  if (group !== undefined) {
    const wrong = to.apply(group, FRAME_HEADER, group.length);
    if (wrong !== undefined) throw new Error(wrong.fault);
  }
}

test('a new primary has its rows in the order of their birth, however it was filled', (t) => {
  const a = make();
  const b = make();
  write(a, 1, () => {
    for (let i = 1; i <= 4; i += 1) a.insert(PET, { name: `p${i}`, owner: i % 2, kind: 'cat' });
  });
  write(a, 2, () => {
    for (let i = 5; i <= 8; i += 1) a.insert(PET, { name: `p${i}`, owner: i % 2, kind: 'dog' });
  });
  follow(a, b);
  // the elder ones come after the younger ones, as while a snapshot is sent
  const elders = b.tables.of(PET);
  for (const id of [1, 3]) {
    const row = elders.rows.get(id) as never;
    elders.drop(row);
    elders.add(Object.assign(row, { $gone: false }));
  }
  const ids = (l: Ledger) => [...l.rows(PET)].map((row) => row.id);
  const found = (l: Ledger) => l.all(PET, 'owner', 1).map((row) => row.id);
  t.deepEqual(ids(b), [2, 4, 5, 6, 7, 8, 1, 3]);
  t.deepEqual(found(b), [5, 7, 1, 3]);
  b.arm();
  t.deepEqual(ids(b), ids(a));
  t.deepEqual(found(b), found(a));
  t.is(b.find(PET, 'name', 'p3')?.id, 3);
});

test('a transaction that changes nothing makes no record', (t) => {
  const l = make();
  l.begin(5);
  t.false(l.commit());
  t.is(l.lsn, 0);
  t.is(l.takeGroup(), undefined);
});

test('rows, indexes and digests follow the journal to the backup', (t) => {
  const a = make();
  const b = make();
  write(a, 1, () => {
    const row = a.insert(PET, { name: 'tom', kind: 'dog', age: 3, tame: true, owner: 9 });
    a.patch(PET, row, { age: 4, bornAt: 1_790_000_000_123, kind: 'cat' });
    a.insert(PET, { name: 'x'.repeat(300), owner: 9 });
  });
  write(a, 2, () => a.patch(PET, a.find(PET, 'name', 'tom')!, { tame: false, age: 2 ** 53 - 1 }));
  follow(a, b);
  t.true(samePosition(a.position(), b.position()));
  t.deepEqual(a.tables.digests(), b.tables.digests());
  t.like(b.find(PET, 'name', 'tom'), { age: 2 ** 53 - 1, kind: 'cat', tame: false });
  t.is(b.all(PET, 'owner', 9).length, 2);
  write(a, 3, () => a.remove(PET, a.find(PET, 'name', 'tom')!));
  follow(a, b);
  t.is(b.find(PET, 'name', 'tom'), undefined);
  t.is(b.all(PET, 'owner', 9).length, 1);
  t.is(b.tables.of(PET).nextId, a.tables.of(PET).nextId);
});

test('a changed, missing or repeated record is a fault, never a throw', (t) => {
  const a = make();
  const groups: Uint8Array[] = [];
  for (let i = 0; i < 3; i += 1) {
    write(a, i, () => a.insert(PET, { name: `p${i}` }));
    groups.push(Uint8Array.from(a.takeGroup()!));
  }
  const [one, two, three] = groups as [Uint8Array, Uint8Array, Uint8Array];
  const flipped = Uint8Array.from(two);
  flipped[flipped.length - 1]! ^= 1;
  const cases: [string, Uint8Array[]][] = [
    ['record-chain', [one, three]],
    ['record-chain', [one, one]],
    ['record-chain', [one, flipped]],
    ['record-short', [one, two.subarray(0, two.length - 1)]],
  ];
  for (const [code, frames] of cases) {
    const b = make();
    const faults = frames
      .map((f) => b.apply(f, FRAME_HEADER, f.length))
      .filter((f) => f !== undefined);
    t.deepEqual(
      faults.map((f) => f.fault),
      [code],
    );
  }
});

test('random bytes in place of operations never throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      make().applyOps(bytes, 0, bytes.length, true);
      return true;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a difference is told in words: the row, the field, both values', (t) => {
  const a = make();
  const b = make();
  write(a, 1, () => {
    a.insert(PET, { name: 'tom', kind: 'dog', age: 3 });
    a.insert(PET, { name: `pip\r\n${'x'.repeat(60)}` });
  });
  follow(a, b);
  t.deepEqual(diffTables(a.tables, b.tables), []);
  write(b, 2, () => {
    b.patch(PET, b.find(PET, 'name', 'tom')!, { kind: 'bird', age: 4, tame: true });
    b.insert(PET, { name: 'new' });
  });
  write(a, 2, () => a.insert(PET, { name: 'mine' }));
  b.tables.of(PET).rows.delete(2);
  t.deepEqual(diffTables(a.tables, b.tables), [
    "pet 1: kind 'dog' → 'bird', age 3 → 4, tame false → true",
    'pet 2: only in the first',
    "pet 3: name 'mine' → 'new'",
  ]);
});

test('the ring knows a position by its chain', (t) => {
  const a = make();
  const positions = [a.position()];
  for (let i = 0; i < 20; i += 1) {
    write(a, i, () => a.insert(PET, { name: `p${i}` }));
    positions.push(a.position());
    if (i % 3 === 0) a.takeGroup();
  }
  a.takeGroup();
  const head = a.position();
  for (const p of positions) {
    t.true(a.ring.holds(p, head), `lsn ${p.lsn}`);
    t.false(a.ring.holds({ ...p, chain: p.chain ^ 1 }, head), `foreign ${p.lsn}`);
    const b = make();
    let at = positions[0]!;
    // bring b to p, then let it catch up
    for (let next = a.ring.next(at); next !== undefined && at.lsn < p.lsn; next = a.ring.next(at)) {
      b.apply(next.records, 0, next.records.length);
      at = next.after;
    }
    let more = a.ring.next(b.position());
    while (more !== undefined) {
      t.is(b.apply(more.records, 0, more.records.length), undefined);
      more = a.ring.next(b.position());
    }
    t.deepEqual(b.tables.digests(), a.tables.digests());
  }
});

test('random histories: backup, disk image and rebuilt indexes agree with the primary', (t) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const chance = seeded(seed);
      const a = make();
      const b = make();
      const image = new Image();
      const persist = (l: Ledger): void => {
        const bytes = Uint8Array.from(takeRows(l.tables, false));
        image.apply({
          ticket: 1,
          bytes,
          durable: false,
          reset: false,
          setAside: 0,
          box: undefined as never,
        });
      };
      let n = 0;
      for (let turn = 0; turn < 60; turn += 1) {
        write(a, turn, () => {
          for (let i = chance.u32() % 4; i > 0; i -= 1) {
            const rows = [...a.rows(PET)];
            const row = rows[chance.u32() % Math.max(1, rows.length)];
            const dice = chance.u32() % 3;
            n += 1;
            if (row === undefined || dice === 0) {
              a.insert(PET, { name: `n${n}`, owner: chance.u32() % 5, age: chance.u32() });
            } else if (dice === 1) a.patch(PET, row, { age: chance.u32(), bornAt: turn });
            else a.remove(PET, row);
          }
        });
        if (turn % 2 === 0) follow(a, b);
        if (chance.u32() % 5 === 0) persist(b);
      }
      follow(a, b);
      persist(b);
      const c = make();
      const loaded = image.load(0).rows;
      c.applyOps(loaded, 0, loaded.length, true);
      t.deepEqual(a.tables.digests(), b.tables.digests());
      t.deepEqual(c.tables.digests(), a.tables.digests());
      for (const index of b.tables.of(PET).rebuiltIndexes()) {
        const kept = b.tables.of(PET).index(index.field);
        t.deepEqual([...kept.map.keys()].sort(), [...index.map.keys()].sort());
      }
    }),
    { numRuns: 50 },
  );
});

test('rows that come and go pile up neither for a disk that stalls nor in the calendar', (t) => {
  const l = make();
  l.arm();
  for (let i = 0; i < 40_000; i += 1) {
    write(l, i, () => l.insert(PET, { name: `n${i}`, wakeAt: 1e12 + i * 5 }));
    const row = l.find(PET, 'name', `n${i}`)!;
    write(l, i, () => l.patch(PET, row, { wakeAt: 2e12 + i * 5 }));
    if (i >= 10) write(l, i, () => l.remove(PET, l.find(PET, 'name', `n${i - 10}`)!));
    if (i % 100 === 0) {
      l.takeGroup();
      l.due(i, []);
    }
  }
  t.true(l.tables.of(PET).dirty.length < 2000, `${l.tables.of(PET).dirty.length} for the disk`);
  t.true(l.deadlines.entries < 20_000, `${l.deadlines.entries} in the calendar`);
  const due: { id: number }[] = [];
  l.due(3e12, due as never);
  t.deepEqual(
    due.map((r) => r.id).sort((x, y) => x - y),
    [...l.rows(PET)].map((r) => r.id),
    'and none is lost',
  );
});

test('the calendar gives every row once, not before its moment', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 50 }), (moments) => {
      const d = new Deadlines<{ $due: number; n: number }>();
      const rows = moments.map((_, n) => ({ $due: NEVER as number, n }));
      rows.forEach((row, i) => {
        d.arm(row, 1000);
        d.arm(row, moments[i]!);
      });
      const seen: number[] = [];
      const due: typeof rows = [];
      for (let now = 0; now <= 510; now += 1) {
        d.due(now, due);
        for (const row of due) {
          if (moments[row.n]! > now || moments[row.n]! < now - 8) throw new Error('off time');
          seen.push(row.n);
        }
        due.length = 0;
      }
      t.is(new Set(seen).size, seen.length);
      t.is(seen.length, moments.length);
    }),
  );
});
