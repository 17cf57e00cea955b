/**
 * The file of alarms on the data partition. Written behind: an alarm is told first, and one that cannot
 * be written is told all the same. It is made short when it has become long; a full disk is said once.
 */

import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Kept, lineOf, linesOf, readAlarmLog } from '../../panel/monitor/alarm-log.ts';
import type { AlarmRecord } from '../../panel/monitor/box-status.ts';

const LONG_BYTES = 1024 * 1024;

export class AlarmFile {
  private readonly path: string;
  private readonly log: (level: 'warning' | 'info', text: string) => void;
  private bytes = 0;
  private troubled = false;

  constructor(path: string, log: (level: 'warning' | 'info', text: string) => void) {
    this.path = path;
    this.log = log;
  }

  load(): Kept {
    let text = '';
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      if (code !== 'ENOENT') this.log('warning', `alarms: ${(e as Error).message}: begun anew`);
    }
    this.bytes = Buffer.byteLength(text);
    return readAlarmLog(text);
  }

  /** @param all everything that is worth keeping, for a file that has become long. */
  append(records: readonly AlarmRecord[], all: () => Omit<Kept, 'nextId'>): void {
    try {
      // a torn line at the end of the file must not take the next one with it
      const text = `${this.bytes === 0 ? '' : '\n'}${records.map(lineOf).join('')}`;
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      if (this.bytes + text.length > LONG_BYTES) this.rewrite(linesOf(all()));
      else {
        appendFileSync(this.path, text, { mode: 0o600 });
        this.bytes += Buffer.byteLength(text);
      }
      if (this.troubled) this.log('info', 'alarms: written again');
      this.troubled = false;
    } catch (e) {
      if (!this.troubled) this.log('warning', `alarms: not written: ${(e as Error).message}`);
      this.troubled = true;
    }
  }

  private rewrite(text: string): void {
    writeFileSync(`${this.path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${this.path}.new`, this.path);
    this.bytes = Buffer.byteLength(text);
  }
}
