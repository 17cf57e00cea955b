/** The native addon and the UDP wrapper against the real kernel, on loopback. */

import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { isOsError, netlite } from '../../src/edge/native/netlite.ts';
import { StreamListener } from '../../src/edge/tcp.ts';
import { UdpSocket } from '../../src/edge/udp.ts';
import { opened, until } from './native-help.ts';

const { EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EBADF } = constants.errno;
const { EBUSY, ECONNREFUSED, EINVAL, ENODEV } = constants.errno;

// ---- UDP ---------------------------------------------------------------------------------------

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1');

for (const local of ['127.0.0.1', '::1']) {
  test(`udp: ${local}: 200 datagrams there and back, every byte value, addresses as text`, async (t) => {
    const server = opened(t, UdpSocket.open({ ip: local, port: 0 }));
    const client = opened(t, UdpSocket.open({ ip: local, port: 0, slots: 16 }));
    const back: string[] = [];
    server.onReadable(() => {
      server.receive((text, from, port) => server.queue(`${text}|${from}|${port}`, from, port));
      server.flush();
    });
    client.onReadable(() => client.receive((text) => back.push(text)));
    // More than the client's 16 slots: full batches leave by themselves.
    for (let i = 0; i < 200; i++) t.true(client.queue(`${i}${EVERY_BYTE}`, local, server.port));
    client.flush();
    await until('200 answers', () => back.length === 200);
    back.forEach((text, i) => {
      t.is(text, `${i}${EVERY_BYTE}|${local}|${client.port}`);
    });
    t.like(client.counters, { sent: 200, received: 200, refused: 0, dropped: 0 });
    server.close();
    client.close();
    server.close();
  });
}

test('udp: an empty datagram and the longest one arrive; one too long is counted', async (t) => {
  const a = opened(t, UdpSocket.open({ ip: '127.0.0.1', port: 0 }));
  const b = opened(t, UdpSocket.open({ ip: '127.0.0.1', port: 0, maxDatagram: 100 }));
  const seen: number[] = [];
  b.onReadable(() => b.receive((text) => seen.push(text.length)));
  for (const n of [0, 100, 101, 5000, 7]) a.queue('x'.repeat(n), '127.0.0.1', b.port);
  a.flush();
  await until('the last', () => seen.length === 3);
  t.deepEqual(seen, [0, 100, 7]);
  t.is(b.counters.truncated, 2);
  t.false(b.queue('x'.repeat(101), '127.0.0.1', a.port));
  const longest = 'y'.repeat(65_507);
  const got: string[] = [];
  a.onReadable(() => a.receive((text) => got.push(text)));
  a.queue(longest, '127.0.0.1', a.port);
  t.is(a.flush(), 1);
  await until('the longest', () => got.length === 1);
  t.true(got[0] === longest);
  a.close();
  b.close();
});

test('udp: a refused message is skipped and counted, the others leave', async (t) => {
  const a = opened(t, UdpSocket.open({ ip: '127.0.0.1', port: 0 }));
  let seen = 0;
  a.onReadable(() => {
    seen += a.receive(() => {});
  });
  a.queue('1', '127.0.0.1', a.port);
  a.queue('2', '255.255.255.255', 9); // broadcast is not allowed on this socket
  a.queue('3', '127.0.0.1', a.port);
  t.is(a.flush(), 2);
  t.like(a.counters, { sent: 2, refused: 1, dropped: 0 });
  t.is(a.lastErrno, EACCES);
  t.false(a.queue('x', '300.1.1.1', 5060));
  t.false(a.queue('x', '::1', 5060));
  t.false(a.queue('x', '127.0.0.1', 0));
  t.false(a.queue('x', '127.0.0.1', 65_536));
  t.is(a.counters.unsendable, 4);
  await until('both', () => seen === 2);
  a.close();
});

test('udp: an ICMP error is told once and the socket hears on', async (t) => {
  const fd = netlite.udpOpen('127.0.0.1', 0, false, false, '', 0);
  const closed = netlite.udpOpen('127.0.0.1', 0, false, false, '', 0);
  const port = Number(String(netlite.localName(fd)).split(' ')[1]);
  const nowhere = Number(String(netlite.localName(closed)).split(' ')[1]);
  netlite.close(closed);
  const batch = netlite.udpBatch(fd, 4, 100);
  if (typeof batch === 'number') throw new Error(String(batch));
  // IPPROTO_IP, IP_RECVERR: without it an unconnected socket is not told at all.
  t.is(netlite.setOption(fd, 0, 11, 1), 0);
  const results: number[] = [];
  let handle: ReturnType<typeof netlite.watch> = 0;
  handle = netlite.watch(fd, 1, () => {
    for (let n = netlite.recvBatch(batch.handle); n !== 0; n = netlite.recvBatch(batch.handle)) {
      results.push(n);
    }
    // The error queue stays full with this option, so the socket stays ready: look at times.
    if (typeof handle !== 'number') netlite.rewatch(handle, 0);
  });
  if (typeof handle === 'number') throw new Error(String(handle));
  const send = (to: number): number => {
    Buffer.from(batch.tx).write('hello');
    new Int32Array(batch.txMeta).set([5, 0x0100007f, to]);
    return netlite.sendBatch(batch.handle, 1);
  };
  t.is(send(nowhere), 1);
  await until('the error', () => results.length === 1);
  t.is(results[0], -ECONNREFUSED);
  t.is(send(port), 1);
  netlite.rewatch(handle, 1);
  await until('the datagram', () => results.includes(1));
  t.is(netlite.unwatch(handle), 0);
  t.is(netlite.close(fd), 0);
});

