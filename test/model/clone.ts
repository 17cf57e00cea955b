/** Copies a whole world, sentries included: every object with its class, shared ones once. */

import { SHARED } from './adapter.ts';

type Bag = { [key: string]: unknown };

export function clone<T>(value: T): T {
  return copy(value, new Map()) as T;
}

function copy(value: unknown, done: Map<object, object>): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const before = done.get(value);
  if (before !== undefined) return before;
  if (Array.isArray(value)) {
    const list: unknown[] = new Array(value.length);
    done.set(value, list);
    for (let i = 0; i < value.length; i += 1) list[i] = copy(value[i], done);
    return list;
  }
  if (value instanceof Map) {
    const map = new Map<unknown, unknown>();
    done.set(value, map);
    for (const [k, v] of value) map.set(k, copy(v, done));
    return map;
  }
  if (value instanceof Set) {
    const set = new Set<unknown>(value);
    done.set(value, set);
    return set;
  }
  return copyFields(value as Bag, done);
}

function copyFields(value: Bag, done: Map<object, object>): object {
  const proto = Object.getPrototypeOf(value) as { constructor: { name: string } };
  const name = proto.constructor.name;
  const twin: Bag =
    name === 'Object' ? { ...value } : Object.assign(Object.create(proto) as Bag, value);
  done.set(value, twin);
  for (const key in twin) {
    const v = twin[key];
    if (typeof v !== 'object' || v === null) continue;
    if (SHARED.has(`${name}.${key}`)) continue;
    twin[key] = copy(v, done);
  }
  return twin;
}
