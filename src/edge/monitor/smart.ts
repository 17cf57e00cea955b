/** How worn an NVMe or SATA medium is, by what it says of itself (SMART). */

import type { Systeminformation } from 'systeminformation';

/** Attributes of SATA media that count down from 100: wear leveling, media wearout, life left. */
const SATA = [177, 202, 231, 233];

type Disk = Systeminformation.DiskLayoutData;

/** @returns percent of the promised life that is used. */
export function wearOf(disk: Pick<Disk, 'smartData'>): number | undefined {
  const { smartData } = disk;
  const used: unknown = smartData?.nvme_smart_health_information_log?.percentage_used;
  if (typeof used === 'number') return Math.min(100, used);
  const left = smartData?.ata_smart_attributes?.table?.find((row) => SATA.includes(row.id))?.value;
  return typeof left === 'number' ? Math.max(0, 100 - left) : undefined;
}
