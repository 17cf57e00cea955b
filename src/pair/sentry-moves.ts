/**
 * What the guards and actions named in `takeover.ts` mean: one small function each, over the plain
 * memory of `sentry-core.ts`. The sentences there are the specification of the functions here.
 */

import { SECOND } from '../base/units.ts';
import { knowsMore, outranks } from './cold-start.ts';
import { candidate, mayNotStand, waitsForPeer } from './eligible.ts';
import { leads } from './peer.ts';
import { settleRouter } from './router.ts';
import type { Core } from './sentry-core.ts';
import { olderThan } from './sentry-watch.ts';
import { AUTOMATIC } from './takeover.ts';
import { DOUBTING } from './takeover-row.ts';
import type { Action, Guard } from './takeover-words.ts';
import type { Cause } from './terms.ts';

/** RFC 5227 §2.4 (b): one defence in an interval; a pair must be quicker than its ten seconds. */
const DEFEND_INTERVAL = SECOND;
const ASSERT_INTERVAL = 100;
/** Two primaries of one epoch that both believe to be ahead: after so long the name decides. */
const TIE_PATIENCE = 100;
const ASKS_CLOSED = 2;
const ASKS_SILENT = 6;
/** How long a carrier bounce and the switch behind it may take. */
const BOUNCE = 3 * SECOND;
/** How long a kernel may need to take a killed process and its devices apart. */
const ORDINARY_ANSWER_MS = 250;

/** @returns why even an operator cannot make the peer lead now, or '' when he can. */
function cannotYield(c: Core): string {
  const h = c.peer.state;
  if (h === undefined || !c.peer.present(c.now)) return 'the backup is not heard';
  if (h.role !== 'backup') return `box ${h.box} is ${h.role}, not backup`;
  if (!h.lanUp) return 'the service LAN of the backup has no carrier';
  return '';
}

/** @returns why a switchover without loss may not begin now, or '' when it may. */
export function notReady(c: Core): string {
  const why = cannotYield(c);
  if (why !== '') return why;
  if (!c.standing.linkUp) return 'the crossover link is down';
  if (c.standing.peerStale) return 'the backup is stale';
  const h = c.peer.state;
  if (!c.standing.inStep || h?.inStep !== true) return 'the backup is not in step';
  return h.fit ? '' : 'the backup says that it is not fit';
}

/** The service LAN as an operator names it when it does not work. */
function lanFault(c: Core): string {
  return c.lanUp() ? 'no witness answers on the own service LAN' : 'own service LAN has no carrier';
}

/** @returns whether the backup is better off: link case 4, and not link case 5. */
function lanBetterThere(c: Core): boolean {
  const h = c.peer.state;
  if (h === undefined || c.lanLostAt > c.now || !h.lanUp) return false;
  // a carrier alone does not make it better than one without a witness
  if (c.lanUp() && !h.witnessSeen) return false;
  // both were cut off, and it only looked first: ours is asked again, and must have had the time
  const { witnessFastMs, witnessMissed } = c.settings;
  if (c.lanUp() && c.now - c.peerSeesAt < witnessFastMs * (witnessMissed + 1)) return false;
  // its port may have gone down in the same moment: it must have said so since
  return c.peer.stateAt >= c.lanLostAt + c.settings.heartbeatMs;
}

/** Nobody has seen this box for a while: no carrier, or neither witness nor peer over the LAN. */
function faceDead(c: Core): boolean {
  const { lanDeadMs } = c.settings;
  if (c.now - c.carrierLostAt >= lanDeadMs) return true;
  return c.now - c.lanLostAt >= lanDeadMs && c.peer.detector.quietMs('l', c.now) >= lanDeadMs;
}

function mayHandOver(c: Core): boolean {
  if (!lanBetterThere(c) || notReady(c) !== '') return false;
  const held = c.flap.holds(c.now);
  if (held === '' || faceDead(c)) return true;
  c.raise('flap-hold', `${lanFault(c)}, but ${held}: roles are held`);
  return false;
}

/**
 * With a virtual MAC the kernel does not answer for the VIP, the process does: no answer does not
 * prove that a frozen one will not wake up within its lease and speak. Its last renewal is not later
 * than its last heartbeat, which we heard, or up to a red path later.
 */
function leaseMayRun(c: Core): boolean {
  // closed is another matter: then a kernel said that the process is gone
  if (c.settings.vrrp?.virtualMac !== true || c.cause !== 'peer-silent' || c.fenced) return false;
  const { leaseMs } = c.settings;
  return c.now < c.peer.stateAt + leaseMs + c.peer.detector.redAfterMs();
}

