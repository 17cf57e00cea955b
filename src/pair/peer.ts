/**
 * What this box knows of the other one, and what it refuses to believe.
 *
 * A heartbeat is taken only from the boot of the peer that was *adopted*, and a boot is adopted
 * only when its frame echoes a number that we sent a moment ago. So a recording, however authentic, made
 * before our last start or before the peer's, moves nothing; and within a boot the sequence numbers
 * of a path must rise. No clock takes part: a step of any clock is not an outage.
 *
 *   frame of the adopted boot, sequence above the last of its path →  heard (the newest: believed)
 *   … not above it                                                 →  replayed
 *   frame of another boot that echoes us, now                      →  adopted, heard
 *   … that does not (yet)                                          →  stranger: it soon will
 *   frame of a boot that was adopted before                        →  replayed
 *   frame signed by ourselves                                      →  reflected
 *   frame of the other path                                        →  wrong-path
 */

import type { Epoch, Instant, Lsn, Millis, Mono } from '../base/units.ts';
import { NEVER } from '../base/units.ts';
import { type Heartbeat, NO_BOOT } from '../wire/heartbeat.ts';
import { Detector } from './detector.ts';
import type { BoxId, Path, Role } from './terms.ts';

export type Heard = 'newest' | 'heard' | 'stranger' | 'replayed' | 'reflected' | 'wrong-path';

/** How many of our latest frames an echo may name for its boot to be adopted: 0.8 s at 40 Hz. */
const FRESH_ECHO = 64;
/** Boots of the peer remembered as over. */
const RETIRED_MAX = 16;

export class Peer {
  readonly detector: Detector;
  /** The newest authentic heartbeat of the adopted boot. */
  state: Heartbeat | undefined;
  /** When `state` was heard. */
  stateAt: Mono = -NEVER;
  /** Highest epoch the peer was ever heard with. */
  seenEpoch: Epoch = 0;
  /** For our own frames: the newest the peer said, whether believed yet or not. */
  echoBoot = NO_BOOT;
  echoSequence = 0;

  private readonly ownBox: BoxId;
  private readonly ownBoot: string;
  private boot = '';
  private readonly retired: string[] = [];
  private readonly last: Record<Path, number> = { x: 0, l: 0 };
  private newest = 0;
  private strangerAt: Mono = -NEVER;
  private primaryAt: Mono = -NEVER;
  private primaryPairNow: Instant = 0;

  constructor(ownBox: BoxId, ownBoot: string, heartbeatMs: Millis, missed: number) {
    this.ownBox = ownBox;
    this.ownBoot = ownBoot;
    this.detector = new Detector(heartbeatMs, missed);
  }

  /**
   * Judges an authentic frame that came in on `path`.
   * @param ownSequence number of the last frame we sent.
   */
  hear(h: Heartbeat, path: Path, now: Mono, ownSequence: number): Heard {
    if (h.box === this.ownBox) return 'reflected';
    if (h.path !== path) return 'wrong-path';
    if (h.boot !== this.boot) {
      if (this.retired.includes(h.boot)) return 'replayed';
      this.remember(h);
      if (h.echoBoot !== this.ownBoot || h.echoSequence + FRESH_ECHO < ownSequence) {
        this.strangerAt = now;
        return 'stranger';
      }
      this.adopt(h.boot);
    }
    if (h.sequence <= this.last[path]) return 'replayed';
    this.last[path] = h.sequence;
    this.detector.heard(path, now);
    this.remember(h);
    if (h.sequence <= this.newest) return 'heard';
    this.newest = h.sequence;
    this.state = h;
    this.stateAt = now;
    if (h.epoch > this.seenEpoch) this.seenEpoch = h.epoch;
    if (leads(h)) {
      this.primaryAt = now;
      this.primaryPairNow = h.pairNow;
    }
    return 'newest';
  }

  /** @returns true while at least one path shows the peer. */
  present(now: Mono): boolean {
    return this.state !== undefined && !this.detector.silent(now);
  }

  /** @returns true while authentic frames come that do not hear us (yet). */
  strangerNear(now: Mono): boolean {
    return now - this.strangerAt < this.detector.redAfterMs();
  }

  /** @returns pair time now, by the newest heartbeat of a primary; undefined before the first. */
  pairNow(now: Mono): Instant | undefined {
    return this.primaryAt === -NEVER ? undefined : this.primaryPairNow + (now - this.primaryAt);
  }

  role(): Role | undefined {
    return this.state?.role;
  }

  lsn(): Lsn {
    return this.state?.lsn ?? 0;
  }

  private adopt(boot: string): void {
    if (this.boot !== '') {
      this.retired.push(this.boot);
      if (this.retired.length > RETIRED_MAX) this.retired.shift();
    }
    this.boot = boot;
    this.last.x = 0;
    this.last.l = 0;
    this.newest = 0;
    this.detector.forget();
  }

  private remember(h: Heartbeat): void {
    if (h.boot === this.echoBoot && h.sequence <= this.echoSequence) return;
    this.echoBoot = h.boot;
    this.echoSequence = h.sequence;
  }
}

/** @returns true for a heartbeat of a box that has the VIP, if only until it has handed over. */
export function leads(h: Heartbeat): boolean {
  return h.role === 'primary' || h.role === 'resigning';
}
