/**
 * ARP over Ethernet for IPv4 (RFC 826), with the uses RFC 5227 gives it: the probe, by which we ask
 * whether an address is in use without claiming it, and the announcement (gratuitous ARP), by which
 * every host and switch learns where the VIP lives now.
 *
 *   ┌─────────┬─────────┬──────┐┌─────┬──────┬────┬────┬────┬─────┬─────┬─────┬─────┬─────┐
 *   │ eth dst │ eth src │ type ││ hrd │ pro  │hln │pln │ op │ sha │ spa │ tha │ tpa │ pad │
 *   │ 6       │ 6       │ 0806 ││ 1   │ 0800 │ 6  │ 4  │ 2  │ 6   │ 4   │ 6   │ 4   │ 18  │
 *   └─────────┴─────────┴──────┘└─────┴──────┴────┴────┴────┴─────┴─────┴─────┴─────┴─────┘
 *   0         6         12      14    16     18   19   20   22    28    32    38    42    60
 *
 *   form                  op  eth dst    sha   spa   tha   tpa
 *   request               1   broadcast  own   own   0     wanted
 *   reply                 2   asker      own   own   asker asker
 *   probe                 1   broadcast  own   0     0     wanted     RFC 5227 §2.1.1
 *   announcement          1   broadcast  own   VIP   0     VIP        RFC 5227 §2.3
 *   gratuitous reply      2   broadcast  own   VIP   own   VIP        RFC 5944 §4.6
 *
 * Both gratuitous forms are sent, because stacks and switches differ in which one they believe.
 * Frames are padded with zeros to Ethernet's 60 octets (64 with the checksum the card adds).
 *
 * Worked example, the announcement of 192.0.2.10 by 02:00:00:00:00:0a:
 *
 *   ffffffffffff 02000000000a 0806  0001 0800 06 04 0001
 *   02000000000a c000020a  000000000000 c000020a  (18 × 00)
 */

import { assert } from '../base/assert.ts';
import { type Fault, fault } from '../base/fault.ts';

export const ARP_FRAME_SIZE = 60;
export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const NO_MAC = '00:00:00:00:00:00';
export const NO_IP = '0.0.0.0';

/** End of the ARP packet; what follows is padding. */
const ARP_END = 42;

/** MACs are six lower-case hexadecimal pairs with colons, addresses dotted decimal. */
export type Arp = {
  readonly op: 'request' | 'reply';
  readonly ethDst: string;
  readonly ethSrc: string;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac: string;
  readonly targetIp: string;
};

export type ArpFault =
  | 'arp-length'
  /** The Ethernet type is not 0x0806. */
  | 'arp-type'
  /** Not Ethernet addresses of 6 octets and IPv4 addresses of 4. */
  | 'arp-format'
  /** Neither request nor reply. */
  | 'arp-op';

/** @returns a whole Ethernet frame, 60 octets. Addresses must be well-formed (asserted). */
export function encodeArp(arp: Arp): Uint8Array {
  const bytes = new Uint8Array(ARP_FRAME_SIZE);
  putMac(bytes, 0, arp.ethDst);
  putMac(bytes, 6, arp.ethSrc);
  bytes.set([0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4, 0], 12);
  bytes[21] = arp.op === 'request' ? 1 : 2;
  putMac(bytes, 22, arp.senderMac);
  putIp(bytes, 28, arp.senderIp);
  putMac(bytes, 32, arp.targetMac);
  putIp(bytes, 38, arp.targetIp);
  return bytes;
}

/**
 * @returns the packet in an Ethernet frame, or why there is none. RFC 826: the opcode is looked at
 * last, after hardware type and protocol type with their lengths.
 */
