/**
 * Frames of the crossover stream, on one page.
 *
 *   ┌────────┬──────┬─────┬───────┬────────┬─────────┐
 *   │ length │ type │ ver │ 0     │ crc    │ payload │
 *   │ u32    │ u8   │ u8  │ u16   │ u32    │ …       │
 *   └────────┴──────┴─────┴───────┴────────┴─────────┘
 *   0        4      5     6       8        12
 *
 * `length` counts the whole frame. `crc` is CRC-32 of the payload; records carry their own running
 * checksum, so a frame of records leaves it 0 and is not summed twice. Little endian.
 *
 *   type               payload                                            who sends it
 *   1 hello            proto u8, box u8, number 16 bytes, facts JSON      both, first
 *   2 join             position, whole u8                                 a backup that wants records
 *   3 resume           position                                           primary: records follow
 *   4 records          records, ledger/record.ts                          primary
 *   5 ack              position                                           backup: applied up to here
 *   6 snapshot-begin   position, next ids                                 primary: forget your rows
 *   7 chunk            insert operations                                  primary
 *   8 snapshot-end     position                                           primary
 *   9 digest           table u8, last u8, count, hash u32, ids            primary: compare these rows
 *  10 digest-answer    table u8, last u8, ok u8                           backup
 *  11 in-step          position, pair clock f64                           primary: you may stand
 *  12 clock            pair clock f64                                     primary, when idle
 *  13 goodbye          position                                           primary that hands over
 *  14 refuse           code text                                          either, before it closes
 *  16 proof            HMAC-SHA256 over both numbers                      both, second
 *  15 forward          port u16, address length u8, address, message      a box that handed over
 *
 *   position           epoch u32, lsn u64, chain u32
 *
 * Worked example, an ack of (epoch 2, lsn 258, chain 0x01020304):
 *
 *   1c000000 05 01 0000 4ee3f1c7  02000000 0201000000000000 04030201
 */

import { crc32 } from 'node:zlib';
import { type Fault, fault } from '../base/fault.ts';
import { type Peer, TRANSPORTS } from '../base/peer.ts';

export const FRAME_HEADER = 12;
export const FRAME_VERSION = 1;

export const FRAME = {
  hello: 1,
  join: 2,
  resume: 3,
  records: 4,
  ack: 5,
  snapshotBegin: 6,
  chunk: 7,
  snapshotEnd: 8,
  digest: 9,
  digestAnswer: 10,
  inStep: 11,
  clock: 12,
  goodbye: 13,
  refuse: 14,
  forward: 15,
  proof: 16,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];
const LAST_TYPE = 16;

export type FrameFault = 'frame-length' | 'frame-type' | 'frame-version' | 'frame-crc';

export type WirePosition = { readonly epoch: number; readonly lsn: number; readonly chain: number };
export const POSITION_SIZE = 16;

export function putPosition(view: DataView, at: number, p: WirePosition): void {
  view.setUint32(at, p.epoch, true);
  view.setUint32(at + 4, p.lsn >>> 0, true);
  view.setUint32(at + 8, Math.floor(p.lsn / 0x1_0000_0000), true);
  view.setUint32(at + 12, p.chain, true);
}

/** Reads a position; the caller has checked that 16 bytes are there. */
export function getPosition(view: DataView, at: number): WirePosition {
  return {
    epoch: view.getUint32(at, true),
    lsn: view.getUint32(at + 4, true) + view.getUint32(at + 8, true) * 0x1_0000_0000,
    chain: view.getUint32(at + 12, true),
  };
}

/** Writes a frame header for a payload already lying at `start + 12`. */
export function sealFrame(
  buf: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  type: FrameType,
): void {
  view.setUint32(start, end - start, true);
  view.setUint32(start + 4, type | (FRAME_VERSION << 8), true);
  const crc = type === FRAME.records ? 0 : crc32(buf.subarray(start + FRAME_HEADER, end), 0);
  view.setUint32(start + 8, crc, true);
}

