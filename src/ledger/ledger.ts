/**
 * One way to write. Rows change only inside a transaction, which makes one record at one position;
 * the peer, the disk and (later) the CTI event stream all follow that one journal.
 *
 * The ledger of a primary: `begin` … insert/patch/remove … `commit`, any number of times a turn, then
 * `takeGroup` once: the turn's records as one frame, which goes to the ring and to the peer as it is.
 * The ledger of a backup: `apply` frames as received.
 */

import { assert } from '../base/assert.ts';
import { Deadlines } from '../base/deadlines.ts';
import { type Fault, fault, isFault } from '../base/fault.ts';
import type { Fields, RowOf, Store, TableSpec, Values } from '../base/row.ts';
import { type Epoch, type Instant, type Lsn, NEVER } from '../base/units.ts';
import { FRAME, FRAME_HEADER, sealFrame } from '../wire/frame.ts';
import {
  type LiveRow,
  OP_INSERT,
  OP_REMOVE,
  OP_UPDATE,
  putVarint,
  Reader,
  Writer,
} from './codec.ts';
import {
  FLAG_REIGN,
  ORIGIN,
  openRecord,
  type Position,
  RECORD_HEADER,
  type RecordFault,
  type RecordHead,
  sealRecord,
} from './record.ts';
import { Ring } from './ring.ts';
import { type ManyIndex, type Table, Tables, type UniqueIndex } from './tables.ts';

export type LedgerSettings = {
  /** Bytes of journal kept for a peer that catches up. */
  readonly ringBytes: number;
  /** Size of a journal slab. */
  readonly slabBytes: number;
  /** Only tables that a warm-standby pair keeps are in the journal, in snapshots and on the disk. */
  readonly warmOnly?: boolean;
};

export type ApplyFault =
  | RecordFault
  | 'record-gap'
  | 'record-epoch'
  | 'op-unknown'
  | 'op-short'
  | 'op-missing-row';

const REMOVE_SIZE = 16;

const NOTHING: readonly never[] = [];

/**
 * Of all texts together. A patch has a few of a table's many fields, and each place that makes one
 * has its own few: a look at every field of the table is many looks at what is not there.
 */
function lengthOf(values: Values<Fields>): number {
  let length = 0;
  for (const name in values) {
    const value = values[name];
    if (typeof value === 'string') length += value.length;
  }
  return length;
}

export class Ledger implements Store {
  readonly tables: Tables;
  readonly ring: Ring;
  readonly deadlines = new Deadlines<LiveRow>();
  /** Deadlines are kept only by a primary; a backup arms them at takeover. */
  armed = false;
  /** Fields of a newer release that came and were kept, rows of its tables among them. */
  unknown = 0;

  private epochNow: Epoch = ORIGIN.epoch;
  private lsnNow: Lsn = ORIGIN.lsn;
  private chainNow = ORIGIN.chain;

  private readonly slabBytes: number;
  private w: Writer;
  /** Start of the current group's frame in the writer, -1 when the group is empty. */
  private groupStart = -1;
  private groupBefore: Position = ORIGIN;
  /** Start of the open record, -1 outside a transaction. */
  private recordStart = -1;
  private at: Instant = 0;
  private readonly reader = new Reader();
  private readonly head: RecordHead = { length: 0, chain: 0, flags: 0, epoch: 0, lsn: 0, at: 0 };

  constructor(specs: readonly TableSpec[], settings: LedgerSettings) {
    this.tables = new Tables(specs, settings.warmOnly === true);
    this.ring = new Ring(settings.ringBytes);
    this.slabBytes = settings.slabBytes;
    this.w = new Writer(settings.slabBytes);
  }

  get lsn(): Lsn {
    return this.lsnNow;
  }
  get epoch(): Epoch {
    return this.epochNow;
  }
  get chain(): number {
    return this.chainNow;
  }
  position(): Position {
    return { epoch: this.epochNow, lsn: this.lsnNow, chain: this.chainNow };
  }
  /** Pair clock of the last record made or applied. */
  get lastAt(): Instant {
    return this.at;
  }

