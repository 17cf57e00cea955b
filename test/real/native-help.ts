/** Small things that the tests of the native addon share. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { isOsError } from '../../src/edge/native/netlite.ts';

type Closable = { close(): void };
type Opened<T> = Exclude<T, { readonly osError: string } | number>;

/**
 * @returns what was opened, closed at the end of the test however it ends; throws when the operating
 * system said no.
 */
export function opened<T>(t: ExecutionContext, x: T): Opened<T> {
  if (isOsError(x)) throw new Error(`${x.call}: ${x.osError}`);
  t.teardown(() => (x as Closable).close());
  return x as Opened<T>;
}

/** Waits until it is so, and throws when that takes longer than `ms`. */
export async function until(what: string, done: () => boolean, ms = 5000): Promise<void> {
  for (const end = Date.now() + ms; !done(); await sleep(2)) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for: ${what}`);
  }
}
