/**
 * The way to one log server: UDP (RFC 5426), TCP with octet counting (RFC 6587), TLS (RFC 5425). While
 * the server is away messages wait, bounded; how many were lost is the first thing it is told then.
 */

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { connect, isIPv6, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectSecure } from 'node:tls';
import { type Level, octetCounted, Spool } from '../../panel/telemetry/syslog.ts';

export type SyslogServer = {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly level: Level;
};

/** Whose signature of a log server is believed, and then nobody else's: who gave one trusts no public authority with it. */
const CA_FILE = 'data/secret/tls/syslog-ca.pem';
const SPOOL_BYTES = 1024 * 1024;
/** What the kernel has not taken: beyond it messages wait here. */
const IN_SOCKET_BYTES = 64 * 1024;
const AGAIN_MS = 1000;
const AGAIN_MOST_MS = 30_000;
const CONNECT_MS = 10_000;
const ALIVE_MS = 10_000;

export class SyslogWay {
  readonly server: SyslogServer;
  private readonly root: string;
  private readonly tell: (text: string) => void;
  private readonly lostAs: (count: number) => Uint8Array;
  private readonly spool = new Spool(SPOOL_BYTES);
  private stream: Socket | undefined;
  private ready = false;
  private datagrams: Datagrams | undefined;
  private timer: NodeJS.Timeout | undefined;
  private pauseMs = AGAIN_MS;
  private told = '';
  private closed = false;

  /**
   * @param tell is told of faults, and so the log of the box.
   * @param lostAs the message that so many were lost.
   */
  constructor(
    server: SyslogServer,
    root: string,
    tell: (text: string) => void,
    lostAs: (count: number) => Uint8Array,
  ) {
    this.server = server;
    this.root = root;
    this.tell = tell;
    this.lostAs = lostAs;
    if (server.transport === 'udp') this.openDatagrams();
    else this.connect();
  }

  send(message: Uint8Array): void {
    const { datagrams } = this;
    if (datagrams !== undefined) {
      const { address, port } = this.server;
      datagrams.send(message, port, address, (e) => this.fault(e?.message ?? ''));
      return;
    }
    this.spool.push(message);
    this.flush();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.stream?.destroy();
    this.datagrams?.close();
    this.datagrams = undefined;
  }

  private openDatagrams(): void {
    const { address } = this.server;
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('error', (e) => this.fault(e.message));
    socket.unref();
    this.datagrams = socket;
  }

  private connect(): void {
    const { address: host, port, transport } = this.server;
    const stream = transport === 'tls' ? this.secure() : connect({ host, port });
    this.stream = stream;
    stream.setTimeout(CONNECT_MS, () => {
      if (!this.ready) stream.destroy(new Error('no answer'));
    });
    stream.on('error', (e) => this.fault(e.message));
    stream.on('close', () => this.again(stream));
    stream.on('drain', () => this.flush());
    // nothing is said to us; what comes all the same is not kept
    stream.resume();
    stream.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      this.ready = true;
      this.pauseMs = AGAIN_MS;
      this.told = '';
      stream.setTimeout(0);
      stream.setKeepAlive(true, ALIVE_MS);
      this.flush();
    });
  }

  private secure(): Socket {
    const { address: host, port } = this.server;
    const file = join(this.root, CA_FILE);
    const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    const ca = existsSync(file) ? { ca: readFileSync(file) } : {};
    return connectSecure({ host, port, ...name, ...ca, minVersion: 'TLSv1.2' });
  }

  private again(stream: Socket): void {
    if (stream !== this.stream || this.closed) return;
    this.ready = false;
    this.fault('the connection ended');
    this.timer = setTimeout(() => this.connect(), this.pauseMs);
    this.timer.unref();
    this.pauseMs = Math.min(AGAIN_MOST_MS, this.pauseMs * 2);
  }

  /** Said once, until it works again. */
  private fault(text: string): void {
    if (text === '') {
      this.told = '';
      return;
    }
    if (this.told === '')
      this.tell(`syslog: ${this.server.name} (${this.server.address}): ${text}`);
    this.told = text;
  }

  private flush(): void {
    const { stream } = this;
    if (stream === undefined || !this.ready) return;
    const lost = this.spool.lost();
    if (lost > 0) {
      this.tell(`syslog: ${lost} messages to ${this.server.name} were lost`);
      stream.write(octetCounted(this.lostAs(lost)));
    }
    while (this.spool.size > 0 && stream.writableLength < IN_SOCKET_BYTES) {
      const message = this.spool.take();
      if (message !== undefined) stream.write(octetCounted(message));
    }
  }
}
