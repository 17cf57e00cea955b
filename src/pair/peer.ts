/**
 * What this box knows of the other one, and what it refuses to believe.
 *
 * A heartbeat is taken only from the boot of the peer that was *adopted*, and a boot is adopted
 * only when its frame echoes a number that we sent a moment ago. So a recording, however authentic, made
 * before our last start or before the peer's, moves nothing; and within a boot the sequence numbers
 * of a path must rise, and may not lie far behind the other path's. No clock takes part: a step of
 * any clock is not an outage.
 *
 *   frame of the adopted boot, sequence above the last of its path →  heard (the newest: believed)
 *   … not above it: a replay, a duplicate, or overtaken            →  replayed
 *   … above it, but far behind what was heard on the other path    →  late: was held back
 *   frame of another boot that echoes us, now                      →  adopted, heard
 *   … that does not (yet)                                          →  stranger: it soon will
 *   frame of a boot that was adopted before                        →  replayed
 *   frame signed by ourselves                                      →  reflected
 *   frame of the other path                                        →  wrong-path
 *
 * What somebody can do who recorded everything on the LAN and sends it again:
 *   - After our restart the boots of the past are not remembered, but none of their frames echoes
 *     the boot we have now: strangers for ever.
 *   - A stranger holds a cold start back, because it may be a peer that does not hear us. It does so
 *     for STRANGER_PATIENCE at most since a peer was last heard, whoever it is.
 *   - A stranger does not take our echo away from a peer that is there: while the adopted boot is
 *     heard, only it is echoed. Otherwise the one that was echoed least comes next, so that the
 *     living one among them is echoed soon, answers, and is adopted.
 *   - Frames that were held back on one path while the other worked do not make that path look
 *     alive when the peer has died: they are late.
 */

import type { Epoch, Instant, Lsn, Millis, Mono } from '../base/units.ts';
import { NEVER } from '../base/units.ts';
import { type Heartbeat, NO_BOOT } from '../wire/heartbeat.ts';
import { Detector } from './detector.ts';
import type { BoxId, Path, Role } from './terms.ts';

export type Heard =
  | 'newest'
  | 'heard'
  | 'stranger'
  | 'replayed'
  | 'late'
  | 'reflected'
  | 'wrong-path';

/** How many of our latest frames an echo may name for its boot to be adopted: 0.8 s at 40 Hz. */
const FRESH_ECHO = 64;
/** How many frames one path may be behind the other. */
const LATE = 64;
/** Boots of the peer remembered as over. */
const RETIRED_MAX = 16;
/** Strangers that are echoed in turn; more boots than a recorder finds in years. */
const STRANGERS_MAX = 256;
/** How long strangers may keep this box from beginning alone. */
const STRANGER_PATIENCE: Millis = 10_000;
/** Without one for so long, they have ended. */
const STRANGER_OVER: Millis = 5000;

/** What our own frames name as the newest that was heard. */
export type Echo = { readonly boot: string; readonly sequence: number };
type Stranger = { readonly boot: string; sequence: number; at: Mono; echoed: number };

export class Peer {
  readonly detector: Detector;
  /** The newest authentic heartbeat of the adopted boot. */
  state: Heartbeat | undefined;
  /** When `state` was heard. */
  stateAt: Mono = -NEVER;
  /** Since when it is heard, and heard to be loading or unfit; NEVER while it is fit. */
  unfitSince: Mono = NEVER;
  /** Highest epoch the peer was ever heard with. */
  seenEpoch: Epoch = 0;

