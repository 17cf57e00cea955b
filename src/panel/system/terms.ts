/**
 * What is said over `system.sock`, the socket of the system agent: one JSON line a request, one JSON line
 * an answer (`pair` alone is a stream). The console, the tests and the monitor speak it.
 */

import type { BoxId } from '../../pair/terms.ts';
import type { Tree } from '../tree/terms.ts';
import type { SiteFile } from './site-files.ts';

export type { Tree } from '../tree/terms.ts';

/** What is wrong with a configuration: `place` is the words of a `set` line, joined by spaces. */
export type ConfigurationFault = {
  readonly code: string;
  readonly place: string;
  readonly text: string;
};

/** UTC, ms since 1970: what a person or a file is told. */
export type Utc = number;

/**
 * A revision as it is listed. `epoch` is the reign of the pair in which it was committed; of two that were
 * committed separately the one of the later reign stands, then the one with the higher number.
 */
export type RevisionHead = {
  readonly number: number;
  readonly epoch: number;
  /** Where it was typed. */
  readonly box: BoxId;
  readonly by: string;
  readonly at: Utc;
  readonly comment: string;
  /** Digest of the tree: equal ones are equal trees. */
  readonly digest: string;
};

export type Revision = RevisionHead & { readonly tree: Tree };

export type PeerState = {
  readonly reachable: boolean;
  /** Number of its active revision, as last told; -1: never told. */
  readonly revision: number;
  readonly release: string;
};

/** What the agent is doing to the machine at the moment. */
export type Applying = {
  readonly revision: number;
  readonly step: 'files' | 'reload' | 'waiting' | 'restart' | 'settled';
  readonly text: string;
};

/** An alarm that stands, for the monitor: raised while it is in the list. */
export type SystemAlarm = {
  readonly code: string;
  readonly severity: 'critical' | 'major' | 'minor' | 'warning';
  readonly text: string;
  readonly at: Utc;
};

export type SystemState = {
  readonly ok: true;
  readonly release: string;
  /** undefined: first boot was not done yet. */
  readonly identity?: { readonly box: BoxId };
  readonly paired: boolean;
  /** There is an admin password. */
  readonly admin: boolean;
  /** Number 0: nothing is committed yet. `confirmBy`: goes back by itself at that moment. */
  readonly revision: RevisionHead & { readonly confirmBy?: Utc };
  /** What this box said at first boot and is not committed yet. */
  readonly draft?: Tree;
  readonly peer: PeerState;
  readonly applying: Applying;
  readonly alarms: readonly SystemAlarm[];
  /** Slots and bundles, and the upgrade under way: see `panel/system/upgrade.ts`. */
  readonly image: object;
  readonly upgrade: object;
};

export type SystemRequest =
  | { readonly command: 'state' }
  /** Without a revision: the active one. Secrets are in it: the socket is root's. */
  | { readonly command: 'configuration'; readonly revision?: number }
  | { readonly command: 'revisions' }
  | { readonly command: 'check'; readonly tree: Tree }
  | {
      readonly command: 'commit';
      /** Number of the revision the candidate was made from. */
      readonly base: number;
      readonly tree: Tree;
      readonly by: string;
      readonly comment: string;
      /** Goes back by itself on both boxes after so many minutes, unless `confirm` comes. */
      readonly confirmMin?: number;
    }
  | { readonly command: 'confirm' }
  /** Commits the tree of an earlier revision as a new one. */
  | { readonly command: 'rollback'; readonly revision: number; readonly by: string }
  | { readonly command: 'reboot' }
  | { readonly command: 'poweroff' }
  | { readonly command: 'factory-reset'; readonly word: 'factory-reset' }
  /** A stream: lines of `PairLine` come; `PairAnswer` is said when a code was shown. */
  | { readonly command: 'pair' }
  | {
      readonly command: 'first-boot';
      readonly box: BoxId;
      /** The subtree `box a` or `box b`. */
      readonly own: Tree;
      /** The subtree `system`, of whoever says it first; may be empty. */
      readonly system: Tree;
      /**
       * The other shared subtrees (redundancy, vip, users, ...). With them, and with the peer's own part
       * there, revision 1 is committed for both; on the other box it is left out.
       */
      readonly shared?: Tree;
    }
  | {
      readonly command: 'image';
      readonly verb: 'status' | 'install' | 'activate' | 'confirm' | 'rollback';
      /** A file on this box. */
      readonly source?: string;
    }
  /** Certificates and prompts; `source` as for an image. */
  | { readonly command: 'files'; readonly verb: 'list' }
  | { readonly command: 'files'; readonly verb: 'install'; readonly source: string }
  | { readonly command: 'files'; readonly verb: 'delete'; readonly file: string }
  /** A file at the top of a USB stick in this box. */
  | { readonly command: 'stick'; readonly verb: 'read'; readonly file: string }
  | {
      readonly command: 'stick';
      readonly verb: 'write';
      readonly file: string;
      readonly text: string;
    }
  /** `to`: a folder, or `usb:`; without it /data/log. */
  | { readonly command: 'support-bundle'; readonly to?: string }
  /** The last lines of the journal; `match` is an expression (panel/expression.ts). */
  | { readonly command: 'log'; readonly lines: number; readonly match?: string }
  | { readonly command: 'admin'; readonly verb: 'verify'; readonly password: string }
  | {
      readonly command: 'admin';
      readonly verb: 'set';
      readonly password: string;
      /** Needed when there is one already. */
      readonly old?: string;
    }
  /** For a password that was forgotten: of the other box; `old` is that of this one. */
  | {
      readonly command: 'admin';
      readonly verb: 'set-peer';
      readonly password: string;
      readonly old: string;
    };

