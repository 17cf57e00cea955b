/**
 * The rows of the matrix: how a state is reached, by which one act it is entered (the fault comes
 * just before that act leaves, while it is on its way, or after), and for each who may act next what
 * he does and how it must end.
 */

import type { Scene, Script } from './scene.ts';
import { CALL_STATES } from './states-calls.ts';
import { EVENT_STATES } from './states-events.ts';
import { SESSION_STATES } from './states-sessions.ts';
import { TRANSFER_STATES } from './states-transfer.ts';

/** Whoever acts next; `third` is the transfer target or the watcher. */
export const ACTORS = ['caller', 'callee', 'time', 'third'] as const;
export type Actor = (typeof ACTORS)[number];

/** What the product must be able to do for a state. */
export type Need = 'calls' | 'streams' | 'sessions' | 'transfer' | 'events';

export type State = {
  readonly name: string;
  readonly about: string;
  readonly needs: Need;
  readonly before: (s: Scene) => Script;
  readonly into: (s: Scene) => void;
  readonly next: { readonly [A in Actor]?: (s: Scene) => Script };
  /** A third phone takes part. */
  readonly three?: boolean;
  /** How long before the fault it must begin, ms. */
  readonly lead?: number;
};

export const STATES: readonly State[] = [
  ...CALL_STATES,
  ...SESSION_STATES,
  ...TRANSFER_STATES,
  ...EVENT_STATES,
];
