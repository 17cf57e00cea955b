/**
 * VRRP version 3, IPv4 and IPv6 (RFC 9568): the advertisement, the only message there is. It is the
 * payload of an IP packet of protocol 112 to 224.0.0.18 or ff02::12, TTL or hop limit 255.
 *
 *   ┌───────┬──────┬──────┬──────────┬───────┬──────────┬──────────┬──────────┬─────────────────┐
 *   │version│ type │ VRID │ priority │ count │ reserved │ interval │ checksum │ addresses       │
 *   │ 3     │ 1    │ u8   │ u8       │ u8    │ 0        │ 12 bits  │ u16      │ count × 4 or 16 │
 *   │ 4 bits│4 bits│      │          │       │ 4 bits   │ 1/100 s  │          │                 │
 *   └───────┴──────┴──────┴──────────┴───────┴──────────┴──────────┴──────────┴─────────────────┘
 *   0              1      2          3       4                     6          8
 *
 *   priority  255 owner of the addresses, 1 to 254 backup, 0 "I stop being active now"
 *   interval  between two advertisements of the sender, 1 to 4095 (RFC 9568 erratum 8301: not 0)
 *   checksum  RFC 1071. What it covers depends on the family and, for IPv4, on the decade:
 *
 *     IPv6                  message and pseudo-header (RFC 9568 §5.2.8, RFC 5798 the same)
 *     IPv4, 'message'       the message alone: RFC 9568 §5.2.8, which says so because RFC 5798 did
 *                           not; Cisco has always done it; keepalived from 2.2.8 with
 *                           `v3_checksum_as_v2`; tshark with vrrp.v3_checksum_as_in_v2
 *     IPv4, 'pseudo'        message and pseudo-header: RFC 5798 as keepalived (2.2.7 knows nothing
 *                           else), FRR's default and tshark's default read it
 *
 *   We send the form we are told to and accept both: a router that sums up otherwise holds the same
 *   address as one that does not.
 *
 * Receive rules (RFC 9568 §7.1), in this order; all but the last make the packet be discarded:
 *
 *   rule                                          fault
 *   TTL or hop limit is 255                       vrrp-ttl
 *   version is 3                                  vrrp-version
 *   the whole header is there, and the addresses  vrrp-length
 *   checksum                                      vrrp-checksum
 *   type is 1 (§5.2.2)                            vrrp-type
 *   VRID is ours, not 0                           vrrp-vrid
 *   count is not 0 (erratum 8299)                 vrrp-count
 *   interval is not 0 (erratum 8301)              vrrp-interval
 *   the addresses are those configured            only told: `proto/vrrp.ts`
 *
 * Worked examples, VRID 51, priority 200, interval 100 (one second), address 192.0.2.10 from
 * 192.0.2.2, first by RFC 9568, then by RFC 5798; and 2001:db8::a from fe80::2:
 *
 *   31 33 c8 01 0064 445c c000020a
 *   31 33 c8 01 0064 a1ca c000020a
 *   31 33 c8 01 0064 da83 20010db8 00000000 00000000 0000000a
 */

import { assert } from '../base/assert.ts';
import { type Fault, fault } from '../base/fault.ts';
import { checksum, pseudoHeader } from './checksum.ts';
import { type Family, ipBytes, ipText } from './ip.ts';

export const VRRP_PROTOCOL = 112;
export const VRRP_TTL = 255;
export const VRRP_HEAD = 8;
export const VRRP_GROUP = { 4: '224.0.0.18', 6: 'ff02::12' } as const;
export const VRRP_MAX_INTERVAL_CS = 4095;

const VERSION = 3;
const ADVERTISEMENT = 1;
const SIZE = { 4: 4, 6: 16 } as const;
const GROUP = { 4: bytesOf(VRRP_GROUP[4]), 6: bytesOf(VRRP_GROUP[6]) } as const;

/** What an IPv4 checksum covers; IPv6 is always 'pseudo'. */
export type VrrpChecksum = 'message' | 'pseudo';

export type VrrpAdvert = {
  readonly vrid: number;
  readonly priority: number;
  readonly intervalCs: number;
  /** As text, canonical; for IPv6 the first one should be link-local (erratum 8300). */
  readonly addresses: readonly string[];
};

export type VrrpFault =
  /** Shorter or longer than its count of addresses. */
  | 'vrrp-length'
  /** Not version 3; version 2 is spoken by old routers and not by us. */
  | 'vrrp-version'
  | 'vrrp-type'
  /** Neither form of the checksum is right. */
  | 'vrrp-checksum'
  /** No address. */
  | 'vrrp-count'
  /** TTL or hop limit is not 255: it came over a router, or is forged from afar. */
  | 'vrrp-ttl'
  /** Another virtual router's, or 0. */
  | 'vrrp-vrid'
  | 'vrrp-interval';

