/** Log lines on standard error, where systemd collects them: time, level, text. */

import type { LogLine } from '../effect.ts';

const PRIORITY: { readonly [level in LogLine['level']]: number } = {
  debug: 7,
  info: 6,
  warning: 4,
  alarm: 2,
};

export function log(level: LogLine['level'], text: string): void {
  // <n> is the priority as sd-daemon(3) reads it
  process.stderr.write(`<${PRIORITY[level]}>${new Date().toISOString()} ${level} ${text}\n`);
}
