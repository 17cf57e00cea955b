import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../../src/base/fault.ts';
import { formatIp6 } from '../../src/wire/ip6.ts';
import {
  decodeNd,
  encodeNd,
  groupMac,
  type Nd,
  ndAnnouncement,
  ndAnswer,
  ndPoll,
  ndProbe,
  ndSolicitation,
  type Solicitation,
  solicitedNode,
} from '../../src/wire/ndp.ts';

const MAC = '02:00:00:00:00:0a';
const VIP = '2001:db8:77::10';
const VIP_HEX = '20010db8007700000000000000000010';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function asked(frame: Uint8Array): Solicitation {
  const nd = decodeNd(frame);
  if (isFault(nd) || nd.kind !== 'solicitation') throw new Error(JSON.stringify(nd));
  return nd;
}

test('RFC 4861 §7.2.6: the announcement, byte for byte (the worked example)', (t) => {
  t.is(
    hex(ndAnnouncement(MAC, VIP)),
    `33330000000102000000000a86dd60000000` +
      `00203aff${VIP_HEX}ff020000000000000000000000000001` +
      `8800f81520000000${VIP_HEX}020102000000000a`,
  );
});

test('RFC 4862 §5.4.2: the probe comes from ::, without a link-layer address', (t) => {
  const frame = ndProbe(MAC, VIP);
  t.is(frame.length, 78);
  t.is(
    hex(frame).replace(/^(.{112}).{4}/, '$1____'),
    `3333ff00001002000000000a86dd60000000` +
      `00183aff${'00'.repeat(16)}ff0200000000000000000001ff000010` +
      `8700____00000000${VIP_HEX}`,
  );
});

/** Captured between two Linux hosts: a question, the answer, a probe (with a nonce, RFC 7527). */
const LINUX_ASKS =
  '3333ff00001002005e000c0186dd6000000000203aff20010db8007700000000000000000001' +
  'ff0200000000000000000001ff0000108700b11c0000000020010db8007700000000000000000010' +
  '010102005e000c01';
const LINUX_ANSWERS =
  '02005e000c0102005e000a0186dd6000000000203aff20010db8007700000000000000000010' +
  '20010db8007700000000000000000001880020f16000000020010db8007700000000000000000010' +
  '020102005e000a01';
const LINUX_PROBES =
  '3333ff00009902005e000c0186dd6000000000203aff00000000000000000000000000000000' +
  'ff0200000000000000000001ff0000998700c4550000000020010db8007700000000000000000099' +
  '0e014f5b2d33fc58';

test('question and answer are what Linux sends, byte for byte; its probe is understood', (t) => {
  t.is(hex(ndSolicitation('02:00:5e:00:0c:01', '2001:db8:77::1', VIP)), LINUX_ASKS);
  const question = asked(Buffer.from(LINUX_ASKS, 'hex'));
  t.is(hex(ndAnswer('02:00:5e:00:0a:01', question)), LINUX_ANSWERS);
  t.like(asked(Buffer.from(LINUX_PROBES, 'hex')), {
    ethDst: '33:33:ff:00:00:99',
    source: '::',
    destination: 'ff02::1:ff00:99',
    target: '2001:db8:77::99',
    linkLayer: undefined,
  });
});

test('RFC 4861 §7.2.4: answers to a question, to one without a MAC, to a probe', (t) => {
  const ask = ndSolicitation('02:00:00:00:00:01', '2001:db8:77::1', VIP);
  t.deepEqual(decodeNd(ndAnswer(MAC, asked(ask))), {
    kind: 'advertisement',
    ethDst: '02:00:00:00:00:01',
    ethSrc: MAC,
    source: VIP,
    destination: '2001:db8:77::1',
    target: VIP,
    linkLayer: MAC,
    router: false,
    solicited: true,
    override: true,
  });
  const bare = encodeNd({ ...asked(ask), linkLayer: undefined });
  t.like(decodeNd(ndAnswer(MAC, asked(bare))), { ethDst: '02:00:00:00:00:01' });
  const probe = ndProbe('02:00:00:00:00:01', VIP);
  t.deepEqual(ndAnswer(MAC, asked(probe)), ndAnnouncement(MAC, VIP));
});

test('RFC 4861 §7.2.3: a poll goes to the neighbour alone and names our MAC', (t) => {
  t.like(decodeNd(ndPoll(MAC, VIP, '2001:db8:77::1', '02:00:00:00:00:01')), {
    kind: 'solicitation',
    ethDst: '02:00:00:00:00:01',
    source: VIP,
    destination: '2001:db8:77::1',
    target: '2001:db8:77::1',
    linkLayer: MAC,
  });
});

test('RFC 4291 §2.7.1, RFC 2464 §7: groups', (t) => {
  t.is(solicitedNode('4037::1:800:200e:8c6c'), 'ff02::1:ff0e:8c6c');
  t.is(solicitedNode(VIP), 'ff02::1:ff00:10');
  t.is(groupMac('ff02::1:ff0e:8c6c'), '33:33:ff:0e:8c:6c');
  t.is(groupMac('ff02::1'), '33:33:00:00:00:01');
  t.throws(() => groupMac(VIP));
});

const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((b) => [...b].map((n) => n.toString(16).padStart(2, '0')).join(':'));
const address = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => formatIp6(b));
/** First octet 1 to 254: neither a group nor the unspecified address. */
const unicast = fc
  .tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ minLength: 15, maxLength: 15 }))
  .map(([first, rest]) => formatIp6(Uint8Array.of(first, ...rest)));
