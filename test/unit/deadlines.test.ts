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