  // ── transactions ─────────────────────────────────────────────────────────────────────────────

  begin(at: Instant): void {
    assert(this.recordStart < 0, 'a transaction is not nested');
    this.at = at;
    if (this.groupStart < 0) {
      if (this.w.buf.length - this.w.off < this.slabBytes / 4) this.w = new Writer(this.slabBytes);
      this.groupStart = this.w.off;
      this.groupBefore = this.position();
      this.w.off += FRAME_HEADER;
    }
    this.need(RECORD_HEADER);
    this.recordStart = this.w.off;
    this.w.off += RECORD_HEADER;
  }

  /** Ends the transaction. @returns false when it changed nothing and so made no record. */
  commit(): boolean {
    assert(this.recordStart >= 0, 'commit belongs to a begin');
    const start = this.recordStart;
    this.recordStart = -1;
    if (this.w.off === start + RECORD_HEADER) {
      this.w.off = start;
      if (start === this.groupStart + FRAME_HEADER) {
        this.w.off = this.groupStart;
        this.groupStart = -1;
      }
      return false;
    }
    this.seal(start, 0);
    return true;
  }

  /** Begins a new reign: a record of its own, so that its epoch is in the history. */
  reign(epoch: Epoch, at: Instant): void {
    assert(epoch > this.epochNow, 'a reign has a higher epoch than the history');
    this.begin(at);
    const start = this.recordStart;
    this.recordStart = -1;
    this.epochNow = epoch;
    this.seal(start, FLAG_REIGN);
  }

  private seal(start: number, flags: number): void {
    this.lsnNow += 1;
    this.chainNow = sealRecord(this.w.buf, this.w.view, start, this.w.off, flags, this.chainNow, {
      epoch: this.epochNow,
      lsn: this.lsnNow,
      at: this.at,
    });
  }

  /** Bytes of records that `takeGroup` would give. */
  get groupBytes(): number {
    return this.groupStart < 0 ? 0 : this.w.off - this.groupStart;
  }

  /** The records made since the last call as one frame, already in the ring; undefined for none. */
  takeGroup(): Uint8Array | undefined {
    assert(this.recordStart < 0, 'a group is taken between transactions');
    if (this.groupStart < 0) return undefined;
    const { buf, view, off } = this.w;
    sealFrame(buf, view, this.groupStart, off, FRAME.records);
    const bytes = buf.subarray(this.groupStart, off);
    this.groupStart = -1;
    this.ring.push(this.groupBefore, this.position(), bytes);
    return bytes;
  }

  // ── Store ────────────────────────────────────────────────────────────────────────────────────

  insert<F extends Fields>(spec: TableSpec<F>, values: Values<F>): RowOf<F> {
    assert(this.recordStart >= 0, 'rows change inside a transaction');
    const table = this.tables.of(spec);
    const row = table.compiled.create(table.nextId, values as Values<Fields>);
    if (!table.own) {
      this.need(table.compiled.size(row));
      table.compiled.insert(this.w, row);
    }
    table.add(row);
    if (this.armed) this.deadlines.arm(row, table.compiled.deadline(row as never));
    return row as unknown as RowOf<F>;
  }

  patch<F extends Fields>(spec: TableSpec<F>, target: RowOf<F>, values: Values<F>): void {
    assert(this.recordStart >= 0, 'rows change inside a transaction');
    const table = this.tables.of(spec);
    const row = target as unknown as LiveRow;
    assert(!row.$gone, 'a removed row is not changed');
    this.need(table.compiled.most + lengthOf(values as Values<Fields>));
    const before = this.w.off;
    if (!table.compiled.patch(this.w, row, values as Values<Fields>)) {
      this.w.off = before;
      return;
    }
    if (table.own) this.w.off = before;
    table.touch(row);
    if (this.armed) this.deadlines.arm(row, table.compiled.deadline(row as never));
  }