test('udp: a full receiver neither blocks the sender for long nor loses count', (t) => {
  const to = opened(t, UdpSocket.open({ ip: '127.0.0.1', port: 0, bufferBytes: 4096 }));
  const from = opened(t, UdpSocket.open({ ip: '127.0.0.1', port: 0, bufferBytes: 4096 }));
  const start = netlite.monotonic();
  for (let i = 0; i < 640; i++) from.queue('z'.repeat(1000), '127.0.0.1', to.port);
  from.flush();
  const spent = netlite.monotonic() - start;
  const c = from.counters;
  t.is(c.sent + c.dropped + c.refused, 640);
  t.true(spent < 1000, `10 batches took ${spent} ms`);
  to.close();
  from.close();
});

test('udp: errors of open are values', (t) => {
  const a = opened(t, UdpSocket.open({ ip: '127.0.0.1', port: 0 }));
  const errno = (x: unknown): unknown => (isOsError(x) ? x.errno : x);
  t.is(errno(UdpSocket.open({ ip: '127.0.0.1', port: a.port })), EADDRINUSE);
  t.is(errno(UdpSocket.open({ ip: '192.0.2.77', port: 0 })), EADDRNOTAVAIL);
  t.is(errno(UdpSocket.open({ ip: 'host.example', port: 0 })), EINVAL);
  t.is(errno(UdpSocket.open({ ip: '127.0.0.1', port: 0, device: 'nosuch0' })), ENODEV);
  t.is(errno(UdpSocket.open({ ip: '127.0.0.1', port: 0, slots: 0 })), EINVAL);
  const bound = opened(t, UdpSocket.open({ ip: '127.0.0.1', port: 0, device: 'lo' }));
  bound.close();
  a.close();
});

// ---- native: arguments, descriptors, watches ----------------------------------------------------

test('native: bad arguments are -EINVAL, never a throw', (t) => {
  const n = netlite as unknown as { readonly [name: string]: (...args: unknown[]) => unknown };
  const b = Buffer.alloc(8);
  const bad: readonly [string, ...unknown[]][] = [
    ['send'],
    ['send', 0, b, 0, 9],
    ['send', 0, b, 8, 1],
    ['send', 0, b, -1, 1],
    ['send', 0, 'text', 0, 1],
    ['send', 0, new ArrayBuffer(8), 0, 1],
    ['recv', 0, b, 0, Number.NaN],
    ['recv', 0.5, b, 0, 1],
    ['recv', '0', b, 0, 1],
    ['close', -1],
    ['close'],
    ['watch', 0, 4, () => {}],
    ['watch', 0, 1, 'no function'],
    ['rewatch', {}, 1],
    ['unwatch', undefined],
    ['recvBatch', {}],
    ['sendBatch', { handle: 1 }, 1],
    ['udpOpen', '127.0.0.1', 65_536, false, false, '', 0],
    ['udpOpen', '127.0.0.1', 0, 1, false, '', 0],
    ['udpOpen', '127.0.0.1', 0, false, false, 'a name longer than an interface has', 0],
    ['udpOpen', '127.0.0.1\0', 0, false, false, '', 0],
    ['tcpListen', '', 0, false, ''],
    ['tcpConnect', '127.0.0.1', 1, '::1', ''],
    ['tcpAccept', null],
    ['pton', '1.2.3.4', b, 5],
    ['pton', '1.2.3', b, 0],
    ['pton', '::1', b, 0],
    ['ntop', b, 0, 5],
    ['openPacket', 'lo', 0, b],
    ['openPacket', 'lo', 1],
    ['openPacket', 'lo', 1, Buffer.alloc(0)],
    ['openPacket', 'lo', 1, Buffer.alloc(7)],
    ['openPacket', 'lo', 1, Buffer.alloc(8 * 4097)],
    ['packetJoin', 0, 'lo', b],
    ['groupOpen', 'lo', b],
    ['openNetlink', 99, 0],
    ['ifIndex', 7],
    ['tunOpen', ''],
    ['setFifo', 0, 100],
  ];
  for (const [name, ...args] of bad) t.is(n[name]?.(...args), -EINVAL, `${name}(${String(args)})`);
  t.is(netlite.ifIndex('nosuch0'), -ENODEV);
});

