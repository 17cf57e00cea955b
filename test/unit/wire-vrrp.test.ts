/** VRRPv3, ICMP echo, addresses and the Internet checksum: worked examples and properties. */

import { Buffer } from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../../src/base/fault.ts';
import { checksum, pseudoHeader, sum16 } from '../../src/wire/checksum.ts';
import { decodeEcho, type Echo, encodeEcho } from '../../src/wire/icmp.ts';
import { ipBytes, ipCanonical, ipFamily, ipText } from '../../src/wire/ip.ts';
import { decodeVrrp, encodeVrrp, type VrrpAdvert, type VrrpPacket } from '../../src/wire/vrrp.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const raw = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

const ADVERT: VrrpAdvert = {
  vrid: 51,
  priority: 200,
  intervalCs: 100,
  addresses: ['192.0.2.10'],
};
const ADVERT6: VrrpAdvert = { ...ADVERT, addresses: ['2001:db8::a'] };
const EXAMPLE = {
  message: '31 33 c8 01 0064 445c c000020a',
  pseudo: '31 33 c8 01 0064 a1ca c000020a',
  six: '31 33 c8 01 0064 da83 20010db8 00000000 00000000 0000000a',
} as const;

function packet4(bytes: Uint8Array, more: Partial<VrrpPacket> = {}): VrrpPacket {
  return { family: 4, from: '192.0.2.2', ttl: 255, bytes, ...more };
}

test('the worked examples, byte for byte, both ways', (t) => {
  for (const form of ['message', 'pseudo'] as const) {
    const bytes = encodeVrrp(4, ADVERT, '192.0.2.2', form);
    t.is(hex(bytes), hex(raw(EXAMPLE[form])));
    t.deepEqual(decodeVrrp(packet4(bytes), 51), { ...ADVERT, checksum: form });
  }
  const six = encodeVrrp(6, ADVERT6, 'fe80::2', 'message');
  t.is(hex(six), hex(raw(EXAMPLE.six)), 'RFC 9568 §5.2.8: IPv6 always has the pseudo-header');
  const heard = decodeVrrp({ family: 6, from: 'fe80::2', ttl: 255, bytes: six }, 51);
  t.deepEqual(heard, { ...ADVERT6, checksum: 'pseudo' });
});

/** The octets with one changed, and the checksum made right again. */
function changed(at: number, value: number): Uint8Array {
  const bytes = Uint8Array.from(raw(EXAMPLE.message));
  bytes[at] = value;
  bytes.set([0, 0], 6);
  const sum = checksum(bytes);
  bytes.set([sum >> 8, sum & 0xff], 6);
  return bytes;
}

test('RFC 9568 §7.1: what is to be discarded is a fault that names the rule', (t) => {
  const good = raw(EXAMPLE.message);
  const empty = raw('31 33 c8 00 0064 0668');
  const cases: readonly (readonly [string, VrrpPacket])[] = [
    ['vrrp-ttl', packet4(good, { ttl: 254 })],
    ['vrrp-version', packet4(changed(0, 0x21))],
    ['vrrp-version', packet4(raw('21'))],
    ['vrrp-length', packet4(good.subarray(0, 0))],
    ['vrrp-length', packet4(good.subarray(0, 7))],
    ['vrrp-length', packet4(good.subarray(0, 11))],
    ['vrrp-length', packet4(changed(3, 2))],
    ['vrrp-length', packet4(raw(`${EXAMPLE.message} 00000000`))],
    ['vrrp-checksum', packet4(raw('31 33 c8 01 0064 445d c000020a'))],
    ['vrrp-checksum', packet4(raw(EXAMPLE.pseudo), { from: '192.0.2.3' })],
    ['vrrp-checksum', packet4(raw(EXAMPLE.pseudo), { from: 'nobody' })],
    ['vrrp-checksum', { family: 6, from: 'fe80::3', ttl: 255, bytes: raw(EXAMPLE.six) }],
    ['vrrp-type', packet4(changed(0, 0x32))],
    ['vrrp-vrid', packet4(changed(1, 52))],
    ['vrrp-vrid', packet4(changed(1, 0))],
    ['vrrp-count', packet4(empty)],
    ['vrrp-interval', packet4(changed(5, 0))],
  ];
  for (const [code, packet] of cases) {
    const result = decodeVrrp(packet, 51);
    t.is(isFault(result) ? result.fault : 'none', code, hex(packet.bytes));
  }
  t.is(checksum(empty), 0, 'the checksum of the empty one is right, its count is the fault');
  t.like(decodeVrrp(packet4(changed(4, 0xf0)), 51), { intervalCs: 100 }, 'reserved: ignored');
});

const ip4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipText);
const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipText);
const anyAdvert = (ip: fc.Arbitrary<string>): fc.Arbitrary<VrrpAdvert> =>
  fc.record({
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.integer({ min: 0, max: 255 }),
    intervalCs: fc.integer({ min: 1, max: 4095 }),
    addresses: fc.array(ip, { minLength: 1, maxLength: 8 }),
  });
const form = fc.constantFrom('message' as const, 'pseudo' as const);

test('what is encoded is decoded, and says how it was summed up', (t) => {
  fc.assert(
    fc.property(anyAdvert(ip4), ip4, form, (advert, from, checksum) => {
      const bytes = encodeVrrp(4, advert, from, checksum);
      const heard = decodeVrrp({ family: 4, from, ttl: 255, bytes }, advert.vrid);
      if (isFault(heard)) return t.fail(heard.fault);
      const { checksum: said, ...rest } = heard;
      t.deepEqual(rest, advert);
      // where the pseudo-header sums up to nothing, the two forms are one
      if (said !== checksum) t.is(hex(encodeVrrp(4, advert, from, said)), hex(bytes));
    }),
  );
  fc.assert(
    fc.property(anyAdvert(ip6), ip6, form, (advert, from, checksum) => {
      const bytes = encodeVrrp(6, advert, from, checksum);
      const heard = decodeVrrp({ family: 6, from, ttl: 255, bytes }, advert.vrid);
      t.deepEqual(heard, { ...advert, checksum: 'pseudo' });
    }),
  );
});

