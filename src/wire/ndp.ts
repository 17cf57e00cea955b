/**
 * Neighbour discovery over Ethernet (RFC 4861 4.3, 4.4): what ARP is to IPv4. Whole frames, because
 * the sentry speaks them past the kernel: the VIP lies on a device of its own, and for such an
 * address Linux takes packets in but does not answer solicitations on the LAN.
 *
 *   ┌─────────┬─────────┬──────┐┌──────┬─────┬────┬─────┬────────┬────────┐
 *   │ eth dst │ eth src │ 86dd ││ 6... │ len │ 58 │ 255 │ source │ destin.│   IPv6
 *   │ 6       │ 6       │ 2    ││ 4    │ 2   │ 1  │ 1   │ 16     │ 16     │
 *   └─────────┴─────────┴──────┘└──────┴─────┴────┴─────┴────────┴────────┘
 *   0         6         12      14     18    20   21    22       38
 *   ┌──────┬───┬────────┬─────────────────┬────────┬┬──────┬───┬─────┐
 *   │ type │ 0 │ chksum │ R S O, reserved │ target ││ type │ 1 │ MAC │        ICMPv6, option
 *   │ 1    │ 1 │ 2      │ 4               │ 16     ││ 1    │ 1 │ 6   │
 *   └──────┴───┴────────┴─────────────────┴────────┴┴──────┴───┴─────┘
 *   54     55  56       58                62        78     79  80   86
 *
 *   form                  type  eth dst    source  destination      target  option      R S O
 *   solicitation          135   group      own     solicited-node   wanted  1 own MAC
 *   poll of a neighbour   135   its MAC    own     wanted           wanted  1 own MAC
 *   probe (DAD)           135   group      ::      solicited-node   wanted  none        RFC 4862 5.4.2
 *   answer                136   asker      VIP     asker            VIP     2 own MAC   0 1 1
 *   answer to a probe     136   all nodes  VIP     ff02::1          VIP     2 own MAC   0 0 1
 *   announcement          136   all nodes  VIP     ff02::1          VIP     2 own MAC   0 0 1  7.2.6
 *
 * The solicited-node group of an address is ff02::1:ff followed by its last 3 octets; a group lives at
 * Ethernet address 33:33 followed by the last 4 octets of the group (RFC 2464 7).
 *
 * Worked example, the announcement of 2001:db8:77::10 by 02:00:00:00:00:0a:
 *
 *   333300000001 02000000000a 86dd  60000000 0020 3a ff
 *   20010db8007700000000000000000010  ff020000000000000000000000000001
 *   88 00 f815 20000000  20010db8007700000000000000000010  02 01 02000000000a
 */

import { assert } from '../base/assert.ts';
import { type Fault, fault } from '../base/fault.ts';
import { getMac, putMac } from './arp.ts';
import { formatIp6, NO_IP6, parseIp6 } from './ip6.ts';

export const ALL_NODES = 'ff02::1';
export const ETHERTYPE_IP6 = 0x86dd;
export const SOLICITATION = 135;
export const ADVERTISEMENT = 136;

const ICMP6 = 58;
/** A router would have made it less: the frame comes from this link (RFC 4861 3.1). */
const HOP_LIMIT = 255;
const IP_AT = 14;
const SOURCE_AT = 22;
const DESTINATION_AT = 38;
const ICMP_AT = 54;
const CHECKSUM_AT = 56;
const FLAGS_AT = 58;
const TARGET_AT = 62;
const OPTIONS_AT = 78;
const OPTION_SIZE = 8;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;
const SOURCE_LINK_LAYER = 1;
const TARGET_LINK_LAYER = 2;

type Addressed = {
  readonly ethDst: string;
  readonly ethSrc: string;
  /** Addresses in canonical text. */
  readonly source: string;
  readonly destination: string;
  readonly target: string;
  /** Source (solicitation) or target (advertisement) link-layer address, if the option is there. */
  readonly linkLayer: string | undefined;
};
export type Solicitation = Addressed & { readonly kind: 'solicitation' };
export type Advertisement = Addressed & {
  readonly kind: 'advertisement';
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
};
export type Nd = Solicitation | Advertisement;

export type NdpFault =
  /** Shorter than its headers say, or than a solicitation is. */
  | 'ndp-length'
  /** Not IPv6, not ICMPv6 straight behind it, neither solicitation nor advertisement. */
  | 'ndp-type'
  | 'ndp-hop-limit'
  | 'ndp-checksum'
  | 'ndp-code'
  /** The target is a multicast address. */
  | 'ndp-target'
  /** An option of length 0, beyond the end, or a link-layer address that is not of Ethernet. */
  | 'ndp-option'
  /** A probe (source ::) that is not to a solicited-node group, or names a link-layer address. */
  | 'ndp-probe'
  /** An advertisement to a group that claims to be solicited. */
  | 'ndp-solicited';

