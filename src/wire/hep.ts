/**
 * HEP3, the Homer Encapsulation Protocol, version 3 (HEP/EEP rev 12): one captured SIP message in one UDP
 * datagram. Only the sending side. All numbers in network order.
 *
 *   ┌───────┬────────┬───────────────────────────────┐
 *   │ HEP3  │ length │ chunks                        │
 *   │ 4     │ u16    │ length - 6                    │
 *   └───────┴────────┴───────────────────────────────┘
 *   0       4        6
 *
 *   a chunk:
 *   ┌────────┬──────┬────────┬──────────┐
 *   │ vendor │ type │ length │ value    │   vendor 0: generic; length counts the six octets before it
 *   │ u16    │ u16  │ u16    │          │
 *   └────────┴──────┴────────┴──────────┘
 *
 *   type    value
 *   0x0001  u8    IP family: 2 IPv4, 10 IPv6
 *   0x0002  u8    IP protocol: 17 UDP, 6 TCP (TLS and WebSocket are inside TCP)
 *   0x0003  4     IPv4 source          0x0005  16    IPv6 source
 *   0x0004  4     IPv4 destination     0x0006  16    IPv6 destination
 *   0x0007  u16   source port
 *   0x0008  u16   destination port
 *   0x0009  u32   seconds since 1970 (UTC)
 *   0x000a  u32   and microseconds
 *   0x000b  u8    protocol of the payload: 1 SIP
 *   0x000c  u32   capture agent id
 *   0x000e  text  authentication key; left out when there is none
 *   0x000f        the SIP message
 *   0x0011  text  correlation id: the same for all legs of a call; left out when it is of none
 *
 * Worked example: `SIP` (three octets) from 192.0.2.20:5060 to 192.0.2.10:5060 over UDP, at 1.000002 s, agent
 * 7, key `k`, correlation `c`:
 *
 *   48455033 0074
 *   0000 0001 0007 02           0000 0002 0007 11
 *   0000 0003 000a c0000214     0000 0004 000a c000020a
 *   0000 0007 0008 13c4         0000 0008 0008 13c4
 *   0000 0009 000a 00000001     0000 000a 000a 00000002
 *   0000 000b 0007 01           0000 000c 000a 00000007
 *   0000 000e 0007 6b           0000 0011 0007 63
 *   0000 000f 0009 534950
 */

import { ipBytes } from './ip.ts';

export type HepPacket = {
  /** Canonical text; both of one family. */
  readonly source: string;
  readonly sourcePort: number;
  readonly target: string;
  readonly targetPort: number;
  readonly overUdp: boolean;
  /** Microseconds since 1970. */
  readonly atUs: number;
  readonly agent: number;
  /** '' for none. */
  readonly key: string;
  readonly correlation: string;
  /** latin1, one character an octet. */
  readonly text: string;
};

/** Beyond it a datagram cannot be. */
export const HEP_BYTES = 65_507;

const HEAD = 6;
const CHUNK = 6;

/** Octets of everything but the message. */
function overhead(p: HepPacket, six: boolean): number {
  const text = (s: string): number => (s === '' ? 0 : CHUNK + s.length);
  const numbers = 3 * (CHUNK + 1) + 2 * (CHUNK + 2) + 3 * (CHUNK + 4);
  const addresses = 2 * (CHUNK + (six ? 16 : 4));
  return HEAD + numbers + addresses + text(p.key) + text(p.correlation) + CHUNK;
}

/** The datagram; undefined when an address is none, or it would be too long for one. */
export function hepPacket(p: HepPacket): Uint8Array | undefined {
  const from = ipBytes(p.source);
  const to = ipBytes(p.target);
  if (from === undefined || to === undefined || from.length !== to.length) return undefined;
  const six = from.length === 16;
  const length = overhead(p, six) + p.text.length;
  if (length > HEP_BYTES) return undefined;
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  let at = HEAD;
  const chunk = (type: number, size: number): number => {
    view.setUint16(at + 2, type);
    view.setUint16(at + 4, CHUNK + size);
    const value = at + CHUNK;
    at = value + size;
    return value;
  };
  const text = (type: number, s: string): void => {
    const start = chunk(type, s.length);
    for (let i = 0; i < s.length; i += 1) out[start + i] = s.charCodeAt(i) & 255;
  };
  out.set([72, 69, 80, 51]);
  view.setUint16(4, length);
  view.setUint8(chunk(0x01, 1), six ? 10 : 2);
  view.setUint8(chunk(0x02, 1), p.overUdp ? 17 : 6);
  out.set(from, chunk(six ? 0x05 : 0x03, from.length));
  out.set(to, chunk(six ? 0x06 : 0x04, to.length));
  view.setUint16(chunk(0x07, 2), p.sourcePort);
  view.setUint16(chunk(0x08, 2), p.targetPort);
  view.setUint32(chunk(0x09, 4), Math.floor(p.atUs / 1_000_000));
  view.setUint32(chunk(0x0a, 4), p.atUs % 1_000_000);
  view.setUint8(chunk(0x0b, 1), 1);
  view.setUint32(chunk(0x0c, 4), p.agent);
  if (p.key !== '') text(0x0e, p.key);
  if (p.correlation !== '') text(0x11, p.correlation);
  text(0x0f, p.text);
  return out;
}
