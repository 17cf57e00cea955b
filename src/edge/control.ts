/**
 * The control socket: a unix stream, one JSON line in, one JSON line out. Only root and the service
 * reach it (mode 0600). `sipair show` and the lab speak it.
 */

import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type DeskRequest, readDesk } from './control-desk.ts';

export type ControlRequest =
  | { readonly command: 'status'; readonly digest: boolean }
  | { readonly command: 'switchover'; readonly force: boolean }
  | DeskRequest
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
  const desk = readDesk(j);
  if (desk !== undefined) return desk;
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
        text: `no such command: ${String(r.command)}; there are status, switchover, promote, resync, reload, show, clear, monitor`,
      };
  }
}

export type Answer = (value: object) => void;

/** Whoever asked, for those who go on telling him. */
export type Asker = {
  /** A line that is JSON already. */
  readonly line: (json: string) => void;
  /** He does not read as fast as he is told. */
  readonly isBehind: () => boolean;
  readonly onGone: (act: () => void) => void;
};

export type Handler = (request: ControlRequest, answer: Answer, asker: Asker) => void;

/** Waits for room in a connection before `isBehind`. */
const BEHIND_BYTES = 1_048_576;

/** Serves requests; `handle` answers each, now or later, once; `monitor` goes on being answered. */
export function serveControl(path: string, handle: Handler): Server {
  if (existsSync(path)) unlinkSync(path);
  const server = createServer((socket) => serveOne(socket, handle));
  server.listen(path, () => chmodSync(path, 0o600));
  return server;
}

function serveOne(socket: Socket, handle: Handler): void {
  let pending = '';
  const line = (json: string): void => {
    if (!socket.destroyed) socket.write(`${json}\n`);
  };
  const answer: Answer = (value) => line(JSON.stringify(value));
  const asker: Asker = {
    line,
    isBehind: () => socket.writableLength > BEHIND_BYTES,
    onGone: (act) => socket.once('close', act),
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
      else handle(request, answer, asker);
    }
    if (pending.length > LONGEST_LINE) socket.destroy();
  });
}
