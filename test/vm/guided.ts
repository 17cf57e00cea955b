/**
 * A page of the operator's guide at the serial consoles of two virtual appliances: what it says is seen
 * and typed there.
 */

import { type GuideConsole, runGuide } from '../console/guide.ts';
import { BOXES } from '../lab/places.ts';
import type { Machine } from './machine.ts';
import type { VmPair } from './pair.ts';
import { slowPage } from './slow.ts';

/** Emulated, beside whatever else the machine does. */
const PATIENCE_MS = 240_000;
/** How long a person looks at a prompt before pressing Enter to see it anew. */
const GLANCE_MS = 5000;

export function guideConsole(machine: Machine, patienceMs = PATIENCE_MS): GuideConsole {
  return {
    async expect(what, name) {
      const end = performance.now() + patienceMs;
      for (;;) {
        try {
          return await machine.waitFor(what, GLANCE_MS);
        } catch (e) {
          if (performance.now() > end) throw new Error(`${name}: ${(e as Error).message}`);
          // at the prompt of the command line, and nowhere else, Enter changes nothing
          if (/\)> $/.test(machine.transcript())) machine.type('\r');
        }
      }
    },
    type(text) {
      machine.type(text === '^C' ? '\x03' : `${text}\r`);
      return Promise.resolve();
    },
  };
}

export async function guide(
  pair: VmPair,
  page: string,
  say: (text: string) => void,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const consoles = new Map(
    BOXES.map((box) => [box as string, guideConsole(pair.machine(box), patienceMs)]),
  );
  await runGuide(page, consoles, say);
}

/** After the first boot: the first configuration is active some seconds after the boxes are paired; then the long times are set. */
export async function slowDown(pair: VmPair, say: (text: string) => void): Promise<void> {
  await guideConsole(pair.a).expect(/\((primary|backup|starting,)[^)]*\)> /, 'box a is configured');
  pair.a.type('\r');
  await guide(pair, slowPage(), say);
}
