/**
 * Everything that can happen to the engine of a box. The edge makes these from sockets, threads and
 * files; the simulator makes them from a priority queue. The box cannot tell which.
 */

import type { Peer, Transport } from './base/peer.ts';
import type { ClearRequest } from './call/view/clear.ts';
import type { ProgramInput } from './cti/terms.ts';
import type { DiskWord } from './ledger/disk.ts';
import type { Order } from './pair/terms.ts';
import type { Resolved, SipSettings } from './proto/context.ts';

/** The operator ends a call or a registration; the answer is in `cleared`. */
export type ClearInput = {
  readonly kind: 'clear';
  readonly id: number;
  readonly request: ClearRequest;
};

export type EngineInput =
  /** A SIP message that arrived at the service address; `text` is latin1, a character a byte. */
  | {
      readonly kind: 'sip';
      readonly transport: Transport;
      readonly ip: string;
      readonly port: number;
      readonly text: string;
    }
  /** A connection to this peer stands, or stands no more (either side may have made it). */
  | ({ readonly kind: 'flow'; readonly up: boolean } & Peer)
  /** What was to be said to this peer was not: no connection stands, and none could be made. */
  | ({ readonly kind: 'unreachable' } & Peer)
  /** The crossover stream to the peer stands (either side may have connected). */
  | { readonly kind: 'link-up' }
  /** Bytes of that stream. The engine's own from now on: the ring keeps them as received. */
  | { readonly kind: 'link-data'; readonly bytes: Uint8Array }
  /** The stream ended: FIN, RST or an error. */
  | { readonly kind: 'link-down' }
  /** The disk thread's answers and complaints. */
  | DiskWord
  | { readonly kind: 'order'; readonly order: Order }
  /** What a program asks for, or what its hub has to say. */
  | ProgramInput
  | ClearInput
  /** The name service answered. */
  | { readonly kind: 'resolved'; readonly answer: Resolved }
  /** The operator configured the site anew: what may change while calls go on. */
  | { readonly kind: 'reload'; readonly sip: SipSettings }
  /** Nothing happened but the deadline. */
  | { readonly kind: 'tick' };
