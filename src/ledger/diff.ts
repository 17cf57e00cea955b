/**
 * How two states differ, in words a person reads: one line a row, one phrase a field. It follows
 * from the field lists like everything else about a row.
 *
 *   leg 7: state 'early' → 'confirmed', localCseq 1 → 2
 *   stx 12: only in the first
 *   binding: next id 4 → 5
 */

import type { LiveRow } from './codec.ts';
import type { Table, Tables } from './tables.ts';

/** Longest text shown of a field; SIP messages are longer than a line. */
const SHOWN = 40;

function show(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  const text = JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
  return `'${text.slice(1, -1)}'`;
}

/** @returns the fields in which two rows of a table differ, '' for none. */
export function diffRow(table: Table, a: LiveRow, b: LiveRow): string {
  const told = table.compiled.names
    .filter((name) => a[name] !== b[name])
    .map((name) => `${name} ${show(a[name])} → ${show(b[name])}`);
  const [mine, theirs] = [a, b].map((row) => Buffer.from(row.$extra ?? []).toString('hex'));
  if (mine !== theirs) told.push(`fields of a newer release ${show(mine)} → ${show(theirs)}`);
  return told.join(', ');
}

function diffTable(a: Table, b: Table, out: string[], most: number): void {
  const { name } = a.compiled.spec;
  for (const [id, row] of a.rows) {
    if (out.length >= most) return;
    const other = b.rows.get(id);
    const text = other === undefined ? 'only in the first' : diffRow(a, row, other);
    if (text !== '') out.push(`${name} ${id}: ${text}`);
  }
  for (const id of b.rows.keys()) {
    if (out.length >= most) return;
    if (!a.rows.has(id)) out.push(`${name} ${id}: only in the second`);
  }
  if (a.nextId !== b.nextId) out.push(`${name}: next id ${a.nextId} → ${b.nextId}`);
}

/** @returns a line for each difference between two states, at most `most`; none when equal. */
export function diffTables(a: Tables, b: Tables, most = 50): string[] {
  const out: string[] = [];
  for (const table of a.list) {
    const other = b.byNumber[table.compiled.number];
    if (other !== undefined) diffTable(table, other, out, most);
  }
  return out.slice(0, most);
}
