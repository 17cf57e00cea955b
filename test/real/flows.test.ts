/**
 * Connections on loopback, without a pair: how messages are cut, what is refused, and that nothing a
 * stranger does costs more than its limit.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import type { Peer } from '../../src/base/peer.ts';
import { issue } from './client/certificates.ts';
import { until } from './client/stream-phone.ts';
import {
  type Client,
  certificateOf,
  listen,
  OPTIONS,
  portsAhead,
  request,
  serve,
  tcp,
} from './flow-stage.ts';

test('messages are cut wherever the stream is, and keep-alives are answered', async (t) => {
  const s = serve(t);
  const client = tcp(s.ports.tcp);
  const all = `\r\n\r\n${OPTIONS(1, 'body')}${OPTIONS(2)}\r\n\r\n${OPTIONS(3)}`;
  for (let i = 0; i < all.length; i += 7) {
    client.socket.write(all.slice(i, i + 7), 'latin1');
    if (i % 49 === 0) await new Promise(setImmediate);
  }
  await until('three messages', () => s.messages.length === 3);
  t.deepEqual(
    s.messages.map((m) => m.text),
    [OPTIONS(1, 'body'), OPTIONS(2), OPTIONS(3)],
  );
  await until('two pongs', () => client.text === '\r\n\r\n');
  const peer = s.messages[0]?.peer as Peer;
  t.deepEqual(peer, { transport: 'tcp', ip: '127.0.0.1', port: client.socket.localPort ?? 0 });
  s.flows.send(peer, 'SIP/2.0 200 OK\r\n\r\n');
  s.flows.flush();
  await until('an answer', () => client.text.includes('200 OK'));
  client.socket.destroy();
  await until('it is gone', () => s.downs.length === 1);
  t.is(s.flows.size, 0);
});

test('without a Content-Length nothing can be cut: 400, and the connection ends', async (t) => {
  const s = serve(t);
  const client = tcp(s.ports.tcp);
  client.socket.write(OPTIONS(1, '', ''));
  await until('it ends', () => client.ended !== '');
  t.regex(client.text, /^SIP\/2\.0 400 Content-Length is required on a stream\r\n/);
  t.is(s.messages.length, 0);
});

test('a head without end, and a body that is too large, end the connection', async (t) => {
  const s = serve(t);
  const endless = tcp(s.ports.tcp);
  endless.socket.write(`OPTIONS sip:a@b SIP/2.0\r\n${'X: y\r\n'.repeat(10_000)}`);
  const large = tcp(s.ports.tcp);
  large.socket.write(OPTIONS(1, '', 'Content-Length: 99999999\r\n'));
  const web = new WebSocket(`ws://127.0.0.1:${s.ports.ws}/`, 'sip');
  let code = 0;
  web.on('close', (why) => {
    code = why;
  });
  web.on('error', () => {});
  web.on('open', () => web.send('x'.repeat(70_000)));
  await until('both end', () => endless.ended !== '' && large.ended !== '' && code !== 0);
  t.regex(large.text, /^SIP\/2\.0 513 /);
  t.is(code, 1009, 'RFC 6455 7.4.1: message too big');
  t.is(s.messages.length, 0);
});

test('who says nothing, or one byte at a time, does not stay', async (t) => {
  const s = serve(t, { helloMs: 300, messageMs: 300 });
  const silent = ['tcp', 'tls', 'ws', 'wss'].map((k) => tcp(s.ports[k as keyof typeof s.ports]));
  const slow = tcp(s.ports.tcp);
  slow.socket.write(OPTIONS(1));
  await until('it has spoken once', () => s.messages.length === 1);
  const drip = setInterval(() => slow.socket.write('O'), 50);
  t.teardown(() => clearInterval(drip));
  const patient = tcp(s.ports.tcp);
  patient.socket.write(OPTIONS(2));
  await until('all end', () => [...silent, slow].every((one) => one.ended !== ''));
  t.is(patient.ended, '', 'who has said something whole may be silent');
  patient.socket.destroy();
});

test('one address has so many connections and no more; all together have a limit too', async (t) => {
  const s = serve(t, { perSource: 3 });
  const clients = [1, 2, 3, 4, 5].map(() => tcp(s.ports.tcp));
  await until('two are refused', () => clients.filter((one) => one.ended !== '').length === 2);
  t.is(s.flows.size, 3);
  clients.find((one) => one.ended === '')?.socket.destroy();
  await until('room for one', () => s.flows.size === 2);
  const next = tcp(s.ports.tcp);
  next.socket.write(OPTIONS(9));
  await until('it is served', () => s.messages.length === 1);
  for (const one of [...clients, next]) one.socket.destroy();

  const whole = serve(t, { flows: 1 });
  const pair = [tcp(whole.ports.tcp), tcp(whole.ports.tcp)];
  await until('one is refused', () => pair.some((one) => one.ended !== ''));
  t.is(whole.flows.size, 1);
});

test('handshakes that never end keep nobody else out', async (t) => {
  const s = serve(t, { shaking: 6 });
  const greedy: Client[] = [];
  for (let i = 0; i < 12; i += 1) {
    greedy.push(tcp([s.ports.tls, s.ports.ws, s.ports.wss][i % 3] as number, '127.0.0.2'));
    await until('it is looked at', () => s.flows.counters.accepted + s.flows.counters.refused > i);
  }
  await until('six are refused', () => greedy.filter((one) => one.ended !== '').length === 6);
  for (let i = 1; i <= 4; i += 1) {
    const { socket } = await certificateOf(s.ports.tls);
    socket.write(OPTIONS(i));
    await until('it is served', () => s.messages.length === i);
    t.teardown(() => socket.destroy());
  }
  t.true(
    greedy.some((one) => one.ended === ''),
    'who waits is not ended without need',
  );
  t.true(
    s.log.some((line) => line.includes('too many handshakes at once: the oldest of 127.0.0.2')),
  );
  for (const one of greedy) one.socket.destroy();
});

test('who takes nothing loses the connection, not we the memory', async (t) => {
  const s = serve(t);
  const client = tcp(s.ports.tcp);
  client.socket.write(OPTIONS(1));
  await until('it stands', () => s.messages.length === 1);
  client.socket.pause();
  const peer = s.messages[0]?.peer as Peer;
  const text = OPTIONS(2, 'x'.repeat(60_000));
  for (let i = 0; i < 2000 && s.downs.length === 0; i += 1) {
    s.flows.send(peer, text);
    s.flows.flush();
    if (i % 10 === 0) await new Promise(setImmediate);
  }
  t.is(s.downs.length, 1);
  t.true(s.log.some((line) => line.includes('takes nothing')));
  client.socket.destroy();
});

test('while the box does not read, everything waits with the sender', async (t) => {
  const s = serve(t);
  const client = tcp(s.ports.tcp);
  client.socket.write(OPTIONS(1));
  await until('it stands', () => s.messages.length === 1);
  s.flows.setReading(false);
  client.socket.write(OPTIONS(2));
  const late = tcp(s.ports.tcp);
  late.socket.write(OPTIONS(3));
  await until('the second connection stands', () => s.ups.length === 2);
  await new Promise((wake) => setTimeout(wake, 100));
  t.is(s.messages.length, 1);
  s.flows.setReading(true);
  await until('all is read', () => s.messages.length === 3);
  client.socket.destroy();
  late.socket.destroy();
});

test('when the role is lost every connection is reset', async (t) => {
  const s = serve(t);
  const client = tcp(s.ports.tcp);
  client.socket.write(OPTIONS(1));
  const web = new WebSocket(`ws://127.0.0.1:${s.ports.ws}/`, 'sip');
  let why = '';
  web.on('error', (e: NodeJS.ErrnoException) => {
    why = e.code ?? '';
  });
  web.on('close', () => {
    why ||= 'closed';
  });
  await until('both stand', () => s.ups.length === 2);
  s.flows.drop();
  await until('both are reset', () => client.ended !== '' && why !== '');
  t.is(client.ended, 'ECONNRESET');
  t.is(s.downs.length, 2);
});

// ── out ────────────────────────────────────────────────────────────────────────────────────────

/** A server that is not ours. */
async function stranger(
  t: ExecutionContext,
): Promise<{ server: Server; port: number; text: () => string }> {
  let text = '';
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const at = server.address();
  return { server, port: typeof at === 'object' ? (at?.port ?? 0) : 0, text: () => text };
}

