/**
 * TCP as far as a failover needs it. A segment carries one message instead of bytes, numbers count
 * segments, the window is endless; what remains is what a moved address shows:
 *
 *   data for a connection this kernel does not have      RST (RFC 9293 §3.10.7.1)
 *   a segment out of the window, as a tickle sends       an ACK with what is expected (§3.10.7.4)
 *   nobody answers: dead, frozen without address, gone   repeated, then the user timeout (§3.8.3)
 *   the process dies and its address with it             nothing; the other end learns it as above
 *
 * The kernel answers for a process that does not run: it acknowledges what nobody reads.
 */

import type { Queue, Timer } from './queue.ts';

export type Tcp = {
  readonly srcIp: string;
  readonly srcPort: number;
  readonly dstIp: string;
  readonly dstPort: number;
  readonly flag: 'syn' | 'syn-ack' | 'data' | 'ack' | 'fin' | 'rst';
  readonly seq: number;
  readonly ack: number;
  readonly text: string;
};

export type End = 'fin' | 'rst' | 'timeout';

const RTO = 200;
const RTO_MAX = 3000;
/** A connection nobody speaks on is not looked at; one with data unacknowledged ends after this. */
const USER_TIMEOUT = 20_000;

type Sent = { readonly seq: number; readonly text: string; readonly fin: boolean };

/** What a connection needs of the kernel it lives in. */
export type Wire = { readonly queue: Queue; send(tcp: Tcp): void };

export class Connection {
  state: 'opening' | 'open' | 'closed' = 'opening';
  onOpen: () => void = () => {};
  onText: (text: string) => void = () => {};
  onEnd: (why: End) => void = () => {};
  userTimeout = USER_TIMEOUT;
  readonly localIp: string;
  readonly localPort: number;
  readonly ip: string;
  readonly port: number;
  private readonly server: boolean;
  private readonly wire: Wire;
  private readonly forget: () => void;
  private next = 1;
  private expected = 1;
  private unacked: Sent[] = [];
  private readonly early = new Map<number, Tcp>();
  private timer: Timer | undefined;
  private rto = RTO;
  private since = 0;

  constructor(
    wire: Wire,
    local: { readonly ip: string; readonly port: number },
    remote: { readonly ip: string; readonly port: number },
    server: boolean,
    forget: () => void,
  ) {
    this.wire = wire;
    this.localIp = local.ip;
    this.localPort = local.port;
    this.ip = remote.ip;
    this.port = remote.port;
    this.server = server;
    this.forget = forget;
    this.since = wire.queue.now;
    this.open();
  }

  send(text: string): void {
    this.put({ seq: this.next, text, fin: false });
  }

  /** FIN: what was sent before still arrives. */
  close(): void {
    this.put({ seq: this.next, text: '', fin: true });
  }

  /** RST, and it is over here. */
  abort(): void {
    if (this.state === 'closed') return;
    this.say('rst', this.next, '');
    this.drop();
  }

  /** Gone without a word: its kernel has no such connection any more. */
  drop(): void {
    this.state = 'closed';
    this.disarm();
    this.forget();
  }

  private open(): void {
    this.say(this.server ? 'syn-ack' : 'syn', 0, '');
    this.arm();
  }

  private put(sent: Sent): void {
    if (this.state === 'closed') return;
    this.next += 1;
    if (this.unacked.length === 0) this.since = this.wire.queue.now;
    this.unacked.push(sent);
    if (this.state !== 'open') return;
    this.tell(sent);
    this.arm();
  }

  private tell(sent: Sent): void {
    this.say(sent.fin ? 'fin' : 'data', sent.seq, sent.text);
  }

  private say(flag: Tcp['flag'], seq: number, text: string): void {
    this.wire.send({
      srcIp: this.localIp,
      srcPort: this.localPort,
      dstIp: this.ip,
      dstPort: this.port,
      flag,
      seq,
      ack: this.expected,
      text,
    });
  }

  private arm(): void {
    if (this.timer !== undefined) return;
    this.timer = this.wire.queue.after(this.rto, () => {
      this.timer = undefined;
      if (this.wire.queue.now - this.since >= this.userTimeout) {
        this.finish('timeout');
        return;
      }
      this.rto = Math.min(this.rto * 2, RTO_MAX);
      if (this.state === 'opening') this.open();
      else {
        for (const sent of this.unacked) this.tell(sent);
        if (this.unacked.length > 0) this.arm();
      }
    });
  }

  private disarm(): void {
    if (this.timer !== undefined) this.timer.dead = true;
    this.timer = undefined;
    this.rto = RTO;
  }

  private finish(why: End): void {
    this.drop();
    this.onEnd(why);
  }

