/**
 * SIP over WebSocket (RFC 7118): one message of the one is one message of the other, text or binary.
 * HTTP is spoken only to become a WebSocket with the subprotocol `sip`; everything else gets a short
 * answer. The protocol itself is the library `ws`, on connections that were accepted here.
 */

import { isUtf8 } from 'node:buffer';
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { LIMITS } from '../base/limits.ts';
import type { Peer } from '../base/peer.ts';
import type { Mono } from '../base/units.ts';
import { mono } from './clock.ts';
import { type Flow, type FlowEvents, type FlowLimits, Patience } from './flow.ts';

const SUBPROTOCOL = 'sip';

function refuse(socket: Duplex, status: number, headers = ''): void {
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  socket.end(`${line}${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

function offered(request: IncomingMessage): readonly string[] {
  const value = request.headers['sec-websocket-protocol'] ?? '';
  return value.split(',').map((name) => name.trim().toLowerCase());
}

/**
 * A server without a port: connections are handed to it by `emit('connection', socket)`.
 * @param ready a connection became a WebSocket.
 */
export function webServer(ready: (socket: Duplex, web: WebSocket) => void): Server {
  const server = createServer({
    maxHeaderSize: LIMITS.httpBytes,
    headersTimeout: LIMITS.flowHelloMs,
    requestTimeout: LIMITS.flowHelloMs,
    keepAlive: false,
  });
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // SIP is small, and its memory would be many times the message
    perMessageDeflate: false,
    maxPayload: LIMITS.sipBytes,
    // RFC 7118 4.1: the server answers with "sip", or the handshake fails
    handleProtocols: () => SUBPROTOCOL,
  });
  server.on('request', (_request, response) => {
    const headers = { Upgrade: 'websocket', Connection: 'close', 'Content-Length': 0 };
    response.writeHead(426, headers).end();
  });
  server.on('upgrade', (request, socket, head) => {
    if (!offered(request).includes(SUBPROTOCOL)) {
      refuse(socket, 400, `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (web) => ready(socket, web));
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) refuse(socket, 400);
    else socket.destroy();
  });
  return server;
}

function octets(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}

export class WebFlow implements Flow {
  readonly peer: Peer;
  readonly #web: WebSocket;
  readonly #events: FlowEvents;
  readonly #patience = new Patience(mono());
  #pingedAt: Mono = 0;

  constructor(peer: Peer, web: WebSocket, events: FlowEvents) {
    this.peer = peer;
    this.#web = web;
    this.#events = events;
    // a page may be connected for long before its user calls
    this.#patience.spoke = true;
    web.on('message', (data) => this.#read(octets(data)));
    web.on('ping', () => this.#heard());
    web.on('pong', () => this.#heard());
    // it closes by itself
    web.on('error', () => {});
  }

  send(text: string): boolean {
    const web = this.#web;
    if (web.readyState !== web.OPEN) return false;
    if (web.bufferedAmount + text.length > LIMITS.flowOutBytes) return false;
    const bytes = Buffer.from(text, 'latin1');
    // a text frame must be UTF-8 (RFC 6455 5.6); bodies need not be
    web.send(bytes, { binary: !isUtf8(bytes) });
    return true;
  }

  /** Each message left at once: a page says one at a time, and corking was measured to cost more. */
  flush(): void {}

  setReading(on: boolean): void {
    if (on) this.#web.resume();
    else this.#web.pause();
  }

  look(now: Mono, limits: FlowLimits): string {
    const silentMs = now - this.#patience.heardAt;
    if (silentMs > limits.pingMs && this.#web.readyState === this.#web.OPEN) {
      if (this.#pingedAt > 0 && now - this.#pingedAt > limits.pingMs) return 'no pong came';
      if (this.#pingedAt === 0) {
        this.#pingedAt = now;
        if (this.#events.mayAnswer()) this.#web.ping();
      }
    }
    return this.#patience.over(now, limits);
  }

  #heard(): void {
    this.#patience.heardAt = mono();
    this.#pingedAt = 0;
  }

  #read(bytes: Buffer): void {
    this.#heard();
    const text = bytes.toString('latin1');
    // RFC 5626 3.5.1 in a message of its own: some clients do
    if (text === '\r\n\r\n') {
      if (this.#events.mayAnswer()) this.send('\r\n');
      return;
    }
    if (text !== '\r\n') this.#events.message(this.peer, text);
  }
}
