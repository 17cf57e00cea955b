/**
 * The dial plan by property: every text gets an answer, the order in which an operator writes rules
 * never matters, and of the rules that fit a longer one always wins.
 */

import test from 'ava';
import fc from 'fast-check';
import { emergencyNumber, lookUp, mayCall } from '../../src/call/dialplan.ts';
import { best, compare, matches, meaning, parsePattern } from '../../src/call/pattern.ts';
import { sipSettings } from '../../src/proto/context.ts';
import { type DialRule, PLAIN_SITE, type Site } from '../../src/proto/site.ts';
import { trunk } from './trunk-lab.ts';

const place = fc.constantFrom(
  '0',
  '1',
  '5',
  '9',
  '*',
  '+',
  'X',
  'Z',
  'N',
  '[1-5]',
  '[09]',
  '[2-46]',
);
const patternText = fc
  .tuple(fc.array(place, { maxLength: 5 }), fc.constantFrom('', '.', '!'))
  .map(([places, open]) => places.join('') + open)
  .filter((text) => text !== '');
const number = fc
  .array(fc.constantFrom('0', '1', '2', '3', '5', '9', '*', '+'), { maxLength: 6 })
  .map((d) => d.join(''));

function settings(site: Partial<Site>) {
  return sipSettings({ vip: '192.0.2.10', nonceKey: 'k', site: { ...PLAIN_SITE, ...site } });
}

function rule(match: string, more: Partial<DialRule> = {}): DialRule {
  return { match, to: [], strip: 0, prepend: '', replace: '', refuse: 0, ...more };
}

test('a pattern is what a dial plan calls one, and nothing else is', (t) => {
  const fits = (text: string, n: string): boolean => {
    const p = parsePattern(text);
    if (p === undefined) throw new Error(text);
    return matches(p, n);
  };
  t.true(fits('0[1-9].', '0301'));
  t.false(fits('0[1-9].', '03'));
  t.true(fits('00!', '00'));
  t.true(fits('NXX', '911'));
  t.false(fits('NXX', '112'));
  t.false(fits('ZX', '05'));
  t.true(fits('*#+[2-46]', '*#+6'));
  for (const bad of ['', 'a', '0.1', '[1-', '[]', '[5-1]', '[a]', 'x', '!!', '1'.repeat(33)]) {
    t.is(parsePattern(bad), undefined, bad);
  }
});

test('of patterns that fit, one is best whatever their order, and none that fits says more places', (t) => {
  const many = fc.uniqueArray(patternText, { maxLength: 12 });
  fc.assert(
    fc.property(many, number, fc.infiniteStream(fc.nat()), (texts, n, shuffle) => {
      const all = texts.flatMap((value) => {
        const pattern = parsePattern(value);
        return pattern === undefined ? [] : [{ pattern, value }];
      });
      const found = best(all, n);
      const mixed = all
        .map((one) => ({ one, at: shuffle.next().value as number }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one);
      const again = best(mixed, n);
      t.is(found && meaning(found.pattern), again && meaning(again.pattern));
      for (const { pattern } of all) {
        if (!matches(pattern, n)) continue;
        if (found === undefined) throw new Error(`${pattern.text} fits ${n}`);
        t.true(found.pattern.places.length >= pattern.places.length);
        t.true(compare(found.pattern, pattern) <= 0);
      }
      if (found !== undefined) t.true(matches(found.pattern, n));
    }),
    { numRuns: 2000 },
  );
});

test('specificity is an order: total, antisymmetric, transitive', (t) => {
  fc.assert(
    fc.property(patternText, patternText, patternText, (x, y, z) => {
      const [a, b, c] = [parsePattern(x), parsePattern(y), parsePattern(z)];
      if (a === undefined || b === undefined || c === undefined) return;
      t.is(Math.sign(compare(a, b)), -Math.sign(compare(b, a)) + 0);
      if (compare(a, b) === 0) t.is(meaning(a), meaning(b));
      if (compare(a, b) < 0 && compare(b, c) < 0) t.true(compare(a, c) < 0);
    }),
    { numRuns: 3000 },
  );
});

test('looking up is total and ends, whatever the rules and whatever is dialled', (t) => {
  const anyRule = fc.record({
    match: patternText,
    to: fc.constantFrom([], ['t']),
    strip: fc.nat(3),
    prepend: fc.constantFrom('', '0', '00', '9'),
    replace: fc.constantFrom('', '', '1001', '0'),
    refuse: fc.constantFrom(0, 0, 0, 603),
  });
  const dialled = fc.oneof(number, fc.string({ maxLength: 8 }));
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 8 }), dialled, (rules, called) => {
      const way = lookUp(settings({ rules, trunks: [trunk('t', ['sip:192.0.2.30'])] }), called);
      t.true(way.kind !== 'refuse' || [404, 482, 603].includes(way.status));
    }),
    { numRuns: 2000 },
  );
});