  remove<F extends Fields>(spec: TableSpec<F>, target: RowOf<F>): void {
    assert(this.recordStart >= 0, 'rows change inside a transaction');
    const table = this.tables.of(spec);
    const row = target as unknown as LiveRow;
    assert(!row.$gone, 'a row is removed once');
    if (!table.own) {
      this.need(REMOVE_SIZE);
      const { buf, off } = this.w;
      buf[off] = OP_REMOVE;
      buf[off + 1] = spec.number;
      this.w.off = putVarint(buf, off + 2, row.id);
    }
    if (this.armed) this.deadlines.arm(row, NEVER);
    table.drop(row);
  }

  /** Removes every row of every table that a warm-standby pair does not keep. */
  forgetAllButWarm(): void {
    for (const table of this.tables.list) {
      const { spec } = table.compiled;
      if (spec.warm) continue;
      for (const row of [...table.rows.values()]) this.remove(spec, row as never);
    }
  }

  get<F extends Fields>(spec: TableSpec<F>, id: number): RowOf<F> | undefined {
    return this.tables.of(spec).rows.get(id) as unknown as RowOf<F> | undefined;
  }

  find<F extends Fields>(
    spec: TableSpec<F>,
    field: keyof F & string,
    value: string | number,
  ): RowOf<F> | undefined {
    const table = this.tables.of(spec);
    // most calls have nothing to do with most tables
    if (table.rows.size === 0) return undefined;
    const index = table.index(field) as UniqueIndex;
    return index.map.get(value) as unknown as RowOf<F> | undefined;
  }

  all<F extends Fields>(
    spec: TableSpec<F>,
    field: keyof F & string,
    value: string | number,
  ): readonly RowOf<F>[] {
    const table = this.tables.of(spec);
    if (table.rows.size === 0) return NOTHING as readonly RowOf<F>[];
    const index = table.index(field) as ManyIndex;
    return index.all(value) as unknown as readonly RowOf<F>[];
  }

  rows<F extends Fields>(spec: TableSpec<F>): Iterable<RowOf<F>> {
    return this.tables.of(spec).rows.values() as unknown as Iterable<RowOf<F>>;
  }

  count<F extends Fields>(spec: TableSpec<F>): number {
    return this.tables.of(spec).rows.size;
  }

  // ── the backup's side ────────────────────────────────────────────────────────────────────────

