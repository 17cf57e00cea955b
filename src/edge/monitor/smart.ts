/**
 * How worn an NVMe or SATA medium is, by what it says of itself (SMART), as `smartctl --json` writes it. The number of an attribute
 * of SATA is not enough: 202 and 233 mean something else on some media. What it is called comes from smartctl's own list of drives.
 */

export type Smart = { readonly device: string; readonly wear: number | undefined };

/** Attributes that count down from 100 to 0. */
const LEFT =
  /^(?:Wear_Leveling_Count|Media_Wearout_Indicator|SSD_Life_Left|Percent_Lifetime_Remain|Percent_Life_Remaining|Remaining_Lifetime_Perc)$/;
/** Of the statistics that ACS-3 defines: what counts up. */
const USED = 'Percentage Used Endurance Indicator';

type Said = {
  readonly device?: { readonly name?: unknown };
  readonly rotation_rate?: unknown;
  readonly nvme_smart_health_information_log?: { readonly percentage_used?: unknown };
  readonly ata_device_statistics?: {
    readonly pages?: readonly {
      readonly table?: readonly {
        readonly name?: unknown;
        readonly value?: unknown;
        readonly flags?: { readonly valid?: unknown };
      }[];
    }[];
  };
  readonly ata_smart_attributes?: {
    readonly table?: readonly { readonly name?: unknown; readonly value?: unknown }[];
  };
};

/** @returns undefined for what is no answer of smartctl. */
export function smartOf(text: string): Smart | undefined {
  let said: Said;
  try {
    said = JSON.parse(text) as Said;
    const name = said?.device?.name;
    if (typeof name !== 'string') return undefined;
    return { device: name.replace('/dev/', ''), wear: wearOf(said) };
  } catch {
    return undefined;
  }
}

/** @returns percent of the promised life that is used: what the standards define before what makers do. */
function wearOf(said: Said): number | undefined {
  const used = said.nvme_smart_health_information_log?.percentage_used ?? endurance(said);
  if (typeof used === 'number') return within(used);
  // the plates of a disk do not wear
  if (said.rotation_rate !== 0) return undefined;
  const left = said.ata_smart_attributes?.table?.find(({ name }) => LEFT.test(String(name)))?.value;
  return typeof left === 'number' ? within(100 - left) : undefined;
}

function endurance({ ata_device_statistics: all }: Said): unknown {
  const rows = all?.pages?.flatMap(({ table }) => table ?? []);
  return rows?.find(({ name, flags }) => name === USED && flags?.valid !== false)?.value;
}

/** A medium may outlive what was promised, and one that is new may say a little more than 100. */
function within(percent: number): number {
  return Math.min(100, Math.max(0, percent));
}
