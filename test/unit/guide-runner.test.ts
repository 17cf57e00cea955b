/** The runner of the operator's guide itself: what it takes from a page, and that it can fail. */

import test from 'ava';
import { type GuideConsole, patternOf, runGuide, stepsOf } from '../console/guide.ts';

const PAGE = `# A page

Words.

\`\`\`serial a
Name of this box: › ward-a
…
code: <code>
same? [y/n] › y
\`\`\`

\`\`\`sh
not › ours
\`\`\`

\`\`\`serial b
code:   <code>
\`\`\`
`;

/** A console that shows `texts`, one after each thing typed. */
function shows(...texts: string[]): GuideConsole & { readonly typed: string[] } {
  let screen = texts.shift() ?? '';
  const typed: string[] = [];
  return {
    typed,
    expect: async (what, name) => {
      const found = what.exec(screen);
      if (found === null) throw new Error(`${name}; there is: ${screen}`);
      screen = screen.slice(found.index + found[0].length);
      return found;
    },
    type: async (text) => {
      typed.push(text);
      screen += texts.shift() ?? '';
    },
  };
}

test('a prompt of a page has any number of alarms, and nothing else besides', (t) => {
  const { pattern } = patternOf('north-b (backup, in step)> ', new Map());
  for (const alarms of ['', ', 1 alarm', ', 12 alarms']) {
    t.regex(`north-b (backup, in step${alarms})> `, pattern);
  }
  t.notRegex('north-b (backup, in step, updating, 1 alarm)> ', pattern);
});

test('a page is what is seen and what is typed, box by box', (t) => {
  t.deepEqual(
    stepsOf(PAGE).map((s) => `${s.line} ${s.box} ${s.kind} ${s.text}`),
    [
      '6 a see Name of this box:',
      '6 a type ward-a',
      '8 a see code: <code>',
      '9 a see same? [y/n]',
      '9 a type y',
      '17 b see code:   <code>',
    ],
  );
  t.throws(() => stepsOf('```serial\nx\n```'), { message: /line 1/ });
  t.throws(() => stepsOf('```serial a\nx'), { message: /no end/ });
});

test('a placeholder is anything once, and the same afterwards', async (t) => {
  const a = shows('Name of this box: ', 'hello\r\ncode: 123 456\r\nsame? [y/n] ', '');
  const run = await runGuide(
    PAGE,
    new Map([
      ['a', a],
      ['b', shows('code: 123 456\r\n')],
    ]),
    () => {},
  );
  t.is(run.known.get('code'), '123 456');
  t.deepEqual(a.typed, ['ward-a', 'y']);
  const again = shows('Name of this box: ', 'code: 123 456\r\nsame? [y/n] ', '');
  const other = new Map([
    ['a', again],
    ['b', shows('code: 123 457\r\n')],
  ]);
  await t.throwsAsync(
    runGuide(PAGE, other, () => {}),
    { message: /line 17/ },
  );
  await t.throwsAsync(
    runGuide(PAGE, new Map([['a', shows('Name?')]]), () => {}),
    {
      message: /line 6/,
    },
  );
});

test('what a page shows is meant as it stands', (t) => {
  const matches = (text: string, screen: string): boolean =>
    patternOf(text, new Map()).pattern.test(screen);
  t.true(matches('cost (1.5) [y]', 'the cost  (1.5)\t[y]'));
  t.false(matches('1.5', '145'));
  t.true(matches('in service … ok', 'in service since noon: ok'));
});