  private readonly ownBox: BoxId;
  private readonly ownBoot: string;
  private boot = '';
  private readonly retired: string[] = [];
  private readonly last: Record<Path, number> = { x: 0, l: 0 };
  private newest = 0;
  private readonly strangers = new Map<string, Stranger>();
  private strangerAt: Mono = -NEVER;
  /** The first stranger since a peer was heard. */
  private strangerSince: Mono = NEVER;
  private turn: Stranger | undefined;
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
      if (h.echoBoot !== this.ownBoot || h.echoSequence + FRESH_ECHO < ownSequence) {
        this.meet(h, now);
        return 'stranger';
      }
      this.adopt(h.boot);
    }
    if (h.sequence <= this.last[path]) return 'replayed';
    if (h.sequence + LATE < this.newest) return 'late';
    this.last[path] = h.sequence;
    if (this.detector.silent(now)) this.unfitSince = NEVER;
    this.detector.heard(path, now);
    this.strangerSince = NEVER;
    if (h.sequence <= this.newest) return 'heard';
    this.newest = h.sequence;
    this.state = h;
    this.stateAt = now;
    if (h.gone) this.unfitSince = -NEVER;
    else if (h.fit) this.unfitSince = NEVER;
    else if (this.unfitSince === NEVER) this.unfitSince = now;
    if (h.epoch > this.seenEpoch) this.seenEpoch = h.epoch;
    if (leads(h)) {
      this.primaryAt = now;
      this.primaryPairNow = h.pairNow;
    }
    return 'newest';
  }

  /** @returns what the next frame of ours echoes; the two frames of a heartbeat echo the same. */
  echo(now: Mono, path: Path): Echo {
    if (this.boot !== '' && this.present(now)) return { boot: this.boot, sequence: this.newest };
    if (path === 'x' || this.turn === undefined) this.turn = this.nextStranger(now);
    if (this.turn !== undefined) return this.turn;
    return this.boot === '' ? NOBODY : { boot: this.boot, sequence: this.newest };
  }

  /** @returns true while at least one path shows the peer. */
  present(now: Mono): boolean {
    return this.state !== undefined && !this.detector.silent(now);
  }

  /** @returns true while authentic frames come that do not hear us (yet), for a bounded time. */
  strangerNear(now: Mono): boolean {
    return now - this.strangerAt < this.detector.redAfterMs() && !this.strangerDoubted(now);
  }

  /** @returns true when strangers have come for so long that they are not waited for. */
  strangerDoubted(now: Mono): boolean {
    return now - this.strangerSince >= STRANGER_PATIENCE;
  }

  /** @returns true while they still come. */
  strangerLasts(now: Mono): boolean {
    return this.strangerDoubted(now) && now - this.strangerAt < STRANGER_OVER;
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
    this.strangers.clear();
    this.turn = undefined;
    this.detector.forget();
  }

  /** Notes a stranger. When there are too many, the one that was echoed most has had its chance. */
  private meet(h: Heartbeat, now: Mono): void {
    // authentic: such a reign was, whether or not the sender lives
    if (h.epoch > this.seenEpoch) this.seenEpoch = h.epoch;
    this.strangerAt = now;
    if (this.strangerSince === NEVER) this.strangerSince = now;
    const known = this.strangers.get(h.boot);
    if (known !== undefined) {
      known.sequence = Math.max(known.sequence, h.sequence);
      known.at = now;
      return;
    }
    if (this.strangers.size >= STRANGERS_MAX) {
      const most = [...this.strangers.values()].reduce((a, b) => (b.echoed > a.echoed ? b : a));
      this.strangers.delete(most.boot);
    }
    this.strangers.set(h.boot, { boot: h.boot, sequence: h.sequence, at: now, echoed: 0 });
  }

  /** The one among those heard lately that was echoed least. */
  private nextStranger(now: Mono): Stranger | undefined {
    let next: Stranger | undefined;
    for (const s of this.strangers.values()) {
      if (now - s.at >= this.detector.redAfterMs()) continue;
      if (next === undefined || s.echoed < next.echoed) next = s;
    }
    if (next !== undefined) next.echoed += 1;
    return next;
  }
}

const NOBODY: Echo = { boot: NO_BOOT, sequence: 0 };

/** @returns true for a heartbeat of a box that has the VIP, if only until it has handed over. */
export function leads(h: Heartbeat): boolean {
  return h.role === 'primary' || h.role === 'resigning';
}
