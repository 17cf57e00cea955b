/** Two virtual appliances with their wires: made, found again, removed. */

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { netnsExists } from '../lab/network.ts';
import { BOXES, type BoxName, other } from '../lab/places.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { makeWires, removeWires } from './network.ts';
import { imageFile, MACHINES, type VmPlaces, vmPlaces } from './places.ts';

export class VmPair {
  readonly places: VmPlaces;
  readonly a: Machine;
  readonly b: Machine;

  constructor(name: string, options: Partial<MachineOptions> = {}) {
    this.places = vmPlaces(name);
    this.a = new Machine(this.places, 'a', options);
    this.b = new Machine(this.places, 'b', options);
  }

  machine(box: BoxName): Machine {
    return this[box];
  }

  /** Folder, wires, two disks from the image; nothing has power yet. */
  async make(image = imageFile()): Promise<void> {
    if (!existsSync(image)) throw new Error(`${image} is missing: ./build.sh image`);
    await this.#wire();
    for (const box of BOXES) await this.machine(box).flash(image);
  }

  /** The same from two disks of an earlier pair (set-up.ts). */
  async makeFrom(disk: (box: BoxName) => string): Promise<void> {
    await this.#wire();
    for (const box of BOXES) await this.machine(box).flash(disk(box), 'qcow2');
  }

  async #wire(): Promise<void> {
    await this.remove();
    mkdirSync(this.places.dir, { recursive: true, mode: 0o700 });
    await makeWires(this.places);
  }

  /** The crossover is one cable: both ends lose their carrier. */
  async setCrossover(up: boolean): Promise<void> {
    for (const box of BOXES) {
      const machine = this.machine(box);
      if (machine.alive !== undefined) await machine.setLink('x', up);
    }
  }

  /** The plug of one; the other's end of the crossover loses its carrier, as with a real port without power. */
  async powerOff(box: BoxName): Promise<void> {
    await this.machine(box).powerOff();
    const peer = this.machine(other(box));
    if (peer.alive !== undefined) await peer.setLink('x', false);
  }

  async powerOn(box: BoxName): Promise<void> {
    await this.machine(box).start();
    const peer = this.machine(other(box));
    if (peer.alive !== undefined) await peer.setLink('x', true);
  }

  /** Everything that was made is gone afterwards. */
  async remove(): Promise<void> {
    for (const box of BOXES) await this.machine(box).powerOff();
    if (netnsExists(this.places.netns)) await removeWires(this.places);
    rmSync(this.places.dir, { recursive: true, force: true });
  }
}

/** The names of the pairs that are there. */
export function pairs(): string[] {
  return existsSync(MACHINES) ? readdirSync(MACHINES).sort() : [];
}
