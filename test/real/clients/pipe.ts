/**
 * Standard input and output of this process are a TCP connection: `node pipe.ts HOST PORT`. Started on
 * a host of a lab, it lets a test speak with a program that listens on that host's loopback only.
 */

import { connect } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
const TRIES_MS = 50;
const until = performance.now() + 20_000;

function attempt(): void {
  const socket = connect(Number(port), host);
  socket.once('connect', () => {
    socket.removeAllListeners('error');
    socket.on('error', () => process.exit(1));
    socket.on('close', () => process.exit(0));
    process.stdin.pipe(socket).pipe(process.stdout);
  });
  // The program is starting.
  socket.once('error', (error) => {
    if (performance.now() < until) {
      setTimeout(attempt, TRIES_MS);
      return;
    }
    process.stderr.write(`${host}:${port}: ${error.message}\n`);
    process.exit(1);
  });
}

process.stdin.on('end', () => process.exit(0));
attempt();
