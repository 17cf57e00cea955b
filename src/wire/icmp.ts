/**
 * ICMP echo, IPv4 (RFC 792) and IPv6 (RFC 4443 §4.1): the question to a *witness*, some other host
 * of the service LAN, by which a box learns whether its own cable carries.
 *
 *   ┌──────┬──────┬──────────┬────────────┬──────────┬─────────┐
 *   │ type │ code │ checksum │ identifier │ sequence │ data    │
 *   │ u8   │ 0    │ u16      │ u16        │ u16      │ as sent │
 *   └──────┴──────┴──────────┴────────────┴──────────┴─────────┘
 *   0      1      2          4            6          8
 *
 *             request  reply  checksum
 *   IPv4      8        0      over the message (RFC 1071)
 *   IPv6      128      129    with the pseudo-header; a raw socket of Linux does it both ways, so
 *                             it is written as 0 and not looked at here
 *
 * Worked example, IPv4 request, identifier 0x1234, sequence 5, data "witness!":
 *
 *   08 00 215a 1234 0005 7769746e65737321
 */

import { type Fault, fault } from '../base/fault.ts';
import { checksum } from './checksum.ts';
import type { Family } from './ip.ts';

export const ICMP_HEAD = 8;

const REQUEST = { 4: 8, 6: 128 } as const;
const REPLY = { 4: 0, 6: 129 } as const;

export type Echo = {
  readonly op: 'request' | 'reply';
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
};

export type EchoFault =
  | 'echo-length'
  /** Neither echo request nor echo reply. */
  | 'echo-type'
  | 'echo-checksum';

/** @returns the message without IP header; IPv6: with the checksum field left to the kernel. */
export function encodeEcho(family: Family, echo: Echo): Uint8Array {
  const bytes = new Uint8Array(ICMP_HEAD + echo.data.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = (echo.op === 'request' ? REQUEST : REPLY)[family];
  view.setUint16(4, echo.identifier);
  view.setUint16(6, echo.sequence);
  bytes.set(echo.data, ICMP_HEAD);
  if (family === 4) view.setUint16(2, checksum(bytes));
  return bytes;
}

/** @returns the echo in an ICMP message (no IP header), or why there is none. */
export function decodeEcho(family: Family, bytes: Uint8Array): Echo | Fault<EchoFault> {
  if (bytes.length < ICMP_HEAD) return fault('echo-length', bytes.length);
  const op =
    bytes[0] === REQUEST[family] ? 'request' : bytes[0] === REPLY[family] ? 'reply' : undefined;
  if (op === undefined || bytes[1] !== 0) return fault('echo-type', op === undefined ? 0 : 1);
  if (family === 4 && checksum(bytes) !== 0) return fault('echo-checksum', 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    op,
    identifier: view.getUint16(4),
    sequence: view.getUint16(6),
    data: bytes.subarray(ICMP_HEAD),
  };
}
