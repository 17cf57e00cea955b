/**
 * The crossover link, both ends of it, on loopback: 127.0.0.1 is box a, 127.0.0.2 box b. Whoever has
 * not the pair key can neither take the place of the link that stands, nor wear anything out.
 */

import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { Config } from '../../src/edge/config.ts';
import { MIRROR_PORT } from '../../src/edge/config.ts';
import { Link } from '../../src/edge/link.ts';
import { derive } from '../../src/wire/derive.ts';
import { until } from './native-help.ts';

const A = '127.0.0.1';
const B = '127.0.0.2';
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const OTHER = KEY.map((n) => n ^ 0x55);

function configOf(box: 'a' | 'b', key = KEY): Config {
  const [address, peerAddress] = box === 'a' ? [A, B] : [B, A];
  const crossover = { interface: 'lo', address, peerAddress };
  return { box, crossover, node: { pair: { key } } } as unknown as Config;
}

type End = {
  readonly link: Link;
  readonly events: string[];
  readonly troubles: string[];
  readonly got: Buffer[];
};

function end(t: ExecutionContext, box: 'a' | 'b', key = KEY): End {
  const events: string[] = [];
  const troubles: string[] = [];
  const got: Buffer[] = [];
  const link = new Link(configOf(box, key), {
    up: () => events.push('up'),
    down: () => events.push('down'),
    data: (bytes) => got.push(Buffer.from(bytes)),
    trouble: ({ text }) => troubles.push(text),
  });
  t.teardown(() => link.close());
  return { link, events, troubles, got };
}

const stands = (one: End): boolean => one.events.at(-1) === 'up';

async function pair(t: ExecutionContext): Promise<{ a: End; b: End }> {
  const a = end(t, 'a');
  const b = end(t, 'b');
  await until('the link stands', () => stands(a) && stands(b));
  return { a, b };
}

/** Both ways, now. */
async function carries(from: End, to: End, word: string): Promise<void> {
  from.link.write(Buffer.from(word));
  from.link.flush();
  await until(word, () => Buffer.concat(to.got).toString('latin1').includes(word));
}

function stranger(localAddress: string): ReturnType<typeof tcpConnect> {
  const socket = tcpConnect({ host: A, port: MIRROR_PORT, localAddress });
  socket.on('error', () => {});
  return socket;
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

test.serial('both ways, in order, many pieces of a turn together, megabytes', async (t) => {
  const { a, b } = await pair(t);
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const pieces = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1 + i * 97, i));
    for (const piece of pieces) from.link.write(piece);
    from.link.flush();
    // not idle any more: what waits is a copy
    const reused = Buffer.alloc(70_000, 7);
    from.link.write(reused);
    from.link.flush();
    const wanted = Buffer.concat([...pieces, Buffer.from(reused)]);
    reused.fill(0);
    await until('all of it', () => to.got.reduce((n, one) => n + one.length, 0) >= wanted.length);
    t.true(Buffer.concat(to.got).equals(wanted));
  }
  t.deepEqual([a.events, b.events], [['up'], ['up']]);
  t.deepEqual([a.troubles, b.troubles], [[], []]);
});

test.serial('on the wire it is TLS, and nothing of what is said can be read', async (t) => {
  const a = end(t, 'a');
  const seen: Buffer[] = [];
  const raw = tcpConnect({ host: A, port: MIRROR_PORT, localAddress: B });
  raw.on('data', (bytes) => seen.push(bytes));
  const psk = Buffer.from(derive(KEY, 'crossover tls'));
  const tls = tlsConnect({
    socket: raw,
    ciphers: 'TLS_CHACHA20_POLY1305_SHA256',
    minVersion: 'TLSv1.3',
    pskCallback: () => ({ psk, identity: 'sipair b' }),
  });
  t.teardown(() => tls.destroy());
  await until('up', () => stands(a));
  t.is(tls.getProtocol(), 'TLSv1.3');
  t.truthy((tls.getEphemeralKeyInfo() as { type?: string } | null)?.type, 'forward secrecy');
  const heard = new Promise((done) => tls.once('data', done));
  a.link.write(Buffer.from('a call of 1001 to 1002'));
  a.link.flush();
  t.is(String(await heard), 'a call of 1001 to 1002');
  t.false(Buffer.concat(seen).includes('1001'));
});

