/**
 * The words the takeover table is written in: the phases a box can be in, what can happen to it,
 * what may be asked before (guards) and what may be done (actions). Each guard and action carries
 * its specification as a sentence; `sentry-moves.ts` holds the function of the same name.
 */

import type { Role } from './terms.ts';

/** Finer than a role: what exactly the box waits for. */
export type Phase =
  /** The engine reads its tables. */
  | 'loading'
  /** Nobody is known to be primary: looks for the peer (cold start, or after losing the lease). */
  | 'looking'
  /** Follows a primary. */
  | 'following'
  /** Handed over; the other one should be primary any moment. */
  | 'awaiting'
  /** Proves that the old primary and the VIP are silent. */
  | 'probing'
  /** As probing, but somebody answers for the VIP: asks again and again. */
  | 'waiting'
  /** The fence cuts the peer's power or port. */
  | 'fencing'
  /** The engine makes the new reign durable. */
  | 'reigning'
  /** The edge takes the VIP. */
  | 'claiming'
  | 'primary'
  /** Handing over: the engine says and mirrors what is left. */
  | 'flushing'
  /** Handing over: the VIP goes down. */
  | 'dropping';

export const PHASES: readonly Phase[] = [
  'loading',
  'looking',
  'following',
  'awaiting',
  'probing',
  'waiting',
  'fencing',
  'reigning',
  'claiming',
  'primary',
  'flushing',
  'dropping',
];

/** What the world is told about a phase. */
export const PHASE_ROLE: { readonly [P in Phase]: Role } = {
  loading: 'starting',
  looking: 'starting',
  following: 'backup',
  awaiting: 'backup',
  probing: 'promoting',
  waiting: 'backup',
  fencing: 'promoting',
  reigning: 'promoting',
  claiming: 'promoting',
  primary: 'primary',
  flushing: 'resigning',
  dropping: 'resigning',
};

export type PairEvent =
  /** The engine has its tables. */
  | 'loaded'
  /** A heartbeat of a primary. */
  | 'peer-leads'
  /** A heartbeat of a peer that is not primary. */
  | 'peer-seeks'
  /** The cold-start table says that this box begins. */
  | 'elected'
  /** The mirror's stream ended without a goodbye. */
  | 'link-closed'
  /** Both paths are red. */
  | 'silent'
  /** The primary handed over, in order. */
  | 'goodbye'
  /** The sentry of the other box says that VIP and voice of that box are gone for good. */
  | 'peer-gone'
  /** Its operator forces this box to lead; VIP and voice of that box are gone. */
  | 'peer-yields'
  /** Somebody else answers for the VIP. */
  | 'vip-answered'
  /** Somebody else probes for the VIP at the same time. */
  | 'rival-probes'
  /** A whole round of probes without an answer. */
  | 'quiet'
  /** The new reign is durable. */
  | 'reigning'
  /** Claimed, or renewed. */
  | 'vip-up'
  /** Claim or renewal failed, or the device went away. */
  | 'vip-lost'
  /** Dropped. */
  | 'vip-down'
  /** The fence did its work. */
  | 'fenced'
  | 'fence-failed'
  /** A router that is not ours leads our VRRP group with a lower priority. */
  | 'router-leads'
  | 'flushed'
  | 'flush-refused'
  /** The phase took longer than it may. */
  | 'timeout'
  /** The lease ended before it was renewed: this box was held up, or cannot renew. */
  | 'lease-over'
  /** Own LAN is worse than the backup's, and the crossover works. */
  | 'lan-lost'
  /** Own LAN is dead, and neither path shows the peer. */
  | 'isolated'
  /** The engine of this box takes no turns. */
  | 'engine-stuck'
  | 'switchover'
  | 'promote'
  | 'resync'
  /** The box is being switched off. */
  | 'retire';

export const EVENTS: readonly PairEvent[] = [
  'loaded',
  'peer-leads',
  'peer-seeks',
  'elected',
  'link-closed',
  'silent',
  'goodbye',
  'peer-gone',
  'peer-yields',
  'vip-answered',
  'rival-probes',
  'quiet',
  'reigning',
  'vip-up',
  'vip-lost',
  'vip-down',
  'fenced',
  'fence-failed',
  'router-leads',
  'flushed',
  'flush-refused',
  'timeout',
  'lease-over',
  'lan-lost',
  'isolated',
  'engine-stuck',
  'switchover',
  'promote',
  'resync',
  'retire',
];

