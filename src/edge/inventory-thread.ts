/**
 * Which media the machine has, through systeminformation, which runs programs and blocks for tenths of a second: a thread of its
 * own, at the start and then rarely. How worn a medium is it cannot say here, where no device may be opened: that is told by
 * `sipair-smart.service`.
 */

import { parentPort } from 'node:worker_threads';
import { diskLayout } from 'systeminformation';

/** What kind a medium is and what its maker calls it, by its name in `/sys/block`. */
export type Inventory = { readonly [device: string]: string };

const EVERY_MS = 6 * 3_600_000;

async function look(): Promise<void> {
  const disks = await diskLayout().catch(() => []);
  const found: { [device: string]: string } = {};
  for (const { device, type, name } of disks) {
    const words = [type, name.trim()].filter((word) => word !== '');
    if (name.trim() !== '') found[device.replace('/dev/', '')] = words.join(' ');
  }
  parentPort?.postMessage(found satisfies Inventory);
}

if (parentPort !== null) {
  void look();
  setInterval(() => void look(), EVERY_MS);
}
