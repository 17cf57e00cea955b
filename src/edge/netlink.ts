/**
 * Addresses and links through rtnetlink (rtnetlink(7), netlink(7)): what `ip addr` and `ip link` do,
 * in microseconds instead of a spawned program's milliseconds.
 *
 * The kernel works a request off inside `send`, so the answer waits in the socket when `send`
 * returns: a request is one synchronous call and its errno is a value.
 *
 * Message (host byte order, which is little-endian on every machine this is built for):
 *
 *   ┌─────────┬──────┬───────┬─────┬─────┬──────────────────────────┬────────────────────────────┐
 *   │ len u32 │ type │ flags │ seq │ pid │ ifaddrmsg 8/ifinfomsg 16 │ attributes: len, type, ... │
 *   │         │ u16  │ u16   │ u32 │ u32 │                          │ u16  u16, padded to 4      │
 *   └─────────┴──────┴───────┴─────┴─────┴──────────────────────────┴────────────────────────────┘
 */

import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import type { OsError, WatchHandle } from './native/netlite.ts';
import { EAGAIN, isOsError, netlite, osError, READ } from './native/netlite.ts';

const NETLINK_ROUTE = 0;
const GROUP_LINK = 0x1;
const GROUP_IPV4_ADDRESS = 0x10;
const GROUP_IPV6_ADDRESS = 0x100;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;

const REQUEST = 0x1;
const ACK = 0x4;
const DUMP_INTERRUPTED = 0x10;
const REPLACE = 0x100;
const DUMP = 0x300;
const CREATE = 0x400;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x02;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_CARRIER = 33;
const IFF_UP = 0x1;
const IFF_LOWER_UP = 0x10000;

const AF_INET = 2;
const AF_INET6 = 10;
const HEADER = 16;
const FOREVER = 0xffff_ffff;
/** The kernel fills at most 32 KiB a message of a dump. */
const BUFFER_BYTES = 65_536;
/** The longest request; a route with a few metrics has some 200. */
const MESSAGE_BYTES = 1024;
/** A dump that the kernel marks as interrupted by a change is asked again this often. */
const DUMP_TRIES = 4;
/** Messages of one turn of the monitor: a storm of changes must not keep the loop. */
const MONITOR_READS = 64;

const { EINVAL, EMSGSIZE, EPROTO, ENODEV, ENOBUFS } = constants.errno;

export type AddressRequest = {
  readonly ifname: string;
  /** IPv4 or IPv6 text. */
  readonly ip: string;
  readonly prefix: number;
  /** Whole seconds until the kernel removes it by itself; 0 is for ever. */
  readonly validLftSec: number;
  /** Seconds during which it is preferred as a source; as long as it is valid unless given. */
  readonly preferredLftSec?: number;
  /** IPv6: usable at once, without duplicate address detection (RFC 4862 5.4). */
  readonly nodad?: boolean;
};

export type AddressName = Pick<AddressRequest, 'ifname' | 'ip' | 'prefix'>;

export type Address = {
  readonly index: number;
  readonly ip: string;
  readonly prefix: number;
  /** Seconds left, 0 is for ever. */
  readonly validLftSec: number;
};

export type Link = {
  readonly index: number;
  readonly ifname: string;
  /** Switched on by the administrator. */
  readonly up: boolean;
  /** The cable carries. Meaningful only while `up`. */
  readonly carrier: boolean;
  readonly mtu: number;
  /** "02:00:00:00:00:01", '' when it has none. */
  readonly hwaddr: string;
};

/** `gone` is true for a removal, false for something new or changed. */
export type NetEvent =
  | { readonly kind: 'link'; readonly gone: boolean; readonly link: Link }
  | { readonly kind: 'address'; readonly gone: boolean; readonly address: Address }
  /** Events were lost: ask `links` and `addresses`. */
  | { readonly kind: 'overrun' };

/** Writes one message; attributes are padded as they are put. */
class Message {
  readonly bytes = Buffer.alloc(MESSAGE_BYTES);
  length = HEADER;

  start(type: number, flags: number, seq: number): void {
    this.bytes.fill(0);
    this.bytes.writeUInt16LE(type, 4);
    this.bytes.writeUInt16LE(flags, 6);
    this.bytes.writeUInt32LE(seq, 8);
    this.length = HEADER;
  }

  /** Reserves an attribute. @returns offset of its value. */
  attribute(type: number, size: number): number {
    const at = this.length;
    this.bytes.writeUInt16LE(4 + size, at);
    this.bytes.writeUInt16LE(type, at + 2);
    this.length = at + ((4 + size + 3) & ~3);
    return at + 4;
  }

