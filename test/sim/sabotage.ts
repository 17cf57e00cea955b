/** What saboteurs are made of: a narrow swarm, and hands inside the boxes of one world. */

import type { TableSpec } from '../../src/base/row.ts';
import type { EngineEffects } from '../../src/effect.ts';
import type { EngineInput } from '../../src/input.ts';
import type { Box } from '../world/box.ts';
import type { FaultKind, Options } from '../world/options.ts';
import { ProductEngine } from '../world/product.ts';
import type { World } from '../world/world.ts';

export type Saboteur = {
  readonly name: string;
  /** The oracle that must turn red. */
  readonly oracle: string;
  readonly about: string;
  readonly adjust: (drawn: Options) => Options;
  readonly sabotage: (world: World) => void;
};

/** A swarm of these faults, often, struck into the middle of things; busy phones. */
export function swarm(
  kinds: readonly FaultKind[],
  more: Partial<Options> = {},
): (drawn: Options) => Options {
  return (drawn) => ({
    ...drawn,
    phones: 8,
    kinds,
    faultGap: 2000,
    aimed: 1,
    repair: [300, 1500],
    safetyMs: 20_000,
    centre: undefined,
    mix: { ...drawn.mix, gap: 400, ring: [30, 300], talk: [1000, 12_000], endless: 0.3 },
    ...more,
  });
}

/** Calls `change` once for every new life of a box's engine. */
export function everyLife(world: World, change: (box: Box, engine: ProductEngine) => void): void {
  const seen = new Set<unknown>();
  after(world, (box) => {
    const engine = box.process?.engine;
    if (!(engine instanceof ProductEngine) || seen.has(engine)) return;
    seen.add(engine);
    change(box, engine);
  });
}

export function after(world: World, act: (box: Box, who: 'engine' | 'sentry') => void): void {
  const before = world.afterStep;
  world.afterStep = (box, who) => {
    before(box, who);
    act(box, who);
  };
}

/** Wraps `step` of every engine: `edit` sees the effects before the world does. */
export function editEffects(
  world: World,
  edit: (box: Box, engine: ProductEngine, out: EngineEffects) => void,
): void {
  everyLife(world, (box, engine) => {
    const step = engine.step.bind(engine);
    engine.step = (now: number, lease: number, inputs: readonly EngineInput[], out) => {
      step(now, lease, inputs, out);
      edit(box, engine, out);
    };
  });
}

/** A backup in step passes over the records of one table. */
export function dropFromMirror(world: World, spec: TableSpec): void {
  everyLife(world, (box, engine) => {
    const table = engine.engine.ledger.tables.of(spec);
    const add = table.add.bind(table);
    table.add = (row) => {
      if (box.state !== 'backup' || !world.inStep()) add(row);
    };
  });
}

/** Busy programs whose primary is taken away every second or two, in every way there is. */
export const PROGRAMS_SWARM: (drawn: Options) => Options = (drawn) =>
  swarm(['kill-primary', 'power-primary', 'freeze-primary', 'switchover'], {
    centre: drawn.centre ?? { programs: 3, phones: 6, gapMs: 100, callGapMs: 2000 },
    phones: 3,
    faultGap: 1200,
    safetyMs: 30_000,
  })(drawn);
