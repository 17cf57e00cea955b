/**
 * The agent's socket: a unix stream of root's (mode 0600), one JSON line in, one JSON line out, in order;
 * `pair` goes on being told and heard. A second agent finds the first one there, and ends.
 */

import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { makeFolder } from './files.ts';

/** A configuration with tens of thousands of extensions fits. */
const LONGEST_LINE = 32 * 1024 * 1024;
const CONNECTIONS = 32;
const KNOCK_MS = 1000;

export type Caller = {
  readonly say: (value: object) => void;
  /** Further lines of his go here until it is undefined again. */
  hear: ((value: { readonly [name: string]: unknown }) => void) | undefined;
  readonly gone: (act: () => void) => void;
};

export type Handle = (request: { readonly [name: string]: unknown }, caller: Caller) => void;

/** @returns whether somebody serves this socket already. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (served: boolean): void => {
      socket.destroy();
      resolve(served);
    };
    socket.setTimeout(KNOCK_MS, () => end(true));
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}

/** @returns the server; or a sentence that begins with its code. */
export async function serveSystem(path: string, handle: Handle): Promise<Server | string> {
  makeFolder(dirname(path));
  if (await isServed(path)) return `system-running: another agent serves ${path}`;
  try {
    unlinkSync(path);
  } catch {
    // none was left behind
  }
  return new Promise((resolve) => {
    const server = createServer((socket) => serveOne(socket, handle));
    server.maxConnections = CONNECTIONS;
    server.on('error', (e) => resolve(`system-socket: ${path}: ${e.message}`));
    // never anybody else's, not even for an instant
    const usual = process.umask(0o177);
    server.listen(path, () => resolve(server));
    process.umask(usual);
  });
}

function serveOne(socket: Socket, handle: Handle): void {
  const parts: string[] = [];
  let length = 0;
  const caller: Caller = {
    say(value) {
      if (!socket.destroyed) socket.write(`${JSON.stringify(value)}\n`);
    },
    hear: undefined,
    gone: (act) => socket.once('close', act),
  };
  const line = (text: string): void => {
    if (text.trim() === '') return;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      caller.say({ error: 'system-json', text: 'one JSON object a line is expected' });
      return;
    }
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      caller.say({ error: 'system-shape', text: 'an object with "command" is expected' });
    } else if (caller.hear !== undefined) caller.hear(json as { [name: string]: unknown });
    else handle(json as { [name: string]: unknown }, caller);
  };
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (text: string) => {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      parts.push(text.slice(from, end));
      line(parts.join(''));
      parts.length = 0;
      length = 0;
      from = end + 1;
    }
    if (from < text.length) parts.push(text.slice(from));
    length += text.length - from;
    if (length > LONGEST_LINE) socket.destroy();
  });
}
