/** The way to a log server that is away, accepts and does not read, hangs up, or that nobody resolves. */

import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type SyslogTimes, SyslogWay } from '../../src/edge/monitor/syslog-way.ts';

const TIMES: SyslogTimes = {
  holdMs: 50,
  lastedMs: 300,
  stuckMs: 400,
  tellMs: 3_600_000,
  resolveMs: 50,
};
const LINE = Buffer.alloc(500, 'x');

async function until(what: string, done: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !done(); await new Promise((r) => setTimeout(r, 10))) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
  }
}

async function serve(t: ExecutionContext, take: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    take(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

type Bench = { readonly way: SyslogWay; readonly told: string[] };

function wayTo(
  t: ExecutionContext,
  to: { readonly port: number; readonly transport?: 'udp' | 'tcp'; readonly address?: string },
  more: ConstructorParameters<typeof SyslogWay>[3] = { times: TIMES },
): Bench {
  const told: string[] = [];
  const { port, transport = 'tcp', address = '127.0.0.1' } = to;
  const way = new SyslogWay(
    { name: 'noc', address, port, transport, level: 'notice' },
    '/',
    { tell: (text) => told.push(text), lostAs: (count) => Buffer.from(`own lost ${count}`) },
    more,
  );
  t.teardown(() => way.close());
  return { way, told };
}

test('a server that stays and does not read: left after a while, and no storm of lines', async (t) => {
  let connections = 0;
  const port = await serve(t, (socket) => {
    connections += 1;
    socket.pause();
  });
  const { way, told } = wayTo(t, { port });
  await until('it is connected', () => connections === 1);
  // every line that is told comes back as a line of the log, as it does by the journal
  let seen = 0;
  const feed = setInterval(() => {
    for (let i = 0; i < 300; i += 1) way.send(LINE);
    for (; seen < told.length; seen += 1) if (!way.isOwn(told[seen] ?? '')) way.send(LINE);
  }, 5);
  t.teardown(() => clearInterval(feed));
  await until('it is left and tried again', () => connections >= 3);
  t.true(
    told.some((l) => l.includes('it takes nothing any more')),
    told.join('\n'),
  );
  t.is(told.filter((l) => l.includes('were lost')).length, 1, told.join('\n'));
  t.true(told.length <= 2 * connections, told.join('\n'));
});

test('losses are told to the server first, once, and the rest follows', async (t) => {
  let text = '';
  let stopped = true;
  const sockets: Socket[] = [];
  const port = await serve(t, (socket) => {
    sockets.push(socket);
    if (stopped) socket.pause();
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
  });
  const { way, told } = wayTo(t, { port }, { times: { ...TIMES, stuckMs: 60_000 } });
  await until('it is connected', () => sockets.length === 1);
  await new Promise((r) => setTimeout(r, 100));
  // more than sockets and spool hold
  for (let i = 0; i < 40; i += 1) {
    for (let n = 0; n < 1000; n += 1) way.send(LINE);
    await new Promise((r) => setTimeout(r, 1));
  }
  t.deepEqual(told, [], 'while nothing can be said nothing is');
  stopped = false;
  sockets[0]?.resume();
  await until('it is told', () => /own lost \d+/.test(text));
  t.is(told.length, 1);
  way.send(Buffer.from('the last'));
  await until('all of it', () => text.endsWith('8 the last'));
  t.is(text.match(/own lost/g)?.length, 1);
});

test('a server that accepts and hangs up: later each time, said once, and it gets nothing', async (t) => {
  const ends: number[] = [];
  let got = 0;
  let stays = false;
  const port = await serve(t, (socket) => {
    socket.on('data', (bytes) => {
      got += bytes.length;
    });
    if (stays) return;
    ends.push(Date.now());
    setTimeout(() => socket.destroy(), 5);
  });
  const { way, told } = wayTo(t, { port }, { times: { ...TIMES, holdMs: 200 } });
  for (let i = 0; i < 10; i += 1) way.send(LINE);
  await until('three of them', () => ends.length === 3);
  // a timer may be late and is never early: the second pause is 2 s
  const [, second = 0, third = 0] = ends;
  t.true(third - second >= 1900, `${third - second}`);
  t.deepEqual([...new Set(told)], told);
  t.true(told.length <= 2, told.join('\n'));
  t.is(got, 0);
  stays = true;
  await until('what waited', () => got === 10 * (LINE.length + 4));
});

test('a name that nobody resolves: what is said waits, bounded; it is asked for once at a time', async (t) => {
  const receiver = createSocket('udp4');
  t.teardown(() => receiver.close());
  const got: string[] = [];
  receiver.on('message', (m) => got.push(m.toString()));
  await new Promise<void>((done) => receiver.bind(0, '127.0.0.1', done));
  const { port } = receiver.address();
  let asked = 0;
  let answer: (() => void) | undefined;
  const { way, told } = wayTo(
    t,
    { port, transport: 'udp', address: 'log.example.net' },
    {
      times: TIMES,
      resolve: (name, found) => {
        t.is(name, 'log.example.net');
        asked += 1;
        answer = () => found(null, '127.0.0.1', 4);
      },
    },
  );
  for (let i = 0; i < 30_000; i += 1) way.send(Buffer.alloc(100, 'y'));
  await new Promise((r) => setTimeout(r, 50));
  t.is(asked, 1);
  t.deepEqual(got, []);
  answer?.();
  await until('what was lost', () => got.some((m) => /^own lost \d+$/.test(m)));
  t.is(told.length, 1);
  await until('it is asked for again', () => asked === 2);
});

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

const MESSAGE = Buffer.alloc(10_000, 'x');
/** More than waits. */
const SENT = 150;

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
    { tell: (text) => logs.push(text), lostAs: (count) => Buffer.from(`lost ${count}`) },
    { times: TIMES },
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
  t.regex(logs.join('\n'), new RegExp(`noc .*${lost} messages were lost`), 'others are told too');
});