function mustFence(c: Core): boolean {
  return c.settings.fence && c.cause === 'peer-silent' && !c.fenced && mayNotStand(c) === '';
}

function lifeProved(c: Core): boolean {
  const h = c.frame;
  if (h === undefined || c.queryFrom === 0) return false;
  if (h.echoBoot === c.boot && h.echoSequence >= c.queryFrom) return true;
  if (!DOUBTING.includes(c.phase)) return false;
  return c.now > c.queryAt + c.settings.probeMs && c.lateFrames[h.path] > 0;
}

function peerFirst(c: Core): boolean {
  const h = c.frame;
  if (h !== undefined && waitsForPeer(c, h)) return true;
  // an operator overrides who goes first, not who is at it already
  return h?.fit === true && (!c.forced || h.role === 'promoting') && outranks(h, candidate(c));
}

function leaderGone(c: Core): boolean {
  const h = c.frame;
  if (h === undefined || leads(h) || h.role === 'promoting' || mayNotStand(c) !== '') return false;
  return !waitsForPeer(c, h) && outranks(candidate(c), h);
}

/** A proof of silence is good for as long as a living box may be silent. */
function proofHolds(c: Core): boolean {
  return c.now - c.silentAt <= c.peer.detector.redAfterMs();
}

function outranked(c: Core): boolean {
  const h = c.frame;
  if (h === undefined) return false;
  if (h.epoch !== c.reignEpoch) return h.epoch > c.reignEpoch;
  // positions move while we compare: both may see themselves ahead, never both behind
  if (c.now - c.conflictSince >= TIE_PATIENCE) return c.settings.box > h.box;
  if (h.lsn !== c.standing.lsn) return h.lsn > c.standing.lsn;
  return c.settings.box > h.box;
}

export const GUARD_OF: { readonly [G in Guard]: (c: Core) => boolean } = {
  'may-stand': (c) => mayNotStand(c) === '',
  'witness-pending': (c) =>
    !c.forced &&
    c.witnesses.state() === 'seen' &&
    !c.witnesses.seenSince(c.suspectedAt) &&
    mayNotStand(c) === '',
  'lease-may-run': leaseMayRun,
  'fence-due': (c) => mustFence(c) && c.now - c.fencedAt >= SECOND,
  'must-fence': mustFence,
  'may-succeed': (c) => c.lanUp() && c.reportEpoch >= c.leaderEpoch,
  'may-hand-over': mayHandOver,
  'life-proved': lifeProved,
  'new-leader': (c) => c.frame !== undefined && c.frame.epoch !== c.leaderEpoch,
  'leader-gone': leaderGone,
  'both-follow': (c) =>
    c.frame?.role === 'backup' &&
    c.now - c.leaderAt > SECOND &&
    c.now - c.phaseSince > SECOND &&
    c.whole,
  'peer-first': peerFirst,
  'rival-first': (c) => c.frame?.role === 'promoting' && peerFirst(c),
  'rival-near': (c) => c.peer.present(c.now) && c.peer.role() === 'promoting',
  outranked: outranked,
  'conflict-over': (c) => c.conflictSince <= c.now,
  yields: (c) => c.settings.box === 'b' && !c.peer.present(c.now),
  'reign-durable': (c) =>
    c.reignDurable && c.reignEpoch > c.peer.seenEpoch && mayNotStand(c) === '',
  'this-reign': (c) => c.reportEpoch === c.reignEpoch,
  'reign-in-time': (c) =>
    c.reportEpoch === c.reignEpoch && c.lanUp() && c.reignEpoch > c.peer.seenEpoch && proofHolds(c),
  'claim-in-time': (c) => proofHolds(c) && c.now - (c.answered?.at ?? c.now) <= c.settings.renewMs,
  'stranger-near': (c) => c.origin === 'looking' && c.peer.strangerNear(c.now),
  'still-in-step': (c) => c.standing.linkUp && c.standing.inStep,
  ready: (c) => notReady(c) === '',
  forced: (c) => c.question?.force === true && cannotYield(c) === '',
  'whole-and-up': (c) => c.lanUp() && c.whole,
  'leader-silent': (c) =>
    c.lanUp() && !(c.peer.present(c.now) && (leaderHeard(c) || c.peer.role() === 'promoting')),
};

