/**
 * A pair that is set up already: the operator's guide is run once for each image, and the two disks are
 * kept. Trials that are not about the first boot begin there.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BOXES, type BoxName, ROOT } from '../lab/places.ts';
import { guide, guideConsole, slowDown } from './guided.ts';
import type { MachineOptions } from './machine.ts';
import { VmPair } from './pair.ts';
import { SET_UP, version } from './places.ts';
import { slowPage } from './slow.ts';

export const PASSWORD = 'carton-to-calls';

function key(): string {
  const hash = createHash('sha256');
  for (const path of [`dist/sipair-${version()}.inputs`, 'docs/first-boot.md']) {
    hash.update(readFileSync(join(ROOT, path)));
  }
  return hash.update(slowPage()).digest('hex').slice(0, 16);
}

const diskOf = (name: string, box: BoxName): string => join(SET_UP, `${name}-${box}.qcow2`);

async function setUp(name: string, say: (text: string) => void): Promise<void> {
  const page = readFileSync(join(ROOT, 'docs/first-boot.md'), 'utf8');
  const pair = new VmPair('set-up');
  try {
    await pair.make();
    for (const box of BOXES) await pair.machine(box).start();
    await guide(pair, page.slice(0, page.indexOf('## A pair')), say);
    await slowDown(pair, say);
    for (const box of BOXES) {
      await guideConsole(pair.machine(box)).expect(/\((primary|backup), in step/, 'in step');
    }
    for (const box of BOXES) await pair.machine(box).shutDown();
    for (const old of existsSync(SET_UP) ? readdirSync(SET_UP) : []) rmSync(join(SET_UP, old));
    mkdirSync(SET_UP, { recursive: true });
    for (const box of BOXES) {
      await pair.machine(box).copyDisk(`${diskOf(name, box)}.part`);
      renameSync(`${diskOf(name, box)}.part`, diskOf(name, box));
    }
  } finally {
    await pair.remove();
  }
}

/** Two boxes that are paired, configured and without power. */
export async function pairSetUp(
  name: string,
  say: (text: string) => void,
  options: Partial<MachineOptions> = {},
): Promise<VmPair> {
  const kept = key();
  if (BOXES.some((box) => !existsSync(diskOf(kept, box)))) await setUp(kept, say);
  const pair = new VmPair(name, options);
  await pair.makeFrom((box) => diskOf(kept, box));
  return pair;
}