const common = {
  ethDst: mac,
  ethSrc: mac,
  source: unicast,
  target: unicast,
  linkLayer: fc.option(mac, { nil: undefined }),
};
const nd: fc.Arbitrary<Nd> = fc.oneof(
  fc.record({ kind: fc.constant('solicitation' as const), ...common, destination: address }),
  fc.record({
    kind: fc.constant('advertisement' as const),
    ...common,
    destination: unicast,
    router: fc.boolean(),
    solicited: fc.boolean(),
    override: fc.boolean(),
  }),
);

test('what is encoded is decoded, also with padding and unknown options', (t) => {
  fc.assert(
    fc.property(nd, fc.integer({ min: 0, max: 60 }), (value, padding) => {
      const bytes = encodeNd(value);
      t.deepEqual(decodeNd(bytes), value);
      const padded = new Uint8Array(bytes.length + padding).fill(0xa5, bytes.length);
      padded.set(bytes);
      t.deepEqual(decodeNd(padded), value);
    }),
  );
  // a nonce (RFC 3971 5.3.2, RFC 7527) before the address
  const plain = asked(ndSolicitation(MAC, '2001:db8:77::1', VIP));
  const nonce = Buffer.from('0e01010203040506', 'hex');
  const own = Buffer.from(encodeNd(plain));
  const both = Buffer.concat([own.subarray(0, 78), nonce, own.subarray(78)]);
  both[19] = 40;
  t.deepEqual(decodeNd(summed(both)), plain);
});

/** Puts the checksum right, computed another way: octet by octet, in big integers. */
function summed(frame: Uint8Array): Uint8Array {
  const b = Uint8Array.from(frame);
  b.fill(0, 56, 58);
  const end = 54 + (b[18]! << 8) + b[19]!;
  let sum = BigInt(end - 54 + 58);
  for (let i = 22; i < end; i += 1) sum += BigInt(b[i]!) << (i % 2 === 0 ? 8n : 0n);
  const folded = 0xffff - Number(((sum - 1n) % 0xffffn) + 1n);
  b[56] = folded >> 8;
  b[57] = folded & 0xff;
  return b;
}

test('the checksum is that of another computation', (t) => {
  fc.assert(
    fc.property(nd, (value) => {
      const bytes = encodeNd(value);
      t.deepEqual(summed(bytes), bytes);
    }),
  );
});

test('every fault, and where', (t) => {
  const ask = ndSolicitation('02:00:00:00:00:01', '2001:db8:77::1', VIP);
  const probe = ndProbe(MAC, VIP);
  const tell = ndAnnouncement(MAC, VIP);
  for (const [frame, at, value, code, where] of [
    [ask, 12, 0x08, 'ndp-type', 12],
    [ask, 13, 0x06, 'ndp-type', 12],
    [ask, 14, 0x45, 'ndp-type', 14],
    [ask, 20, 17, 'ndp-type', 20],
    [ask, 54, 134, 'ndp-type', 54],
    [ask, 54, 137, 'ndp-type', 54],
    [ask, 21, 254, 'ndp-hop-limit', 21],
    [ask, 19, 33, 'ndp-length', 18],
    [ask, 19, 23, 'ndp-length', 18],
    [ask, 18, 1, 'ndp-length', 18],
    [ask, 55, 1, 'ndp-code', 55],
    [ask, 62, 0xff, 'ndp-target', 62],
    [ask, 79, 0, 'ndp-option', 78],
    [ask, 79, 2, 'ndp-option', 78],
    [ask, 19, 25, 'ndp-option', 78],
    [probe, 53, 0x11, 'ndp-probe', 38],
    [tell, 58, 0x60, 'ndp-solicited', 58],
  ] as const) {
    const bad = Uint8Array.from(frame);
    bad[at] = value;
    const right = code === 'ndp-length' ? bad : summed(bad);
    t.deepEqual(decodeNd(right), { fault: code, at: where }, `octet ${at} = ${value}`);
  }
  const named = encodeNd({ ...asked(probe), linkLayer: MAC });
  t.deepEqual(decodeNd(named), { fault: 'ndp-probe', at: 78 });
  const long = Buffer.concat([ask, Buffer.alloc(8)]);
  long[19] = 40;
  long[79] = 2; // a link-layer address of 14 octets
  t.deepEqual(decodeNd(summed(long)), { fault: 'ndp-option', at: 78 });
  for (let length = 0; length < 78; length += 1) {
    t.deepEqual(decodeNd(ask.subarray(0, length)), { fault: 'ndp-length', at: length });
  }
  t.deepEqual(decodeNd(ask.subarray(0, 80)), { fault: 'ndp-length', at: 18 });
});

test('one wrong bit anywhere behind the headers is noticed', (t) => {
  const good = ndSolicitation(MAC, '2001:db8:77::1', VIP);
  for (let bit = 22 * 8; bit < good.length * 8; bit += 1) {
    const bad = Uint8Array.from(good);
    bad[bit >> 3] = bad[bit >> 3]! ^ (1 << (bit & 7));
    t.true(isFault(decodeNd(bad)), `bit ${bit}`);
  }
});

test('any bytes are a message or a fault, without a crash', (t) => {
  const frame = ndSolicitation(MAC, '2001:db8:77::1', VIP);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      decodeNd(bytes);
      const mixed = Uint8Array.from([...frame.subarray(0, 54), ...bytes]);
      mixed[19] = bytes.length;
      decodeNd(bytes.length > 4 ? summed(mixed) : mixed);
    }),
  );
  t.pass();
});
