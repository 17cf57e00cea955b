/**
 * Takes the carrier of an interface away for a moment: the switch at its other end sees the port go
 * down and forgets every address it had learned there, also on switches that believe no gratuitous
 * ARP. A port that does spanning tree, or a slow autonegotiation, then costs seconds of service: it
 * is a last resort, for an operator who has seen that nothing else helps.
 *
 * Going down costs the interface more than the carrier: IPv6 addresses and all routes that were set
 * (the default route among them). They are written down before and given back after, addresses with
 * what is left of their lifetime. Sockets and multicast memberships stay.
 */

import type { OsError } from './native/netlite.ts';
import { isOsError, netlite, osError } from './native/netlite.ts';
import { Netlink } from './netlink.ts';
import { belongings, giveBack } from './netlink-link.ts';

/**
 * @returns undefined when the interface is up again with all it had; otherwise the first thing that
 * failed. Nothing is taken down unless everything could be written down, and whatever fails then,
 * the interface is switched on again.
 */
export function bounceCarrier(ifname: string): OsError | undefined {
  const index = netlite.ifIndex(ifname);
  if (index < 0) return osError('ifIndex', index);
  const netlink = Netlink.open();
  if (isOsError(netlink)) return netlink;
  const had = belongings(netlink, index);
  const fault = isOsError(had) ? had : (bounce(netlink, ifname) ?? giveBack(netlink, had));
  netlink.close();
  return fault;
}

function bounce(netlink: Netlink, ifname: string): OsError | undefined {
  const down = netlink.setLinkDown(ifname);
  const up = netlink.setLinkUp(ifname);
  return up ?? down;
}
