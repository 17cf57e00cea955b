/**
 * The file of CDRs of this box: one JSON object a line, one file a day (UTC, by the end of the call),
 * `<data>/cdr/YYYY-MM-DD.jsonl`. Both boxes write the same lines.
 *
 * What the file has already is read from it at start, so what is said again is not written again. A
 * line that a crash cut off is taken away; its call is still a row and is said again. When it cannot
 * write (full, read-only) the lines wait here and are tried again once a second; calls do not wait for
 * that, and a box that restarts meanwhile is given them again.
 */

import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '../base/limits.ts';
import { troubleOf } from './disk-trouble.ts';

/** At start so many lines of the newest files are looked at, more than there are rows; and so many bytes. */
const LOOK_LINES = 2 * LIMITS.cdrRows;
const LOOK_BYTES = 256 * 1024 * 1024;
/** Read at once; no line is longer. */
const PIECE_BYTES = 4 * 1024 * 1024;
const FILE_NAME = /^\d{4}-\d\d-\d\d\.jsonl$/;

type Waiting = { readonly day: string; readonly guid: string; readonly line: string };

/** Files of a folder, oldest first. */
export function cdrFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => FILE_NAME.test(name))
    .sort();
}

export class CdrFile {
  private readonly folder: string;
  private readonly tell: (level: 'alarm' | 'info', text: string) => void;
  private written: Set<string> | undefined;
  private readonly waiting: Waiting[] = [];
  private day = '';
  private troubled = false;
  private lost = 0;

  constructor(folder: string, tell: (level: 'alarm' | 'info', text: string) => void) {
    this.folder = folder;
    this.tell = tell;
  }

  /** Lines that could not be written yet. */
  get backlog(): number {
    return this.waiting.length;
  }

  /** `records` as cdr-feed.ts says them. */
  take(records: readonly string[]): void {
    for (const text of records) {
      const end = text.indexOf('\n');
      const guid = text.slice(0, text.indexOf(' '));
      if (this.waiting.length >= LIMITS.cdrWaiting) {
        this.lost += 1;
        continue;
      }
      const at = Number(text.slice(guid.length + 1, end));
      const day = new Date(at).toISOString().slice(0, 10);
      this.waiting.push({ day, guid, line: lineOf(text.slice(end + 1)) });
    }
  }

  /** @returns false when something could not be written and is to be tried again. */
  work(): boolean {
    if (this.waiting.length === 0) return true;
    try {
      this.write();
    } catch (e) {
      const { text } = troubleOf(e);
      const more = this.lost === 0 ? '' : `, ${this.lost} more are kept only as long as their rows`;
      if (!this.troubled) this.tell('alarm', `cdr: ${text}; lines wait to be written${more}`);
      this.troubled = true;
      return false;
    }
    if (this.troubled) this.tell('info', 'cdr: lines are written again');
    this.troubled = false;
    if (this.lost > 0) {
      this.tell('alarm', `cdr: ${this.lost} lines are missing until this box restarts`);
      this.lost = 0;
    }
    return true;
  }

  private write(): void {
    mkdirSync(this.folder, { recursive: true });
    this.written ??= this.known();
    while (this.waiting.length > 0) {
      const { day } = this.waiting[0] as Waiting;
      if (day !== this.day) this.prune();
      let n = 0;
      let text = '';
      const guids: string[] = [];
      for (const w of this.waiting) {
        if (w.day !== day) break;
        n += 1;
        if (this.written.has(w.guid) || guids.includes(w.guid)) continue;
        guids.push(w.guid);
        text += w.line;
        if (guids.length >= 256) break;
      }
      append(join(this.folder, `${day}.jsonl`), text);
      for (const guid of guids) this.written.add(guid);
      this.waiting.splice(0, n);
      this.day = day;
    }
    let extra = this.written.size - 4 * LIMITS.cdrRows;
    for (const guid of this.written) {
      if (extra <= 0) break;
      this.written.delete(guid);
      extra -= 1;
    }
  }

