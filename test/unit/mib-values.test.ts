/** SNMP values and the list an agent answers from. */

import test from 'ava';
import fc from 'fast-check';
import {
  bits,
  compareOids,
  counter32,
  counter64,
  dateAndTime,
  gauge,
  Instances,
  inetAddress,
  integer,
  isoTime,
  type Oid,
  oidOf,
  oidText,
  text,
  ticks,
} from '../../src/panel/mib/values.ts';

test('counters begin anew, gauges stay at their largest (RFC 2578 7.1.6, 7.1.7)', (t) => {
  t.is(counter32(2 ** 32 + 5).value, 5);
  t.is(gauge(2 ** 32 + 5).value, 2 ** 32 - 1);
  t.is(gauge(-1).value, 0);
  t.is(counter64(5_000_000_000).value, 5_000_000_000);
  t.is(integer(-3.9).value, -3);
  t.is(integer(1e12).value, 2 ** 31 - 1);
  t.is(ticks(2 ** 32).value, 0);
});

test('a text that is too long is cut between characters', (t) => {
  const { value } = text('ä'.repeat(200)) as { value: Uint8Array };
  t.is(value.length, 254);
  t.is(new TextDecoder('utf-8', { fatal: true }).decode(value), 'ä'.repeat(127));
});

test('dates are those of the calendar, at every moment', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
      const date = new Date(ms);
      t.is(isoTime(ms), date.toISOString());
      const { value } = dateAndTime(ms) as { value: Uint8Array };
      const at = [...value];
      t.deepEqual(
        [(at[0] as number) * 256 + (at[1] as number), ...at.slice(2, 8)],
        [
          date.getUTCFullYear(),
          date.getUTCMonth() + 1,
          date.getUTCDate(),
          date.getUTCHours(),
          date.getUTCMinutes(),
          date.getUTCSeconds(),
          Math.floor(date.getUTCMilliseconds() / 100),
        ],
      );
      t.is(String.fromCharCode(at[8] as number), '+');
    }),
    { numRuns: 300 },
  );
});

test('addresses and bits are octets', (t) => {
  t.deepEqual(inetAddress('192.0.2.200'), { type: 1, bytes: Uint8Array.of(192, 0, 2, 200) });
  t.is(inetAddress('2001:db8::1')?.bytes.length, 16);
  t.is(inetAddress('no address'), undefined);
  // RFC 4780: '1010 0000' for required and supported
  t.deepEqual(bits([0, 2]).value, Uint8Array.of(0xa0));
  t.deepEqual(bits([9]).value, Uint8Array.of(0, 0x40));
});

test('the list answers as one that is searched from end to end', (t) => {
  const oid = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.uniqueArray(oid, { selector: (o) => o.join('.'), maxLength: 30 }),
      oid,
      fc.option(oid, { nil: undefined }),
      fc.boolean(),
      (oids, start, end, include) => {
        const list = new Instances(oids.map((o) => ({ oid: o, value: integer(1) })));
        const sorted = [...oids].sort(compareOids);
        const wanted = sorted.find((o) => {
          const d = compareOids(o, start);
          return (include ? d >= 0 : d > 0) && (end === undefined || compareOids(o, end) < 0);
        });
        const first = sorted.find((o) =>
          include ? compareOids(o, start) >= 0 : compareOids(o, start) > 0,
        );
        const within = first !== undefined && (end === undefined || compareOids(first, end) < 0);
        t.deepEqual(list.next(start, end, include)?.oid, within ? wanted : undefined);
        t.is(
          list.get(start) !== undefined,
          oids.some((o) => compareOids(o, start) === 0),
        );
        t.is(
          list.has(start),
          oids.some((o) => start.every((n, i) => o[i] === n)),
        );
      },
    ),
    { numRuns: 300 },
  );
  const at: Oid = oidOf('1.3.6.1');
  t.is(oidText(at), '1.3.6.1');
});
