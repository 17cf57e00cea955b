/**
 * The file of alarms, one JSON record a line: written when it is raised and again when it is over. The
 * last line of an id is what became of it. A line that a power cut tore is skipped: at worst an
 * alarm is shown as active until the monitor has looked.
 */

import { type AlarmRecord, SEVERITIES } from './box-status.ts';

/** Alarms that are over and kept, in memory and in the file. */
export const HISTORY = 1000;
/** Longer texts are cut: they are for people. */
const TEXT = 300;

export type Kept = {
  readonly active: readonly AlarmRecord[];
  /** The newest last, at most HISTORY. */
  readonly history: readonly AlarmRecord[];
  readonly nextId: number;
};

export const NOTHING_KEPT: Kept = { active: [], history: [], nextId: 1 };

export function lineOf(record: AlarmRecord): string {
  return `${JSON.stringify({ ...record, text: record.text.slice(0, TEXT) })}\n`;
}

/** Everything that is worth keeping, for a file that has become long. */
export function linesOf({ active, history }: Omit<Kept, 'nextId'>): string {
  return [...history, ...active].map(lineOf).join('');
}

function isRecord(x: unknown): x is AlarmRecord {
  if (typeof x !== 'object' || x === null) return false;
  const r = x as { readonly [name: string]: unknown };
  const texts = [r['code'], r['subject'], r['text']].every((v) => typeof v === 'string');
  const numbers = [r['id'], r['raisedAt'], r['epoch']].every((v) => Number.isFinite(v));
  const sources: readonly unknown[] = ['pair', 'system', 'health'];
  const known = (SEVERITIES as readonly unknown[]).includes(r['severity']);
  const over = r['clearedAt'] === undefined || Number.isFinite(r['clearedAt']);
  return texts && numbers && known && over && sources.includes(r['source']);
}

function recordOf(line: string): AlarmRecord | undefined {
  try {
    const x: unknown = JSON.parse(line);
    return isRecord(x) ? x : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the file, whatever is in it. */
export function readAlarmLog(text: string): Kept {
  const last = new Map<number, AlarmRecord>();
  let nextId = 1;
  for (const line of text.split('\n')) {
    const record = recordOf(line);
    if (record === undefined) continue;
    // the order of the file is the order in which they ended
    if (record.clearedAt !== undefined) last.delete(record.id);
    last.set(record.id, record);
    nextId = Math.max(nextId, record.id + 1);
  }
  const all = [...last.values()];
  const active = all.filter((r) => r.clearedAt === undefined);
  const history = all.filter((r) => r.clearedAt !== undefined).slice(-HISTORY);
  return { active, history, nextId };
}
