/** What the monitor reads of the configuration: the subtree `system`, and of the daemon's file what it needs. */

import { readFileSync, statSync } from 'node:fs';
import { carried, isFormatFault } from '../../panel/tree/stored.ts';
import type { SystemTree } from './consumer.ts';
import { placesBelow } from './places.ts';

type Json = { readonly [name: string]: unknown };

export function objectIn(path: string): Json | undefined {
  try {
    const x: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isObject(x) ? x : undefined;
  } catch {
    return undefined;
  }
}

function isObject(x: unknown): x is Json {
  return typeof x === 'object' && x !== null && !Array.isArray(x);
}

function inside(x: unknown, ...names: readonly string[]): unknown {
  return names.reduce((at, name) => (isObject(at) ? at[name] : undefined), x);
}

/** The tree, in today's format; one that a newer release wrote as it stands, as far as it is understood. */
function treeIn(active: Json | undefined): unknown {
  const tree = inside(active, 'tree');
  const now = carried({ format: inside(active, 'format') ?? 1, tree });
  return isFormatFault(now) ? tree : now;
}

/** `{}` when there is no configuration yet, or none that can be read. */
export function readSystem(root: string): SystemTree {
  const file = objectIn(placesBelow(root).active);
  const system = inside(treeIn(file), 'system');
  return isObject(system) ? system : {};
}

/** Changes when the file does: whether to read it again. */
export function stampOf(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch {
    return '';
  }
}

export type BoxFile = {
  readonly name: string;
  /** Files of SIP over TLS: certificate and key, where the operator gave some. */
  readonly certificates: readonly { readonly certificate: string; readonly key: string }[];
};

/** undefined: there is none the daemon could start with. */
export function readBoxFile(root: string): BoxFile | undefined {
  const places = placesBelow(root);
  const file = objectIn(places.boxFile);
  if (file === undefined) return undefined;
  const certificates = ['tls', 'wss'].flatMap((listener) => {
    const certificate = inside(file, 'sip', listener, 'certificate');
    const key = inside(file, 'sip', listener, 'key');
    if (typeof certificate !== 'string' || certificate === '') return [];
    return [{ certificate, key: typeof key === 'string' ? key : '' }];
  });
  const box = String(file['box']);
  const name = inside(treeIn(objectIn(places.active)), 'box', box, 'name');
  return { name: typeof name === 'string' ? name : `box-${box}`, certificates };
}
