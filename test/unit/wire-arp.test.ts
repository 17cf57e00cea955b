import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../../src/base/fault.ts';
import {
  ARP_FRAME_SIZE,
  type Arp,
  arpAnnouncement,
  arpGratuitousReply,
  arpProbe,
  arpReply,
  arpRequest,
  decodeArp,
  encodeArp,
  isIp4,
  isMac,
} from '../../src/wire/arp.ts';

const MAC = '02:00:00:00:00:0a';
const VIP = '192.0.2.10';
const PAD = '00'.repeat(18);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

test('RFC 5227 §2.3: the announcement, byte for byte (the worked example)', (t) => {
  t.is(
    hex(arpAnnouncement(MAC, VIP)),
    `ffffffffffff02000000000a080600010800060400010` +
      `2000000000ac000020a000000000000c000020a${PAD}`,
  );
});

test('RFC 5944 §4.6: the gratuitous reply names the address and the MAC twice', (t) => {
  t.is(
    hex(arpGratuitousReply(MAC, VIP)),
    `ffffffffffff02000000000a08060001080006040002` +
      `02000000000ac000020a02000000000ac000020a${PAD}`,
  );
});

test('RFC 5227 §2.1.1: the probe has sender IP 0.0.0.0 and an empty target MAC', (t) => {
  t.is(
    hex(arpProbe(MAC, VIP)),
    `ffffffffffff02000000000a08060001080006040001` +
      `02000000000a00000000000000000000c000020a${PAD}`,
  );
});

test('RFC 826: request is broadcast, reply goes to the asker', (t) => {
  t.is(
    hex(arpRequest(MAC, '192.0.2.11', '192.0.2.1')),
    `ffffffffffff02000000000a08060001080006040001` +
      `02000000000ac000020b000000000000c0000201${PAD}`,
  );
  t.is(
    hex(arpReply(MAC, VIP, '02:00:00:00:00:01', '192.0.2.1')),
    `02000000000102000000000a08060001080006040002` +
      `02000000000ac000020a020000000001c0000201${PAD}`,
  );
});

const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((b) => [...b].map((n) => n.toString(16).padStart(2, '0')).join(':'));
const ip = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((b) => b.join('.'));
const arp: fc.Arbitrary<Arp> = fc.record({
  op: fc.constantFrom('request', 'reply'),
  ethDst: mac,
  ethSrc: mac,
  senderMac: mac,
  senderIp: ip,
  targetMac: mac,
  targetIp: ip,
});

test('what is encoded is decoded, also without or with more padding', (t) => {
  fc.assert(
    fc.property(arp, fc.integer({ min: 42, max: 80 }), (value, length) => {
      const bytes = encodeArp(value);
      t.is(bytes.length, ARP_FRAME_SIZE);
      const other = new Uint8Array(length);
      other.set(bytes.subarray(0, Math.min(length, 60)));
      t.deepEqual(decodeArp(bytes), value);
      t.deepEqual(decodeArp(other), value);
    }),
  );
  t.pass();
});

test('anything else is a fault that names the place', (t) => {
  const good = arpProbe(MAC, VIP);
  for (const [at, value, code] of [
    [12, 0x86, 'arp-type'],
    [13, 0x00, 'arp-type'],
    [15, 6, 'arp-format'],
    [16, 0x86, 'arp-format'],
    [18, 8, 'arp-format'],
    [19, 16, 'arp-format'],
    [21, 0, 'arp-op'],
    [21, 3, 'arp-op'],
    [20, 1, 'arp-op'],
  ] as const) {
    const bad = Uint8Array.from(good);
    bad[at] = value;
    const result = decodeArp(bad);
    t.true(isFault(result));
    t.is(isFault(result) ? result.fault : '', code, `octet ${at} = ${value}`);
  }
  for (let length = 0; length < 42; length += 1) {
    t.deepEqual(decodeArp(good.subarray(0, length)), { fault: 'arp-length', at: length });
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      decodeArp(bytes);
    }),
  );
});

test('forms of addresses', (t) => {
  t.true(isMac(MAC));
  t.false(isMac('02:00:00:00:00:0A'));
  t.false(isMac('02:00:00:00:00'));
  t.true(isIp4('255.255.255.255'));
  t.true(isIp4('0.0.0.0'));
  for (const bad of ['256.0.0.1', '1.2.3', '01.2.3.4', '1.2.3.4.5', '1.2.3.', ' 1.2.3.4', '']) {
    t.false(isIp4(bad), bad);
  }
});
