/**
 * What an attacker on the LAN sends, as a process on the host `lan`, for so many seconds:
 *
 *   attacker.ts udp SECONDS RATE     floods and garbage from many addresses of 198.51.100.0/24, which
 *                                    the host has as its own, and under the addresses of phones'
 *                                    neighbours: forged sources whose answers nobody wants
 *   attacker.ts streams SECONDS      connections that say nothing, handshakes that never end, a byte
 *                                    now and then, heads without an end, HTTP, garbage
 *
 * One JSON line at the end: what was sent, and what came back.
 */

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';

const VIP = '192.0.2.10';
const [mode = '', seconds = '10', rate = '1000'] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1000;
const word = (): string => randomBytes(6).toString('hex');

type Kind = (ip: string, n: number) => string;

const request =
  (method: string, toTag = '', more = ''): Kind =>
  (ip, n) => {
    const user = 1000 + (n % 1000);
    return (
      `${method} sip:${user}@${VIP} SIP/2.0\r\nVia: SIP/2.0/UDP ${ip}:5060;branch=z9hG4bK${word()};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:${user}@${VIP}>;tag=${word()}\r\n` +
      `To: <sip:${user}@${VIP}>${toTag}\r\nCall-ID: ${word()}\r\nCSeq: 1 ${method}\r\n` +
      `Contact: <sip:x@${ip}:5060>\r\n${more}Content-Length: 0\r\n\r\n`
    );
  };

const GUESS =
  `Authorization: Digest username="1001", realm="sipair", nonce="x.y.z", uri="sip:${VIP}", ` +
  'algorithm=MD5, qop=auth, nc=00000001, cnonce="c", response="0123456789abcdef0123456789abcdef"\r\n';

const KINDS: readonly Kind[] = [
  request('REGISTER'),
  request('REGISTER', '', GUESS),
  request('INVITE'),
  request('OPTIONS'),
  request('SUBSCRIBE', '', 'Event: dialog\r\n'),
  request('BYE', ';tag=1-abc'),
  request('INVITE', ';tag=2-abc'),
  request('CANCEL'),
  request('REFER', ';tag=3-abc', 'Refer-To: <sip:1001@192.0.2.10>\r\n'),
  request('NOSUCH'),
  () => randomBytes(1 + Math.floor(Math.random() * 1200)).toString('latin1'),
  (ip) =>
    `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP ${ip};branch=z9hG4bK1-${word()}\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n`,
  (ip, n) => request('OPTIONS')(ip, n).slice(0, Math.floor(Math.random() * 300)),
  (ip, n) => `${request('INVITE')(ip, n).slice(0, -2)}X: ${'a, '.repeat(3000)}\r\n\r\n`,
];

function udp(): void {
  let heard = 0;
  let sent = 0;
  const sources = Array.from({ length: 60 }, (_, i) => {
    const ip = `198.51.100.${1 + i}`;
    const socket = createSocket('udp4');
    socket.on('message', () => {
      heard += 1;
    });
    socket.on('error', () => {});
    socket.bind(5060, ip);
    return { ip, socket };
  });
  const began = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const due = Math.min(sent + 200, Math.floor(((now - began) * Number(rate)) / 1000));
    for (; sent < due; sent += 1) {
      const source = sources[sent % sources.length];
      const kind = KINDS[Math.floor(Math.random() * KINDS.length)];
      if (source === undefined || kind === undefined) continue;
      source.socket.send(Buffer.from(kind(source.ip, sent), 'latin1'), 5060, VIP, () => {});
    }
    if (now < end) return;
    clearInterval(timer);
    for (const { socket } of sources) socket.close();
    process.stdout.write(`${JSON.stringify({ sent, heard })}\n`);
  }, 5);
}

/** The first octets of a TLS handshake: a record that is longer than what comes. */
const HELLO = Buffer.from('160301020001000100', 'hex');

type Manner = { readonly port: number; readonly first?: Buffer | string; readonly drip?: string };

const MANNERS: readonly Manner[] = [
  { port: 5060 },
  { port: 5060, first: 'OPTIONS sip:a SIP/2.0\r\n', drip: 'X' },
  { port: 5060, first: `OPTIONS sip:a SIP/2.0\r\n${'X: y\r\n'.repeat(12_000)}` },
  { port: 5060, first: 'INVITE sip:a SIP/2.0\r\nContent-Length: 99999999\r\n\r\n' },
  { port: 5060, first: randomBytes(2000) },
  { port: 5061, first: HELLO },
  { port: 5061, first: HELLO, drip: 'x' },
  { port: 5061, first: 'GET / HTTP/1.1\r\n\r\n' },
  { port: 8080, first: 'GET / HTTP/1.1\r\nHost: ', drip: 'a' },
  { port: 8080, first: `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n` },
  { port: 8443, first: HELLO },
];

function streams(): void {
  let opened = 0;
  let ended = 0;
  const open = new Set<Socket>();
  const timer = setInterval(() => {
    for (let i = 0; i < 4; i += 1) {
      const manner = MANNERS[opened % MANNERS.length] as Manner;
      const localAddress = `198.51.100.${1 + (opened % 8)}`;
      const socket = connect({ host: VIP, port: manner.port, localAddress });
      opened += 1;
      open.add(socket);
      let drips: NodeJS.Timeout | undefined;
      socket.on('connect', () => {
        if (manner.first !== undefined) socket.write(manner.first);
        if (manner.drip !== undefined)
          drips = setInterval(() => socket.write(manner.drip ?? ''), 500);
      });
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.on('close', () => {
        clearInterval(drips);
        open.delete(socket);
        ended += 1;
      });
    }
    if (performance.now() < end) return;
    clearInterval(timer);
    process.stdout.write(`${JSON.stringify({ opened, ended })}\n`);
    for (const socket of open) socket.destroy();
  }, 20);
}

if (mode === 'streams') streams();
else udp();
