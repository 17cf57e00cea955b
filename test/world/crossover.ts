/**
 * The cable between the boxes: heartbeat datagrams, and one TCP connection between the engines as
 * their kernels give it.
 *
 *   cable cut            datagrams vanish; the stream stands still and goes on after the heal, when
 *                        the sender's retransmission timer comes round (it backs off meanwhile)
 *   process dies         its kernel sends FIN, or RST (unread data) and then what had not left is lost
 *   power is cut         silence; the peer's connection is half open until something it sends meets
 *                        the rebooted kernel, which answers RST, or until a new connection replaces it
 *
 * Box a listens, box b connects and tries again every 200 ms.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import type { Dice } from './dice.ts';
import type { Queue } from './queue.ts';

/** What the cable knows of a box. */
export type Station = {
  readonly kernelUp: () => boolean;
  /** The process exists (it may be frozen: its kernel still completes a handshake). */
  readonly listening: () => boolean;
  readonly linkUp: () => void;
  readonly linkData: (bytes: Uint8Array) => void;
  readonly linkDown: () => void;
  readonly heartbeat: (bytes: Uint8Array) => void;
  readonly carrier: (up: boolean) => void;
};

export type CableFaults = {
  readonly latency: readonly [number, number];
  /** Probability that a datagram is lost, or that a segment has to be sent again. */
  readonly loss: number;
  /** Probability that what was written at once arrives in two pieces. */
  readonly splits: number;
  /** Whether the carrier falls when the other box loses power or the cable is cut. */
  readonly carrierFalls: boolean;
};

type Item = Uint8Array | 'fin';

type Way = { last: number; stalled: Item[]; flight: { readonly item: Item; lost: boolean }[] };

type Conn = { readonly open: Record<BoxId, boolean>; readonly ways: Record<BoxId, Way> };

const RETRY = 200;
const RTO = 200;

export function other(id: BoxId): BoxId {
  return id === 'a' ? 'b' : 'a';
}

export class Crossover {
  up = true;
  /** A good cable from now on: it loses nothing. */
  sound = false;
  private cutAt = 0;
  private readonly ends: { a: Conn | undefined; b: Conn | undefined } = {
    a: undefined,
    b: undefined,
  };
  private readonly conns = new Set<Conn>();
  private stations: Record<BoxId, Station> | undefined;
  private readonly queue: Queue;
  private readonly dice: Dice;
  /** Changed by whoever makes the line worse for a while. */
  faults: CableFaults;

  constructor(queue: Queue, dice: Dice, faults: CableFaults) {
    this.queue = queue;
    this.dice = dice;
    this.faults = faults;
  }

  plug(stations: Record<BoxId, Station>): void {
    this.stations = stations;
  }

  private station(id: BoxId): Station {
    return (this.stations as Record<BoxId, Station>)[id];
  }

  private delay(): number {
    return this.dice.between(this.faults.latency[0], this.faults.latency[1]);
  }

  cut(): void {
    if (!this.up) return;
    this.up = false;
    this.cutAt = this.queue.now;
    this.tellCarrier();
  }

  heal(): void {
    if (this.up) return;
    this.up = true;
    this.tellCarrier();
    // the retransmission timer has doubled while nothing came through
    const backoff = Math.min(4000, Math.max(RTO, this.queue.now - this.cutAt));
    for (const conn of this.conns) {
      for (const id of ['a', 'b'] as const) {
        this.queue.after(this.dice.between(0, backoff), () => this.resume(conn, id));
      }
    }
  }

  tellCarrier(): void {
    if (!this.faults.carrierFalls) return;
    for (const id of ['a', 'b'] as const) {
      const up = this.hasCarrier();
      if (this.station(id).kernelUp()) this.station(id).carrier(up);
    }
  }

  hasCarrier(): boolean {
    if (!this.faults.carrierFalls) return true;
    return this.up && this.station('a').kernelUp() && this.station('b').kernelUp();
  }

  private loses(): boolean {
    return this.dice.odds(this.sound ? 0 : this.faults.loss);
  }

  // ── heartbeats ───────────────────────────────────────────────────────────────────────────────

  heartbeat(from: BoxId, bytes: Uint8Array): void {
    if (!this.up || this.loses()) return;
    const to = this.station(other(from));
    this.queue.after(this.delay(), () => {
      if (this.up && to.kernelUp()) to.heartbeat(bytes);
    });
  }

  // ── the stream ───────────────────────────────────────────────────────────────────────────────

  /** Box b's process runs: it tries to connect until it dies. `alive` says whether it still does. */
  keepConnecting(alive: () => boolean): void {
    if (!alive()) return;
    if (this.ends.b === undefined) this.connect();
    this.queue.after(RETRY, () => this.keepConnecting(alive));
  }

