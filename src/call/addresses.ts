/**
 * Addresses of a configured contact, as they stand in its row, and the order in which they are used
 * (RFC 3263 4.2, RFC 2782). The name service was asked by the edge; a row keeps what it said last, so
 * that a call can be made while it is down, and by a box that has just become primary.
 */

import { below, type Chance } from '../base/chance.ts';
import { type Peer, TRANSPORTS } from '../base/peer.ts';
import type { Address, SipSettings } from '../proto/context.ts';
import { isOurs, literalHop } from '../proto/sip/address.ts';
import { isFault, parseUri } from '../sip-parser/index.ts';
import type { Contact } from './trunk-rows.ts';

/** Addresses of one contact that are kept and tried. */
export const MOST_ADDRESSES = 16;

/** As a row keeps them. What leads back to ourselves is left out: it would ring for ever. */
export function addressesText(settings: SipSettings, all: readonly Address[]): string {
  return all
    .filter((a) => !isOurs(settings, a.ip))
    .slice(0, MOST_ADDRESSES)
    .map((a) => `${a.transport} ${a.ip} ${a.port} ${a.priority} ${a.weight}`)
    .join(',');
}

/** The address a URI names by itself; undefined when its host is a name. */
export function literalAddress(uri: string): Address | undefined {
  const hop = literalHop(uri);
  return hop === undefined ? undefined : { ...hop, priority: 0, weight: 0 };
}

export function addressesOf(row: Contact): readonly Address[] {
  if (row.addresses === '') return [];
  return row.addresses.split(',').flatMap((text) => {
    const [name, ip = '', port, priority, weight] = text.split(' ');
    const transport = TRANSPORTS.find((t) => t === name);
    if (transport === undefined) return [];
    return [
      { transport, ip, port: Number(port), priority: Number(priority), weight: Number(weight) },
    ];
  });
}

/**
 * Hosts of the URIs that lead to a peer: whom it must be where it has to prove that (RFC 5922 7). The
 * row keeps the URI with what it resolved to, so a box that has just become primary asks the same.
 */
export function hostsAt(rows: Iterable<Contact>, peer: Peer): readonly string[] {
  const exact = new Set<string>();
  const near = new Set<string>();
  for (const row of rows) {
    for (const { transport, ip, port } of addressesOf(row)) {
      if (ip !== peer.ip || transport !== peer.transport) continue;
      const uri = parseUri(row.uri);
      if (!isFault(uri)) (port === peer.port ? exact : near).add(uri.host);
    }
  }
  // another port of the same neighbour: its Contact in a dialog
  return [...(exact.size > 0 ? exact : near)];
}

/** True when `ip` is one of them. */
export function isAt(row: Contact, ip: string): boolean {
  return row.addresses.includes(` ${ip} `);
}

/**
 * RFC 2782: the lowest priority first; within one, drawn by weight. The one that answered the last
 * check goes before all.
 */
export function inOrder(chance: Chance, row: Contact): readonly Address[] {
  const left = [...addressesOf(row)];
  if (left.length < 2) return left;
  const out: Address[] = row.at > 0 && row.at < left.length ? left.splice(row.at, 1) : [];
  while (left.length > 0) {
    const least = Math.min(...left.map((a) => a.priority));
    const same = left.filter((a) => a.priority === least);
    const next = same.length === 1 ? (same[0] as Address) : drawn(chance, same);
    left.splice(left.indexOf(next), 1);
    out.push(next);
  }
  return out;
}

/** RFC 2782: weight 0 first in line, then the running sum reaches a number drawn 0 .. sum. */
function drawn(chance: Chance, same: readonly Address[]): Address {
  const line = [...same].sort((a, b) => Math.sign(a.weight) - Math.sign(b.weight));
  const sum = line.reduce((all, a) => all + a.weight, 0);
  // all alike: in the order they came
  if (sum === 0) return line[0] as Address;
  let rest = below(chance, sum + 1);
  for (const a of line) {
    rest -= a.weight;
    if (rest <= 0) return a;
  }
  return line.at(-1) as Address;
}

/** Key of the row that says where a media service is. */
export function serviceKey(name: string): string {
  return `service#${name}`;
}
