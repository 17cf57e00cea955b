/** The sockets the console asks: one request and its answer, or a stream of lines until it is closed. */

import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Json, Service } from '../../panel/console/dialog.ts';
import { unreachable } from '../../panel/console/machine.ts';

/** An answer longer than this is none. */
const ANSWER_MAX = 16 * 1024 * 1024;

const SOCKETS: { readonly [S in Exclude<Service, 'self'>]: string } = {
  control: 'control.sock',
  system: 'system.sock',
  monitor: 'monitor.sock',
};

export function socketOf(root: string, service: Exclude<Service, 'self'>): string {
  return join(root, 'run/sipair', SOCKETS[service]);
}

function readLine(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Json;
  } catch {
    // said below
  }
  return { error: 'control-json', text: 'the answer is no JSON object' };
}

/** One request, one answer; nothing that goes wrong is an exception. */
export function askOnce(
  root: string,
  service: Exclude<Service, 'self'>,
  request: Json,
  patienceMs: number,
  answer: (value: Json) => void,
): void {
  const socket = connect(socketOf(root, service));
  let text = '';
  let answered = false;
  const end = (value: Json): void => {
    if (answered) return;
    answered = true;
    clearTimeout(patience);
    socket.destroy();
    answer(value);
  };
  const patience = setTimeout(
    () => end(unreachable(service, `no answer within ${Math.round(patienceMs / 1000)} s`)),
    patienceMs,
  );
  socket.setEncoding('utf8');
  socket.on('error', (e) => end(unreachable(service, e.message)));
  socket.on('close', () => end(unreachable(service, 'it closed the connection')));
  socket.on('data', (chunk: string) => {
    text += chunk;
    const at = chunk.includes('\n') ? text.indexOf('\n') : -1;
    if (at >= 0) end(readLine(text.slice(0, at)));
    else if (text.length > ANSWER_MAX)
      end({ error: 'control-size', text: 'the answer is too long' });
  });
  socket.write(`${JSON.stringify(request)}\n`);
}

export type Stream = { tell(value: Json): void; pause(on: boolean): void; close(): void };

/** A stream of values; `over` comes once, also after `close`. */
export function openStream(
  root: string,
  service: Exclude<Service, 'self'>,
  request: Json,
  take: (value: Json) => void,
  over: () => void,
): Stream {
  const socket: Socket = connect(socketOf(root, service));
  let text = '';
  socket.setEncoding('utf8');
  socket.on('error', (e) => take(unreachable(service, e.message)));
  socket.on('close', over);
  socket.on('data', (chunk: string) => {
    text += chunk;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
      const one = text.slice(0, at);
      text = text.slice(at + 1);
      if (one.trim() !== '') take(readLine(one));
    }
    if (text.length > ANSWER_MAX) socket.destroy();
  });
  socket.write(`${JSON.stringify(request)}\n`);
  return {
    tell: (value) => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(value)}\n`);
    },
    pause: (on) => {
      if (on) socket.pause();
      else socket.resume();
    },
    close: () => socket.destroy(),
  };
}