/** A whole frame with a position as its payload. */
export function positionFrame(type: FrameType, p: WirePosition): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER + POSITION_SIZE);
  const view = new DataView(bytes.buffer);
  putPosition(view, FRAME_HEADER, p);
  sealFrame(bytes, view, 0, bytes.length, type);
  return bytes;
}

/** A whole frame around a copy of `payload`. */
export function frame(type: FrameType, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER + payload.length);
  bytes.set(payload, FRAME_HEADER);
  sealFrame(bytes, new DataView(bytes.buffer), 0, bytes.length, type);
  return bytes;
}

/** A SIP datagram that reached the box that no longer leads. `text` is latin1. */
export type Forwarded = Peer & { readonly text: string };

/** The address is that of UDP, or "tcp/192.0.2.7": release 0.1.0 knew no other transport. */
export function forwardFrame(from: Peer, text: string): Uint8Array {
  const address = from.transport === 'udp' ? from.ip : `${from.transport}/${from.ip}`;
  const payload = Buffer.alloc(3 + address.length + text.length);
  payload.writeUInt16LE(from.port, 0);
  payload[2] = address.length;
  payload.write(address, 3, 'latin1');
  payload.write(text, 3 + address.length, 'latin1');
  return frame(FRAME.forward, payload);
}

/** Reads a forwarded message. @returns undefined when it is too short, or came by what nobody knows. */
export function readForward(f: FrameView): Forwarded | undefined {
  const bytes = Buffer.from(f.bytes.buffer, f.bytes.byteOffset + f.from, f.end - f.from);
  const text = 3 + (bytes[2] ?? 0);
  if (bytes.length < Math.max(4, text)) return undefined;
  const address = bytes.toString('latin1', 3, text);
  const slash = address.indexOf('/');
  const transport = TRANSPORTS.find((t) => (slash < 0 ? t === 'udp' : address.startsWith(`${t}/`)));
  if (transport === undefined) return undefined;
  return {
    transport,
    port: bytes.readUInt16LE(0),
    ip: address.slice(slash + 1),
    text: bytes.toString('latin1', text),
  };
}

/** A frame as found in the stream: `bytes[from .. end)` is the payload, `start` the header. */
export type FrameView = {
  type: FrameType;
  bytes: Uint8Array;
  start: number;
  from: number;
  end: number;
};

/**
 * Cuts a byte stream into frames. Holds at most one incomplete frame; a frame longer than `limit`
 * is a fault, not a buffer.
 */
export class FrameReader {
  private pending: Uint8Array = new Uint8Array(0);
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  reset(): void {
    this.pending = new Uint8Array(0);
  }

  /** Calls `take` for every whole frame; `take` returns false to stop. */
  push(chunk: Uint8Array, take: (f: FrameView) => boolean): Fault<FrameFault> | undefined {
    let bytes = chunk;
    if (this.pending.length > 0) {
      bytes = new Uint8Array(this.pending.length + chunk.length);
      bytes.set(this.pending, 0);
      bytes.set(chunk, this.pending.length);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER) {
      const length = view.getUint32(at, true);
      if (length < FRAME_HEADER || length > this.limit) return fault('frame-length', at);
      const type = bytes[at + 4] as number;
      if (type < 1 || type > LAST_TYPE) return fault('frame-type', at + 4);
      if (bytes[at + 5] !== FRAME_VERSION) return fault('frame-version', at + 5);
      if (at + length > bytes.length) break;
      if (
        type !== FRAME.records &&
        crc32(bytes.subarray(at + FRAME_HEADER, at + length), 0) !== view.getUint32(at + 8, true)
      ) {
        return fault('frame-crc', at + 8);
      }
      const more = take({
        type: type as FrameType,
        bytes,
        start: at,
        from: at + FRAME_HEADER,
        end: at + length,
      });
      at += length;
      if (!more) break;
    }
    this.pending = at === bytes.length ? new Uint8Array(0) : bytes.slice(at);
    return undefined;
  }
}