test('a peer without a connection is connected to; what waits leaves in order, by one', async (t) => {
  const s = serve(t);
  const there = await stranger(t);
  const peer: Peer = { transport: 'tcp', ip: '127.0.0.1', port: there.port };
  s.flows.send(peer, OPTIONS(1));
  s.flows.flush();
  s.flows.send(peer, OPTIONS(2));
  s.flows.flush();
  await until('it has both', () => there.text() === OPTIONS(1) + OPTIONS(2));
  t.deepEqual(s.ups, [peer]);
  s.flows.send(peer, OPTIONS(3));
  s.flows.flush();
  await until('and the third', () => there.text().endsWith(OPTIONS(3)));
  t.is(s.flows.counters.connected, 1);
});

test('what waits for a connection is not overtaken when its peer comes by one of its own', async (t) => {
  const s = serve(t);
  // it accepts, and its handshake never comes
  const ear: Server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((done) => ear.listen(0, '127.0.0.1', done));
  t.teardown(() => ear.close());
  const { port } = ear.address() as { readonly port: number };
  const hop: Peer = { transport: 'tls', ip: '127.0.0.1', port };
  const own = listen(
    connectTls({ host: '127.0.0.1', port: s.ports.tls, rejectUnauthorized: false }),
  );
  await until('it came by itself', () => s.ups.length === 1);
  s.flows.send(hop, request('INVITE', 1, 'one'));
  s.flows.send(hop, request('INVITE', 1, 'two'));
  s.flows.send(s.ups[0] as Peer, request('BYE', 2, 'one'));
  s.flows.flush();
  await until('both', () => own.text.includes('BYE'));
  t.is(own.text, request('INVITE', 1, 'one') + request('BYE', 2, 'one'));
  own.socket.destroy();
});