  private connect(): void {
    const a = this.station('a');
    if (!this.up || !a.kernelUp() || !a.listening()) return;
    const way = (): Way => ({ last: this.queue.now, stalled: [], flight: [] });
    const conn: Conn = { open: { a: true, b: true }, ways: { a: way(), b: way() } };
    this.conns.add(conn);
    this.ends.b = conn;
    // SYN, then SYN-ACK; neither end hears data before its own end of the connection stands
    const there = this.delay();
    const back = there + this.delay();
    conn.ways.b.last = this.queue.now + there + 0.001;
    conn.ways.a.last = this.queue.now + back + 0.001;
    this.queue.after(there, () => {
      if (!conn.open.a || !this.up || !a.listening()) {
        this.reset(conn, 'b');
        return;
      }
      if (this.ends.a !== undefined) this.drop('a', true);
      this.ends.a = conn;
      a.linkUp();
    });
    this.queue.after(back, () => {
      if (this.ends.b === conn && this.station('b').listening()) this.station('b').linkUp();
    });
  }

  /** Bytes written by the engine of `from`; the engine may go on using its buffer. */
  write(from: BoxId, bytes: Uint8Array): void {
    const conn = this.ends[from];
    if (conn === undefined) return;
    if (bytes.length > 1 && this.dice.odds(this.faults.splits)) {
      const at = this.dice.whole(1, bytes.length - 1);
      this.put(conn, from, bytes.subarray(0, at));
      this.put(conn, from, bytes.subarray(at));
    } else this.put(conn, from, bytes);
  }

  /** The engine closes the stream after what it has written. */
  close(from: BoxId): void {
    const conn = this.ends[from];
    if (conn === undefined) return;
    this.put(conn, from, 'fin');
    this.drop(from, false);
  }

  private put(conn: Conn, from: BoxId, item: Item): void {
    const way = conn.ways[from];
    let at = this.queue.now + this.delay();
    if (this.loses()) at += this.dice.between(1, RTO);
    at = Math.max(at, way.last);
    way.last = at;
    const entry = { item, lost: false };
    way.flight.push(entry);
    this.queue.at(at, () => {
      if (entry.lost) return;
      way.flight.shift();
      this.arrive(conn, from, item);
    });
  }

  private arrive(conn: Conn, from: BoxId, item: Item): void {
    const way = conn.ways[from];
    if (!this.up || way.stalled.length > 0) {
      way.stalled.push(item);
      return;
    }
    this.deliver(conn, from, item);
  }

  private deliver(conn: Conn, from: BoxId, item: Item): void {
    const to = other(from);
    const station = this.station(to);
    if (!station.kernelUp()) return;
    if (this.ends[to] !== conn) {
      // the kernel over there knows nothing of this connection
      this.queue.after(this.delay(), () => this.reset(conn, from));
      return;
    }
    if (item === 'fin') this.drop(to, true);
    else station.linkData(item);
  }

  private resume(conn: Conn, from: BoxId): void {
    if (!this.up || !this.conns.has(conn)) return;
    const items = conn.ways[from].stalled;
    conn.ways[from].stalled = [];
    for (const item of items) this.deliver(conn, from, item);
  }

  /** The end at `id` learns that the connection is gone. */
  private reset(conn: Conn, id: BoxId): void {
    if (this.ends[id] === conn) this.drop(id, true);
  }

  private drop(id: BoxId, tell: boolean): void {
    const conn = this.ends[id];
    if (conn === undefined) return;
    conn.open[id] = false;
    this.ends[id] = undefined;
    if (
      !conn.open.a &&
      !conn.open.b &&
      conn.ways.a.flight.length + conn.ways.b.flight.length === 0
    ) {
      this.conns.delete(conn);
    }
    if (tell && this.station(id).listening()) this.station(id).linkDown();
  }

  /** The process at `id` died, its kernel lives: FIN after what was sent, or RST instead. */
  processDied(id: BoxId): void {
    const conn = this.ends[id];
    if (conn === undefined) return;
    if (this.dice.odds(0.5)) this.truncate(conn.ways[id]);
    this.put(conn, id, 'fin');
    this.drop(id, false);
  }

  /** Power is gone: what had not left is lost, and nobody says anything. */
  powerCut(id: BoxId): void {
    const conn = this.ends[id];
    if (conn !== undefined) {
      this.truncate(conn.ways[id]);
      this.drop(id, false);
    }
    this.tellCarrier();
  }

  /** A kernel booted: the peer's retransmissions meet it. */
  kernelBooted(id: BoxId): void {
    this.tellCarrier();
    const peer = other(id);
    const conn = this.ends[peer];
    if (conn === undefined || this.ends[id] === conn) return;
    this.queue.after(this.dice.between(RTO, 4 * RTO), () => {
      if (this.up) this.reset(conn, peer);
    });
  }

  /** A drawn suffix of what is on its way is lost. */
  private truncate(way: Way): void {
    way.stalled = [];
    const kept = this.dice.whole(0, way.flight.length);
    for (const entry of way.flight.splice(kept)) entry.lost = true;
  }
}
