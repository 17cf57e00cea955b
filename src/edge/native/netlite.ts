/**
 * Loads the native addon and gives it types. Node lacks a few system calls that a box needs: packet
 * and netlink sockets, TUN, `recvmmsg`/`sendmmsg`, real-time priority. They are in C, small, one
 * build for every Node version, and usable in the main thread and in workers at once.
 *
 * Every function answers with a number >= 0 or with -errno, and never throws because of the
 * operating system; `osError` makes a value of a negative result. A negative -EINVAL can also mean a
 * bad argument. Descriptors belong to the thread that opened them: when a worker ends, its watches
 * stop and its descriptors are closed.
 *
 * A missing or unloadable addon is a crash at import: without it there is no box.
 */

import { constants } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { PACKED } from '../assets.ts';
import { loadPacked } from './packed.ts';

/** The operating system said no: `code` is the name of `errno` (positive), `call` what was tried. */
export type OsError = {
  readonly osError: string;
  readonly errno: number;
  readonly call: string;
};

declare const opaque: unique symbol;
/** A watched descriptor; only `rewatch` and `unwatch` know what is in it. */
export type WatchHandle = { readonly [opaque]: 'watch' };
/** The native half of a batch. */
export type BatchHandle = { readonly [opaque]: 'batch' };

/**
 * Memory shared with the kernel; never transfer or detach it. Slot i of `rx` and `tx` begins at
 * i * slotSize. `rxMeta` and `txMeta` hold three int32 a slot: length (-1: the datagram did not
 * fit), IPv4 address as it lies on the wire (IPv6: scope id), port. `rxAddr` and `txAddr` hold 16
 * bytes a slot for IPv6 and are empty for IPv4. `status`, two int32, is of the last `sendBatch`:
 * messages skipped, errno of the last of them.
 */
export type UdpBatch = {
  readonly handle: BatchHandle;
  readonly six: boolean;
  readonly rx: ArrayBuffer;
  readonly tx: ArrayBuffer;
  readonly rxMeta: ArrayBuffer;
  readonly txMeta: ArrayBuffer;
  readonly rxAddr: ArrayBuffer;
  readonly txAddr: ArrayBuffer;
  readonly status: ArrayBuffer;
};

