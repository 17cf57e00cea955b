/**
 * The file of alarms on the data partition. Written behind: an alarm is told first, and one that cannot
 * be written, or waits for a medium that hangs, is told all the same. What could not be written is there
 * with the next alarm: then the file is written anew, as when it has become long. A full disk is said once.
 */

import { readFileSync } from 'node:fs';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Kept, lineOf, linesOf, readAlarmLog } from '../../panel/monitor/alarm-log.ts';
import type { AlarmRecord } from '../../panel/monitor/box-status.ts';

const LONG_BYTES = 1024 * 1024;
/** Records that wait; with more of them the file is written anew. */
const WAITING = 500;

export class AlarmFile {
  private readonly path: string;
  private readonly log: (level: 'warning' | 'info', text: string) => void;
  private bytes = 0;
  private troubled = false;
  private readonly waiting: AlarmRecord[] = [];
  /** The file is to be written anew, with everything. */
  private begins = false;
  private running: Promise<void> | undefined;

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

  /** Nobody waits for it. @param all everything that is worth keeping, for a file that is written anew. */
  append(records: readonly AlarmRecord[], all: () => Omit<Kept, 'nextId'>): void {
    this.waiting.push(...records);
    if (this.waiting.length > WAITING) this.begins = true;
    if (this.begins) this.waiting.length = 0;
    this.running ??= this.run(all).finally(() => {
      this.running = undefined;
    });
  }

  /** When nothing waits to be written any more, or it cannot be. */
  settled(): Promise<void> {
    return this.running ?? Promise.resolve();
  }

  /** One write at a time, as many records as there are. What fails is in the file with the next alarm. */
  private async run(all: () => Omit<Kept, 'nextId'>): Promise<void> {
    try {
      while (this.waiting.length > 0 || this.begins) {
        const records = this.waiting.splice(0);
        const { begins } = this;
        this.begins = false;
        await this.write(records, begins, all);
      }
      if (this.troubled) this.log('info', 'alarms: written again');
      this.troubled = false;
    } catch (e) {
      this.begins = true;
      this.waiting.length = 0;
      if (!this.troubled) this.log('warning', `alarms: not written: ${(e as Error).message}`);
      this.troubled = true;
    }
  }

  private async write(
    records: readonly AlarmRecord[],
    begins: boolean,
    all: () => Omit<Kept, 'nextId'>,
  ): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    // a torn line at the end of the file must not take the next one with it
    const text = `${this.bytes === 0 ? '' : '\n'}${records.map(lineOf).join('')}`;
    const bytes = Buffer.byteLength(text);
    if (begins || this.bytes + bytes > LONG_BYTES) {
      await this.rewrite(linesOf(all()));
      return;
    }
    await appendFile(this.path, text, { mode: 0o600 });
    this.bytes += bytes;
  }

  private async rewrite(text: string): Promise<void> {
    await writeFile(`${this.path}.new`, text, { mode: 0o600, flush: true });
    await rename(`${this.path}.new`, this.path);
    this.bytes = Buffer.byteLength(text);
  }
}
