/**
 * Where everything of two virtual appliances is: names, files, addresses. LAN addresses are the lab's, so that the lab's phones
 * and crowds serve here too.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BoxName, ROOT } from '../lab/places.ts';

/** One folder for each set of machines. Root's own, 0700. */
export const MACHINES = '/tmp/sipair-vm';

export type VmPlaces = {
  readonly name: string;
  readonly dir: string;
  /** The only network namespace: LAN bridge (with the phones' addresses), crossover, taps. */
  readonly netns: string;
  readonly box: (box: BoxName) => BoxPlaces;
};

export type BoxPlaces = {
  readonly disk: string;
  readonly serial: string;
  readonly log: string;
  readonly tap: string;
  readonly monitor: string;
  /** The emulator, as processes.ts knows processes. */
  readonly pid: string;
  /** What the emulator says. */
  readonly words: string;
};

export function vmPlaces(name: string): VmPlaces {
  const dir = join(MACHINES, name);
  return {
    name,
    dir,
    netns: `sipair-vm-${name}`,
    box: (box) => ({
      disk: join(dir, `${box}.qcow2`),
      serial: join(dir, `${box}.serial`),
      log: join(dir, `${box}.log`),
      tap: join(dir, `${box}.tap`),
      monitor: join(dir, `${box}.qmp`),
      pid: join(dir, `${box}.pid`),
      words: join(dir, `${box}.words`),
    }),
  };
}

/** The version in package.json, which `./build.sh image` gives the image unless told otherwise. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

export function imageFile(of = version()): string {
  return join(ROOT, 'dist', `sipair-${of}.img`);
}

export function bundleFile(of = version()): string {
  return join(ROOT, 'dist', `sipair-${of}.raucb`);
}

/** What test/vm/bundles.sh makes. */
export type Variant = 'next' | 'stranger' | 'torn' | 'no-boot' | 'no-step' | 'no-agent';
export const BUNDLES = join(ROOT, 'build/vm-bundles');
/** Disks of pairs that are set up, by what they were set up from. */
export const SET_UP = join(ROOT, 'build/vm-disks');
