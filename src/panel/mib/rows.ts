/** Objects of the MIB written as rows: what they have in common is made here. */

import type { Column, Scalar, Scene, Syntax } from './terms.ts';
import {
  counter64,
  dateAndTime,
  gauge,
  integer,
  type SnmpValue,
  text,
  ticks,
  truth,
} from './values.ts';

/** `units` is '' where there are none. `of` gives undefined where this box has no such thing. */
export type Line<From> = readonly [
  name: string,
  number: number,
  syntax: Syntax,
  units: string,
  help: string,
  of: (from: From, scene: Scene) => SnmpValue | undefined,
];

function named<From>(stem: string, [name, number, syntax, units, help]: Line<From>) {
  const base = { name: `${stem}${name}`, number, syntax, help };
  return units === '' ? base : { ...base, units };
}

/** @param from what the rows read; while it is undefined they do not exist. */
export function scalarsOf<From>(
  stem: string,
  from: (scene: Scene) => From | undefined,
  lines: readonly Line<From>[],
): readonly Scalar[] {
  return lines.map((line) => ({
    ...named(stem, line),
    of(scene) {
      const seen = from(scene);
      return seen === undefined ? undefined : line[5](seen, scene);
    },
  }));
}

export function columnsOf<Row>(stem: string, lines: readonly Line<Row>[]): readonly Column<Row>[] {
  return lines.map((line) => ({ ...named(stem, line), of: line[5] }));
}

/** Nothing for nothing. */
export function maybe<T>(
  value: T | undefined,
  make: (value: T) => SnmpValue,
): SnmpValue | undefined {
  return value === undefined ? undefined : make(value);
}

// ── rows of one syntax: `of` gives the plain value ─────────────────────────────────────────────

function kind<V>(syntax: Syntax, make: (value: V) => SnmpValue) {
  return <From>(
    name: string,
    number: number,
    help: string,
    of: (from: From, scene: Scene) => V | undefined,
    units = '',
  ): Line<From> => [name, number, syntax, units, help, (f, scene) => maybe(of(f, scene), make)];
}

export const aTruth = kind('truth', truth);
export const aText = kind('text', text);
export const aGauge = kind('gauge', gauge);
export const aNumber = kind('unsigned', gauge);
export const aCounter = kind('counter64', counter64);
export const aDate = kind('date', dateAndTime);
export const aTicks = kind('ticks', ticks);

/** Names as SMI allows them: letters and digits, 0 for what is not known. */
export function numbered(names: readonly string[]): { readonly [name: string]: number } {
  return Object.fromEntries(['unknown', ...names].map((name, i) => [camel(name), i]));
}

function camel(name: string): string {
  return name.replace(/[-.](\w)/g, (_, c: string) => c.toUpperCase()).replace(/^(\d)/, 'n$1');
}

/** '' is what is not known, where the object is there all the same. */
export function oneOf(names: readonly string[]) {
  return kind({ named: numbered(names) }, (name: string) => integer(names.indexOf(name) + 1));
}
