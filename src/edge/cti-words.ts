/** What the engine thread and the thread of the programs say to each other, besides shared memory. */

import type { ProgramInput } from '../cti/terms.ts';
import type { LogLine } from '../effect.ts';
import type { Program } from '../proto/centre.ts';
import type { ServerSettings } from './cti-server.ts';

export type CtiThreadData = {
  readonly settings: ServerSettings;
  readonly standing: SharedArrayBuffer;
  readonly lease: SharedArrayBuffer;
  /** See `CELL`. */
  readonly cell: SharedArrayBuffer;
};

/** What the thread tells by shared memory: messages it has taken, connections that stand. */
export const CELL = { taken: 0, connections: 1 } as const;
export const CELL_BYTES = 8;

export type ToCti =
  | { readonly kind: 'said'; readonly items: readonly string[] }
  | { readonly kind: 'role'; readonly primary: boolean }
  | { readonly kind: 'lost' }
  /** Configured anew: who may connect. */
  | { readonly kind: 'programs'; readonly programs: readonly Program[] };

export type FromCti =
  | { readonly kind: 'asked'; readonly requests: readonly ProgramInput[] }
  | { readonly kind: 'log'; readonly line: LogLine };
