/** What is said around the rows of every answer to `show`: how many there are, and whose they are. */

import type { Shown, ShownRows } from '../../call/view/terms.ts';
import { type Column, count, cut, type ShowContext, table } from './kit.ts';

/** The answer as it comes over the socket. */
export type Answer<W extends Shown> = {
  readonly at: number;
  readonly mirrored: boolean;
  readonly rows: readonly ShownRows[W][];
  readonly total: number;
  readonly next?: number;
};

/** A table of the rows with a last line that counts them. */
export function listed<W extends Shown>(
  a: Answer<W>,
  columns: readonly Column<ShownRows[W]>[],
  cx: ShowContext,
  words: readonly [one: string, many: string],
): string[] {
  const none = `no ${words[1]}${a.mirrored ? ' (mirrored)' : ''}`;
  const lines = table(a.rows, columns, cx, none);
  if (a.rows.length === 0 && a.total === 0) return lines;
  const all = count(a.total, words[0], words[1]);
  const shown = a.rows.length === a.total ? all : `${a.rows.length} of ${all} shown`;
  const more = a.next === undefined ? '' : `, more from ${a.next}`;
  const whose = a.mirrored ? ', mirrored from the primary' : '';
  return [...lines, cut(`${shown}${more}${whose}`, cx.width)];
}
