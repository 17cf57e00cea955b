/**
 * Connections on the host `lan` for a test that writes every message itself: TCP, TLS, WebSocket, and
 * WebSocket in TLS; and UDP, IPv4 or IPv6, as if it were one. A line of JSON in:
 *
 *   {"open": ID, "transport", "from", "bind"?, "to", "port", "cert"?, "key"?, "protocol"?}
 *   {"send": ID, "text"} | {"close": ID, "reset"?}
 *
 * and out: {"id", "up": true, "resumed", "fingerprint"}, {"id", "text"} for what came (a chunk, or a
 * WebSocket message), and {"id", "down": WHY} once for every connection that ended or never stood.
 */

import { createSocket } from 'node:dgram';
import { connect as connectTcp, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';

export type OpenLine = {
  readonly open: number;
  readonly transport: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly cert?: string;
  readonly key?: string;
  readonly protocol?: string;
  /** Own port of a UDP socket. */
  readonly bind?: number;
};
type Line =
  | OpenLine
  | { readonly send: number; readonly text: string }
  | { readonly close: number; readonly reset?: boolean };

type Connection = {
  readonly send: (text: string) => void;
  readonly close: (reset: boolean) => void;
};

const all = new Map<number, Connection>();
/** TLS sessions by who has them: a phone that comes back resumes its own. */
const sessions = new Map<string, Buffer>();

const say = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

function down(id: number, why: string): void {
  if (!all.delete(id)) return;
  say({ id, down: why });
}

function credentialsOf({ cert, key = '' }: OpenLine): { cert?: string; key?: string } {
  return cert === undefined ? {} : { cert, key };
}

function stream(line: OpenLine): void {
  const { open: id, transport, from, to, port } = line;
  const raw = connectTcp({ host: to, port, localAddress: from });
  const owner = `${from} ${id % 1000}`;
  const session = sessions.get(owner);
  const secure = (): TLSSocket => {
    const tls = connectTls({
      socket: raw,
      rejectUnauthorized: false,
      ...credentialsOf(line),
      ...(session === undefined ? {} : { session }),
    });
    tls.on('session', (bytes: Buffer) => sessions.set(owner, bytes));
    return tls;
  };
  const socket: Socket = transport === 'tls' ? secure() : raw;
  all.set(id, {
    send: (text) => socket.write(text, 'latin1'),
    close: (reset) => {
      if (reset) raw.resetAndDestroy();
      else socket.end();
    },
  });
  socket.on('data', (bytes: Buffer) => say({ id, text: bytes.toString('latin1') }));
  socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
    const tls = transport === 'tls' ? (socket as TLSSocket) : undefined;
    const resumed = tls?.isSessionReused() ?? false;
    const fingerprint = tls?.getPeerCertificate().fingerprint256 ?? '';
    say({ id, up: true, resumed, fingerprint });
  });
  for (const one of new Set([raw, socket])) {
    one.on('error', (e: NodeJS.ErrnoException) => down(id, e.code ?? e.message));
    one.on('end', () => down(id, 'end'));
    one.on('close', () => down(id, 'close'));
  }
}

function web(line: OpenLine): void {
  const { open: id, transport, from, to, port, protocol = 'sip' } = line;
  const host = to.includes(':') ? `[${to}]` : to;
  const socket = new WebSocket(`${transport}://${host}:${port}/`, protocol, {
    rejectUnauthorized: false,
    localAddress: from,
    ...credentialsOf(line),
  });
  all.set(id, {
    send: (text) => socket.send(text),
    close: (reset) => {
      if (reset) socket.terminate();
      else socket.close();
    },
  });
  socket.on('open', () => say({ id, up: true, resumed: false, fingerprint: '' }));
  socket.on('message', (data: Buffer) => say({ id, text: data.toString('latin1') }));
  socket.on('error', (e: NodeJS.ErrnoException) => down(id, e.code ?? e.message));
  socket.on('close', (code) => down(id, `close ${code}`));
}

function datagrams(line: OpenLine): void {
  const { open: id, from, bind = 0, to, port } = line;
  const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
  all.set(id, {
    send: (text) => socket.send(Buffer.from(text, 'latin1'), port, to, () => {}),
    close: () => socket.close(),
  });
  socket.on('message', (bytes) => say({ id, text: bytes.toString('latin1') }));
  socket.on('error', (e: NodeJS.ErrnoException) => down(id, e.code ?? e.message));
  socket.on('close', () => down(id, 'close'));
  socket.bind(bind, from, () => say({ id, up: true, resumed: false, fingerprint: '' }));
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (text) => {
  const line = JSON.parse(text) as Line;
  if ('open' in line) {
    if (line.transport === 'udp') datagrams(line);
    else if (line.transport === 'tcp' || line.transport === 'tls') stream(line);
    else web(line);
  } else if ('send' in line) all.get(line.send)?.send(line.text);
  else all.get(line.close)?.close(line.reset === true);
});
lines.on('close', () => process.exit(0));
