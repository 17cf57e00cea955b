/**
 * A lab: two boxes, a LAN and a crossover in network namespaces of this machine. `createLab` makes
 * one; the `Lab` it gives does everything that `./build.sh lab` can do. Tests drive it the same way:
 *
 *     const lab = await createLab({ name: labName('rejoin') });
 *     t.teardown(() => lab.down());
 *     await lab.kill('a');
 */

import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { makeNetwork, netnsOf } from './network.ts';
import { BOXES, LABS, nameFault, type Places, placesOf } from './places.ts';
import { self } from './processes.ts';
import { removeLab } from './removal.ts';
import { Lab } from './running.ts';
import { readSettings, type Settings, writeConfig, writeSettings } from './settings.ts';

export { type Answer, type BoxStatus, messageOf, statusOf } from './control.ts';
export { FAULTS, type FaultName } from './faults.ts';
export { removeLab, removeStale } from './removal.ts';
export { type BoxView, Lab, type LabStatus } from './running.ts';
export { isStale, labNames } from './settings.ts';

export type LabOptions = {
  readonly name: string;
  readonly redundancy?: 'hot-standby' | 'warm-standby';
  /** Digest authentication, password `pw-<number>`. */
  readonly auth?: boolean;
  /** IPv6 on the LAN, and an IPv6 address beside the VIP. */
  readonly ipv6?: boolean;
  /** What else stands in the configuration of both boxes, over what a lab says itself. */
  readonly config?: { readonly [name: string]: unknown };
  /** Demo phones that register and call each other all the time. */
  readonly phones?: number;
  /** Only wires and hosts; no box is started. */
  readonly idle?: boolean;
  /** False: do not wait until both boxes are up and, in hot standby, in step. */
  readonly wait?: boolean;
  /** How long to wait for that, ms. */
  readonly waitMs?: number;
  /** An executable run as `PROGRAM serve --config FILE` instead of this repository's sources. */
  readonly program?: string;
  /** False: the lab may outlive this process. Otherwise `removeStale` removes it then. */
  readonly owned?: boolean;
  readonly say?: (line: string) => void;
};

/** A name that no other process uses: for tests. */
export function labName(what: string): string {
  return `t${process.pid}-${what}`;
}

/** Makes a lab and starts both boxes. Rejects with the cause, and then nothing is left of it. */
export async function createLab(options: LabOptions): Promise<Lab> {
  const say = options.say ?? (() => {});
  const places = placesOf(options.name);
  const settings: Settings = {
    redundancy: options.redundancy ?? 'hot-standby',
    auth: options.auth ?? false,
    ipv6: options.ipv6 ?? false,
    config: options.config ?? {},
    program: options.program ?? null,
    owner: options.owned === false ? null : self(),
  };
  takeName(places);
  try {
    writeSettings(places, settings);
    say(`lab ${places.name}: ${places.dir}, network namespaces ${places.name}-{a,b,lan,sw}`);
    await makeNetwork(places, settings);
    const key = randomBytes(32).toString('hex');
    for (const box of BOXES) writeConfig(places, settings, box, key);
    const lab = new Lab(places, settings, say);
    if (options.idle === true) return lab;
    for (const box of BOXES) await lab.start(box, { wait: false });
    if (options.wait !== false) await lab.ready(options.waitMs);
    if ((options.phones ?? 0) > 0) await lab.startPhones(options.phones ?? 0);
    return lab;
  } catch (error) {
    await removeLab(options.name);
    throw error;
  }
}

/** The lab of this name. Throws, saying what to do, when there is none. */
export function openLab(name: string, say: (line: string) => void = () => {}): Lab {
  const fault = nameFault(name);
  if (fault !== undefined) throw new Error(fault);
  const places = placesOf(name);
  const settings = readSettings(places);
  if (settings === undefined) {
    throw new Error(`there is no lab "${name}"; make it: ./build.sh lab up --name ${name}`);
  }
  return new Lab(places, settings, say);
}

/** Makes the directory, which is the claim to the name; refuses a name in use. */
function takeName(places: Places): void {
  const fault = nameFault(places.name);
  if (fault !== undefined) throw new Error(fault);
  if (process.getuid?.() !== 0) throw new Error('a lab needs root: it makes network namespaces');
  const undo = `./build.sh lab down --name ${places.name}`;
  const left = netnsOf(places);
  if (left.length > 0 && !existsSync(places.dir)) {
    throw new Error(`network namespaces ${left.join(', ')} are left over; remove them: ${undo}`);
  }
  mkdirSync(LABS, { recursive: true, mode: 0o700 });
  const stat = lstatSync(LABS);
  if (!stat.isDirectory() || stat.uid !== 0) throw new Error(`${LABS} is not root's directory`);
  try {
    mkdirSync(places.dir, { mode: 0o700 });
  } catch {
    throw new Error(`a lab "${places.name}" exists already; take it down first: ${undo}`);
  }
}