export function decodeArp(bytes: Uint8Array): Arp | Fault<ArpFault> {
  if (bytes.length < ARP_END) return fault('arp-length', bytes.length);
  if (bytes[12] !== 0x08 || bytes[13] !== 0x06) return fault('arp-type', 12);
  if (bytes[14] !== 0 || bytes[15] !== 1) return fault('arp-format', 14);
  if (bytes[16] !== 0x08 || bytes[17] !== 0) return fault('arp-format', 16);
  if (bytes[18] !== 6) return fault('arp-format', 18);
  if (bytes[19] !== 4) return fault('arp-format', 19);
  if (bytes[20] !== 0 || (bytes[21] !== 1 && bytes[21] !== 2)) return fault('arp-op', 20);
  return {
    op: bytes[21] === 1 ? 'request' : 'reply',
    ethDst: getMac(bytes, 0),
    ethSrc: getMac(bytes, 6),
    senderMac: getMac(bytes, 22),
    senderIp: getIp(bytes, 28),
    targetMac: getMac(bytes, 32),
    targetIp: getIp(bytes, 38),
  };
}

/** "Who has `wanted`? Tell `ip`." */
export function arpRequest(mac: string, ip: string, wanted: string): Uint8Array {
  return encodeArp({
    op: 'request',
    ethDst: BROADCAST,
    ethSrc: mac,
    senderMac: mac,
    senderIp: ip,
    targetMac: NO_MAC,
    targetIp: wanted,
  });
}

/** "`ip` is at `mac`", to the one that asked. */
export function arpReply(mac: string, ip: string, toMac: string, toIp: string): Uint8Array {
  return encodeArp({
    op: 'reply',
    ethDst: toMac,
    ethSrc: mac,
    senderMac: mac,
    senderIp: ip,
    targetMac: toMac,
    targetIp: toIp,
  });
}

/**
 * RFC 5227 §2.1.1: "The 'sender IP address' field MUST be set to all zeroes; this is to avoid
 * polluting ARP caches in other hosts."
 */
export function arpProbe(mac: string, wanted: string): Uint8Array {
  return arpRequest(mac, NO_IP, wanted);
}

/** Gratuitous ARP, request form: the ARP Announcement of RFC 5227 §2.3. */
export function arpAnnouncement(mac: string, ip: string): Uint8Array {
  return arpRequest(mac, ip, ip);
}

/**
 * Gratuitous ARP, reply form. RFC 5944 §4.6: sender and target protocol address are the address to
 * be cached, and in a reply "the Target Hardware Address is also set to the link-layer address to
 * which this cache entry should be updated".
 */
export function arpGratuitousReply(mac: string, ip: string): Uint8Array {
  return encodeArp({
    op: 'reply',
    ethDst: BROADCAST,
    ethSrc: mac,
    senderMac: mac,
    senderIp: ip,
    targetMac: mac,
    targetIp: ip,
  });
}

const MAC_FORM = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const IP_FORM = /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/;

/** @returns true for six lower-case hexadecimal pairs with colons. */
export function isMac(text: string): boolean {
  return MAC_FORM.test(text);
}

/** @returns true for dotted decimal without leading zeros. */
export function isIp4(text: string): boolean {
  return IP_FORM.test(text) && text.split('.').every((part) => Number(part) <= 255);
}

/** Writes six octets; the text must be well-formed (asserted). */
export function putMac(bytes: Uint8Array, at: number, mac: string): void {
  assert(isMac(mac), 'a MAC address is six lower-case hexadecimal pairs');
  for (let i = 0; i < 6; i += 1) {
    bytes[at + i] = Number.parseInt(mac.slice(3 * i, 3 * i + 2), 16);
  }
}

/** @returns six lower-case hexadecimal pairs with colons. */
export function getMac(bytes: Uint8Array, at: number): string {
  let s = '';
  for (let i = 0; i < 6; i += 1) {
    s += (i === 0 ? '' : ':') + ((bytes[at + i] as number) + 256).toString(16).slice(1);
  }
  return s;
}

function putIp(bytes: Uint8Array, at: number, ip: string): void {
  assert(isIp4(ip), 'an IPv4 address is dotted decimal');
  const parts = ip.split('.');
  for (let i = 0; i < 4; i += 1) bytes[at + i] = Number(parts[i]);
}

function getIp(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}
