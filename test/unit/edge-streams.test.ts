/** What the configuration says of streams, the certificate of the pair, and the segment that wakes a peer. */

import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { endedFault, identityFault, ownIdentity } from '../../src/edge/certificate.ts';
import { readConfig } from '../../src/edge/config.ts';
import { ticketKeys } from '../../src/edge/flow-secure.ts';
import { checksum, pseudoHeader } from '../../src/wire/checksum.ts';
import { bareAck } from '../../src/wire/segment.ts';

function read(sip: object, vip: object = {}) {
  return readConfig({
    box: 'a',
    redundancy: 'hot-standby',
    lan: { interface: 'lan0', address: '192.0.2.11', prefix: 24, peerAddress: '192.0.2.12' },
    crossover: { interface: 'x0', address: '169.254.77.1', peerAddress: '169.254.77.2' },
    vip: { address: '192.0.2.10', ...vip },
    sip,
    users: { from: 1000, to: 1999 },
    data: '/data',
    control: '/run/control.sock',
    key: '11'.repeat(32),
  });
}

function places(sip: object): string {
  const result = read(sip);
  return 'node' in result ? 'accepted' : result.map((f) => `${f.place} ${f.code}`).join();
}

test('TCP is served unless it is switched off; the rest when it is named, at its usual port', (t) => {
  const plain = read({ port: 5060 });
  if (!('node' in plain)) return t.fail();
  t.true(plain.streams.tcp);
  const { tlsPort, wsPort, wssPort, vip6 } = plain.node.sip;
  t.deepEqual([tlsPort, wsPort, wssPort, vip6], [0, 0, 0, '']);
  const all = read({ tcp: false, tls: {}, ws: {}, wss: {} }, { more: ['2001:db8::10'] });
  if (!('node' in all)) return t.fail();
  t.false(all.streams.tcp);
  const s = all.node.sip;
  t.deepEqual([s.tlsPort, s.wsPort, s.wssPort, s.vip6], [5061, 8080, 8443, '2001:db8::10']);
  t.is(s.heres.tls[6], '[2001:db8::10]:5061');
});

test('every mistake is told with its place', (t) => {
  t.is(places({ tls: { port: 0 } }), 'sip.tls.port config-range');
  t.is(places({ ws: { certificate: '/a' } }), 'sip.ws.certificate config-unknown');
  t.is(places({ tls: { certificate: '/a' } }), 'sip.tls.key config-choice');
  t.is(places({ tls: { mutual: true } }), 'sip.tls.ca config-missing');
  t.is(places({ tls: { mutual: 'yes' } }), 'sip.tls.mutual config-shape');
  t.is(places({ tcp: 1 }), 'sip.tcp config-shape');
  t.is(places({ port: 5061, tls: {} }), 'sip.tls.port config-choice');
  t.is(places({ port: 5061, tcp: false, tls: {} }), 'accepted');
  t.is(places({ ws: { port: 8443 }, wss: {} }), 'sip.wss.port config-choice');
  t.is(places({ outgoing: { verify: false } }), 'sip.outgoing.verify config-unknown');
});

test('the certificate of the pair: the same octets each time, good for the addresses, and signed', (t) => {
  const ips = ['192.0.2.10', '2001:db8::10'];
  for (let i = 0; i < 20; i += 1) {
    const key = Buffer.alloc(32, i);
    const own = ownIdentity(key, ips);
    t.deepEqual(own, ownIdentity(Buffer.from(key), ips));
    t.is(identityFault(own), '');
    const seen = new X509Certificate(own.certificate);
    t.true(seen.verify(seen.publicKey));
    for (const ip of ips) t.is(seen.checkIP(ip), ip);
    t.is(seen.checkIP('192.0.2.11'), undefined);
  }
  const [a, b] = [ownIdentity(Buffer.alloc(32, 1), ips), ownIdentity(Buffer.alloc(32, 2), ips)];
  t.not(a.key, b.key);
  t.not(identityFault({ certificate: a.certificate, key: b.key }), '');
  t.not(identityFault({ certificate: 'x', key: b.key }), '');
  t.is(endedFault(a.certificate, Date.UTC(2030, 0)), '');
  t.regex(endedFault(a.certificate, Date.UTC(2051, 0)), /the certificate ended/);
});

test('session tickets: one key a day, the same on both boxes', (t) => {
  const key = Buffer.alloc(32, 7);
  const noon = Date.UTC(2026, 0, 1, 12);
  t.is(ticketKeys(key, noon).length, 48);
  t.deepEqual(ticketKeys(key, noon), ticketKeys(key, noon + 3_600_000));
  t.notDeepEqual(ticketKeys(key, noon), ticketKeys(key, noon + 86_400_000));
});

test('a bare ACK is a whole packet with right checksums, in both families', (t) => {
  for (const [from, to, head] of [
    ['192.0.2.10', '192.0.2.77', 20],
    ['2001:db8::10', '2001:db8::77', 40],
  ] as const) {
    const packet = bareAck({ ip: from, port: 5061 }, { ip: to, port: 40_001 });
    if (packet === undefined) return t.fail();
    t.is(packet.length, head + 20);
    if (head === 20) t.is(checksum(packet.subarray(0, 20)), 0);
    const at = head === 20 ? [12, 16, 20] : [8, 24, 40];
    const [source, destination] = [packet.subarray(at[0], at[1]), packet.subarray(at[1], at[2])];
    const start = pseudoHeader(source, destination, 6, 20);
    t.is(checksum(packet.subarray(head), start), 0);
    const view = new DataView(packet.buffer, head);
    t.is(view.getUint16(0), 5061);
    t.is(view.getUint16(2), 40_001);
    t.is(view.getUint16(12), 0x5010, 'five words of header, ACK and nothing else');
  }
  t.is(bareAck({ ip: '192.0.2.10', port: 1 }, { ip: '2001:db8::1', port: 1 }), undefined);
});
