/** What soak and stress have in common: one scene, one play on it, and how its end is told. */

import process from 'node:process';
import { messageOf } from '../lab/control.ts';
import { removeLab } from '../lab/lab.ts';
import { BOXES } from '../lab/places.ts';
import { lastLines } from '../lab/processes.ts';
import { Scene } from './scene.ts';

/** Lines of each box's log that are shown when something went wrong. */
const SHOWN = 25;

/**
 * Makes the scene, plays, and takes the scene down whatever happens.
 * @param play gives what went wrong, a sentence each. @param good what is said when nothing did.
 * @returns the exit code.
 */
export async function playOn(
  verb: string,
  settings: { readonly standing: number; readonly rate: number },
  good: string,
  play: (scene: Scene) => Promise<string[]>,
): Promise<number> {
  const name = `${verb}-${process.pid}`;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void removeLab(name).finally(() => process.exit(130)));
  }
  const scene = await Scene.make(name, settings);
  let wrong: string[];
  try {
    wrong = await play(scene).catch((error: unknown) => [messageOf(error)]);
    if (wrong.length > 0) {
      for (const box of BOXES) {
        console.log(`last lines of box ${box}:`);
        console.log(lastLines(scene.lab.places.log(box), SHOWN).join('\n'));
      }
    }
  } finally {
    await scene.end();
  }
  for (const text of wrong) console.error(`${verb}: WRONG: ${text}`);
  console.log(`${verb}: ${wrong.length === 0 ? good : 'broken'}`);
  return wrong.length === 0 ? 0 : 1;
}
