/** The virtual LAN: what a switch learns, what hosts believe, what ARP caches do with age. */

import test from 'ava';
import { arpAnnouncement, arpGratuitousReply, arpReply, decodeArp } from '../../src/wire/arp.ts';
import { Dice } from '../world/dice.ts';
import { arpFrame, BROADCAST, type Frame, macText, readArp, type Udp } from '../world/ether.ts';
import { Host } from '../world/host.ts';
import { Queue } from '../world/queue.ts';
import { Switch } from '../world/switch.ts';

const FAIR = { loss: 0, duplicate: 0, reorder: 0, latency: [0.1, 0.1] } as const;
const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';

function lan(faults: Switch['faults'] = FAIR) {
  const queue = new Queue();
  const wire = new Switch(queue, new Dice(1), faults);
  const seen: { port: string; frame: Frame }[] = [];
  wire.taps.push((port, frame) => seen.push({ port, frame }));
  const a = new Host(queue, wire, 'a', A, '10.0.0.1');
  const b = new Host(queue, wire, 'b', B, '10.0.0.2');
  const c = new Host(queue, wire, 'c', C, '10.0.0.3');
  const run = (ms: number): void => queue.runUntil(queue.now + ms, () => {});
  return { queue, wire, seen, a, b, c, run };
}

function udp(srcIp: string, dstIp: string, text = 'x'): Udp {
  return { srcIp, srcPort: 5060, dstIp, dstPort: 5060, text };
}

/** What a box does with bytes of a raw socket. */
function raw(bytes: Uint8Array): Frame {
  return { kind: 'arp', src: macText(bytes, 6), dst: macText(bytes, 0), bytes };
}

test('an unknown neighbour is asked for and the datagram waits', (t) => {
  const { a, b, c, run, seen } = lan();
  const got: string[] = [];
  b.onUdp = (u) => got.push(u.text ?? '');
  c.onUdp = () => t.fail('not for c');
  t.true(a.send(udp('10.0.0.1', '10.0.0.2', 'one')));
  t.true(a.send(udp('10.0.0.1', '10.0.0.2', 'two')));
  run(5);
  t.deepEqual(got, ['one', 'two']);
  t.is(a.macOf('10.0.0.2'), B);
  t.is(b.macOf('10.0.0.1'), A, 'the asked one remembers who asked');
  t.is(c.macOf('10.0.0.1'), undefined, 'a bystander does not');
  t.is(seen.filter((s) => s.frame.kind === 'arp').length, 2);
});

test('a kernel refuses to send from an address that is not its own', (t) => {
  const { a } = lan();
  t.false(a.send(udp('10.0.0.9', '10.0.0.2')));
});

test('the switch learns ports, forgets them with the cable, and floods what it does not know', (t) => {
  const { a, b, wire, run, seen } = lan();
  a.send(udp('10.0.0.1', '10.0.0.2'));
  run(5);
  let heard = 0;
  b.onUdp = () => {
    heard += 1;
  };
  wire.setPort('b', false);
  a.send(udp('10.0.0.1', '10.0.0.2'));
  run(5);
  t.is(heard, 0);
  wire.setPort('b', true);
  const before = seen.length;
  a.send(udp('10.0.0.1', '10.0.0.2'));
  run(5);
  t.is(heard, 1, 'flooded: the table has forgotten b');
  t.is(seen.length, before + 1);
});

test('hosts believe the form of gratuitous ARP they know, and only about known neighbours', (t) => {
  const forms = [
    { believes: 'request', form: arpAnnouncement(C, '10.0.0.2'), moved: true },
    { believes: 'request', form: arpGratuitousReply(C, '10.0.0.2'), moved: false },
    { believes: 'reply', form: arpGratuitousReply(C, '10.0.0.2'), moved: true },
    { believes: 'reply', form: arpAnnouncement(C, '10.0.0.2'), moved: false },
    { believes: 'both', form: arpAnnouncement(C, '10.0.0.2'), moved: true },
  ] as const;
  for (const { believes, form, moved } of forms) {
    const { a, b, wire, run } = lan();
    a.believes = believes;
    a.send(udp('10.0.0.1', '10.0.0.2'));
    run(5);
    wire.send('c', raw(form));
    run(5);
    t.is(a.macOf('10.0.0.2'), moved ? C : B, `${believes}`);
    t.is(b.macOf('10.0.0.9'), undefined);
  }
});

test('an ordinary reply does not move an entry younger than a second', (t) => {
  const { a, wire, run } = lan();
  a.send(udp('10.0.0.1', '10.0.0.2'));
  run(5);
  const reply = raw(arpReply(C, '10.0.0.2', A, '10.0.0.1'));
  wire.send('c', reply);
  run(5);
  t.is(a.macOf('10.0.0.2'), B);
  run(1500);
  wire.send('c', reply);
  run(5);
  t.is(a.macOf('10.0.0.2'), C);
});

test('an old entry is verified by unicast, and gone when nobody answers', (t) => {
  const { a, b, wire, run } = lan();
  a.reachable = 1000;
  a.send(udp('10.0.0.1', '10.0.0.2'));
  run(1500);
  wire.setPort('b', false);
  a.send(udp('10.0.0.1', '10.0.0.2'));
  run(1500);
  t.is(a.macOf('10.0.0.2'), B, 'still used while it is asked for');
  run(3000);
  t.is(a.macOf('10.0.0.2'), undefined);
  wire.setPort('b', true);
  a.send(udp('10.0.0.1', '10.0.0.2'));
  let heard = 0;
  b.onUdp = () => {
    heard += 1;
  };
  run(5);
  t.is(heard, 1);
});

test('order is kept between two ports unless reordering was drawn', (t) => {
  for (const reorder of [0, 0.5]) {
    const { a, b, run, queue } = lan({ ...FAIR, latency: [0.05, 2], reorder });
    a.send(udp('10.0.0.1', '10.0.0.2', '-1'));
    run(20);
    const got: number[] = [];
    b.onUdp = (u) => got.push(Number(u.text));
    for (let i = 0; i < 100; i += 1) {
      queue.after(i * 0.1, () => a.send(udp('10.0.0.1', '10.0.0.2', String(i))));
    }
    run(50);
    t.is(got.length, 100);
    const sorted = got.every((n, i) => i === 0 || n > (got[i - 1] as number));
    t.is(sorted, reorder === 0);
  }
});

test('the two ARP codecs, which share no line, agree', (t) => {
  const mine = arpFrame(BROADCAST, {
    op: 'request',
    senderMac: A,
    senderIp: '10.0.0.1',
    targetMac: '00:00:00:00:00:00',
    targetIp: '10.0.0.2',
  });
  if (mine.kind !== 'arp') throw new Error('an ARP frame');
  const theirs = decodeArp(mine.bytes);
  t.like(theirs, { op: 'request', ethDst: BROADCAST, ethSrc: A, senderIp: '10.0.0.1' });
  t.deepEqual(readArp(arpReply(B, '10.0.0.2', A, '10.0.0.1')), {
    op: 'reply',
    senderMac: B,
    senderIp: '10.0.0.2',
    targetMac: A,
    targetIp: '10.0.0.1',
  });
  t.is(readArp(new Uint8Array(10)), undefined);
});
