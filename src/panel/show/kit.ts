/**
 * What all `show` formatters are made of: a table that fits the width, pairs of a word and its value,
 * times as people say them. Texts that came from outside (a phone's User-Agent) lose what would move a
 * terminal's cursor.
 */

import { civilDay } from '../../base/civil.ts';

export type ShowContext = {
  /** Columns of the terminal. */
  readonly width: number;
  /** UTC, ms since 1970. */
  readonly now: number;
};

export type Column<R> = {
  readonly head: string;
  readonly value: (row: R) => string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
  /** Never cut shorter than this; columns without it are never cut. */
  readonly least?: number;
  /** Where there is no room the highest goes first; 0: it stays. */
  readonly drop?: number;
};

const GAP = 2;
/** So much of a text is readable, mostly. */
const READABLE = 30;
/** Stands where a text was cut. */
const CUT = '~';

/** Printable ASCII only: a terminal obeys what else a stranger sends. */
export function clean(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** `text` in at most `width` columns. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width < 2 ? text.slice(0, Math.max(0, width)) : text.slice(0, width - 1) + CUT;
}

type Laid<R> = { readonly column: Column<R>; readonly cells: readonly string[]; width: number };

function total(laid: readonly { readonly width: number }[]): number {
  return laid.reduce((sum, { width }) => sum + width + GAP, -GAP);
}

/** Columns that fit: the least important leave, then the longest that may be cut are. */
function fitting<R>(all: readonly Laid<R>[], width: number): readonly Laid<R>[] {
  let laid = all;
  const narrow = (l: Laid<R>): number => Math.min(l.width, l.column.least ?? l.width);
  // a column that stays is not made narrow for one that may leave
  const wanted = (l: Laid<R>): number =>
    l.column.drop === undefined ? Math.max(narrow(l), Math.min(l.width, READABLE)) : narrow(l);
  const needs = (): number => laid.reduce((sum, l) => sum + wanted(l) + GAP, -GAP);
  while (needs() > width) {
    const worst = Math.max(0, ...laid.map(({ column }) => column.drop ?? 0));
    if (worst === 0) break;
    laid = laid.filter(({ column }) => (column.drop ?? 0) !== worst);
  }
  // first what may leave is cut, then the others, the longest of them
  while (total(laid) > width) {
    const rooms = laid.filter((l) => l.width > narrow(l));
    const optional = rooms.filter(({ column }) => column.drop !== undefined);
    const from = optional.length > 0 ? optional : rooms;
    const longest = from.reduce<Laid<R> | undefined>(
      (most, l) => (most === undefined || l.width > most.width ? l : most),
      undefined,
    );
    if (longest === undefined) break;
    longest.width -= 1;
  }
  return laid;
}

/** A table with its heads; `none` stands where there are no rows. */
export function table<R>(
  rows: readonly R[],
  columns: readonly Column<R>[],
  { width }: ShowContext,
  none: string,
): string[] {
  if (rows.length === 0) return [cut(none, width)];
  const laid = columns.map((column) => {
    const cells = rows.map((row) => clean(column.value(row)));
    const widest = Math.max(column.head.length, ...cells.map((c) => c.length));
    return { column, cells, width: widest };
  });
  // of a column that may leave nobody misses one that says nothing
  const telling = laid.filter((l) => l.column.drop === undefined || l.cells.some((c) => c !== ''));
  const shown = fitting(telling, width);
  const line = (cell: (l: Laid<R>) => string): string => {
    const parts = shown.map((l) => {
      const text = cut(cell(l), l.width);
      return l.column.right === true ? text.padStart(l.width) : text.padEnd(l.width);
    });
    return cut(parts.join(' '.repeat(GAP)).trimEnd(), width);
  };
  return [line((l) => l.column.head), ...rows.map((_, i) => line((l) => l.cells[i] as string))];
}

export type Pair = readonly [word: string, value: string];

/** A word and its value a line; what is too long goes on below its value. */
export function pairs(all: readonly Pair[], { width }: ShowContext, indent = 0): string[] {
  const words = Math.min(Math.max(0, ...all.map(([word]) => word.length)), Math.floor(width / 2));
  const at = indent + words + GAP;
  const room = Math.max(8, width - at);
  return all.flatMap(([word, value]) =>
    wrap(clean(value), room).map((part, i) => {
      const head = i === 0 ? cut(word, words) : '';
      return `${' '.repeat(indent)}${head.padEnd(words)}${' '.repeat(GAP)}${part}`.trimEnd();
    }),
  );
}

/** Breaks at spaces, and in words that are longer than a line, which has one column at least. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const space = rest.lastIndexOf(' ', room);
    const at = space > 0 ? space : room;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  lines.push(rest);
  return lines;
}

/** 850 ms, 4.2 s, 00:03:25, 3d 04:10:00. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1000) return `${whole} ms`;
  if (whole < 10_000) return `${(whole / 1000).toFixed(1)} s`;
  return clockOf(Math.floor(whole / 1000));
}

/** hh:mm:ss, with days before it where there are any. */
export function clockOf(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, '0');
  const days = Math.floor(s / 86_400);
  const time = `${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return days === 0 ? time : `${days}d ${time}`;
}

/** How long ago, or '-' for a moment that never was. */
export function since(at: number, now: number): string {
  return at === 0 ? '-' : clockOf((now - at) / 1000);
}

/** What is left until then; '-' for never, `due` when it is past. */
export function left(at: number, now: number): string {
  if (at === 0) return '-';
  return at <= now ? 'due' : clockOf(Math.ceil((at - now) / 1000));
}

/** 2026-11-26 22:10:05 (UTC), without a clock of our own. */
export function utc(ms: number): string {
  const day = Math.floor(ms / 86_400_000);
  const date = civilDay(day);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${date.year}-${two(date.month)}-${two(date.day)} ${clockOf((ms - day * 86_400_000) / 1000)}`;
}

/** 512 B, 4.0 MiB, 1.5 GiB. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${n} B` : `${value.toFixed(1)} ${units[unit]}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export function yes(is: boolean): string {
  return is ? 'yes' : 'no';
}