  private opened(): void {
    if (this.state !== 'opening') return;
    this.state = 'open';
    this.disarm();
    this.since = this.wire.queue.now;
    for (const sent of this.unacked) this.tell(sent);
    if (this.unacked.length > 0) this.arm();
    this.onOpen();
  }

  receive(tcp: Tcp): void {
    switch (tcp.flag) {
      case 'rst':
        this.finish('rst');
        return;
      case 'syn':
        if (this.server && this.state === 'opening') this.say('syn-ack', 0, '');
        // RFC 9293 3.10.7.4: a challenge. Who connects from the port of a connection it has forgotten
        // answers with a reset, and its next SYN finds nothing in its way.
        else if (this.state === 'open') this.say('ack', this.next, '');
        return;
      case 'syn-ack':
        this.opened();
        this.say('ack', this.next, '');
        return;
      default:
    }
    // RFC 9293 3.10.7.3: what cannot acknowledge our SYN is of a connection that is no more
    if (!this.server && this.state === 'opening' && tcp.flag === 'ack') {
      this.say('rst', tcp.ack, '');
      return;
    }
    // out of the window, or acknowledging what was never sent: a stranger, or a tickle
    if ((tcp.flag === 'ack' && tcp.seq === 0) || tcp.ack > this.next) {
      this.say('ack', this.next, '');
      return;
    }
    if (this.server) this.opened();
    this.acknowledge(tcp.ack);
    if (tcp.flag !== 'ack') this.take(tcp);
  }

  private acknowledge(ack: number): void {
    const before = this.unacked.length;
    this.unacked = this.unacked.filter((sent) => sent.seq >= ack);
    if (this.unacked.length === before) return;
    this.disarm();
    this.since = this.wire.queue.now;
    if (this.unacked.length > 0) this.arm();
  }

  private take(tcp: Tcp): void {
    if (tcp.seq >= this.expected) this.early.set(tcp.seq, tcp);
    const ready: Tcp[] = [];
    for (let t = this.early.get(this.expected); t !== undefined; ) {
      this.early.delete(this.expected);
      this.expected += 1;
      ready.push(t);
      t = this.early.get(this.expected);
    }
    this.say('ack', this.next, '');
    for (const t of ready) {
      if (t.flag === 'fin') this.finish('fin');
      else this.onText(t.text);
    }
  }
}

/** The TCP of one kernel. */
export class TcpStack {
  private readonly connections = new Map<string, Connection>();
  private readonly listeners = new Map<number, (connection: Connection) => void>();
  private readonly wire: Wire;
  private nextPort = 40_000;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  listen(port: number, accept: (connection: Connection) => void): void {
    this.listeners.set(port, accept);
  }

  connect(localIp: string, ip: string, port: number): Connection {
    this.nextPort += 1;
    return this.make({ ip: localIp, port: this.nextPort }, { ip, port }, false);
  }

  /** Every connection and listener is gone without a word, as with the power or the address. */
  forget(): void {
    for (const connection of [...this.connections.values()]) connection.drop();
    this.listeners.clear();
  }

  /** A segment for an address this kernel has. */
  receive(tcp: Tcp): void {
    const key = `${tcp.dstIp}:${tcp.dstPort} ${tcp.srcIp}:${tcp.srcPort}`;
    const known = this.connections.get(key);
    if (known !== undefined) {
      known.receive(tcp);
      return;
    }
    if (tcp.flag === 'rst') return;
    const accept = tcp.flag === 'syn' ? this.listeners.get(tcp.dstPort) : undefined;
    if (accept !== undefined) {
      const local = { ip: tcp.dstIp, port: tcp.dstPort };
      accept(this.make(local, { ip: tcp.srcIp, port: tcp.srcPort }, true));
      return;
    }
    this.wire.send({
      srcIp: tcp.dstIp,
      srcPort: tcp.dstPort,
      dstIp: tcp.srcIp,
      dstPort: tcp.srcPort,
      flag: 'rst',
      seq: tcp.ack,
      ack: 0,
      text: '',
    });
  }

  /**
   * A tickle: an ACK for a connection this kernel does not have, with numbers that cannot be right.
   * Its other end answers with the right ones, and that answer is answered with RST.
   */
  tickle(localIp: string, localPort: number, ip: string, port: number): void {
    this.wire.send({
      srcIp: localIp,
      srcPort: localPort,
      dstIp: ip,
      dstPort: port,
      flag: 'ack',
      seq: 0,
      ack: 0,
      text: '',
    });
  }

  private make(
    local: { readonly ip: string; readonly port: number },
    remote: { readonly ip: string; readonly port: number },
    server: boolean,
  ): Connection {
    const key = `${local.ip}:${local.port} ${remote.ip}:${remote.port}`;
    const connection = new Connection(this.wire, local, remote, server, () => {
      if (this.connections.get(key) === connection) this.connections.delete(key);
    });
    this.connections.set(key, connection);
    return connection;
  }
}