/** Every guard, as the sentence it stands for. */
export const GUARDS = {
  'may-stand':
    'own LAN is up and its witnesses answer, not called stale, a follower is in step (the operator ' +
    'overrides all but the carrier)',
  'witness-pending': 'a witness is known, and has not answered since the suspicion, nor failed to',
  'lease-may-run':
    'the VIP has a virtual MAC, the peer only fell silent, and its lease may not be over yet',
  'fence-due': 'so it is, and the last try was a second ago',
  'must-fence': 'there is a fence, the peer only fell silent, and it was not fenced yet',
  'may-succeed': 'own LAN is up and the goodbye is not from an earlier reign',
  'life-proved': 'the primary sent this after it had heard our query, or keeps sending long after',
  'new-leader': 'it leads a reign this box did not follow',
  'leader-gone': 'the box that was followed lives but leads no more, and this one goes first',
  'both-follow': 'the peer is a backup too, and no primary was heard for a second',
  'peer-first':
    'the peer is fit and outranks this box, or has what this one has not and may become fit yet, or ' +
    'loads while nobody led; and ' +
    'no operator decided otherwise',
  'rival-first': 'the peer is being promoted too and outranks this box',
  'rival-near': 'the peer is being promoted',
  outranked: 'the other primary has the higher epoch (then position, then lower box)',
  'conflict-over': 'the other primary of a moment ago has given way',
  yields: 'box b, and no primary is heard: of two that ask at once one must wait',
  'reign-durable': 'the epoch of this takeover is already durable here',
  'this-reign': 'it is the epoch that was ordered',
  'reign-in-time':
    'it is the epoch that was ordered, above every one heard since; own LAN is up, and silence was ' +
    'proved within the time that makes a path red',
  'claim-in-time': 'so was it, and the claim is younger than a renewal',
  'stranger-near': 'from a cold start: a box that does not hear this one yet was heard just now',
  'still-in-step': 'the link stands and the backup is in step',
  ready: 'the backup is fresh, fit, and in step',
  forced: 'the operator forces it, and the backup is heard and has a LAN',
  'whole-and-up': 'own LAN is up, and the tables are not the middle of a snapshot',
  'may-hand-over': 'the backup is in step, its LAN is better, and the flap guard does not hold',
  'leader-silent': 'own LAN is up and no primary is heard',
} as const;
export type Guard = keyof typeof GUARDS;

/** Every action, as the sentence it stands for. */
export const ACTIONS = {
  remember: 'keep what the engine found on its disk',
  'was-primary': 'keep that this box was the last known primary',
  follow: 'order the engine to follow that primary',
  'note-led': 'from now on the tables may be in the middle of a snapshot',
  'suspect-cold': 'note the moment; cause: cold start',
  'suspect-closed': 'note the moment; cause: peer closed',
  'suspect-silent': 'note the moment; cause: peer silent',
  'suspect-goodbye': 'note the moment; cause: switchover',
  'suspect-gone': 'note the moment; cause: engine stuck, or switchover if that engine is well',
  'suspect-operator': 'note the moment; cause: operator',
  probe: 'two or six probes for the VIP, and as many queries on x and l',
  'ask-again': 'the same once more, at once',
  fence: "cut the peer's power or port",
  'probe-later': 'the same once more, after a pause',
  'note-late': 'a late heartbeat moves the verdict by one interval',
  'order-reign': 'order the engine: epoch + 1, durable',
  'note-reign': 'the new epoch is durable',
  claim: 'take the VIP, with a lifetime',
  repair: 'alarm; claim instead of renewing next time',
  drop: 'let the VIP go',
  silence: 'the lease ends now: nothing more leaves this box',
  lease: 'the door opens until the claim plus one lease',
  extend: 'the door stays open until the renewal plus one lease',
  announce: 'gratuitous ARP in both forms, now and in a burst',
  defend: 'alarm; announce again, at most once a second',
  'assert-reign': 'announce again and say so on both paths, at most every 100 ms',
  speak: 'order the engine to speak',
  advertise:
    'VRRP advertisements from now on, a question to each neighbour that knows the VIP; carrier ' +
    'bounce where it is set',
  preempt: 'one VRRP advertisement, so that a router of lower priority gives way',
  tell: 'log, count, and keep cause and times of this takeover',
  'order-resign': 'order the engine to flush',
  'order-resign-lan': 'the same; cause: LAN lost',
  'order-resync': 'order the engine to begin the mirror anew',
  'order-stay': 'order the engine to go on',
  'hand-over': 'order the engine to say goodbye and follow',
  farewell: 'a VRRP advertisement of priority 0: others need not wait',
  'say-yield': 'say that the operator forces the other box to lead',
  'say-gone': 'say on both paths that VIP and voice are gone for good',
  abort: 'end this process at once: the engine cannot be asked to',
  'expect-primary': 'wait one second for the other to become primary',
  accept: 'answer the operator: begun',
  'accept-resync': 'answer the operator: the mirror begins anew',
  'answer-retired': 'answer: this box has no voice any more',
  'answer-done': 'answer the operator: the other box is primary',
  'answer-failed': 'answer the operator: it came to nothing, and why',
  refuse: 'answer the operator: no, and why',
  withdraw: 'end the probes; the other one goes first',
  'log-lives': 'log that the suspicion was wrong, and count it',
  'log-not-eligible': 'alarm, once: nobody is primary and this box must not be',
  'log-answered': 'alarm, once: the VIP is still answered',
  'log-fence-failed': 'alarm: the peer could not be fenced; asks again and tries again',
  'log-stuck': 'alarm: the engine takes no turns',
  'log-claim-failed': 'alarm: the VIP could not be taken',
  'log-fenced': 'alarm: this box stopped being primary by itself, and why',
  'log-outranked': 'alarm: two primaries; this one gives way',
  'log-unmirrored': 'the backup is gone',
} as const;
export type Action = keyof typeof ACTIONS;
