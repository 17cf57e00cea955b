/** The asking side of the control socket. */

import { connect } from 'node:net';

const PATIENCE_MS = 5000;

/** Sends one request, gives the one answer; an unreachable box is an answer too, with its code. */
export function ask(path: string, request: object): Promise<object> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    const end = (value: object): void => {
      socket.destroy();
      resolve(value);
    };
    const unreachable = (why: string): void => {
      end({ error: 'control-unreachable', text: `no box answers at ${path}: ${why}` });
    };
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () => unreachable('it took too long'));
    socket.on('error', (e) => unreachable(e.message));
    socket.on('end', () => unreachable('it closed the connection'));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const at = text.indexOf('\n');
      if (at >= 0) end(JSON.parse(text.slice(0, at)) as object);
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
