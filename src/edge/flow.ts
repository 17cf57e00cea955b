/**
 * One connection that carries SIP, whatever lies below it: TCP, TLS, WebSocket, WebSocket in TLS.
 * A flow is found by its other side's address (`base/peer.ts`); it is nobody's state, and whoever
 * loses it comes back over another.
 */

import type { Peer } from '../base/peer.ts';
import type { Millis, Mono } from '../base/units.ts';

export type Flow = {
  readonly peer: Peer;
  /** One SIP message, latin1. @returns false when it was not taken: dead, or too much waits. */
  send(text: string): boolean;
  /** Meanwhile what arrives waits in the kernel, and then with the sender. */
  setReading(on: boolean): void;
  /** After what waits has left. */
  end(): void;
  /** From time to time: keeps it alive. @returns why it must end now, '' when it may go on. */
  look(now: Mono): string;
};

export type FlowEvents = {
  /** A whole SIP message. */
  readonly message: (peer: Peer, text: string) => void;
  /** Whether anything may be said now: the lease. */
  readonly mayAnswer: () => boolean;
};

/** When a connection was heard, and when what it says now was begun. */
export class Patience {
  heardAt: Mono;
  /** A message was begun then and is not whole; 0 for none. */
  begunAt: Mono = 0;
  /** A whole message came. */
  spoke = false;

  constructor(now: Mono) {
    this.heardAt = now;
  }

  over(now: Mono, helloMs: Millis, messageMs: Millis, idleMs: Millis): string {
    if (this.begunAt > 0 && now - this.begunAt > messageMs) return 'a message was never whole';
    if (!this.spoke && now - this.heardAt > helloMs) return 'it said nothing';
    return now - this.heardAt > idleMs ? 'it was silent' : '';
  }
}
