/**
 * How the engine's live facts lie in memory shared by two threads. One writer (the engine), one
 * reader (the sentry), nobody waits: the writer makes a version odd, writes, makes it even; a
 * reader that saw the version odd or changed looks again. A reader that keeps missing (the engine was
 * stopped by the kernel between the two) keeps what it read last and says so.
 *
 *   ┌─────────┬─────────┬───────┬─────┬───────┬────────┐
 *   │ version │ (empty) │ epoch │ lsn │ chain │ inStep │
 *   │ i32     │ i32     │ f64   │ f64 │ f64   │ f64    │
 *   └─────────┴─────────┴───────┴─────┴───────┴────────┘
 *   0         4         8       16    24      32       40
 *   ┌───────────┬───────┬─────────┬────────┬───────┬──────────┐
 *   │ peerStale │ turns │ pairNow │ linkUp │ calls │ inStepAt │
 *   │ f64       │ f64   │ f64     │ f64    │ f64   │ f64      │
 *   └───────────┴───────┴─────────┴────────┴───────┴──────────┘
 *   40          48      56        64       72      80         88
 */

import type { Standing } from './terms.ts';

/** Where each fact lies: index of 64-bit words from the start. Word 0 is the version. */
export const STANDING_AT = {
  epoch: 1,
  lsn: 2,
  chain: 3,
  inStep: 4,
  peerStale: 5,
  turns: 6,
  pairNow: 7,
  linkUp: 8,
  calls: 9,
  inStepAt: 10,
} as const satisfies { readonly [N in keyof Standing]: number };

export const STANDING_BYTES = 8 * 11;
/** A write takes well under a microsecond; after this many looks the writer is not running. */
const LOOKS = 64;

/** @returns what a box stands for before its engine has said anything. */
export function noStanding(): Standing {
  return {
    epoch: 0,
    lsn: 0,
    chain: 0,
    inStep: false,
    peerStale: false,
    turns: 0,
    pairNow: 0,
    linkUp: false,
    calls: 0,
    inStepAt: 0,
  };
}

export class StandingCell {
  private readonly version: Int32Array;
  private readonly words: Float64Array;

  /** @param memory at least STANDING_BYTES, shared by both threads, zero at first. */
  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.version = new Int32Array(memory, 0, 1);
    this.words = new Float64Array(memory, 0, STANDING_BYTES / 8);
  }

  /** The engine's side. Only one thread may write. */
  write(s: Standing): void {
    const words = this.words;
    Atomics.add(this.version, 0, 1);
    words[STANDING_AT.epoch] = s.epoch;
    words[STANDING_AT.lsn] = s.lsn;
    words[STANDING_AT.chain] = s.chain;
    words[STANDING_AT.inStep] = s.inStep ? 1 : 0;
    words[STANDING_AT.peerStale] = s.peerStale ? 1 : 0;
    words[STANDING_AT.turns] = s.turns;
    words[STANDING_AT.pairNow] = s.pairNow;
    words[STANDING_AT.linkUp] = s.linkUp ? 1 : 0;
    words[STANDING_AT.calls] = s.calls;
    words[STANDING_AT.inStepAt] = s.inStepAt;
    Atomics.add(this.version, 0, 1);
  }

  /** The sentry's side. @returns false, and `into` as it was, when there was no whole picture. */
  read(into: Standing): boolean {
    const words = this.words;
    for (let look = 0; look < LOOKS; look += 1) {
      const before = Atomics.load(this.version, 0);
      if ((before & 1) !== 0) continue;
      const epoch = words[STANDING_AT.epoch] as number;
      const lsn = words[STANDING_AT.lsn] as number;
      const chain = words[STANDING_AT.chain] as number;
      const inStep = words[STANDING_AT.inStep] === 1;
      const peerStale = words[STANDING_AT.peerStale] === 1;
      const turns = words[STANDING_AT.turns] as number;
      const pairNow = words[STANDING_AT.pairNow] as number;
      const linkUp = words[STANDING_AT.linkUp] === 1;
      const calls = words[STANDING_AT.calls] as number;
      const inStepAt = words[STANDING_AT.inStepAt] as number;
      if (Atomics.load(this.version, 0) !== before) continue;
      into.epoch = epoch;
      into.lsn = lsn;
      into.chain = chain;
      into.inStep = inStep;
      into.peerStale = peerStale;
      into.turns = turns;
      into.pairNow = pairNow;
      into.linkUp = linkUp;
      into.calls = calls;
      into.inStepAt = inStepAt;
      return true;
    }
    return false;
  }
}
