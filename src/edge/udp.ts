/**
 * UDP for the hot path. Datagrams are read and written in batches, one system call and one native
 * call for up to 64 of them; each becomes one latin1 string and nothing else. Addresses are text to
 * the box and numbers on the wire; a small cache makes the same string of the same number.
 *
 * The caller decides when to read (on `onReadable`, which is level triggered) and when to `flush`.
 */

import { Buffer } from 'node:buffer';
import type { OsError, UdpBatch, WatchHandle } from './native/netlite.ts';
import { netlite, osError, READ } from './native/netlite.ts';

export type UdpOptions = {
  /** IPv4 or IPv6 text; '0.0.0.0' or '::' is every address of that family. */
  readonly ip: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** May bind an address that is not on the box yet: the virtual one. */
  readonly freebind?: boolean;
  readonly reuseaddr?: boolean;
  /** Interface name: only what comes in by it, and out by it. */
  readonly device?: string;
  /** Wanted size of the kernel's buffers in bytes; 0 is the system's default. */
  readonly bufferBytes?: number;
  /** Datagrams a batch, up to 1024. */
  readonly slots?: number;
  /** Longest datagram taken or sent, in bytes; longer ones are counted and dropped. */
  readonly maxDatagram?: number;
};

/** `text` is latin1, one character a byte. */
export type DatagramSink = (text: string, ip: string, port: number) => void;

/** What happened since `open`; counts of datagrams. */
export type UdpCounters = {
  received: number;
  sent: number;
  /** Arrived longer than `maxDatagram`. */
  truncated: number;
  /** `queue` was given a text that is too long, or an address or port that is none. */
  unsendable: number;
  /** The kernel refused them: no route, firewall, too long for the path. */
  refused: number;
  /** No room in the socket within the bounded wait. */
  dropped: number;
  /** ICMP errors that the kernel handed over while reading. */
  icmp: number;
};

/** The part of Buffer that the published types leave out. */
type Latin1 = {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number): number;
};

/** Addresses remembered a socket and direction; beyond it the cache starts afresh. */
const CACHE_MAX = 16_384;
/** Slots exactly 64 KiB apart would all begin on the same few cache lines. */
const SLOT_SKEW = 832;
/** Batches of one `receive`: a flood must not keep the loop from its timers. */
export const READ_BATCHES = 4;
/** Errors in a row of one `receive` before it gives up until the next readiness. */
const READ_ERRORS = 64;

const scratch = Buffer.alloc(16);

export class UdpSocket {
  /** Local address and port, as bound. */
  readonly ip: string;
  readonly port: number;
  readonly counters: UdpCounters = {
    received: 0,
    sent: 0,
    truncated: 0,
    unsendable: 0,
    refused: 0,
    dropped: 0,
    icmp: 0,
  };
  /** The errno of the last refused message, 0 when there was none. */
  lastErrno = 0;

  readonly #fd: number;
  readonly #batch: UdpBatch;
  readonly #slots: number;
  readonly #slotSize: number;
  readonly #maxDatagram: number;
  readonly #six: boolean;
  readonly #rx: Buffer & Latin1;
  readonly #tx: Buffer & Latin1;
  readonly #rxMeta: Int32Array;
  readonly #txMeta: Int32Array;
  readonly #rxAddr: Buffer & Latin1;
  readonly #txAddr: Buffer;
  readonly #status: Int32Array;
  readonly #textOf = new Map<number, string>();
  readonly #numberOf = new Map<string, number>();
  /** IPv6: the 16 bytes as latin1 to text, and back. */
  readonly #text6Of = new Map<string, string>();
  readonly #bytes6Of = new Map<string, string>();
  #queued = 0;
  #watch: WatchHandle | undefined;
  #closed = false;

  private constructor(fd: number, batch: UdpBatch, shape: Required<UdpOptions>, slotSize: number) {
    const name = netlite.localName(fd);
    const [ip, port] = typeof name === 'string' ? name.split(' ') : [shape.ip, String(shape.port)];
    this.ip = ip ?? shape.ip;
    this.port = Number(port);
    this.#fd = fd;
    this.#batch = batch;
    this.#slots = shape.slots;
    this.#slotSize = slotSize;
    this.#maxDatagram = shape.maxDatagram;
    this.#six = batch.six;
    this.#rx = Buffer.from(batch.rx) as Buffer & Latin1;
    this.#tx = Buffer.from(batch.tx) as Buffer & Latin1;
    this.#rxMeta = new Int32Array(batch.rxMeta);
    this.#txMeta = new Int32Array(batch.txMeta);
    this.#rxAddr = Buffer.from(batch.rxAddr) as Buffer & Latin1;
    this.#txAddr = Buffer.from(batch.txAddr);
    this.#status = new Int32Array(batch.status);
  }

  static open(options: UdpOptions): UdpSocket | OsError {
    const o: Required<UdpOptions> = {
      freebind: false,
      reuseaddr: false,
      device: '',
      bufferBytes: 8 << 20,
      slots: 64,
      maxDatagram: 65_535,
      ...options,
    };
    const fd = netlite.udpOpen(o.ip, o.port, o.freebind, o.reuseaddr, o.device, o.bufferBytes);
    if (fd < 0) return osError('udpOpen', fd);
    const slotSize = ((o.maxDatagram + 63) & ~63) + SLOT_SKEW;
    const batch = netlite.udpBatch(fd, o.slots, slotSize);
    if (typeof batch === 'number') {
      netlite.close(fd);
      return osError('udpBatch', batch);
    }
    return new UdpSocket(fd, batch, o, slotSize);
  }

