/**
 * A packet capture of a virtual LAN: the classic pcap file with nanoseconds, Ethernet frames, right
 * IPv4 and UDP checksums, so that the usual analysers read a run of the simulator like a real one.
 * Only written on request.
 */

import { type Frame, ipBytes, macBytes } from './ether.ts';

const MAGIC_NS = 0xa1b23c4d;
const LINK_ETHERNET = 1;

export class Capture {
  private readonly parts: Uint8Array[] = [];

  constructor() {
    const head = new Uint8Array(24);
    const view = new DataView(head.buffer);
    view.setUint32(0, MAGIC_NS, true);
    view.setUint16(4, 2, true);
    view.setUint16(6, 4, true);
    view.setUint32(16, 65_535, true);
    view.setUint32(20, LINK_ETHERNET, true);
    this.parts.push(head);
  }

  /** `now` in ms of true time; `wallBase` is where the capture's calendar begins. */
  add(now: number, frame: Frame): void {
    // segments here are messages, not bytes: no analyser could put them together
    if (frame.kind === 'tcp') return;
    const bytes = frameBytes(frame);
    const head = new Uint8Array(16);
    const view = new DataView(head.buffer);
    view.setUint32(0, WALL_BASE_S + Math.floor(now / 1000), true);
    view.setUint32(4, Math.floor((now % 1000) * 1e6), true);
    view.setUint32(8, bytes.length, true);
    view.setUint32(12, bytes.length, true);
    this.parts.push(head, bytes);
  }

  file(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

const WALL_BASE_S = 1_800_000_000;

/** @returns the frame as it would be on the wire. */
export function frameBytes(frame: Exclude<Frame, { readonly kind: 'tcp' }>): Uint8Array {
  if (frame.kind === 'arp') return frame.bytes;
  const { udp } = frame;
  const payload = udp.bytes ?? Buffer.from(udp.text ?? '', 'latin1');
  const bytes = new Uint8Array(42 + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(macBytes(frame.dst), 0);
  bytes.set(macBytes(frame.src), 6);
  view.setUint16(12, 0x0800);
  bytes[14] = 0x45;
  view.setUint16(16, 28 + payload.length);
  bytes[20] = 0x40;
  bytes[22] = 64;
  bytes[23] = 17;
  bytes.set(ipBytes(udp.srcIp), 26);
  bytes.set(ipBytes(udp.dstIp), 30);
  view.setUint16(24, finish(sum(view, 14, 34, 0)));
  view.setUint16(34, udp.srcPort);
  view.setUint16(36, udp.dstPort);
  view.setUint16(38, 8 + payload.length);
  bytes.set(payload, 42);
  // RFC 768: pseudo header of addresses, protocol and length
  const pseudo = sum(view, 26, 34, 17 + 8 + payload.length);
  const check = finish(sum(view, 34, bytes.length, pseudo));
  view.setUint16(40, check === 0 ? 0xffff : check);
  return bytes;
}

function sum(view: DataView, from: number, end: number, start: number): number {
  let total = start;
  for (let at = from; at < end; at += 2) {
    total += at + 1 < end ? view.getUint16(at) : view.getUint8(at) << 8;
  }
  return total;
}

function finish(total: number): number {
  let t = total;
  while (t > 0xffff) t = (t & 0xffff) + Math.floor(t / 0x10000);
  return ~t & 0xffff;
}
