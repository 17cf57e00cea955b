/**
 * A trunk's other side over TCP, or TLS that wants to see who calls, on the host `lan`: it answers what
 * it is asked and takes every call.
 *
 *   stream-carrier.ts ADDRESS PORT [CERTIFICATE KEY CA]
 *
 * A line for each request that came, with the name the caller wanted to find (SNI) and the connection
 * it came by: {"got": METHOD, "uri", "name", "by"}. "bye" as a line in: it hangs up the call it took
 * last, by the connection the last message came by.
 */

import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createServer as createSecureServer, type TLSSocket } from 'node:tls';
import { answerTo, type Message, one, read, sdp, uriIn, write } from './text.ts';

const [address = '', port = '', certificate = '', key = '', ca = ''] = process.argv.slice(2);
const secure = certificate !== '';
const transport = secure ? 'tls' : 'tcp';
const CONTACT = `Contact: <sip:carrier@${address}:${port};transport=${transport}>`;
const TAG = 'carrier';

let last: Socket | undefined;
let taken: Message | undefined;
let connections = 0;

function heard(m: Message, socket: Socket, by: number): void {
  last = socket;
  if (m.method === '') return;
  const name = secure ? (socket as TLSSocket).servername || '' : '';
  process.stdout.write(`${JSON.stringify({ got: m.method, uri: m.uri, name, by })}\n`);
  if (m.method === 'ACK') return;
  if (m.method !== 'INVITE') {
    socket.write(answerTo(m, 200, 'OK', TAG));
    return;
  }
  taken = m;
  socket.write(answerTo(m, 180, 'Ringing', TAG, [CONTACT]));
  socket.write(answerTo(m, 200, 'OK', TAG, [CONTACT], sdp(address, 1)));
}

function serve(socket: Socket): void {
  const by = ++connections;
  let text = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    for (;;) {
      text = text.replace(/^(?:\r\n)+/, '');
      const gap = text.indexOf('\r\n\r\n');
      if (gap < 0) return;
      const length = Number(/\r\nContent-Length: *(\d+)/i.exec(text.slice(0, gap))?.[1] ?? 0);
      const end = gap + 4 + length;
      if (text.length < end) return;
      const m = read(text.slice(0, end));
      text = text.slice(end);
      if (m !== undefined) heard(m, socket, by);
    }
  });
}

function bye(): void {
  if (taken === undefined) return;
  const lines = [
    `Via: SIP/2.0/${transport.toUpperCase()} ${address}:${port};branch=z9hG4bK${Date.now()}`,
    'Max-Forwards: 70',
    `From: ${one(taken, 'to')};tag=${TAG}`,
    `To: ${one(taken, 'from')}`,
    `Call-ID: ${one(taken, 'call-id')}`,
    'CSeq: 1 BYE',
  ];
  last?.write(write(`BYE ${uriIn(one(taken, 'contact'))} SIP/2.0`, lines));
}

const server = secure
  ? createSecureServer(
      {
        cert: readFileSync(certificate),
        key: readFileSync(key),
        ca: readFileSync(ca),
        requestCert: true,
        rejectUnauthorized: true,
      },
      serve,
    )
  : createServer(serve);
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
server.listen(Number(port), address);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'bye') bye();
  })
  .on('close', () => process.exit(0));
