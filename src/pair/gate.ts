/**
 * When a held effect may leave. Every SIP message is stamped at birth with the head of the journal
 * and leaves when that record is safe in two places. Which two, the table says.
 *
 * "Alone" is a durable fact: the box first writes that its peer is stale, and says so on every path
 * that still works, and only then lets its own disk open the gate. A backup that was left behind
 * therefore knows it, or learns it before it can be asked to lead.
 */

import type { Lsn } from '../base/units.ts';

export type GateKind = 'shut' | 'peer' | 'disk' | 'open';

export type GateFacts = {
  /** The order to speak was given and not taken back. */
  readonly speaking: boolean;
  readonly warm: boolean;
  /** The peer is in step and acknowledges in time. */
  readonly peerInStep: boolean;
  /** "My peer is stale" is on our disk and was said. */
  readonly aloneIsDurable: boolean;
  /** Our disk says that it cannot write, or has said nothing for too long. */
  readonly diskFails: boolean;
};

/** First row that fits decides. `undefined`: either. */
export const GATE_TABLE: readonly {
  readonly speaking?: boolean;
  readonly warm?: boolean;
  readonly peerInStep?: boolean;
  readonly aloneIsDurable?: boolean;
  readonly diskFails?: boolean;
  readonly gate: GateKind;
  readonly because: string;
}[] = [
  { speaking: false, gate: 'shut', because: 'a backup has no voice' },
  { warm: true, gate: 'open', because: 'the operator chose not to wait' },
  { peerInStep: true, gate: 'peer', because: 'both boxes must die at once to lose it' },
  { diskFails: true, gate: 'open', because: 'calls go on from memory, with an alarm' },
  { aloneIsDurable: true, gate: 'disk', because: 'a restart of this box must not lie' },
  { gate: 'shut', because: 'being alone is not yet durable' },
];

export function gateKind(f: GateFacts): GateKind {
  for (const row of GATE_TABLE) {
    if (row.speaking !== undefined && row.speaking !== f.speaking) continue;
    if (row.warm !== undefined && row.warm !== f.warm) continue;
    if (row.peerInStep !== undefined && row.peerInStep !== f.peerInStep) continue;
    if (row.aloneIsDurable !== undefined && row.aloneIsDurable !== f.aloneIsDurable) continue;
    if (row.diskFails !== undefined && row.diskFails !== f.diskFails) continue;
    return row.gate;
  }
  return 'shut';
}

/** The highest stamp that may leave. */
export function gateOpensAt(kind: GateKind, ackedLsn: Lsn, durableLsn: Lsn): Lsn {
  switch (kind) {
    case 'shut':
      return -1;
    case 'peer':
      return ackedLsn;
    case 'disk':
      return durableLsn;
    case 'open':
      return Number.MAX_SAFE_INTEGER;
  }
}

/** What can be held: the stamp is the record it rests on. */
export type Held = { stamp: Lsn };

/** Held effects in birth order. One comparison each, impossible to get wrong. */
export class HeldQueue<T extends Held> {
  private items: T[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(effect: T): void {
    this.items.push(effect);
  }

  /** Lowers the stamp of the last `n`: their transaction turned out to change nothing. */
  restamp(n: number, stamp: Lsn): void {
    for (let i = this.items.length - n; i < this.items.length; i += 1) {
      (this.items[i] as T).stamp = stamp;
    }
  }

  /** Moves out what may leave. */
  release(opensAt: Lsn, into: T[]): void {
    while (this.head < this.items.length) {
      const first = this.items[this.head] as T;
      if (first.stamp > opensAt) break;
      into.push(first);
      this.head += 1;
    }
    if (this.head === this.items.length) {
      this.items.length = 0;
      this.head = 0;
    } else if (this.head > 4096) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
  }

  /** Forgets everything: a box that lost its voice has nothing to say. @returns how many. */
  clear(): number {
    const n = this.size;
    this.items.length = 0;
    this.head = 0;
    return n;
  }
}
