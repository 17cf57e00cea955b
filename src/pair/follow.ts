/**
 * The backup's side of the mirror: verify, apply, acknowledge.
 *
 *   none ──join sent──► joining ──resume──► receiving ──in-step──► in-step
 *                          └──snapshot-begin──► filling ──snapshot-end──► receiving
 */

import { type Fault, fault } from '../base/fault.ts';
import { Reader } from '../ledger/codec.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ORIGIN } from '../ledger/record.ts';
import { rowHash } from '../ledger/tables.ts';
import {
  FRAME,
  type FrameView,
  frame,
  getPosition,
  POSITION_SIZE,
  positionFrame,
  putPosition,
} from '../wire/frame.ts';
import { type MirrorFault, type MirrorOut, viewOf } from './mirror-terms.ts';

export type FollowState = 'none' | 'joining' | 'receiving' | 'filling' | 'in-step';

export class Follow {
  state: FollowState = 'none';
  /**
   * Our rows were called in step, and no primary has begun to replace them since. A join that is
   * only asked for takes nothing away: a primary that died and came back with an older state must
   * find us standing.
   */
  stands = false;

  private readonly ledger: Ledger;
  private readonly out: MirrorOut;
  private readonly reader = new Reader();
  /** Bulk frames taken since the feed began; the primary paces itself by it. */
  private bulkTaken = 0;
  private ackOwed = false;

  constructor(ledger: Ledger, out: MirrorOut) {
    this.ledger = ledger;
    this.out = out;
  }

  /** Nothing of the primary's is ours yet. */
  get waiting(): boolean {
    return this.state === 'none' || this.state === 'joining';
  }

  /** Asks the primary for what we lack. */
  join(): void {
    // a half-filled state has no position: ask for everything
    const p = this.ledger.filling ? ORIGIN : this.ledger.position();
    this.state = 'joining';
    this.ackOwed = false;
    this.out.frames.push(positionFrame(FRAME.join, p));
  }

  onRecords(f: FrameView): Fault<MirrorFault> | undefined {
    const wrong = this.ledger.apply(f.bytes, f.from, f.end);
    if (wrong !== undefined) return wrong;
    this.ackOwed = true;
    return undefined;
  }

  onFill(f: FrameView): Fault<MirrorFault> | undefined {
    if (f.type !== FRAME.chunk && f.end - f.from < POSITION_SIZE) {
      return fault('frame-length', f.from);
    }
    this.ackOwed = true;
    if (f.type === FRAME.resume) {
      if (this.state !== 'joining' || this.ledger.filling) return fault('link-order', f.start);
      this.state = 'receiving';
      this.stands = false;
      this.bulkTaken = 0;
      return undefined;
    }
    if (f.type === FRAME.snapshotBegin) {
      this.state = 'filling';
      this.stands = false;
      this.bulkTaken = 0;
      const ids: number[] = [];
      const r = this.reader.over(f.bytes, f.from + POSITION_SIZE, f.end);
      while (r.off < r.end) ids.push(r.varint());
      this.ledger.restart(getPosition(viewOf(f), f.from), ids);
      this.ledger.filling = true;
      return undefined;
    }
    if (this.state !== 'filling') return fault('link-order', f.start);
    if (f.type === FRAME.chunk) {
      this.bulkTaken += 1;
      return this.ledger.applyOps(f.bytes, f.from, f.end, true);
    }
    this.ledger.filling = false;
    this.state = 'receiving';
    this.out.events.push({ kind: 'filled' });
    return undefined;
  }

  /** Compares our rows with the primary's, at this place in the stream. */
  onDigest(f: FrameView): Fault<MirrorFault> | undefined {
    if (this.state !== 'receiving' && this.state !== 'in-step') {
      return fault('link-order', f.start);
    }
    const r = this.reader.over(f.bytes, f.from, f.end);
    const number = r.u8();
    const last = r.u8();
    const count = r.varint();
    const hash = r.u32();
    const table = this.ledger.tables.byNumber[number];
    let ok = table !== undefined || count === 0;
    if (table !== undefined) {
      ok = table.rows.size === count;
      let sum = 0;
      while (r.off < r.end && ok) {
        const row = table.rows.get(r.varint());
        if (row === undefined) ok = false;
        else sum = (sum + rowHash(table.compiled, row)) >>> 0;
      }
      ok = ok && sum === hash;
    }
    if (r.bad) return fault('frame-length', f.start);
    this.bulkTaken += 1;
    this.ackOwed = true;
    this.out.frames.push(frame(FRAME.digestAnswer, Uint8Array.of(number, last, ok ? 1 : 0)));
    return undefined;
  }

  onGoodbye(f: FrameView): Fault<MirrorFault> | undefined {
    if (f.end - f.from < POSITION_SIZE) return fault('frame-length', f.from);
    const p = getPosition(viewOf(f), f.from);
    const { ledger } = this;
    if (this.state !== 'in-step' || p.lsn !== ledger.lsn || p.chain !== ledger.chain) {
      return fault('link-order', f.start);
    }
    this.out.events.push({ kind: 'goodbye', epoch: p.epoch });
    return undefined;
  }

  onInStep(f: FrameView): Fault<MirrorFault> | undefined {
    if (this.state !== 'receiving' && this.state !== 'in-step') return fault('link-order', f.start);
    this.state = 'in-step';
    this.stands = true;
    // an older release says no time
    const said = f.end - f.from >= POSITION_SIZE + 8;
    const at = said ? viewOf(f).getFloat64(f.from + POSITION_SIZE, true) : 0;
    if (said && !Number.isSafeInteger(at)) return fault('link-clock', f.from);
    this.out.events.push({ kind: 'in-step', at });
    return undefined;
  }

  /** The primary wants to hear us, though it has nothing to say. */
  owe(): void {
    this.ackOwed = true;
  }

  /** One acknowledgement a turn, of everything the turn applied. */
  turn(): void {
    if (!this.ackOwed) return;
    this.ackOwed = false;
    const bytes = new Uint8Array(POSITION_SIZE + 4);
    const view = new DataView(bytes.buffer);
    putPosition(view, 0, this.ledger.position());
    view.setUint32(POSITION_SIZE, this.bulkTaken, true);
    this.out.frames.push(frame(FRAME.ack, bytes));
  }

  /** Follows nobody, or somebody new. */
  reset(): void {
    this.state = 'none';
    this.stands = false;
  }

  /** The link is gone. What was in step stays a state worth leading with. */
  lost(): void {
    this.ackOwed = false;
    if (this.state !== 'in-step') this.state = 'none';
  }
}
