/**
 * Does our service LAN work? Somebody who is neither of the two boxes is asked: the gateway, a
 * switch, whatever the operator names. Think of knocking at a neighbour's door: he may be out, so a
 * door that never opened proves nothing (a witness counts only after it has answered once); and as
 * long as we hear the other box over the same street, it is he who is out, and not the street that
 * is gone (`discount`).
 *
 * Knocking is rare while the other box is heard over the LAN, and quick as soon as it is not: the
 * answer must be known when the heartbeats turn red.
 *
 *   unknown ──answer──► seen ──missed questions──► lost ──answer──► seen
 *      ▲                                            │
 *      └──────────── discount: the LAN works ───────┘
 */

import { type Millis, type Mono, NEVER } from '../base/units.ts';
import type { Witness } from './terms.ts';

type Door = {
  readonly witness: Witness;
  answered: boolean;
  answeredAt: Mono;
  /** Questions since the last answer. */
  open: number;
};

export type WitnessState = 'unknown' | 'seen' | 'lost';

export class Witnesses {
  private readonly doors: readonly Door[];
  private readonly slow: Millis;
  private readonly quick: Millis;
  private readonly missed: number;
  private askedAt: Mono = -NEVER;
  private hurried = false;

  constructor(witnesses: readonly Witness[], slow: Millis, quick: Millis, missed: number) {
    this.doors = witnesses.map((witness) => ({
      witness,
      answered: false,
      answeredAt: -NEVER,
      open: 0,
    }));
    this.slow = slow;
    this.quick = quick;
    this.missed = missed;
  }

  /** Whether the answer is wanted soon. */
  hurry(on: boolean): void {
    this.hurried = on;
  }

  /** The port has just come up: the next question is due at once. */
  soon(): void {
    this.askedAt = -NEVER;
  }

  /** An answer of `address`, whoever was asked. @returns true when it is a witness. */
  heard(address: string, now: Mono): boolean {
    const door = this.doors.find((d) => d.witness.address === address);
    if (door === undefined) return false;
    door.answered = true;
    door.answeredAt = now;
    door.open = 0;
    return true;
  }

  /** The questions that are due; they count as asked. */
  due(now: Mono): readonly Witness[] {
    if (this.doors.length === 0 || now < this.deadline()) return [];
    this.askedAt = now;
    for (const door of this.doors) door.open += 1;
    return this.doors.map((door) => door.witness);
  }

  deadline(): Mono {
    if (this.doors.length === 0) return NEVER;
    return this.askedAt + (this.hurried ? this.quick : this.slow);
  }

  state(): WitnessState {
    let known = false;
    for (const door of this.doors) {
      if (!door.answered) continue;
      // the last question may still be under way
      if (door.open <= this.missed) return 'seen';
      known = true;
    }
    return known ? 'lost' : 'unknown';
  }

  /** @returns whether a witness answered after `since`. */
  seenSince(since: Mono): boolean {
    return this.doors.some((door) => door.answeredAt > since);
  }

  /** The LAN works although no witness answers: they are gone themselves and count no more. */
  discount(): void {
    for (const door of this.doors) if (door.open > this.missed) door.answered = false;
  }

  /** For status: each witness, and how long ago it answered (undefined: never, or discounted). */
  view(now: Mono): readonly { readonly address: string; readonly answeredMsAgo?: Millis }[] {
    return this.doors.map((d) => ({
      address: d.witness.address,
      ...(d.answered ? { answeredMsAgo: Math.round(now - d.answeredAt) } : {}),
    }));
  }
}
