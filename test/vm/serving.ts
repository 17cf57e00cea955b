/** A pair that is set up and serves, with an operator at each console and phones on its LAN: where trials begin. */

import { BOXES, type BoxName } from '../lab/places.ts';
import type { MachineOptions } from './machine.ts';
import { Operator } from './operator.ts';
import type { VmPair } from './pair.ts';
import { pairSetUp } from './set-up.ts';
import { Town } from './town.ts';

export type Say = (text: string) => void;
export const MINUTE = 60_000;

export class Serving {
  readonly pair: VmPair;
  readonly say: Say;
  readonly operators: Readonly<Record<BoxName, Operator>>;
  readonly town: Town;

  constructor(pair: VmPair, say: Say) {
    this.pair = pair;
    this.say = say;
    this.operators = { a: new Operator(pair.a), b: new Operator(pair.b) };
    this.town = new Town(pair, say);
  }

  /** Both are there, and either may fail. @returns the primary. */
  async inStep(): Promise<BoxName> {
    let primary: BoxName = 'a';
    for (const box of BOXES) {
      await this.operators[box].ready();
      const state = await this.operators[box].until(/^(primary|backup), in step/, 6 * MINUTE);
      if (state.startsWith('primary')) primary = box;
    }
    return primary;
  }

  /** This box leads, in step or alone. */
  async leads(box: BoxName): Promise<void> {
    await this.operators[box].until(/^primary/, 3 * MINUTE);
  }

  async type(box: BoxName, command: string): Promise<string> {
    await this.operators[box].ready();
    this.say(`${box} › ${command}`);
    for (let tries = 1; ; tries++) {
      const said = await this.operators[box].command(`${command} | no-more`, 5 * MINUTE);
      this.say(said);
      // a service that had no time for a question is asked once more, as a person would
      const late = command.startsWith('show ') && said.includes('control-unreachable');
      if (!late || tries === 3) return said;
    }
  }
}

/**
 * Calls are up and are made when the trial begins; the trial says when none may have been lost (`town.check`).
 * @param kind what the trial plays with: a Serving, or more than that.
 */
export async function serving<S extends Serving>(
  name: string,
  say: Say,
  kind: new (pair: VmPair, say: Say) => S,
  trial: (serving: S) => Promise<void>,
  options: Partial<MachineOptions> = {},
): Promise<void> {
  const pair = await pairSetUp(name, say, options);
  let all: S | undefined;
  try {
    for (const box of BOXES) await pair.machine(box).start();
    all = new kind(pair, say);
    const primary = await all.inStep();
    say(`in step after ${pair.b.uptimeS().toFixed(0)} s; ${primary} is primary`);
    await all.town.busy();
    await trial(all);
  } finally {
    if (all !== undefined) say(`phones: ${all.town.words()}`);
    all?.town.end();
    await pair.remove();
  }
}
