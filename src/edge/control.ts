/**
 * The control socket: a unix stream, one JSON line in, one JSON line out. Only root and the service
 * reach it (mode 0600). `sipair show` and the lab speak it.
 */

import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

export type ControlRequest =
  | { readonly command: 'status'; readonly digest: boolean }
  | { readonly command: 'switchover'; readonly force: boolean }
  | { readonly command: 'promote' }
  | { readonly command: 'resync' }
  /** Certificates and keys are read again. */
  | { readonly command: 'reload' };

export type ControlFault = { readonly error: string; readonly text: string };

const LONGEST_LINE = 65_536;

/** Reads one request. @returns it, or what is wrong with it under a stable code. */
export function readRequest(line: string): ControlRequest | ControlFault {
  let j: unknown;
  try {
    j = JSON.parse(line);
  } catch {
    return { error: 'control-json', text: 'one JSON object a line is expected' };
  }
  if (typeof j !== 'object' || j === null || !('command' in j)) {
    return { error: 'control-shape', text: 'an object with "command" is expected' };
  }
  const r = j as { command: unknown; digest?: unknown; force?: unknown };
  switch (r.command) {
    case 'status':
      return { command: 'status', digest: r.digest === true };
    case 'switchover':
      return { command: 'switchover', force: r.force === true };
    case 'promote':
    case 'resync':
    case 'reload':
      return { command: r.command };
    default:
      return {
        error: 'control-command',
        text: `no such command: ${String(r.command)}; there are status, switchover, promote, resync, reload`,
      };
  }
}

export type Answer = (value: object) => void;

/** Serves requests; `handle` answers each, now or later, once. */
export function serveControl(
  path: string,
  handle: (request: ControlRequest, answer: Answer) => void,
): Server {
  if (existsSync(path)) unlinkSync(path);
  const server = createServer((socket) => serveOne(socket, handle));
  server.listen(path, () => chmodSync(path, 0o600));
  return server;
}

function serveOne(socket: Socket, handle: (request: ControlRequest, answer: Answer) => void): void {
  let pending = '';
  const answer: Answer = (value) => {
    if (!socket.destroyed) socket.write(`${JSON.stringify(value)}\n`);
  };
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (text: string) => {
    pending += text;
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      if (line.trim() === '') continue;
      const request = readRequest(line);
      if ('error' in request) answer(request);
      else handle(request, answer);
    }
    if (pending.length > LONGEST_LINE) socket.destroy();
  });
}
