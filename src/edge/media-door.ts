/**
 * Between the engine and the media thread: what is said to the service of the box in one turn is one
 * message, and what it says comes in as from any neighbour.
 */

import type { Worker } from 'node:worker_threads';
import type { LogLine } from '../effect.ts';
import type { Config } from './config.ts';
import type { FromMedia, MediaThreadData, ToMedia } from './media-thread.ts';
import { startThread } from './worker.ts';

export class MediaDoor {
  private readonly worker: Worker;
  private waiting: string[] = [];
  /** Callers who were played nothing, because all sessions or ports were in use. */
  full = 0;

  constructor(
    config: Config,
    lease: SharedArrayBuffer,
    hear: (text: string) => void,
    log: (line: LogLine) => void,
  ) {
    const { vip, vip6, nonceKey } = config.node.sip;
    this.worker = startThread('media-thread', {
      workerData: { media: config.media, vip, vip6, nonceKey, lease } satisfies MediaThreadData,
    });
    // as with every thread: a broken one stops this box, and the other one goes on with its sessions
    this.worker.on('error', (e) => {
      throw e;
    });
    this.worker.on('message', (m: FromMedia) => {
      if (m.kind === 'log') log(m.line);
      else if (m.kind === 'full') this.full = m.times;
      else for (const text of m.texts) hear(text);
    });
  }

  queue(text: string): void {
    this.waiting.push(text);
  }

  /** @param offset the pair clock minus the monotonic clock. */
  flush(offset: number): void {
    if (this.waiting.length === 0) return;
    this.worker.postMessage({ kind: 'sip', texts: this.waiting, offset } satisfies ToMedia);
    this.waiting = [];
  }

  /** This box is not the primary any more. */
  drop(): void {
    this.waiting = [];
    this.worker.postMessage({ kind: 'drop' } satisfies ToMedia);
  }
}
