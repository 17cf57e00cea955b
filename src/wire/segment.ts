/**
 * A bare TCP segment from nowhere: an ACK without a connection (RFC 9293 3.1), as a whole IP packet.
 * It wakes the other side of a connection that died with another machine. Sequence numbers are not
 * known here, and need not be: an unacceptable segment is answered with an ACK that carries the right
 * ones (RFC 9293 3.10.7.4), to which the kernel that now has the address answers with RST.
 *
 *   IPv4   version 4, header 20 octets, TTL 64, protocol 6, checksum
 *   IPv6   version 6, hop limit 64, next header 6
 *   TCP    ports, sequence 0, acknowledgement 0, header 20 octets, ACK, window 0, checksum
 */

import { checksum, pseudoHeader } from './checksum.ts';
import { ipBytes } from './ip.ts';

const TCP = 6;
const TCP_BYTES = 20;
const HOPS = 64;
const ACK = 0x10;

export type SegmentEnd = { readonly ip: string; readonly port: number };

/** @returns undefined when the two are not addresses of one family. */
export function bareAck(from: SegmentEnd, to: SegmentEnd): Uint8Array | undefined {
  const source = ipBytes(from.ip);
  const destination = ipBytes(to.ip);
  if (source === undefined || source.length !== destination?.length) return undefined;
  const head = source.length === 4 ? 20 : 40;
  const packet = new Uint8Array(head + TCP_BYTES);
  const view = new DataView(packet.buffer);
  if (head === 20) {
    view.setUint8(0, 0x45);
    view.setUint16(2, packet.length);
    view.setUint8(8, HOPS);
    view.setUint8(9, TCP);
    packet.set(source, 12);
    packet.set(destination, 16);
    view.setUint16(10, checksum(packet.subarray(0, 20)));
  } else {
    view.setUint8(0, 0x60);
    view.setUint16(4, TCP_BYTES);
    view.setUint8(6, TCP);
    view.setUint8(7, HOPS);
    packet.set(source, 8);
    packet.set(destination, 24);
  }
  view.setUint16(head, from.port);
  view.setUint16(head + 2, to.port);
  view.setUint8(head + 12, (TCP_BYTES / 4) << 4);
  view.setUint8(head + 13, ACK);
  const segment = packet.subarray(head);
  const start = pseudoHeader(source, destination, TCP, TCP_BYTES);
  view.setUint16(head + 16, checksum(segment, start));
  return packet;
}
