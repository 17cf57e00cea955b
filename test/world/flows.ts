/**
 * The streams of a box's process: what the edge does with TCP, TLS and WebSocket connections at the
 * virtual address. Nothing of it survives the process, and nothing of it is told to the other box.
 */

import type { Peer, Transport } from '../../src/base/peer.ts';
import type { Kernel } from './kernel.ts';
import { STREAM_PORT, Stream } from './stream.ts';
import type { Connection } from './tcp.ts';

export const STREAMS = ['tcp', 'tls', 'ws', 'wss'] as const;

/** What the engine is told. */
export type FlowWord =
  | { readonly kind: 'up' | 'down' | 'unreachable'; readonly peer: Peer }
  | { readonly kind: 'text'; readonly peer: Peer; readonly text: string };

/** RFC 5626 §3.5.1: the double CRLF of a client, and the answer to it. */
const PING = '\r\n\r\n';
const PONG = '\r\n';

export class Flows {
  private readonly flows = new Map<string, Stream>();
  private readonly kernel: Kernel;
  private readonly vip: string;
  private readonly tell: (word: FlowWord) => void;
  /** What waits while the process is frozen: the kernel keeps it. */
  private waiting: (() => void)[] | undefined;

  constructor(kernel: Kernel, vip: string, tell: (word: FlowWord) => void) {
    this.kernel = kernel;
    this.vip = vip;
    this.tell = tell;
    for (const transport of STREAMS) {
      kernel.tcp.listen(STREAM_PORT[transport], (connection) => this.accept(transport, connection));
    }
  }

  freeze(): void {
    this.waiting ??= [];
  }

  thaw(): void {
    const { waiting } = this;
    this.waiting = undefined;
    for (const run of waiting ?? []) run();
  }

  /** @returns false when the address is not here. */
  send(peer: Peer, text: string): boolean {
    const flow = this.flows.get(keyOf(peer));
    if (flow !== undefined) {
      flow.send(text);
      return this.kernel.hasVip;
    }
    this.tell({ kind: 'unreachable', peer });
    return true;
  }

  tickle(peer: Peer): void {
    this.kernel.tcp.tickle(this.vip, STREAM_PORT[peer.transport], peer.ip, peer.port);
  }

  /** The voice is given up: who is connected here shall look for the other box. */
  closeAll(): void {
    for (const flow of [...this.flows.values()]) flow.connection.abort();
    this.flows.clear();
  }

  get count(): number {
    return this.flows.size;
  }

  private accept(transport: Transport, connection: Connection): void {
    const peer: Peer = { transport, ip: connection.ip, port: connection.port };
    const flow = new Stream(transport, connection, true);
    flow.onUp = () =>
      this.later(() => {
        this.flows.set(keyOf(peer), flow);
        this.tell({ kind: 'up', peer });
      });
    flow.onText = (text) =>
      this.later(() => {
        if (text === PING) flow.send(PONG);
        else this.tell({ kind: 'text', peer, text });
      });
    flow.onDown = () =>
      this.later(() => {
        if (this.flows.get(keyOf(peer)) !== flow) return;
        this.flows.delete(keyOf(peer));
        this.tell({ kind: 'down', peer });
      });
    // a handshake is the process's work
    const greet = connection.onText;
    connection.onText = (text) => this.later(() => greet(text));
  }

  private later(run: () => void): void {
    if (this.waiting === undefined) run();
    else this.waiting.push(run);
  }
}

function keyOf(peer: Peer): string {
  return `${peer.transport} ${peer.ip}:${peer.port}`;
}