/** @returns a whole Ethernet frame. Addresses must be well-formed (asserted). */
export function encodeNd(nd: Nd): Uint8Array {
  const bytes = new Uint8Array(OPTIONS_AT + (nd.linkLayer === undefined ? 0 : OPTION_SIZE));
  putMac(bytes, 0, nd.ethDst);
  putMac(bytes, 6, nd.ethSrc);
  bytes.set([0x86, 0xdd, 0x60], 12);
  bytes[19] = bytes.length - ICMP_AT;
  bytes[20] = ICMP6;
  bytes[21] = HOP_LIMIT;
  putIp(bytes, SOURCE_AT, nd.source);
  putIp(bytes, DESTINATION_AT, nd.destination);
  putIp(bytes, TARGET_AT, nd.target);
  const ask = nd.kind === 'solicitation';
  bytes[ICMP_AT] = ask ? SOLICITATION : ADVERTISEMENT;
  if (!ask) {
    bytes[FLAGS_AT] =
      (nd.router ? ROUTER : 0) | (nd.solicited ? SOLICITED : 0) | (nd.override ? OVERRIDE : 0);
  }
  if (nd.linkLayer !== undefined) {
    bytes.set([ask ? SOURCE_LINK_LAYER : TARGET_LINK_LAYER, 1], OPTIONS_AT);
    putMac(bytes, OPTIONS_AT + 2, nd.linkLayer);
  }
  const sum = checksum(bytes, bytes.length);
  bytes[CHECKSUM_AT] = sum >> 8;
  bytes[CHECKSUM_AT + 1] = sum & 0xff;
  return bytes;
}

/**
 * @returns the message in an Ethernet frame, or why there is none: the checks of RFC 4861 7.1.1 and
 * 7.1.2, all of which say "silently discard". What follows the payload is padding.
 */
export function decodeNd(bytes: Uint8Array): Nd | Fault<NdpFault> {
  const end = endOf(bytes);
  if (typeof end !== 'number') return end;
  const type = bytes[ICMP_AT];
  if (type !== SOLICITATION && type !== ADVERTISEMENT) return fault('ndp-type', ICMP_AT);
  if (bytes[21] !== HOP_LIMIT) return fault('ndp-hop-limit', 21);
  if (checksum(bytes, end) !== 0) return fault('ndp-checksum', CHECKSUM_AT);
  if (bytes[ICMP_AT + 1] !== 0) return fault('ndp-code', ICMP_AT + 1);
  if (bytes[TARGET_AT] === 0xff) return fault('ndp-target', TARGET_AT);
  const ask = type === SOLICITATION;
  const linkLayer = findOption(bytes, end, ask ? SOURCE_LINK_LAYER : TARGET_LINK_LAYER);
  if (typeof linkLayer === 'object') return linkLayer;
  const addressed = {
    ethDst: getMac(bytes, 0),
    ethSrc: getMac(bytes, 6),
    source: formatIp6(bytes, SOURCE_AT),
    destination: formatIp6(bytes, DESTINATION_AT),
    target: formatIp6(bytes, TARGET_AT),
    linkLayer,
  };
  if (ask) {
    const { source, destination, target } = addressed;
    if (source === NO_IP6) {
      if (destination !== solicitedNode(target)) return fault('ndp-probe', DESTINATION_AT);
      if (linkLayer !== undefined) return fault('ndp-probe', OPTIONS_AT);
    }
    return { kind: 'solicitation', ...addressed };
  }
  const flags = bytes[FLAGS_AT] as number;
  const solicited = (flags & SOLICITED) !== 0;
  if (solicited && bytes[DESTINATION_AT] === 0xff) return fault('ndp-solicited', FLAGS_AT);
  return {
    kind: 'advertisement',
    ...addressed,
    router: (flags & ROUTER) !== 0,
    solicited,
    override: (flags & OVERRIDE) !== 0,
  };
}

// ── the forms ───────────────────────────────────────────────────────────────────────────────────

/** "Is somebody `wanted`?" without claiming it: duplicate address detection (RFC 4862 5.4.2). */
export function ndProbe(mac: string, wanted: string): Uint8Array {
  const group = solicitedNode(wanted);
  return encodeNd({
    kind: 'solicitation',
    ethDst: groupMac(group),
    ethSrc: mac,
    source: NO_IP6,
    destination: group,
    target: wanted,
    linkLayer: undefined,
  });
}

