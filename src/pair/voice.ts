/**
 * A box's voice: what it has to say, and whether it may. Effects wait here until the gate opens
 * (gate.ts) and the lease holds. Here too is decided to go on *alone* when the peer stops
 * acknowledging: first durably and aloud, then with the own disk as the second place.
 */

import type { Millis, Mono } from '../base/units.ts';
import type { Persister } from '../ledger/persister.ts';
import { type GateKind, gateKind, gateOpensAt, type Held, HeldQueue } from './gate.ts';
import type { Mirror } from './mirror.ts';
import type { PairSettings } from './terms.ts';

export class Voice<T extends Held> {
  readonly held = new HeldQueue<T>();
  /** The order to speak was given and not taken back. */
  speaking = false;
  /** How often this box went on without its peer since it started. */
  wentAlone = 0;

  private readonly settings: PairSettings;
  private readonly mirror: Mirror;
  private readonly persister: Persister;
  /** When this box decided to go on alone, 0 when that was part of its reign. */
  private aloneAt: Mono = 0;

  constructor(settings: PairSettings, mirror: Mirror, persister: Persister) {
    this.settings = settings;
    this.mirror = mirror;
    this.persister = persister;
  }

  gate(now: Mono): GateKind {
    const word = this.persister.durableWord;
    return gateKind({
      speaking: this.speaking,
      warm: this.settings.redundancy === 'warm-standby',
      peerInStep: this.mirror.peerInStep,
      aloneIsDurable: word.peerStale && word.primary && now >= this.aloneAt + this.saidMs,
    });
  }

  /** Moves out what may leave now. */
  release(now: Mono, lease: Mono, into: T[]): void {
    if (this.held.size === 0 || now >= lease) return;
    const { ackedLsn } = this.mirror.feed;
    this.held.release(gateOpensAt(this.gate(now), ackedLsn, this.persister.durableLsn), into);
  }

  /** A new reign, or a backup in step: nothing is left to be said about being alone. */
  settleAlone(): void {
    this.aloneAt = 0;
  }

  /** Acknowledgements are later than the operator accepts. */
  late(now: Mono): boolean {
    const since = this.mirror.feed.oldestUnacked;
    return this.mirror.peerInStep && since > 0 && now - since >= this.settings.mirrorWaitMaxMs;
  }

  /**
   * Marks the peer stale if this primary leads without one in step and has not said so yet.
   * @returns true when that was just decided: the caller makes it durable at once.
   */
  goAlone(now: Mono, recordEpoch: number): boolean {
    if (this.mirror.peerInStep || this.persister.word.peerStale) return false;
    this.wentAlone += 1;
    this.aloneAt = now;
    const staleLsn = this.mirror.feed.ackedLsn;
    this.persister.change({ peerStale: true, staleEpoch: recordEpoch, staleLsn });
    return true;
  }

  /** When the voice wants a turn though nothing happens. */
  deadline(now: Mono): Mono {
    let at = Number.POSITIVE_INFINITY;
    const since = this.mirror.feed.oldestUnacked;
    if (this.mirror.peerInStep && since > 0) at = since + this.settings.mirrorWaitMaxMs;
    if (this.held.size === 0) return at;
    // "alone" was just said, or a lease that lapsed for a moment is renewed without an input of ours
    return Math.min(at, now + 10);
  }

  /** Time in which a heartbeat carrying "my peer is stale" has certainly left. */
  private get saidMs(): Millis {
    return this.aloneAt === 0 ? 0 : 2 * this.settings.heartbeatMs;
  }
}
