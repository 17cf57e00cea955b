/**
 * By which way a peer is reached now. A row keeps the address a peer had; over a stream that names a
 * connection, and after a takeover there are none. Then a peer that listens where its packets come
 * from is connected to; every other one is waited for: it comes back, and what it has missed is said
 * again (`call/flow.ts`).
 */

import { isReliable, type Peer } from '../../base/peer.ts';
import type { Context } from '../context.ts';
import { literalHop, uriOf } from './address.ts';

/**
 * @param uri where the peer says it listens: a Contact, a Route, a Request-URI. Followed only to the
 * address its packets come from: another one may be anybody's.
 */
export function reach(cx: Context, peer: Peer, uri: string): Peer {
  if (!isReliable(peer.transport) || cx.isOpen(peer)) return peer;
  const hop = literalHop(uri);
  return hop?.transport === peer.transport && hop.ip === peer.ip ? hop : peer;
}

/**
 * The URI that says where a request can be sent anew: its first Route; else what the registration of
 * a phone says, for in its dialogs it may name the port of a connection that is gone (RFC 5626 3.1:
 * many phones listen nowhere else); else its Request-URI.
 */
export function sentBy(route: string, ear: string, uri: string): string {
  if (route !== '') return uriOf(route.slice(7, route.indexOf('\r\n')));
  return ear === '' ? uri : ear;
}

/**
 * Where a response goes when the connection of its request is gone: RFC 3261 18.2.2, "the server
 * SHOULD open a connection to the IP address in the "received" parameter, if present, using the port
 * in the "sent-by" value".
 * @param head the head of the response, which begins with the Via.
 */
export function reachBack(cx: Context, peer: Peer, head: string): Peer {
  if (!isReliable(peer.transport) || cx.isOpen(peer)) return peer;
  const via = /^Via: SIP\/2\.0\/\w+ ([^;\s,]+)/i.exec(head);
  return via === null ? peer : reach(cx, peer, `sip:${via[1]};transport=${peer.transport}`);
}

export function samePeer(a: Peer, b: Peer): boolean {
  return a.port === b.port && a.ip === b.ip && a.transport === b.transport;
}
