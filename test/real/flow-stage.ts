/** Connections on loopback, without a pair: a server for one test, and who connects to it. */

import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { threadId } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';
import type { Peer } from '../../src/base/peer.ts';
import { type Config, readConfig } from '../../src/edge/config.ts';
import { FLOW_LIMITS, type FlowLimits } from '../../src/edge/flow.ts';
import { Flows } from '../../src/edge/flows.ts';

/** Of this file, for all its tests: files run in threads of one process. */
let nextPort = 21_000 + ((process.pid + threadId) % 40) * 200;

/** Those that the next server gets. */
export function portsAhead() {
  const [tcp, tls, ws, wss] = [nextPort, nextPort + 1, nextPort + 2, nextPort + 3] as const;
  return { tcp, tls, ws, wss };
}

function config(sip: object): Config {
  const result = readConfig({
    box: 'a',
    redundancy: 'hot-standby',
    lan: { interface: 'lan0', address: '192.0.2.11', prefix: 24, peerAddress: '192.0.2.12' },
    crossover: { interface: 'x0', address: '169.254.77.1', peerAddress: '169.254.77.2' },
    vip: { address: '127.0.0.1' },
    sip,
    users: { from: 1000, to: 1999 },
    data: '/data',
    control: '/run/control.sock',
    key: '11'.repeat(32),
  });
  if ('node' in result) return result;
  throw new Error(JSON.stringify(result));
}

/** A server for one test. */
export function serve(
  t: ExecutionContext,
  limits: Partial<FlowLimits> = {},
  more: object = {},
  names: readonly string[] = [],
) {
  const ports = portsAhead();
  nextPort += 4;
  const messages: { readonly peer: Peer; readonly text: string }[] = [];
  const ups: Peer[] = [];
  const downs: Peer[] = [];
  const unreachable: Peer[] = [];
  const log: string[] = [];
  const flows = new Flows(
    config({
      port: ports.tcp,
      tls: { port: ports.tls },
      ws: { port: ports.ws },
      wss: { port: ports.wss },
      ...more,
    }),
    {
      message: (peer, text) => messages.push({ peer, text }),
      flow: (peer, up) => (up ? ups : downs).push(peer),
      unreachable: (peer) => unreachable.push(peer),
      namesOf: () => names,
      mayAnswer: () => true,
      log: (line) => log.push(line.text),
    },
    { ...FLOW_LIMITS, ...limits },
  );
  t.teardown(() => flows.close());
  return { flows, ports, messages, ups, downs, unreachable, log };
}

export type Client = { readonly socket: Socket; text: string; ended: string };

export function listen(socket: Socket): Client {
  const client: Client = { socket, text: '', ended: '' };
  socket.on('data', (bytes: Buffer) => {
    client.text += bytes.toString('latin1');
  });
  socket.on('error', (e: NodeJS.ErrnoException) => {
    client.ended = e.code ?? e.message;
  });
  socket.on('close', () => {
    client.ended ||= 'closed';
  });
  return client;
}

export const tcp = (port: number, localAddress = '127.0.0.1'): Client =>
  listen(connect({ host: '127.0.0.1', port, localAddress }));

export const OPTIONS = (
  n: number,
  body = '',
  length = `Content-Length: ${body.length}\r\n`,
): string =>
  `OPTIONS sip:1000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK${n}\r\n` +
  `Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: ${n}\r\n` +
  `CSeq: 1 OPTIONS\r\n${length}\r\n${body}`;

export const request = (method: string, cseq: number, call: string): string =>
  `${method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK${cseq}\r\n` +
  `Call-ID: ${call}\r\nCSeq: ${cseq} ${method}\r\nContent-Length: 0\r\n\r\n`;

export type Seen = { readonly pem: string; readonly socket: TLSSocket; readonly resumed: boolean };

/** What is shown to whoever connects by TLS. */
export function certificateOf(port: number, more: object = {}): Promise<Seen> {
  return new Promise((done, fail) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...more });
    socket.on('error', fail);
    socket.once('secureConnect', () => {
      const raw = socket.getPeerX509Certificate();
      done({ pem: raw?.toString() ?? '', socket, resumed: socket.isSessionReused() });
    });
  });
}