function leaderHeard(c: Core): boolean {
  return c.peer.state !== undefined && leads(c.peer.state);
}

/** What a new primary has left behind it. */
const OVER_WHEN_PRIMARY = [
  'not-eligible',
  'vip-answered',
  'claim-failed',
  'vip-held',
  'fence-failed',
  'fenced',
  'stranger',
] as const;

/** What is over when another primary is followed. */
const OVER_WHEN_FOLLOWING = [...OVER_WHEN_PRIMARY, 'vip-conflict', 'flap-hold'] as const;

function follow(c: Core): void {
  const epoch = c.frame?.epoch ?? c.standing.epoch;
  c.leaderEpoch = epoch;
  c.leaderAt = c.now;
  c.wasPrimary = false;
  c.diskStale = false;
  c.reignDurable = false;
  for (const code of OVER_WHEN_FOLLOWING) c.clear(code);
  if (c.followed !== epoch) {
    c.log('info', `follow box ${c.frame?.box ?? '?'}, primary of epoch ${epoch}`);
    c.order({ kind: 'follow', epoch });
  }
}

function withdraw(c: Core): void {
  c.prober.end();
  c.forgetQueries();
  c.forced = false;
  c.fenced = false;
  c.reignDurable = false;
}

/** Two questions where a kernel said that the process is gone, six where there is only silence. */
function probe(c: Core): void {
  c.prober.begin(c.now, c.cause === 'peer-closed' ? ASKS_CLOSED : ASKS_SILENT);
}

/** A successor knows why from the last word of its predecessor. */
function goodbyeCause(c: Core): Cause {
  const h = c.peer.state;
  const lost = h !== undefined && (!h.lanUp || (h.witnessKnown && !h.witnessSeen));
  return lost ? 'lan-lost' : 'switchover';
}

function noteLate(c: Core): void {
  const h = c.frame;
  if (h === undefined || c.now <= c.queryAt + c.settings.probeMs) return;
  c.lateFrames[h.path] += 1;
  c.prober.extend(c.now + c.settings.heartbeatMs + c.settings.probeMs);
}

function orderReign(c: Core): void {
  const h = c.peer.state;
  const heard = h?.loaded === true && !h.fit && c.peer.present(c.now);
  if (heard && knowsMore(h, candidate(c))) c.raise('older-tables', olderThan(c));
  c.provedAt = c.now;
  c.silentAt = c.now;
  c.prober.end();
  c.reignEpoch = Math.max(c.peer.seenEpoch, c.standing.epoch, c.reignEpoch) + 1;
  c.reignDurable = false;
  // a primary that lost its lease stands again: its engine first lays the old voice down
  if (c.spoke) c.order({ kind: 'follow', epoch: c.standing.epoch });
  c.order({ kind: 'reign', epoch: c.reignEpoch, cause: c.cause });
}

function claim(c: Core): void {
  c.prober.end();
  c.vip('claim');
}

function announce(c: Core): void {
  c.conflictSince = Number.MAX_SAFE_INTEGER;
  c.announcer.begin(c.now);
  c.announcer.due(c.now);
  c.garp();
}

function takeLease(c: Core): void {
  const at = c.answered?.at ?? c.now;
  c.repairing = false;
  c.nextRenew = at + c.settings.renewMs;
  c.setLease(at + c.settings.leaseMs);
}

function extend(c: Core): void {
  const until = (c.answered?.at ?? 0) + c.settings.leaseMs;
  if (c.repairing) c.clear('vip-held');
  c.repairing = false;
  if (until > c.lease) c.setLease(until);
}

function silence(c: Core): void {
  c.announcer.end();
  c.toTell = [];
  c.router?.rest();
  c.nextRenew = Number.MAX_SAFE_INTEGER;
  c.conflictSince = Number.MAX_SAFE_INTEGER;
  c.repairing = false;
  c.setLease(0);
}

function tell(c: Core): void {
  c.last = {
    cause: c.cause,
    epoch: c.reignEpoch,
    suspectedAt: c.suspectedAt,
    provedAt: c.provedAt,
    durableAt: c.durableAt,
    claimedAt: c.now,
  };
  c.counters.takeovers += 1;
  c.whole = true;
  c.wasPrimary = true;
  c.diskStale = false;
  c.marked = false;
  if (AUTOMATIC.includes(c.cause)) c.flap.note(c.now);
  for (const code of OVER_WHEN_PRIMARY) c.clear(code);
  withdraw(c);
  const took = (c.now - c.suspectedAt).toFixed(1);
  c.log('info', `primary of epoch ${c.reignEpoch}: ${c.cause}, ${took} ms after the suspicion`);
}

