/**
 * Whether the own disk can be waited for. A disk that says that it cannot write, and one that says
 * nothing for too long, are the same to a call: both are told once, with the reason, and calls go on
 * from memory until it writes in time again.
 *
 *   works ──says so──► fails ──answers─────────────► works
 *     └────silent────► stalls ──answers in time────► works
 *                        (a late answer only shows that it moves: the next batch decides)
 */

import { LIMITS } from '../base/limits.ts';
import type { Millis, Mono } from '../base/units.ts';

export type DiskState = 'works' | 'fails' | 'stalls';
type Logs = { push(line: { readonly level: 'info' | 'alarm'; readonly text: string }): unknown };

export class DiskWatch {
  state: DiskState = 'works';
  /** Complaints of the disk, times it was silent too long, databases replaced. */
  faults = 0;
  stalls = 0;
  replaced = 0;
  /** Bytes the disk thread caused to be written, as the kernel counts them. */
  flashBytes = 0;

  /** The reason of the alarm that stands, '' for none. */
  private alarm = '';
  private worksSince: Mono = 0;

  get fails(): boolean {
    return this.state !== 'works';
  }

  /** The disk said that it cannot write. */
  fault(text: string, logs: Logs): void {
    this.faults += 1;
    this.state = 'fails';
    this.tell(text, text, logs);
  }

  /** A batch was answered so long after it was handed over. @returns whether that was too late. */
  answered(now: Mono, took: Millis): boolean {
    if (this.state === 'works') return false;
    if (this.state === 'stalls' && took >= LIMITS.diskWaitMs) return true;
    this.state = 'works';
    this.worksSince = now;
    return false;
  }

  /**
   * Looks once a turn. `oldest`: when the oldest unanswered batch was handed over, 0 for none;
   * `waited`: a call or a reign waits for it. @returns true when it just began to stall.
   */
  look(now: Mono, oldest: Mono, waited: boolean, logs: Logs): boolean {
    if (this.state !== 'works') return false;
    const age = oldest === 0 ? 0 : now - oldest;
    if (age >= (waited ? LIMITS.diskWaitMs : LIMITS.diskStallMs)) {
      this.state = 'stalls';
      this.stalls += 1;
      this.tell('stalls', `no answer for ${Math.round(age)} ms`, logs);
      return true;
    }
    // a disk that is slow again and again is one alarm, not one a second
    if (this.alarm !== '' && now - this.worksSince >= LIMITS.diskStallMs) {
      this.alarm = '';
      logs.push({ level: 'info', text: 'disk: writes again' });
    }
    return false;
  }

  private tell(reason: string, text: string, logs: Logs): void {
    if (this.alarm === reason) return;
    this.alarm = reason;
    logs.push({ level: 'alarm', text: `disk: ${text}: going on from memory` });
  }
}
