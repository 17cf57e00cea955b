/** What the commit machine is told, what it does, and what two of them say to each other. */

import type { BoxId } from '../../pair/terms.ts';
import type { AgentAlarmCode } from '../monitor/agent-alarms.ts';
import type { Active, Entry, Head } from './revision.ts';
import type { ConfigurationFault, SystemAlarm, SystemFault, Tree, Utc } from './terms.ts';

/** Messages between the two machines; a connection brings them in order, or ends. */
export type CommitMessage =
  /** Said when the link comes up, and after every change of what is active. */
  | { readonly kind: 'head'; readonly head: Head }
  /** Give me what is active there. */
  | { readonly kind: 'want' }
  | {
      readonly kind: 'have';
      readonly active: Active;
      /** Of a provisional one: two clocks need not agree. */
      readonly leftMs: number;
    }
  /** A revision of ours that lost: kept by both. */
  | { readonly kind: 'lost'; readonly entry: Entry }
  | { readonly kind: 'check'; readonly id: number; readonly tree: Tree }
  | {
      readonly kind: 'checked';
      readonly id: number;
      readonly faults: readonly ConfigurationFault[];
    }
  | { readonly kind: 'prepare'; readonly entry: Entry; readonly confirmMin: number }
  | { readonly kind: 'prepared'; readonly id: string }
  | { readonly kind: 'refused'; readonly id: string; readonly why: SystemFault };

/** Durable: active.json; prepared.json (undefined: removed); a file below revisions/. */
export type StoredFile =
  | { readonly name: 'active'; readonly content: Active }
  | { readonly name: 'prepared'; readonly content: Prepared | undefined }
  | { readonly name: 'revision'; readonly content: Entry };

export type Prepared = { readonly entry: Entry; readonly confirmMin: number };

export type Durable = { readonly active: Active; readonly prepared?: Prepared };

export type CommitRequest =
  | { readonly kind: 'check'; readonly id: number; readonly tree: Tree }
  | {
      readonly kind: 'commit';
      readonly id: number;
      readonly base: number;
      readonly tree: Tree;
      readonly by: string;
      readonly comment: string;
      readonly confirmMin: number;
    }
  | { readonly kind: 'confirm'; readonly id: number };

export type CommitInput =
  | CommitRequest
  | { readonly kind: 'link-up'; readonly release: string }
  | { readonly kind: 'link-down' }
  | { readonly kind: 'message'; readonly message: CommitMessage }
  /** The last `store` was done, or came to nothing: what it replaces is there then. */
  | { readonly kind: 'stored'; readonly fault: string }
  /** What the daemon says of the pair. */
  | { readonly kind: 'pair'; readonly epoch: number; readonly primary: boolean }
  | { readonly kind: 'tick' };

export type CommitEffect =
  /** In this order, each durable before the next; answered by `stored` before anything else is told. */
  | { readonly kind: 'store'; readonly files: readonly StoredFile[] }
  | { readonly kind: 'send'; readonly message: CommitMessage }
  | { readonly kind: 'answer'; readonly id: number; readonly value: object }
  /** Another tree is active. */
  | { readonly kind: 'apply'; readonly entry: Entry; readonly was: Entry }
  | { readonly kind: 'drop-link' }
  | {
      readonly kind: 'alarm';
      readonly code: AgentAlarmCode;
      readonly severity: SystemAlarm['severity'];
      /** '' : it is over. */
      readonly text: string;
    }
  | { readonly kind: 'log'; readonly text: string };

export type CommitSettings = {
  readonly box: BoxId;
  /** Verifies a tree for both boxes, by what this release knows. */
  readonly judge: (tree: Tree) => readonly ConfigurationFault[];
  /**
   * The same of what is proposed in place of `active`, and files it names that this box has not or cannot use. Of what is
   * committed already these are not asked: it must be possible to go back.
   */
  readonly vet: (tree: Tree, active: Active) => readonly ConfigurationFault[];
  /** Places of which a change needs a restart. */
  readonly restarts: (old: Tree, next: Tree) => readonly string[];
};

export type Moment = { readonly now: number; readonly wall: Utc };
