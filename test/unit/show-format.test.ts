/**
 * What `show` prints, at 80 and at 40 columns: answers of a real pair, of a contact centre at work, of an
 * empty one, of a box in trouble. The whole text is the expected value: `SHOW_WRITE=1` writes it anew.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { ASKS, render, renderJson, type ShowName } from '../../src/panel/show/index.ts';
import { bytes, duration, pairs, table, utc, wrap } from '../../src/panel/show/kit.ts';
import { AT, BOX, IMAGE, PLAIN, QUIET, SAMPLES } from './show-samples.ts';

const VECTORS = join(import.meta.dirname, '../vectors/show');

type Sample = readonly [title: string, name: ShowName, answer: object];

/** `calls-mirrored.json` is an answer to `calls`; `status-*.json` are shown as `ha`. */
function recorded(): Sample[] {
  return readdirSync(VECTORS)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const answer = JSON.parse(readFileSync(join(VECTORS, file), 'utf8')) as object;
      const name = file.startsWith('status') ? 'ha' : file.replace(/(-mirrored)?\.json$/, '');
      return [file, name as ShowName, answer];
    });
}

function samples(): readonly Sample[] {
  const status = JSON.parse(readFileSync(join(VECTORS, 'status-primary.json'), 'utf8')) as object;
  const mute = { ...status, engineRole: 'does not answer', gate: undefined, monoNow: undefined };
  const box = (['alarms', 'history', 'system', 'leds', 'version'] as const).flatMap(
    (name): Sample[] => [
      [`${name} of a box in trouble`, name, BOX],
      [`${name} of a new box`, name, QUIET],
    ],
  );
  return [
    ...recorded(),
    ['leds of a board with three green lights', 'leds', PLAIN],
    ...Object.entries(SAMPLES).map(([name, a]): Sample => [`${name} at work`, name as ShowName, a]),
    ['ha, the engine does not answer', 'ha', { ...mute, peer: undefined }],
    ['interfaces', 'interfaces', { ...BOX, daemon: status }],
    ['interfaces while the service does not answer', 'interfaces', BOX],
    ['interfaces of a box that is not configured', 'interfaces', QUIET],
    ...box,
    ['image', 'image', IMAGE],
    ['image of a box without slots', 'image', { ok: true }],
    [
      'a fault',
      'calls',
      { error: 'control-unreachable', text: 'no box answers at /run/sipair/control.sock' },
    ],
  ];
}

for (const width of [80, 40]) {
  test(`everything at ${width} columns`, (t) => {
    const lines = samples().flatMap(([title, name, answer]) => {
      const said = render(name, answer, { width, now: AT });
      for (const line of said) {
        t.true(line.length <= width, `${title}: ${line}`);
        t.regex(line, /^[\x20-\x7e]*$/, `${title}: nothing that moves a cursor`);
        t.is(line, line.trimEnd(), title);
      }
      return [`== ${title}`, ...said];
    });
    const path = join(VECTORS, `golden-${width}.txt`);
    const text = `${lines.join('\n')}\n`;
    if (process.env['SHOW_WRITE'] === '1') writeFileSync(path, text);
    t.is(text, readFileSync(path, 'utf8'));
  });
}

test('every subject has a source and a formatter', (t) => {
  const shown = new Set(samples().map(([, name]) => name));
  for (const name of Object.keys(ASKS) as ShowName[]) {
    t.true(shown.has(name), `${name} has a sample`);
    t.is(ASKS[name].length, 2);
  }
});

test('| json is the answer itself', (t) => {
  t.deepEqual(JSON.parse(renderJson(IMAGE).join('\n')), IMAGE);
});

test('every formatter comes to an end, whatever width it is told', (t) => {
  for (const [title, name, answer] of samples()) {
    for (let width = -30; width <= 30; width += 1) {
      const said = render(name, answer, { width, now: AT });
      t.true(said.length > 0, title);
      for (const line of said) t.regex(line, /^[\x20-\x7e]*$/, title);
    }
  }
  const rows = [['one', 'two three']] as const;
  const columns = [{ head: 'a', value: (): string => 'some thing', least: 3, drop: 1 }];
  for (const width of [Number.NEGATIVE_INFINITY, -1, 0, 1, Number.NaN]) {
    t.is(wrap('some words of text', width).join('').replaceAll(' ', ''), 'somewordsoftext');
    t.is(pairs(rows, { width, now: AT }).length > 0, true);
    t.is(table(rows, columns, { width, now: AT }, 'none').length, 2);
  }
});

test('a table fits any width, and loses no row', (t) => {
  const cell = fc.string({ maxLength: 60, unit: 'binary' });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }),
      fc.integer({ min: 20, max: 200 }),
      (rows, width) => {
        const lines = table(
          rows,
          [
            { head: 'first', value: (r) => r[0], least: 4 },
            { head: 'second', value: (r) => r[1], least: 4, drop: 1 },
            { head: 'third', value: (r) => r[2], drop: 2, right: true },
          ],
          { width, now: AT },
          'none',
        );
        t.is(lines.length, rows.length === 0 ? 1 : rows.length + 1);
        return lines.every((line) => line.length <= width && /^[\x20-\x7e]*$/.test(line));
      },
    ),
  );
});

test('times and sizes as people say them', (t) => {
  t.is(utc(0), '1970-01-01 00:00:00');
  for (const at of [AT, 951_782_400_000, 4_107_542_399_000, 1_709_164_800_000]) {
    t.is(utc(at), new Date(at).toISOString().slice(0, 19).replace('T', ' '));
  }
  t.deepEqual([0, 999, 4200, 61_000, 90_061_000].map(duration), [
    '0 ms',
    '999 ms',
    '4.2 s',
    '00:01:01',
    '1d 01:01:01',
  ]);
  t.deepEqual([512, 1536, 5 * 1024 ** 3].map(bytes), ['512 B', '1.5 KiB', '5.0 GiB']);
});