/** `error` is a stable code. */
export type SystemFault = {
  readonly error: string;
  readonly text: string;
  readonly faults?: readonly ConfigurationFault[];
};

export type CommitAnswer = {
  readonly ok: true;
  readonly revision: number;
  /** absent: it gets the revision when it is back. */
  readonly peer: 'committed' | 'absent';
  /** Places whose change needs a restart of the service, which follows by itself, one box at a time. */
  readonly restarts: readonly string[];
  readonly confirmBy?: Utc;
};

/** Answers by command; a `SystemFault` may stand for each. */
export type SystemAnswers = {
  readonly state: SystemState;
  readonly configuration: {
    readonly ok: true;
    readonly revision: RevisionHead;
    readonly tree: Tree;
  };
  /** The newest first; `active` is not the newest after one that went back by itself. */
  readonly revisions: {
    readonly ok: true;
    readonly revisions: readonly RevisionHead[];
    readonly active: number;
  };
  /** `peer` absent: it could not be asked. */
  readonly check: {
    readonly ok: true;
    readonly faults: readonly ConfigurationFault[];
    readonly peer: 'checked' | 'absent';
  };
  readonly commit: CommitAnswer;
  readonly confirm: { readonly ok: true; readonly revision: number };
  readonly rollback: CommitAnswer;
  readonly reboot: { readonly ok: true };
  readonly poweroff: { readonly ok: true };
  readonly 'factory-reset': { readonly ok: true };
  /** `waits`: for pairing, or for the own part of the other box; undefined: revision 1 stands. */
  readonly 'first-boot': {
    readonly ok: true;
    readonly waits?: 'pairing' | 'peer' | 'shared';
    readonly revision: number;
  };
  readonly image: { readonly ok: true } & { readonly [name: string]: unknown };
  readonly 'support-bundle': { readonly ok: true; readonly path: string; readonly bytes: number };
  /** `files` of list; `path` of what was installed, `peer`: the other box has it too. */
  readonly files: {
    readonly ok: true;
    readonly files?: readonly (SiteFile & { readonly path: string })[];
    readonly path?: string;
    readonly peer?: boolean;
  };
  /** `path` of what was written, `text` of what was read. */
  readonly stick: { readonly ok: true; readonly path?: string; readonly text?: string };
  readonly log: { readonly ok: true; readonly lines: readonly string[] };
  /** `lockedMs` > 0: nobody may try for so long. */
  readonly admin: {
    readonly ok: true;
    readonly verified: boolean;
    readonly lockedMs: number;
    readonly triesLeft: number;
  };
};

/** Lines of the stream `pair`; the last one has `ok` or `error`. */
export type PairLine =
  | { readonly say: string }
  /** To be compared with the one at the other box: six digits, as shown. */
  | { readonly code: string }
  | { readonly ok: true }
  | SystemFault;

export type PairAnswer = { readonly answer: 'y' | 'n' };
