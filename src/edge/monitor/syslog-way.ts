/**
 * The way to one log server: UDP (RFC 5426), TCP with octet counting (RFC 6587), TLS (RFC 5425). While
 * the server is away messages wait, bounded; how many were lost is the first thing it is told then.
 */

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { lookup } from 'node:dns';
import { existsSync, readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectSecure } from 'node:tls';
import type { Mono } from '../../base/units.ts';
import { SYSLOG_SIGNERS } from '../../panel/system/site-files.ts';
import { type Level, octetCounted, Spool } from '../../panel/telemetry/syslog.ts';
import { mono } from '../clock.ts';

export type SyslogServer = {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly level: Level;
};

/** Whose signature of a log server is believed, and then nobody else's: who gave one trusts no public authority with it. */
const CA_FILE = `data/secret/tls/${SYSLOG_SIGNERS}`;
const SPOOL_BYTES = 1024 * 1024;
/** What the kernel has not taken: beyond it messages wait here. */
const IN_SOCKET_BYTES = 64 * 1024;
const AGAIN_MS = 1000;
const AGAIN_MOST_MS = 30_000;
const CONNECT_MS = 10_000;
const ALIVE_MS = 10_000;
/** A server that could not be resolved is asked for again after this. */
const UNKNOWN_MS = 5000;

/** Different faults that are said of a server that does not work. */
const FAULTS = 8;

/** How long things may last; shorter in tests. */
export type SyslogTimes = {
  /** A connection that ends at once is given nothing. */
  readonly holdMs: number;
  /** One that ended earlier never worked: what is said and waited goes on where it was. */
  readonly lastedMs: number;
  /** A server that takes nothing for so long is left. */
  readonly stuckMs: number;
  /** How many were lost, and faults that come and go, are said so often. */
  readonly tellMs: number;
  /** A name is resolved again after this. */
  readonly resolveMs: number;
};
const TIMES: SyslogTimes = {
  holdMs: 1000,
  lastedMs: 10_000,
  stuckMs: 60_000,
  tellMs: 60_000,
  resolveMs: 60_000,
};

export type SyslogTalk = {
  /** To the log of the box. */
  readonly tell: (text: string) => void;
  /** The message to this server that so many were lost. */
  readonly lostAs: (count: number) => Uint8Array;
};

/** Whom a name stands for: as `dns.lookup`. */
export type Resolve = (
  name: string,
  found: (fault: Error | null, address: string, family: number) => void,
) => void;

export class SyslogWay {
  readonly server: SyslogServer;
  private readonly root: string;
  private readonly talk: SyslogTalk;
  private readonly times: SyslogTimes;
  private readonly resolve: Resolve;
  /** What is said of this way begins so. */
  private readonly own: string;
  private readonly spool = new Spool(SPOOL_BYTES);
  private stream: Socket | undefined;
  private ready = false;
  private datagrams: Datagrams | undefined;
  /** Where datagrams go; undefined while the name is not resolved. */
  private target: string | undefined;
  /** To connect or to resolve again; to begin; to look whether the server takes anything. */
  private timer: NodeJS.Timeout | undefined;
  private hold: NodeJS.Timeout | undefined;
  private stuck: NodeJS.Timeout | undefined;
  private pauseMs = AGAIN_MS;
  /** Faults that were said since it worked. */
  private readonly told = new Set<string>();
  private toldAt = Number.NEGATIVE_INFINITY;
  private connectedAt: Mono | undefined;
  /** When the kernel took something last. */
  private tookAt: Mono = 0;
  private lost = 0;
  private lostToldAt = Number.NEGATIVE_INFINITY;
  private closed = false;

  constructor(
    server: SyslogServer,
    root: string,
    talk: SyslogTalk,
    { times = TIMES, resolve = lookup as Resolve } = {},
  ) {
    this.server = server;
    this.root = root;
    this.talk = talk;
    this.times = times;
    this.resolve = resolve;
    this.own = `syslog: ${server.name} (${server.address}): `;
    if (server.transport === 'udp') this.seek();
    else this.connect();
  }

  send(message: Uint8Array): void {
    this.spool.push(message);
    this.flush();
  }

  /** Said of this way: it would lead to more of the same if it went this way, too. */
  isOwn(text: string): boolean {
    return text.startsWith(this.own);
  }

  close(): void {
    this.closed = true;
    for (const timer of [this.timer, this.hold, this.stuck]) clearTimeout(timer);
    this.stream?.destroy();
    this.datagrams?.close();
    this.datagrams = undefined;
  }

  private flush(): void {
    if (this.server.transport === 'udp') this.flushDatagrams();
    else this.flushStream();
  }

  // ── datagrams ────────────────────────────────────────────────────────────────────────────────

  /** A name is not left to the socket: with a silent resolver every datagram would wait in it. */
  private seek(): void {
    const { address } = this.server;
    if (isIP(address) !== 0) {
      this.aim(address, isIP(address));
      return;
    }
    this.resolve(address, (e, found, family) => {
      if (this.closed) return;
      if (e === null) this.aim(found, family);
      else this.fault(e.message);
      // what was found last stays
      const pauseMs = this.target === undefined ? UNKNOWN_MS : this.times.resolveMs;
      this.timer = setTimeout(() => this.seek(), pauseMs);
      this.timer.unref();
    });
  }

