/**
 * Which CDRs this box is to append to its file, and when. A primary says one like everything it says:
 * when the record it rests on is safe, so that no file has a call that ends once more after a takeover.
 * What a backup has applied is safe already. Whatever a box did not get to say it says when its role
 * changes, or when it is in step again: what is in the rows and was not said yet.
 */

import { LIMITS } from './base/limits.ts';
import { CDR, type Cdr } from './call/csta/cdr.ts';
import type { EngineEffects, Outgoing } from './effect.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { HeldQueue } from './pair/gate.ts';
import type { EngineRole } from './status.ts';

/** A CDR on its way to the file: guid, a space, end of the call, a line end, and its JSON. */
const GUID_LENGTH = 36;

export class CdrFeed {
  /** Rows up to this id were looked at. */
  private seen = 0;
  private state = '';
  /** What was said since this process started. */
  private readonly said = new Set<string>();

  /** `inStep`: what a backup has is what the primary has. */
  turn(
    ledger: Ledger,
    role: EngineRole,
    inStep: boolean,
    held: HeldQueue<Outgoing>,
    out: EngineEffects,
  ): void {
    const state = role === 'primary' || (role === 'backup' && inStep) ? role : '';
    if (state !== this.state) {
      this.state = state;
      this.seen = 0;
    }
    const table = ledger.tables.byNumber[CDR.number];
    if (state === '' || table === undefined || table.nextId <= this.seen + 1) return;
    const say = (row: Cdr): void => {
      if (this.said.has(row.guid)) return;
      const text = `${row.guid} ${row.at}\n${row.line}`;
      if (state === 'backup') out.records.push(text);
      else held.push({ stamp: ledger.lsn, transport: 'record', ip: '', port: 0, text });
    };
    const next = table.nextId;
    if (this.seen === 0) for (const row of ledger.rows(CDR)) say(row);
    for (let id = this.seen + 1; this.seen !== 0 && id < next; id += 1) {
      const row = ledger.get(CDR, id);
      if (row !== undefined) say(row);
    }
    this.seen = next - 1;
  }

  /** These have left for the file. */
  left(records: readonly string[]): void {
    for (const text of records) this.said.add(text.slice(0, GUID_LENGTH));
    if (this.said.size <= 2 * LIMITS.cdrRows) return;
    // the oldest are no rows any more
    let extra = this.said.size - LIMITS.cdrRows;
    for (const guid of this.said) {
      if (extra <= 0) break;
      this.said.delete(guid);
      extra -= 1;
    }
  }
}
