/**
 * What a box writes down, and who waits for it: rows in groups or at once (ledger/persister.ts), the
 * word of a new reign, the word that takes back "my peer is stale". Nobody waits for a disk that
 * fails (disk-watch.ts): what it was to keep is kept in memory, loudly.
 */

import type { Epoch, Instant, Millis, Mono } from '../base/units.ts';
import type { BoxRow } from '../ledger/box-row.ts';
import type { DiskWord, PersistBatch } from '../ledger/disk.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type BoxWord, Persister, wordOf } from '../ledger/persister.ts';
import type { Position } from '../ledger/record.ts';
import { DiskWatch } from './disk-watch.ts';
import type { Report } from './terms.ts';

/** The three clocks at one moment. */
export type Clocks = { readonly now: Mono; readonly pairAt: Instant; readonly wallAt: Instant };

export type KeeperOut = {
  readonly persist: PersistBatch[];
  readonly logs: {
    push(line: { readonly level: 'info' | 'warning' | 'alarm'; readonly text: string }): unknown;
  };
};

export class Keeper {
  readonly persister: Persister;
  readonly watch = new DiskWatch();
  /** Everything made so far goes to the disk as soon as it takes something. */
  flushAsked = false;

  private keptTicket = 0;
  private reignTicket = 0;
  /** The batch that takes back "my peer is stale", 0 for none. */
  private trustTicket = 0;

  constructor(ledger: Ledger, groupMs: Millis, box: BoxRow | undefined) {
    this.persister = new Persister(ledger, groupMs, wordOf(box));
  }

  get word(): Readonly<BoxWord> {
    return this.persister.word;
  }

  /** The last reign said is written down, or nothing is waited for. */
  get reignKept(): boolean {
    return this.watch.fails || this.keptTicket >= this.reignTicket;
  }

  /** The same for the word that the peer is no longer stale. Asked once. */
  takeTrust(): boolean {
    const kept = this.trustTicket > 0 && (this.watch.fails || this.keptTicket >= this.trustTicket);
    if (kept) this.trustTicket = 0;
    return kept;
  }

  /**
   * Whether the peer lacks something that was said. A reign calls it stale beforehand, so that one word
   * on the disk is enough; while that reign has made no record, the word is about nothing yet.
   */
  peerIsStale(recordEpoch: Epoch): boolean {
    return this.word.peerStale && this.word.staleEpoch <= recordEpoch;
  }

  /** What the sentry is told first: how this box was left. */
  loaded(ledger: Ledger): Extract<Report, { kind: 'loaded' }> {
    return {
      kind: 'loaded',
      epoch: this.word.epoch,
      lsn: ledger.lsn,
      chain: ledger.chain,
      wasPrimary: this.word.primary,
      peerStale: this.peerIsStale(ledger.epoch),
      fresh: this.word.epoch === 0,
    };
  }

  /** @param position of the last record here: what the peer may lack comes after it. */
  sayReign(epoch: Epoch, position: Position, c: Clocks, out: KeeperOut): void {
    const { staleEpoch, staleLsn } = this.word;
    const since = this.peerIsStale(position.epoch)
      ? { staleEpoch, staleLsn }
      : { staleEpoch: epoch, staleLsn: position.lsn };
    const reign = { epoch, primary: true, peerStale: true, ...since, led: epoch };
    this.persister.change(reign);
    this.reignTicket = this.sayNow(c, out);
    this.flushAsked = true;
  }

  /** The primary's history is ours, with all that this box led in it. */
  proven(): void {
    if (this.word.led > 0) this.persister.change({ led: 0 });
    if (this.word.peerStale) {
      this.persister.change({ peerStale: false, staleEpoch: 0, staleLsn: 0 });
    }
  }

  /**
   * The peer holds everything again. Taken back on the medium before it is believed: else a power
   * cut brings back a box that calls its peer stale, goes first by that word, and knows nothing of
   * what the peer acknowledged since.
   */
  sayTrust(c: Clocks, out: KeeperOut): void {
    Object.assign(this.persister.word, { peerStale: false, staleEpoch: 0, staleLsn: 0 });
    this.trustTicket = this.sayNow(c, out);
  }

  /** The word that the peer is stale, which is in `word` already. */
  sayStale(c: Clocks, out: KeeperOut): void {
    this.trustTicket = 0;
    this.sayNow(c, out);
    this.flushAsked = true;
  }

  private sayNow(c: Clocks, out: KeeperOut): number {
    return this.persister.sayNow(c.now, c.pairAt, c.wallAt, out.persist);
  }

  /** Looks whether the disk is silent too long. `waited`: a call or a reign waits for it. */
  look(now: Mono, waited: boolean, out: KeeperOut): void {
    this.watch.look(now, this.persister.oldest, waited || this.trustTicket > 0, out.logs);
  }

  /** Hands over what is due. `durable`: every record is waited for. */
  turn(durable: boolean, c: Clocks, out: KeeperOut): void {
    this.persister.turn(c.now, durable, this.flushAsked, c.pairAt, c.wallAt, out.persist);
    if (this.persister.idle) this.flushAsked = false;
  }

  /** The disk answers, or complains. */
  says(word: DiskWord, now: Mono, out: KeeperOut): void {
    switch (word.kind) {
      case 'synced': {
        this.watch.flashBytes = word.flashBytes;
        const at = this.persister.synced(word.ticket);
        this.keptTicket = Math.max(this.keptTicket, word.ticket);
        if (at > 0 && this.watch.answered(now, now - at)) this.persister.probe();
        return;
      }
      case 'disk-fault':
        this.watch.fault(word.text, out.logs);
        return;
      case 'disk-replaced':
        this.watch.replaced += 1;
        out.logs.push({ level: 'alarm', text: `disk: ${word.text}, set aside as ${word.name}` });
        this.persister.lost();
        return;
      case 'disk-kept': {
        const text = `rows of a reign that lost are kept in ${word.name}, and not merged`;
        out.logs.push({ level: 'warning', text });
        return;
      }
    }
  }

  /** Facts for `status`. */
  view(): {
    readonly durableLsn: number;
    readonly diskBatches: number;
    readonly diskBytes: number;
    readonly flashBytes: number;
    readonly disk: DiskWatch['state'];
    readonly diskFaults: number;
    readonly diskStalls: number;
    readonly diskReplaced: number;
  } {
    const { persister, watch } = this;
    return {
      durableLsn: persister.durableLsn,
      diskBatches: persister.batches,
      diskBytes: persister.bytes,
      flashBytes: watch.flashBytes,
      disk: watch.state,
      diskFaults: watch.faults,
      diskStalls: watch.stalls,
      diskReplaced: watch.replaced,
    };
  }
}
