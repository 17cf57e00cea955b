/**
 * Who means no good, at the port of the programs, on the host `lan`: garbage, frames without end,
 * connections that say nothing, guesses of passwords. From an address of its own: whoever guesses has
 * no more guesses for his neighbours either. Says a line a second.
 */

import { connect } from 'node:net';
import { WebSocket } from 'ws';

const [address = '', port = '8088'] = process.argv.slice(2);
const url = `ws://${address}:${port}/`;
/** An address of the host `lan` that no program has. */
const localAddress = '192.0.2.70';
let tried = 0;

function babble(): void {
  const web = new WebSocket(url, { localAddress });
  tried += 1;
  web.onopen = () => {
    for (let i = 0; i < 50; i += 1) web.send(`{"jsonrpc":"2.0","id":${i},"method":"x${i}"`);
    web.send('x'.repeat(300_000));
  };
  web.onclose = () => setTimeout(babble, 100);
  web.onerror = () => {};
}

function guess(): void {
  const web = new WebSocket(url, { localAddress });
  tried += 1;
  web.onopen = () => {
    const params = { program: 'lab', password: `guess ${tried}` };
    web.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'startSession', params }));
  };
  web.onclose = () => setTimeout(guess, 100);
  web.onerror = () => {};
}

function hold(): void {
  const socket = connect({ port: Number(port), host: address, localAddress });
  tried += 1;
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Never: ');
  socket.on('error', () => {});
  socket.on('close', () => setTimeout(hold, 100));
}

for (let i = 0; i < 4; i += 1) babble();
for (let i = 0; i < 2; i += 1) guess();
for (let i = 0; i < 200; i += 1) hold();
setInterval(() => process.stdout.write(`${JSON.stringify({ tried })}\n`), 1000);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
