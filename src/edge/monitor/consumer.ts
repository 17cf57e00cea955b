/**
 * Who is told the state of the box: lamps, SNMP, metrics, syslog. Each is made once, is given every new
 * state, and must not wait in `update`: it takes what it needs and returns. One that throws is
 * logged and told the next state all the same; it never stops the others.
 */

import type { BoxStatus, StatusChange } from '../../panel/monitor/box-status.ts';

/** The subtree `system` of the active configuration: `{}` before there is one. */
export type SystemTree = { readonly [name: string]: unknown };

export type ConsumerContext = {
  /** All paths hang off it; `/` on a box. */
  readonly root: string;
  /** "sipair 0.1.0" */
  readonly release: string;
  readonly system: SystemTree;
  readonly log: (level: 'info' | 'warning' | 'alarm', text: string) => void;
  /** One request to the daemon; an unreachable one is an answer with `error`. */
  readonly askDaemon: (request: object) => Promise<object>;
};

export interface Consumer {
  /**
   * At least once a second, and at once when something changed. `changes` may be empty; every change is
   * told once.
   */
  update(status: BoxStatus, changes: readonly StatusChange[]): void;
  /** The configuration was changed: the new subtree `system`. */
  configure?(system: SystemTree): void;
  close(): void;
}

/** A consumer of the list in consumers.ts: add one line there. */
export type ConsumerMaker = {
  readonly name: string;
  readonly make: (context: ConsumerContext) => Consumer;
};
