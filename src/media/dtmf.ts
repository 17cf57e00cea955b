/**
 * Digits in telephone events (RFC 4733). An event is many packets with one timestamp, repeated at its
 * end; it is told once, when the first of them comes: a menu need not wait until the key is let go.
 */

import type { Fault } from '../base/fault.ts';
import { isFault } from '../base/fault.ts';
import { decodeEvent, type Rtp } from '../wire/rtp.ts';
import { RATE } from './sound.ts';

const DIGITS = '0123456789*#ABCD';

export type Digit = {
  readonly digit: string;
  /** So far. */
  readonly ms: number;
  /** RTP timestamp of its beginning: the same digit told twice has the same one. */
  readonly stamp: number;
};

export class Digits {
  private last = -1;

  /** @returns the digit whose first packet this is. */
  take(packet: Rtp): Digit | undefined {
    const event: ReturnType<typeof decodeEvent> | Fault = decodeEvent(packet.payload);
    if (isFault(event) || event.event >= DIGITS.length) return undefined;
    // one before the last, that came late, is old news
    if (this.last >= 0 && ((packet.timestamp - this.last) | 0) <= 0) return undefined;
    this.last = packet.timestamp;
    return {
      digit: DIGITS.charAt(event.event),
      ms: Math.round((event.duration * 1000) / RATE),
      stamp: packet.timestamp,
    };
  }
}
