/**
 * What a process says to systemd (sd_notify(3)): that it serves, that it lives, what it does. Where
 * nobody asked for it (no NOTIFY_SOCKET) nothing is said. It costs one system call and never waits.
 */

import type { Mono } from '../base/units.ts';
import { netlite } from './native/netlite.ts';

const address = process.env['NOTIFY_SOCKET'] ?? '';

/** Lines of `VARIABLE=value`. A systemd that does not take it finds out by itself. */
export function notify(text: string): void {
  if (address !== '') netlite.notify(address, text);
}

/** How often a sign of life is wanted, ms: half of what systemd waits; 0 when it does not. */
export function watchdogMs(): number {
  const pid = process.env['WATCHDOG_PID'];
  if (address === '' || (pid !== undefined && pid !== String(process.pid))) return 0;
  const usec = Number(process.env['WATCHDOG_USEC'] ?? 0);
  return Number.isFinite(usec) && usec > 0 ? usec / 2000 : 0;
}

/**
 * The life of a process as systemd sees it. `turn` is called often and costs two comparisons: a sign of
 * life goes out only when its time has come and the work has moved since the last one.
 */
export class Life {
  private readonly everyMs = watchdogMs();
  private nextAt: Mono = 0;
  private work = -1;
  private said = '';
  private ready = false;

  /** Once: whoever starts after this process may. */
  serves(): void {
    if (this.ready) return;
    this.ready = true;
    notify('READY=1');
  }

  /** @param work grows while the process does what it is there for. */
  turn(now: Mono, work: number): void {
    if (this.everyMs === 0 || now < this.nextAt || work === this.work) return;
    this.nextAt = now + this.everyMs;
    this.work = work;
    notify('WATCHDOG=1');
  }

  /** For `systemctl status`. */
  says(text: string): void {
    if (text === this.said) return;
    this.said = text;
    notify(`STATUS=${text}`);
  }

  ends(): void {
    notify('STOPPING=1');
  }
}

/** For processes without a sentry: a sign of life by a timer, which a hung process does not run. */
export function keepAlive(life: Life): NodeJS.Timeout | undefined {
  const every = watchdogMs();
  if (every === 0) return undefined;
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
    life.turn(netlite.monotonic(), turns);
  }, every / 2);
  return timer.unref();
}