function defend(c: Core): void {
  c.counters.conflicts += 1;
  c.conflictHeardAt = c.now;
  c.rival = c.detail;
  c.raise('vip-conflict', `the VIP ${c.settings.vips[0]} is also claimed by ${c.detail}`);
  if (c.now - c.lastDefence < DEFEND_INTERVAL) return;
  c.lastDefence = c.now;
  c.garp();
}

function assertReign(c: Core): void {
  if (c.conflictSince > c.now) {
    c.conflictSince = c.now;
    c.counters.conflicts += 1;
    const h = c.frame;
    c.raise('two-primaries', `box ${h?.box} of epoch ${h?.epoch} leads too and must give way`);
  }
  if (c.now - c.lastAssert < ASSERT_INTERVAL) return;
  c.lastAssert = c.now;
  c.garp();
  c.beat(false, false);
}

function refuse(c: Core, why: string): void {
  if (c.question !== undefined) c.answer(c.question.id, false, why);
}

function refusal(c: Core): string {
  const h = c.peer.state;
  switch (c.phase) {
    case 'primary':
      return c.question?.asks === 'promote'
        ? 'refused: this box is primary already'
        : `refused: ${c.question?.force === true ? cannotYield(c) : notReady(c)}`;
    case 'following':
    case 'looking':
    case 'loading':
      if (h !== undefined && c.peer.present(c.now) && leads(h)) {
        return `refused: this box is ${c.role()}; box ${h.box} is the primary: ask it`;
      }
      return c.lanUp()
        ? `refused: this box is ${c.role()} and no primary is heard`
        : 'refused: own service LAN has no carrier';
    default:
      return `refused: a change of roles is under way (${c.phase})`;
  }
}

function notEligible(c: Core): void {
  const why = mayNotStand(c);
  c.raise(
    'not-eligible',
    `the primary is not heard, or its link closed; this box must not take over: ${why}`,
  );
}

