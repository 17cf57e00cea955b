/**
 * The shape of state. A table is a list of fields, written once, in the room that knows what they
 * mean; the TypeScript type of a row, its binary form in the journal, its columns in SQLite and its
 * picture in a difference all follow from that list (`ledger/` compiles it).
 *
 * Rows are plain data. Everything a switchover must keep is a row; nothing else exists after one.
 */

import type { Instant } from './units.ts';

/** int: whole number 0 .. 2^53-1. time: Instant. text: latin1, one character a byte. flag: boolean. */
export type Kind = 'int' | 'time' | 'text' | 'flag' | readonly string[];

export type Fields = { readonly [name: string]: Kind };

type ValueOf<K extends Kind> = K extends 'int'
  ? number
  : K extends 'time'
    ? Instant
    : K extends 'text'
      ? string
      : K extends 'flag'
        ? boolean
        : K extends readonly (infer S)[]
          ? S
          : never;

/** A row as everyone but the ledger sees it: readable, never writable. */
export type RowOf<F extends Fields> = { readonly id: number } & {
  readonly [N in keyof F]: ValueOf<F[N]>;
};

/** Values for a new row, or for changed fields of one. */
export type Values<F extends Fields> = { -readonly [N in keyof F]?: ValueOf<F[N]> };

export type TableSpec<F extends Fields = Fields> = {
  readonly name: string;
  /** One sentence for the operator who opens the database. */
  readonly about: string;
  /** Number on the wire, 1 .. 63; never reused. */
  readonly number: number;
  /** Order is the wire order: append only; a removed field keeps its place under a dead name. */
  readonly fields: F;
  /**
   * Fields by which rows are looked up. They do not change during a row's life. The empty text stands
   * for none and is not looked up.
   */
  readonly indexes: { readonly [N in keyof F]?: 'unique' | 'many' };
  /**
   * Earliest moment at which this row wants to be looked at again, NEVER for none. (A method, so
   * that a list of different tables is a list of tables.)
   */
  deadline(row: RowOf<F>): Instant;
  /** Kept by a warm-standby pair too (configuration and registrations are, calls are not). */
  readonly warm: boolean;
};

/** Declares a table. Pure data; nothing is registered anywhere. */
export function table<const F extends Fields>(spec: TableSpec<F>): TableSpec<F> {
  return spec;
}

/**
 * What a protocol machine may do with rows. `ledger/txn.ts` implements it; a machine cannot tell
 * whether it is on a box, in a simulator or in a unit test.
 */
export interface Store {
  /** Adds a row; fields left out get 0, '', false or the first tag. @returns the row, live. */
  insert<F extends Fields>(table: TableSpec<F>, values: Values<F>): RowOf<F>;
  /** Changes fields of a row in place. Fields equal to what they were cost nothing. */
  patch<F extends Fields>(table: TableSpec<F>, row: RowOf<F>, values: Values<F>): void;
  remove<F extends Fields>(table: TableSpec<F>, row: RowOf<F>): void;
  get<F extends Fields>(table: TableSpec<F>, id: number): RowOf<F> | undefined;
  /** The row with this value in a field indexed 'unique'. */
  find<F extends Fields>(
    table: TableSpec<F>,
    field: keyof F & string,
    value: string | number,
  ): RowOf<F> | undefined;
  /** The rows with this value in a field indexed 'many', in order of insertion. Do not keep it. */
  all<F extends Fields>(
    table: TableSpec<F>,
    field: keyof F & string,
    value: string | number,
  ): readonly RowOf<F>[];
  /** Every row of a table, in order of insertion. Rows removed meanwhile are not visited. */
  rows<F extends Fields>(table: TableSpec<F>): Iterable<RowOf<F>>;
  count<F extends Fields>(table: TableSpec<F>): number;
}
