/**
 * TCP, TLS, WS and WSS as one thing with different names and delays: a connection, then as many
 * greetings there and back as the handshake has, then messages. The greetings are answered by a
 * process, not by a kernel: a frozen box accepts a connection and finishes no handshake.
 */

import type { Transport } from '../../src/base/peer.ts';
import type { Connection, End, Tcp } from './tcp.ts';

export const STREAM_PORT: { readonly [t in Transport]: number } = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 5080,
  wss: 5443,
};

/** Round trips after TCP's own: TLS 1.3, the HTTP upgrade, both. */
const GREETINGS: { readonly [t in Transport]: number } = { udp: 0, tcp: 0, tls: 1, ws: 1, wss: 2 };
const HELLO = '\u0000hello';

/** Where programs connect: JSON over WebSocket, at the boxes' own addresses. */
export const CTI_PORT = 8088;

/** True when a segment carries SIP: no greeting, no keepalive, no word of TCP itself. */
export function isMessage(tcp: Tcp): boolean {
  if (tcp.srcPort === CTI_PORT || tcp.dstPort === CTI_PORT) return false;
  return tcp.flag === 'data' && tcp.text !== HELLO && tcp.text.trim() !== '';
}

export class Stream {
  onUp: () => void = () => {};
  onText: (text: string) => void = () => {};
  onDown: (why: End) => void = () => {};
  up = false;
  readonly transport: Transport;
  readonly connection: Connection;
  private readonly server: boolean;
  private left: number;

  constructor(transport: Transport, connection: Connection, server: boolean) {
    this.transport = transport;
    this.connection = connection;
    this.server = server;
    this.left = GREETINGS[transport];
    connection.onOpen = () => this.opened();
    connection.onText = (text) => this.text(text);
    connection.onEnd = (why) => {
      this.up = false;
      this.onDown(why);
    };
  }

  send(text: string): void {
    this.connection.send(text);
  }

  private opened(): void {
    if (this.left === 0) this.stand();
    else if (!this.server) this.connection.send(HELLO);
  }

  private stand(): void {
    this.up = true;
    this.onUp();
  }

  private text(text: string): void {
    if (text !== HELLO) {
      this.onText(text);
      return;
    }
    this.left -= 1;
    if (this.server) this.connection.send(HELLO);
    if (this.left === 0) this.stand();
    else if (!this.server) this.connection.send(HELLO);
  }
}
