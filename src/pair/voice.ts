/**
 * A box's voice: what it has to say, and whether it may. Effects wait here until the gate opens
 * (gate.ts) and the lease holds. Here too is decided to go on *alone* when the peer stops
 * acknowledging: first durably and aloud, then with the own disk as the second place.
 */

import { LIMITS } from '../base/limits.ts';
import type { Lsn, Millis, Mono } from '../base/units.ts';
import type { Persister } from '../ledger/persister.ts';
import { type GateKind, gateKind, gateOpensAt, type Held, HeldQueue } from './gate.ts';
import type { Keeper } from './keeper.ts';
import type { Mirror } from './mirror.ts';
import type { PairSettings } from './terms.ts';

/** How long an idle peer may leave the clock unanswered. */
const SILENT_MS: Millis = 300;

type Facts = {
  readonly gate: GateKind;
  readonly held: number;
  readonly wentAlone: number;
  readonly lateTimes: number;
};

export class Voice<T extends Held> {
  readonly held = new HeldQueue<T>();
  /** The order to speak was given and not taken back. */
  speaking = false;
  /** How often this box went on without its peer since it started. */
  wentAlone = 0;
  /** How often that was because acknowledgements were late. */
  lateTimes = 0;
  /** How long acknowledgements must have been prompt before the peer is trusted again. */
  holdMs: Millis = 0;

  private readonly settings: PairSettings;
  /** Nothing waits, by the operator's choice. */
  private readonly warm: boolean;
  private readonly mirror: Mirror;
  private readonly keeper: Keeper;
  private readonly persister: Persister;
  /** When this box decided to go on alone, 0 when that was part of its reign. */
  private aloneAt: Mono = 0;
  /** While late and prompt again: what was said up to here may not be the peer's yet. -1: not so. */
  private settleLsn: Lsn = -1;
  private lateAt: Mono = Number.NEGATIVE_INFINITY;
  private promptSince: Mono = 0;

  constructor(settings: PairSettings, mirror: Mirror, keeper: Keeper) {
    this.settings = settings;
    this.warm = settings.redundancy === 'warm-standby';
    this.mirror = mirror;
    this.keeper = keeper;
    this.persister = keeper.persister;
  }

  gate(now: Mono): GateKind {
    const word = this.persister.durableWord;
    return gateKind({
      speaking: this.speaking,
      warm: this.warm,
      peerInStep: this.mirror.peerInStep,
      diskFails: this.keeper.watch.fails,
      aloneIsDurable: word.peerStale && word.primary && now >= this.aloneAt + this.saidMs,
    });
  }

  /** What is said needs the own disk, whether or not it works just now. */
  alone(now: Mono): boolean {
    const kind = this.gate(now);
    return kind === 'disk' || (kind === 'open' && !this.warm);
  }

  /** Something is held that only the own disk can let go. */
  get waitsForDisk(): boolean {
    return this.speaking && this.held.size > 0 && !this.mirror.peerInStep;
  }

  /** Moves out what may leave now. */
  release(now: Mono, lease: Mono, into: T[]): void {
    if (this.held.size === 0 || now >= lease) return;
    const { ackedLsn, state } = this.mirror.feed;
    const opensAt = gateOpensAt(this.gate(now), ackedLsn, this.persister.durableLsn);
    // a peer about to be no longer stale may stand before we know: nothing is said without it
    const both = state === 'agreed' || this.settleLsn >= 0;
    this.held.release(both ? Math.min(opensAt, ackedLsn) : opensAt, into);
  }

  /** A new reign, or a backup in step: nothing is left to be said about being alone. */
  settleAlone(): void {
    this.aloneAt = 0;
  }

  /** Acknowledgements are later than the operator accepts. */
  late(now: Mono): boolean {
    const since = this.mirror.feed.oldestUnacked;
    // a warm-standby pair waits for none
    const late = !this.warm && since > 0 && now - since >= this.settings.mirrorWaitMaxMs;
    return this.mirror.peerInStep && (late || this.silent(now));
  }

