/** Every command of every session, without secrets, in /data/log/console.log and in the journal. */

import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { log } from '../log.ts';

const FILE_MAX = 1024 * 1024;
/** Older files beside the one that is written. */
const KEPT = 3;

export class Audit {
  private readonly path: string;
  private readonly line: string;
  private readonly journal: boolean;
  private broken = false;

  /** @param line which terminal. @param journal say it on standard error too. */
  constructor(root: string, line: string, journal: boolean) {
    this.journal = journal;
    this.path = join(root, 'data/log/console.log');
    this.line = line;
  }

  tell(text: string): void {
    if (this.journal) log('info', `console ${this.line}: ${text}`);
    try {
      this.folder();
      this.turn();
      const at = new Date().toISOString();
      appendFileSync(this.path, `${at} ${this.line} ${text}\n`, { mode: 0o600 });
      this.broken = false;
    } catch (e) {
      // a missing, full or read-only disk must not keep anybody out
      if (this.journal && !this.broken)
        log('warning', `console: ${this.path}: ${(e as Error).message}`);
      this.broken = true;
    }
  }

  /** Only below a data partition that is there. */
  private folder(): void {
    const folder = join(this.path, '..');
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) mkdirSync(folder);
  }

  private turn(): void {
    if ((statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) < FILE_MAX) return;
    for (let i = KEPT; i > 0; i -= 1) {
      const from = i === 1 ? this.path : `${this.path}.${i - 1}`;
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) {
        renameSync(from, `${this.path}.${i}`);
      }
    }
  }
}
