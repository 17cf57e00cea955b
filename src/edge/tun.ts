/**
 * The virtual addresses of the pair as one lease that the kernel enforces.
 *
 * They live, as /32 and /128, on a TUN device that only this process holds open. Linux takes packets
 * for them in on the service LAN (weak host model) and takes device and addresses away in the same
 * instant when the process ends, however it ends. The addresses also have a lifetime, so they go by
 * themselves when the process is frozen.
 *
 *            packets in           asked "who has it?" on the LAN     frozen: gone
 *   IPv4     accepted             the kernel answers ARP             when the lifetime is over
 *                                 (arp_ignore 0, the default)
 *   IPv6     accepted, also with  nobody: the sentry answers         up to a second later still;
 *            forwarding off       (`NdSocket`, `pair/face.ts`)       nobody answers meanwhile
 *
 * The addresses are one group: all are there or none, because half a face is a pair that looks well
 * and is not. An IPv6 address is never preferred as a source (RFC 6724 rule 3): what this machine says
 * in its own name does not come from the VIP.
 */

import { constants } from 'node:os';
import type { Mono } from '../base/units.ts';
import { prepareIpv6 } from './ipv6.ts';
import type { OsError } from './native/netlite.ts';
import { isOsError, netlite, osError } from './native/netlite.ts';
import type { AddressRequest } from './netlink.ts';
import { Netlink } from './netlink.ts';

/** The kernel may remove an address a little before its last second is full: fuzz and one tick. */
const EARLY_MS = 40;
const { EADDRINUSE, EADDRNOTAVAIL, EALREADY, EINVAL } = constants.errno;

export class VipDevice {
  readonly name: string;
  readonly #fd: number;
  readonly #netlink: Netlink;
  #ips: readonly string[] = [];
  #expiresAt: Mono = 0;
  #closed = false;

  private constructor(name: string, fd: number, netlink: Netlink) {
    this.name = name;
    this.#fd = fd;
    this.#netlink = netlink;
  }

  /**
   * Makes the device and brings it up, without an address: a backup has it ready. Open it after
   * the packet sockets (see `packet.ts`).
   * @param ipv6 whether it will carry IPv6 addresses; without, IPv6 is off on it.
   * @returns EBUSY when another process holds a device of that name, EAFNOSUPPORT when IPv6 is
   * wanted and cannot be switched on.
   */
  static open(name: string, ipv6 = false): VipDevice | OsError {
    const netlink = Netlink.open();
    if (isOsError(netlink)) return netlink;
    const fd = netlite.tunOpen(name);
    const fault =
      fd < 0 ? osError('tunOpen', fd) : (prepareIpv6(name, ipv6) ?? netlink.setLinkUp(name));
    if (fault === undefined) return new VipDevice(name, fd, netlink);
    netlink.close();
    if (fd >= 0) netlite.close(fd);
    return fault;
  }

  /** The addresses while they are claimed, expired or not; none otherwise. */
  get ips(): readonly string[] {
    return this.#ips;
  }

  /** Until when the addresses are certainly still there, unless renewed. On CLOCK_MONOTONIC. */
  get expiresAt(): Mono {
    return this.#expiresAt;
  }

  /**
   * @returns EADDRINUSE when this machine has one of the addresses elsewhere, where it would outlive
   * the process: for the start, and for every claim.
   */
  taken(ips: readonly string[]): OsError | undefined {
    const all = this.#netlink.addresses();
    if (isOsError(all)) return all;
    const index = netlite.ifIndex(this.name);
    const other = all.find((a) => a.index !== index && ips.includes(a.ip));
    return other === undefined ? undefined : osError(`address ${other.ip}`, -EADDRINUSE);
  }

  /**
   * Claims all addresses for `lifetimeSec` whole seconds, at least 1.
   * @returns undefined when the kernel has them; EALREADY when some are claimed. After an error there
   * is none: one that could not even be taken back expires.
   */
  claim(ips: readonly string[], lifetimeSec: number): OsError | undefined {
    if (this.#ips.length > 0) return osError('claim', -EALREADY);
    if (ips.length === 0) return osError('claim', -EINVAL);
    const taken = this.taken(ips);
    if (taken !== undefined) return taken;
    const from = netlite.monotonic();
    this.#ips = [...ips];
    const fault = this.#write(lifetimeSec);
    if (fault !== undefined) {
      this.#remove();
      this.#ips = [];
      return fault;
    }
    this.#expiresAt = from + lifetimeSec * 1000 - EARLY_MS;
    return undefined;
  }

  /**
   * Extends the lifetime. The kernel cannot be told "only if it is still there", so a process that
   * slept past its lease would add the addresses again: the clock is asked before, and after as well,
   * in case the sleep fell between; then they are dropped at once. They are dropped, too, when the
   * kernel refuses one of them.
   * @returns undefined when renewed; EADDRNOTAVAIL when the lease was over.
   */
  renew(lifetimeSec: number): OsError | undefined {
    if (this.#ips.length === 0) return osError('renew', -EADDRNOTAVAIL);
    const from = netlite.monotonic();
    let fault: OsError | undefined;
    if (from < this.#expiresAt) {
      fault = this.#write(lifetimeSec);
      if (fault === undefined && netlite.monotonic() < this.#expiresAt) {
        this.#expiresAt = from + lifetimeSec * 1000 - EARLY_MS;
        return undefined;
      }
    }
    const dropped = this.drop();
    return fault ?? dropped ?? osError('renew', -EADDRNOTAVAIL);
  }

  /** Gives the addresses up, keeps the device. @returns undefined when they are gone. */
  drop(): OsError | undefined {
    const fault = this.#remove();
    if (fault !== undefined) return fault;
    this.#ips = [];
    this.#expiresAt = 0;
    return undefined;
  }

  /** Device and addresses are gone when it returns. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ips = [];
    this.#expiresAt = 0;
    this.#netlink.close();
    netlite.close(this.#fd);
  }

  /** Every address gets the lifetime, or the first refusal is told. */
  #write(lifetimeSec: number): OsError | undefined {
    // 0 would mean "for ever" to netlink: not a lease.
    if (!(lifetimeSec >= 1)) return osError('lifetime', -EINVAL);
    for (const ip of this.#ips) {
      const fault = this.#netlink.addAddress(lease(this.name, ip, lifetimeSec));
      if (fault !== undefined) return { ...fault, call: `${fault.call} ${ip}` };
    }
    return undefined;
  }

  /** Takes every address away, whatever happens with the others; the first refusal is told. */
  #remove(): OsError | undefined {
    let first: OsError | undefined;
    for (const ip of this.#ips) {
      const fault = this.#netlink.delAddress({ ifname: this.name, ip, prefix: prefixOf(ip) });
      // Gone by itself is gone.
      if (fault !== undefined && fault.errno !== EADDRNOTAVAIL) first ??= fault;
    }
    return first;
  }
}

function prefixOf(ip: string): number {
  return ip.includes(':') ? 128 : 32;
}

function lease(ifname: string, ip: string, validLftSec: number): AddressRequest {
  const request = { ifname, ip, prefix: prefixOf(ip), validLftSec };
  // nodad: the sentry has asked the LAN before, and a second of waiting would be a second of outage.
  return prefixOf(ip) === 32 ? request : { ...request, preferredLftSec: 0, nodad: true };
}
