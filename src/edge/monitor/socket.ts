/**
 * `monitor.sock`: one JSON line in, one out; `follow` gives a line for every change until somebody hangs
 * up. Root's alone. A reader that does not read is sent away, not waited for.
 */

import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { BoxStatus, StatusChange } from '../../panel/monitor/box-status.ts';
import { ask } from '../control-client.ts';

const LONGEST_LINE = 65_536;
/** Alarms that are over, in a `status`; `alarms` has them all. */
const HISTORY_SHOWN = 50;
const FOLLOWERS = 16;
const UNREAD_BYTES = 1024 * 1024;
const MINUTES_MAX = 24 * 60;

export type MonitorRequest =
  | { readonly command: 'status' }
  | { readonly command: 'alarms' }
  | { readonly command: 'follow' }
  | { readonly command: 'locate'; readonly on: boolean; readonly minutes: number };

type Fault = { readonly error: string; readonly text: string };

export function readMonitorRequest(line: string): MonitorRequest | Fault {
  let x: unknown;
  try {
    x = JSON.parse(line);
  } catch {
    return { error: 'control-json', text: 'one JSON object a line is expected' };
  }
  const r = (typeof x === 'object' ? x : null) as { readonly [name: string]: unknown } | null;
  switch (r?.['command']) {
    case 'status':
    case 'alarms':
    case 'follow':
      return { command: r['command'] };
    case 'locate': {
      const minutes = r['minutes'] ?? 10;
      const fits = typeof minutes === 'number' && minutes > 0 && minutes <= MINUTES_MAX;
      if (!fits) return { error: 'monitor-minutes', text: `1 to ${MINUTES_MAX} minutes` };
      return { command: 'locate', on: r['on'] !== false, minutes };
    }
    default: {
      const text = `no such command: ${String(r?.['command'])}; there are status, alarms, follow, locate`;
      return { error: 'control-command', text };
    }
  }
}

export type MonitorServer = {
  /** To everybody who follows. */
  readonly tell: (changes: readonly StatusChange[]) => void;
  readonly close: () => void;
};

export type MonitorDoor = {
  readonly status: () => BoxStatus;
  readonly locate: (forMs: number) => BoxStatus;
};

/** Rejects when another monitor answers there. */
export async function onlyOne(path: string): Promise<void> {
  const answer = await ask(path, { command: 'status' });
  if ('error' in answer && answer.error === 'control-unreachable') return;
  throw new Error(`monitor-twice: another one answers at ${path}`);
}

/** Rejects when the socket cannot be had. What an earlier monitor left there goes. */
export async function serveMonitor(path: string, door: MonitorDoor): Promise<MonitorServer> {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  const followers = new Set<Socket>();
  const server = createServer((socket) => serveOne(socket, door, followers));
  await listening(server, path);
  chmodSync(path, 0o600);
  return {
    tell: (changes) => {
      for (const socket of followers) for (const change of changes) write(socket, change);
    },
    close: () => {
      for (const socket of followers) socket.destroy();
      server.close();
    },
  };
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}

function write(socket: Socket, value: object): void {
  if (socket.destroyed) return;
  if (socket.writableLength > UNREAD_BYTES) socket.destroy();
  else socket.write(`${JSON.stringify(value)}\n`);
}

function serveOne(socket: Socket, door: MonitorDoor, followers: Set<Socket>): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('close', () => followers.delete(socket));
  socket.on('data', (text: string) => {
    pending += text;
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      if (line.trim() !== '') write(socket, answerTo(line, door, socket, followers));
    }
    if (pending.length > LONGEST_LINE) socket.destroy();
  });
}

function answerTo(line: string, door: MonitorDoor, socket: Socket, followers: Set<Socket>): object {
  const request = readMonitorRequest(line);
  if ('error' in request) return request;
  switch (request.command) {
    case 'status': {
      const status = door.status();
      return { ...status, history: status.history.slice(-HISTORY_SHOWN) };
    }
    case 'alarms': {
      const { alarms, history } = door.status();
      return { active: alarms, history };
    }
    case 'locate': {
      const { locate } = door.locate(request.on ? request.minutes * 60_000 : 0);
      return { ok: true, ...(locate === undefined ? {} : locate) };
    }
    case 'follow': {
      if (followers.size >= FOLLOWERS) {
        return { error: 'monitor-followers', text: `${FOLLOWERS} follow already` };
      }
      followers.add(socket);
      return { ok: true };
    }
  }
}
