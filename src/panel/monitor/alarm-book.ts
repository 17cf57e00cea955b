/**
 * The book of alarms: what is wanted active by their sources becomes records with a number and moments.
 * A condition has to last to be raised, and to stay away to be over; what one source cannot tell at the
 * moment stays as it is.
 */

import type { Epoch, Millis, Mono } from '../../base/units.ts';
import { HISTORY, type Kept, NOTHING_KEPT } from './alarm-log.ts';
import { type AlarmRecord, type AlarmSeverity, SEVERITIES, type Utc } from './box-status.ts';

/** What has a subject (trunks, limits), in all: many trunks in trouble are no news one by one. */
const SUBJECTS = 300;
/** Of what has none there are as many as codes; that is far below. */
const PLAIN = 200;

/** A condition that holds now. */
export type Wanted = {
  readonly code: string;
  readonly subject: string;
  readonly severity: AlarmSeverity;
  readonly text: string;
  readonly source: AlarmRecord['source'];
  readonly epoch: Epoch;
  readonly afterMs: Millis;
  readonly overMs: Millis;
  /** When it began, where the source knows. */
  readonly since?: Utc;
};

export type Moment = { readonly mono: Mono; readonly utc: Utc };

/** Raised or over, as it happened. */
export type Turn = { readonly kind: 'alarm-raised' | 'alarm-cleared'; readonly alarm: AlarmRecord };

type Entry = {
  /** undefined while it has not lasted long enough. */
  record: AlarmRecord | undefined;
  overMs: Millis;
  /** Since when it holds; and since when it does not, undefined while it does. */
  readonly since: Mono;
  goneSince: Mono | undefined;
};

function keyOf({ code, subject }: { readonly code: string; readonly subject: string }): string {
  return subject === '' ? code : `${code} ${subject}`;
}

function hasSubject(key: string): boolean {
  return key.includes(' ');
}

export class AlarmBook {
  private readonly entries = new Map<string, Entry>();
  /** How many of them have a subject. */
  private subjects = 0;
  private over: readonly AlarmRecord[];
  private nextId: number;
  private sorted: readonly AlarmRecord[] | undefined;

  /** @param kept of an earlier run: still active until looked at. */
  constructor(kept: Kept = NOTHING_KEPT) {
    this.nextId = kept.nextId;
    this.over = kept.history;
    for (const record of kept.active.slice(-(SUBJECTS + PLAIN))) {
      const entry = { record, overMs: 0, since: 0, goneSince: undefined };
      this.keep(keyOf(record), entry);
    }
  }

  isActive(code: string, subject = ''): boolean {
    return this.entries.get(keyOf({ code, subject }))?.record !== undefined;
  }

  /** The gravest first, then the newest. */
  get active(): readonly AlarmRecord[] {
    this.sorted ??= [...this.entries.values()]
      .flatMap(({ record }) => (record === undefined ? [] : [record]))
      .sort(
        (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || b.id - a.id,
      );
    return this.sorted;
  }

  /** The newest last. */
  get history(): readonly AlarmRecord[] {
    return this.over;
  }

  /**
   * Everything that holds now, of all sources. @param tells whether the source of a record can be asked
   * at the moment: what it does not want although it could is over.
   */
  look(now: Moment, wanted: readonly Wanted[], tells: (r: AlarmRecord) => boolean): Turn[] {
    const turns: Turn[] = [];
    const held = new Set<string>();
    for (const w of wanted) {
      const key = keyOf(w);
      held.add(key);
      this.holds(now, key, w, turns);
    }
    for (const [key, entry] of this.entries) {
      if (!held.has(key)) this.gone(now, key, entry, tells, turns);
    }
    return turns;
  }

  /** One that came and went before anybody looked. */
  passed(w: Wanted, raisedAt: Utc, clearedAt: Utc): Turn[] {
    const record = { ...this.recordOf(w, raisedAt), clearedAt };
    this.remember(record);
    const { clearedAt: _, ...raised } = record;
    return [
      { kind: 'alarm-raised', alarm: raised },
      { kind: 'alarm-cleared', alarm: record },
    ];
  }

  private keep(key: string, entry: Entry): void {
    if (hasSubject(key) && !this.entries.has(key)) this.subjects += 1;
    this.entries.set(key, entry);
  }

  private forget(key: string): void {
    this.entries.delete(key);
    if (hasSubject(key)) this.subjects -= 1;
  }

  private recordOf(w: Wanted, raisedAt: Utc): AlarmRecord {
    const { code, subject, severity, text, source, epoch } = w;
    const id = this.nextId;
    this.nextId += 1;
    return { id, code, subject, severity, text, source, raisedAt, epoch };
  }

  private holds({ mono, utc }: Moment, key: string, w: Wanted, turns: Turn[]): void {
    let entry = this.entries.get(key);
    if (entry === undefined) {
      // what has no subject is never kept out by what has
      const full =
        w.subject === '' ? this.entries.size - this.subjects >= PLAIN : this.subjects >= SUBJECTS;
      if (full) return;
      entry = { record: undefined, overMs: w.overMs, since: mono, goneSince: undefined };
      this.keep(key, entry);
    }
    entry.goneSince = undefined;
    entry.overMs = w.overMs;
    const { record } = entry;
    if (record === undefined) {
      if (mono - entry.since < w.afterMs) return;
      entry.record = this.recordOf(w, w.since ?? utc - Math.round(mono - entry.since));
      turns.push({ kind: 'alarm-raised', alarm: entry.record });
      this.sorted = undefined;
    } else if (record.text !== w.text || record.severity !== w.severity) {
      // what it says now; that is no new alarm
      entry.record = { ...record, text: w.text, severity: w.severity };
      this.sorted = undefined;
    }
  }

  private gone(
    { mono, utc }: Moment,
    key: string,
    entry: Entry,
    tells: (r: AlarmRecord) => boolean,
    turns: Turn[],
  ): void {
    const { record } = entry;
    if (record === undefined) {
      this.forget(key);
      return;
    }
    if (!tells(record)) return;
    entry.goneSince ??= mono;
    const goneMs = mono - entry.goneSince;
    if (goneMs < entry.overMs) return;
    this.forget(key);
    this.sorted = undefined;
    const over = { ...record, clearedAt: Math.max(record.raisedAt, utc - Math.round(goneMs)) };
    this.remember(over);
    turns.push({ kind: 'alarm-cleared', alarm: over });
  }

  private remember(record: AlarmRecord): void {
    this.over = [...this.over, record].slice(-HISTORY);
  }
}
