/** The TCP wrapper over the native addon against the real kernel, on loopback. */

import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { netlite } from '../../src/edge/native/netlite.ts';
import { StreamListener, StreamSocket } from '../../src/edge/tcp.ts';
import { opened, until } from './native-help.ts';

const { ECONNREFUSED, ECONNRESET, EPIPE } = constants.errno;

const silent = { onData: () => {}, onClose: () => {} };

for (const local of ['127.0.0.1', '::1']) {
  test(`tcp: ${local}: 24 MB both ways in order, through a bounded buffer`, async (t) => {
    const TOTAL = 24 << 20;
    const piece = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
    const whole = Buffer.alloc(TOTAL);
    for (let at = 0; at < TOTAL; at += piece.length) piece.copy(whole, at);
    const back = Buffer.alloc(TOTAL);
    let received = 0;
    let servers = 0;
    let refused = 0;
    const listener = opened(
      t,
      StreamListener.open({ ip: local, port: 0 }, (fd) => {
        servers++;
        const s: StreamSocket = opened(
          t,
          StreamSocket.accepted(
            fd,
            {
              // The reader of what is echoed is slow to start, so this side must buffer.
              onData: (bytes) => t.true(s.write(bytes)),
              onClose: () => {},
            },
            { pendingMax: 64 << 20 },
          ),
        );
      }),
    );
    let sent = 0;
    const pump = (): void => {
      while (sent < TOTAL) {
        const part = whole.subarray(sent, Math.min(sent + 100_000, TOTAL));
        if (!client.write(part)) {
          refused++;
          return;
        }
        sent += part.length;
      }
    };
    const client: StreamSocket = opened(
      t,
      StreamSocket.connect(
        { ip: local, port: listener.port, pendingMax: 300_000 },
        {
          onOpen: pump,
          onDrain: pump,
          onData: (bytes) => {
            back.set(bytes, received);
            received += bytes.length;
          },
          onClose: (errno) => t.fail(`closed: ${errno}`),
        },
      ),
    );
    await until('everything back', () => received === TOTAL, 20_000);
    t.true(whole.equals(back));
    t.true(refused > 0, 'the bounded buffer never filled');
    t.is(servers, 1);
    t.is(client.pending, 0);
    t.is(client.peer, `${local} ${listener.port}`);
    client.close();
    listener.close();
  });
}

test('tcp: end sends what waits, then FIN; queue and flush make one piece', async (t) => {
  const pieces: string[] = [];
  const closes: string[] = [];
  const listener = opened(
    t,
    StreamListener.open({ ip: '127.0.0.1', port: 0 }, (fd) => {
      const s: StreamSocket = opened(
        t,
        StreamSocket.accepted(fd, {
          onData: (bytes) => pieces.push(Buffer.from(bytes).toString()),
          onClose: (errno) => {
            closes.push(`server ${errno}`);
          },
        }),
      );
      t.true(s.peer.startsWith('127.0.0.5 '));
    }),
  );
  const client: StreamSocket = opened(
    t,
    StreamSocket.connect(
      { ip: '127.0.0.1', port: listener.port, localIp: '127.0.0.5' },
      {
        onData: () => {},
        onClose: (errno) => closes.push(`client ${errno}`),
      },
    ),
  );
  // Before it stands: all of it waits.
  for (const word of ['a', 'b', 'c']) t.true(client.queue(Buffer.from(word)));
  client.end();
  t.false(client.write(Buffer.from('too late')));
  await until('both ends', () => closes.length === 2);
  t.deepEqual(closes.sort(), ['client 0', 'server 0']);
  t.is(pieces.join(''), 'abc');
  t.is(pieces.length, 1);
  listener.close();
});

test('tcp: refused, reset and locally closed are told apart, and never from inside write', async (t) => {
  const told: number[] = [];
  const fds: number[] = [];
  const events = { onData: () => {}, onClose: (errno: number) => told.push(errno) };
  const listener = opened(
    t,
    StreamListener.open({ ip: '127.0.0.1', port: 0 }, (fd) => fds.push(fd)),
  );
  const { port } = listener;

  const reset: StreamSocket = opened(t, StreamSocket.connect({ ip: '127.0.0.1', port }, events));
  await until('accepted', () => fds.length === 1);
  reset.write(Buffer.from('unread'));
  await sleep(20);
  netlite.close(fds[0] ?? 0); // unread bytes: the kernel answers with RST
  const before = told.length;
  // The RST is there (loopback), the loop has not run: write meets it.
  for (let i = 0; i < 3; i++) reset.write(Buffer.from('more'));
  t.is(told.length, before);
  await until('the reset', () => told.length === 1);
  t.true(told[0] === ECONNRESET || told[0] === EPIPE, String(told[0]));
  t.false(reset.write(Buffer.from('after')));

  const quiet: StreamSocket = opened(t, StreamSocket.connect({ ip: '127.0.0.1', port }, events));
  await until('accepted', () => fds.length === 2);
  quiet.close();
  quiet.close();
  netlite.close(fds[1] ?? 0);
  listener.close();
  opened(t, StreamSocket.connect({ ip: '127.0.0.1', port }, events));
  await until('the refusal', () => told.length === 2);
  await sleep(20);
  t.is(told[1], ECONNREFUSED);
  t.is(told.length, 2);
});

test('tcp: a reader that pauses stops the writer; options are taken', async (t) => {
  let server: StreamSocket | undefined;
  let received = 0;
  const listener = opened(
    t,
    StreamListener.open({ ip: '127.0.0.1', port: 0 }, (fd) => {
      t.is(netlite.setUserTimeout(fd, 2000), 0);
      t.is(netlite.keepalive(fd, 1, 1, 3), 0);
      t.is(netlite.keepalive(fd, 0, 1, 3), 0);
      server = opened(
        t,
        StreamSocket.accepted(fd, {
          onData: (bytes) => {
            received += bytes.length;
          },
          onClose: () => {},
        }),
      );
      server.setReading(false);
    }),
  );
  const client: StreamSocket = opened(
    t,
    StreamSocket.connect({ ip: '127.0.0.1', port: listener.port, pendingMax: 1 << 20 }, silent),
  );
  await until('accepted', () => server !== undefined);
  const chunk = Buffer.alloc(256 << 10);
  let sent = 0;
  for (let i = 0; i < 200; i++) {
    if (client.write(chunk)) sent += chunk.length;
    else if (client.pending > 0) break;
    await sleep(1);
  }
  await sleep(20);
  t.is(received, 0);
  t.true(client.pending > 0);
  server?.setReading(true);
  await until('the rest', () => received === sent);
  t.is(client.pending, 0);
  client.close();
  server?.close();
  listener.close();
});
