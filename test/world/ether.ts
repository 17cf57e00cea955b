/**
 * What travels on the LAN. A frame is kept as a value and becomes bytes only when a packet capture
 * was asked for (pcap.ts): a run of many virtual hours must not spend its time on checksums. ARP
 * frames are real bytes at both ends, since the boxes build and read them from raw sockets.
 */

import type { Tcp } from './tcp.ts';

export type Mac = string;

export const BROADCAST: Mac = 'ff:ff:ff:ff:ff:ff';
export const NO_MAC: Mac = '00:00:00:00:00:00';
export const ANY_IP = '0.0.0.0';

export type Udp = {
  readonly srcIp: string;
  readonly srcPort: number;
  readonly dstIp: string;
  readonly dstPort: number;
  /** SIP: latin1 text. */
  readonly text?: string;
  /** Heartbeats: bytes. */
  readonly bytes?: Uint8Array;
  /** It waited in the kernel for the neighbour's MAC: said earlier than it left. */
  readonly waited?: boolean;
};

export type Arp = {
  readonly op: 'request' | 'reply';
  readonly senderMac: Mac;
  readonly senderIp: string;
  readonly targetMac: Mac;
  readonly targetIp: string;
};

export type Packet =
  | { readonly kind: 'udp'; readonly udp: Udp }
  | { readonly kind: 'tcp'; readonly tcp: Tcp };

export type Frame =
  | { readonly kind: 'udp'; readonly src: Mac; readonly dst: Mac; readonly udp: Udp }
  | { readonly kind: 'tcp'; readonly src: Mac; readonly dst: Mac; readonly tcp: Tcp }
  /** `bytes`: the whole Ethernet frame. */
  | { readonly kind: 'arp'; readonly src: Mac; readonly dst: Mac; readonly bytes: Uint8Array };

/** @returns the six bytes of `mac`. */
export function macBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), (part) => Number.parseInt(part, 16));
}

export function macText(bytes: Uint8Array, at: number): Mac {
  let text = '';
  for (let i = 0; i < 6; i += 1) {
    text += `${i === 0 ? '' : ':'}${((bytes[at + i] as number) + 256).toString(16).slice(1)}`;
  }
  return text;
}

export function ipBytes(ip: string): Uint8Array {
  return Uint8Array.from(ip.split('.'), Number);
}

export function ipText(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

const ETHERTYPE_ARP = 0x0806;

/**
 * The hosts' own ARP codec, RFC 826 over Ethernet. Deliberately not the one the boxes use
 * (src/wire/arp.ts): an error that both ends shared would look like agreement.
 */
export function arpFrame(dst: Mac, arp: Arp): Frame {
  const bytes = new Uint8Array(42);
  const view = new DataView(bytes.buffer);
  bytes.set(macBytes(dst), 0);
  bytes.set(macBytes(arp.senderMac), 6);
  view.setUint16(12, ETHERTYPE_ARP);
  view.setUint16(14, 1);
  view.setUint16(16, 0x0800);
  bytes[18] = 6;
  bytes[19] = 4;
  view.setUint16(20, arp.op === 'request' ? 1 : 2);
  bytes.set(macBytes(arp.senderMac), 22);
  bytes.set(ipBytes(arp.senderIp), 28);
  bytes.set(macBytes(arp.targetMac), 32);
  bytes.set(ipBytes(arp.targetIp), 38);
  return { kind: 'arp', src: arp.senderMac, dst, bytes };
}

/** @returns the ARP packet in an Ethernet frame, undefined when it is not a well-formed one. */
export function readArp(bytes: Uint8Array): Arp | undefined {
  if (bytes.length < 42) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const op = view.getUint16(20);
  if (view.getUint16(12) !== ETHERTYPE_ARP || view.getUint16(14) !== 1) return undefined;
  if (view.getUint16(16) !== 0x0800 || bytes[18] !== 6 || bytes[19] !== 4) return undefined;
  if (op !== 1 && op !== 2) return undefined;
  return {
    op: op === 1 ? 'request' : 'reply',
    senderMac: macText(bytes, 22),
    senderIp: ipText(bytes, 28),
    targetMac: macText(bytes, 32),
    targetIp: ipText(bytes, 38),
  };
}
