/**
 * What NVMe and SATA media say of their wear (SMART), through systeminformation, which runs programs and
 * blocks for tenths of a second: a thread of its own, at the start and then rarely. A board without
 * smartctl, or with a medium that says nothing, gives nothing.
 */

import { parentPort } from 'node:worker_threads';
import { diskLayout } from 'systeminformation';
import { wearOf } from './smart.ts';

export type Wear = { readonly [device: string]: number };

const EVERY_MS = 6 * 3_600_000;
async function look(): Promise<void> {
  const disks = await diskLayout().catch(() => []);
  const wear: { [device: string]: number } = {};
  for (const disk of disks) {
    const percent = wearOf(disk);
    if (percent !== undefined) wear[disk.device.replace('/dev/', '')] = percent;
  }
  parentPort?.postMessage(wear satisfies Wear);
}

if (parentPort !== null) {
  void look();
  setInterval(() => void look(), EVERY_MS);
}
