/** Which cells there are: states × transports × deaths × actors, less what the product cannot yet. */

import type { Transport } from '../../src/base/peer.ts';
import { DEATHS } from './faults.ts';
import type { Cell } from './play.ts';
import { ACTORS, type Need, STATES } from './states.ts';

export const MATRIX_TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls', 'ws'];

/** What the product can. */
export const ON: { readonly [N in Need]: boolean } = {
  calls: true,
  streams: true,
  sessions: true,
  transfer: true,
  events: true,
};

function isOn(cell: Cell): boolean {
  return ON[cell.state.needs] && (cell.transport === 'udp' || ON.streams);
}

/** Every cell, those too that are not on. */
export function allCells(): Cell[] {
  return DEATHS.flatMap((death) =>
    STATES.flatMap((state) =>
      MATRIX_TRANSPORTS.flatMap((transport) =>
        ACTORS.filter((actor) => state.next[actor] !== undefined).map((actor) => ({
          state,
          transport,
          death,
          actor,
        })),
      ),
    ),
  );
}

/** A world does not hold more: extensions and addresses are given out by place. */
const AT_ONCE = 330;

/** @returns the cells that are on, in groups that share a world. */
export function chosen(only: string): Cell[][] | string {
  const wanted = new Map<string, string>();
  for (const pair of only === '' ? [] : only.split(',')) {
    const [key = '', value = ''] = pair.split('=');
    if (!['state', 'transport', 'died', 'next'].includes(key)) return `no ${key} to choose by`;
    wanted.set(key, value);
  }
  const fits = (cell: Cell): boolean =>
    (wanted.get('state') ?? cell.state.name) === cell.state.name &&
    (wanted.get('transport') ?? cell.transport) === cell.transport &&
    (wanted.get('died') ?? cell.death.name) === cell.death.name &&
    (wanted.get('next') ?? cell.actor) === cell.actor;
  const cells = allCells().filter((cell) => isOn(cell) && fits(cell));
  if (cells.length === 0) return 'no cell fits, or none that is on';
  const groups: Cell[][] = [];
  for (const death of DEATHS) {
    const dying = cells.filter((cell) => cell.death === death);
    for (let i = 0; i < dying.length; i += AT_ONCE) groups.push(dying.slice(i, i + AT_ONCE));
  }
  return groups;
}

/** What is not on, a line each; nothing is left out without a word. */
export function notYet(): string[] {
  const cells = allCells();
  return (Object.keys(ON) as Need[])
    .filter((need) => !ON[need])
    .map((need) => {
      const off = cells.filter(
        (c) => c.state.needs === need || (need === 'streams' && c.transport !== 'udp'),
      );
      return `not yet: ${need}, ${off.length} cells`;
    });
}
