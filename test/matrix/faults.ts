/** Who dies, how, and how it comes back. One fault a world; every cell in it feels the same one. */

import type { Dice } from '../world/dice.ts';
import type { World } from '../world/world.ts';

export type Death = {
  readonly name: string;
  readonly about: string;
  readonly strike: (world: World, dice: Dice) => void;
};

export const DEATHS: readonly Death[] = [
  {
    // what the other columns are measured by
    name: 'nobody',
    about: 'no fault',
    strike: () => {},
  },
  {
    name: 'kill',
    about: 'kill -9 of the primary',
    strike(world, dice) {
      const box = primary(world);
      box.kill();
      world.queue.after(dice.between(1500, 5000), () => box.start());
    },
  },
  {
    name: 'power',
    about: 'power cut at the primary',
    strike(world, dice) {
      const box = primary(world);
      box.powerOff();
      world.queue.after(dice.between(2500, 6000), () => {
        box.powerOn();
        box.start();
      });
    },
  },
  {
    name: 'freeze',
    about: 'the primary is frozen, and wakes up later',
    strike(world, dice) {
      const box = primary(world);
      box.freeze();
      world.queue.after(dice.between(4500, 7000), () => box.thaw());
    },
  },
  {
    name: 'planned',
    about: 'planned switchover',
    strike(world) {
      const box = primary(world);
      box.operate({ kind: 'switchover', force: false }, (ok, text) => {
        if (!ok) world.violate('matrix', `the switchover was refused: ${text}`);
      });
    },
  },
  {
    name: 'backup',
    about: 'kill -9 of the backup',
    strike(world, dice) {
      const box = world.backup();
      if (box === undefined) throw new Error('no backup to kill');
      box.kill();
      world.queue.after(dice.between(1500, 5000), () => box.start());
    },
  },
  {
    name: 'crossover',
    about: 'the crossover is cut, and healed later',
    strike(world, dice) {
      world.cable.cut();
      world.queue.after(dice.between(2000, 6000), () => world.cable.heal());
    },
  },
];

function primary(world: World) {
  const box = world.primary();
  if (box === undefined) throw new Error('no primary to strike');
  return box;
}
