/**
 * Who asks too often, and who guesses passwords. Each box has its own memory of that: it is neither
 * mirrored nor kept, for what it protects is this box's time, and a new primary that knows nobody
 * yet is told who is registered (`know`).
 *
 *   known      has authenticated, is registered, or speaks inside a call: much is allowed
 *   stranger   everybody else: a bucket of requests that fills slowly; all strangers share another
 *
 * Requests inside a dialog and responses to what we sent cost nothing: calls in progress feel
 * nothing of a flood. Over the bucket nothing is answered: a scanner learns nothing, and a packet
 * with a forged source makes us send nothing to its victim.
 */

import type { Instant, Millis } from '../../base/units.ts';

export type GuardSettings = {
  /** Requests a second, and at once after a pause, of a known source and of a stranger. */
  readonly knownPerS: number;
  readonly strangerPerS: number;
  readonly strangerBurst: number;
  /** The same of all strangers together. */
  readonly strangersPerS: number;
  /** Requests that malformed input costs. */
  readonly garbageCost: number;
  /** Wrong answers to a challenge within `guessWindowMs` after which a source is not heard. */
  readonly guesses: number;
  /** The same for one source over all user names. */
  readonly sourceGuesses: number;
  readonly guessWindowMs: Millis;
  /** Not heard for so long, twice as long each time, at most `lockMaxMs`. */
  readonly lockMs: Millis;
  readonly lockMaxMs: Millis;
  /** How long a source is known for after it proved itself. */
  readonly knownMs: Millis;
};

export const GUARD_DEFAULTS: GuardSettings = {
  knownPerS: 20_000,
  strangerPerS: 20,
  strangerBurst: 200,
  strangersPerS: 2000,
  garbageCost: 5,
  guesses: 5,
  sourceGuesses: 20,
  guessWindowMs: 60_000,
  lockMs: 30_000,
  lockMaxMs: 900_000,
  knownMs: 3_600_000,
};

/** Strangers and guessers remembered; the longest unheard is forgotten first. */
const REMEMBERED = 8192;
/** Known sources remembered. Strangers, who are as many as a forger likes, do not displace them. */
const KNOWN_REMEMBERED = 65_536;
/** A source that goes on and on is told this often. */
const TELL_MS: Millis = 60_000;

type Bucket = { tokens: number; at: Instant };

type Source = Bucket & {
  knownUntil: Instant;
  dropped: number;
  toldAt: Instant;
};

type Guesser = { wrong: number; since: Instant; lockedUntil: Instant; lockMs: Millis };

export class Guard {
  private s: GuardSettings;
  /** `open`: no passwords here, so a stranger is allowed what a known source is. */
  private open: boolean;
  private readonly tell: (text: string) => void;
  private readonly known = new Map<string, Source>();
  private readonly sources = new Map<string, Source>();
  private readonly guessers = new Map<string, Guesser>();
  private readonly strangers: Bucket;

  constructor(settings: GuardSettings, open: boolean, tell: (text: string) => void) {
    this.s = settings;
    this.open = open;
    this.tell = tell;
    this.strangers = { tokens: settings.strangersPerS, at: 0 };
  }

  /** Configured anew: what it has seen of everybody stays. */
  reload(settings: GuardSettings, open: boolean): void {
    this.s = settings;
    this.open = open;
  }

  // ── how often ────────────────────────────────────────────────────────────────────────────────

  /** This source is one of ours from now on. */
  know(now: Instant, ip: string): void {
    const source = this.sourceOf(now, ip);
    if (source.knownUntil <= now) {
      source.tokens = this.s.knownPerS;
      this.sources.delete(ip);
      forgetOldest(this.known, KNOWN_REMEMBERED);
      this.known.set(ip, source);
    }
    source.knownUntil = now + this.s.knownMs;
  }

  isKnown(now: Instant, ip: string): boolean {
    return (this.known.get(ip)?.knownUntil ?? 0) > now;
  }

  /** A request outside any dialog came. @returns false when it is not to be answered. */
  admits(now: Instant, ip: string): boolean {
    return this.take(now, ip, 1);
  }

  /** Something that is no SIP came, or a response to nothing. @returns false: not to be answered. */
  admitsGarbage(now: Instant, ip: string): boolean {
    return this.take(now, ip, this.s.garbageCost);
  }

  /** False while a stranger has spent all he had: what he sends need not even be read. */
  hears(now: Instant, ip: string): boolean {
    if (this.open || this.isKnown(now, ip)) return true;
    const source = this.sources.get(ip);
    if (source === undefined) return true;
    if (refill(source, now, this.s.strangerPerS, this.s.strangerBurst) >= 1) return true;
    this.drop(now, ip, source);
    return false;
  }

