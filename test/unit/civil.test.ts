/** The calendar, against the one of JavaScript. */

import test from 'ava';
import fc from 'fast-check';
import { civilDay } from '../../src/base/civil.ts';

const DAY_MS = 86_400_000;
/** A Date goes so far to both sides. */
const MOST = 100_000_000;

test('every day is the one that a Date says', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: -MOST, max: MOST }), (days) => {
      const date = new Date(days * DAY_MS);
      const { year, month, day } = civilDay(days);
      return (
        year === date.getUTCFullYear() &&
        month === date.getUTCMonth() + 1 &&
        day === date.getUTCDate()
      );
    }),
  );
  t.deepEqual(civilDay(0), { year: 1970, month: 1, day: 1 });
  t.deepEqual(civilDay(11_016), { year: 2000, month: 2, day: 29 });
  t.deepEqual(civilDay(-719_468), { year: 0, month: 3, day: 1 });
});
