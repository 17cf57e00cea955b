import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../../src/base/fault.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { Face, type FaceEvent, Hosts, isVip } from '../../src/pair/face.ts';
import {
  arpAnnouncement,
  arpGratuitousReply,
  arpProbe,
  arpReply,
  arpRequest,
  decodeArp,
  encodeArp,
} from '../../src/wire/arp.ts';
import {
  decodeNd,
  encodeNd,
  ndAnnouncement,
  ndAnswer,
  ndPoll,
  ndProbe,
  ndSolicitation,
  type Solicitation,
} from '../../src/wire/ndp.ts';

const OWN = '02:00:5e:00:0a:01';
const PEER = '02:00:5e:00:0b:01';
const PHONE = '02:00:5e:00:0c:01';
const V4 = '192.0.2.10';
const W4 = '192.0.2.110';
const V6 = '2001:db8:77::10';
const W6 = '2001:db8:77::a:110';
const VIPS = [V4, W4, V6, W6];
const face = new Face(VIPS, OWN);

function hex(frames: readonly Uint8Array[]): string[] {
  return frames.map((f) => Buffer.from(f).toString('hex'));
}

function asked(frame: Uint8Array): Solicitation {
  const nd = decodeNd(frame);
  if (isFault(nd) || nd.kind !== 'solicitation') throw new Error(JSON.stringify(nd));
  return nd;
}

test('what is said about the whole group', (t) => {
  t.deepEqual(face.vips, VIPS);
  t.deepEqual(hex(face.probes()), [
    // worked frame: RFC 5227 §2.1.1
    `ffffffffffff02005e000a01080600010800060400010` +
      `2005e000a0100000000000000000000c000020a${'00'.repeat(18)}`,
    ...hex([arpProbe(OWN, W4), ndProbe(OWN, V6), ndProbe(OWN, W6)]),
  ]);
  t.deepEqual(
    hex(face.announcements()),
    hex([
      arpAnnouncement(OWN, V4),
      arpGratuitousReply(OWN, V4),
      arpAnnouncement(OWN, W4),
      arpGratuitousReply(OWN, W4),
      ndAnnouncement(OWN, V6),
      ndAnnouncement(OWN, W6),
    ]),
  );
});

test('refreshers: an ordinary question from the VIP to the host alone', (t) => {
  const frames = face.refreshers([
    { vip: W4, ip: '192.0.2.21', mac: PHONE },
    { vip: V6, ip: '2001:db8:77::21', mac: PHONE },
    { vip: '192.0.2.99', ip: '192.0.2.21', mac: PHONE }, // not ours any more
  ]);
  t.is(frames.length, 2);
  t.deepEqual(decodeArp(frames[0]!), {
    op: 'request',
    ethDst: PHONE,
    ethSrc: OWN,
    senderMac: OWN,
    senderIp: W4,
    targetMac: '00:00:00:00:00:00',
    targetIp: '192.0.2.21',
  });
  t.deepEqual(frames[1], ndPoll(OWN, V6, '2001:db8:77::21', PHONE));
});

const HOST = { ip: '192.0.2.21', mac: PHONE };
const HOST6 = { ip: '2001:db8:77::21', mac: PHONE };
const ASK6 = ndSolicitation(PHONE, HOST6.ip, W6);

const HEARD: readonly (readonly [string, Uint8Array, FaceEvent | undefined])[] = [
  ['gratuitous request', arpAnnouncement(PEER, V4), { kind: 'answered', vip: V4, mac: PEER }],
  ['gratuitous reply', arpGratuitousReply(PEER, W4), { kind: 'answered', vip: W4, mac: PEER }],
  ['answer to us', arpReply(PEER, W4, OWN, '0.0.0.0'), { kind: 'answered', vip: W4, mac: PEER }],
  ['question from a VIP', arpRequest(PEER, V4, HOST.ip), { kind: 'answered', vip: V4, mac: PEER }],
  ['ARP probe', arpProbe(PEER, W4), { kind: 'probed', vip: W4, mac: PEER, reply: undefined }],
  ['ARP request', arpRequest(PHONE, HOST.ip, V4), { kind: 'host', vip: V4, ...HOST }],
  ['ARP request for another', arpRequest(PHONE, HOST.ip, '192.0.2.1'), undefined],
  ['ARP probe for another', arpProbe(PHONE, '192.0.2.1'), undefined],
  ['ARP reply of a host to the VIP', arpReply(PHONE, HOST.ip, OWN, V4), undefined],
  ['ARP request of a group address', arpRequest('03:00:00:00:00:01', HOST.ip, V4), undefined],
  ['ARP request of nobody', arpRequest('00:00:00:00:00:00', HOST.ip, V4), undefined],
  ['announcement', ndAnnouncement(PEER, V6), { kind: 'answered', vip: V6, mac: PEER }],
  ['answer to a host', ndAnswer(PEER, asked(ASK6)), { kind: 'answered', vip: W6, mac: PEER }],
  ['poll from a VIP', ndPoll(PEER, V6, HOST6.ip, OWN), { kind: 'answered', vip: V6, mac: PEER }],
  [
    'probe',
    ndProbe(PEER, V6),
    { kind: 'probed', vip: V6, mac: PEER, reply: ndAnnouncement(OWN, V6) },
  ],
  ['solicitation', ASK6, { kind: 'asked', vip: W6, ...HOST6, reply: ndAnswer(OWN, asked(ASK6)) }],
  [
    'reachability probe, unicast and without a link-layer address',
    encodeNd({ ...asked(ndPoll(PHONE, HOST6.ip, V6, OWN)), linkLayer: undefined }),
    {
      kind: 'asked',
      vip: V6,
      ...HOST6,
      reply: ndAnswer(OWN, asked(ndPoll(PHONE, HOST6.ip, V6, OWN))),
    },
  ],
  ['solicitation for another', ndSolicitation(PHONE, HOST6.ip, '2001:db8:77::1'), undefined],
  ['probe for another', ndProbe(PHONE, '2001:db8:77::1'), undefined],
  ['announcement of another', ndAnnouncement(PHONE, '2001:db8:77::1'), undefined],
  ['solicitation of a group address', ndSolicitation('33:33:00:00:00:01', HOST6.ip, V6), undefined],
  ['solicitation from a group', ndSolicitation(PHONE, 'ff02::5', V6), undefined],
];

