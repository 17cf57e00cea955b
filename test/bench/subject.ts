/** A pair under test, as the bench sees it. */

import type { Daemon } from './daemon.ts';

export type Boxes = { readonly primary: Daemon; readonly backup: Daemon | undefined };

export interface Subject {
  readonly name: 'sipair' | 'kamailio';
  /** Namespace of the generator. */
  readonly lan: string;
  /** Whether callees must register before they can be called. */
  readonly registrar: boolean;
  /** Resolves when the pair takes calls and, if it has a backup, mirrors them. */
  start(): Promise<void>;
  /** Which box is which now. Rejects when nobody serves. */
  boxes(): Promise<Boxes>;
  /**
   * Looks whether the backup holds `calls` calls that are up now, so that nobody measures a pair
   * that does not mirror. @returns one sentence for the report. Rejects when it does not.
   */
  proveMirror(calls: number): Promise<string>;
  /** How often the primary has gone on without its backup since the start. */
  lapses(): Promise<number>;
  /** Memory of a box in megabytes. */
  memory(daemon: Daemon): Promise<number>;
  stop(): Promise<void>;
}
