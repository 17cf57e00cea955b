/**
 * Whether this box may lead, in the terms of what its sentry remembers: could it become primary now
 * (`isFit`, which the other box is told), may it stand for it (`mayNotStand`), and what does the cold-start
 * table say (`ownVerdict`).
 */

import type { Millis } from '../base/units.ts';
import type { Heartbeat } from '../wire/heartbeat.ts';
import { type Candidate, type Looking, type Verdict, verdict, waitsFor } from './cold-start.ts';
import type { Core } from './sentry-core.ts';
import { DOUBTING } from './takeover-row.ts';

/** A frame of a third host on the LAN shows for so long that the LAN is alive. */
const LAN_LIFE: Millis = 10_000;

/** This box as the other one ranks it. */
export function candidate(c: Core): Candidate {
  return {
    box: c.settings.box,
    fit: isFit(c),
    epoch: c.epoch(),
    recordEpoch: c.standing.recordEpoch,
    lsn: c.standing.lsn,
    inStep: c.standing.inStep,
    peerStale: c.peerStale(),
  };
}

/** @returns whether this box could become primary now, whatever the other one does. */
export function isFit(c: Core): boolean {
  if (c.gone || c.loaded === undefined || !c.lanUp()) return false;
  switch (c.phase) {
    case 'loading':
      return false;
    case 'looking':
      return mayNotStand(c) === '';
    case 'primary':
    case 'flushing':
    case 'dropping':
      return true;
    default:
      return mayNotStand(c) === '';
  }
}

/** @returns why this box must not become primary now, or '' when it may. */
export function mayNotStand(c: Core): string {
  if (c.gone) return 'this box said that it is gone for good';
  if (!c.lanUp()) return 'own service LAN has no carrier';
  // the operator decided
  if (c.forced) return '';
  if (c.witnessLost()) return 'no witness answers on the service LAN';
  if (blind(c)) return 'the service LAN showed neither the peer nor anybody else before';
  // the engine has left its primary behind already
  if (c.reignDurable) return '';
  if (c.marked && !c.peerStale()) return 'the peer went on without this box';
  switch (DOUBTING.includes(c.phase) || c.phase === 'reigning' ? c.origin : c.phase) {
    case 'following':
      return c.standing.inStep ? '' : 'this box is not in step';
    case 'looking':
      return c.whole ? '' : 'the tables of this box are not whole';
    default:
      return '';
  }
}

/**
 * The peer only fell silent, and before that the LAN had not shown it while the crossover did: the
 * silence of the VIP proves nothing on a LAN that may be dead, unless somebody else is seen there.
 */
function blind(c: Core): boolean {
  if (c.phase !== 'following' && c.origin !== 'following') return false;
  const silent =
    c.phase === 'following' ? c.peer.detector.silent(c.now) : c.cause === 'peer-silent';
  if (!c.lanBlind || !silent || c.fenced) return false;
  return c.witnesses.state() !== 'seen' && c.now - c.lanHeardAt >= LAN_LIFE;
}

/** @returns the decision of the cold-start table for a box that looks for its peer. */
export function ownVerdict(c: Core): Verdict {
  const peer = c.peer;
  const h = peer.present(c.now) && peer.stateAt >= c.phaseSince ? peer.state : undefined;
  const looking: Looking = {
    own: candidate(c),
    lookedMs: c.now - c.phaseSince,
    holdMs: c.settings.holdMs,
    ownLanUp: c.lanUp(),
    witnessLost: c.witnessLost(),
    wasPrimary: c.wasPrimary,
    fresh: c.loaded?.fresh === true,
    marked: c.marked && !c.peerStale(),
    gone: c.gone,
    stranger: peer.strangerNear(c.now),
    peerUnfitMs: c.now - peer.unfitSince,
    peer: h,
  };
  return verdict(looking);
}

/**
 * @returns whether `h` is of a peer that is to be waited for: unfit for a moment, and ahead; or, where
 * nobody led lately, about to say what it has.
 */
export function waitsForPeer(c: Core, h: Heartbeat): boolean {
  if (c.forced) return false;
  if (!h.loaded) {
    const cold = DOUBTING.includes(c.phase) && c.origin === 'looking';
    return cold && c.now - c.peer.unfitSince < c.settings.holdMs;
  }
  return waitsFor(candidate(c), h, c.now - c.peer.unfitSince, c.settings.holdMs);
}
