/**
 * A record: what one input changed, at one position. The bytes that lie in the ring are the bytes
 * on the wire, and the backup keeps them as received.
 *
 *   ┌────────┬────────┬─────┬───────┬──────┬────────┬────────┬──────────┬────────────┐
 *   │ length │ chain  │ ver │ flags │ 0    │ epoch  │ lsn    │ at       │ operations │
 *   │ u32    │ u32    │ u8  │ u8    │ u16  │ u32    │ u64    │ f64      │ …          │
 *   └────────┴────────┴─────┴───────┴──────┴────────┴────────┴──────────┴────────────┘
 *   0        4        8     9       10     12       16       24         32
 *
 * `chain` is CRC-32 over bytes 8 .. length, started with the chain of the record before: equal
 * positions therefore mean equal histories, or the difference is seen. `at` is the pair clock.
 * All numbers are little endian.
 */

import { crc32 } from 'node:zlib';
import { type Fault, fault } from '../base/fault.ts';
import type { Epoch, Instant, Lsn } from '../base/units.ts';

export const RECORD_HEADER = 32;
export const RECORD_VERSION = 1;
/** A record that changes no row: the first word of a new reign. */
export const FLAG_REIGN = 1;

/** Where a history stands. Never a bare number: two histories may have a record 7. */
export type Position = { readonly epoch: Epoch; readonly lsn: Lsn; readonly chain: number };

export const ORIGIN: Position = { epoch: 0, lsn: 0, chain: 0 };

export function samePosition(a: Position, b: Position): boolean {
  return a.lsn === b.lsn && a.chain === b.chain && a.epoch === b.epoch;
}

/** Writes the header around operations already lying at `start + RECORD_HEADER`. @returns chain. */
export function sealRecord(
  buf: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  flags: number,
  previous: number,
  position: { epoch: Epoch; lsn: Lsn; at: Instant },
): number {
  view.setUint32(start, end - start, true);
  view.setUint32(start + 8, RECORD_VERSION | (flags << 8), true);
  view.setUint32(start + 12, position.epoch, true);
  view.setUint32(start + 16, position.lsn >>> 0, true);
  view.setUint32(start + 20, Math.floor(position.lsn / 0x1_0000_0000), true);
  view.setFloat64(start + 24, position.at, true);
  const chain = crc32(buf.subarray(start + 8, end), previous);
  view.setUint32(start + 4, chain, true);
  return chain;
}

export type RecordHead = {
  length: number;
  chain: number;
  flags: number;
  epoch: Epoch;
  lsn: Lsn;
  at: Instant;
};

export type RecordFault = 'record-short' | 'record-version' | 'record-chain';

/** Reads and verifies the record at `start` against the chain before it, into `head` (reused). */
export function openRecord(
  buf: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  previous: number,
  head: RecordHead,
): Fault<RecordFault> | undefined {
  if (end - start < RECORD_HEADER) return fault('record-short', start);
  const length = view.getUint32(start, true);
  if (length < RECORD_HEADER || start + length > end) return fault('record-short', start);
  if (buf[start + 8] !== RECORD_VERSION) return fault('record-version', start + 8);
  const chain = view.getUint32(start + 4, true);
  if (crc32(buf.subarray(start + 8, start + length), previous) !== chain) {
    return fault('record-chain', start + 4);
  }
  head.length = length;
  head.chain = chain;
  head.flags = buf[start + 9] as number;
  head.epoch = view.getUint32(start + 12, true);
  head.lsn = view.getUint32(start + 16, true) + view.getUint32(start + 20, true) * 0x1_0000_0000;
  head.at = view.getFloat64(start + 24, true);
  return undefined;
}
