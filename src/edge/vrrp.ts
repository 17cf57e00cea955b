/**
 * VRRP's sockets (RFC 9568 5.1): protocol 112 to 224.0.0.18 or ff02::12, TTL or hop limit 255, on
 * one interface, from the box's own address there. What is said is made by `proto/vrrp.ts`.
 *
 *                    IPv4                                  IPv6
 *   source           the address given                     the kernel's choice for the link: the
 *                                                          link-local address of the device, which
 *                                                          must be the one given (it is in the
 *                                                          checksum); asked when opened
 *   TTL as received  from the IP header, any               only 255 arrives: the kernel's filter
 *                                                          drops the rest, uncounted
 *   own multicast    not looped                            not looped
 *   traffic class    CS6, network control (RFC 4594 3.1)   the same
 *
 * With a virtual MAC (`virtual-mac.ts`) advertisements leave by its device, so that they have its
 * MAC as source (RFC 9568 7.3), while we hear on the LAN interface, backup or not: `via`.
 */

import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import { type Family, ipBytes, ipCanonical, ipText } from '../wire/ip.ts';
import { VRRP_GROUP, VRRP_PROTOCOL, VRRP_TTL, type VrrpPacket } from '../wire/vrrp.ts';
import type { OsError } from './native/netlite.ts';
import { isOsError, netlite, osError } from './native/netlite.ts';
import { Netlink } from './netlink.ts';
import { onlyHopLimit, type RawSetting, RawSocket } from './raw.ts';

const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;

const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_TCLASS = 67;

const CS6 = 0xc0;
const IPV4_HEAD = 20;
const { EADDRNOTAVAIL, EINVAL } = constants.errno;

export type VrrpSocketOptions = {
  readonly family: Family;
  /** The service LAN. */
  readonly ifname: string;
  /** Our own address on it; IPv6: the link-local one. */
  readonly address: string;
  /** Device by which advertisements leave, if not by `ifname`. IPv4 only. */
  readonly via?: string;
};

export class VrrpSocket {
  readonly family: Family;
  readonly #ear: RawSocket;
  readonly #mouth: RawSocket;

  private constructor(family: Family, ear: RawSocket, mouth: RawSocket) {
    this.family = family;
    this.#ear = ear;
    this.#mouth = mouth;
  }

  /** @param onPacket gets every VRRP packet of the LAN that is not our own. */
  static open(
    options: VrrpSocketOptions,
    onPacket: (packet: VrrpPacket) => void,
  ): VrrpSocket | OsError {
    const { family, ifname, address, via } = options;
    if (ipBytes(address)?.length !== (family === 4 ? 4 : 16)) return osError('vrrp', -EINVAL);
    if (via !== undefined && family === 6) return osError('vrrp', -EINVAL);
    const there = addressThere(ifname, address);
    if (there !== undefined) return there;
    const deliver = family === 4 ? receiver4(onPacket) : receiver6(onPacket);
    const ear = openRaw(family, ifname, address, deliver);
    if (isOsError(ear)) return ear;
    const mouth = via === undefined ? ear : openRaw(family, via, address, undefined);
    if (!isOsError(mouth)) return new VrrpSocket(family, ear, mouth);
    ear.close();
    return mouth;
  }

  /** Errors met while reading. */
  get errors(): number {
    return this.#ear.errors;
  }

  /** Sends one advertisement. @returns undefined when the kernel has it. */
  send(bytes: Uint8Array): OsError | undefined {
    return this.#mouth.send(bytes, VRRP_GROUP[this.family]);
  }

  /** May be called twice, and from `onPacket`. */
  close(): void {
    this.#ear.close();
    this.#mouth.close();
  }
}

function addressThere(ifname: string, address: string): OsError | undefined {
  const netlink = Netlink.open();
  if (isOsError(netlink)) return netlink;
  const found = netlink.addresses(ifname);
  netlink.close();
  if (isOsError(found)) return found;
  const wanted = ipCanonical(address);
  return found.some((a) => ipCanonical(a.ip) === wanted)
    ? undefined
    : osError(`vrrp: ${address} on ${ifname}`, -EADDRNOTAVAIL);
}

function openRaw(
  family: Family,
  device: string,
  address: string,
  deliver: ((bytes: Uint8Array, from: string) => void) | undefined,
): RawSocket | OsError {
  const index = netlite.ifIndex(device);
  if (index < 0) return osError('ifIndex', index);
  const settings = (family === 4 ? settings4 : settings6)(index, address, deliver !== undefined);
  const options = { family, protocol: VRRP_PROTOCOL, ifname: device };
  return RawSocket.open(options, settings, deliver ?? (() => {}));
}

/** struct ip_mreqn: group, local address, interface index. */
function settings4(index: number, address: string, hears: boolean): RawSetting[] {
  const mreqn = Buffer.alloc(12);
  mreqn.set(ipBytes(VRRP_GROUP[4]) as Uint8Array, 0);
  mreqn.set(ipBytes(address) as Uint8Array, 4);
  mreqn.writeInt32LE(index, 8);
  return [
    [IPPROTO_IP, IP_TOS, CS6],
    [IPPROTO_IP, IP_MULTICAST_TTL, VRRP_TTL],
    [IPPROTO_IP, IP_MULTICAST_LOOP, 0],
    [IPPROTO_IP, IP_MULTICAST_ALL, 0],
    [IPPROTO_IP, IP_MULTICAST_IF, mreqn],
    ...(hears ? ([[IPPROTO_IP, IP_ADD_MEMBERSHIP, mreqn]] satisfies RawSetting[]) : []),
  ];
}

/** struct ipv6_mreq: group, interface index. */
function settings6(index: number, _address: string, hears: boolean): RawSetting[] {
  const mreq = Buffer.alloc(20);
  mreq.set(ipBytes(VRRP_GROUP[6]) as Uint8Array, 0);
  mreq.writeInt32LE(index, 16);
  return [
    onlyHopLimit(VRRP_TTL),
    [IPPROTO_IPV6, IPV6_TCLASS, CS6],
    [IPPROTO_IPV6, IPV6_MULTICAST_HOPS, VRRP_TTL],
    [IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0],
    [IPPROTO_IPV6, IPV6_MULTICAST_IF, index],
    ...(hears ? ([[IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, mreq]] satisfies RawSetting[]) : []),
  ];
}

type Receiver = (bytes: Uint8Array, from: string) => void;

/** Takes the IP header off. What was sent to us alone is no advertisement: passed over. */
function receiver4(onPacket: (packet: VrrpPacket) => void): Receiver {
  return (bytes) => {
    const head = ((bytes[0] ?? 0) & 0x0f) * 4;
    if (head < IPV4_HEAD || bytes.length < head) return;
    if (ipText(bytes.subarray(16, 20)) !== VRRP_GROUP[4]) return;
    const from = ipText(bytes.subarray(12, 16));
    onPacket({ family: 4, from, ttl: bytes[8] as number, bytes: bytes.subarray(head) });
  };
}

/** There is no header, and the filter has seen to the hop limit. */
function receiver6(onPacket: (packet: VrrpPacket) => void): Receiver {
  return (bytes, from) => onPacket({ family: 6, from, ttl: VRRP_TTL, bytes });
}
