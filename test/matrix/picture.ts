/**
 * The matrix as a picture: a row a state and who acts next, a column a cause of death and transport.
 * `·` well in every seed, a digit the seeds in which it was not, `-` no such cell.
 */

import { MATRIX_TRANSPORTS } from './cells.ts';
import { DEATHS } from './faults.ts';
import { nameOf, type Played } from './play.ts';
import { ACTORS, STATES } from './states.ts';

export function picture(all: readonly Played[]): string {
  const bad = new Map<string, number>();
  for (const played of all) {
    for (const { cell, troubles } of played.verdicts) {
      const key = nameOf(cell);
      bad.set(key, (bad.get(key) ?? 0) + (troubles.length > 0 ? 1 : 0));
    }
  }
  const width = Math.max(...STATES.map((s) => s.name.length)) + 8;
  const pad = MATRIX_TRANSPORTS.length + 1;
  const lines = [
    `${' '.repeat(width)}${DEATHS.map((d) => d.name.padEnd(Math.max(pad, 10))).join(' ')}`,
    `${' '.repeat(width)}${DEATHS.map(() =>
      MATRIX_TRANSPORTS.map((t) => t[0])
        .join('')
        .padEnd(10),
    ).join(' ')}`,
  ];
  for (const state of STATES) {
    for (const actor of ACTORS) {
      if (state.next[actor] === undefined) continue;
      const columns = DEATHS.map((death) =>
        MATRIX_TRANSPORTS.map((transport) => {
          const n = bad.get(nameOf({ state, transport, death, actor }));
          return n === undefined ? '-' : n === 0 ? '·' : n > 9 ? '#' : String(n);
        })
          .join('')
          .padEnd(10),
      );
      lines.push(`${`${state.name} ${actor}`.padEnd(width)}${columns.join(' ')}`);
    }
  }
  return lines.join('\n');
}

export function summary(all: readonly Played[], realMs: number): string {
  const cells = all.reduce((n, p) => n + p.verdicts.length, 0);
  const wrong = all.reduce((n, p) => n + p.verdicts.filter((v) => v.troubles.length > 0).length, 0);
  return `${cells} cells in ${(realMs / 1000).toFixed(0)} s: ${cells - wrong} well, ${wrong} not`;
}

/** The same for the documentation: a line a state, what may come next, and how many cells went well. */
export function markdown(all: readonly Played[]): string {
  const verdicts = all.flatMap((played) => played.verdicts);
  const lines = [
    '| state | what | who acts next | cells | well |',
    '| --- | --- | --- | --- | --- |',
  ];
  for (const state of STATES) {
    const mine = verdicts.filter((v) => v.cell.state === state);
    const well = mine.filter((v) => v.troubles.length === 0).length;
    const next = ACTORS.filter((actor) => state.next[actor] !== undefined).join(', ');
    const played = mine.length === 0 ? 'not yet' : String(mine.length);
    lines.push(`| ${state.name} | ${state.about} | ${next} | ${played} | ${well} |`);
  }
  return lines.join('\n');
}
