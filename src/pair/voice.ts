/**
 * A box's voice: what it has to say, and whether it may. Effects wait here until the gate opens
 * (gate.ts) and the lease holds. Here too is decided to go on *alone* when the peer stops
 * acknowledging: first durably and aloud, then with the own disk as the second place.
 */

import type { Lsn, Millis, Mono } from '../base/units.ts';
import type { Persister } from '../ledger/persister.ts';
import { type GateKind, gateKind, gateOpensAt, type Held, HeldQueue } from './gate.ts';
import type { Keeper } from './keeper.ts';
import type { Mirror } from './mirror.ts';
import type { PairSettings } from './terms.ts';

/** How long an idle peer may leave the clock unanswered. */
const SILENT_MS: Millis = 300;

export class Voice<T extends Held> {
  readonly held = new HeldQueue<T>();
  /** The order to speak was given and not taken back. */
  speaking = false;
  /** How often this box went on without its peer since it started. */
  wentAlone = 0;

  private readonly settings: PairSettings;
  private readonly mirror: Mirror;
  private readonly keeper: Keeper;
  private readonly persister: Persister;
  /** When this box decided to go on alone, 0 when that was part of its reign. */
  private aloneAt: Mono = 0;
  /** While late and prompt again: what was said up to here may not be the peer's yet. -1: not so. */
  private settleLsn: Lsn = -1;

  constructor(settings: PairSettings, mirror: Mirror, keeper: Keeper) {
    this.settings = settings;
    this.mirror = mirror;
    this.keeper = keeper;
    this.persister = keeper.persister;
  }

  gate(now: Mono): GateKind {
    const word = this.persister.durableWord;
    return gateKind({
      speaking: this.speaking,
      warm: this.settings.redundancy === 'warm-standby',
      peerInStep: this.mirror.peerInStep,
      diskFails: this.keeper.watch.fails,
      aloneIsDurable: word.peerStale && word.primary && now >= this.aloneAt + this.saidMs,
    });
  }

  /** What is said needs the own disk, whether or not it works just now. */
  alone(now: Mono): boolean {
    const kind = this.gate(now);
    const warm = this.settings.redundancy === 'warm-standby';
    return kind === 'disk' || (kind === 'open' && !warm);
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
    const late = since > 0 && now - since >= this.settings.mirrorWaitMaxMs;
    return this.mirror.peerInStep && (late || this.silent(now));
  }

  /**
   * Looks once a turn whether acknowledgements that were late are prompt again. Under load some are
   * always under way, so it is not waited until none is, only until the peer has everything that
   * was said on the word of the disk alone. @returns true when it has.
   */
  prompt(now: Mono): boolean {
    const { state, oldestUnacked: since, ackedLsn } = this.mirror.feed;
    const slow = since > 0 && 2 * (now - since) >= this.settings.mirrorWaitMaxMs;
    const late = slow || this.silent(now);
    if (state !== 'late' || late) this.settleLsn = -1;
    else if (this.settleLsn < 0) this.settleLsn = this.persister.durableLsn;
    return this.settleLsn >= 0 && ackedLsn >= this.settleLsn;
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

  /** When the voice wants a turn though nothing happens. */
  deadline(now: Mono): Mono {
    let at = Number.POSITIVE_INFINITY;
    const since = this.mirror.feed.oldestUnacked;
    if (this.mirror.peerInStep && since > 0) at = since + this.settings.mirrorWaitMaxMs;
    // late, and without the lease that a decision needs
    if (at <= now) at = now + 10;
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
