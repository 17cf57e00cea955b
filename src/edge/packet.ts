/**
 * Raw frames of one interface, whole Ethernet frames both ways: ARP, and neighbour discovery (the
 * sentry answers for an IPv6 VIP itself). What is in them is known to `wire/arp.ts` and
 * `wire/ndp.ts`; nothing is looked at here.
 *
 * The kernel filters before it queues (classic BPF), so a flood of other traffic does not wake us:
 *
 *   both   frames to other hosts, and those of another VLAN, whose tag is taken off before a packet
 *          socket sees them (the kernel marks them as to another host)
 *   ND     ICMPv6 of type 135 or 136 straight behind the IPv6 header
 *
 * Open it once and keep it: closing a packet socket blocks the thread for 8-16 ms. Open it before the
 * `VipDevice`: a killed process lets go of its latest descriptor first, and the VIP must not wait.
 */

import { Buffer } from 'node:buffer';
import {
  ADVERTISEMENT,
  ETHERTYPE_IP6,
  groupMac,
  SOLICITATION,
  solicitedNode,
} from '../wire/ndp.ts';
import { ipv6Off } from './ipv6.ts';
import type { OsError, WatchHandle } from './native/netlite.ts';
import { EAGAIN, netlite, osError, READ } from './native/netlite.ts';

const ETH_P_ARP = 0x0806;
/** Shortest Ethernet frame without its checksum (IEEE 802.3 4.2.3.3); not every driver pads. */
const SHORTEST = 60;
/** ARP fits into the shortest frame; room for padding and a VLAN tag. */
const FRAME_MAX = 2048;
/** Frames of one turn: a broadcast storm must not keep the sentry from its timers. */
const READ_FRAMES = 64;

/** code, steps to jump when true, when false, operand (linux/filter.h). */
type Instruction = readonly [number, number, number, number];
const LOAD_BYTE = 0x30;
const LOAD_WORD = 0x20;
const IF_EQUAL = 0x15;
const RETURN = 0x06;
/** What kind of packet it is, as if it lay at this offset (SKF_AD_OFF + SKF_AD_PKTTYPE). */
const PACKET_TYPE = 0xffff_f000 + 4;
const PACKET_OTHERHOST = 3;
const NEXT_HEADER_AT = 20;
const TYPE_AT = 54;
const ICMP6 = 58;

const ARP_FILTER: readonly Instruction[] = [
  [LOAD_WORD, 0, 0, PACKET_TYPE],
  [IF_EQUAL, 1, 0, PACKET_OTHERHOST],
  [RETURN, 0, 0, FRAME_MAX],
  [RETURN, 0, 0, 0],
];
const ND_FILTER: readonly Instruction[] = [
  [LOAD_WORD, 0, 0, PACKET_TYPE],
  [IF_EQUAL, 6, 0, PACKET_OTHERHOST],
  [LOAD_BYTE, 0, 0, NEXT_HEADER_AT],
  [IF_EQUAL, 0, 4, ICMP6],
  [LOAD_BYTE, 0, 0, TYPE_AT],
  [IF_EQUAL, 1, 0, SOLICITATION],
  [IF_EQUAL, 0, 1, ADVERTISEMENT],
  [RETURN, 0, 0, FRAME_MAX],
  [RETURN, 0, 0, 0],
];

/** @returns the program as the kernel reads it: struct sock_filter, 8 bytes an instruction. */
function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [i, [code, yes, no, operand]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * i);
    bytes.writeUInt8(yes, 8 * i + 2);
    bytes.writeUInt8(no, 8 * i + 3);
    bytes.writeUInt32LE(operand, 8 * i + 4);
  }
  return bytes;
}

type OnFrame = (frame: Uint8Array) => void;

class FrameSocket {
  readonly ifname: string;
  /** Errors met while reading (the interface went down, for one); reading goes on after them. */
  errors = 0;
  lastErrno = 0;

  readonly #fd: number;
  readonly #onFrame: OnFrame;
  readonly #in = Buffer.alloc(FRAME_MAX);
  readonly #out = Buffer.alloc(SHORTEST);
  #watch: WatchHandle | undefined;
  #closed = false;

  protected constructor(ifname: string, fd: number, onFrame: OnFrame) {
    this.ifname = ifname;
    this.#fd = fd;
    this.#onFrame = onFrame;
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

  /** Reading begins. On an error the socket is closed. */
  protected listen(): OsError | undefined {
    const watch = netlite.watch(this.#fd, READ, () => this.#read());
    if (typeof watch === 'number') {
      this.close();
      return osError('watch', watch);
    }
    this.#watch = watch;
    return undefined;
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

export class ArpSocket extends FrameSocket {
  /** @param onFrame gets every ARP frame that arrives; the bytes are valid during the call only. */
  static open(ifname: string, onFrame: OnFrame): ArpSocket | OsError {
    const fd = netlite.openPacket(ifname, ETH_P_ARP, assemble(ARP_FILTER));
    if (fd < 0) return osError('openPacket', fd);
    const socket = new ArpSocket(ifname, fd, onFrame);
    return socket.listen() ?? socket;
  }
}

export class NdSocket extends FrameSocket {
  readonly #groups: number[] = [];

  /**
   * Opens it as a member of the solicited-node groups of `ips`: the kernel tells the switches (MLD:
   * one that snoops would keep solicitations from us) and the card lets their frames in.
   * @param onFrame gets every solicitation and advertisement; the bytes are valid during the call
   * only.
   * @returns EAFNOSUPPORT when IPv6 is switched off on the interface.
   */
  static open(ifname: string, ips: readonly string[], onFrame: OnFrame): NdSocket | OsError {
    const index = netlite.ifIndex(ifname);
    if (index < 0) return osError('ifIndex', index);
    const off = ipv6Off(ifname);
    if (off !== undefined) return off;
    const fd = netlite.openPacket(ifname, ETHERTYPE_IP6, assemble(ND_FILTER));
    if (fd < 0) return osError('openPacket', fd);
    const socket = new NdSocket(ifname, fd, onFrame);
    for (const group of new Set(ips.map(solicitedNode))) {
      const fault = socket.#join(fd, group);
      if (fault === undefined) continue;
      socket.close();
      return fault;
    }
    return socket.listen() ?? socket;
  }

  override close(): void {
    for (const fd of this.#groups.splice(0)) netlite.close(fd);
    super.close();
  }

  #join(fd: number, group: string): OsError | undefined {
    const mac = Buffer.from(groupMac(group).replaceAll(':', ''), 'hex');
    const joined = netlite.packetJoin(fd, this.ifname, mac);
    if (joined < 0) return osError(`packetJoin ${groupMac(group)}`, joined);
    const address = Buffer.alloc(16);
    netlite.pton(group, address, 0);
    const member = netlite.groupOpen(this.ifname, address);
    if (member < 0) return osError(`groupOpen ${group}`, member);
    this.#groups.push(member);
    return undefined;
  }
}