  /**
   * Calls back while something waits to be read. Once a socket; `setReading(false)` pauses it.
   * @returns undefined, or why it cannot be watched.
   */
  onReadable(wake: () => void): OsError | undefined {
    const handle = netlite.watch(this.#fd, READ, wake);
    if (typeof handle === 'number') return osError('watch', handle);
    this.#watch = handle;
    return undefined;
  }

  /** Whether readiness is reported; what arrives meanwhile waits in the kernel's buffer. */
  setReading(on: boolean): void {
    if (this.#watch !== undefined) netlite.rewatch(this.#watch, on ? READ : 0);
  }

  /**
   * Gives the sink what waits, at most four batches; what is left makes the socket readable again.
   * @returns datagrams delivered.
   */
  receive(sink: DatagramSink): number {
    let delivered = 0;
    let errors = 0;
    for (let round = 0; round < READ_BATCHES && !this.#closed; ) {
      const n = netlite.recvBatch(this.#batch.handle);
      if (n < 0) {
        this.counters.icmp++;
        this.lastErrno = -n;
        if (++errors >= READ_ERRORS) break;
        continue;
      }
      for (let i = 0; i < n && !this.#closed; i++) {
        const length = this.#rxMeta[i * 3]!;
        if (length < 0 || length > this.#maxDatagram) {
          this.counters.truncated++;
          continue;
        }
        const at = i * this.#slotSize;
        const text = this.#rx.latin1Slice(at, at + length);
        const ip = this.#six ? this.#sender6(i) : this.#sender4(this.#rxMeta[i * 3 + 1]!);
        delivered++;
        sink(text, ip, this.#rxMeta[i * 3 + 2]!);
      }
      if (n < this.#slots) break;
      round++;
    }
    this.counters.received += delivered;
    return delivered;
  }

  /**
   * Puts one datagram into the batch; a full batch is flushed first.
   * @param text latin1, one character a byte.
   * @returns false when it can never be sent: too long, or not an address of this socket's family.
   */
  queue(text: string, ip: string, port: number): boolean {
    if (this.#closed) return false;
    if (text.length > this.#maxDatagram || !(port > 0 && port < 65_536)) {
      this.counters.unsendable++;
      return false;
    }
    if (this.#queued === this.#slots) this.flush();
    const i = this.#queued;
    const meta = this.#txMeta;
    if (this.#six) {
      const raw = this.#receiver6(ip);
      if (raw === undefined) return false;
      this.#txAddr.write(raw, i * 16, 'latin1');
      meta[i * 3 + 1] = 0;
    } else {
      const raw = this.#receiver4(ip);
      if (raw === undefined) return false;
      meta[i * 3 + 1] = raw;
    }
    meta[i * 3] = this.#tx.latin1Write(text, i * this.#slotSize);
    meta[i * 3 + 2] = port;
    this.#queued = i + 1;
    return true;
  }

  /** Sends what is queued, waiting at most 1 ms for room. @returns datagrams sent. */
  flush(): number {
    const n = this.#queued;
    if (n === 0 || this.#closed) return 0;
    this.#queued = 0;
    const result = netlite.sendBatch(this.#batch.handle, n);
    const sent = Math.max(result, 0);
    const skipped = result < 0 ? n : this.#status[0]!;
    if (skipped > 0) {
      this.counters.refused += skipped;
      this.lastErrno = result < 0 ? -result : this.#status[1]!;
    }
    this.counters.sent += sent;
    this.counters.dropped += n - sent - skipped;
    return sent;
  }

  /** Queued datagrams are dropped. May be called twice, and from the sink. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queued = 0;
    if (this.#watch !== undefined) netlite.unwatch(this.#watch);
    netlite.close(this.#fd);
  }

  #sender4(raw: number): string {
    const known = this.#textOf.get(raw);
    if (known !== undefined) return known;
    // The machine is little-endian: the first byte on the wire is the lowest.
    const ip = `${raw & 255}.${(raw >>> 8) & 255}.${(raw >>> 16) & 255}.${raw >>> 24}`;
    if (this.#textOf.size >= CACHE_MAX) this.#textOf.clear();
    this.#textOf.set(raw, ip);
    return ip;
  }

  #receiver4(ip: string): number | undefined {
    const known = this.#numberOf.get(ip);
    if (known !== undefined) return known;
    if (netlite.pton(ip, scratch, 0) !== 4) {
      this.counters.unsendable++;
      return undefined;
    }
    const raw = scratch.readInt32LE(0);
    if (this.#numberOf.size >= CACHE_MAX) this.#numberOf.clear();
    this.#numberOf.set(ip, raw);
    return raw;
  }

  #sender6(slot: number): string {
    const key = this.#rxAddr.latin1Slice(slot * 16, slot * 16 + 16);
    const known = this.#text6Of.get(key);
    if (known !== undefined) return known;
    const ip = netlite.ntop(this.#rxAddr, slot * 16, 16);
    if (typeof ip === 'number') return '::';
    if (this.#text6Of.size >= CACHE_MAX) this.#text6Of.clear();
    this.#text6Of.set(key, ip);
    return ip;
  }

  #receiver6(ip: string): string | undefined {
    const known = this.#bytes6Of.get(ip);
    if (known !== undefined) return known;
    if (netlite.pton(ip, scratch, 0) !== 16) {
      this.counters.unsendable++;
      return undefined;
    }
    const raw = scratch.toString('latin1', 0, 16);
    if (this.#bytes6Of.size >= CACHE_MAX) this.#bytes6Of.clear();
    this.#bytes6Of.set(ip, raw);
    return raw;
  }
}
