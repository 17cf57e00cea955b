/**
 * Rarer requests to rtnetlink than those of `netlink.ts`: making and removing a macvlan, and what an
 * interface loses when it goes down, as the kernel itself words it, to be given back as it was.
 *
 *   what                    message       body, then attributes (rtnetlink(7))
 *   a macvlan               RTM_NEWLINK   ifinfomsg 16: its parent, name, MAC, alias, kind and mode
 *   no link                 RTM_DELLINK   ifinfomsg 16: its index
 *   IPv6 addresses          RTM_NEWADDR   ifaddrmsg 8, as dumped, marked "no duplicate detection"
 *   routes                  RTM_NEWROUTE  rtmsg 12, as dumped, without the flags that tell a state
 */

import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import type { OsError } from './native/netlite.ts';
import { isOsError, netlite, osError } from './native/netlite.ts';
import { attributes, type Netlink } from './netlink.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const REPLACE = 0x100;
const EXCLUSIVE = 0x200;
const CREATE = 0x400;

const IFINFO_BYTES = 16;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
/** Talks to the outside, never to another macvlan of the same parent. */
const PRIVATE = 1;

const IFADDR_BYTES = 8;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x02;

const RTMSG_BYTES = 12;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_VIA = 18;
const RTPROT_KERNEL = 2;
const RTNH_F_ONLINK = 4;
const RTM_F_CLONED = 0x200;

const AF_INET = 2;
const AF_INET6 = 10;
const { ENODEV, EEXIST } = constants.errno;

function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc((4 + value.length + 3) & ~3);
  padded.writeUInt16LE(4 + value.length, 0);
  padded.writeUInt16LE(type, 2);
  value.copy(padded, 4);
  return padded;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

function words(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'latin1');
}

/** ifinfomsg that names nothing, or one interface. */
function ifinfo(index: number): Buffer {
  const bytes = Buffer.alloc(IFINFO_BYTES);
  bytes.writeInt32LE(index, 4);
  return bytes;
}

export type MacvlanRequest = {
  readonly ifname: string;
  readonly parent: string;
  /** Six lower-case pairs with colons. */
  readonly mac: string;
  /** A note that `ip link` shows, and that survives us. */
  readonly alias: string;
};

/** Makes a macvlan device, down. @returns EEXIST when the name is taken. */
export function addMacvlan(netlink: Netlink, request: MacvlanRequest): OsError | undefined {
  const index = netlite.ifIndex(request.parent);
  if (index < 0) return osError('ifIndex', index);
  const mode = attribute(IFLA_MACVLAN_MODE, u32(PRIVATE));
  const kind = attribute(IFLA_INFO_KIND, words('macvlan'));
  const body = Buffer.concat([
    ifinfo(0),
    attribute(IFLA_IFNAME, words(request.ifname)),
    attribute(IFLA_LINK, u32(index)),
    attribute(IFLA_ADDRESS, Buffer.from(request.mac.replaceAll(':', ''), 'hex')),
    attribute(IFLA_LINKINFO, Buffer.concat([kind, attribute(IFLA_INFO_DATA, mode)])),
  ]);
  const fault = netlink.request('addMacvlan', RTM_NEWLINK, CREATE | EXCLUSIVE, body);
  if (fault !== undefined) return fault;
  return setAlias(netlink, request.ifname, request.alias);
}

/** The kernel takes an alias for a link that is there, not for one in the making. */
function setAlias(netlink: Netlink, ifname: string, alias: string): OsError | undefined {
  const index = netlite.ifIndex(ifname);
  if (index < 0) return osError('ifIndex', index);
  const body = Buffer.concat([
    ifinfo(index),
    attribute(IFLA_IFALIAS, Buffer.from(alias, 'latin1')),
  ]);
  return netlink.request('setAlias', RTM_NEWLINK, 0, body);
}

export function deleteLink(netlink: Netlink, ifname: string): OsError | undefined {
  const index = netlite.ifIndex(ifname);
  if (index < 0) return osError('ifIndex', index);
  return netlink.request('deleteLink', RTM_DELLINK, 0, ifinfo(index));
}

export type LinkNote = {
  /** "macvlan", "veth", ...; '' for hardware. */
  readonly kind: string;
  readonly alias: string;
};

