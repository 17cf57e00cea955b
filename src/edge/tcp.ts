/**
 * TCP for machines that are stepped, not streamed to: no stream objects, no promises. A write goes to
 * the kernel at once; what the kernel has no room for waits in one bounded buffer. A read is a view
 * of one buffer, reused.
 *
 * No callback is ever called from inside `write`, `flush` or `close`: a connection that turns out to
 * be dead while writing is reported by the loop, so a step of the box is never re-entered.
 */

import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import type { OsError, WatchHandle } from './native/netlite.ts';
import { EAGAIN, EINPROGRESS, netlite, osError, READ, WRITE } from './native/netlite.ts';

const { EBUSY, ENOBUFS, ENOMEM, EMFILE, ENFILE } = constants.errno;

export type StreamOptions = {
  /** Bytes that may wait for room in the kernel; a write beyond it is refused whole. */
  readonly pendingMax?: number;
  /** Size of the read buffer, the longest view that `onData` gets. */
  readonly readBytes?: number;
  /** Sent data unacknowledged for longer ends the connection; 0 is the system's default. */
  readonly userTimeoutMs?: number;
  /** A silent connection is asked after this many seconds, and ends when three go unanswered. */
  readonly keepaliveS?: number;
};

export type StreamEvents = {
  /** An outgoing connection stands. Not called for an accepted one. */
  readonly onOpen?: () => void;
  /** Bytes arrived; valid during the call only. */
  readonly onData: (bytes: Uint8Array) => void;
  /**
   * It ended: 0 when the other side closed it, else the errno. The last call, and not made after a
   * `close` of ours.
   */
  readonly onClose: (errno: number) => void;
  /** What waited has gone into the kernel. */
  readonly onDrain?: () => void;
};

export type ConnectOptions = StreamOptions & {
  readonly ip: string;
  readonly port: number;
  /** Local address, '' for the system's choice. */
  readonly localIp?: string;
  /** Interface name, '' for the routing table's choice. */
  readonly device?: string;
};

export type ListenOptions = {
  readonly ip: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly freebind?: boolean;
  readonly device?: string;
};

const PENDING_MAX = 8 << 20;
const READ_BYTES = 65_536;
const PENDING_FIRST = 16_384;
/** A longer buffer is given back when it has drained. */
const PENDING_KEPT = 1 << 20;
const NOTHING = Buffer.alloc(0);
/** Reads of one turn: one busy peer must not keep the loop. */
const READS = 4;
/** Connections accepted in one turn. */
const ACCEPTS = 64;

export class StreamSocket {
  readonly #fd: number;
  readonly #events: StreamEvents;
  readonly #in: Buffer;
  readonly #pendingMax: number;
  /** Bytes [#from, #to) of #out wait for room. */
  #out: Buffer = NOTHING;
  #from = 0;
  #to = 0;
  #watch: WatchHandle | undefined;
  #mask = 0;
  #connecting: boolean;
  #reading = true;
  #ending = false;
  #closed = false;
  /** errno met while writing; told by the loop. */
  #fault = 0;

  private constructor(fd: number, events: StreamEvents, o: StreamOptions, connecting: boolean) {
    this.#fd = fd;
    this.#events = events;
    this.#connecting = connecting;
    this.#pendingMax = o.pendingMax ?? PENDING_MAX;
    this.#in = Buffer.allocUnsafeSlow(o.readBytes ?? READ_BYTES);
    if (o.userTimeoutMs !== undefined) netlite.setUserTimeout(fd, o.userTimeoutMs);
    if (o.keepaliveS !== undefined) netlite.keepalive(fd, o.keepaliveS, o.keepaliveS, 3);
  }

  /**
   * Begins to connect; `onOpen` or `onClose` tells the outcome. What is written meanwhile waits.
   * @returns an error that is known at once: no route, no such device, a bad address.
   */
  static connect(options: ConnectOptions, events: StreamEvents): StreamSocket | OsError {
    const { ip, port, localIp = '', device = '' } = options;
    const fd = netlite.tcpConnect(ip, port, localIp, device);
    if (fd < 0) return osError('tcpConnect', fd);
    return StreamSocket.#make(fd, events, options, true);
  }

  /** Takes over a descriptor that `StreamListener` accepted. */
  static accepted(fd: number, events: StreamEvents, o: StreamOptions = {}): StreamSocket | OsError {
    return StreamSocket.#make(fd, events, o, false);
  }

