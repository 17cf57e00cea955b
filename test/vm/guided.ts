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
  let typed = '';
  let from = 0;
  return {
    async expect(what, name) {
      const end = performance.now() + patienceMs;
      for (;;) {
        try {
          return await machine.waitFor(what, GLANCE_MS);
        } catch (e) {
          if (performance.now() > end) throw new Error(`${name}: ${(e as Error).message}`);
          // at the prompt of the command line, and nowhere else, Enter changes nothing
          const said = machine.transcript();
          if (!/\)> $/.test(said)) continue;
          // a service that had no time for it is asked once more, as a person would
          const again = said.slice(from).includes('control-unreachable') ? typed : '';
          from = said.length;
          machine.type(`${again}\r`);
        }
      }
    },
    type(text) {
      typed = text;
      from = machine.transcript().length;
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

/**
 * After the first boot the service starts, and an emulated processor has time for nothing else; then the long times are set.
 */
export async function slowDown(pair: VmPair, say: (text: string) => void): Promise<void> {
  for (const box of BOXES) {
    const console = guideConsole(pair.machine(box));
    await console.expect(/\((primary|backup), in step[^)]*\)> /, `box ${box} is in step`);
    await answers(pair.machine(box));
  }
  pair.a.type('\r');
  await guide(pair, slowPage(), say);
}

/** Until the system agent has time for a question, which a person asks again. */
async function answers(machine: Machine): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    machine.type('show configuration vip\r');
    const [, said] = await machine.waitFor(/vip\s+([\s\S]*?)\)> $/, PATIENCE_MS);
    if (said?.includes('192.0.2.10') === true) return;
    if (performance.now() > end) throw new Error(`box ${machine.box} says ${said}`);
  }
}
