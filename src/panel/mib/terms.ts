/**
 * A MIB module as data: groups of scalars and tables, each object with its number, syntax, sentence
 * and the function that reads its value from the state of the box. What is served, the text of the
 * module and the table of the manual are all made from it.
 */

import type { Mono } from '../../base/units.ts';
import type { BoxStatus } from '../monitor/box-status.ts';
import type { Oid, SnmpValue, Varbind } from './values.ts';

/** What values are made of. */
export type Scene = {
  readonly status: BoxStatus;
  /** sysUpTime of the agent at a moment of the monotonic clock, hundredths of a second: 0 for before it began. */
  readonly upTimeAt: (moment: Mono) => number;
  /** Index of the LAN interface as IF-MIB numbers it, 0 when it is not known. */
  readonly lanIfIndex: number;
};

export type Syntax =
  | 'text'
  | 'truth'
  | 'date'
  | 'gauge'
  | 'unsigned'
  | 'integer'
  | 'counter64'
  | 'ticks'
  | 'id'
  | { readonly named: { readonly [name: string]: number } };

type Named = {
  readonly name: string;
  readonly number: number;
  readonly syntax: Syntax;
  readonly units?: string;
  readonly help: string;
};

/** undefined: this box has no such thing, and the instance does not exist. */
export type Scalar = Named & { readonly of: (scene: Scene) => SnmpValue | undefined };

/** Sent with notifications only. */
export type Sent = Named & { readonly sent: true };

export type Column<Row> = Named & {
  readonly of: (row: Row, scene: Scene) => SnmpValue | undefined;
};

export type Table<Row> = {
  readonly name: string;
  readonly number: number;
  readonly help: string;
  readonly index: Named & {
    /** A string index is IMPLIED: it is the last and only one. */
    readonly of: (row: Row) => Oid;
  };
  readonly columns: readonly Column<Row>[];
  readonly rows: (scene: Scene) => readonly Row[];
};

/** A table whatever its rows are. */
export type AnyTable = {
  readonly name: string;
  readonly number: number;
  readonly help: string;
  readonly index: Named;
  readonly columns: readonly Named[];
  readonly instances: (at: Oid, scene: Scene) => Varbind[];
};

export function table<Row>(t: Table<Row>): AnyTable {
  return {
    name: t.name,
    number: t.number,
    help: t.help,
    index: t.index,
    columns: t.columns,
    instances: (at, scene) => {
      const out: Varbind[] = [];
      for (const row of t.rows(scene)) {
        const index = t.index.of(row);
        for (const column of t.columns) {
          const value = column.of(row, scene);
          // table, entry, column, index
          if (value !== undefined) {
            out.push({ oid: [...at, t.number, 1, column.number, ...index], value });
          }
        }
      }
      return out;
    },
  };
}

export type Group = {
  readonly name: string;
  readonly number: number;
  readonly help: string;
  readonly scalars: readonly (Scalar | Sent)[];
  readonly tables: readonly AnyTable[];
};

export type NotificationSpec = {
  readonly name: string;
  readonly number: number;
  /** Objects it carries, by name. */
  readonly objects: readonly string[];
  readonly help: string;
};

export function isSent(object: Scalar | Sent): object is Sent {
  return 'sent' in object;
}

/** Everything that exists of `groups`, which hang off `at`. */
export function instancesOf(at: Oid, groups: readonly Group[], scene: Scene): Varbind[] {
  const out: Varbind[] = [];
  for (const group of groups) {
    const here = [...at, group.number];
    for (const scalar of group.scalars) {
      const value = isSent(scalar) ? undefined : scalar.of(scene);
      if (value !== undefined) out.push({ oid: [...here, scalar.number, 0], value });
    }
    for (const t of group.tables) out.push(...t.instances(here, scene));
  }
  return out;
}
