/**
 * Raw ARP frames of one interface: whole Ethernet frames, both ways. What is in them is known to
 * `wire/arp.ts`; nothing is looked at here.
 *
 * Open it once and keep it: closing a packet socket blocks the thread for 8-16 ms.
 */

import { Buffer } from 'node:buffer';
import type { OsError, WatchHandle } from './native/netlite.ts';
import { EAGAIN, netlite, osError, READ } from './native/netlite.ts';

const ETH_P_ARP = 0x0806;
/** Shortest Ethernet frame without its checksum (IEEE 802.3 4.2.3.3); not every driver pads. */
const SHORTEST = 60;
/** ARP fits into the shortest frame; room for padding and a VLAN tag. */
const FRAME_MAX = 2048;
/** Frames of one turn: a broadcast storm must not keep the sentry from its timers. */
const READ_FRAMES = 64;

export class ArpSocket {
  readonly ifname: string;
  /** Errors met while reading (the interface went down, for one); reading goes on after them. */
  errors = 0;
  lastErrno = 0;

  readonly #fd: number;
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #in = Buffer.alloc(FRAME_MAX);
  readonly #out = Buffer.alloc(SHORTEST);
  #watch: WatchHandle | undefined;
  #closed = false;

  private constructor(ifname: string, fd: number, onFrame: (frame: Uint8Array) => void) {
    this.ifname = ifname;
    this.#fd = fd;
    this.#onFrame = onFrame;
  }

  /** @param onFrame gets every ARP frame that arrives; the bytes are valid during the call only. */
  static open(ifname: string, onFrame: (frame: Uint8Array) => void): ArpSocket | OsError {
    const fd = netlite.openPacket(ifname, ETH_P_ARP);
    if (fd < 0) return osError('openPacket', fd);
    const socket = new ArpSocket(ifname, fd, onFrame);
    const watch = netlite.watch(fd, READ, () => socket.#read());
    if (typeof watch === 'number') {
      netlite.close(fd);
      return osError('watch', watch);
    }
    socket.#watch = watch;
    return socket;
  }

  /** Sends one frame, padded to the shortest length. @returns undefined when the driver has it. */
  send(frame: Uint8Array): OsError | undefined {
    let bytes = frame;
    if (frame.length < SHORTEST) {
      this.#out.fill(0, frame.length);
      this.#out.set(frame);
      bytes = this.#out;
    }
    const result = netlite.send(this.#fd, bytes, 0, bytes.length);
    return result < 0 ? osError('send', result) : undefined;
  }

  /** May be called twice, and from `onFrame`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#watch !== undefined) netlite.unwatch(this.#watch);
    netlite.close(this.#fd);
  }

  #read(): void {
    for (let i = 0; i < READ_FRAMES && !this.#closed; i++) {
      const n = netlite.recv(this.#fd, this.#in, 0, FRAME_MAX);
      if (n === -EAGAIN) return;
      if (n < 0) {
        this.errors++;
        this.lastErrno = -n;
      } else {
        this.#onFrame(this.#in.subarray(0, n));
      }
    }
  }
}
