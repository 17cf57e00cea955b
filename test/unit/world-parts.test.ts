/** The parts of the virtual world that hold state: queue, disk, crossover, packet capture. */

import test from 'ava';
import type { PersistBatch } from '../../src/ledger/disk.ts';
import { BoxClock } from '../world/clock.ts';
import { Crossover, type Station } from '../world/crossover.ts';
import { Dice } from '../world/dice.ts';
import { Disk } from '../world/disk.ts';
import { Capture, frameBytes } from '../world/pcap.ts';
import { Queue } from '../world/queue.ts';

const nothing = (): void => {};

test('the queue goes by moment, then by order of arrival', (t) => {
  const queue = new Queue();
  const got: string[] = [];
  queue.at(2, () => got.push('c'));
  queue.at(1, () => got.push('a'));
  queue.at(1, () => got.push('b'));
  const dead = queue.at(1, () => got.push('never'));
  dead.dead = true;
  queue.at(1, () => queue.at(0, () => got.push('late')));
  queue.at(9, () => got.push('after the end'));
  queue.runUntil(5, nothing);
  t.deepEqual(got, ['a', 'b', 'late', 'c']);
  t.is(queue.now, 5);
  const big = new Queue();
  const dice = new Dice(7);
  const times: number[] = [];
  for (let i = 0; i < 2000; i += 1) big.at(dice.between(0, 100), () => times.push(big.now));
  big.runUntil(100, nothing);
  t.is(times.length, 2000);
  t.true(times.every((at, i) => i === 0 || at >= (times[i - 1] as number)));
});

test('a clock that drifts is never early', (t) => {
  for (let seed = 1; seed < 50; seed += 1) {
    const dice = new Dice(seed);
    const clock = new BoxClock(dice, 50);
    const at = dice.between(0, 1e6);
    const mono = clock.mono(at) + dice.between(0, 1e4);
    t.true(clock.mono(clock.trueTime(mono)) >= mono - 1e-9);
    t.true(Math.abs(clock.trueTime(clock.mono(at)) - at) < 1e-3);
  }
});

function batch(ticket: number, durable: boolean): PersistBatch {
  const box = {
    epoch: 1,
    recordEpoch: 1,
    lsn: ticket,
    chain: 0,
    primary: true,
    peerStale: false,
    staleEpoch: 0,
    staleLsn: 0,
    led: 0,
    pairAt: 0,
    wallAt: 0,
    nextIds: [],
  };
  return { ticket, bytes: new Uint8Array(0), box, durable, reset: false, setAside: 0 };
}

function disk(seed: number) {
  const queue = new Queue();
  const made = new Disk(queue, new Dice(seed), { commit: 1, sync: 10, stall: 0 });
  const synced: number[] = [];
  const put = (ticket: number, durable: boolean): void =>
    made.persist(batch(ticket, durable), () => synced.push(ticket));
  return { queue, disk: made, synced, put };
}

test('a dying process takes along what its disk thread had not committed', (t) => {
  const { queue, disk: d, synced, put } = disk(1);
  for (let i = 1; i <= 10; i += 1) put(i, false);
  queue.runUntil(3, nothing);
  const done = synced.length;
  t.true(done > 0 && done < 10);
  d.processDied();
  queue.runUntil(100, nothing);
  t.is(synced.length, done, 'a dead process hears nothing');
  t.is(d.load(0).box?.lsn, done);
});

test('a power cut takes a suffix of what was committed, never what was durable', (t) => {
  const left = new Set<number>();
  for (let seed = 1; seed <= 60; seed += 1) {
    const { queue, disk: d, put } = disk(seed);
    put(1, false);
    put(2, true);
    for (let i = 3; i <= 6; i += 1) put(i, false);
    queue.runUntil(100, nothing);
    t.is(d.load(0).box?.lsn, 6);
    d.powerCut();
    const lsn = d.load(0).box?.lsn ?? 0;
    t.true(lsn >= 2 && lsn <= 6);
    left.add(lsn);
    d.powerCut();
    t.is(d.load(0).box?.lsn, lsn, 'what survived is on the medium now');
  }
  t.deepEqual([...left].sort(), [2, 3, 4, 5, 6]);
});