for (const [what, frame, event] of HEARD) {
  test(`heard: ${what}`, (t) => t.deepEqual(face.take(frame), event));
}

test('own frames say nothing, also with another MAC inside or outside', (t) => {
  const others = [arpRequest(OWN, HOST.ip, V4), ndSolicitation(OWN, HOST6.ip, V6)];
  for (const frame of [...face.probes(), ...face.announcements(), ...others]) {
    t.is(face.take(frame), undefined);
  }
  const arp = decodeArp(arpAnnouncement(OWN, V4));
  const nd = decodeNd(ndAnnouncement(OWN, V6));
  if (isFault(arp) || isFault(nd)) throw new Error('own frames');
  t.is(face.take(encodeArp({ ...arp, senderMac: PEER })), undefined);
  t.is(face.take(encodeArp({ ...arp, ethSrc: PEER })), undefined);
  t.is(face.take(encodeNd({ ...nd, linkLayer: PEER })), undefined);
  t.is(face.take(encodeNd({ ...nd, ethSrc: PEER })), undefined);
});

test('two boxes: the probe of one is answered by the other, and only for what it holds', (t) => {
  const peer = new Face(VIPS, PEER);
  const [, , probe] = peer.probes();
  const event = face.take(probe!);
  if (event === undefined || isFault(event) || event.kind !== 'probed') throw new Error('probe');
  t.deepEqual(peer.take(event.reply!), { kind: 'answered', vip: V6, mac: OWN });
  for (const frame of face.announcements()) {
    t.like(peer.take(frame), { kind: 'answered', mac: OWN });
  }
  for (const frame of face.refreshers([
    { vip: V4, ...HOST },
    { vip: V6, ...HOST6 },
  ])) {
    t.like(peer.take(frame), { kind: 'answered', mac: OWN });
  }
});

test('rubbish is a fault with a code, whatever it is', (t) => {
  t.deepEqual(face.take(new Uint8Array(10)), { fault: 'arp-length', at: 10 });
  const bad = Uint8Array.from(ASK6);
  bad[21] = 64;
  t.deepEqual(face.take(bad), { fault: 'ndp-hop-limit', at: 21 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, six) => {
      if (bytes.length > 13) bytes.set(six ? [0x86, 0xdd] : [0x08, 0x06], 12);
      face.take(bytes);
    }),
  );
});

test('what can be a VIP', (t) => {
  for (const good of [V4, V6, 'fd00::1']) t.true(isVip(good), good);
  for (const bad of ['fe80::1', 'ff02::1', '::1', '::', '::ffff:192.0.2.1', '2001:DB8::1', 'x']) {
    t.false(isVip(bad), bad);
  }
  t.throws(() => new Face([], OWN));
  t.throws(() => new Face([V4, V4], OWN));
  t.throws(() => new Face(['fe80::1'], OWN));
  t.throws(() => new Face([V4], 'nonsense'));
});

test('hosts: the latest first, each once for a VIP, the longest silent go', (t) => {
  const hosts = new Hosts(3);
  const host = (n: number, vip = V4) => ({ vip, ip: `192.0.2.${n}`, mac: PHONE });
  for (const n of [1, 2, 3]) hosts.remember(host(n));
  hosts.remember({ ...host(1), mac: PEER }); // heard again, with a new card
  hosts.remember(host(4));
  t.deepEqual(hosts.list(), [host(4), { ...host(1), mac: PEER }, host(3)]);
  hosts.remember(host(4, W4));
  t.deepEqual(hosts.list(), [host(4, W4), host(4), { ...host(1), mac: PEER }]);
  // an event carries more than is remembered
  const event = face.take(ASK6);
  if (event === undefined || isFault(event) || event.kind !== 'asked') throw new Error('asked');
  hosts.remember(event);
  t.deepEqual(hosts.list()[0], { vip: W6, ...HOST6 });
});

test('hosts: a flood of them stays within the limit', (t) => {
  const hosts = new Hosts();
  for (let i = 0; i < 3 * LIMITS.faceHosts; i += 1) {
    hosts.remember({ vip: V4, ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, mac: PHONE });
  }
  t.is(hosts.size, LIMITS.faceHosts);
});