  /**
   * Takes note that they are. A crossover that loses or delays makes them late again and again: each
   * time costs the calls of that moment a wait, so it is come back from more and more slowly.
   * @returns whether this is news: not one of a row of such times.
   */
  distrust(now: Mono): boolean {
    const again = now - this.lateAt < LIMITS.trustWindowMs + 2 * this.holdMs;
    this.lateAt = now;
    this.lateTimes += 1;
    this.holdMs = again
      ? Math.min(LIMITS.trustMaxMs, Math.max(LIMITS.trustMs, 2 * this.holdMs))
      : 0;
    this.promptSince = now;
    this.mirror.feed.distrust();
    return !again;
  }

  /**
   * Looks once a turn whether acknowledgements that were late are prompt again. Under load some are
   * always under way, so it is not waited until none is, only until the peer has everything that
   * was said on the word of the disk alone. @returns true when it has.
   */
  prompt(now: Mono): boolean {
    const { state, ackedLsn } = this.mirror.feed;
    const slow = now >= this.slowAt() || this.silent(now);
    if (slow) this.promptSince = now;
    if (state !== 'late' || slow) this.settleLsn = -1;
    else if (this.settleLsn < 0 && now - this.promptSince >= this.holdMs) {
      this.settleLsn = this.persister.durableLsn;
    }
    return this.settleLsn >= 0 && ackedLsn >= this.settleLsn;
  }

  /** When an answer that is waited for begins to be slow: before it is late. */
  private slowAt(): Mono {
    const { oldestUnacked, askedAt } = this.mirror.feed;
    const asked = [oldestUnacked];
    // after a second time the clock's answers count too: an idle pair makes no records
    if (this.holdMs > 0) asked.push(askedAt);
    const first = Math.min(...asked.map((at) => (at > 0 ? at : Number.POSITIVE_INFINITY)));
    return first + this.settings.mirrorWaitMaxMs / 2;
  }

  /**
   * Marks the peer stale if this primary leads without one in step and has not said so yet.
   * @returns true when that was just decided: the caller makes it durable at once.
   */
  goAlone(now: Mono, recordEpoch: number): boolean {
    if (this.mirror.peerInStep || this.mirror.feed.state === 'agreed') return false;
    if (this.persister.word.peerStale) return false;
    this.wentAlone += 1;
    this.aloneAt = now;
    const staleLsn = this.mirror.feed.ackedLsn;
    this.persister.change({ peerStale: true, staleEpoch: recordEpoch, staleLsn });
    return true;
  }

  /** Facts for `status`. */
  view(now: Mono): Facts {
    const { held, wentAlone, lateTimes } = this;
    return { gate: this.gate(now), held: held.size, wentAlone, lateTimes };
  }

  /** When the voice wants a turn though nothing happens. */
  deadline(now: Mono): Mono {
    let at = Number.POSITIVE_INFINITY;
    const since = this.mirror.feed.oldestUnacked;
    if (!this.warm && this.mirror.peerInStep && since > 0) {
      at = since + this.settings.mirrorWaitMaxMs;
      // late, and without the lease that a decision needs
      if (at <= now) at = now + 10;
    }
    const slowAt = this.mirror.feed.state === 'late' ? this.slowAt() : now;
    if (slowAt > now) {
      // a slow answer, and the end of the wait, are noticed though nothing happens meanwhile
      const waits = this.settleLsn < 0 && this.holdMs > 0;
      if (waits) at = Math.max(now + 1, this.promptSince + this.holdMs);
      at = Math.min(at, slowAt);
    }
    if (this.held.size === 0) return at;
    // "alone" was just said, or a lease that lapsed for a moment is renewed without an input of ours
    return Math.min(at, now + 10);
  }

  /** The peer does not even answer the clock: it is gone though nobody said so. */
  private silent(now: Mono): boolean {
    const { askedAt } = this.mirror.feed;
    return askedAt > 0 && now - askedAt >= Math.max(SILENT_MS, this.settings.mirrorWaitMaxMs);
  }

  /** Time in which a heartbeat carrying "my peer is stale" has certainly left. */
  private get saidMs(): Millis {
    return this.aloneAt === 0 ? 0 : 2 * this.settings.heartbeatMs;
  }
}