export const ACTION_OF: { readonly [A in Action]: (c: Core) => void } = {
  remember: (c) => {
    c.wasPrimary = c.loaded?.wasPrimary === true;
    c.diskStale = c.loaded?.peerStale === true;
    c.whole = true;
  },
  'was-primary': (c) => {
    c.wasPrimary = true;
    c.leaderEpoch = -1;
  },
  follow: follow,
  'note-led': (c) => {
    c.leaderAt = c.now;
    c.clear('not-eligible');
    if (!c.standing.inStep) c.whole = false;
  },
  'suspect-cold': (c) => c.suspect('cold-start'),
  'suspect-closed': (c) => c.suspect('peer-closed'),
  'suspect-silent': (c) => c.suspect('peer-silent'),
  'suspect-goodbye': (c) => c.suspect(goodbyeCause(c)),
  // a box that is switched off says so too, and its engine is well
  'suspect-gone': (c) => c.suspect(c.frame?.engineOk === true ? 'switchover' : 'engine-stuck'),
  'suspect-operator': (c) => {
    c.suspect('operator');
    c.forced = true;
  },
  probe: probe,
  'ask-again': (c) => c.prober.again(c.now),
  fence: (c) => {
    c.counters.fences += 1;
    c.fencedAt = c.now;
    c.log('warning', 'the peer is silent on every path: fencing it');
    c.out.push({ kind: 'fence' });
  },
  'probe-later': (c) => c.prober.again(c.now),
  'note-late': noteLate,
  'order-reign': orderReign,
  'note-reign': (c) => {
    c.reignDurable = true;
    c.durableAt = c.now;
  },
  claim: claim,
  repair: (c) => {
    c.repairing = true;
    c.raise('vip-held', `the VIP could not be renewed: ${c.detail}`);
  },
  drop: (c) => c.vip('drop'),
  silence: silence,
  farewell: (c) => {
    c.router?.quit();
    // before the device that says it goes down
    settleRouter(c);
  },
  lease: takeLease,
  extend: extend,
  announce: announce,
  defend: defend,
  'assert-reign': assertReign,
  speak: (c) => c.order({ kind: 'speak', epoch: c.reignEpoch }),
  advertise: (c) => {
    c.router?.lead(c.now);
    c.toTell = c.hosts.list();
    if (!c.settings.carrierBounce || c.cause === 'cold-start') return;
    c.bounceUntil = c.now + BOUNCE;
    c.out.push({ kind: 'bounce' });
  },
  preempt: (c) => c.router?.preempt(c.now),
  tell: tell,
  'order-resign': (c) => {
    c.pending = c.question?.id;
    c.handoverCause = undefined;
    c.log('info', 'switchover: flushing');
    c.order({ kind: 'resign' });
  },
  'order-resign-lan': (c) => {
    c.handoverCause = 'lan-lost';
    c.counters.lanHandovers += 1;
    c.log('alarm', `${lanFault(c)}: handing over to box ${c.peer.state?.box}`);
    c.order({ kind: 'resign' });
  },
  'order-resync': (c) => c.order({ kind: 'resync' }),
  'order-stay': (c) => c.order({ kind: 'stay' }),
  'hand-over': (c) => {
    c.counters.handovers += 1;
    c.leaderEpoch = c.reignEpoch;
    c.leaderAt = c.now;
    c.wasPrimary = false;
    if (c.handoverCause !== undefined) c.flap.note(c.now);
    c.clear('flap-hold');
    c.log('info', `handed over at epoch ${c.reignEpoch}`);
    c.order({ kind: 'hand-over' });
  },
  'say-yield': (c) => {
    c.pending = c.question?.id;
    c.yields = true;
    c.leaderEpoch = c.reignEpoch;
    c.leaderAt = c.now;
    c.wasPrimary = false;
    c.log('alarm', `switchover by force at epoch ${c.reignEpoch}: what the backup lacks is lost`);
    c.beat(false, false);
  },
  'say-gone': (c) => {
    c.gone = true;
    // twice: nobody will repeat it
    c.beat(false, false);
    c.beat(false, false);
  },
  abort: (c) => c.out.push({ kind: 'abort', why: 'the engine takes no turns' }),
  'expect-primary': (c) => {
    c.phaseDeadline = c.now + SECOND;
  },
  accept: (c) => {
    if (c.question !== undefined) c.answer(c.question.id, true, 'promoting this box');
  },
  'accept-resync': (c) => {
    if (c.question !== undefined) c.answer(c.question.id, true, 'the mirror begins anew');
  },
  'answer-retired': (c) => {
    if (c.question !== undefined) c.answer(c.question.id, true, 'this box has no voice any more');
  },
  'answer-done': (c) =>
    c.answerPending(true, `box ${c.frame?.box} is primary, epoch ${c.frame?.epoch}`),
  'answer-failed': (c) =>
    c.answerPending(
      false,
      `switchover failed: ${c.detail === '' ? 'no answer in time' : c.detail}`,
    ),
  refuse: (c) => refuse(c, refusal(c)),
  withdraw: withdraw,
  'log-lives': (c) => {
    c.counters.falseAlarms += 1;
    c.log('warning', `suspicion (${c.cause}) was wrong: box ${c.frame?.box} lives, roles stay`);
  },
  'log-not-eligible': notEligible,
  'log-answered': (c) => {
    const text = `the VIP is still answered by ${c.detail}: not claimed`;
    // for a moment this is ordinary: a kernel that takes a killed process apart ends its connections
    // before its devices
    if (c.now - c.suspectedAt >= ORDINARY_ANSWER_MS) c.raise('vip-answered', text);
    else if (c.phase !== 'waiting') c.log('info', text);
  },
  'log-claim-failed': (c) => {
    c.counters.claimsFailed += 1;
    const why = c.detail === '' ? 'no answer' : c.detail;
    c.raise('claim-failed', `the VIP could not be claimed: ${why}; trying again`);
  },
  'log-fenced': (c) => {
    c.counters.leasesLost += 1;
    c.raise('fenced', `no longer primary of epoch ${c.reignEpoch}: ${c.detail}`);
  },
  'log-outranked': (c) => {
    c.counters.conflicts += 1;
    const h = c.frame;
    c.raise('two-primaries', `gave way to box ${h?.box} of epoch ${h?.epoch}`);
  },
  'log-fence-failed': (c) => {
    const why = c.detail === '' ? 'no answer in time' : c.detail;
    c.raise('fence-failed', `the peer could not be fenced: ${why}; trying again`);
  },
  'log-stuck': (c) => c.raise('engine-stuck', 'the engine takes no turns: this box begins anew'),
  'log-unmirrored': (c) => c.log('warning', 'the link to the backup closed'),
};