  finish(): void {
    this.bytes.writeUInt32LE(this.length, 0);
  }
}

/** One synchronous conversation with the kernel's routing tables. Use it from one thread. */
export class Netlink {
  readonly #fd: number;
  readonly #message = new Message();
  readonly #answer = Buffer.alloc(BUFFER_BYTES);
  #seq = 0;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static open(): Netlink | OsError {
    const fd = netlite.openNetlink(NETLINK_ROUTE, 0);
    return fd < 0 ? osError('openNetlink', fd) : new Netlink(fd);
  }

  /**
   * Adds the address, or gives the one that is there a new lifetime. It cannot tell the two apart
   * (nor can the kernel be asked to): an address that has expired is added again.
   * @returns undefined when the kernel has done it.
   */
  addAddress(request: AddressRequest): OsError | undefined {
    const flags = REQUEST | ACK | CREATE | REPLACE;
    const fault = this.#addressMessage(RTM_NEWADDR, flags, request);
    if (fault !== undefined) return fault;
    const m = this.#message;
    if (request.nodad === true) m.bytes.writeUInt32LE(IFA_F_NODAD, m.attribute(IFA_FLAGS, 4));
    const valid = request.validLftSec === 0 ? FOREVER : request.validLftSec;
    const preferred = request.preferredLftSec ?? valid;
    if (!isLifetime(valid) || !isLifetime(preferred) || preferred > valid) {
      return osError('addAddress', -EINVAL);
    }
    const at = m.attribute(IFA_CACHEINFO, 16);
    m.bytes.writeUInt32LE(preferred, at);
    m.bytes.writeUInt32LE(valid, at + 4);
    return this.#acknowledged('addAddress');
  }

  /** @returns undefined when it is gone; EADDRNOTAVAIL when it was not there. */
  delAddress(name: AddressName): OsError | undefined {
    const fault = this.#addressMessage(RTM_DELADDR, REQUEST | ACK, name);
    return fault ?? this.#acknowledged('delAddress');
  }

  setLinkUp(ifname: string): OsError | undefined {
    return this.#setFlags(ifname, IFF_UP);
  }

  setLinkDown(ifname: string): OsError | undefined {
    return this.#setFlags(ifname, 0);
  }

  /** State of one interface, carrier included. */
  link(ifname: string): Link | OsError {
    const index = netlite.ifIndex(ifname);
    if (index < 0) return osError('ifIndex', index);
    this.#start(RTM_GETLINK, REQUEST);
    this.#message.bytes.writeInt32LE(index, HEADER + 4);
    this.#message.length = HEADER + 16;
    const found: Link[] = [];
    const fault = this.#converse('link', 'one', (type, at, end) => {
      if (type === RTM_NEWLINK) found.push(readLink(this.#answer, at, end));
    });
    return fault ?? found[0] ?? osError('link', -ENODEV);
  }

  /** Every interface. */
  links(): Link[] | OsError {
    return this.#dump('links', RTM_GETLINK, Buffer.alloc(16), RTM_NEWLINK, readLink);
  }

  /** Every address, or those of one interface. */
  addresses(ifname?: string): Address[] | OsError {
    const all = this.#dump('addresses', RTM_GETADDR, Buffer.alloc(8), RTM_NEWADDR, readAddress);
    if (ifname === undefined || isOsError(all)) return all;
    const index = netlite.ifIndex(ifname);
    return index < 0 ? osError('ifIndex', index) : all.filter((a) => a.index === index);
  }

  /** Any other request that is acknowledged; `body` is what follows the header. */
  request(call: string, type: number, flags: number, body: Buffer): OsError | undefined {
    if (HEADER + body.length > MESSAGE_BYTES) return osError(call, -EMSGSIZE);
    this.#start(type, REQUEST | ACK | flags);
    this.#body(body);
    return this.#acknowledged(call);
  }

  /** Any other dump. @returns what follows the header in every answer of type `answer` */
  dump(call: string, ask: number, body: Buffer, answer: number): Buffer[] | OsError {
    return this.#dump(call, ask, body, answer, (b, at, end) => Buffer.from(b.subarray(at, end)));
  }

  /** May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    netlite.close(this.#fd);
  }

  #body(body: Buffer): void {
    body.copy(this.#message.bytes, HEADER);
    this.#message.length = HEADER + body.length;
  }

  #start(type: number, flags: number): void {
    this.#seq = (this.#seq + 1) >>> 0;
    this.#message.start(type, flags, this.#seq);
  }

  #addressMessage(type: number, flags: number, name: AddressName): OsError | undefined {
    const index = netlite.ifIndex(name.ifname);
    if (index < 0) return osError('ifIndex', index);
    this.#start(type, flags);
    const m = this.#message;
    m.length = HEADER + 8;
    // The address goes straight behind the attribute's head; its length is known after it is read.
    const size = netlite.pton(name.ip, m.bytes, m.length + 4);
    if (size < 0 || !(name.prefix >= 0 && name.prefix <= size * 8)) {
      return osError('address', -EINVAL);
    }
    m.bytes.writeUInt8(size === 4 ? AF_INET : AF_INET6, HEADER);
    m.bytes.writeUInt8(name.prefix, HEADER + 1);
    m.bytes.writeUInt32LE(index, HEADER + 4);
    const address = m.attribute(IFA_ADDRESS, size);
    m.bytes.copy(m.bytes, m.attribute(IFA_LOCAL, size), address, address + size);
    return undefined;
  }

  #setFlags(ifname: string, flags: number): OsError | undefined {
    const index = netlite.ifIndex(ifname);
    if (index < 0) return osError('ifIndex', index);
    this.#start(RTM_SETLINK, REQUEST | ACK);
    const m = this.#message;
    m.bytes.writeInt32LE(index, HEADER + 4);
    m.bytes.writeUInt32LE(flags, HEADER + 8);
    m.bytes.writeUInt32LE(IFF_UP, HEADER + 12);
    m.length = HEADER + 16;
    return this.#acknowledged('setLink');
  }

  #acknowledged(call: string): OsError | undefined {
    return this.#converse(call, 'ack', () => {});
  }

  #dump<T>(
    call: string,
    ask: number,
    body: Buffer,
    answer: number,
    read: (bytes: Buffer, at: number, end: number) => T,
  ): T[] | OsError {
    for (let tries = 1; ; tries++) {
      const found: T[] = [];
      this.#start(ask, REQUEST | DUMP);
      this.#body(body);
      const fault = this.#converse(call, 'dump', (type, at, end) => {
        if (type === answer) found.push(read(this.#answer, at, end));
      });
      if (fault === undefined) return found;
      if (fault.call !== INTERRUPTED || tries === DUMP_TRIES) return fault;
    }
  }

  /**
   * Sends the message and reads until its end: an acknowledgement, one answer, or the end of a dump.
   * Answers to an earlier request (one that was given up) are recognised by `seq` and passed over.
   */
  #converse(
    call: string,
    until: 'ack' | 'one' | 'dump',
    each: (type: number, at: number, end: number) => void,
  ): OsError | undefined {
    this.#message.finish();
    const taken = netlite.send(this.#fd, this.#message.bytes, 0, this.#message.length);
    if (taken < 0) return osError(call, taken);
    const b = this.#answer;
    let interrupted = false;
    for (;;) {
      const n = netlite.recv(this.#fd, b, 0, BUFFER_BYTES);
      if (n < 0) return osError(call, n);
      for (let at = 0; at + HEADER <= n; ) {
        const size = b.readUInt32LE(at);
        if (size < HEADER || at + size > n) return osError(call, -EPROTO);
        const type = b.readUInt16LE(at + 4);
        if (b.readUInt32LE(at + 8) === this.#seq) {
          if ((b.readUInt16LE(at + 6) & DUMP_INTERRUPTED) !== 0) interrupted = true;
          if (type === NLMSG_ERROR) {
            const result = size >= HEADER + 4 ? b.readInt32LE(at + HEADER) : -EPROTO;
            return result === 0 ? undefined : osError(call, result);
          }
          if (type === NLMSG_DONE) return interrupted ? osError(INTERRUPTED, -EAGAIN) : undefined;
          each(type, at + HEADER, at + size);
          if (until === 'one') return undefined;
        }
        at += (size + 3) & ~3;
      }
    }
  }
}

const INTERRUPTED = 'dump interrupted';

function isLifetime(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 0 && seconds <= FOREVER;
}

/** Calls `each` with type, offset and end of every attribute in [at, end). */
export function attributes(
  b: Buffer,
  at: number,
  end: number,
  each: (type: number, from: number, to: number) => void,
): void {
  while (at + 4 <= end) {
    const size = b.readUInt16LE(at);
    if (size < 4 || at + size > end) return;
    // The two high bits are flags (nested, network byte order), not part of the type.
    each(b.readUInt16LE(at + 2) & 0x3fff, at + 4, at + size);
    at += (size + 3) & ~3;
  }
}

function readLink(b: Buffer, at: number, end: number): Link {
  const index = b.readInt32LE(at + 4);
  const flags = b.readUInt32LE(at + 8);
  let ifname = '';
  let hwaddr = '';
  let mtu = 0;
  let carrier = (flags & IFF_LOWER_UP) !== 0;
  attributes(b, at + 16, end, (type, from, to) => {
    if (type === IFLA_IFNAME) ifname = b.toString('latin1', from, to).replace(/\0.*$/s, '');
    else if (type === IFLA_MTU && to - from === 4) mtu = b.readUInt32LE(from);
    else if (type === IFLA_CARRIER && to > from) carrier = b.readUInt8(from) !== 0;
    else if (type === IFLA_ADDRESS && to - from === 6) {
      hwaddr = b.toString('hex', from, to).replace(/..(?!$)/g, '$&:');
    }
  });
  return { index, ifname, up: (flags & IFF_UP) !== 0, carrier, mtu, hwaddr };
}

function readAddress(b: Buffer, at: number, end: number): Address {
  const prefix = b.readUInt8(at + 1);
  const index = b.readUInt32LE(at + 4);
  let local = '';
  let address = '';
  let validLftSec = 0;
  attributes(b, at + 8, end, (type, from, to) => {
    if (type === IFA_LOCAL) local = addressText(b, from, to);
    else if (type === IFA_ADDRESS) address = addressText(b, from, to);
    else if (type === IFA_CACHEINFO && to - from >= 8) {
      const valid = b.readUInt32LE(from + 4);
      validLftSec = valid === FOREVER ? 0 : valid;
    }
  });
  // On a point-to-point link IFA_ADDRESS is the other end; IPv6 has no IFA_LOCAL elsewhere.
  return { index, ip: local || address, prefix, validLftSec };
}

function addressText(b: Buffer, from: number, to: number): string {
  const size = to - from;
  const ip = size === 4 || size === 16 ? netlite.ntop(b, from, size) : '';
  return typeof ip === 'string' ? ip : '';
}

/** Changes of links and addresses as they happen, on the loop of the thread that opened it. */
export class NetMonitor {
  readonly #fd: number;
  readonly #sink: (event: NetEvent) => void;
  readonly #bytes = Buffer.alloc(BUFFER_BYTES);
  #watch: WatchHandle | undefined;
  #closed = false;

  private constructor(fd: number, sink: (event: NetEvent) => void) {
    this.#fd = fd;
    this.#sink = sink;
  }

  /** What is there already is not reported: ask `Netlink.links` after `open`. */
  static open(sink: (event: NetEvent) => void): NetMonitor | OsError {
    const groups = GROUP_LINK | GROUP_IPV4_ADDRESS | GROUP_IPV6_ADDRESS;
    const fd = netlite.openNetlink(NETLINK_ROUTE, groups);
    if (fd < 0) return osError('openNetlink', fd);
    const monitor = new NetMonitor(fd, sink);
    const watch = netlite.watch(fd, READ, () => monitor.#read());
    if (typeof watch === 'number') {
      netlite.close(fd);
      return osError('watch', watch);
    }
    monitor.#watch = watch;
    return monitor;
  }

  /** May be called twice, and from the sink. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#watch !== undefined) netlite.unwatch(this.#watch);
    netlite.close(this.#fd);
  }

  #read(): void {
    for (let i = 0; i < MONITOR_READS && !this.#closed; i++) {
      const n = netlite.recv(this.#fd, this.#bytes, 0, BUFFER_BYTES);
      if (n === -ENOBUFS) this.#overrun();
      else if (n <= 0) return;
      else this.#decode(n);
    }
  }

  /**
   * The socket was full. From here until it is empty the kernel drops every further event without
   * another word, so what is left is thrown away first and the loss reported after: what the sink
   * asks the kernel then is complete, and later changes are events again.
   */
  #overrun(): void {
    let n: number;
    do n = netlite.recv(this.#fd, this.#bytes, 0, BUFFER_BYTES);
    while (n > 0 || n === -ENOBUFS);
    this.#sink({ kind: 'overrun' });
  }

  #decode(n: number): void {
    const b = this.#bytes;
    for (let at = 0; at + HEADER <= n && !this.#closed; ) {
      const size = b.readUInt32LE(at);
      if (size < HEADER || at + size > n) return;
      const type = b.readUInt16LE(at + 4);
      const body = at + HEADER;
      const end = at + size;
      if ((type === RTM_NEWLINK || type === RTM_DELLINK) && end - body >= 16) {
        const gone = type === RTM_DELLINK;
        this.#sink({ kind: 'link', gone, link: readLink(b, body, end) });
      } else if ((type === RTM_NEWADDR || type === RTM_DELADDR) && end - body >= 8) {
        const gone = type === RTM_DELADDR;
        this.#sink({ kind: 'address', gone, address: readAddress(b, body, end) });
      }
      at += (size + 3) & ~3;
    }
  }
}
