/**
 * Transactions of the phones, RFC 3261 §17 with RFC 6026 over UDP: who repeats what, until when. The
 * 2xx answer to an INVITE is the user agent's own business (§13.3.1.4), so it lives here as a
 * "repeater" too.
 */

import type { Queue, Timer } from './queue.ts';
import type { Msg } from './sip-text.ts';

const T1 = 500;
const T2 = 4000;
const LIFE = 64 * T1;

/** Sends something again and again, 500 ms, then doubling, until stopped or 32 s are over. */
export class Repeater {
  private timer: Timer | undefined;
  private readonly queue: Queue;
  private readonly startedAt: number;
  private readonly send: () => void;
  private readonly gaveUp: () => void;
  private readonly cap: number;
  private interval = T1;

  constructor(queue: Queue, cap: number, send: () => void, gaveUp: () => void) {
    this.queue = queue;
    this.cap = cap;
    this.send = send;
    this.gaveUp = gaveUp;
    this.startedAt = queue.now;
    send();
    this.arm();
  }

  private arm(): void {
    const left = this.startedAt + LIFE - this.queue.now;
    this.timer = this.queue.after(Math.min(this.interval, left), () => {
      if (this.queue.now >= this.startedAt + LIFE - 0.001) {
        this.timer = undefined;
        this.gaveUp();
        return;
      }
      this.interval = Math.min(this.interval * 2, this.cap);
      this.send();
      this.arm();
    });
  }

  get running(): boolean {
    return this.timer !== undefined;
  }

  stop(): void {
    if (this.timer !== undefined) this.timer.dead = true;
    this.timer = undefined;
  }

  /** Goes on at the longest interval: non-INVITE after a provisional (§17.1.2.2). */
  slow(): void {
    this.interval = this.cap;
  }
}

export type ClientTxn = {
  readonly method: string;
  readonly text: string;
  readonly branch: string;
  readonly cseq: number;
  readonly callId: string;
  readonly fromTag: string;
  repeater: Repeater | undefined;
  provisional: boolean;
  /** Final status, 0 before. */
  final: number;
  /** To tag of the final answer. */
  finalTag: string;
  /** ACK to repeat whenever the final answer is. */
  ack: string;
  readonly onProvisional: (msg: Msg) => void;
  /** `undefined`: nobody answered (Timer B or F). */
  readonly onFinal: (msg: Msg | undefined) => void;
};

export type ServerTxn = {
  readonly request: Msg;
  /** Last response, repeated when the request is. */
  response: string;
  status: number;
  /** Repeats a final response to an INVITE until the ACK. */
  repeater: Repeater | undefined;
  acked: boolean;
};

/** §17.1.1.2: an INVITE's interval doubles without a cap. */
export const NO_CAP = Number.POSITIVE_INFINITY;
export const CAP = T2;
