/** What is looked for behind `match`: the words of regular expressions, in time linear in the text. */

import test from 'ava';
import fc from 'fast-check';
import { EXPRESSION_MAX, expression, search } from '../../src/panel/expression.ts';

function finds(pattern: string, text: string): boolean {
  const e = expression(pattern);
  if (typeof e === 'string') throw new Error(`${pattern}: ${e}`);
  return e.test(text);
}

/** Expression, a text it is in, a text it is not in. */
const WORDS: readonly (readonly [pattern: string, inIt: string, notIn: string])[] = [
  ['alarm', 'an ALARM is raised', 'a larm'],
  ['ALARM', 'an alarm is raised', 'arm'],
  ['^north', 'north-a is up', 'a north'],
  ['down$', 'link DOWN', 'down again'],
  ['a.*b', 'xaxxb', 'b a'],
  ['a.b', 'a-b', 'ab'],
  ['\\(x\\)+', 'f(x)))', 'fx'],
  ['[*+]', '2+2', '2-2'],
  ['[^a-c]', 'abd', 'abcABC'],
  ['[a\\]-]', 'x]', 'x['],
  ['[a-]', '-', 'b'],
  ['[\\d-f]', '-', 'e'],
  ['10\\d\\d|20\\d\\d', 'call 2077', 'call 3077'],
  ['\\b100\\b', 'to 100.', 'to 1001'],
  ['\\B0', '10', '0'],
  ['\\w+@\\S+', 'sip:1001@host', 'sip: @ host'],
  ['\\W\\D\\s', '- \t', '-1 '],
  ['(ab){2}c', 'xababc', 'abc'],
  ['(?:ab|cd)+$', 'abcdcd', 'abcdc'],
  ['a{2,3}b', 'aab', 'ab'],
  ['^a{2,}?$', 'aaaa', 'a'],
  ['^(a|b?)*c$', 'abbac', 'abdc'],
  ['{"id":1}', '{"ID":1}', '{"id":11}'],
  ['x{', 'x{', 'x'],
  ['grün', 'GRÜN', 'grun'],
  ['', '', ''],
];

for (const [pattern, inIt, notIn] of WORDS) {
  test(`expression: ${pattern}`, (t) => {
    t.true(finds(pattern, inIt), inIt);
    if (pattern !== '') t.false(finds(pattern, notIn), notIn);
    t.is(new RegExp(pattern, 'i').test(notIn), finds(pattern, notIn), 'as everybody knows it');
  });
}

const REFUSED: readonly (readonly [pattern: string, why: RegExp])[] = [
  ['[a', /a \[ without its \]/],
  ['[]', /nothing stands in/],
  ['[z-a]', /wrong way round/],
  ['(a', /a \( without its \)/],
  ['a)', /a \) without its \(/],
  ['*a', /nothing to repeat/],
  ['^*', /nothing to repeat/],
  ['a**', /one repetition behind the other/],
  ['a{3,2}', /wrong way round/],
  ['a{1001}', /too many/],
  ['(a{60}){60}', /too large/],
  ['(((((a{1,9}){1,9}){1,9}){1,9}){1,9}){1,9}', /too large/],
  ['(a)\\1', /references back/],
  ['(?=a)', /only \( with a \?/],
  ['(?<n>a)', /only \( with a \?/],
  ['\\p', /not known/],
  ['a\\', /nothing stands behind/],
  ['x'.repeat(EXPRESSION_MAX + 1), /longer than/],
];

for (const [pattern, why] of REFUSED) {
  test(`refused with a reason: ${pattern.slice(0, 50)}`, (t) => {
    const e = expression(pattern);
    t.regex(typeof e === 'string' ? e : 'accepted', why);
  });
}

const { part } = fc.letrec<{ part: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      'a',
      'b',
      'B',
      '-',
      '.',
      '[ab]',
      '[^a]',
      '\\w',
      '\\W',
      '\\b',
      '\\B',
      '^',
      '$',
      '()',
    ),
    fc.tuple(tie('part'), tie('part')).map(([x, y]) => x + y),
    fc.tuple(tie('part'), tie('part')).map(([x, y]) => `(${x}|${y})`),
    fc
      .tuple(tie('part'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,}', '*?', '{0}'))
      .map(([x, often]) => `(?:${x})${often}`),
  ),
}));

test('any expression finds what the usual one finds', (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'A', 'b', '-', ' '), maxLength: 8 });
  fc.assert(
    fc.property(part, fc.array(text, { minLength: 1, maxLength: 8 }), (pattern, texts) => {
      const mine = expression(pattern);
      if (typeof mine === 'string') {
        t.regex(mine, /longer than|too large/, pattern);
        return;
      }
      const usual = new RegExp(pattern, 'i');
      for (const one of texts) t.is(mine.test(one), usual.test(one), `${pattern} in '${one}'`);
    }),
    { numRuns: 1500 },
  );
});

test('any text is an expression or is refused, at once', (t) => {
  const c = fc.constantFrom(...'ab()[]{}*+?|^$.,19-\\:dwb'.split(''));
  fc.assert(
    fc.property(fc.string({ unit: c, maxLength: 60 }), (pattern) => {
      const e = expression(pattern);
      if (typeof e === 'string') t.not(e, '');
      else {
        // what is accepted is an expression elsewhere too, and means the same
        const usual = new RegExp(pattern, 'i');
        t.is(e.test('ab1'), usual.test('ab1'), pattern);
      }
    }),
    { numRuns: 3000 },
  );
});

/** Each would keep a usual matcher busy for longer than anybody waits. */
const LONG: readonly string[] = [
  `${'.?'.repeat(20)}!!`,
  '.*.*.*.*.*x!',
  '(a+)+$',
  '(a|a)*b',
  '(a*)*b',
  '((a?){50}){2}b',
  '(((){1000}){1000}){1000}b',
];

for (const pattern of LONG) {
  test(`one pass over the text, whatever is asked: ${pattern}`, (t) => {
    // a matcher that tries one way after the other does not come back from this
    t.false(finds(pattern, `${'a'.repeat(20_000)}-`));
  });
}

test('a search that takes too long is given up, and says how far it came', (t) => {
  const e = expression(`x${'.?'.repeat(40)}!!`);
  if (typeof e === 'string') return t.fail(e);
  const line = 'x'.repeat(2000);
  const lines = Array.from({ length: 5000 }, () => line);
  const { lines: kept, unread } = search(lines, e, false, 2000);
  t.true(unread > 0 && kept.length > 0);
  t.is(kept.length + unread, 5000);
  // what it cost is not taken from the next search
  t.is(search(lines.slice(0, 5), e, false, 2000).unread, 0);
  return undefined;
});

test('a usual search through a long answer is never given up', (t) => {
  const lines = Array.from(
    { length: 20_000 },
    (_, i) =>
      `2026-11-27T10:00:00+00:00 north-a sipair[412]: alarm raised: trunk ${i} does not answer`,
  );
  for (const [pattern, count] of [
    ['trunk 199', 111],
    ['alarm.*trunk 19{2}\\d*', 111],
    ['systemd|trunk .*1999.*answer', 12],
  ] as const) {
    const e = expression(pattern);
    if (typeof e === 'string') return t.fail(e);
    const { lines: kept, unread } = search(lines, e, true, 400);
    t.deepEqual([kept.length, unread], [count, 0], pattern);
  }
  return undefined;
});
