/**
 * What the world wants from the program on a box: two machines that are stepped. The product's own
 * are bound to this in product.ts; the world's tests bind small fakes.
 */

import type { Chance } from '../../src/base/chance.ts';
import type { Mono } from '../../src/base/units.ts';
import type { EngineEffects } from '../../src/effect.ts';
import type { EngineInput } from '../../src/input.ts';
import type { Loaded } from '../../src/ledger/disk.ts';
import type { Role, SentryEffect, SentryInput, Standing } from '../../src/pair/terms.ts';

/** What the picture of a run shows of a box. */
export type Facts = {
  readonly epoch: number;
  readonly lsn: number;
  readonly held: number;
  readonly calls: number;
};

export type EngineProgram = {
  step(now: Mono, lease: Mono, inputs: readonly EngineInput[], out: EngineEffects): void;
  deadline(): Mono;
  readonly standing: Standing;
  /** It serves; a fake serves no programs. */
  readonly leads?: boolean;
  facts(): Facts;
};

export type SentryProgram = {
  step(now: Mono, inputs: readonly SentryInput[], out: SentryEffect[]): void;
  deadline(): Mono;
  role(): Role;
};

/** Makes the program of a box: at every start of its process. */
export type Program = {
  readonly engine: (loaded: Loaded, chance: Chance, now: Mono) => EngineProgram;
  readonly sentry: (standing: Standing, chance: Chance, now: Mono) => SentryProgram;
};
