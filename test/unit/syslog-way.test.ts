/** The way to a log server by TCP while it is away: what waits is bounded, and how much went is the first thing it is told. */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import test from 'ava';
import { SyslogWay } from '../../src/edge/monitor/syslog-way.ts';

const MESSAGE = Buffer.alloc(10_000, 'x');
/** More than waits. */
const SENT = 150;

async function until(what: string, done: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !done(); await new Promise((r) => setTimeout(r, 20))) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
  }
}

/** Octet counting, RFC 6587 3.4.1. */
function messagesIn(text: string): string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(' ', at);
    const length = Number(text.slice(at, space));
    out.push(text.slice(space + 1, space + 1 + length));
    at = space + 1 + length;
  }
  return out;
}

test('a server that comes back is told first how many messages were lost', async (t) => {
  let heard = '';
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setEncoding('latin1').on('data', (text: string) => (heard += text));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));

  const logs: string[] = [];
  const way = new SyslogWay(
    { name: 'noc', address: '127.0.0.1', port, transport: 'tcp', level: 'info' },
    '/nowhere',
    (text) => logs.push(text),
    (count) => Buffer.from(`lost ${count}`),
  );
  t.teardown(() => {
    way.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await until('nobody is there', () => logs.length > 0);
  for (let i = 0; i < SENT; i++) way.send(MESSAGE);
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  await until('all that waited', () => heard.length > 100 * MESSAGE.length);
  const [first = '', ...rest] = messagesIn(heard);
  const lost = Number(/^lost (\d+)$/.exec(first)?.[1]);
  t.true(lost > 0, first.slice(0, 40));
  await until('the last', () => messagesIn(heard).length === 1 + SENT - lost);
  t.true(rest.every((text) => text.startsWith('x')));
  t.regex(logs.join('\n'), new RegExp(`${lost} messages to noc were lost`), 'others are told too');
});
