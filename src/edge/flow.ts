/**
 * One connection that carries SIP, whatever lies below it: TCP, TLS, WebSocket, WebSocket in TLS.
 * A flow is found by its other side's address (`base/peer.ts`); it is nobody's state, and whoever
 * loses it comes back over another.
 */

import { LIMITS } from '../base/limits.ts';
import type { Peer } from '../base/peer.ts';
import type { Millis, Mono } from '../base/units.ts';

export type Flow = {
  readonly peer: Peer;
  /** One SIP message, latin1. @returns false when it was not taken: dead, or too much waits. */
  send(text: string): boolean;
  /** What was said since the last flush leaves, in one system call where that is possible. */
  flush(): void;
  /** Meanwhile what arrives waits in the kernel, and then with the sender. */
  setReading(on: boolean): void;
  /** From time to time: keeps it alive. @returns why it must end now, '' when it may go on. */
  look(now: Mono, limits: FlowLimits): string;
};

export type FlowEvents = {
  /** A whole SIP message. */
  readonly message: (peer: Peer, text: string) => void;
  /** Whether anything may be said now: the lease. */
  readonly mayAnswer: () => boolean;
};

/** How much of everything there may be, and how long it may take; see `LIMITS`. */
export type FlowLimits = {
  readonly flows: number;
  readonly perSource: number;
  readonly shaking: number;
  readonly helloMs: Millis;
  readonly messageMs: Millis;
  readonly idleMs: Millis;
  readonly pingMs: Millis;
  readonly connects: number;
  readonly connectMs: Millis;
};

export const FLOW_LIMITS: FlowLimits = {
  flows: LIMITS.flows,
  perSource: LIMITS.flowsPerSource,
  shaking: LIMITS.flowsShaking,
  helloMs: LIMITS.flowHelloMs,
  messageMs: LIMITS.flowMessageMs,
  idleMs: LIMITS.flowIdleMs,
  pingMs: LIMITS.webPingMs,
  connects: LIMITS.connects,
  connectMs: LIMITS.connectMs,
};

/** When a connection was heard, and when what it says now was begun. */
export class Patience {
  heardAt: Mono;
  /** A message was begun then and is not whole; 0 for none. */
  begunAt: Mono = 0;
  /** It may be silent: it has spoken, or it is ours. */
  spoke = false;
  private readonly since: Mono;

  constructor(now: Mono) {
    this.since = now;
    this.heardAt = now;
  }

  /** @returns why it must end, '' when it may go on. */
  over(now: Mono, { helloMs, messageMs, idleMs }: FlowLimits): string {
    if (this.begunAt > 0 && now - this.begunAt > messageMs) return 'a message was never whole';
    if (!this.spoke && now - this.since > helloMs) return 'it said nothing';
    return now - this.heardAt > idleMs ? 'it was silent' : '';
  }
}