  /** Looks at what the files have already, so that nothing waits for that later. */
  prepare(): void {
    try {
      this.written ??= this.known();
    } catch {
      // told, and tried again, when there is something to write
    }
  }

  /**
   * What was written before this process began, from the newest file back until it is more than there
   * are rows. A clock that was wrong once leaves files of days to come: those are not all there is.
   */
  private known(): Set<string> {
    const out = new Set<string>();
    let left = LOOK_BYTES;
    for (const name of cdrFiles(this.folder).reverse()) {
      if (left <= 0 || out.size >= LOOK_LINES) break;
      left -= guidsOf(join(this.folder, name), left, out);
    }
    return out;
  }

  /** A new day begins: the oldest files make room. */
  private prune(): void {
    const files = cdrFiles(this.folder);
    let bytes = 0;
    for (const [age, name] of files.reverse().entries()) {
      const path = join(this.folder, name);
      bytes += statSync(path).size;
      if (age < LIMITS.cdrFiles && bytes <= LIMITS.cdrBytes) continue;
      rmSync(path, { force: true });
      this.tell('info', `cdr: ${name} was removed, it is too old`);
    }
  }
}

/** Begins each line; user data may have the same words, further on. */
const BEGINS = /^\{"callId":\d+,"guid":"([0-9a-f-]{36})"/gm;

/**
 * Adds the guids of a file's lines to `out`, from its end back; the end of a line that was cut off goes.
 * @returns bytes that were read.
 */
function guidsOf(path: string, most: number, out: Set<string>): number {
  const fd = openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, PIECE_BYTES));
    let at = size;
    let rest = '';
    while (at > 0 && size - at < most && out.size < LOOK_LINES) {
      const n = Math.min(at, PIECE_BYTES);
      at -= n;
      readSync(fd, bytes, 0, n, at);
      let text = bytes.toString('latin1', 0, n);
      if (at + n === size) {
        const whole = text.lastIndexOf('\n') + 1;
        if (whole < n) ftruncateSync(fd, at + whole);
        text = text.slice(0, whole);
      }
      text += rest;
      // the rest of its first line comes with the piece before
      const from = at === 0 ? 0 : text.indexOf('\n') + 1;
      for (const found of text.slice(from).matchAll(BEGINS)) out.add(found[1] as string);
      rest = text.slice(0, from);
    }
    return size - at;
  } finally {
    closeSync(fd);
  }
}

/** All of it or nothing. */
function append(path: string, text: string): void {
  if (text === '') return;
  const fd = openSync(path, 'a');
  const { size } = fstatSync(fd);
  try {
    const bytes = Buffer.from(text, 'latin1');
    const n = writeSync(fd, bytes);
    if (n < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
  } catch (e) {
    ftruncateSync(fd, size);
    throw e;
  } finally {
    closeSync(fd);
  }
}

type Piece = { readonly what: string; readonly start?: number; readonly [name: string]: unknown };

const TIMES = new Set(['start', 'answer', 'end', 'at']);

function withTimes(value: { readonly [name: string]: unknown }): { [name: string]: unknown } {
  const out: { [name: string]: unknown } = {};
  for (const [name, v] of Object.entries(value)) {
    if (TIMES.has(name) && typeof v === 'number') {
      out[name] = v === 0 ? null : new Date(v).toISOString();
    } else out[name] = v;
  }
  return out;
}

/** The line of a CDR: times as text, devices in the order in which they came. */
export function lineOf(json: string): string {
  const { log, userData, ...rest } = JSON.parse(json) as {
    readonly log: readonly Piece[];
    readonly userData?: unknown;
  };
  const devices = log.filter((p) => p.what === 'device');
  devices.sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
  const whole = {
    ...withTimes(rest),
    devices: devices.map(({ what: _, ...d }) => withTimes(d)),
    passed: log.filter((p) => p.what !== 'device').map(withTimes),
    ...(userData === undefined ? {} : { userData }),
  };
  const text = JSON.stringify(whole);
  const ascii = text.replace(
    /[^\x20-\x7e]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${ascii}\n`;
}
