/**
 * The face of the pair on the LAN: the virtual addresses, IPv4 and IPv6, as one group, and what is
 * said and heard about them. It is all frames in, frames out: who holds the group, and when to speak,
 * is the sentry's to know.
 *
 *   said            IPv4                               IPv6                          by
 *   probe           ARP probe                          solicitation from ::          who wants it
 *   announcement    gratuitous ARP, request and reply  unsolicited advertisement     the holder
 *   refresher       unicast request "tell VIP"         unicast solicitation          the holder
 *   answer          (the kernel)                       advertisement                 the holder
 *
 *   heard from another MAC                                    event
 *   ARP whose sender is a VIP; advertisement for a VIP;       answered   somebody has or claims it
 *     solicitation from a VIP
 *   ARP probe for a VIP; solicitation from :: for it          probed     somebody wants it
 *   solicitation for a VIP                                    asked      to be answered by the holder
 *   ARP request for a VIP                                     host       the kernel answers
 *
 * Asked or host, a neighbour has the VIP in its cache from now on, so both boxes remember it (`Hosts`):
 * after a takeover it gets a refresher of its own, which it believes even where a switch or a stack
 * drops announcements.
 */

import { assert } from '../base/assert.ts';
import { type Fault, isFault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import {
  type Arp,
  type ArpFault,
  arpAnnouncement,
  arpGratuitousReply,
  arpProbe,
  decodeArp,
  encodeArp,
  isIp4,
  isMac,
  NO_IP,
  NO_MAC,
} from '../wire/arp.ts';
import { isIp6, kindOfIp6, NO_IP6 } from '../wire/ip6.ts';
import {
  decodeNd,
  type Nd,
  type NdpFault,
  ndAnnouncement,
  ndAnswer,
  ndPoll,
  ndProbe,
  type Solicitation,
} from '../wire/ndp.ts';

/** A neighbour that asked for a VIP. */
export type Host = { readonly vip: string; readonly ip: string; readonly mac: string };

export type FaceEvent =
  | { readonly kind: 'answered'; readonly vip: string; readonly mac: string }
  /** `reply` is what the holder says; undefined for IPv4, where the kernel says it. */
  | {
      readonly kind: 'probed';
      readonly vip: string;
      readonly mac: string;
      readonly reply: Uint8Array | undefined;
    }
  | ({ readonly kind: 'asked'; readonly reply: Uint8Array } & Host)
  | ({ readonly kind: 'host' } & Host);

export type FaceFault = ArpFault | NdpFault;

/** @returns true for an address that can be a VIP: IPv4, or IPv6 that is neither of the link only. */
export function isVip(text: string): boolean {
  return isIp4(text) || (isIp6(text) && kindOfIp6(text) === 'global');
}

export class Face {
  private readonly mac: string;
  readonly vips: readonly string[];
  private readonly vipMac: string;

  /**
   * @param mac of the LAN interface. Addresses must be canonical text (asserted).
   * @param vipMac by which an IPv4 VIP is known where that is another one (VRRP's virtual MAC, which
   *   both boxes use: heard from the LAN it is the other box's).
   */
  constructor(vips: readonly string[], mac: string, vipMac: string = mac) {
    assert(vips.length > 0 && vips.every(isVip), 'a VIP is a unicast address in canonical text');
    assert(new Set(vips).size === vips.length, 'a VIP is named once');
    assert(isMac(mac), 'a MAC address is six lower-case hexadecimal pairs');
    this.vips = vips;
    this.mac = mac;
    this.vipMac = vipMac;
  }

  /** "Has anybody this address?" for each, claiming none. */
  probes(): Uint8Array[] {
    return this.vips.map((vip) => (isIp4(vip) ? arpProbe : ndProbe)(this.mac, vip));
  }

  /** "It is here", to all. */
  announcements(): Uint8Array[] {
    return this.vips.flatMap((vip) =>
      isIp4(vip)
        ? [arpAnnouncement(this.vipMac, vip), arpGratuitousReply(this.vipMac, vip)]
        : [ndAnnouncement(this.mac, vip)],
    );
  }

  /** An ordinary question to each host from the VIP it asked for: it notes where that comes from. */
  refreshers(hosts: readonly Host[]): Uint8Array[] {
    return hosts
      .filter(({ vip }) => this.vips.includes(vip))
      .map(({ vip, ip, mac }) =>
        isIp4(vip) ? arpPoll(this.vipMac, vip, ip, mac) : ndPoll(this.mac, vip, ip, mac),
      );
  }

  answer(solicitation: Solicitation): Uint8Array {
    return ndAnswer(this.mac, solicitation);
  }

  /** @returns what a frame of the LAN says about the VIPs; undefined when nothing, or it is ours. */
  take(frame: Uint8Array): FaceEvent | Fault<FaceFault> | undefined {
    if (frame[12] === 0x86 && frame[13] === 0xdd) {
      const nd = decodeNd(frame);
      return isFault(nd) ? nd : this.takeNd(nd);
    }
    const arp = decodeArp(frame);
    return isFault(arp) ? arp : this.takeArp(arp);
  }

  private takeArp(arp: Arp): FaceEvent | undefined {
    const { op, senderIp: ip, senderMac: mac, targetIp: vip } = arp;
    if (mac === this.mac || arp.ethSrc === this.mac) return undefined;
    if (this.vips.includes(ip)) return { kind: 'answered', vip: ip, mac };
    if (op !== 'request' || !this.vips.includes(vip)) return undefined;
    if (ip === NO_IP) return { kind: 'probed', vip, mac, reply: undefined };
    return isStation(mac) ? { kind: 'host', vip, ip, mac } : undefined;
  }

  private takeNd(nd: Nd): FaceEvent | undefined {
    const mac = nd.linkLayer ?? nd.ethSrc;
    if (mac === this.mac || nd.ethSrc === this.mac) return undefined;
    if (nd.kind === 'solicitation' && this.vips.includes(nd.source)) {
      return { kind: 'answered', vip: nd.source, mac };
    }
    const vip = nd.target;
    if (!this.vips.includes(vip)) return undefined;
    if (nd.kind === 'advertisement') return { kind: 'answered', vip, mac };
    const reply = this.answer(nd);
    if (nd.source === NO_IP6) return { kind: 'probed', vip, mac, reply };
    const unicast = kindOfIp6(nd.source) !== 'multicast';
    return isStation(mac) && unicast
      ? { kind: 'asked', vip, ip: nd.source, mac, reply }
      : undefined;
  }
}

/**
 * Neighbours that asked for a VIP, the latest first: those that ask for the first time push out those
 * that have been silent the longest.
 */
export class Hosts {
  private readonly limit: number;
  /** By VIP and address; a map keeps the order in which they were put. */
  private readonly known = new Map<string, Host>();

  constructor(limit: number = LIMITS.faceHosts) {
    this.limit = limit;
  }

  get size(): number {
    return this.known.size;
  }

  remember({ vip, ip, mac }: Host): void {
    const key = `${vip} ${ip}`;
    this.known.delete(key);
    this.known.set(key, { vip, ip, mac });
    if (this.known.size <= this.limit) return;
    for (const oldest of this.known.keys()) {
      this.known.delete(oldest);
      return;
    }
  }

  /** The latest first. */
  list(): Host[] {
    return [...this.known.values()].reverse();
  }
}

/** @returns true for the hardware address of one interface: not of a group, not none. */
function isStation(mac: string): boolean {
  return mac !== NO_MAC && (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0;
}

/** "Are you still there, `neighbour`? Tell `ip`", to it alone (RFC 1122 2.3.2.1, unicast poll). */
function arpPoll(mac: string, ip: string, neighbour: string, toMac: string): Uint8Array {
  return encodeArp({
    op: 'request',
    ethDst: toMac,
    ethSrc: mac,
    senderMac: mac,
    senderIp: ip,
    targetMac: NO_MAC,
    targetIp: neighbour,
  });
}
