/**
 * Starts a thread by its name, from its source file or, in the executable, from its part of it
 * (assets.ts says more).
 */

import { getAsset } from 'node:sea';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { PACKED } from './assets.ts';

/** Each is `NAME.ts` beside this file; image/binary.ts makes a bundle of each. */
export const THREADS = [
  'engine-thread',
  'disk-thread',
  'media-thread',
  'cti-thread',
  'inventory-thread',
] as const;
export type ThreadName = (typeof THREADS)[number];

export function startThread(name: ThreadName, options: WorkerOptions): Worker {
  if (PACKED) return new Worker(getAsset(`thread/${name}`, 'utf8'), { ...options, eval: true });
  return new Worker(new URL(`./${name}.ts`, import.meta.url), options);
}