/** "Who has `wanted`? Tell `ip`." */
export function ndSolicitation(mac: string, ip: string, wanted: string): Uint8Array {
  const group = solicitedNode(wanted);
  return encodeNd({
    kind: 'solicitation',
    ethDst: groupMac(group),
    ethSrc: mac,
    source: ip,
    destination: group,
    target: wanted,
    linkLayer: mac,
  });
}

/**
 * "Are you still there, `neighbour`?" to it alone. By the link-layer option it learns where `ip` is
 * (RFC 4861 7.2.3), also where a switch lets no group address through.
 */
export function ndPoll(mac: string, ip: string, neighbour: string, toMac: string): Uint8Array {
  return encodeNd({
    kind: 'solicitation',
    ethDst: toMac,
    ethSrc: mac,
    source: ip,
    destination: neighbour,
    target: neighbour,
    linkLayer: mac,
  });
}

/**
 * "It is here", to the one that asked; to all nodes when it was a probe, which has no address to
 * answer to (RFC 4861 7.2.4).
 */
export function ndAnswer(mac: string, asked: Solicitation): Uint8Array {
  if (asked.source === NO_IP6) return ndAnnouncement(mac, asked.target);
  return encodeNd({
    kind: 'advertisement',
    ethDst: asked.linkLayer ?? asked.ethSrc,
    ethSrc: mac,
    source: asked.target,
    destination: asked.source,
    target: asked.target,
    linkLayer: mac,
    router: false,
    solicited: true,
    override: true,
  });
}

/** "`ip` is here now": unsolicited, to all, and to be believed over what they knew (7.2.6). */
export function ndAnnouncement(mac: string, ip: string): Uint8Array {
  return encodeNd({
    kind: 'advertisement',
    ethDst: groupMac(ALL_NODES),
    ethSrc: mac,
    source: ip,
    destination: ALL_NODES,
    target: ip,
    linkLayer: mac,
    router: false,
    solicited: false,
    override: true,
  });
}

/** @returns the group that solicitations for `ip` go to (RFC 4291 2.7.1). */
export function solicitedNode(ip: string): string {
  const bytes = must(ip);
  const group = must('ff02::1:ff00:0');
  group.set(bytes.subarray(13), 13);
  return formatIp6(group);
}

/** @returns the Ethernet address of an IPv6 multicast group (RFC 2464 7). */
export function groupMac(group: string): string {
  const bytes = must(group);
  assert(bytes[0] === 0xff, 'only a group has a group address');
  return `33:33:${getMac(bytes, 10).slice(6)}`;
}

// ── octets ──────────────────────────────────────────────────────────────────────────────────────

/** @returns where the ICMPv6 message ends, after a look at the Ethernet and IPv6 headers. */
function endOf(bytes: Uint8Array): number | Fault<NdpFault> {
  if (bytes.length < OPTIONS_AT) return fault('ndp-length', bytes.length);
  if (bytes[12] !== 0x86 || bytes[13] !== 0xdd) return fault('ndp-type', 12);
  if ((bytes[IP_AT] as number) >> 4 !== 6) return fault('ndp-type', IP_AT);
  if (bytes[20] !== ICMP6) return fault('ndp-type', 20);
  const end = ICMP_AT + (((bytes[18] as number) << 8) | (bytes[19] as number));
  return end < OPTIONS_AT || end > bytes.length ? fault('ndp-length', 18) : end;
}

/** @returns the first link-layer address of that type; options of other types are passed over. */
function findOption(
  bytes: Uint8Array,
  end: number,
  wanted: number,
): string | undefined | Fault<NdpFault> {
  let found: string | undefined;
  for (let at = OPTIONS_AT; at < end; ) {
    const size = at + 2 > end ? 0 : (bytes[at + 1] as number) * OPTION_SIZE;
    if (size === 0 || at + size > end) return fault('ndp-option', at);
    if (bytes[at] === wanted) {
      if (size !== OPTION_SIZE) return fault('ndp-option', at);
      found ??= getMac(bytes, at + 2);
    }
    at += size;
  }
  return found;
}

/**
 * The Internet checksum over pseudo-header and message (RFC 8200 8.1). Of a message whose checksum
 * field is filled in, it is 0 if and only if that is right.
 */
function checksum(bytes: Uint8Array, end: number): number {
  // the two addresses lie next to each other, and next to the message
  let sum = end - ICMP_AT + ICMP6;
  for (let at = SOURCE_AT; at < end; at += 2) {
    const low = at + 1 < end ? (bytes[at + 1] as number) : 0;
    sum += ((bytes[at] as number) << 8) | low;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum ^ 0xffff;
}

function must(ip: string): Uint8Array {
  const bytes = parseIp6(ip);
  assert(bytes !== undefined, 'an IPv6 address is well-formed');
  return bytes;
}

function putIp(bytes: Uint8Array, at: number, ip: string): void {
  bytes.set(must(ip), at);
}
