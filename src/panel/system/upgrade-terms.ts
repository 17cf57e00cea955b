/** What the upgrade machine is told, what it does, what it keeps, and what two of them say to each other. */

import type { AgentAlarmCode } from '../monitor/agent-alarms.ts';

/** The two root slots of a box. */
export type Slot = 'A' | 'B';
export const OTHER_SLOT = { A: 'B', B: 'A' } as const;

export type SlotView = {
  readonly slot: Slot;
  readonly booted: boolean;
  /** bad: the boot loader passes it over. */
  readonly state: 'good' | 'bad';
  /** Starts since it was last known to be good; after the third the boot loader passes it over. */
  readonly tries: number;
  /** '' : nobody knows, or nothing is in it. */
  readonly version: string;
};

/**
 * Where this box is in a job.
 *   fetching    the bundle comes from the other box
 *   waiting     the bundle is here and good; it is not this box's turn
 *   installing  it is written into the slot that does not run
 *   ready       the next start is from the new slot; the other box is asked whether this one may leave
 *   leaving     it may: it restarts
 *   trial       it runs from the new slot and has to prove that it serves
 *   reverting   it did not: it restarts from the old one
 *   proved      done, from the new slot     failed   over, from the old slot (or not begun)
 */
export type Phase =
  | 'fetching'
  | 'waiting'
  | 'installing'
  | 'ready'
  | 'leaving'
  | 'trial'
  | 'reverting'
  | 'proved'
  | 'failed';

export type Job = {
  readonly id: string;
  /** install: a bundle, on both boxes. switch: this box starts from its other slot. */
  readonly kind: 'install' | 'switch';
  readonly version: string;
  /** SHA-256 of the bundle and its size; '' and 0 for a switch. */
  readonly digest: string;
  readonly bytes: number;
  /** Forced on a box without its peer: callers notice. */
  readonly alone: boolean;
  readonly by: string;
  /** UTC, ms. */
  readonly at: number;
};

export type Step = { readonly at: number; readonly phase: Phase; readonly text: string };

/** upgrade.json: all that is known after a power cut. */
export type UpgradeRecord = {
  readonly job: Job;
  readonly phase: Phase;
  readonly oldSlot: Slot;
  readonly newSlot: Slot;
  /** Installations begun: an interrupted one is begun again. */
  readonly attempts: number;
  /** This start of the machine, when the record was written. */
  readonly boot: string;
  /** Why it failed; ''. */
  readonly reason: string;
  /** Whose order ends it, in words: it holds over a power cut. */
  readonly cancelled?: string;
  /** It goes back though it leads. */
  readonly forced?: boolean;
  /** There was no configuration when it began: a service that waits for one is no fault then. */
  readonly unconfigured?: boolean;
  readonly steps: readonly Step[];
};

/** What is known of the machine when the agent starts. */
export type Booted = { readonly boot: string; readonly slot: Slot };

/** What the daemon says of the pair. */
export type PairView = {
  readonly service: 'up' | 'down' | 'unconfigured';
  readonly role: 'primary' | 'backup' | 'none';
  /** As primary: the peer has everything. As backup: this box has. */
  readonly inStep: boolean;
  /** The virtual address answers here, or was not asked. */
  readonly vip: boolean;
  readonly vipAsked: boolean;
};

export type UpgradeMessage =
  | {
      readonly kind: 'report';
      readonly leaving: boolean;
      readonly role: PairView['role'];
      readonly inStep: boolean;
      readonly job?: { readonly id: string; readonly phase: Phase; readonly reason: string };
    }
  | { readonly kind: 'offer'; readonly job: Job }
  | { readonly kind: 'refuse'; readonly id: string; readonly text: string }
  /** Send me the bundle of this job. */
  | { readonly kind: 'want'; readonly id: string }
  /** I would like to restart, being no primary. `nonce`: one question of mine. */
  | { readonly kind: 'may-leave'; readonly nonce: number }
  /** I serve, and stay until you say `stay` or are back. */
  | { readonly kind: 'leave'; readonly nonce: number }
  | { readonly kind: 'stay' };

/** What only the machine of the box can do; one at a time, each answered by `done`. */
export type Operation =
  /** Checks the signature of a bundle and copies it to the data partition. */
  | { readonly op: 'take'; readonly source: string }
  /** Sends the bundle to the other box. */
  | { readonly op: 'send'; readonly id: string }
  /** Digest and signature of what was fetched. */
  | { readonly op: 'verify'; readonly digest: string }
  /** Into the slot that does not run; the next start is from there. */
  | { readonly op: 'install' }
  /** The next start is from this slot, on trial. */
  | { readonly op: 'activate'; readonly slot: Slot }
  /** The running slot is good. */
  | { readonly op: 'mark-good' }
  /** The next start is from this slot, and the other one is bad. */
  | { readonly op: 'fall-back'; readonly slot: Slot }
  | { readonly op: 'switchover' }
  /** Removes the bundle. */
  | { readonly op: 'drop' };
export type OperationName = Operation['op'];

/** What `take` and `verify` learn of a bundle. */
export type Bundle = { readonly version: string; readonly digest: string; readonly bytes: number };

export type ImageRequest = {
  readonly verb: 'install' | 'activate' | 'confirm' | 'rollback';
  readonly source?: string;
  readonly force?: boolean;
  readonly by?: string;
};

export type UpgradeInput =
  | { readonly kind: 'request'; readonly id: number; readonly request: ImageRequest }
  | { readonly kind: 'link-up' }
  | { readonly kind: 'link-down' }
  | { readonly kind: 'message'; readonly message: UpgradeMessage }
  | { readonly kind: 'pair'; readonly view: PairView }
  /** `fault` '' : it was done. */
  | {
      readonly kind: 'done';
      readonly op: OperationName;
      readonly fault: string;
      readonly bundle?: Bundle;
    }
  /** The other box sent the bundle; `fault` says why it is not here after all. */
  | { readonly kind: 'fetched'; readonly id: string; readonly fault: string }
  /** A `store` came to nothing; what stood behind it was not done. */
  | { readonly kind: 'unstored'; readonly text: string }
  | { readonly kind: 'tick' };

export type UpgradeEffect =
  /** Durable before the next effect is done; if that fails, the next are not done. */
  | { readonly kind: 'store'; readonly record: UpgradeRecord }
  | { readonly kind: 'send'; readonly message: UpgradeMessage }
  | { readonly kind: 'do'; readonly operation: Operation }
  /** Ask the daemon now; answered by `pair`. */
  | { readonly kind: 'look' }
  | { readonly kind: 'reboot' }
  | { readonly kind: 'answer'; readonly id: number; readonly value: object }
  | {
      readonly kind: 'alarm';
      readonly code: Extract<AgentAlarmCode, `image-${string}`>;
      readonly text: string;
    }
  | { readonly kind: 'log'; readonly text: string };

/** Monotonic ms, and UTC ms for what people read. */
export type Moment = { readonly now: number; readonly wall: number };