test('native: a descriptor is closed once, by us, and not while it is watched', (t) => {
  t.is(netlite.close(0), -EBADF);
  const fd = netlite.udpOpen('127.0.0.1', 0, false, false, '', 0);
  t.is(netlite.recv(fd, Buffer.alloc(1), 0, 1), -EAGAIN);
  const handle = netlite.watch(fd, 1, () => {});
  if (typeof handle === 'number') throw new Error(String(handle));
  t.is(typeof netlite.watch(fd, 1, () => {}), 'number');
  t.is(netlite.close(fd), -EBUSY);
  t.is(netlite.unwatch(handle), 0);
  t.is(netlite.unwatch(handle), 0);
  t.is(netlite.rewatch(handle, 1), -EBADF);
  // A handle of one kind is not accepted as the other.
  t.is(netlite.recvBatch(handle as never), -EINVAL);
  t.is(netlite.close(fd), 0);
  t.is(netlite.close(fd), -EBADF);
});

test('native: addresses as text and bytes', (t) => {
  const b = Buffer.alloc(20);
  t.is(netlite.pton('192.0.2.7', b, 2), 4);
  t.is(b.toString('hex', 2, 6), 'c0000207');
  t.is(netlite.ntop(b, 2, 4), '192.0.2.7');
  t.is(netlite.pton('2001:db8:0::7', b, 4), 16);
  t.is(netlite.ntop(b, 4, 16), '2001:db8::7');
});

test('native: one monotonic clock, the one of the runtime', (t) => {
  const before = Number(process.hrtime.bigint()) / 1e6;
  const now = netlite.monotonic();
  const after = Number(process.hrtime.bigint()) / 1e6;
  t.true(before <= now + 0.001 && now <= after + 0.001, `${before} ${now} ${after}`);
});

const WORKER = `
import { parentPort, workerData } from 'node:worker_threads';
const { UdpSocket } = await import(workerData.udp);
const { StreamListener } = await import(workerData.tcp);
const s = UdpSocket.open({ ip: '127.0.0.1', port: workerData.port });
const l = StreamListener.open({ ip: '127.0.0.1', port: workerData.port }, () => {});
if (s.osError || l.osError) throw new Error(JSON.stringify([s, l]));
s.onReadable(() => { s.receive((text, ip, port) => s.queue(text, ip, port)); s.flush(); });
parentPort.postMessage('up');
`;

test.serial(
  'native: a terminated worker leaves no socket behind, and its port is free',
  async (t) => {
    const mine = opened(t, UdpSocket.open({ ip: '127.0.0.1', port: 0 }));
    let echoes = 0;
    mine.onReadable(() => {
      echoes += mine.receive(() => {});
    });
    const free = opened(
      t,
      StreamListener.open({ ip: '127.0.0.1', port: 0 }, () => {}),
    );
    const port = free.port;
    free.close();
    const workerData = {
      port,
      udp: new URL('../../src/edge/udp.ts', import.meta.url).href,
      tcp: new URL('../../src/edge/tcp.ts', import.meta.url).href,
    };
    const source = new URL(`data:text/javascript,${encodeURIComponent(WORKER)}`);
    for (let round = 1; round <= 8; round++) {
      // A new worker can have the port only if the last one's sockets are closed.
      const worker = new Worker(source, { workerData });
      t.teardown(() => worker.terminate());
      await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      // Both threads use the addon at once.
      for (let i = 0; i < 20; i++) mine.queue('x', '127.0.0.1', port);
      mine.flush();
      await until('echoes of the worker', () => echoes === round * 20);
      t.is(await worker.terminate(), 1);
    }
    mine.close();
  },
);

test.serial('native: watches and batches that are dropped are collected', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // The handle goes first; what it held is garbage for the next collection.
  const megabytes = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) {
      collect();
      await sleep(5);
    }
    return process.memoryUsage().arrayBuffers / 1e6;
  };
  const before = await megabytes();
  for (let i = 0; i < 400; i++) {
    const fd = netlite.udpOpen('127.0.0.1', 0, false, false, '', 0);
    const handle = netlite.watch(fd, 3, () => {});
    // 1 MB each: 400 MB if they stayed.
    t.is(typeof netlite.udpBatch(fd, 64, 8192), 'object');
    if (typeof handle !== 'number') netlite.unwatch(handle);
    t.is(netlite.close(fd), 0);
  }
  const after = await megabytes();
  t.true(after - before < 40, `${before} MB before, ${after} MB after`);
});
