/**
 * The primary's side of the mirror: it brings a joining backup to its own position, in measured
 * pieces while calls go on, compares every row once, and only then calls it in step.
 *
 *   none ──join──► ring ──► check ──► live        the backup's position is in the ring
 *          └─────► rows ──► check ──► live        it is not: a snapshot
 *                                    ▲  │
 *                        prompt again│  ▼acks late
 *                                    late         the chain proves the history: no new comparison
 */

import { type Fault, fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import type { Instant, Lsn, Millis, Mono } from '../base/units.ts';
import { encodeRows } from '../ledger/batch.ts';
import { type LiveRow, putVarint } from '../ledger/codec.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ORIGIN, type Position } from '../ledger/record.ts';
import { rowHash } from '../ledger/tables.ts';
import {
  FRAME,
  type FrameView,
  frame,
  POSITION_SIZE,
  positionFrame,
  putPosition,
} from '../wire/frame.ts';
import { Lateness } from './lateness.ts';
import { type MirrorFault, type MirrorOut, viewOf } from './mirror-terms.ts';

/**
 * ring: catching up. rows: snapshot. check: comparing. agreed: nothing is missing, and "my peer is
 * stale" is being taken back on the disk. live: in step. late: acks are too late.
 */
export type FeedState = 'none' | 'ring' | 'rows' | 'check' | 'agreed' | 'live' | 'late';

/** Nothing is left to be sent in bulk. */
const SETTLED: readonly FeedState[] = ['agreed', 'live', 'late'];
/** A primary says its pair clock this often. */
const CLOCK_MS: Millis = 100;
/** A backup in step is compared again, a piece this often. */
const SCRUB_MS: Millis = 500;

type InFlight = { readonly lsn: Lsn; readonly chain: number; readonly sentAt: Mono };

export class Feed {
  state: FeedState = 'none';
  /** Acknowledged by the peer: everything up to here is in its memory, verified and applied. */
  ackedLsn: Lsn = 0;
  snapshots = 0;
  catchUps = 0;
  /** Snapshots that were not for want of history: rows differed, or the operator asked. */
  resyncs = 0;
  /** Comparisons that found a difference. */
  drifts = 0;
  /** How long the peer took to acknowledge what was sent. */
  readonly latency = new Lateness();

  private readonly ledger: Ledger;
  private readonly out: MirrorOut;
  private inFlight: InFlight[] = [];
  private flightHead = 0;
  /** Bulk frames (pieces of the ring, chunks, digests) sent and answered. */
  private bulkSent = 0;
  private bulkAnswered = 0;
  private ringAt: Position = ORIGIN;
  private walk: RowWalk | undefined;
  /** The last comparison failed, or the operator asked: the next join is answered by a snapshot. */
  private drifted = false;
  private lastDigestSent = false;
  private clockAt: Mono = 0;
  /** The oldest clock that was not answered yet, 0 for none: a silent peer is noticed when idle too. */
  askedAt: Mono = 0;
  private nextScrubAt: Mono = 0;

  constructor(ledger: Ledger, out: MirrorOut) {
    this.ledger = ledger;
    this.out = out;
  }

  /** When the oldest unacknowledged records were sent, 0 when none are. */
  get oldestUnacked(): Mono {
    const first = this.inFlight[this.flightHead];
    return first === undefined ? 0 : first.sentAt;
  }

  /** A backup at `p` asks for what it lacks. */
  start(now: Mono, p: Position): void {
    this.stop();
    this.nextScrubAt = now;
    // whoever may stand has been told the pair clock before: its own may be years off
    this.clockAt = Number.NEGATIVE_INFINITY;
    const head = this.ledger.position();
    if (p.lsn > 0 && !this.drifted && this.ledger.ring.holds(p, head)) {
      this.catchUps += 1;
      this.ackedLsn = Math.min(this.ackedLsn, p.lsn);
      this.state = 'ring';
      this.ringAt = p;
      this.out.frames.push(positionFrame(FRAME.resume, p));
      this.out.events.push({ kind: 'joined', how: 'ring' });
      return;
    }
    if (this.drifted) this.resyncs += 1;
    this.drifted = false;
    this.ackedLsn = 0;
    this.snapshots += 1;
    this.state = 'rows';
    this.walk = new RowWalk(this.ledger);
    this.out.frames.push(this.snapshotBegin(head));
    this.out.events.push({ kind: 'joined', how: 'snapshot' });
  }

  private snapshotBegin(head: Position): Uint8Array {
    const ids = this.ledger.tables.nextIds();
    const bytes = Buffer.alloc(POSITION_SIZE + ids.length * 8);
    putPosition(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, head);
    let at = POSITION_SIZE;
    for (const id of ids) at = putVarint(bytes, at, id);
    return frame(FRAME.snapshotBegin, bytes.subarray(0, at));
  }

  stop(): void {
    this.askedAt = 0;
    this.state = 'none';
    this.walk = undefined;
    this.inFlight = [];
    this.flightHead = 0;
    this.bulkSent = 0;
    this.bulkAnswered = 0;
    this.lastDigestSent = false;
  }

  /** Acknowledgements are late while the link stands, until `agree`. */
  distrust(): void {
    if (this.state === 'live') this.state = 'late';
  }

  /** The peer has all that was said: in step as soon as the disk no longer calls it stale. */
  agree(): void {
    this.state = 'agreed';
    this.out.events.push({ kind: 'agreed' });
  }

  /** The disk no longer calls the peer stale: from here on it may stand, and its word counts. */
  live(pairNow: Instant): void {
    if (this.state !== 'agreed') return;
    this.state = 'live';
    const bytes = new Uint8Array(POSITION_SIZE + 8);
    const view = new DataView(bytes.buffer);
    putPosition(view, 0, this.ledger.position());
    view.setFloat64(POSITION_SIZE, pairNow, true);
    this.out.frames.push(frame(FRAME.inStep, bytes));
    this.out.events.push({ kind: 'in-step', at: pairNow });
  }

  /** The next join is answered by a snapshot, whatever the peer has. */
  resync(): void {
    this.drifted = true;
  }

  private startCheck(): void {
    this.state = 'check';
    this.walk = new RowWalk(this.ledger);
    this.lastDigestSent = false;
  }

  onAck(now: Mono, f: FrameView): Fault<MirrorFault> | undefined {
    if (f.end - f.from < POSITION_SIZE + 4) return fault('frame-length', f.from);
    const view = viewOf(f);
    const lsn = view.getUint32(f.from + 4, true) + view.getUint32(f.from + 8, true) * 0x1_0000_0000;
    const chain = view.getUint32(f.from + 12, true);
    this.bulkAnswered = view.getUint32(f.from + POSITION_SIZE, true);
    this.askedAt = 0;
    if (this.state === 'none') return undefined;
    while (this.flightHead < this.inFlight.length) {
      const sent = this.inFlight[this.flightHead] as InFlight;
      if (sent.lsn > lsn) break;
      // the peer says how its history ends there; ours must end the same way
      if (sent.lsn === lsn && sent.chain !== chain) return fault('link-ack', f.from);
      this.flightHead += 1;
      if (now >= sent.sentAt) this.latency.note(now - sent.sentAt);
    }
    if (this.flightHead > 1024) {
      this.inFlight = this.inFlight.slice(this.flightHead);
      this.flightHead = 0;
    }
    if (lsn > this.ledger.lsn) return fault('link-ack', f.from);
    this.ackedLsn = lsn;
    return undefined;
  }

  onDigestAnswer(f: FrameView): Fault<MirrorFault> | undefined {
    if (f.end - f.from < 3) return fault('link-order', f.start);
    const number = f.bytes[f.from] as number;
    const last = f.bytes[f.from + 1] === 1;
    if (f.bytes[f.from + 2] !== 1) {
      this.drifted = true;
      this.drifts += 1;
      const name = this.ledger.tables.byNumber[number]?.compiled.spec.name ?? `${number}`;
      this.out.events.push({ kind: 'drift', table: name });
      return fault('link-drift', f.start);
    }
    if (last && this.state === 'check') {
      this.agree();
    }
    return undefined;
  }

  /** After the turn's transactions: the group, and a piece of whatever the backup still lacks. */
  turn(now: Mono, pairNow: Instant, group: Uint8Array | undefined): void {
    if (this.state === 'none') return;
    this.group(now, group);
    this.sendBulk(now);
    if (now - this.clockAt >= CLOCK_MS) {
      this.clockAt = now;
      if (this.askedAt === 0) this.askedAt = now;
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, pairNow, true);
      this.out.frames.push(frame(FRAME.clock, bytes));
    }
  }

  /** When `turn` wants to be called again though nothing happened. */
  deadline(now: Mono): Mono {
    if (this.state === 'none') return Number.POSITIVE_INFINITY;
    const room = this.bulkSent - this.bulkAnswered < LIMITS.bulkWindow;
    const settled = SETTLED.includes(this.state);
    const more = this.state === 'check' ? !this.lastDigestSent : !settled;
    return room && more ? now : this.clockAt + CLOCK_MS;
  }

  /** Records just made; a peer that catches up from the ring finds them there. */
  group(now: Mono, group: Uint8Array | undefined): void {
    if (group === undefined || this.state === 'none' || this.state === 'ring') return;
    this.out.frames.push(group);
    this.inFlight.push({ lsn: this.ledger.lsn, chain: this.ledger.chain, sentAt: now });
  }

  private sendBulk(now: Mono): void {
    if (this.state === 'late' || this.state === 'agreed') return;
    if (this.state === 'live') {
      if (now < this.nextScrubAt) return;
      this.nextScrubAt = now + SCRUB_MS;
      this.walk ??= new RowWalk(this.ledger);
      if (this.sendDigest(false)) this.walk = undefined;
      return;
    }
    if (this.bulkSent - this.bulkAnswered >= LIMITS.bulkWindow) return;
    if (this.state === 'ring') this.sendRing(now);
    else if (this.state === 'rows') this.sendRows();
    else if (!this.lastDigestSent) this.lastDigestSent = this.sendDigest(true);
  }

  private sendRing(now: Mono): void {
    let bytes = 0;
    while (bytes < LIMITS.chunkBytes) {
      const piece = this.ledger.ring.next(this.ringAt);
      if (piece === undefined) {
        this.startCheck();
        return;
      }
      this.out.frames.push(frame(FRAME.records, piece.records));
      this.ringAt = piece.after;
      this.inFlight.push({ lsn: piece.after.lsn, chain: piece.after.chain, sentAt: now });
      bytes += piece.records.length;
    }
  }

  private sendRows(): void {
    const walk = this.walk as RowWalk;
    const table = walk.table();
    if (table === undefined) {
      this.out.frames.push(positionFrame(FRAME.snapshotEnd, this.ledger.position()));
      this.startCheck();
      return;
    }
    const rows = walk.take(LIMITS.chunkRows);
    if (rows.length === 0) return;
    this.out.frames.push(
      frame(FRAME.chunk, encodeRows(this.ledger.tables, table.compiled.number, rows)),
    );
    this.bulkSent += 1;
  }

  /** Sends one digest frame of the walk. @returns true when it was the last of the pass. */
  private sendDigest(first: boolean): boolean {
    const walk = this.walk as RowWalk;
    const table = walk.table();
    if (table === undefined) return true;
    const rows = walk.take(LIMITS.digestRows);
    const last = walk.table() === undefined;
    let sum = 0;
    const bytes = Buffer.alloc(16 + rows.length * 8);
    bytes[0] = table.compiled.number;
    bytes[1] = last && first ? 1 : 0;
    let at = putVarint(bytes, 2, table.rows.size);
    const hashAt = at;
    at += 4;
    for (const row of rows) {
      sum = (sum + rowHash(table.compiled, row)) >>> 0;
      at = putVarint(bytes, at, row.id);
    }
    bytes.writeUInt32LE(sum, hashAt);
    this.out.frames.push(frame(FRAME.digest, bytes.subarray(0, at)));
    this.bulkSent += 1;
    return last;
  }
}

/**
 * A walk over all rows of all tables in pieces, while rows come and go: rows that exist throughout
 * are visited once; rows born later may be left out (the journal brings those).
 */
class RowWalk {
  private readonly ledger: Ledger;
  private at = 0;
  private rows: Iterator<LiveRow> | undefined;
  private limit = 0;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** The table the next `take` is from; undefined at the end. */
  table(): Ledger['tables']['list'][number] | undefined {
    const { list } = this.ledger.tables;
    while (list[this.at]?.own === true) this.at += 1;
    return list[this.at];
  }

  /** The next rows of one table: at most so many, and of few bytes when rows are long. */
  take(most: number): LiveRow[] {
    const table = this.table();
    const out: LiveRow[] = [];
    if (table === undefined) return out;
    if (this.rows === undefined) {
      this.rows = table.rows.values();
      this.limit = table.nextId;
    }
    let bytes = 0;
    while (out.length < most && bytes < LIMITS.chunkBytes) {
      const next = this.rows.next();
      if (next.done === true) {
        this.at += 1;
        this.rows = undefined;
        break;
      }
      if (next.value.id >= this.limit) continue;
      out.push(next.value);
      bytes += table.compiled.size(next.value);
    }
    return out;
  }
}
