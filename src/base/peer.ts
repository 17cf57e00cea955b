/**
 * Whom SIP is spoken with: a transport and a remote socket address. Over a stream that names one
 * connection too, for no two of them have the same remote address and port at once. So a connection
 * is not state: rows keep addresses, and a new primary, which has none of the connections, finds
 * each again when its other side comes back or is called.
 */

/** Order is that of the rows and of the wire: append only. */
export const TRANSPORTS = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;

export type Transport = (typeof TRANSPORTS)[number];

export type Peer = { readonly transport: Transport; readonly ip: string; readonly port: number };

/** RFC 3261 17: over a reliable transport nothing is repeated to make it arrive. */
export function isReliable(transport: Transport): boolean {
  return transport !== 'udp';
}
