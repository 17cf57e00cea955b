/**
 * How a phone reaches the virtual address: datagrams, or one connection that it keeps. It asks with
 * a double CRLF from time to time (RFC 5626 §4.4.1), connects anew as soon as the connection is
 * known to be dead, and keeps what it has to say until then.
 */

import type { Transport } from '../../src/base/peer.ts';
import { VIP } from './box.ts';
import type { Dice } from './dice.ts';
import type { Host } from './host.ts';
import type { Queue, Timer } from './queue.ts';
import { STREAM_PORT, Stream } from './stream.ts';

const PING = '\r\n\r\n';
const PONG = '\r\n';
const UDP_PORT = 5060;
const WAITING = 50;

export class Line {
  /** A message from the VIP, or from wherever it says. */
  onText: (text: string, ip: string, port: number) => void = () => {};
  /** A new connection stands; not called for datagrams. */
  onUp: () => void = () => {};
  onBroken: () => void = () => {};
  readonly transport: Transport;
  private stream: Stream | undefined;
  private stood = false;
  private waiting: string[] = [];
  /** Connections the server made to us, the latest last. */
  private inbound: Stream[] = [];
  private pinger: Timer | undefined;
  private readonly keepaliveMs: number;
  private readonly userTimeout: number;
  private readonly queue: Queue;
  private readonly dice: Dice;
  private readonly host: Host;
  private readonly ip: string;

  constructor(
    world: { readonly queue: Queue; readonly dice: Dice },
    host: Host,
    ip: string,
    transport: Transport,
  ) {
    this.queue = world.queue;
    this.dice = world.dice;
    this.host = host;
    this.ip = ip;
    this.transport = transport;
    this.keepaliveMs = transport === 'udp' ? 0 : this.dice.between(1000, 4000);
    this.userTimeout = transport === 'udp' ? 0 : this.dice.between(2000, 5000);
    if (transport === 'udp') {
      host.onUdp = (udp) => this.onText(udp.text ?? '', udp.srcIp, udp.srcPort);
    } else if (transport !== 'ws' && transport !== 'wss' && this.dice.odds(0.5)) this.listen();
  }

  /** Address and port as Via and Contact give them: those at which it could be called. */
  get sentBy(): string {
    return `${this.ip}:${UDP_PORT}`;
  }

  get up(): boolean {
    return this.transport === 'udp' || this.stream?.up === true;
  }

  /** More than one connection: what is said over one may come before what was said over another. */
  get several(): boolean {
    return this.inbound.length > 0;
  }

  open(): void {
    if (this.transport === 'udp' || this.stream !== undefined) return;
    const connection = this.host.tcp.connect(this.ip, VIP, STREAM_PORT[this.transport]);
    connection.userTimeout = this.userTimeout;
    const stream = new Stream(this.transport, connection, false);
    this.stream = stream;
    stream.onUp = () => {
      this.stood = true;
      this.ping(stream);
      this.onUp();
      const { waiting } = this;
      this.waiting = [];
      for (const text of waiting) stream.send(text);
    };
    stream.onText = (text) => {
      if (text !== PONG) this.onText(text, VIP, UDP_PORT);
    };
    stream.onDown = (why) => this.broken(stream, why === 'timeout');
    // a handshake that nobody finishes is given up
    this.queue.after(this.userTimeout, () => {
      if (this.stream !== stream || stream.up) return;
      stream.connection.abort();
      this.broken(stream, true);
    });
  }

  /** A phone with an ear of its own: who has lost its connection may call it. */
  private listen(): void {
    this.host.tcp.listen(UDP_PORT, (connection) => {
      const stream = new Stream(this.transport, connection, true);
      stream.onUp = () => this.inbound.push(stream);
      stream.onText = (text) => {
        if (text === PING) stream.send(PONG);
        else this.onText(text, VIP, UDP_PORT);
      };
      stream.onDown = () => {
        this.inbound = this.inbound.filter((other) => other !== stream);
      };
    });
  }

  send(text: string, ip: string = VIP, port: number = UDP_PORT): void {
    if (this.transport === 'udp') {
      this.host.send({ srcIp: this.ip, srcPort: UDP_PORT, dstIp: ip, dstPort: port, text });
    } else if (this.stream?.up === true) this.stream.send(text);
    else if (this.inbound.length > 0) this.inbound.at(-1)?.send(text);
    else {
      this.waiting.push(text);
      if (this.waiting.length > WAITING) this.waiting.shift();
    }
  }

  private broken(stream: Stream, waited: boolean): void {
    if (this.stream !== stream) return;
    if (this.pinger !== undefined) this.pinger.dead = true;
    this.stream = undefined;
    if (this.stood) this.onBroken();
    this.stood = false;
    this.queue.after(waited ? this.dice.between(1, 50) : this.dice.between(1, 300), () => {
      this.open();
    });
  }

  private ping(stream: Stream): void {
    this.pinger = this.queue.after(this.keepaliveMs, () => {
      if (this.stream !== stream || !stream.up) return;
      stream.send(PING);
      this.ping(stream);
    });
  }
}