test('one octet changed on the way is never taken for an advertisement of ours', (t) => {
  fc.assert(
    fc.property(
      anyAdvert(ip4),
      ip4,
      fc.nat(11),
      fc.integer({ min: 1, max: 255 }),
      (advert, from, at, flip) => {
        const bytes = encodeVrrp(4, advert, from, 'message');
        bytes[at] = (bytes[at] as number) ^ flip;
        const heard = decodeVrrp({ family: 4, from, ttl: 255, bytes }, advert.vrid);
        // the other form may fit by chance (1 in 65536), no single octet makes the same form fit
        t.true(isFault(heard) || heard.checksum === 'pseudo');
      },
    ),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), ip4, (bytes, from) => {
      decodeVrrp({ family: 4, from, ttl: 255, bytes }, 1);
      decodeVrrp({ family: 6, from, ttl: 255, bytes }, 1);
    }),
  );
});

test('what cannot be encoded is our mistake', (t) => {
  const encode = (more: Partial<VrrpAdvert>, from = '192.0.2.2') => {
    return () => encodeVrrp(4, { ...ADVERT, ...more }, from, 'message');
  };
  t.notThrows(encode({}));
  t.throws(encode({ vrid: 0 }));
  t.throws(encode({ vrid: 256 }));
  t.throws(encode({ priority: -1 }));
  t.throws(encode({ priority: 1.5 }));
  t.throws(encode({ intervalCs: 0 }));
  t.throws(encode({ intervalCs: 4096 }));
  t.throws(encode({ addresses: [] }));
  t.throws(encode({ addresses: ['2001:db8::a'] }));
  t.throws(encode({}, 'fe80::2'));
  t.throws(encode({}, 'nobody'));
});

test('RFC 1071 §3: the example, odd lengths, and the pseudo-header', (t) => {
  const bytes = raw('0001 f203 f4f5 f6f7');
  t.is(sum16(bytes), 0xddf2);
  t.is(checksum(bytes), 0x220d);
  t.is(checksum(raw('0001 f203 f4f5 f6f7 220d')), 0);
  t.is(sum16(raw('0102 03')), 0x0402);
  t.is(sum16(new Uint8Array(200_000).fill(0xff)), 0xffff, 'many carries');
  const start = pseudoHeader(raw('c0000202'), raw('e0000012'), 112, 12);
  t.is(start, sum16(raw('c0000202 e0000012 0070 000c')));
});

test('ICMP echo: the worked example, both ways, and what is none', (t) => {
  const echo: Echo = {
    op: 'request',
    identifier: 0x1234,
    sequence: 5,
    data: Uint8Array.from(Buffer.from('witness!')),
  };
  const bytes = encodeEcho(4, echo);
  t.is(hex(bytes), hex(raw('08 00 215a 1234 0005 7769746e65737321')));
  t.deepEqual(decodeEcho(4, bytes), echo);
  const six = encodeEcho(6, { ...echo, op: 'reply' });
  t.is(hex(six), hex(raw('81 00 0000 1234 0005 7769746e65737321')));
  t.deepEqual(decodeEcho(6, six), { ...echo, op: 'reply' });
  t.deepEqual(decodeEcho(4, bytes.subarray(0, 7)), { fault: 'echo-length', at: 7 });
  t.deepEqual(decodeEcho(4, six), { fault: 'echo-type', at: 0 });
  t.deepEqual(decodeEcho(4, raw('08 01 0000 1234 0005')), { fault: 'echo-type', at: 1 });
  t.deepEqual(decodeEcho(4, raw('08 00 0001 1234 0005')), { fault: 'echo-checksum', at: 2 });
});

test('addresses: text and octets', (t) => {
  for (const [text, octets] of [
    ['192.0.2.10', 'c000020a'],
    ['0.0.0.0', '00000000'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
    ['2001:0:0:1::1', '20010000000000010000000000000001'],
    ['1::2:0:0:3:0', '00010000000000020000000000030000'],
  ] as const) {
    t.is(hex(ipBytes(text) ?? new Uint8Array()), octets, text);
    t.is(ipText(raw(octets)), text);
  }
  t.is(ipCanonical('2001:DB8:0:0:0:0:0:0A'), '2001:db8::a');
  t.is(ipCanonical('::ffff:192.0.2.10'), '::ffff:c000:20a');
  t.is(ipCanonical('1:2:3:4:5:6:7::'), '1:2:3:4:5:6:7:0');
  t.is(ipFamily('192.0.2.1'), 4);
  t.is(ipFamily('fe80::1'), 6);
  for (const bad of [
    ...['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.', ' 1.2.3.4', '1.2.3.4 '],
    ...[':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::'],
    ...[
      'fe80::1%eth0',
      '12345::',
      'g::',
      '1.2.3.4::',
      '::1.2.3',
      '1:',
      ':1',
      '::1:',
      '1.2.3.4:1::',
    ],
  ]) {
    t.is(ipBytes(bad), undefined, bad);
    t.is(ipFamily(bad), undefined, bad);
  }
  t.is(ipText(new Uint8Array(5)), '');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      t.deepEqual(ipBytes(ipText(bytes)), bytes);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 }), (list) => {
      const bytes = Uint8Array.from(list);
      t.deepEqual(ipBytes(ipText(bytes)), bytes);
    }),
  );
});
