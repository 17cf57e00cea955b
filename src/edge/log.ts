/**
 * Log lines on standard error, where systemd collects them: time, level, text. Whoever reads them may
 * die or stand still: a box goes on without a log, it does not end or grow for want of one.
 */

import type { LogLine } from '../effect.ts';

const PRIORITY: { readonly [level in LogLine['level']]: number } = {
  debug: 7,
  info: 6,
  warning: 4,
  alarm: 2,
};

/** Bytes that may wait for a reader that stands still; further lines are lost, and counted. */
const PENDING_BYTES = 256 * 1024;

let lost = 0;

// a reader that is gone is told by an error (EPIPE), which would end the process if nobody listened
process.stderr.on('error', () => {});

export function log(level: LogLine['level'], text: string): void {
  if (process.stderr.writableLength > PENDING_BYTES) {
    lost += 1;
    return;
  }
  if (lost > 0) {
    write('warning', `${lost} log lines were lost: nobody read them`);
    lost = 0;
  }
  write(level, text);
}

function write(level: LogLine['level'], text: string): void {
  // <n> is the priority as sd-daemon(3) reads it
  process.stderr.write(`<${PRIORITY[level]}>${new Date().toISOString()} ${level} ${text}\n`);
}