export type Netlite = {
  /** @returns bytes taken; -EAGAIN when the socket is full. No SIGPIPE. */
  send(fd: number, bytes: Uint8Array, off: number, len: number): number;
  /** @returns bytes written to `bytes`, 0 at the end of a stream, -EAGAIN when nothing waits. */
  recv(fd: number, bytes: Uint8Array, off: number, len: number): number;
  /** @returns 0; -EBADF when the addon did not open it, -EBUSY while it is watched. */
  close(fd: number): number;
  /** The descriptor is somebody else's to close from now on. @returns 0; else as `close`. */
  release(fd: number): number;
  /**
   * Calls back on the loop of this thread while `fd` is ready: mask 1 reads, 2 writes, 0 pauses.
   * Level triggered. An error pending on the descriptor counts as ready: the next `recv`, `send` or
   * `tcpConnected` tells it. One watch a descriptor.
   */
  watch(fd: number, mask: number, onReady: (events: number) => void): WatchHandle | number;
  rewatch(handle: WatchHandle, mask: number): number;
  /** No callback comes after it. May be called twice. */
  unwatch(handle: WatchHandle): number;

  /** IPv4 or IPv6 by the text of `ip` (`fe80::1%eth0` too). `device` '' is any. @returns fd */
  udpOpen(
    ip: string,
    port: number,
    freebind: boolean,
    reuseaddr: boolean,
    device: string,
    bufferBytes: number,
  ): number;
  /** `slots` 1..1024 datagrams of up to `slotSize` bytes each way. */
  udpBatch(fd: number, slots: number, slotSize: number): UdpBatch | number;
  /** One recvmmsg. @returns datagrams; 0 none waits; negative: an ICMP error, read on after it. */
  recvBatch(handle: BatchHandle): number;
  /** @returns messages sent of the first n; see `status`; the rest found no room within 1 ms. */
  sendBatch(handle: BatchHandle, n: number): number;

  tcpListen(ip: string, port: number, freebind: boolean, device: string): number;
  /** @returns fd, non-blocking, TCP_NODELAY; -EAGAIN when nobody waits. */
  tcpAccept(fd: number): number;
  /** @returns fd of a connection in progress: watch it for writing, then ask `tcpConnected`. */
  tcpConnect(ip: string, port: number, localIp: string, device: string): number;
  /** @returns 0 when it stands, -EINPROGRESS before, else the reason, which is told only once. */
  tcpConnected(fd: number): number;
  /** `how`: 0 reading, 1 writing, 2 both. */
  shutdown(fd: number, how: number): number;
  /** How long sent data may stay unacknowledged, TCP_USER_TIMEOUT; 0 is the system's default. */
  setUserTimeout(fd: number, ms: number): number;
  /** `idle` seconds, 0 turns it off. */
  keepalive(fd: number, idle: number, interval: number, count: number): number;
  /**
   * Closing it, by whomever and also by the end of the process, sends RST and leaves nothing in the
   * kernel (SO_LINGER 0). What was written must have left before.
   */
  resetOnClose(fd: number): number;
  /** Any socket option that is an int. */
  setOption(fd: number, level: number, option: number, value: number): number;
  /** @returns "address port". */
  localName(fd: number): string | number;
  /** @returns "address port". */
  peerName(fd: number): string | number;

  /** Text of an address to 4 or 16 bytes. @returns 4, 16, or -EINVAL. */
  pton(ip: string, out: Uint8Array, off: number): number;
  ntop(bytes: Uint8Array, off: number, len: 4 | 16): string | number;

  /**
   * AF_PACKET socket of one interface and ethertype, whole frames. Closing it takes 8-16 ms.
   * `filter` is classic BPF, 8 bytes an instruction (struct sock_filter).
   */
  openPacket(ifname: string, ethertype: number, filter: Uint8Array): number;
  /** The card lets frames to this group address (6 bytes) in while the packet socket is open. */
  packetJoin(fd: number, ifname: string, mac: Uint8Array): number;
  /** Membership of an IPv6 group (16 bytes) on an interface, told to switches (MLD). @returns fd */
  groupOpen(ifname: string, group: Uint8Array): number;
  openNetlink(protocol: number, groups: number): number;
  ifIndex(ifname: string): number;
  /** @returns "02:00:00:00:00:01"; -EOPNOTSUPP when it has no Ethernet address. */
  ifHwaddr(ifname: string): string | number;
  /** The device and its addresses live as long as the descriptor, so they die with the process. */
  tunOpen(name: string): number;

  /** One datagram to a unix socket: a path, or an abstract name with @ before it; never waits. @returns 0 */
  notify(address: string, text: string): number;

  /** The kernel's id of the calling thread. */
  gettid(): number;
  /** SCHED_FIFO 1..99, or 0 for the ordinary class; `tid` 0 is the calling thread. */
  setFifo(tid: number, priority: number): number;
  /** CLOCK_MONOTONIC in milliseconds, with a fraction; the same clock in every thread. */
  monotonic(): number;
  /** 1: the kernel knows of nobody who keeps the wall clock right; 0: somebody does. */
  clockUnsynchronised(): number;
  /**
   * Writes where `view` begins in memory, 8 bytes in host order, to `out`: for a structure that a
   * system call wants with a pointer in it. Keep `view` until that call is over. @returns 8
   */
  addressOf(view: Uint8Array, out: Uint8Array, off: number): number;
};

export const READ = 1;
export const WRITE = 2;

export const EAGAIN = constants.errno.EAGAIN;
export const EINPROGRESS = constants.errno.EINPROGRESS;

/** @returns a value for a negative result of a native function. */
export function osError(call: string, result: number): OsError {
  const errno = result < 0 ? -result : result;
  return { osError: errno === 0 ? 'OK' : getSystemErrorName(-errno), errno, call };
}

export function isOsError(x: unknown): x is OsError {
  return typeof x === 'object' && x !== null && 'osError' in x;
}

function load(): Netlite {
  if (PACKED) return loadPacked('netlite.node') as Netlite;
  const beside = new URL('../../../build/netlite.node', import.meta.url);
  const path = process.env['SIPAIR_NATIVE'] ?? fileURLToPath(beside);
  const module: { exports: unknown } = { exports: {} };
  process.dlopen(module, path);
  return module.exports as Netlite;
}

export const netlite: Netlite = load();
