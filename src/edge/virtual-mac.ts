/**
 * The virtual router's own MAC address, 00:00:5e:00:01:VRID (RFC 9568 7.3), optional: with it a
 * takeover changes no host's ARP cache, only the port behind which the switch knows that MAC, and
 * one frame from it teaches the switch. Without it every host must believe a gratuitous ARP.
 *
 *   what                      how
 *   receives for that MAC     a macvlan device on the LAN interface; down while the VIP is not ours
 *   owns the VIP              the TUN device as always (`tun.ts`): it dies with the process
 *   answers ARP for the VIP   this process, with the virtual MAC; the kernel is told to be silent:
 *                             LAN      arp_ignore 1, else it would answer with the LAN's MAC
 *                             macvlan  arp_ignore 8, else it would answer for the LAN's own
 *                                      address too, and two MACs would claim that
 *                             A process that is frozen or killed answers nothing: a fence more
 *   asks by ARP               LAN      arp_announce 2: asking for the sake of the VIP's packets, the
 *                                      kernel must not name the VIP with the LAN's MAC
 *   takes packets in          macvlan  rp_filter 2: the way back is by the LAN interface; and the
 *                             LAN's own address, because a device without any lets nothing in while
 *                             `all` has a reverse path filter (fib_validate_source, "no_addr")
 *   keeps quiet otherwise     macvlan  disable_ipv6 1: no router solicitations, no MLD
 *   teaches the switch        VRRP advertisements (`vrrp.ts`, `via`) and `send`
 *
 * IPv4 only: VRRP for IPv6 has another MAC (00:00:5e:00:02:VRID), and an IPv6 VIP lives on the LAN
 * interface. What is sent from the VIP has the LAN's MAC as source, which is allowed and common.
 *
 * The settings of the LAN interface as they were stand in the alias of the macvlan device, for the
 * next process to restore when this one was killed.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isFault } from '../base/fault.ts';
import { arpReply, decodeArp, isIp4 } from '../wire/arp.ts';
import type { OsError } from './native/netlite.ts';
import { isOsError, osError } from './native/netlite.ts';
import { Netlink } from './netlink.ts';
import { addMacvlan, deleteLink, linkNote } from './netlink-link.ts';
import { ArpSocket } from './packet.ts';

export const VIRTUAL_MAC_DEVICE = 'sipairv0';

type Setting = readonly [version: 'ipv4' | 'ipv6', name: string, value: string];

const ON_LAN: readonly Setting[] = [
  ['ipv4', 'arp_ignore', '1'],
  ['ipv4', 'arp_announce', '2'],
];
const ON_DEVICE: readonly Setting[] = [
  ['ipv4', 'arp_ignore', '8'],
  ['ipv4', 'rp_filter', '2'],
];
const NO_IPV6: Setting = ['ipv6', 'disable_ipv6', '1'];

const ALIAS_FORM = /^sipair (\S+) (\d+) (\d+)$/;
const { EBUSY, EINVAL, EIO, ENOENT, ENODEV } = constants.errno;

export type VirtualMacOptions = {
  /** The service LAN. */
  readonly ifname: string;
  /** Our own IPv4 address there. */
  readonly address: string;
  readonly vrid: number;
};

export class VirtualMac {
  readonly device = VIRTUAL_MAC_DEVICE;
  readonly mac: string;
  readonly #ifname: string;
  readonly #netlink: Netlink;
  readonly #before: readonly string[];
  #arp: ArpSocket | undefined;
  #vips: readonly string[] = [];
  #closed = false;

  private constructor(ifname: string, mac: string, netlink: Netlink, before: readonly string[]) {
    this.#ifname = ifname;
    this.mac = mac;
    this.#netlink = netlink;
    this.#before = before;
  }

  /**
   * Makes the device, down, after clearing away what a killed process left.
   * @returns EBUSY when something that is not ours has the device's name
   */
  static open({ ifname, address, vrid }: VirtualMacOptions): VirtualMac | OsError {
    if (!Number.isInteger(vrid) || vrid < 1 || vrid > 255) return osError('vrid', -EINVAL);
    if (!isIp4(address)) return osError('address', -EINVAL);
    const netlink = Netlink.open();
    if (isOsError(netlink)) return netlink;
    const before = clearAway(netlink) ?? readSettings(ifname);
    if (isOsError(before)) {
      netlink.close();
      return before;
    }
    const mac = `00:00:5e:00:01:${vrid.toString(16).padStart(2, '0')}`;
    const made = new VirtualMac(ifname, mac, netlink, before);
    const fault = made.#prepare(address);
    if (fault === undefined) return made;
    made.close();
    return fault;
  }

