/**
 * The streams of a box's process: what the edge does with TCP, TLS and WebSocket connections at the
 * virtual address. Nothing of it survives the process, and nothing of it is told to the other box.
 */

import type { Peer, Transport } from '../../src/base/peer.ts';
import { Waiting, type Waits } from '../../src/proto/sip/waiting.ts';
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

/** How long a connection of ours may take, and what a box that lost its role still reads. */
const CONNECT_MS = 4000;
const DRAIN_MS = 30;

export class Flows {
  private readonly flows = new Map<string, Stream>();
  /** Connections of ours that do not stand yet, with what waits for them. */
  private readonly attempts = new Map<string, Waits>();
  private readonly unsaid = new Waiting();
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
    for (const earlier of this.unsaid.overtaken(peer, text)) this.put(peer, earlier);
    this.put(peer, text);
    return this.kernel.hasVip;
  }

  private put(peer: Peer, text: string): void {
    const flow = this.flows.get(keyOf(peer));
    if (flow === undefined) this.connect({ ...peer }, text);
    else flow.send(text);
  }

  tickle(peer: Peer): void {
    this.kernel.tcp.tickle(this.vip, STREAM_PORT[peer.transport], peer.ip, peer.port);
  }

  /** The role is lost: what is in the kernel already is read, then every connection is reset. */
  drop(): void {
    const old = [...this.flows.values()];
    this.kernel.queueAfter(DRAIN_MS, () => {
      for (const flow of old) {
        flow.connection.abort();
        flow.onDown('rst');
      }
    });
  }

  /** RFC 3261 18.1.1: who has no connection here is connected to; a browser cannot be. */
  private connect(peer: Peer, text: string): void {
    const key = keyOf(peer);
    const under = this.attempts.get(key);
    if (under !== undefined) {
      this.unsaid.add(under, text);
      return;
    }
    if (peer.transport !== 'tcp' && peer.transport !== 'tls') {
      this.tell({ kind: 'unreachable', peer });
      return;
    }
    const attempt: Waits = { peer, texts: [] };
    this.attempts.set(key, attempt);
    this.unsaid.add(attempt, text);
    const connection = this.kernel.tcp.connect(this.vip, peer.ip, peer.port);
    const flow = new Stream(peer.transport, connection, false);
    const failed = (): void => {
      if (this.attempts.get(key) !== attempt) return;
      this.attempts.delete(key);
      this.unsaid.over(attempt);
      this.tell({ kind: 'unreachable', peer });
    };
    this.manage(peer, flow, failed);
    const { onUp } = flow;
    flow.onUp = () => {
      this.attempts.delete(key);
      this.unsaid.over(attempt);
      onUp();
      for (const text of attempt.texts) flow.send(text);
    };
    this.kernel.queueAfter(CONNECT_MS, () => {
      if (flow.up || this.attempts.get(key) !== attempt) return;
      connection.abort();
      failed();
    });
  }

  private accept(transport: Transport, connection: Connection): void {
    const peer: Peer = { transport, ip: connection.ip, port: connection.port };
    this.manage(peer, new Stream(transport, connection, true), () => {});
  }

  private manage(peer: Peer, flow: Stream, failed: () => void): void {
    const key = keyOf(peer);
    flow.onUp = () =>
      this.later(() => {
        this.flows.set(key, flow);
        this.tell({ kind: 'up', peer });
      });
    flow.onText = (text) => {
      if (text === PING) flow.send(PONG);
      else if (text !== PONG) this.tell({ kind: 'text', peer, text });
    };
    flow.onDown = () =>
      this.later(() => {
        failed();
        if (this.flows.get(key) !== flow) return;
        this.flows.delete(key);
        this.tell({ kind: 'down', peer });
      });
    // what comes is read, and a handshake done, by the process
    const read = flow.connection.onText;
    flow.connection.onText = (text) => this.later(() => read(text));
  }

  private later(run: () => void): void {
    if (this.waiting === undefined) run();
    else this.waiting.push(run);
  }
}

function keyOf(peer: Peer): string {
  return `${peer.transport} ${peer.ip}:${peer.port}`;
}
