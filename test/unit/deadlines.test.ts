/** The calendar of rows: what is due comes out in order, and no more of it at once than is asked for. */

import test from 'ava';
import { Deadlines } from '../../src/base/deadlines.ts';
import { NEVER } from '../../src/base/units.ts';

type Row = { readonly name: number; $due: number };

test('a crowd due at one moment comes out in portions, oldest first, each row once', (t) => {
  const calendar = new Deadlines<Row>();
  const rows = Array.from({ length: 1000 }, (_, name): Row => ({ name, $due: NEVER }));
  for (const row of rows) calendar.arm(row, 100);
  const late: Row = { name: 1000, $due: NEVER };
  calendar.arm(late, 200);
  const seen: number[] = [];
  let turns = 0;
  while (calendar.next() <= 100) {
    const out: Row[] = [];
    calendar.due(100, out, 300);
    t.true(out.length <= 300);
    seen.push(...out.map((row) => row.name));
    turns += 1;
  }
  t.is(turns, 4);
  t.deepEqual(
    seen,
    rows.map((row) => row.name),
  );
  t.is(calendar.entries, 1);
  t.is(calendar.next(), 200);
});

test('a row that moved while it waited for its portion is not due', (t) => {
  const calendar = new Deadlines<Row>();
  const rows = Array.from({ length: 4 }, (_, name): Row => ({ name, $due: NEVER }));
  for (const row of rows) calendar.arm(row, 100);
  const out: Row[] = [];
  calendar.due(100, out, 2);
  calendar.arm(rows[2] as Row, 500);
  calendar.due(100, out, 2);
  t.deepEqual(
    out.map((row) => row.name),
    [0, 1, 3],
  );
});

test('what is far off comes out at its moment, and next() leads there', (t) => {
  const calendar = new Deadlines<Row>();
  const start = 1_790_000_000_000;
  calendar.clear(start);
  const moments = [1000, 65_536, 70_000, 900_000, 900_000, 3_600_000, 86_400_000];
  const rows = moments.map((_, name): Row => ({ name, $due: NEVER }));
  for (const row of rows) calendar.arm(row, start + (moments[row.name] as number));
  const seen: [number, number][] = [];
  for (let looks = 0; calendar.next() !== NEVER; looks += 1) {
    t.true(looks < 40);
    const now = calendar.next();
    const out: Row[] = [];
    calendar.due(now, out);
    for (const row of out) seen.push([row.name, now - start]);
  }
  t.deepEqual(
    seen.map(([name]) => name),
    rows.map((row) => row.name),
  );
  for (const [name, at] of seen) {
    const late = at - (moments[name] as number);
    t.true(late >= 0 && late <= 4, `${name} is ${late} ms late`);
  }
  t.is(calendar.entries, 0);
});

test('of what was far off and moved, or went, nothing comes out, and no crowd of it is kept', (t) => {
  const calendar = new Deadlines<Row>();
  for (let name = 0; name < 10_000; name += 1) {
    const row: Row = { name, $due: NEVER };
    calendar.arm(row, 900_000);
    calendar.arm(row, NEVER);
  }
  t.true(calendar.entries <= 128, `${calendar.entries} entries`);
  const row: Row = { name: 1, $due: NEVER };
  calendar.arm(row, 900_000);
  calendar.arm(row, 500_000);
  calendar.arm(row, 900_000);
  const out: Row[] = [];
  calendar.due(899_000, out);
  t.deepEqual(out, []);
  calendar.due(900_000, out);
  t.deepEqual(out, [row]);
  t.is(calendar.entries, 0);
});
