/**
 * The disk thread: SQLite and nothing else. A batch a message, answered when it is committed. What
 * it cannot write it tells, and tries again once a second: calls go on from memory meanwhile.
 *
 * May load: better-sqlite3, the addon, ledger/, the table lists of proto/ and call/.
 */

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { CALL_TABLES } from '../call/switch.ts';
import type { DiskWord, Loaded, PersistBatch } from '../ledger/disk.ts';
import { CdrFile } from './cdr-file.ts';
import { troubleOf } from './disk-trouble.ts';
import { netlite } from './native/netlite.ts';
import { StateDisk } from './state-disk.ts';

export type DiskThreadData = {
  readonly path: string;
  /** Folder of the CDR files. */
  readonly cdrs: string;
};
export type DiskAnswer =
  | { readonly kind: 'loaded'; readonly loaded: Loaded; readonly setAside: string }
  | DiskWord
  /** What became of the CDRs: for the operator's log. */
  | { readonly kind: 'cdr'; readonly level: 'alarm' | 'info'; readonly text: string }
  /** So many lines wait for a file that cannot be written; 0: none any more. */
  | { readonly kind: 'cdr-waiting'; readonly lines: number };
/** CDRs for the file, beside the batches. */
export type CdrBatch = { readonly records: readonly string[] };

const RETRY_MS = 1000;
/** nice(2): after the engine and the sentry, which must not wait for a batch to be written. */
const PRIORITY = -5;

const port = parentPort;
if (port === null) throw new Error('disk-thread is started by the engine');
const { path, cdrs } = workerData as DiskThreadData;

function say(answer: DiskAnswer): void {
  port?.postMessage(answer);
}

function open(): { readonly disk: StateDisk; readonly loaded: Loaded } {
  try {
    const stamp = (): string => new Date().toISOString().replaceAll(':', '-');
    const disk = new StateDisk(path, CALL_TABLES, stamp, say);
    return { disk, loaded: disk.load(Date.now()) };
  } catch (e) {
    throw new Error(`start-failed: database ${path}: ${troubleOf(e).text}`);
  }
}

try {
  setPriority(netlite.gettid(), PRIORITY);
} catch {
  // not allowed: as the others then, at ordinary priority
}
const { disk, loaded } = open();
let retrying = false;

function work(): void {
  retrying = !disk.work();
  if (retrying) setTimeout(work, RETRY_MS);
}

const cdrFile = new CdrFile(cdrs, (level, text) => say({ kind: 'cdr', level, text }));
// before anybody waits for this thread
cdrFile.prepare();
let cdrRetrying = false;
let cdrWaiting = 0;

function workCdrs(): void {
  cdrRetrying = !cdrFile.work();
  const lines = cdrFile.backlog;
  if (lines !== cdrWaiting) say({ kind: 'cdr-waiting', lines });
  cdrWaiting = lines;
  if (cdrRetrying) setTimeout(workCdrs, RETRY_MS);
}

port.on('message', (batch: PersistBatch | CdrBatch) => {
  if ('records' in batch) {
    cdrFile.take(batch.records);
    if (!cdrRetrying) workCdrs();
    return;
  }
  disk.take(batch);
  if (!retrying) work();
});

say({ kind: 'loaded', loaded, setAside: disk.setAside });