export const VRRP_FAULTS = [
  'vrrp-length',
  'vrrp-version',
  'vrrp-type',
  'vrrp-checksum',
  'vrrp-count',
  'vrrp-ttl',
  'vrrp-vrid',
  'vrrp-interval',
] as const satisfies readonly VrrpFault[];

/**
 * @returns the payload of the IP packet, checksum included. What is asked must be possible
 * (asserted): VRID 1 to 255, priority 0 to 255, interval 1 to 4095, 1 to 255 addresses.
 * @param source of the IP packet, which the pseudo-header is of
 */
export function encodeVrrp(
  family: Family,
  advert: VrrpAdvert,
  source: string,
  form: VrrpChecksum,
): Uint8Array {
  const { vrid, priority, intervalCs, addresses } = advert;
  assert(isWhole(vrid, 1, 255), 'a VRID is 1 to 255');
  assert(isWhole(priority, 0, 255), 'a VRRP priority is 0 to 255');
  assert(isWhole(intervalCs, 1, VRRP_MAX_INTERVAL_CS), 'a VRRP interval is 1 to 4095 1/100 s');
  assert(isWhole(addresses.length, 1, 255), 'an advertisement has 1 to 255 addresses');
  const bytes = new Uint8Array(VRRP_HEAD + addresses.length * SIZE[family]);
  const view = new DataView(bytes.buffer);
  bytes[0] = (VERSION << 4) | ADVERTISEMENT;
  bytes[1] = vrid;
  bytes[2] = priority;
  bytes[3] = addresses.length;
  view.setUint16(4, intervalCs);
  for (const [i, text] of addresses.entries()) {
    const address = bytesOf(text);
    assert(address.length === SIZE[family], 'a VRRP address is of its family');
    bytes.set(address, VRRP_HEAD + i * SIZE[family]);
  }
  const from = bytesOf(source);
  assert(from.length === SIZE[family], 'the source of an advertisement is of its family');
  const start = family === 6 || form === 'pseudo' ? pseudo(family, from, bytes.length) : 0;
  view.setUint16(6, checksum(bytes, start));
  return bytes;
}

/** How an advertisement came. */
export type VrrpPacket = {
  readonly family: Family;
  /** Source address, as text. */
  readonly from: string;
  /** TTL or hop limit as received. */
  readonly ttl: number;
  /** Payload of the IP packet. */
  readonly bytes: Uint8Array;
};

export type VrrpHeard = VrrpAdvert & {
  /** Which form its checksum has. */
  readonly checksum: VrrpChecksum;
};

/** @returns the advertisement for `vrid` in a packet, or the rule it broke. */
export function decodeVrrp(packet: VrrpPacket, vrid: number): VrrpHeard | Fault<VrrpFault> {
  const { family, bytes } = packet;
  if (packet.ttl !== VRRP_TTL) return fault('vrrp-ttl', 0);
  if (bytes.length === 0) return fault('vrrp-length', 0);
  if ((bytes[0] as number) >> 4 !== VERSION) return fault('vrrp-version', 0);
  if (bytes.length < VRRP_HEAD) return fault('vrrp-length', bytes.length);
  const count = bytes[3] as number;
  const size = SIZE[family];
  if (bytes.length !== VRRP_HEAD + count * size) return fault('vrrp-length', bytes.length);
  const form = checksumForm(packet);
  if (form === undefined) return fault('vrrp-checksum', 6);
  if (((bytes[0] as number) & 0x0f) !== ADVERTISEMENT) return fault('vrrp-type', 0);
  if (bytes[1] === 0 || bytes[1] !== vrid) return fault('vrrp-vrid', 1);
  if (count === 0) return fault('vrrp-count', 3);
  // The upper four bits are reserved: ignored (§5.2.6).
  const intervalCs = (((bytes[4] as number) & 0x0f) << 8) | (bytes[5] as number);
  if (intervalCs === 0) return fault('vrrp-interval', 4);
  const addresses: string[] = [];
  for (let at = VRRP_HEAD; at < bytes.length; at += size) {
    addresses.push(ipText(bytes.subarray(at, at + size)));
  }
  return { vrid, priority: bytes[2] as number, intervalCs, addresses, checksum: form };
}

function checksumForm(packet: VrrpPacket): VrrpChecksum | undefined {
  const { family, bytes } = packet;
  if (family === 4 && checksum(bytes) === 0) return 'message';
  const from = ipBytes(packet.from);
  if (from === undefined || from.length !== SIZE[family]) return undefined;
  return checksum(bytes, pseudo(family, from, bytes.length)) === 0 ? 'pseudo' : undefined;
}

function pseudo(family: Family, source: Uint8Array, length: number): number {
  return pseudoHeader(source, GROUP[family], VRRP_PROTOCOL, length);
}

function bytesOf(text: string): Uint8Array {
  const bytes = ipBytes(text);
  assert(bytes !== undefined, 'an address of VRRP is an IP address');
  return bytes;
}

function isWhole(n: number, low: number, high: number): boolean {
  return Number.isInteger(n) && n >= low && n <= high;
}