function cable(seed: number) {
  const queue = new Queue();
  const x = new Crossover(queue, new Dice(seed), {
    latency: [0.1, 0.3],
    loss: 0,
    splits: 0.3,
    carrierFalls: false,
  });
  const log: { a: string[]; b: string[] } = { a: [], b: [] };
  const alive = { a: true, b: true };
  const power = { a: true, b: true };
  const station = (id: 'a' | 'b'): Station => ({
    kernelUp: () => power[id],
    listening: () => power[id] && alive[id],
    linkUp: () => log[id].push('up'),
    linkData: (bytes) => log[id].push(Buffer.from(bytes).toString('latin1')),
    linkDown: () => log[id].push('down'),
    heartbeat: () => log[id].push('beat'),
    carrier: nothing,
  });
  x.plug({ a: station('a'), b: station('b') });
  const run = (ms: number): void => queue.runUntil(queue.now + ms, nothing);
  const text = (id: 'a' | 'b'): string =>
    log[id].filter((s) => !['up', 'down', 'beat'].includes(s)).join('');
  return { x, log, alive, power, run, text };
}

const word = (s: string): Uint8Array => Buffer.from(s, 'latin1');

test('the stream keeps order over a cut and goes on after the heal', (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { x, log, run, text } = cable(seed);
    x.keepConnecting(() => true);
    run(5);
    t.deepEqual([log.a, log.b], [['up'], ['up']]);
    x.write('a', word('ab'));
    run(5);
    x.heartbeat('a', word('!'));
    x.cut();
    x.write('a', word('cd'));
    x.heartbeat('a', word('!'));
    run(100);
    t.is(text('b'), 'ab');
    x.heal();
    x.write('a', word('ef'));
    run(5000);
    t.is(text('b'), 'abcdef');
    t.false(log.b.includes('down'));
    t.false(log.b.includes('beat'), 'a heartbeat is not repeated');
  }
});

test('a dead process: its kernel ends the stream, after all of it or a part', (t) => {
  const endings = new Set<string>();
  for (let seed = 1; seed <= 60; seed += 1) {
    const { x, log, alive, run, text } = cable(seed);
    x.keepConnecting(() => true);
    run(5);
    x.write('a', word('ab'));
    x.write('a', word('cd'));
    alive.a = false;
    x.processDied('a');
    run(5);
    t.is(log.b.at(-1), 'down');
    t.true('abcd'.startsWith(text('b')));
    endings.add(text('b'));
    alive.a = true;
    run(300);
    t.is(log.b.at(-1), 'up', 'connected again when it is back');
  }
  t.true(endings.has('') && endings.has('abcd'));
});

test('a power cut is silence, until the rebooted kernel answers', (t) => {
  const { x, log, alive, power, run } = cable(3);
  x.keepConnecting(() => alive.b);
  run(5);
  power.b = false;
  alive.b = false;
  x.powerCut('b');
  run(1000);
  t.deepEqual(log.a, ['up'], 'half open');
  power.b = true;
  x.kernelBooted('b');
  run(1000);
  t.deepEqual(log.a, ['up', 'down']);
});

test('frames of the capture carry right lengths and checksums', (t) => {
  const frame = {
    kind: 'udp',
    src: '02:00:00:00:00:01',
    dst: '02:00:00:00:00:02',
    udp: { srcIp: '192.0.2.10', srcPort: 5060, dstIp: '192.0.2.101', dstPort: 5060, text: 'odd' },
  } as const;
  const bytes = frameBytes(frame);
  const sum = (parts: number[]): number => {
    let s = parts.reduce((x, y) => x + y, 0);
    while (s > 0xffff) s = (s & 0xffff) + (s >> 16);
    return s;
  };
  const view = new DataView(bytes.buffer);
  const words = (from: number, end: number): number[] => {
    const list: number[] = [];
    for (let at = from; at < end; at += 2) {
      list.push(at + 1 < end ? view.getUint16(at) : view.getUint8(at) << 8);
    }
    return list;
  };
  t.is(bytes.length, 45);
  t.is(sum(words(14, 34)), 0xffff, 'IPv4 header (RFC 791)');
  t.is(
    sum([...words(26, 34), 17, 11, ...words(34, 45)]),
    0xffff,
    'UDP with pseudo header (RFC 768)',
  );
  const capture = new Capture();
  capture.add(1234.5, frame);
  const file = capture.file();
  t.is(file.length, 24 + 16 + 45);
  t.is(new DataView(file.buffer, file.byteOffset).getUint32(24 + 4, true), 234_500_000);
});
