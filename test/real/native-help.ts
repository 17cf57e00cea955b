/** Small things that the tests of the native addon share. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isOsError } from '../../src/edge/native/netlite.ts';

/** @returns the value; throws when the operating system said no. */
export function opened<T>(x: T): Exclude<T, { readonly osError: string }> {
  if (isOsError(x)) throw new Error(`${x.call}: ${x.osError}`);
  return x as Exclude<T, { readonly osError: string }>;
}

/** Waits until it is so, and throws when that takes longer than `ms`. */
export async function until(what: string, done: () => boolean, ms = 5000): Promise<void> {
  for (const end = Date.now() + ms; !done(); await sleep(2)) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for: ${what}`);
  }
}
