/**
 * All connections of the pair, and who listens for them. A connection is accepted here, bounded here,
 * found here by its other side's address, and ended here; what it says is its own matter:
 *
 *   accept ─► shaking (TLS, HTTP) ─► flow (flow-stream.ts, flow-web.ts) ─► gone
 *   send   ─► the flow of that peer │ none: connect (TCP, TLS), and the message waits for it
 *
 * What waits is not overtaken by a later message of its call (`proto/sip/waiting.ts`).
 *
 * Connections die with the role: a box that does not lead ends them all at once (RST), and the new
 * primary wakes their other sides (`tickle.ts`).
 */

import type { Server as HttpServer } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { LIMITS } from '../base/limits.ts';
import type { Peer, Transport } from '../base/peer.ts';
import type { Mono } from '../base/units.ts';
import type { LogLine } from '../effect.ts';
import { Waiting, type Waits } from '../proto/sip/waiting.ts';
import { mono } from './clock.ts';
import type { Config } from './config.ts';
import { FLOW_LIMITS, type Flow, type FlowEvents, type FlowLimits } from './flow.ts';
import { Secure, type Secured } from './flow-secure.ts';
import { StreamFlow } from './flow-stream.ts';
import { WebFlow, webServer } from './flow-web.ts';
import { isOsError, netlite } from './native/netlite.ts';
import { StreamListener, StreamSocket } from './tcp.ts';

export type FlowsEvents = FlowEvents & {
  /** A connection stands, or stands no more. */
  readonly flow: (peer: Peer, up: boolean) => void;
  /** There is no connection to this peer and none could be made; what was to be said was not. */
  readonly unreachable: (peer: Peer) => void;
  /** Hosts of the configured URIs that lead to this peer, all of whom it must be; none: an address. */
  readonly namesOf: (peer: Peer) => readonly string[];
  readonly log: (line: LogLine) => void;
};

type Entry = {
  readonly peer: Peer;
  readonly raw: Socket;
  readonly since: Mono;
  flow: Flow | undefined;
  /** It said something in this turn. */
  speaks: boolean;
};

/** A connection of ours that does not stand yet, and what waits for it. */
type Attempt = Waits & {
  readonly since: Mono;
  bytes: number;
  /** Ends it without a word. */
  stop: () => void;
};