test.serial('strangers: not one of them disturbs the link that stands', async (t) => {
  const { a, b } = await pair(t);
  const before = openFiles();
  const sockets: ReturnType<typeof tcpConnect>[] = [];
  for (const from of ['127.0.0.3', B]) {
    // silent, talking rubbish, cut short in the middle of a hello, and very many
    for (let n = 0; n < 60; n += 1) sockets.push(stranger(from));
    const rubbish = stranger(from);
    rubbish.write('GET / HTTP/1.0\r\n\r\n');
    const hello = stranger(from);
    hello.write(Buffer.from('1603010200010001fc0303', 'hex'));
    sockets.push(rubbish, hello);
  }
  await carries(a, b, 'while they come');
  await sleep(1100);
  for (const identity of ['sipair b', 'somebody']) {
    for (const psk of [Buffer.from(OTHER), Buffer.from(KEY)]) {
      const tls = tlsConnect({
        socket: stranger(B),
        minVersion: 'TLSv1.3',
        ciphers: 'TLS_CHACHA20_POLY1305_SHA256',
        pskCallback: () => ({ psk, identity }),
      });
      tls.on('error', () => {});
      await new Promise((done) => tls.once('close', done));
    }
  }
  // without any key, as a browser would
  const browser = tlsConnect({ socket: stranger(B), rejectUnauthorized: false });
  browser.on('error', () => {});
  await new Promise((done) => browser.once('close', done));
  await carries(b, a, 'after they came');
  t.deepEqual([a.events, b.events], [['up'], ['up']]);
  await sleep(2200);
  for (const socket of sockets) socket.destroy();
  await sleep(50);
  t.true(openFiles() <= before, 'nothing is left open');
  for (const code of ['link-stranger', 'link-flood', 'link-tls: the boxes do not have the same']) {
    t.is(a.troubles.filter((text) => text.startsWith(code)).length, 1, code);
  }
  t.true(a.troubles.length < 12, a.troubles.join('\n'));
});

test.serial('a real peer gets its link although silent ones hold the handshakes', async (t) => {
  const a = end(t, 'a');
  for (let n = 0; n < 6; n += 1) {
    const socket = stranger(B);
    t.teardown(() => socket.destroy());
  }
  await sleep(100);
  const b = end(t, 'b');
  await until('the link stands', () => stands(a) && stands(b), 1000);
  await carries(a, b, 'hello');
  t.pass();
});

test.serial('other keys: both say so, once, and nobody is up', async (t) => {
  const a = end(t, 'a');
  const b = end(t, 'b', OTHER);
  await sleep(2500);
  t.deepEqual([a.events, b.events], [[], []]);
  const sentence = 'link-tls: the boxes do not have the same pair key';
  t.deepEqual([a.troubles, b.troubles], [[sentence], [sentence]]);
});

test.serial('a server that shows a certificate instead of the key is refused', async (t) => {
  // b connects to somebody on a's address who knows no key, but speaks TLS well
  const pem = mkdtempSync(join(tmpdir(), 'sipair-link-'));
  t.teardown(() => rmSync(pem, { recursive: true }));
  const [key, cert] = [join(pem, 'key'), join(pem, 'cert')];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const rest = ['-nodes', '-days', '2', '-subj', '/CN=box-a', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...args, ...rest], { stdio: 'ignore' });
  const { createServer } = await import('node:tls');
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
  let refused = 0;
  server.on('tlsClientError', () => {
    refused += 1;
  });
  await new Promise<void>((done) => server.listen(MIRROR_PORT, A, done));
  t.teardown(() => server.close());
  const b = end(t, 'b');
  await until('it is told', () => b.troubles.length > 0);
  await sleep(100);
  t.deepEqual(b.events, []);
  t.regex(b.troubles[0] ?? '', /^link-tls: no handshake with the peer: /);
  t.is(refused, 1);
});

test.serial(
  'the peer begins anew while the old connection is half open: it is replaced',
  async (t) => {
    const { a, b } = await pair(t);
    const second = end(t, 'b');
    await until('the second stands', () => stands(second) && a.events.length === 3);
    t.deepEqual(a.events, ['up', 'down', 'up']);
    await carries(a, second, 'to the new one');
    t.is(b.events[1], 'down');
  },
);

test.serial('a peer that takes nothing for 64 MB is not a peer', async (t) => {
  const a = end(t, 'a');
  const psk = Buffer.from(derive(KEY, 'crossover tls'));
  const raw = stranger(B);
  const tls = tlsConnect({
    socket: raw,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_CHACHA20_POLY1305_SHA256',
    pskCallback: () => ({ psk, identity: 'sipair b' }),
  });
  tls.on('error', () => {});
  t.teardown(() => tls.destroy());
  await until('up', () => stands(a));
  raw.pause();
  tls.pause();
  let megabytes = 0;
  for (; megabytes < 200 && stands(a); megabytes += 1) {
    a.link.write(Buffer.alloc(1 << 20));
    a.link.flush();
    await sleep(1);
  }
  t.true(megabytes > 60 && megabytes < 100, `${megabytes} MB`);
  t.deepEqual(a.events, ['up', 'down']);
});

test.serial('kill -9 of the peer is noticed at once', async (t) => {
  const a = end(t, 'a');
  const took: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const child = fork(new URL('link-child.ts', import.meta.url), [
      JSON.stringify({ ...configOf('b'), key: [...KEY] }),
    ]);
    await until('up', () => stands(a));
    await sleep(50);
    const exited = new Promise((done) => child.once('exit', done));
    const began = performance.now();
    child.kill('SIGKILL');
    while (stands(a)) await new Promise((done) => setImmediate(done));
    took.push(performance.now() - began);
    await exited;
  }
  t.log(took.map((ms) => `${ms.toFixed(1)} ms`).join(', '));
  t.true(Math.min(...took) < 40, took.join(', '));
});
