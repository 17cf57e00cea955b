/**
 * RTP (RFC 3550 5.1) and the telephone events it carries (RFC 4733 2.3), as the media service reads
 * and writes them.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   ┌───┬─┬─┬───────┬─┬─────────────┬───────────────────────────────┐
 *   │V=2│P│X│ CC    │M│ payload type│ sequence number               │
 *   ├───┴─┴─┴───────┴─┴─────────────┴───────────────────────────────┤
 *   │ timestamp, in samples                                         │
 *   ├───────────────────────────────────────────────────────────────┤
 *   │ SSRC                                                          │
 *   ├───────────────────────────────────────────────────────────────┤
 *   │ CC times a contributing source, then, with X, an extension    │
 *   ├───────────────────────────────────────────────────────────────┤
 *   │ payload; with P its last octet counts the octets of padding   │
 *   └───────────────────────────────────────────────────────────────┘
 *
 *   telephone event
 *   ┌───────────────┬─┬─┬───────────┬───────────────────────────────┐
 *   │ event         │E│R│ volume    │ duration, in samples          │
 *   └───────────────┴─┴─┴───────────┴───────────────────────────────┘
 *
 * Worked example: the digit 5, ended after 800 samples, volume -10 dBm0, payload type 101, sequence 7,
 * timestamp 1600, SSRC 0xdecade01:
 *
 *   80 65 0007 00000640 decade01  05 8a 0320
 */

import { type Fault, fault } from '../base/fault.ts';

export const RTP_HEAD = 12;
const EVENT_BYTES = 4;

export type Rtp = {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** A view of the octets that were given. */
  readonly payload: Uint8Array;
};

export type RtpFault =
  | 'rtp-length'
  /** Not version 2: STUN, DTLS, noise. */
  | 'rtp-version'
  /** RTCP that shares the port (RFC 5761 4). */
  | 'rtp-control'
  | 'rtp-padding';

/** Writes the header at the start of `bytes`. */
export function writeRtpHead(
  bytes: Uint8Array,
  head: Omit<Rtp, 'payload'>,
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
): void {
  bytes[0] = 0x80;
  bytes[1] = (head.marker ? 0x80 : 0) | head.payloadType;
  view.setUint16(2, head.sequence);
  view.setUint32(4, head.timestamp);
  view.setUint32(8, head.ssrc);
}

export function encodeRtp(packet: Rtp): Uint8Array {
  const bytes = new Uint8Array(RTP_HEAD + packet.payload.length);
  writeRtpHead(bytes, packet);
  bytes.set(packet.payload, RTP_HEAD);
  return bytes;
}

/** @returns the packet, or why it is none. */
export function decodeRtp(bytes: Uint8Array): Rtp | Fault<RtpFault> {
  if (bytes.length < RTP_HEAD) return fault('rtp-length', bytes.length);
  const [first, second] = [bytes[0] as number, bytes[1] as number];
  if (first >> 6 !== 2) return fault('rtp-version', 0);
  // RFC 5761 4: "RTP payload types in the range 64-95" are the packet types of RTCP
  if (second >= 192 && second <= 223) return fault('rtp-control', 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = RTP_HEAD + 4 * (first & 15);
  if ((first & 0x10) !== 0) {
    if (bytes.length < start + 4) return fault('rtp-length', bytes.length);
    start += 4 + 4 * view.getUint16(start + 2);
  }
  const padding = (first & 0x20) === 0 ? 0 : (bytes[bytes.length - 1] as number);
  if ((first & 0x20) !== 0 && padding === 0) return fault('rtp-padding', bytes.length - 1);
  const end = bytes.length - padding;
  if (start > end) return fault(padding > 0 ? 'rtp-padding' : 'rtp-length', bytes.length);
  return {
    marker: second >= 128,
    payloadType: second & 127,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: bytes.subarray(start, end),
  };
}

export type TelephoneEvent = {
  readonly event: number;
  readonly end: boolean;
  /** Power below 0 dBm0, 0..63. */
  readonly volume: number;
  /** Samples since the timestamp of its packet. */
  readonly duration: number;
};

export function encodeEvent(e: TelephoneEvent): Uint8Array {
  const end = e.end ? 0x80 : 0;
  return Uint8Array.of(e.event, end | (e.volume & 63), e.duration >> 8, e.duration & 255);
}

/** @returns the event in the payload of a packet; RFC 4733 2.5.1.4: what follows it is another's. */
export function decodeEvent(payload: Uint8Array): TelephoneEvent | Fault<'event-length'> {
  if (payload.length < EVENT_BYTES) return fault('event-length', payload.length);
  const [event, bits, high, low] = payload as unknown as [number, number, number, number];
  return { event, end: bits >= 128, volume: bits & 63, duration: (high << 8) | low };
}
