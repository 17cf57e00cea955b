/**
 * What NVMe and SATA media say of their wear (SMART), through systeminformation, which runs programs and
 * blocks for tenths of a second: a thread of its own, at the start and then rarely. A board without
 * smartctl, or with a medium that says nothing, gives nothing.
 */

import { parentPort } from 'node:worker_threads';
import { diskLayout } from 'systeminformation';

export type Wear = { readonly [device: string]: number };

const EVERY_MS = 6 * 3_600_000;
/** Attributes of SATA media that count down from 100: wear leveling, media wearout, life left. */
const SATA = [177, 202, 231, 233];

type Disk = Awaited<ReturnType<typeof diskLayout>>[number];

/** @returns percent of the promised life that is used. */
export function wearOf(disk: Pick<Disk, 'smartData'>): number | undefined {
  const { smartData } = disk;
  const used: unknown = smartData?.nvme_smart_health_information_log?.percentage_used;
  if (typeof used === 'number') return Math.min(100, used);
  const left = smartData?.ata_smart_attributes?.table?.find((row) => SATA.includes(row.id))?.value;
  return typeof left === 'number' ? Math.max(0, 100 - left) : undefined;
}

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
