/**
 * Raw IP sockets by the npm package raw-socket, bound to one interface, with errors as values and
 * with what the package leaves open:
 *
 *   the package                                      here
 *   polls `uv_default_loop` and is not for workers   loaded when the first socket is opened, on the
 *                                                    main thread (asserted)
 *   sends on a later turn of the loop                `send` is one sendto, now: a word said before
 *                                                    the process ends is said
 *   throws strerror's text                           an OsError with its errno
 *   catches what a listener throws, as if the        a packet is handed over from the loop's next
 *   socket had failed, and calls it outside of       phase, so an assertion that fails stops the
 *   Node's callback scope                            box as everywhere
 *   reads IPv6 without its header, and no            `onlyHopLimit`: the kernel's filter (BPF) lets
 *   ancillary data: no hop limit                     only packets of that hop limit in
 */

import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import { setImmediate } from 'node:timers';
import { getSystemErrorMap } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import type { Socket } from 'raw-socket';
import { assert } from '../base/assert.ts';
import type { Family } from '../wire/ip.ts';
import type { OsError } from './native/netlite.ts';
import { isOsError, netlite, osError } from './native/netlite.ts';
import { rawPackage } from './native/raw-package.ts';

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;

/** VRRP and echoes are small and few; what a flood fills beyond it is lost. */
const RECEIVE_BYTES = 65_536;
/** A longer packet is cut off, and then has a wrong length. */
const PACKET_BYTES = 2048;
/** Where the network header begins, for a filter's absolute loads (SKF_NET_OFF, packet(7)). */
const NETWORK_HEADER = 0xfff0_0000;
const HOP_LIMIT = NETWORK_HEADER + 7;
/** struct sock_fprog on a 64-bit machine: a count, padding, a pointer. */
const FPROG_BYTES = 16;

const { EBADF, EIO, EADDRNOTAVAIL } = constants.errno;

export type RawOptions = {
  readonly family: Family;
  readonly protocol: number;
  readonly ifname: string;
};

/** One of IP's options: a number, or the structure it wants. */
export type RawSetting = readonly [level: number, option: number, value: number | Buffer];

export class RawSocket {
  /** Errors met while reading; reading goes on after them. */
  errors = 0;
  lastError: OsError | undefined;

  readonly #socket: Socket;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * @param onPacket gets packets as they are read, IPv4 with their IP header; the bytes are its own
   * @param settings are made before the first packet is read, in this order
   */
  static open(
    options: RawOptions,
    settings: readonly RawSetting[],
    onPacket: (bytes: Uint8Array, from: string) => void,
  ): RawSocket | OsError {
    assert(isMainThread, 'raw sockets are opened on the main thread');
    const made = createSocket(options);
    if (isOsError(made)) return made;
    const raw = new RawSocket(made);
    made.on('error', (e) => raw.#failed(osErrorOf('recv', e)));
    made.on('close', () => {
      raw.#closed = true;
    });
    const device = Buffer.from(`${options.ifname}\0`, 'latin1');
    for (const setting of [
      [SOL_SOCKET, SO_BINDTODEVICE, device],
      [SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES],
      ...settings,
    ] satisfies RawSetting[]) {
      const fault = raw.#set(setting);
      if (fault === undefined) continue;
      raw.close();
      return fault;
    }
    made.on('message', (bytes, from) => {
      const copy = Uint8Array.from(bytes);
      setImmediate(() => {
        if (!raw.#closed) onPacket(copy, from);
      });
    });
    return raw;
  }

  /** @returns undefined when the kernel has taken it. */
  send(bytes: Uint8Array, to: string): OsError | undefined {
    // A closed one would be opened again by the package, without its settings.
    if (this.#closed) return osError('send', -EBADF);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    try {
      this.#socket.wrap.send(buffer, 0, buffer.length, to, () => {});
      return undefined;
    } catch (e) {
      return osErrorOf('send', e);
    }
  }

  /** May be called twice, and from `onPacket`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  #failed(error: OsError): void {
    this.errors += 1;
    this.lastError = error;
  }

  #set([level, option, value]: RawSetting): OsError | undefined {
    try {
      if (typeof value === 'number') this.#socket.setOption(level, option, value);
      else this.#socket.setOption(level, option, value, value.length);
      return undefined;
    } catch (e) {
      return osErrorOf(`setsockopt ${level} ${option}`, e);
    }
  }
}

function createSocket(options: RawOptions): Socket | OsError {
  const { family, protocol } = options;
  const raw = rawPackage();
  try {
    const addressFamily = family === 4 ? 1 : 2;
    return raw.createSocket({ addressFamily, protocol, bufferSize: PACKET_BYTES });
  } catch (e) {
    return osErrorOf('socket', e);
  }
}

/**
 * A filter in the kernel that lets IPv6 packets of this hop limit in and drops all others:
 *
 *   ldb  [network header + 7]     0030  jt 0  jf 0  k fff00007
 *   jeq  #hopLimit, in, out       0015  jt 0  jf 1  k hopLimit
 *   in:  ret #whole packet        0006  jt 0  jf 0  k ffffffff
 *   out: ret #0                   0006  jt 0  jf 0  k 0
 *
 * @returns the setting; the steps are in the same piece of memory as the structure that points to
 * them, so they live as long
 */
export function onlyHopLimit(hopLimit: number): RawSetting {
  const steps = [
    [0x30, 0, 0, HOP_LIMIT],
    [0x15, 0, 1, hopLimit],
    [0x06, 0, 0, 0xffff_ffff],
    [0x06, 0, 0, 0],
  ] as const;
  const program = Buffer.alloc(FPROG_BYTES + 8 * steps.length);
  const code = program.subarray(FPROG_BYTES);
  for (const [i, [op, jt, jf, k]] of steps.entries()) {
    code.writeUInt16LE(op, 8 * i);
    code.writeUInt8(jt, 8 * i + 2);
    code.writeUInt8(jf, 8 * i + 3);
    code.writeUInt32LE(k, 8 * i + 4);
  }
  program.writeUInt16LE(steps.length, 0);
  assert(netlite.addressOf(code, program, 8) === 8, 'a pointer has 8 bytes');
  return [SOL_SOCKET, SO_ATTACH_FILTER, program.subarray(0, FPROG_BYTES)];
}

/** strerror's words where libuv's differ by more than the capital letter. */
const WORDS: readonly (readonly [string, number])[] = [
  ['cannot assign requested address', EADDRNOTAVAIL],
  ['bad file descriptor', EBADF],
];
const errnoOf = new Map<string, number>(WORDS);

/** @returns the value for an Error of the package; EIO when its words are not known. */
function osErrorOf(call: string, e: unknown): OsError {
  if (errnoOf.size === WORDS.length) {
    for (const [errno, [, words]] of getSystemErrorMap()) errnoOf.set(words, -errno);
  }
  const words = e instanceof Error ? e.message : String(e);
  const errno = errnoOf.get(words.toLowerCase());
  return errno === undefined ? osError(`${call}: ${words}`, -EIO) : osError(call, -errno);
}
