import test from 'ava';
import fc from 'fast-check';
import { canonicalIp6, formatIp6, isIp6, kindOfIp6, parseIp6 } from '../../src/wire/ip6.ts';

test('RFC 5952: one text for one address', (t) => {
  for (const [text, canonical] of [
    // §1 and §2.1: all the ways to write it
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    // §4.2.2: "::" is not for one group
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    // §4.2.3: the longest run, the first of equal ones
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80:0::', 'fe80::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    // §5
    ['::ffff:c000:20a', '::ffff:192.0.2.10'],
    ['::FFFF:192.0.2.10', '::ffff:192.0.2.10'],
    ['64:ff9b::192.0.2.10', '64:ff9b::c000:20a'],
    ['1:2:3:4:5:6:192.0.2.10', '1:2:3:4:5:6:c000:20a'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ] as const) {
    t.is(canonicalIp6(text), canonical, text);
    t.true(isIp6(canonical), canonical);
    t.false(isIp6(text), text);
  }
});

test('what is no address is none', (t) => {
  for (const bad of [
    ...['', ':', ':::', '1', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::', '::1::'],
    ...[':1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:', '1::2:', ':1::2', '12345::', 'g::', '-1::', '+1::'],
    ...['1:2:3:4:5:6:7:192.0.2.10', '192.0.2.10::', '192.0.2.10::1', '::192.0.2', '::192.0.2.256'],
    ...['::01.2.3.4', '192.0.2.10', 'fe80::1%eth0', ' ::1', '::1 ', '[::1]', '::1/128', '0x1::'],
    '0'.repeat(46),
  ]) {
    t.is(parseIp6(bad), undefined, bad);
    t.is(kindOfIp6(bad), undefined, bad);
    t.false(isIp6(bad), bad);
  }
});

test('what an address is for', (t) => {
  for (const [text, kind] of [
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::2', 'global'],
    ['::1:0', 'global'],
    ['fe80::1', 'link-local'],
    ['febf::1', 'link-local'],
    ['fec0::1', 'global'],
    ['ff02::1', 'multicast'],
    ['::ffff:192.0.2.1', 'mapped'],
    ['fd00::1', 'global'],
    ['2001:db8::1', 'global'],
  ] as const) {
    t.is(kindOfIp6(text), kind, text);
  }
});

/** Addresses with many zeros: where the forms differ. */
const octets = fc.array(
  fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 0xffff })),
  {
    minLength: 8,
    maxLength: 8,
  },
);

test('the text of any address is read back, and is what the URL standard writes', (t) => {
  fc.assert(
    fc.property(octets, (groups) => {
      const bytes = Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff]));
      const text = formatIp6(bytes);
      t.deepEqual(parseIp6(text), bytes);
      t.true(isIp6(text));
      const full = groups.map((g) => g.toString(16)).join(':');
      t.is(canonicalIp6(full), text);
      // the only form in which the two differ
      if (kindOfIp6(text) !== 'mapped') t.is(new URL(`http://[${full}]/`).hostname, `[${text}]`);
    }),
  );
});

test('any text is an address or none, without a crash', (t) => {
  const chars = fc.constantFrom(...'0123456789abcdefF:.:::');
  fc.assert(
    fc.property(fc.array(chars, { maxLength: 50 }), (parts) => {
      const text = parts.join('');
      const bytes = parseIp6(text);
      let url: string | undefined;
      try {
        url = new URL(`http://[${text}]/`).hostname.slice(1, -1);
      } catch {
        url = undefined;
      }
      t.is(bytes !== undefined, url !== undefined, text);
      if (bytes !== undefined) t.deepEqual(parseIp6(url ?? ''), bytes);
    }),
    { numRuns: 3000 },
  );
});
