/** Time as phones and programs of a history see it: the simulator's queue, or the machine's clock. */

export type Alarm = { dead: boolean };
export type Clock = {
  /** ms. */
  readonly now: number;
  /** Runs once, later; never once the alarm is dead. */
  after(ms: number, run: () => void): Alarm;
};

const T1 = 500;
const T2 = 4000;
const LIFE = 64 * T1;

/** Sends again and again as RFC 3261 17 has it, until stopped; tells when nobody answered in 64*T1. */
export class Repeater {
  private readonly clock: Clock;
  private readonly send: () => void;
  private readonly gaveUp: () => void;
  private readonly cap: number;
  private readonly end: number;
  private interval = T1;
  private alarm: Alarm | undefined;

  constructor(clock: Clock, cap: boolean, send: () => void, gaveUp: () => void) {
    this.clock = clock;
    this.cap = cap ? T2 : LIFE;
    this.send = send;
    this.gaveUp = gaveUp;
    this.end = clock.now + LIFE;
    send();
    this.arm();
  }

  private arm(): void {
    const left = this.end - this.clock.now;
    this.alarm = this.clock.after(Math.max(1, Math.min(this.interval, left)), () => {
      this.alarm = undefined;
      if (this.clock.now >= this.end - 1) {
        this.gaveUp();
        return;
      }
      this.interval = Math.min(this.interval * 2, this.cap);
      this.send();
      this.arm();
    });
  }

  /** Something came: the final answer may take its time. */
  quiet(): void {
    if (this.alarm !== undefined) this.alarm.dead = true;
    this.alarm = undefined;
  }
}
