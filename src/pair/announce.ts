/**
 * When to speak ARP. Two small calendars without a clock of their own:
 *
 *   Announcer  gratuitous ARP after a claim: at once, at the moments of the burst, then every
 *              refresh. A single announcement may be lost, or come before a switch port forwards.
 *   Prober     the silence of the VIP (and of the old primary) before a claim. Two questions are
 *              enough when the kernel of the old primary said that its process is gone; when it only
 *              fell silent it may be frozen, its kernel still answers for the VIP, and a LAN that loses
 *              frames must not hide that: then there are six.
 *
 *     begin ── ask ──── probeMs ──── ask … ──── probeMs ──── quiet
 *               │                     │                      ▲
 *               └ each ask: one ARP probe for the VIP,       │ moved by `extend`, and to a later
 *                 one query heartbeat on x and on l          │ round by `again`
 *
 * A wait is over only when we looked in time: a sentry that was itself held up cannot say that
 * nobody answered, so a late look is followed by a short second one, and after a stall the whole
 * round is begun anew (`sentry.ts`).
 */

import { type Millis, type Mono, NEVER } from '../base/units.ts';

export class Announcer {
  private readonly burst: readonly Millis[];
  private readonly refresh: Millis;
  private start: Mono = 0;
  private sent = 0;
  private next: Mono = NEVER;

  /** @param burst moments after the start, rising; 0 is implied. @param refresh interval after. */
  constructor(burst: readonly Millis[], refresh: Millis) {
    this.burst = burst.filter((at) => at > 0);
    this.refresh = refresh;
  }

  /** The VIP is ours from now on: the first announcement is due at once. */
  begin(now: Mono): void {
    this.start = now;
    this.sent = 0;
    this.next = now;
  }

  end(): void {
    this.next = NEVER;
  }

  deadline(): Mono {
    return this.next;
  }

  /** @returns true when an announcement is due; the next one is arranged. */
  due(now: Mono): boolean {
    if (now < this.next) return false;
    const at = this.burst[this.sent];
    this.sent += 1;
    // after a pause the burst goes on from where it is: late announcements are sent, not skipped
    this.next = at === undefined ? now + this.refresh : Math.max(now, this.start + at);
    return true;
  }
}

/** What a look at the prober asks the sentry to do. */
export type ProbeStep = 'nothing' | 'ask' | 'quiet';

const SECOND_LOOK: Millis = 2;
const LATE_LOOKS = 3;
const SLOWEST_ROUND: Millis = 50;

export class Prober {
  private readonly gap: Millis;
  private asks = 0;
  private most = 2;
  private lateLooks = 0;
  private rounds = 0;
  private next: Mono = NEVER;

  /** @param gap between two asks of a round, and from the last to the verdict. */
  constructor(gap: Millis) {
    this.gap = gap;
  }

  /** First round, at once, of `asks` questions. */
  begin(now: Mono, asks: number): void {
    this.rounds = 1;
    this.most = asks;
    this.arrange(now);
  }

  /**
   * Somebody still answers: another round, later. The first comes soon (the kernel may be taking
   * a killed process apart), the following ones every 50 ms.
   */
  again(now: Mono): void {
    const pause = Math.min(SLOWEST_ROUND, this.gap * this.rounds);
    this.rounds += 1;
    this.arrange(now + pause);
  }

  end(): void {
    this.next = NEVER;
  }

  /** The verdict may not come before `until`. */
  extend(until: Mono): void {
    if (this.asks === this.most && this.next < until) this.next = until;
  }

  deadline(): Mono {
    return this.next;
  }

  /** Rounds begun since `begin`, this one included. */
  round(): number {
    return this.rounds;
  }

  due(now: Mono): ProbeStep {
    if (now < this.next) return 'nothing';
    if (this.asks < this.most) {
      this.asks += 1;
      this.next = now + this.gap;
      return 'ask';
    }
    if (now > this.next + this.gap && this.lateLooks < LATE_LOOKS) {
      this.lateLooks += 1;
      this.next = now + SECOND_LOOK;
      return 'nothing';
    }
    this.next = NEVER;
    return 'quiet';
  }

  private arrange(at: Mono): void {
    this.asks = 0;
    this.lateLooks = 0;
    this.next = at;
  }
}
