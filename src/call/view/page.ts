/**
 * A part of a table, by ids: those not less than `from`, in order. A backup may have its rows in another
 * order than that of their ids (a snapshot filled them in), so ids are looked at before rows are shown; that
 * costs a hundredth of a microsecond a row, and showing one about a microsecond: hence the limit.
 */

import type { Fields, RowOf, Store, TableSpec } from '../../base/row.ts';
import type { ShowRequest } from './terms.ts';

export type Page<R> = {
  readonly rows: readonly R[];
  readonly total: number;
  readonly next?: number;
};

/** Rows of a table from `from` on. */
export function pageOf<F extends Fields, R>(
  store: Store,
  table: TableSpec<F>,
  r: ShowRequest,
  view: (row: RowOf<F>) => R,
): Page<R> {
  const ids: number[] = [];
  let inOrder = true;
  let last = 0;
  for (const { id } of store.rows(table)) {
    if (id < r.from) continue;
    inOrder &&= id > last;
    last = id;
    ids.push(id);
  }
  if (!inOrder) ids.sort((a, b) => a - b);
  const shown = ids.length > r.limit ? ids.slice(0, r.limit) : ids;
  const rows = shown.map((id) => view(store.get(table, id) as RowOf<F>));
  const total = store.count(table);
  const next = ids[r.limit];
  return next === undefined ? { rows, total } : { rows, total, next };
}

/** The same of rows found by an index, or of things that are configured: `from` counts them. */
export function listOf<T, R>(all: readonly T[], r: ShowRequest, view: (one: T) => R): Page<R> {
  const rows = all.slice(r.from, r.from + r.limit).map(view);
  const total = all.length;
  const next = r.from + r.limit;
  return next < total ? { rows, total, next } : { rows, total };
}
