/** The file of CDRs of a box, and what an operator gets of it. */

import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { CdrFile, cdrFiles } from '../../src/edge/cdr-file.ts';
import { csvField, reportCdrs } from '../../src/edge/cdr-report.ts';

const DAY = 86_400_000;
const AT = Date.UTC(2026, 10, 26, 12);

function guid(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

function record(n: number, at = AT, called = '1002', userData?: object): string {
  const device = (name: string, start: number): object => ({
    what: 'device',
    device: name,
    side: 'called',
    start,
    answer: 0,
    end: at,
    cause: 'normalClearing',
  });
  const log = [device(called, at - 5), device('1001', at - 9), { what: 'queue', queue: '6001' }];
  const rest = {
    kind: 'internal',
    calling: '1001',
    called,
    start: at - 9,
    answer: at - 4,
    end: at,
  };
  const data = userData === undefined ? {} : { userData };
  const line = { callId: n, guid: guid(n), ...rest, cause: 'normalClearing', log, ...data };
  return `${guid(n)} ${at}\n${JSON.stringify(line)}`;
}

function fresh(): { folder: string; file: () => CdrFile; told: string[]; lines: () => string[] } {
  const root = mkdtempSync(join(tmpdir(), 'sipair-cdrs-'));
  const folder = join(root, 'cdr');
  const told: string[] = [];
  return {
    folder,
    told,
    file: () => new CdrFile(folder, (level, text) => told.push(`${level}: ${text}`)),
    lines: () =>
      cdrFiles(folder).flatMap((n) => readFileSync(join(folder, n), 'latin1').split(/(?<=\n)/)),
  };
}

const numbers = (lines: readonly string[]): number[] => lines.map((l) => JSON.parse(l).callId);

test('a line a call, a file a day, times as text, devices in the order they came', (t) => {
  const { file, folder, lines } = fresh();
  const f = file();
  f.take([record(1), record(2), record(3, AT + DAY)]);
  t.true(f.work());
  t.deepEqual(cdrFiles(folder), ['2026-11-26.jsonl', '2026-11-27.jsonl']);
  t.deepEqual(numbers(lines()), [1, 2, 3]);
  const first = JSON.parse(lines()[0] as string);
  t.is(first.end, '2026-11-26T12:00:00.000Z');
  t.deepEqual(
    first.devices.map((d: { device: string }) => d.device),
    ['1001', '1002'],
  );
  t.is(first.devices[0].answer, null);
  t.deepEqual(first.passed, [{ what: 'queue', queue: '6001' }]);
  rmSync(folder, { recursive: true });
});

test('said again it is not written again, whether this process wrote it or the one before', (t) => {
  const { file, folder, lines } = fresh();
  const f = file();
  f.take([record(1), record(2), record(1)]);
  f.work();
  f.take([record(2)]);
  f.work();
  const next = file();
  next.take([record(1), record(2), record(3)]);
  next.work();
  t.deepEqual(numbers(lines()), [1, 2, 3]);
  rmSync(folder, { recursive: true });
});

test('a call that another one names in its user data is written', (t) => {
  const { file, folder, lines } = fresh();
  const f = file();
  f.take([record(1, AT, '1002', { guid: guid(2), callId: '{"callId":3,"guid":"' })]);
  f.work();
  const next = file();
  next.prepare();
  next.take([record(2), record(1)]);
  next.work();
  t.deepEqual(numbers(lines()), [1, 2]);
  rmSync(folder, { recursive: true });
});

test('what was written is known in long files, and beside those of a clock that was wrong', (t) => {
  const { file, folder, lines } = fresh();
  const long = { text: 'x'.repeat(30_000) };
  const all = Array.from({ length: 1500 }, (_, n) => record(n + 1, AT, '1002', long));
  const f = file();
  f.take(all);
  f.take([record(2001, AT + 400 * DAY), record(2002, AT + 401 * DAY)]);
  f.work();
  const next = file();
  next.take(all);
  next.take([record(2001, AT + 400 * DAY)]);
  next.work();
  t.is(lines().length, 1502);
  rmSync(folder, { recursive: true });
});

test('a line that a crash cut off is taken away and written whole', (t) => {
  const { file, folder, lines } = fresh();
  const f = file();
  f.take([record(1)]);
  f.work();
  appendFileSync(join(folder, '2026-11-26.jsonl'), `{"callId":2,"guid":"${guid(2)}","kin`);
  const next = file();
  next.take([record(2)]);
  next.work();
  t.deepEqual(numbers(lines()), [1, 2]);
  rmSync(folder, { recursive: true });
});

test('what cannot be written waits, with one alarm, and is written when it can be', (t) => {
  const { file, folder, lines, told } = fresh();
  // where the folder should be there is something else
  writeFileSync(folder, '');
  const f = file();
  for (let n = 1; n <= 3; n += 1) {
    f.take([record(n)]);
    t.false(f.work());
  }
  t.is(told.length, 1);
  t.is(f.backlog, 3);
  t.regex(told[0] ?? '', /^alarm: cdr: /);
  rmSync(folder);
  t.true(f.work());
  t.is(f.backlog, 0);
  t.deepEqual(numbers(lines()), [1, 2, 3]);
  t.is(told.at(-1), 'info: cdr: lines are written again');
  rmSync(folder, { recursive: true });
});

test('more than may wait is said to be missing', (t) => {
  const { file, folder, told } = fresh();
  writeFileSync(folder, '');
  const f = file();
  f.take(new Array(LIMITS.cdrWaiting).fill(record(1)));
  f.take([record(2), record(3)]);
  f.work();
  rmSync(folder);
  t.true(f.work());
  t.is(told.at(-1), 'alarm: cdr: 2 lines are missing until this box restarts');
  rmSync(folder, { recursive: true });
});

test('the oldest files make room', (t) => {
  const { file, folder } = fresh();
  mkdirSync(folder);
  for (let i = 1; i <= LIMITS.cdrFiles + 5; i += 1) {
    const name = new Date(AT - i * DAY).toISOString().slice(0, 10);
    writeFileSync(join(folder, `${name}.jsonl`), '');
  }
  const f = file();
  f.take([record(1)]);
  f.work();
  t.is(cdrFiles(folder).length, LIMITS.cdrFiles + 1);
  t.is(cdrFiles(folder).at(-1), '2026-11-26.jsonl');
  rmSync(folder, { recursive: true });
});

test('RFC 4180 as CSV: a header, CRLF, quotes where they must be; since a moment', async (t) => {
  const { file, folder } = fresh();
  const f = file();
  f.take([record(1, AT - DAY), record(2, AT, 'a,"b"'), record(3, AT + 1000)]);
  f.work();
  appendFileSync(join(folder, '2026-11-26.jsonl'), '{"cut');
  const out: string[] = [];
  const bad = await reportCdrs(folder, { csv: true, since: '2026-11-26T12:00:00Z' }, (x) => {
    out.push(x);
  });
  t.is(bad, 1);
  t.is(out.length, 3);
  t.true(out[0]?.startsWith('guid,kind,calling,called,start,answer,end,cause,seconds,devices,'));
  t.true(out[1]?.startsWith(`${guid(2)},internal,1001,"a,""b""",2026-11-26T11:59:59.991Z,`));
  t.true(out.every((line) => line.endsWith('\r\n')));
  const json: string[] = [];
  await reportCdrs(folder, { csv: false, since: '' }, (x) => void json.push(x));
  t.deepEqual(numbers(json), [1, 2, 3]);
  rmSync(folder, { recursive: true });
});

test('a box that has no calls yet has none', async (t) => {
  const out: string[] = [];
  t.is(await reportCdrs('/nonexistent/cdr', { csv: false, since: '' }, (x) => void out.push(x)), 0);
  t.deepEqual(out, []);
});

test('CSV: what a spreadsheet would run is a text; numbers are as they are', (t) => {
  const formulas = ['=cmd|x', '@SUM(A1)', '\tx', '-1+cmd|x', '+1+cmd|x', '-x', '+A1'];
  for (const text of formulas) t.is(csvField(text), `'${text}`);
  t.is(csvField('=1,"2"'), `"'=1,""2"""`);
  t.is(csvField('\r=1'), `"'\r=1"`);
  for (const text of ['+4930123456', '+49 (30) 12-34', '-1', '-0.5', '1001', 'a=b', '', '*5']) {
    t.is(csvField(text), text);
  }
  t.is(csvField(-3), '-3');
});