  /**
   * Verifies and applies the records in `bytes[from .. end)`, in order. Where a frame's header lies
   * before `from`, the bytes are kept as they are and must not change afterwards.
   */
  apply(bytes: Uint8Array, from: number, end: number): Fault<ApplyFault> | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const before = this.position();
    const head = this.head;
    let at = from;
    while (at < end) {
      const wrong = openRecord(bytes, view, at, end, this.chainNow, head);
      if (wrong !== undefined) return wrong;
      if (head.lsn !== this.lsnNow + 1) return fault('record-gap', at);
      if (head.epoch < this.epochNow) return fault('record-epoch', at);
      const bad = this.applyOps(bytes, at + RECORD_HEADER, at + head.length, true);
      if (bad !== undefined) return bad;
      this.epochNow = head.epoch;
      this.lsnNow = head.lsn;
      this.chainNow = head.chain;
      this.at = head.at;
      at += head.length;
    }
    this.keep(before, bytes, from, end);
    return undefined;
  }

  /** Received records are kept as received, for the day this box is asked for them. */
  private keep(before: Position, bytes: Uint8Array, from: number, end: number): void {
    if (from >= FRAME_HEADER) {
      this.ring.push(before, this.position(), bytes.subarray(from - FRAME_HEADER, end));
      return;
    }
    const copy = Buffer.allocUnsafe(FRAME_HEADER + end - from);
    copy.set(bytes.subarray(from, end), FRAME_HEADER);
    const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
    sealFrame(copy, view, 0, copy.length, FRAME.records);
    this.ring.push(before, this.position(), copy);
  }

  /**
   * Applies bare operations. `strict`: an update or removal of a row that is not there is a fault
   * (while a snapshot is being filled it is not: that row's chunk is still to come).
   */
  applyOps(
    bytes: Uint8Array,
    from: number,
    end: number,
    strict: boolean,
  ): Fault<ApplyFault> | undefined {
    const r = this.reader.over(bytes, from, end);
    while (r.off < end) {
      const start = r.off;
      const op = r.u8();
      const number = r.u8();
      const id = r.varint();
      const table = this.tables.orNewer(number);
      if (table === undefined) return fault('op-unknown', start);
      if (op === OP_REMOVE) {
        const row = table.rows.get(id);
        if (row !== undefined) table.drop(row);
        else if (strict && !this.filling) return fault('op-missing-row', start);
        continue;
      }
      if (op !== OP_INSERT && op !== OP_UPDATE) return fault('op-unknown', start);
      const length = r.u32();
      const stop = r.off + length;
      if (r.bad || stop > end) return fault('op-short', start);
      r.end = stop;
      const wrong = this.applyRow(table, op, id, r, strict);
      if (wrong !== undefined || r.bad) return wrong ?? fault('op-short', start);
      r.off = stop;
      r.end = end;
    }
    return r.bad ? fault('op-short', r.off) : undefined;
  }

  private applyRow(
    table: Table,
    op: number,
    id: number,
    r: Reader,
    strict: boolean,
  ): Fault<ApplyFault> | undefined {
    const old = table.rows.get(id);
    if (op === OP_UPDATE) {
      if (old === undefined) {
        return strict && !this.filling ? fault('op-missing-row', r.off) : undefined;
      }
      this.unknown += table.compiled.read(r, old);
      table.touch(old);
      return undefined;
    }
    const row = table.compiled.create(id, {});
    this.unknown += table.compiled.read(r, row);
    if (old !== undefined) {
      row.$stored = old.$stored;
      old.$stored = false;
      table.drop(old);
    }
    table.add(row);
    return undefined;
  }

  /** Between snapshot-begin and snapshot-end: rows may be missing that a later chunk brings. */
  filling = false;

  /** Forgets every row and stands at `position`: a snapshot follows. */
  restart(position: Position, nextIds: readonly number[]): void {
    nextIds.forEach((next, number) => {
      if (next > 1) this.tables.orNewer(number);
    });
    for (const table of this.tables.list) {
      table.clear();
      table.nextId = Math.max(1, nextIds[table.compiled.number] ?? 1);
    }
    this.deadlines.clear();
    this.ring.clear();
    this.epochNow = position.epoch;
    this.lsnNow = position.lsn;
    this.chainNow = position.chain;
  }

  /**
   * Arms the calendar from the rows: a new primary's first act (timers are derived from rows). From here
   * on rows are walked, and found, in the order in which they were made, as by the primary before.
   */
  arm(): void {
    this.deadlines.clear(this.at);
    this.armed = true;
    for (const table of this.tables.list) {
      table.putInOrder();
      for (const row of table.rows.values()) {
        row.$due = NEVER;
        this.deadlines.arm(row, table.compiled.deadline(row as never));
      }
    }
  }

  disarm(): void {
    this.armed = false;
    this.deadlines.clear();
    for (const table of this.tables.list) {
      for (const row of table.rows.values()) row.$due = NEVER;
    }
  }

  /** Rows that are due, no more than `most`: the others are due at once. The caller handles each inside a transaction. */
  due(now: Instant, into: LiveRow[], most?: number): void {
    let rows = 0;
    for (const table of this.tables.list) rows += table.rows.size;
    // entries of rows that moved or went wait for their moment, which may be hours away
    if (this.deadlines.entries > 10_000 + 4 * rows) this.arm();
    this.deadlines.due(now, into, most);
  }

  /** Looks again at a row that was taken out of the calendar. */
  rearm(row: LiveRow): void {
    if (row.$gone || !this.armed) return;
    const table = this.tables.byNumber[row.$table] as Table;
    this.deadlines.arm(row, table.compiled.deadline(row as never));
  }

  /** Room for `n` bytes; a full slab is left behind and the open group moves to a new one. */
  private need(n: number): void {
    const moved = this.w.need(n, this.groupStart);
    if (moved === 0) return;
    this.groupStart -= moved;
    if (this.recordStart >= 0) this.recordStart -= moved;
  }
}

export { isFault };
