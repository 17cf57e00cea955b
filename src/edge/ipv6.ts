/**
 * IPv6 of one interface as the kernel has it: what must be so before an IPv6 VIP can work, asked at
 * the start of a box, and the quiet that a VIP device wants.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { type OsError, osError } from './native/netlite.ts';

const { EAFNOSUPPORT } = constants.errno;
const LINK_SCOPE = 0x20;
const IFA_F_TENTATIVE = 0x40;
/** `addr_gen_mode`: no link-local address by itself. */
const NO_ADDRESS = '1';

/**
 * With `disable_ipv6` the kernel drops every IPv6 packet that arrives there.
 * @returns undefined when IPv6 is on; the error's `call` names the setting.
 */
export function ipv6Off(ifname: string): OsError | undefined {
  const name = `disable_ipv6`;
  const value = read(ifname, name);
  if (value === '0') return undefined;
  const what = value === undefined ? 'no IPv6' : `net.ipv6.conf.${ifname}.${name} is ${value}`;
  return osError(value === undefined ? `${what} on ${ifname}` : what, -EAFNOSUPPORT);
}

/**
 * Without a link-local address on the LAN the kernel asks nobody for a neighbour on behalf of the
 * VIP (its solicitations come from an address of the interface they leave by), so nothing that is
 * sent from the VIP arrives. One that is still being checked (tentative) does not count.
 */
export function hasLinkLocal(ifname: string): boolean {
  let text: string;
  try {
    text = readFileSync('/proc/net/if_inet6', 'latin1');
  } catch {
    return false;
  }
  // address, index, prefix, scope, flags (hexadecimal), name
  return text.split('\n').some((line) => {
    const [, , , scope, flags, name] = line.trim().split(/\s+/);
    if (name !== ifname || Number.parseInt(scope ?? '', 16) !== LINK_SCOPE) return false;
    return (Number.parseInt(flags ?? '', 16) & IFA_F_TENTATIVE) === 0;
  });
}

/**
 * Before a VIP device is brought up: IPv6 on or off as wanted, and no address but ours, so that the
 * kernel solicits no router there. Without the right to do so (/proc/sys read-only) what is there is
 * used: a link-local address on that device is noise that nobody hears.
 * @returns why IPv6 is not on although wanted.
 */
export function prepareIpv6(ifname: string, wanted: boolean): OsError | undefined {
  write(ifname, 'addr_gen_mode', NO_ADDRESS);
  write(ifname, 'disable_ipv6', wanted ? '0' : '1');
  return wanted ? ipv6Off(ifname) : undefined;
}

function path(ifname: string, name: string): string {
  return `/proc/sys/net/ipv6/conf/${ifname}/${name}`;
}

function read(ifname: string, name: string): string | undefined {
  try {
    return readFileSync(path(ifname, name), 'latin1').trim();
  } catch {
    return undefined;
  }
}

function write(ifname: string, name: string, value: string): void {
  try {
    writeFileSync(path(ifname, name), value);
  } catch {
    // said above: what is there is used
  }
}