/** @returns what kind of device it is and its alias; ENODEV when there is none. */
export function linkNote(netlink: Netlink, ifname: string): LinkNote | OsError {
  const index = netlite.ifIndex(ifname);
  if (index < 0) return osError('ifIndex', index);
  const all = netlink.dump('links', RTM_GETLINK, ifinfo(0), RTM_NEWLINK);
  if (isOsError(all)) return all;
  const found = all.find((b) => b.readInt32LE(4) === index);
  if (found === undefined) return osError('linkNote', -ENODEV);
  let kind = '';
  let alias = '';
  attributes(found, IFINFO_BYTES, found.length, (type, from, to) => {
    if (type === IFLA_IFALIAS) alias = found.toString('latin1', from, to).replace(/\0.*$/s, '');
    if (type !== IFLA_LINKINFO) return;
    attributes(found, from, to, (inner, at, end) => {
      if (inner === IFLA_INFO_KIND) {
        kind = found.toString('latin1', at, end).replace(/\0.*$/s, '');
      }
    });
  });
  return { kind, alias };
}

/** What `ip link set down` would take from an interface. */
export type Belongings = {
  readonly addresses: readonly Buffer[];
  readonly routes: readonly Buffer[];
};

/**
 * IPv6 addresses, and all routes of one nexthop that somebody else than the kernel made. IPv4
 * addresses stay; routes with several nexthops the kernel keeps and revives.
 */
export function belongings(netlink: Netlink, index: number): Belongings | OsError {
  const six = Buffer.alloc(IFADDR_BYTES);
  six.writeUInt8(AF_INET6, 0);
  const addresses = netlink.dump('addresses', RTM_GETADDR, six, RTM_NEWADDR);
  if (isOsError(addresses)) return addresses;
  const routes: Buffer[] = [];
  for (const family of [AF_INET, AF_INET6]) {
    const ask = Buffer.alloc(RTMSG_BYTES);
    ask.writeUInt8(family, 0);
    const some = netlink.dump('routes', RTM_GETROUTE, ask, RTM_NEWROUTE);
    if (isOsError(some)) return some;
    routes.push(...some.filter((route) => isMadeRoute(route, index)));
  }
  // A gateway must be reachable before a route by it is taken.
  routes.sort((a, b) => Number(hasGateway(a)) - Number(hasGateway(b)));
  return { addresses: addresses.filter((a) => a.readUInt32LE(4) === index), routes };
}

/** Gives back what is gone. @returns the first fault, after having tried everything. */
export function giveBack(netlink: Netlink, what: Belongings): OsError | undefined {
  let first: OsError | undefined;
  const attempt = (fault: OsError | undefined): void => {
    if (fault !== undefined && fault.errno !== EEXIST) first ??= fault;
  };
  for (const address of what.addresses) {
    attempt(netlink.request('giveBack address', RTM_NEWADDR, CREATE | REPLACE, noDad(address)));
  }
  for (const route of what.routes) {
    const body = Buffer.from(route);
    body.writeUInt32LE(body.readUInt32LE(8) & RTNH_F_ONLINK, 8);
    attempt(netlink.request('giveBack route', RTM_NEWROUTE, CREATE | REPLACE, body));
  }
  return first;
}

function isMadeRoute(route: Buffer, index: number): boolean {
  if (route.readUInt8(5) === RTPROT_KERNEL) return false;
  if ((route.readUInt32LE(8) & RTM_F_CLONED) !== 0) return false;
  let oif = 0;
  attributes(route, RTMSG_BYTES, route.length, (type, from, to) => {
    if (type === RTA_OIF && to - from === 4) oif = route.readUInt32LE(from);
  });
  return oif === index;
}

function hasGateway(route: Buffer): boolean {
  let found = false;
  attributes(route, RTMSG_BYTES, route.length, (type) => {
    if (type === RTA_GATEWAY || type === RTA_VIA) found = true;
  });
  return found;
}

/** It was ours a moment ago: nobody needs to be asked whether it is free. */
function noDad(address: Buffer): Buffer {
  const body = Buffer.from(address);
  let there = false;
  attributes(body, IFADDR_BYTES, body.length, (type, from, to) => {
    if (type !== IFA_FLAGS || to - from !== 4) return;
    body.writeUInt32LE(body.readUInt32LE(from) | IFA_F_NODAD, from);
    there = true;
  });
  return there ? body : Buffer.concat([body, attribute(IFA_FLAGS, u32(IFA_F_NODAD))]);
}