/** Sent bytes unacknowledged for so long: the other side is gone though nobody said so. */
const SILENT_MS = 20_000;
const KEEPALIVE_S = 20;
const LOOK_MS = 1000;
/** The same kind of refusal is told this often. */
const TELL_MS = 10_000;
const TOLD_MAX = 64;
/** What a backup's connections may still say before they end: the new primary gets it. */
const DRAIN_MS = 30;
/**
 * All plain connections read into this one, each is done with it before the next reads. Without it
 * every read costs 64 KiB that are allocated, shrunk and collected.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

function keyOf(peer: Peer): string {
  return `${peer.transport} ${peer.ip} ${peer.port}`;
}

export class Flows {
  readonly counters = { accepted: 0, refused: 0, connected: 0, unreachable: 0, ended: 0 };

  private readonly config: Config;
  private readonly events: FlowsEvents;
  private readonly limits: FlowLimits;
  private readonly entries = new Map<string, Entry>();
  private readonly perSource = new Map<string, number>();
  private readonly attempts = new Map<string, Attempt>();
  private readonly waiting = new Waiting();
  /** Those that said something in this turn. */
  private readonly speaking: Entry[] = [];
  private readonly listeners: StreamListener[] = [];
  private readonly secure: Secure;
  /** What of the certificates could not be used when they were read last; '' for nothing. */
  certificates: string;
  private readonly told = new Map<string, Mono>();
  private readonly plainWeb: HttpServer;
  private readonly secureWeb: HttpServer;
  private readonly timer: NodeJS.Timeout;
  /** Connections that do not stand yet, by who makes them, the oldest first. */
  private readonly shaking = new Map<string, Set<Entry>>();
  private shakingAll = 0;
  private reading = true;

  /** Throws with a sentence when an address cannot be had: the box does not start. */
  constructor(config: Config, events: FlowsEvents, limits: FlowLimits = FLOW_LIMITS) {
    this.config = config;
    this.limits = limits;
    this.events = events;
    const { streams, sipPort } = config;
    const { key, vips } = config.node.pair;
    this.secure = new Secure(streams, key, vips, {
      ready: (which, socket) => this.secured(which, socket),
      refused: (which, why) => this.tell(`${which}: handshake refused: ${why}`),
    });
    this.certificates = this.secure.read();
    if (this.certificates !== '') {
      events.log({ level: 'warning', text: `certificate-unusable: ${this.certificates}` });
    }
    this.plainWeb = webServer((socket, web) => this.webReady('ws', socket, web));
    this.secureWeb = webServer((socket, web) => this.webReady('wss', socket, web));
    if (streams.tcp) this.listen('tcp', sipPort);
    if (streams.tls !== undefined) this.listen('tls', streams.tls.port);
    if (streams.ws !== undefined) this.listen('ws', streams.ws.port);
    if (streams.wss !== undefined) this.listen('wss', streams.wss.port);
    this.timer = setInterval(() => this.look(), Math.min(LOOK_MS, limits.helloMs / 2));
    this.timer.unref();
  }

  get size(): number {
    return this.entries.size;
  }

  /** One SIP message to a peer; a peer without a connection is connected to, if that is possible. */
  send(peer: Peer, text: string): void {
    for (const earlier of this.waiting.overtaken(peer, text)) this.put(peer, earlier);
    this.put(peer, text);
  }

  private put(peer: Peer, text: string): void {
    const key = keyOf(peer);
    const entry = this.entries.get(key);
    if (entry?.flow === undefined) {
      this.connect(key, peer, text);
      return;
    }
    if (entry.flow.send(text)) {
      if (entry.speaks) return;
      entry.speaks = true;
      this.speaking.push(entry);
      return;
    }
    this.tell(`${key}: it takes nothing: ended`);
    this.kill(entry);
  }

  /** The end of a turn: what it said leaves, by one write of each connection. */
  flush(): void {
    for (const entry of this.speaking) {
      entry.speaks = false;
      entry.flow?.flush();
    }
    this.speaking.length = 0;
  }

  setReading(on: boolean): void {
    if (on === this.reading) return;
    this.reading = on;
    for (const { flow } of this.entries.values()) flow?.setReading(on);
  }

  /** The role is lost: what is in the kernel already is read, then every connection is reset. */
  drop(): void {
    const old = [...this.entries.values()];
    for (const attempt of [...this.attempts.values()]) this.fail(attempt, '');
    if (old.length === 0) return;
    setTimeout(() => {
      for (const entry of old) this.kill(entry);
    }, DRAIN_MS);
  }

  /** No listener and no connection is left. */
  close(): void {
    clearInterval(this.timer);
    for (const listener of this.listeners) listener.close();
    for (const attempt of [...this.attempts.values()]) this.fail(attempt, '');
    for (const entry of [...this.entries.values()]) this.kill(entry);
  }

  /** Certificates and keys are read again; connections stay. @returns what cannot be used, '' for nothing. */
  reload(): string {
    this.certificates = this.secure.read();
    return this.certificates;
  }

  // ── in ───────────────────────────────────────────────────────────────────────────────────────

  private listen(transport: Transport, port: number): void {
    for (const ip of this.config.node.pair.vips) {
      const listener = StreamListener.open({ ip, port, freebind: true }, (fd) =>
        this.accept(transport, fd),
      );
      if (isOsError(listener)) {
        const { osError, call } = listener;
        throw new Error(
          `start-failed: sip-socket: ${transport} ${ip} ${port}: ${osError} (${call})`,
        );
      }
      this.listeners.push(listener);
    }
  }

  private accept(transport: Transport, fd: number): void {
    const [ip = '', port = ''] = String(netlite.peerName(fd)).split(' ');
    const peer = { transport, ip, port: Number(port) };
    const why = this.refusal(ip);
    if (!(peer.port > 0) || why !== '') {
      netlite.close(fd);
      this.counters.refused += 1;
      if (why !== '') this.tell(`${why}: ${ip}`);
      return;
    }
    netlite.setUserTimeout(fd, SILENT_MS);
    netlite.keepalive(fd, KEEPALIVE_S, KEEPALIVE_S / 2, 3);
    if (netlite.release(fd) !== 0) return;
    const entry = this.take(peer, fd);
    this.counters.accepted += 1;
    switch (transport) {
      case 'tcp':
        this.stands(entry, new StreamFlow(peer, entry.raw, this.events));
        return;
      case 'ws':
        this.plainWeb.emit('connection', entry.raw);
        return;
      default:
        this.secure.shake(transport === 'wss' ? 'wss' : 'tls', entry.raw);
    }
  }

  private refusal(ip: string): string {
    if (this.entries.size >= this.limits.flows) return 'too many connections';
    if (this.shakingAll >= this.limits.shaking && !this.yields(ip)) {
      return 'too many handshakes at once';
    }
    const mine = this.perSource.get(ip) ?? 0;
    return mine >= this.limits.perSource ? 'too many connections of one address' : '';
  }

  /**
   * Handshakes that never end are cheap to begin. Whoever has the most of them loses the oldest to one
   * who has fewer, so that nobody is kept out by another.
   */
  private yields(ip: string): boolean {
    let most: Set<Entry> | undefined;
    for (const its of this.shaking.values()) if (its.size > (most?.size ?? 0)) most = its;
    if (most === undefined || most.size <= (this.shaking.get(ip)?.size ?? 0) + 1) return false;
    const [oldest] = most;
    if (oldest === undefined) return false;
    this.tell(`too many handshakes at once: the oldest of ${oldest.peer.ip} ends`);
    this.settled(oldest);
    this.kill(oldest);
    return true;
  }

  /** It stands, or is gone. */
  private settled(entry: Entry): void {
    const { ip } = entry.peer;
    const its = this.shaking.get(ip);
    if (its?.delete(entry) !== true) return;
    this.shakingAll -= 1;
    if (its.size === 0) this.shaking.delete(ip);
  }

  /** The descriptor becomes an entry, which lasts as long as its socket. */
  private take(peer: Peer, fd: number): Entry {
    // a killed box would leave half of each connection in its kernel; should it lead again, those
    // halves would answer for a phone that came back by the same port, where RST is needed
    netlite.resetOnClose(fd);
    const plain = peer.transport === 'tcp';
    const callback = (length: number, buffer: Buffer): boolean => {
      (entry.flow as StreamFlow | undefined)?.read(buffer, length);
      return true;
    };
    const onread = plain ? { onread: { buffer: READ_BUFFER, callback } } : {};
    const raw = new Socket({ fd, readable: true, writable: true, ...onread });
    const key = keyOf(peer);
    const entry: Entry = { peer, raw, since: mono(), flow: undefined, speaks: false };
    // the other side has begun anew at the same port: what we have is a corpse
    const old = this.entries.get(key);
    if (old !== undefined) this.kill(old);
    this.entries.set(key, entry);
    const its = this.shaking.get(peer.ip);
    if (its === undefined) this.shaking.set(peer.ip, new Set([entry]));
    else its.add(entry);
    this.shakingAll += 1;
    this.perSource.set(peer.ip, (this.perSource.get(peer.ip) ?? 0) + 1);
    raw.on('error', () => raw.destroy());
    raw.once('close', () => this.gone(key, entry));
    return entry;
  }

  private secured(which: Secured, socket: TLSSocket): void {
    if (which === 'wss') {
      socket.on('error', () => socket.destroy());
      this.secureWeb.emit('connection', socket);
      return;
    }
    const entry = this.entryOf(which, socket);
    if (entry === undefined) return;
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    this.stands(entry, new StreamFlow(entry.peer, socket, this.events));
  }

  private webReady(
    transport: 'ws' | 'wss',
    socket: Duplex,
    web: ConstructorParameters<typeof WebFlow>[1],
  ): void {
    const entry = this.entryOf(transport, socket as Socket);
    if (entry === undefined) web.terminate();
    else this.stands(entry, new WebFlow(entry.peer, web, this.events));
  }

  /** The entry of a socket that was handed through a server. */
  private entryOf(transport: Transport, socket: Socket): Entry | undefined {
    const { remoteAddress: ip = '', remotePort: port = 0 } = socket;
    const entry = this.entries.get(keyOf({ transport, ip, port }));
    if (entry === undefined || entry.flow !== undefined) {
      socket.destroy();
      return undefined;
    }
    return entry;
  }

  private stands(entry: Entry, flow: Flow): void {
    entry.flow = flow;
    this.settled(entry);
    if (!this.reading) flow.setReading(false);
    this.events.flow(entry.peer, true);
  }

  private gone(key: string, entry: Entry): void {
    const { ip } = entry.peer;
    const left = (this.perSource.get(ip) ?? 1) - 1;
    if (left > 0) this.perSource.set(ip, left);
    else this.perSource.delete(ip);
    this.settled(entry);
    this.counters.ended += 1;
    if (this.entries.get(key) !== entry) return;
    this.entries.delete(key);
    if (entry.flow !== undefined) this.events.flow(entry.peer, false);
  }

  /** At once, with RST: the other side notices. */
  private kill(entry: Entry): void {
    const key = keyOf(entry.peer);
    if (this.entries.get(key) === entry) {
      this.entries.delete(key);
      if (entry.flow !== undefined) this.events.flow(entry.peer, false);
    }
    if (!entry.raw.destroyed) entry.raw.resetAndDestroy();
  }

  // ── out ──────────────────────────────────────────────────────────────────────────────────────

  private connect(key: string, peer: Peer, text: string): void {
    const under = this.attempts.get(key);
    if (under !== undefined) {
      if (under.bytes + text.length > LIMITS.flowOutBytes) return;
      this.waiting.add(under, text);
      under.bytes += text.length;
      return;
    }
    const { transport, ip, port } = peer;
    const possible = transport === 'tcp' || transport === 'tls';
    if (!possible || this.attempts.size >= this.limits.connects || this.refusal(ip) !== '') {
      this.counters.unreachable += 1;
      this.events.unreachable(peer);
      return;
    }
    const six = ip.includes(':');
    const localIp = this.config.node.pair.vips.find((vip) => vip.includes(':') === six) ?? '';
    const attempt: Attempt = {
      peer: { transport, ip, port },
      since: mono(),
      texts: [],
      bytes: text.length,
      stop: () => {},
    };
    this.attempts.set(key, attempt);
    this.waiting.add(attempt, text);
    const socket = StreamSocket.connect(
      { ip, port, localIp, readBytes: 1, userTimeoutMs: SILENT_MS, keepaliveS: KEEPALIVE_S },
      {
        onOpen: () => this.connected(attempt, (socket as StreamSocket).release()),
        onData: () => {},
        onClose: (errno) => this.fail(attempt, `errno ${errno}`),
      },
    );
    if (isOsError(socket)) this.fail(attempt, socket.osError);
    else attempt.stop = () => socket.close();
  }

  private connected(attempt: Attempt, fd: ReturnType<StreamSocket['release']>): void {
    const { peer } = attempt;
    attempt.stop = () => {};
    if (isOsError(fd)) {
      this.fail(attempt, fd.osError);
      return;
    }
    const entry = this.take(peer, fd);
    attempt.stop = () => this.kill(entry);
    if (peer.transport === 'tcp') {
      this.reached(attempt, entry, new StreamFlow(peer, entry.raw, this.events, true));
      return;
    }
    const names = this.events.namesOf(peer);
    const socket = this.secure.greet(entry.raw, names.length === 0 ? [peer.ip] : names);
    socket.once('secureConnect', () => {
      this.reached(attempt, entry, new StreamFlow(peer, socket, this.events, true));
    });
    socket.on('error', (e: NodeJS.ErrnoException) => {
      socket.destroy();
      this.fail(attempt, e.code ?? e.message);
    });
    socket.on('end', () => socket.end());
    entry.raw.once('close', () => this.fail(attempt, 'it was closed'));
  }

  private reached(attempt: Attempt, entry: Entry, flow: Flow): void {
    if (!this.attempts.delete(keyOf(attempt.peer))) return;
    this.waiting.over(attempt);
    this.counters.connected += 1;
    this.stands(entry, flow);
    for (const text of attempt.texts) flow.send(text);
    flow.flush();
  }

  private fail(attempt: Attempt, why: string): void {
    const key = keyOf(attempt.peer);
    if (this.attempts.get(key) !== attempt) return;
    this.attempts.delete(key);
    this.waiting.over(attempt);
    attempt.stop();
    this.counters.unreachable += 1;
    if (why !== '') this.tell(`no connection to ${key}: ${why}`);
    this.events.unreachable(attempt.peer);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────

  private look(): void {
    const now = mono();
    for (const attempt of [...this.attempts.values()]) {
      if (now - attempt.since > this.limits.connectMs) this.fail(attempt, 'it took too long');
    }
    for (const entry of [...this.entries.values()]) {
      const { flow, since } = entry;
      // paused by us: not its fault
      if (!this.reading) continue;
      const late = now - since > this.limits.helloMs ? 'no handshake in time' : '';
      const why = flow === undefined ? late : flow.look(now, this.limits);
      if (why !== '') this.kill(entry);
    }
    this.secure.rotate(Date.now());
  }

  private tell(text: string): void {
    // the same words with other numbers are the same news
    const kind = text.replace(/[0-9a-f:.]{3,}/g, '');
    const now = mono();
    if (now - (this.told.get(kind) ?? Number.NEGATIVE_INFINITY) < TELL_MS) return;
    if (this.told.size >= TOLD_MAX) this.told.clear();
    this.told.set(kind, now);
    this.events.log({ level: 'info', text: `flow: ${text}` });
  }
}