test('a peer that is not there is unreachable, and so is a WebSocket without a connection', async (t) => {
  const s = serve(t, { connectMs: 300 });
  const closed: Peer = { transport: 'tcp', ip: '127.0.0.1', port: 9 };
  const web: Peer = { transport: 'ws', ip: '127.0.0.1', port: 40_000 };
  s.flows.send(closed, OPTIONS(1));
  s.flows.flush();
  s.flows.send(web, OPTIONS(1));
  s.flows.flush();
  await until('both are told', () => s.unreachable.length === 2);
  t.deepEqual(s.unreachable, [web, closed]);
});

test('a certificate nobody knows ends a connection of ours; an operator may say who is known', async (t) => {
  const server = serve(t);
  const peer: Peer = { transport: 'tls', ip: '127.0.0.1', port: server.ports.tls };
  const wary = serve(t);
  wary.flows.send(peer, OPTIONS(1));
  wary.flows.flush();
  await until('it is refused', () => wary.unreachable.length === 1);
  t.is(server.messages.length, 0);
  const bold = serve(t, {}, { outgoing: { insecure: true } });
  bold.flows.send(peer, OPTIONS(2));
  bold.flows.flush();
  await until('it came', () => server.messages.length === 1);
  const dir = mkdtempSync(join(tmpdir(), 'sipair-ca-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const seen = await certificateOf(server.ports.tls);
  writeFileSync(join(dir, 'ca.pem'), seen.pem);
  const told = serve(t, {}, { outgoing: { ca: join(dir, 'ca.pem') } });
  told.flows.send(peer, OPTIONS(3));
  told.flows.flush();
  await until('it came', () => server.messages.length === 2);
});

test('RFC 5922 7: who is connected to must be whom the URI names', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-names-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  issue(dir, 'ca');
  let nth = 0;
  const answers = async (names: string, wanted: readonly string[], more: object = {}) => {
    const own = `server${nth++}`;
    issue(dir, own, 'ca', names);
    const identity = { certificate: join(dir, `${own}.pem`), key: join(dir, `${own}.key`) };
    // the port of TLS is one above that of TCP
    const server = serve(t, {}, { tls: { port: portsAhead().tls, ...identity } });
    const outgoing = { ca: join(dir, 'ca.pem'), ...more };
    const client = serve(t, {}, { outgoing }, wanted);
    client.flows.send({ transport: 'tls', ip: '127.0.0.1', port: server.ports.tls }, OPTIONS(1));
    await until('an end', () => client.unreachable.length + server.messages.length === 1);
    if (client.unreachable.length > 0) {
      t.true(client.log.some((line) => /its certificate is not that of /.test(line)));
    }
    return server.messages.length === 1;
  };
  t.true(await answers('DNS:carrier.test', ['carrier.test']), 'a name');
  t.true(await answers('URI:sip:Carrier.test,DNS:other.test', ['carrier.test']), 'a URI');
  t.false(await answers('DNS:other.test', ['carrier.test']), 'another name');
  t.false(await answers('DNS:*.test', ['carrier.test']), '7.2: no wildcards');
  t.false(await answers('URI:sip:eve@carrier.test', ['carrier.test']), '7.1: no user part');
  t.false(await answers('IP:127.0.0.1', ['carrier.test']), 'an address is no name');
  t.true(await answers('IP:127.0.0.1', []), 'nobody has a name for it: its address');
  t.false(await answers('DNS:carrier.test', []), 'and nothing else');
  t.true(await answers('', ['server8']), '7.1: a common name where there is nothing else');
  t.false(await answers('DNS:carrier.test', ['carrier.test', 'second.test']), 'it must be both');
  t.true(await answers('DNS:other.test', ['carrier.test'], { insecure: true }), 'nobody looks');
});

// ── HTTP ───────────────────────────────────────────────────────────────────────────────────────

test('HTTP that does not want to be a WebSocket for SIP gets a short answer', async (t) => {
  const s = serve(t);
  const ask = async (text: string): Promise<string> => {
    const client = tcp(s.ports.ws);
    client.socket.write(text);
    await until('an answer and the end', () => client.ended !== '');
    return client.text;
  };
  t.regex(await ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 426 Upgrade Required\r\n/);
  const upgrade = (name: string): string =>
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${name}\r\n`;
  t.regex(await ask(upgrade('')), /^HTTP\/1\.1 400 /);
  t.regex(await ask(upgrade('Sec-WebSocket-Protocol: chat\r\n')), /^HTTP\/1\.1 400 /);
  t.regex(await ask(OPTIONS(1)), /^HTTP\/1\.1 400 /);
  t.regex(await ask(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 4\d\d /);
  t.is(s.ups.length, 0);
});

test('a WebSocket message is a SIP message, text or binary; what is no UTF-8 leaves as binary', async (t) => {
  const s = serve(t);
  const web = new WebSocket(`ws://127.0.0.1:${s.ports.ws}/`, ['chat', 'sip']);
  const got: { readonly text: string; readonly binary: boolean }[] = [];
  web.on('message', (data: Buffer, binary) => got.push({ text: data.toString('latin1'), binary }));
  await new Promise((done) => web.on('open', done));
  t.is(web.protocol, 'sip');
  web.send(OPTIONS(1));
  web.send(Buffer.from(OPTIONS(2, '\xff\xfe'), 'latin1'));
  web.send('\r\n\r\n');
  await until('both', () => s.messages.length === 2);
  t.deepEqual(
    s.messages.map((m) => m.text),
    [OPTIONS(1), OPTIONS(2, '\xff\xfe')],
  );
  const peer = s.messages[0]?.peer as Peer;
  s.flows.send(peer, OPTIONS(3));
  s.flows.flush();
  s.flows.send(peer, OPTIONS(4, '\xff'));
  s.flows.flush();
  await until('three', () => got.length === 3);
  t.deepEqual(got, [
    { text: '\r\n', binary: false },
    { text: OPTIONS(3), binary: false },
    { text: OPTIONS(4, '\xff'), binary: true },
  ]);
  web.terminate();
});
