/**
 * Copies a whole world, sentries included: every object with its class, shared ones once. A copier
 * is written for each class when it is first met; that makes it several times as fast, and a search
 * spends most of its time here.
 */

import { SHALLOW, SHARED } from './adapter.ts';

type Bag = { [key: string]: unknown };
type Done = Map<object, object>;
type Copier = (from: Bag, done: Done, copy: typeof copyOf) => object;

const copiers = new Map<object, Copier>();

export function clone<T>(value: T): T {
  return copyOf(value, new Map()) as T;
}

function copyOf(value: unknown, done: Done): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const before = done.get(value);
  if (before !== undefined) return before;
  if (Array.isArray(value))
    return remember(
      value,
      value.map((v) => copyOf(v, done)),
      done,
    );
  if (ArrayBuffer.isView(value)) return value;
  if (value instanceof Map) {
    const twin = new Map<unknown, unknown>();
    done.set(value, twin);
    for (const [k, v] of value) twin.set(k, copyOf(v, done));
    return twin;
  }
  if (value instanceof Set) return remember(value, new Set(value), done);
  const proto = Object.getPrototypeOf(value) as object;
  if (proto === Object.prototype) return copyPlain(value as Bag, done);
  let copier = copiers.get(proto);
  if (copier === undefined) {
    copier = copierFor(proto, value as Bag);
    copiers.set(proto, copier);
  }
  return copier(value as Bag, done, copyOf);
}

function remember(from: object, to: object, done: Done): object {
  done.set(from, to);
  return to;
}

function copyPlain(value: Bag, done: Done): object {
  const twin = { ...value };
  done.set(value, twin);
  for (const key in twin) {
    const v = twin[key];
    if (typeof v === 'object' && v !== null) twin[key] = copyOf(v, done);
  }
  return twin;
}

/** A constructor with one assignment for each field, so that all copies have one shape. */
function copierFor(proto: object, first: Bag): Copier {
  const name = proto.constructor.name;
  const lines = Object.keys(first).map((field) => {
    const f = JSON.stringify(field);
    if (SHARED.has(`${name}.${field}`)) return `this[${f}] = from[${f}];`;
    if (SHALLOW.has(`${name}.${field}`)) {
      const flat = first[field] instanceof Map;
      return `this[${f}] = ${flat ? `new Map(from[${f}])` : `from[${f}].slice()`};`;
    }
    return `v = from[${f}]; this[${f}] = typeof v === 'object' ? copy(v, done) : v;`;
  });
  const body = `let v; done.set(from, this); ${lines.join(' ')}`;
  const make = new Function('from', 'done', 'copy', body) as unknown as {
    new (from: Bag, done: Done, copy: typeof copyOf): object;
    prototype: object;
  };
  make.prototype = proto;
  return (from, done, copy) => new make(from, done, copy);
}