  private aim(address: string, family: number): void {
    if (address === this.target) return;
    this.datagrams?.close();
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket.on('error', (e) => this.fault(e.message));
    socket.unref();
    this.datagrams = socket;
    this.target = address;
    this.flush();
  }

  private flushDatagrams(): void {
    const { datagrams, target } = this;
    if (datagrams === undefined || target === undefined) return;
    const { port } = this.server;
    const give = (message: Uint8Array, stands: number): void => {
      datagrams.send(message, port, target, (e) => {
        if (e === null) this.works();
        else {
          this.lost += stands;
          this.fault(e.message);
        }
      });
    };
    const room = (): boolean => datagrams.getSendQueueSize() < IN_SOCKET_BYTES;
    this.giveAll(give, room);
  }

  /** Datagrams that go, and some that do not, are no news each time. */
  private works(): void {
    if (mono() - this.toldAt >= this.times.tellMs) this.told.clear();
  }

  // ── streams ──────────────────────────────────────────────────────────────────────────────────

  private connect(): void {
    const { address: host, port, transport } = this.server;
    const stream = transport === 'tls' ? this.secure() : connect({ host, port });
    this.stream = stream;
    stream.setTimeout(CONNECT_MS, () => {
      if (this.connectedAt === undefined) stream.destroy(new Error('no answer'));
    });
    stream.on('error', (e) => {
      this.judge();
      this.fault(e.message);
    });
    stream.on('close', (failed) => this.again(stream, failed));
    // nothing is said to us; what comes all the same is not kept
    stream.resume();
    stream.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      this.connectedAt = mono();
      stream.setTimeout(0);
      stream.setKeepAlive(true, ALIVE_MS);
      this.hold = setTimeout(() => {
        this.ready = true;
        this.flush();
      }, this.times.holdMs);
      this.hold.unref();
    });
  }

  private secure(): Socket {
    const { address: host, port } = this.server;
    const file = join(this.root, CA_FILE);
    const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    const ca = existsSync(file) ? { ca: readFileSync(file) } : {};
    return connectSecure({ host, port, ...name, ...ca, minVersion: 'TLSv1.2' });
  }

  private again(stream: Socket, failed: boolean): void {
    if (stream !== this.stream || this.closed) return;
    this.judge();
    this.ready = false;
    clearTimeout(this.hold);
    clearTimeout(this.stuck);
    this.stuck = undefined;
    if (!failed) this.fault('the connection ended');
    this.timer = setTimeout(() => this.connect(), this.pauseMs);
    this.timer.unref();
    this.pauseMs = Math.min(AGAIN_MOST_MS, this.pauseMs * 2);
  }

  /** Of a connection that ends: did it work? Who accepts and closes at once does not. */
  private judge(): void {
    const { connectedAt } = this;
    this.connectedAt = undefined;
    if (connectedAt === undefined || mono() - connectedAt < this.times.lastedMs) return;
    this.pauseMs = AGAIN_MS;
    this.told.clear();
  }

  private flushStream(): void {
    const { stream } = this;
    if (stream === undefined || !this.ready) return;
    const give = (message: Uint8Array, stands: number): void => {
      stream.write(octetCounted(message), (e) => {
        if (e !== null && e !== undefined) this.lost += stands;
        else {
          this.tookAt = mono();
          if (stream === this.stream) this.flush();
        }
      });
    };
    this.giveAll(give, () => stream.writableLength < IN_SOCKET_BYTES);
    if (this.stuck === undefined && stream.writableLength > 0) {
      this.tookAt = mono();
      this.watch(stream, this.times.stuckMs);
    }
  }

  /** A server that stays and reads nothing would be waited for without an end. */
  private watch(stream: Socket, ms: number): void {
    this.stuck = setTimeout(() => {
      this.stuck = undefined;
      if (stream !== this.stream || stream.writableLength === 0) return;
      const leftMs = this.times.stuckMs - (mono() - this.tookAt);
      if (leftMs > 0) this.watch(stream, leftMs);
      else stream.destroy(new Error('it takes nothing any more'));
    }, ms);
    this.stuck.unref();
  }

  // ── both ─────────────────────────────────────────────────────────────────────────────────────

  /**
   * How many were lost comes before what was not. Nothing is said while there is no room for it.
   * @param give `stands`: how many are lost if this message is.
   */
  private giveAll(give: (message: Uint8Array, stands: number) => void, room: () => boolean): void {
    if (!room()) return;
    this.lost += this.spool.lost();
    const now = mono();
    if (this.lost > 0 && now - this.lostToldAt >= this.times.tellMs) {
      const { lost } = this;
      this.lost = 0;
      this.lostToldAt = now;
      give(this.talk.lostAs(lost), lost);
      this.talk.tell(`${this.own}${lost} messages were lost`);
    }
    while (this.spool.size > 0 && room()) {
      const message = this.spool.take();
      if (message !== undefined) give(message, 1);
    }
  }

  /** Each is said once, until it works again. */
  private fault(text: string): void {
    if (this.told.has(text) || this.told.size >= FAULTS) return;
    this.told.add(text);
    this.toldAt = mono();
    this.talk.tell(`${this.own}${text}`);
  }
}