  static #make(
    fd: number,
    events: StreamEvents,
    o: StreamOptions,
    connecting: boolean,
  ): StreamSocket | OsError {
    const socket = new StreamSocket(fd, events, o, connecting);
    const mask = connecting ? WRITE : READ;
    const watch = netlite.watch(fd, mask, (ready) => socket.#onReady(ready));
    if (typeof watch === 'number') {
      netlite.close(fd);
      return osError('watch', watch);
    }
    socket.#watch = watch;
    socket.#mask = mask;
    return socket;
  }

  /** Bytes that wait for room in the kernel. */
  get pending(): number {
    return this.#to - this.#from;
  }

  /** "address port" of the other side, '' when it is not connected. */
  get peer(): string {
    const name = this.#closed ? 0 : netlite.peerName(this.#fd);
    return typeof name === 'string' ? name : '';
  }

  /** "address port" of this side. */
  get local(): string {
    const name = this.#closed ? 0 : netlite.localName(this.#fd);
    return typeof name === 'string' ? name : '';
  }

  /**
   * Sends the bytes, in order; they may be reused on return.
   * @returns false when nothing was taken: closed, ended, dead, or too much waits already.
   */
  write(bytes: Uint8Array): boolean {
    if (!this.#accepts(bytes.length)) return false;
    let taken = 0;
    if (this.#to === this.#from && !this.#connecting) {
      taken = this.#give(bytes, 0, bytes.length);
      if (taken < 0) return false;
    }
    if (taken < bytes.length) {
      this.#hold(bytes, taken);
      this.#rewatch();
    }
    return true;
  }

  /**
   * Like `write`, but into the buffer: `flush` sends it. For many small pieces of one step.
   * @returns false when nothing was taken.
   */
  queue(bytes: Uint8Array): boolean {
    if (!this.#accepts(bytes.length)) return false;
    this.#hold(bytes, 0);
    return true;
  }

  /** Sends what waits, as far as there is room; the rest follows by itself. */
  flush(): void {
    if (this.#closed || this.#connecting || this.#fault !== 0) return;
    if (this.#to > this.#from) {
      const taken = this.#give(this.#out, this.#from, this.#to - this.#from);
      if (taken < 0) return;
      this.#from += taken;
    }
    if (this.#from === this.#to) {
      this.#from = 0;
      this.#to = 0;
      if (this.#out.length > PENDING_KEPT) this.#out = NOTHING;
      if (this.#ending) netlite.shutdown(this.#fd, 1);
    }
    this.#rewatch();
  }

  /**
   * No more writes: a FIN follows what waits. Reading goes on; `onClose` comes when the other side
   * closes too. The caller bounds the wait and calls `close`.
   */
  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.flush();
  }

  /** Whether `onData` is called; meanwhile the kernel's buffer fills and the other side waits. */
  setReading(on: boolean): void {
    this.#reading = on;
    this.#rewatch();
  }

  /**
   * Gives the descriptor away, with its options, to somebody who reads, writes and closes it; here
   * it is as if closed. Only when nothing waits.
   * @returns the descriptor, or why it could not be.
   */
  release(): number | OsError {
    if (this.#closed || this.#to > this.#from) return osError('release', -EBUSY);
    this.#closed = true;
    if (this.#watch !== undefined) netlite.unwatch(this.#watch);
    const result = netlite.release(this.#fd);
    if (result === 0) return this.#fd;
    netlite.close(this.#fd);
    return osError('release', result);
  }

  /** Closes at once; what waits is lost. No `onClose` follows. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#from = 0;
    this.#to = 0;
    if (this.#watch !== undefined) netlite.unwatch(this.#watch);
    netlite.close(this.#fd);
  }

  #accepts(more: number): boolean {
    if (this.#closed || this.#ending || this.#fault !== 0) return false;
    return this.#to - this.#from + more <= this.#pendingMax;
  }

  /** @returns bytes that the kernel took, -1 when the connection is dead. */
  #give(bytes: Uint8Array, from: number, length: number): number {
    const taken = netlite.send(this.#fd, bytes, from, length);
    if (taken >= 0) return taken;
    if (taken === -EAGAIN || taken === -ENOBUFS || taken === -ENOMEM) return 0;
    // A dead socket is readable, so the loop comes by; see the top of the file.
    this.#fault = -taken;
    this.#rewatch();
    return -1;
  }

  /** Copies bytes[skip..] behind what waits. */
  #hold(bytes: Uint8Array, skip: number): void {
    const length = bytes.length - skip;
    const waiting = this.#to - this.#from;
    if (this.#to + length > this.#out.length) {
      let room = Math.max(this.#out.length, PENDING_FIRST);
      // Twice the need, so that moving what waits to the front stays rare.
      while (room < 2 * (waiting + length)) room *= 2;
      const target = room === this.#out.length ? this.#out : Buffer.allocUnsafeSlow(room);
      this.#out.copy(target, 0, this.#from, this.#to);
      this.#out = target;
      this.#from = 0;
      this.#to = waiting;
    }
    this.#out.set(skip === 0 ? bytes : bytes.subarray(skip), this.#to);
    this.#to += length;
  }

  #rewatch(): void {
    if (this.#watch === undefined || this.#closed || this.#connecting) return;
    const writing = this.#fault === 0 && this.#to > this.#from ? WRITE : 0;
    const mask = (this.#reading || this.#fault !== 0 ? READ : 0) | writing;
    if (mask === this.#mask) return;
    this.#mask = mask;
    netlite.rewatch(this.#watch, mask);
  }

  #onReady(ready: number): void {
    if (this.#closed) return;
    if (ready < 0) this.#finish(-ready);
    else if (this.#connecting) this.#onConnected();
    else if (this.#fault !== 0) this.#finish(this.#fault);
    else {
      if ((ready & WRITE) !== 0) this.#onRoom();
      if ((ready & READ) !== 0 && this.#reading) this.#read();
    }
  }

  #onConnected(): void {
    const result = netlite.tcpConnected(this.#fd);
    if (result === -EINPROGRESS) return;
    if (result < 0) {
      this.#finish(-result);
      return;
    }
    this.#connecting = false;
    this.flush();
    this.#events.onOpen?.();
  }

  #onRoom(): void {
    const waited = this.#to > this.#from;
    this.flush();
    if (waited && this.#to === this.#from && this.#fault === 0) this.#events.onDrain?.();
  }

  #read(): void {
    const size = this.#in.length;
    for (let i = 0; i < READS && !this.#closed && this.#reading; i++) {
      const n = netlite.recv(this.#fd, this.#in, 0, size);
      if (n === -EAGAIN) return;
      if (n <= 0) {
        this.#finish(-n);
        return;
      }
      this.#events.onData(n === size ? this.#in : this.#in.subarray(0, n));
      // Less than asked for: nothing is left, and if something came since the loop tells it.
      if (n < size) return;
    }
  }

  #finish(errno: number): void {
    if (this.#closed) return;
    this.close();
    this.#events.onClose(errno);
  }
}

export class StreamListener {
  /** Local address and port, as bound. */
  readonly ip: string;
  readonly port: number;
  /** Connections that could not be accepted; `lastErrno` says why. */
  errors = 0;
  lastErrno = 0;

  readonly #fd: number;
  readonly #onConnection: (fd: number) => void;
  #watch: WatchHandle | undefined;
  #closed = false;

  private constructor(fd: number, onConnection: (fd: number) => void) {
    this.#fd = fd;
    this.#onConnection = onConnection;
    const name = netlite.localName(fd);
    const [ip, port] = typeof name === 'string' ? name.split(' ') : [];
    this.ip = ip ?? '';
    this.port = Number(port ?? 0);
  }

  /** @param onConnection owns the descriptor: `StreamSocket.accepted`, or `netlite.close`. */
  static open(
    options: ListenOptions,
    onConnection: (fd: number) => void,
  ): StreamListener | OsError {
    const { ip, port, freebind = false, device = '' } = options;
    const fd = netlite.tcpListen(ip, port, freebind, device);
    if (fd < 0) return osError('tcpListen', fd);
    const listener = new StreamListener(fd, onConnection);
    const watch = netlite.watch(fd, READ, () => listener.#accept());
    if (typeof watch === 'number') {
      netlite.close(fd);
      return osError('watch', watch);
    }
    listener.#watch = watch;
    return listener;
  }

  /**
   * Whether connections are accepted; meanwhile they wait in the backlog. A process out of
   * descriptors stops by itself: the caller turns it on again when some are free.
   */
  setAccepting(on: boolean): void {
    if (this.#watch !== undefined && !this.#closed) netlite.rewatch(this.#watch, on ? READ : 0);
  }

  /** May be called twice, and from `onConnection`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#watch !== undefined) netlite.unwatch(this.#watch);
    netlite.close(this.#fd);
  }

  #accept(): void {
    for (let i = 0; i < ACCEPTS && !this.#closed; i++) {
      const fd = netlite.tcpAccept(this.#fd);
      if (fd === -EAGAIN) return;
      if (fd >= 0) {
        this.#onConnection(fd);
        continue;
      }
      this.errors++;
      this.lastErrno = -fd;
      // The connection stays in the backlog, so the readiness stays: without this the loop spins.
      if (fd === -EMFILE || fd === -ENFILE) this.setAccepting(false);
      return;
    }
  }
}
