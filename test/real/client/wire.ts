/**
 * UDP sockets on the host `lan` for a test that writes every message itself. Lines in:
 *   open ADDRESS PORT | send PORT JSON-TEXT           (to the VIP, from the socket of that port)
 * Lines out: {"open": PORT} and {"port": PORT, "text": TEXT} for each datagram that came.
 */

import { createSocket, type Socket } from 'node:dgram';
import { createInterface } from 'node:readline';

const SERVER = { address: '192.0.2.10', port: 5060 };
const sockets = new Map<number, Socket>();

const say = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

function open(address: string, port: number): void {
  const socket = createSocket('udp4');
  socket.on('message', (bytes) => say({ port, text: bytes.toString('latin1') }));
  socket.on('error', (error) => say({ port, error: error.message }));
  socket.bind(port, address, () => say({ open: port }));
  sockets.set(port, socket);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [verb = '', first = '', second = ''] = line.split(' ', 3);
  if (verb === 'open') open(first, Number(second));
  else {
    const text = JSON.parse(line.slice(verb.length + first.length + 2)) as string;
    const bytes = Buffer.from(text, 'latin1');
    sockets.get(Number(first))?.send(bytes, SERVER.port, SERVER.address, () => {});
  }
});
lines.on('close', () => process.exit(0));