  /** The VIPs while they are answered for. */
  get vips(): readonly string[] {
    return this.#vips;
  }

  /** The device is up and `vips` are answered for, from now on. The TUN device must hold them. */
  up(vips: readonly string[]): OsError | undefined {
    if (!vips.every(isIp4)) return osError('up', -EINVAL);
    const fault = this.#netlink.setLinkUp(this.device);
    if (fault === undefined) this.#vips = vips;
    return fault;
  }

  /** Silent and deaf. */
  down(): OsError | undefined {
    this.#vips = [];
    return this.#netlink.setLinkDown(this.device);
  }

  /** Sends a frame by the device: an announcement, made with `mac`. */
  send(frame: Uint8Array): OsError | undefined {
    return this.#arp === undefined ? osError('send', -ENODEV) : this.#arp.send(frame);
  }

  /** The device is gone and the LAN interface as it was. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#vips = [];
    this.#arp?.close();
    deleteLink(this.#netlink, this.device);
    restore(this.#ifname, this.#before);
    this.#netlink.close();
  }

  #prepare(address: string): OsError | undefined {
    const alias = ['sipair', this.#ifname, ...this.#before].join(' ');
    const fault =
      addMacvlan(this.#netlink, {
        ifname: this.device,
        parent: this.#ifname,
        mac: this.mac,
        alias,
      }) ??
      change(this.device, ON_DEVICE) ??
      notThere(change(this.device, [NO_IPV6])) ??
      this.#netlink.addAddress({ ifname: this.device, ip: address, prefix: 32, validLftSec: 0 }) ??
      change(this.#ifname, ON_LAN);
    if (fault !== undefined) return fault;
    const arp = ArpSocket.open(this.device, (frame) => this.#onFrame(frame));
    if (isOsError(arp)) return arp;
    this.#arp = arp;
    return undefined;
  }

  #onFrame(frame: Uint8Array): void {
    const arp = decodeArp(frame);
    if (isFault(arp) || !this.#vips.includes(arp.targetIp)) return;
    if (arp.op !== 'request' || arp.senderMac === this.mac) return;
    this.#arp?.send(arpReply(this.mac, arp.targetIp, arp.senderMac, arp.senderIp));
  }
}

/** Removes what a killed process left, and restores what that one had found. */
function clearAway(netlink: Netlink): OsError | undefined {
  const note = linkNote(netlink, VIRTUAL_MAC_DEVICE);
  if (isOsError(note)) return note.errno === ENODEV ? undefined : note;
  const [, ifname, ...before] = ALIAS_FORM.exec(note.alias) ?? [];
  if (note.kind !== 'macvlan' || ifname === undefined) {
    return osError(`${VIRTUAL_MAC_DEVICE} is not ours`, -EBUSY);
  }
  const fault = deleteLink(netlink, VIRTUAL_MAC_DEVICE);
  if (fault !== undefined) return fault;
  restore(ifname, before);
  return undefined;
}

function restore(ifname: string, before: readonly string[]): void {
  // An interface that is gone has nothing to restore; anything else the next start would meet too.
  for (const [i, [version, name]] of ON_LAN.entries()) {
    const value = before[i];
    if (value !== undefined) change(ifname, [[version, name, value]]);
  }
}

function pathOf(ifname: string, [version, name]: Setting): string {
  return `/proc/sys/net/${version}/conf/${ifname}/${name}`;
}

function readSettings(ifname: string): readonly string[] | OsError {
  const values: string[] = [];
  for (const setting of ON_LAN) {
    try {
      values.push(readFileSync(pathOf(ifname, setting), 'latin1').trim());
    } catch (e) {
      return fileError('sysctl', e);
    }
  }
  return values;
}

function change(ifname: string, settings: readonly Setting[]): OsError | undefined {
  for (const setting of settings) {
    try {
      writeFileSync(pathOf(ifname, setting), setting[2]);
    } catch (e) {
      return fileError(`sysctl ${setting[1]}`, e);
    }
  }
  return undefined;
}

/** A kernel without IPv6 has nothing to switch off. */
function notThere(fault: OsError | undefined): OsError | undefined {
  return fault?.errno === ENOENT ? undefined : fault;
}

function fileError(call: string, e: unknown): OsError {
  const errno = e instanceof Error && 'errno' in e ? Number(e.errno) : -EIO;
  return osError(call, errno);
}