  private take(now: Instant, ip: string, cost: number): boolean {
    const { s } = this;
    const source = this.sourceOf(now, ip);
    if (this.open || source.knownUntil > now) {
      if (refill(source, now, s.knownPerS, s.knownPerS) >= cost) {
        source.tokens -= cost;
        return true;
      }
    } else if (
      refill(source, now, s.strangerPerS, s.strangerBurst) >= cost &&
      refill(this.strangers, now, s.strangersPerS, s.strangersPerS) >= cost
    ) {
      source.tokens -= cost;
      this.strangers.tokens -= cost;
      return true;
    }
    this.drop(now, ip, source);
    return false;
  }

  private drop(now: Instant, ip: string, source: Source): void {
    source.dropped += 1;
    if (now - source.toldAt < TELL_MS) return;
    source.toldAt = now;
    this.tell(`flood: ${ip} asks too often: ${source.dropped} requests not answered`);
  }

  private sourceOf(now: Instant, ip: string): Source {
    const friend = this.known.get(ip);
    if (friend !== undefined) {
      if (friend.at === now && friend.knownUntil > now) return friend;
      this.known.delete(ip);
      // the order of a map is the order of being heard
      const its = friend.knownUntil > now ? this.known : this.sources;
      if (its === this.sources) forgetOldest(its, REMEMBERED);
      its.set(ip, friend);
      return friend;
    }
    let source = this.sources.get(ip);
    if (source !== undefined) {
      if (source.at === now) return source;
      this.sources.delete(ip);
    } else {
      const { s } = this;
      const tokens = this.open ? s.knownPerS : s.strangerBurst;
      source = { tokens, at: now, knownUntil: 0, dropped: 0, toldAt: -TELL_MS };
      forgetOldest(this.sources, REMEMBERED);
    }
    this.sources.set(ip, source);
    return source;
  }

  // ── passwords ────────────────────────────────────────────────────────────────────────────────

  /** True while credentials of this user from there are not looked at, right or wrong. */
  locked(now: Instant, ip: string, user: string): boolean {
    if (this.lockedAt(now, `${ip}|${user}`)) return true;
    return !this.isKnown(now, ip) && this.lockedAt(now, ip);
  }

  private lockedAt(now: Instant, key: string): boolean {
    return (this.guessers.get(key)?.lockedUntil ?? 0) > now;
  }

  /** A wrong answer to a challenge. */
  wrong(now: Instant, ip: string, user: string): void {
    const { s } = this;
    if (this.guessed(now, `${ip}|${user}`, s.guesses)) {
      this.tell(`digest-guessing: ${ip} tries passwords of ${printable(user)}: not heard for now`);
    }
    if (this.guessed(now, ip, s.sourceGuesses)) {
      this.tell(`digest-guessing: ${ip} tries passwords of many users: not heard for now`);
    }
  }

  /** The right answer: whoever mistyped before is forgiven, and the source is known. */
  right(now: Instant, ip: string, user: string): void {
    this.know(now, ip);
    if (this.guessers.size > 0) this.guessers.delete(`${ip}|${user}`);
  }

  /** @returns true when this was one too many. */
  private guessed(now: Instant, key: string, most: number): boolean {
    const { s } = this;
    let g = this.guessers.get(key);
    if (g === undefined) {
      g = { wrong: 0, since: now, lockedUntil: 0, lockMs: s.lockMs };
      forgetOldest(this.guessers, REMEMBERED);
      this.guessers.set(key, g);
    } else if (now - Math.max(g.since, g.lockedUntil) > s.guessWindowMs) {
      g.wrong = 0;
      g.since = now;
      if (now - g.lockedUntil > s.lockMaxMs) g.lockMs = s.lockMs;
    }
    g.wrong += 1;
    if (g.wrong < most) return false;
    g.wrong = 0;
    g.since = now;
    g.lockedUntil = now + g.lockMs;
    g.lockMs = Math.min(2 * g.lockMs, s.lockMaxMs);
    return true;
  }
}

function refill(bucket: Bucket, now: Instant, perS: number, most: number): number {
  const passed = Math.max(0, now - bucket.at);
  bucket.tokens = Math.min(most, bucket.tokens + (passed * perS) / 1000);
  bucket.at = now;
  return bucket.tokens;
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  if (map.size < most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** A user name somebody sent, fit for a log line. */
function printable(user: string): string {
  return JSON.stringify(user.slice(0, 40)).replace(/[^ -~]/g, '?');
}
