/**
 * The virtual address as a lease that the kernel enforces.
 *
 * It lives, as a /32, on a TUN device that only this process holds open. Linux answers ARP for it on
 * the service LAN (weak host model, arp_ignore 0, which is the default), and takes device and address
 * away in the same instant when the process ends, however it ends. The address also has a lifetime,
 * so it goes by itself when the process is frozen.
 *
 * IPv4 only: neighbour discovery answers only for addresses of the interface that was asked, so an
 * IPv6 address belongs on the LAN interface (`Netlink.addAddress` with a lifetime and `nodad`).
 */

import { constants } from 'node:os';
import type { Mono } from '../base/units.ts';
import type { OsError } from './native/netlite.ts';
import { isOsError, netlite, osError } from './native/netlite.ts';
import { Netlink } from './netlink.ts';

/** The kernel may remove an address a little before its last second is full: fuzz and one tick. */
const EARLY_MS = 40;
const { EADDRNOTAVAIL, EAFNOSUPPORT, EALREADY, EINVAL } = constants.errno;

export class VipDevice {
  readonly name: string;
  readonly #fd: number;
  readonly #netlink: Netlink;
  #ip: string | undefined;
  #expiresAt: Mono = 0;
  #closed = false;

  private constructor(name: string, fd: number, netlink: Netlink) {
    this.name = name;
    this.#fd = fd;
    this.#netlink = netlink;
  }

  /**
   * Makes the device and brings it up, without an address: a backup has it ready.
   * @returns EBUSY when another process holds a device of that name.
   */
  static open(name: string): VipDevice | OsError {
    const netlink = Netlink.open();
    if (isOsError(netlink)) return netlink;
    const fd = netlite.tunOpen(name);
    const fault = fd < 0 ? osError('tunOpen', fd) : netlink.setLinkUp(name);
    if (fault === undefined) return new VipDevice(name, fd, netlink);
    netlink.close();
    if (fd >= 0) netlite.close(fd);
    return fault;
  }

  /** The address while it is claimed, expired or not. */
  get ip(): string | undefined {
    return this.#ip;
  }

  /** Until when the address is certainly still there, unless renewed. On CLOCK_MONOTONIC. */
  get expiresAt(): Mono {
    return this.#expiresAt;
  }

  /**
   * Claims the address for `lifetimeSec` whole seconds, at least 1.
   * @returns undefined when the kernel has it; EALREADY when one is claimed.
   */
  add(ip: string, lifetimeSec: number): OsError | undefined {
    if (ip.includes(':')) return osError('add', -EAFNOSUPPORT);
    if (this.#ip !== undefined) return osError('add', -EALREADY);
    const from = netlite.monotonic();
    const fault = this.#write(ip, lifetimeSec);
    if (fault !== undefined) return fault;
    this.#ip = ip;
    this.#expiresAt = from + lifetimeSec * 1000 - EARLY_MS;
    return undefined;
  }

  /**
   * Extends the lifetime. The kernel cannot be told "only if it is still there", so a process that
   * slept past its lease would add the address again: the clock is asked before, and after as well,
   * in case the sleep fell between; then the address is dropped at once.
   * @returns undefined when renewed; EADDRNOTAVAIL when the lease was over: it is dropped now.
   */
  renew(lifetimeSec: number): OsError | undefined {
    const ip = this.#ip;
    if (ip === undefined) return osError('renew', -EADDRNOTAVAIL);
    const from = netlite.monotonic();
    if (from < this.#expiresAt) {
      const fault = this.#write(ip, lifetimeSec);
      if (fault !== undefined) return fault;
      if (netlite.monotonic() < this.#expiresAt) {
        this.#expiresAt = from + lifetimeSec * 1000 - EARLY_MS;
        return undefined;
      }
    }
    const fault = this.drop();
    return fault ?? osError('renew', -EADDRNOTAVAIL);
  }

  /** Gives the address up, keeps the device. @returns undefined when it is gone. */
  drop(): OsError | undefined {
    const ip = this.#ip;
    if (ip === undefined) return undefined;
    const fault = this.#netlink.delAddress({ ifname: this.name, ip, prefix: 32 });
    // Gone by itself is gone.
    if (fault !== undefined && fault.errno !== EADDRNOTAVAIL) return fault;
    this.#ip = undefined;
    this.#expiresAt = 0;
    return undefined;
  }

  /** Device and address are gone when it returns. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ip = undefined;
    this.#expiresAt = 0;
    this.#netlink.close();
    netlite.close(this.#fd);
  }

  #write(ip: string, lifetimeSec: number): OsError | undefined {
    // 0 would mean "for ever" to netlink: not a lease.
    if (!(lifetimeSec >= 1)) return osError('lifetime', -EINVAL);
    return this.#netlink.addAddress({
      ifname: this.name,
      ip,
      prefix: 32,
      validLftSec: lifetimeSec,
    });
  }
}
