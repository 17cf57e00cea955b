/** HEP3: the worked example octet for octet, both families, what is too long; and the setting `hep`. */

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { HEP_BYTES, type HepPacket, hepPacket } from '../../src/wire/hep.ts';
import { good, mistakes } from './config-of.ts';

const PACKET: HepPacket = {
  source: '192.0.2.20',
  sourcePort: 5060,
  target: '192.0.2.10',
  targetPort: 5060,
  overUdp: true,
  atUs: 1_000_002,
  agent: 7,
  key: 'k',
  correlation: 'c',
  text: 'SIP',
};

/** The chunks as type → octets, read by the rule of the document: six octets, then the value. */
function chunks(bytes: Uint8Array): Map<number, string> {
  const b = Buffer.from(bytes);
  const found = new Map<number, string>();
  for (let at = 6; at < b.length; at += b.readUInt16BE(at + 4)) {
    found.set(b.readUInt16BE(at + 2), b.toString('hex', at + 6, at + b.readUInt16BE(at + 4)));
  }
  return found;
}

function made(more: Partial<HepPacket>): Uint8Array {
  const bytes = hepPacket({ ...PACKET, ...more });
  if (bytes === undefined) throw new Error('no packet');
  return bytes;
}

test('the worked example of the source, octet for octet', (t) => {
  const source = readFileSync(join(import.meta.dirname, '../../src/wire/hep.ts'), 'utf8');
  const example = /48455033[\s\S]*?(?= \*\/)/.exec(source)?.[0].replace(/[\s*]/g, '');
  t.is(Buffer.from(made({})).toString('hex'), example ?? '');
  t.is(made({}).length, 0x74);
});

test('IPv6, TCP, no key and no correlation', (t) => {
  const bytes = made({
    ...{ source: '2001:db8::20', target: '2001:db8::10', overUdp: false, key: '', correlation: '' },
    atUs: 1_790_000_000_123_456,
  });
  const of = chunks(bytes);
  t.is(Buffer.from(bytes).readUInt16BE(4), bytes.length);
  t.is(of.get(1), '0a');
  t.is(of.get(2), '06');
  t.is(of.get(5), '20010db8000000000000000000000020');
  t.is(of.get(6), '20010db8000000000000000000000010');
  t.is(Number(`0x${of.get(9)}`), 1_790_000_000);
  t.is(Number(`0x${of.get(10)}`), 123_456);
  for (const type of [3, 4, 0x0e, 0x11]) t.false(of.has(type), `chunk ${type}`);
});

test('what no datagram can carry is none', (t) => {
  const room = HEP_BYTES - made({ text: '' }).length;
  t.is(made({ text: 'x'.repeat(room) }).length, HEP_BYTES);
  t.is(hepPacket({ ...PACKET, text: 'x'.repeat(room + 1) }), undefined);
  t.is(hepPacket({ ...PACKET, source: '2001:db8::20' }), undefined, 'two families');
  t.is(hepPacket({ ...PACKET, source: 'phone' }), undefined);
});

test('the message goes octet for octet', (t) => {
  const text = 'INFO \xff\x00\x80';
  t.is(chunks(made({ text })).get(0x0f), Buffer.from(text, 'latin1').toString('hex'));
});

test('the setting hep: each box has an id of its own, mistakes have a place', (t) => {
  t.is(good({}).hep, undefined);
  const plain = { address: '192.0.2.40', port: 9060, id: 1, key: '' };
  t.deepEqual(good({ hep: { address: '192.0.2.40' } }).hep, plain);
  const full = { address: '2001:db8::40', port: 9061, id: 2001, key: 'secret' };
  t.deepEqual(good({ hep: { ...full, address: '2001:DB8:0::40' } }).hep, full);
  t.is(mistakes({ hep: {} }), 'hep.address config-missing');
  t.is(mistakes({ hep: { address: 'homer' } }), 'hep.address config-address');
  t.is(mistakes({ hep: { address: '192.0.2.40', port: 0 } }), 'hep.port config-range');
  t.is(mistakes({ hep: { address: '192.0.2.40', id: -1 } }), 'hep.id config-range');
  t.is(mistakes({ hep: { address: '192.0.2.40', key: 'a b' } }), 'hep.key config-shape');
  t.is(mistakes({ hep: { address: '192.0.2.40', host: 'x' } }), 'hep.host config-unknown');
});