test('the longest prefix of all trunks decides, then priority', (t) => {
  const trunks = [
    trunk('far', ['sip:192.0.2.30'], { prefixes: ['0'] }),
    trunk('cheap', ['sip:192.0.2.31'], { prefixes: ['0049'], priority: 1 }),
    trunk('dear', ['sip:192.0.2.32'], { prefixes: ['0049'], priority: 9 }),
  ];
  const names = (n: string): string => {
    const way = lookUp(settings({ trunks }), n);
    if (way.kind !== 'trunks') return `${way.kind}`;
    return way.groups.flatMap((g) => g.trunks.map((one) => one.name)).join();
  };
  t.is(names('0301234'), 'far');
  t.is(names('00491234'), 'cheap,dear');
  t.is(names('0049'), 'cheap,dear');
  t.is(names('7'), 'refuse');
  t.is(names('1001'), 'extension');
});

test('a rule may rewrite, replace and refuse; rules that chase each other end', (t) => {
  const s = settings({
    trunks: [trunk('t', ['sip:192.0.2.30'])],
    rules: [
      rule('9.', { strip: 1, to: ['t'] }),
      rule('*0', { replace: '1000' }),
      rule('0900.', { refuse: 603 }),
      rule('7', { replace: '8' }),
      rule('8', { replace: '7' }),
    ],
  });
  const nine = lookUp(s, '90301');
  t.is(nine.kind === 'trunks' ? nine.number : '', '0301');
  t.deepEqual(lookUp(s, '*0'), { kind: 'extension', number: '1000' });
  t.deepEqual(lookUp(s, '09001'), { kind: 'refuse', status: 603 });
  t.deepEqual(lookUp(s, '7'), { kind: 'refuse', status: 482 });
});

test('a class of service: the longest of what is allowed and denied; a tie is denied', (t) => {
  const site: Site = {
    ...PLAIN_SITE,
    classes: { local: { allow: ['0Z.', '00.'], deny: ['00.', '0900.', '1999'] } },
  };
  t.true(mayCall(site, 'local', '0301', false));
  t.false(mayCall(site, 'local', '09001', false));
  t.false(mayCall(site, 'local', '0033', false));
  t.false(mayCall(site, 'local', '4711', false));
  t.true(mayCall(site, 'local', '1001', true));
  t.false(mayCall(site, 'local', '1999', true));
  t.true(mayCall(site, 'all', '0033', false));
  t.false(mayCall(site, 'internal', '0033', false));
  t.true(mayCall(site, 'internal', '1001', true));
  t.false(mayCall(site, 'no such class', '0033', false));
});

test('an emergency number is one whatever else the plan says', (t) => {
  const site: Site = {
    ...PLAIN_SITE,
    rules: [rule('112', { refuse: 403 })],
    emergency: {
      numbers: [
        { match: '112', as: '' },
        { match: '0112', as: '112' },
      ],
      to: [],
    },
  };
  t.is(emergencyNumber(site, '112'), '112');
  t.is(emergencyNumber(site, '0112'), '112');
  t.is(emergencyNumber(site, '1120'), undefined);
});
