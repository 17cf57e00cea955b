/**
 * Who may begin when nobody is primary. Two pure functions over plain facts: `outranks` says which
 * of two boxes that hear each other goes first, `verdict` says what a box that looks for its peer
 * does now. Both boxes evaluate the same table over the same facts, so they agree without a vote.
 */

import type { Epoch, Lsn, Millis } from '../base/units.ts';
import type { BoxId, Role } from './terms.ts';

/** What decides between two boxes of which none is primary. */
export type Candidate = {
  readonly box: BoxId;
  /** Could become primary now: loaded, own LAN up, nothing missing in its tables. */
  readonly fit: boolean;
  readonly epoch: Epoch;
  /** Reign of the last record it has: a position is never a bare number. */
  readonly recordEpoch: Epoch;
  readonly lsn: Lsn;
  /** Holds everything that was ever acknowledged to, or by, the other. */
  readonly inStep: boolean;
  /** Its last durable word is that the other one is stale. */
  readonly peerStale: boolean;
};

/** One comparison: positive when `a` goes first, negative when `b`, 0 to look at the next. */
type Rank = {
  readonly name: string;
  readonly why: string;
  readonly compare: (a: Candidate, b: Candidate) => number;
};

export const RANKS: readonly Rank[] = [
  {
    name: 'fit',
    why: 'a box that cannot serve does not keep the other from serving',
    compare: (a, b) => Number(a.fit) - Number(b.fit),
  },
  {
    name: 'epoch',
    why:
      'the later reign knows the earlier one, not the other way round; one that came to nothing, and ' +
      'made no record, knows nothing',
    compare: (a, b) => a.recordEpoch - b.recordEpoch,
  },
  {
    name: 'stale',
    why: 'in one reign, the box that was left behind gives way; two such marks cancel out',
    compare: (a, b) => Number(a.peerStale) - Number(b.peerStale),
  },
  {
    name: 'in-step',
    why: 'the one that holds everything ever acknowledged; the other came back with its disk alone',
    compare: (a, b) => Number(a.inStep) - Number(b.inStep),
  },
  {
    name: 'position',
    why:
      'the one that has more records; between boxes in step nothing that was ever said can differ, and ' +
      'a position that still moves would look different from both sides',
    compare: (a, b) => (a.inStep || b.inStep ? 0 : a.lsn - b.lsn),
  },
  {
    name: 'box',
    why: 'equal in everything: the lower name, so that there is always one answer',
    compare: (a, b) => (a.box < b.box ? 1 : a.box > b.box ? -1 : 0),
  },
];

/** @returns true when `a` has what `b` has not, as far as numbers and words tell. */
export function knowsMore(a: Candidate, b: Candidate): boolean {
  for (const rank of RANKS) {
    if (rank.name === 'fit' || rank.name === 'box') continue;
    const difference = rank.compare(a, b);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/**
 * A box that cannot serve just now, and has what `own` has not, is waited for as long as a starting
 * box looks for its peer: a port of a switch comes up seconds after the box behind it.
 * @param unfitMs since when it is heard, and heard to be unfit.
 */
export function waitsFor(
  own: Candidate,
  peer: Candidate,
  unfitMs: Millis,
  holdMs: Millis,
): boolean {
  return !peer.fit && unfitMs < holdMs && knowsMore(peer, own);
}

/** @returns true when `a` goes first. Of two different boxes exactly one outranks the other. */
export function outranks(a: Candidate, b: Candidate): boolean {
  for (const rank of RANKS) {
    const difference = rank.compare(a, b);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** What a box that looks for its peer knows. */
export type Looking = {
  readonly own: Candidate;
  /** Since it began to look. */
  readonly lookedMs: Millis;
  readonly holdMs: Millis;
  readonly ownLanUp: boolean;
  /** A witness that used to answer does not: this box may be the isolated one. */
  readonly witnessLost: boolean;
  readonly wasPrimary: boolean;
  readonly fresh: boolean;
  /** The peer was heard to say that this box is stale (and this box does not say the same). */
  readonly marked: boolean;
  /** This box said that its voice is gone for good: it is being switched off. */
  readonly gone: boolean;
  /** Authentic frames come from a box that does not hear us, or has not yet. */
  readonly stranger: boolean;
  /** Since when the peer is heard, and heard to be loading or unfit. */
  readonly peerUnfitMs: Millis;
  /** The peer, when it is heard now. */
  readonly peer: (Candidate & { readonly role: Role; readonly loaded: boolean }) | undefined;
};

export type Verdict = { readonly decision: 'stand' | 'wait'; readonly why: string };

type Rule = {
  readonly when: (l: Looking) => boolean;
  readonly decision: 'stand' | 'wait';
  readonly why: string;
};

/**
 * First rule that holds. A primary that is heard is followed at once and never reaches this table
 * (`takeover.ts`).
 */
export const RULES: readonly Rule[] = [
  {
    when: (l) => l.gone,
    decision: 'wait',
    why: 'this box said that it is gone for good: the peer takes that for silence',
  },
  {
    when: (l) => !l.ownLanUp,
    decision: 'wait',
    why: 'own service LAN is down',
  },
  {
    when: (l) => l.witnessLost,
    decision: 'wait',
    why: 'no witness answers: this box may be the isolated one',
  },
  {
    when: (l) => l.marked,
    decision: 'wait',
    why: 'the peer went on without this box: waits for it or the operator',
  },
  {
    when: (l) => l.peer !== undefined && l.peer.role === 'promoting',
    decision: 'wait',
    why: 'the peer is about to become primary',
  },
  {
    when: (l) => l.peer !== undefined && !l.peer.loaded && l.peerUnfitMs < l.holdMs,
    decision: 'wait',
    why: 'the peer is loading',
  },
  {
    when: (l) => l.peer?.loaded === true && waitsFor(l.own, l.peer, l.peerUnfitMs, l.holdMs),
    decision: 'wait',
    why: 'the peer has what this box has not, and may become fit yet',
  },
  {
    when: (l) => l.peer?.loaded === true && outranks(l.own, l.peer),
    decision: 'stand',
    why: 'the peer is heard and this box goes first',
  },
  {
    when: (l) => l.peer?.loaded === true,
    decision: 'wait',
    why: 'the peer is heard and goes first',
  },
  {
    when: (l) => l.stranger,
    decision: 'wait',
    why: 'the peer is heard but does not hear this box',
  },
  {
    when: (l) => l.lookedMs < l.holdMs,
    decision: 'wait',
    why: 'looking for the peer',
  },
  {
    when: (l) => l.own.peerStale,
    decision: 'stand',
    why: 'alone, and the peer is known to be stale',
  },
  {
    when: (l) => l.wasPrimary,
    decision: 'stand',
    why: 'alone, and this box was the last known primary',
  },
  {
    when: (l) => l.fresh,
    decision: 'wait',
    why: 'never paired: waits for the peer or the operator',
  },
  {
    when: () => true,
    decision: 'wait',
    why: 'was the backup: waits for the peer or the operator',
  },
];

/** @returns what a box that looks for its peer does now, and why, for logs and status. */
export function verdict(looking: Looking): Verdict {
  for (const rule of RULES) {
    if (rule.when(looking)) return { decision: rule.decision, why: rule.why };
  }
  return { decision: 'wait', why: '' };
}
