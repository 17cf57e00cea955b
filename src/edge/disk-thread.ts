/**
 * The disk thread: SQLite and nothing else. A batch a message, answered when it is committed. A
 * failing disk is told once a second and tried again: calls go on from memory meanwhile.
 *
 * May load: better-sqlite3, the addon, ledger/, the table lists of proto/ and call/.
 */

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { CALL_TABLES } from '../call/switch.ts';
import type { PersistBatch } from '../ledger/disk.ts';
import { netlite } from './native/netlite.ts';
import { StateFile } from './sqlite.ts';

export type DiskThreadData = { readonly path: string; readonly stamp: string };
export type DiskAnswer =
  | {
      readonly kind: 'loaded';
      readonly loaded: ReturnType<StateFile['load']>;
      readonly setAside: string;
    }
  | { readonly kind: 'synced'; readonly ticket: number }
  | { readonly kind: 'fault'; readonly text: string };

const RETRY_MS = 1000;
/** nice(2): after the engine and the sentry, which must not wait for a batch to be written. */
const PRIORITY = -5;

const port = parentPort;
if (port === null) throw new Error('disk-thread is started by the engine');
const { path, stamp } = workerData as DiskThreadData;

function open(): StateFile {
  try {
    return new StateFile(path, CALL_TABLES, stamp);
  } catch (e) {
    throw new Error(`start-failed: database ${path}: ${(e as Error).message}`);
  }
}

try {
  setPriority(netlite.gettid(), PRIORITY);
} catch {
  // not allowed: as the others then, at ordinary priority
}
const file = open();
const waiting: PersistBatch[] = [];

function say(answer: DiskAnswer): void {
  port?.postMessage(answer);
}

function work(): void {
  while (waiting.length > 0) {
    const batch = waiting[0] as PersistBatch;
    try {
      file.apply(batch);
    } catch (e) {
      say({ kind: 'fault', text: e instanceof Error ? e.message : String(e) });
      setTimeout(work, RETRY_MS);
      return;
    }
    waiting.shift();
    say({ kind: 'synced', ticket: batch.ticket });
  }
}

port.on('message', (batch: PersistBatch) => {
  waiting.push(batch);
  if (waiting.length === 1) work();
});

say({ kind: 'loaded', loaded: file.load(Date.now()), setAside: file.setAside });
