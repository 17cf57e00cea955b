/** Bans, each with its replacement, and the sizes of things. */

import test from 'ava';
import { codeOnly, sources } from './source.ts';

const BELOW_EDGE =
  /^src\/(base|sip-parser|wire|proto|ledger|call|pair|media|cti|panel|node|input|effect|service|status)\b/;

const BANS: readonly { readonly banned: RegExp; readonly instead: string }[] = [
  { banned: /\bDate\.now\b|\bnew Date\b/, instead: 'the `now` argument' },
  { banned: /\bperformance\.now\b|\bhrtime\b/, instead: 'the `now` argument' },
  { banned: /\bMath\.random\b|\brandomBytes\b|\brandomFill|\brandomUUID\b/, instead: 'Chance' },
  { banned: /\bset(Timeout|Interval|Immediate)\b/, instead: 'a field of kind time and a deadline' },
  { banned: /\bprocess\./, instead: 'an argument' },
  { banned: /\basync\b|\bawait\b|\bPromise\b/, instead: 'a synchronous step' },
  { banned: /\bconsole\./, instead: 'a log effect' },
];

const EVERYWHERE: readonly { readonly banned: RegExp; readonly instead: string }[] = [
  { banned: /\benum\s+[A-Z]/, instead: 'a union of string literals' },
  { banned: /\bexport default\b/, instead: 'a named export' },
  { banned: /:\s*any\b|\bas any\b|<any>/, instead: 'unknown, or the type' },
  { banned: /@ts-ignore|@ts-nocheck|@ts-expect-error/, instead: 'the right type' },
];

for (const file of sources('src')) {
  test(`bans hold in ${file.path}`, (t) => {
    const code = codeOnly(file.text);
    for (const { banned, instead } of EVERYWHERE) t.notRegex(code, banned, `use ${instead}`);
    if (BELOW_EDGE.test(file.path)) {
      for (const { banned, instead } of BANS) t.notRegex(code, banned, `use ${instead}`);
    }
    t.regex(file.text, /^\s*(\/\*\*|\/\/)/, 'a file says at its top why it exists');
  });
}

const FILE_LINES = 560;
const LINE_COLUMNS = 140;

for (const file of [...sources('src'), ...sources('test')]) {
  test(`${file.path} has a readable size`, (t) => {
    const lines = file.text.split('\n');
    t.true(lines.length <= FILE_LINES, `${lines.length} lines: a room that is two rooms`);
    for (const [i, line] of lines.entries()) {
      t.true(line.length <= LINE_COLUMNS, `line ${i + 1} has ${line.length} columns`);
    }
  });
}

test('no test is skipped, focused or left to do', (t) => {
  for (const file of sources('test')) {
    t.notRegex(codeOnly(file.text), /\btest(\.serial)?\.(skip|only|todo|failing)\b/, file.path);
  }
});
