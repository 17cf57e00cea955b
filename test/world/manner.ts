/**
 * How the two phones of a call speak beyond RFC 3261: reliable provisional responses (RFC 3262), UPDATE
 * (RFC 3311), session timers (RFC 4028). Drawn for each call apart from everything else, so that a
 * run without manners is what it was before they came.
 */

import type { Dice } from './dice.ts';

export type Ability = {
  /** Takes UPDATE. */
  readonly update: boolean;
  /** Session interval it asks for, seconds; 0: it knows no session timer. */
  readonly timer: number;
  /** Wants the other side to refresh, as far as it may say so. */
  readonly lazy: boolean;
};

export type Manner = {
  /** What the caller says of 100rel. */
  readonly reliable: 'no' | 'can' | 'must';
  /** The callee rings reliably where it may. */
  readonly early: boolean;
  /** Hold and retrieve by UPDATE where both can. */
  readonly hold: boolean;
  readonly caller: Ability;
  readonly callee: Ability;
};

const PLAIN_ABILITY: Ability = { update: false, timer: 0, lazy: false };

export const PLAIN: Manner = {
  reliable: 'no',
  early: false,
  hold: false,
  caller: PLAIN_ABILITY,
  callee: PLAIN_ABILITY,
};

/** What a run draws: how many calls have manners, and the seed of theirs. */
export type Manners = { readonly odds: number; readonly seed: number };

/**
 * Session interval the pair asks for in the world, seconds; four fifths of it is the shortest it
 * accepts. Between a refresh and the end there must be time for repetitions after an outage of the run.
 */
export function worldSession(longestRepairMs: number): number {
  return longestRepairMs <= 1000 ? 30 : 60;
}

function ability(dice: Dice): Ability {
  const timer = dice.odds(0.5) ? dice.pick([10, 30, 60, 1800]) : 0;
  return { update: dice.odds(0.6), timer, lazy: dice.odds(0.4) };
}

export function drawManner(dice: Dice, odds: number): Manner {
  if (!dice.odds(odds)) return PLAIN;
  return {
    reliable: dice.pick(['no', 'can', 'can', 'must'] as const),
    early: dice.odds(0.6),
    hold: dice.odds(0.5),
    caller: ability(dice),
    callee: ability(dice),
  };
}
