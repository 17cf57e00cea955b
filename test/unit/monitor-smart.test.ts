/**
 * Wear of NVMe and SATA media: what smartctl 7 says of some that are sold (their attributes, without what does not matter here, and
 * another wear where theirs is none), the script that asks, and the monitor that reads it.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { HealthReader } from '../../src/edge/monitor/health.ts';
import { smartOf } from '../../src/edge/monitor/smart.ts';
import { render } from '../../src/panel/show/index.ts';
import { ROOT } from '../lab/places.ts';
import { HEALTH } from './monitor-kit.ts';
import { AT, boxOf } from './status-scenes.ts';

function nvme(name: string, used: number): object {
  return {
    device: { info_name: name, name, protocol: 'NVMe', type: 'nvme' },
    model_name: 'Samsung SSD 970 EVO Plus 250GB',
    nvme_smart_health_information_log: {
      ...{ available_spare: 100, available_spare_threshold: 10, critical_warning: 0 },
      ...{ percentage_used: used, power_on_hours: 3149, temperature: 35 },
    },
    smart_status: { nvme: { value: 0 }, passed: true },
    smartctl: { exit_status: 0, version: [7, 3] },
  };
}

type Row = readonly [id: number, name: string, value: number, raw: number];

function sata(model: string, rotation: number, rows: readonly Row[], more: object = {}): object {
  return {
    ata_smart_attributes: {
      revision: 1,
      table: rows.map(([id, name, value, raw]) => ({
        ...{ id, name, value, worst: value, thresh: 0, when_failed: '' },
        raw: { string: `${raw}`, value: raw },
      })),
    },
    device: { info_name: '/dev/sda [SAT]', name: '/dev/sda', protocol: 'ATA', type: 'sat' },
    ...{ model_name: model, rotation_rate: rotation, smart_status: { passed: true } },
    smartctl: { exit_status: 0, version: [7, 3] },
    ...more,
  };
}

const SAMSUNG: readonly Row[] = [
  [5, 'Reallocated_Sector_Ct', 100, 0],
  [9, 'Power_On_Hours', 83, 84_619],
  [177, 'Wear_Leveling_Count', 91, 1661],
  [202, 'Exception_Mode_Status', 100, 0],
  [241, 'Total_LBAs_Written', 99, 216_456_537_880],
];
const INTEL_OF_DELL: readonly Row[] = [
  [202, 'End_of_Life', 100, 0],
  [233, 'Total_LBAs_Written', 100, 129_493],
  [245, 'Percent_Life_Remaining', 77, 77],
];
const DISK: readonly Row[] = [
  [1, 'Raw_Read_Error_Rate', 200, 0],
  [202, 'Data_Address_Mark_Errs', 100, 0],
];
/** `--log=devstat`. */
const STATISTICS = {
  ata_device_statistics: {
    pages: [
      { number: 1, name: 'General Statistics', table: [{ name: 'Power-on Hours', value: 50 }] },
      {
        ...{ number: 7, name: 'Solid State Device Statistics', revision: 1 },
        table: [
          {
            ...{ offset: 8, name: 'Percentage Used Endurance Indicator', size: 1, value: 8 },
            flags: { value: 192, string: 'N--', valid: true, normalized: true },
          },
        ],
      },
    ],
  },
};

test('NVMe says it itself, SATA by the standard or by an attribute of that name', (t) => {
  const wear = (said: object): number | undefined => smartOf(JSON.stringify(said))?.wear;
  t.deepEqual(smartOf(JSON.stringify(nvme('/dev/nvme0n1', 7))), { device: 'nvme0n1', wear: 7 });
  t.is(wear(nvme('/dev/nvme0', 255)), 100, 'more than was promised');
  t.is(wear(sata('SAMSUNG MZ7WD240HAFV-00003', 0, SAMSUNG)), 9);
  t.is(wear(sata('SSDSCKJB240G7R', 0, INTEL_OF_DELL)), 23, 'neither 202 nor 233 is wear here');
  t.is(wear(sata('SAMSUNG MZ7WD240HAFV-00003', 0, SAMSUNG, STATISTICS)), 8);
  t.is(wear(sata('WDC WD20EFRX-68EUZN0', 5400, DISK)), undefined);
});

test('what is no answer is none', (t) => {
  const refused = {
    smartctl: {
      ...{ version: [7, 3], exit_status: 2 },
      messages: [{ string: 'Smartctl open device: /dev/sda failed', severity: 'error' }],
    },
  };
  for (const text of ['', '{', '[]', 'null', '7', '{"device":{}}', JSON.stringify(refused)]) {
    t.is(smartOf(text), undefined, text);
  }
  const name = '/dev/sda';
  for (const odd of [{ ata_smart_attributes: 7 }, { ata_device_statistics: { pages: 7 } }]) {
    t.is(smartOf(JSON.stringify({ device: { name }, rotation_rate: 0, ...odd }))?.wear, undefined);
  }
});

function box(t: ExecutionContext, files: { readonly [path: string]: string }): string {
  const root = mkdtempSync(join(tmpdir(), 'sipair-smart-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o755 });
  }
  return root;
}

/** @returns what smartctl was asked. */
function asked(root: string): string {
  const script = readFileSync(join(ROOT, 'image/root/usr/lib/sipair/smart'), 'utf8');
  const PATH = `${join(root, 'bin')}:${process.env['PATH']}`;
  const here = script.replaceAll('/run/sipair/', `${join(root, 'run/sipair')}/`);
  const end = spawnSync('bash', ['-c', here], { encoding: 'utf8', env: { ...process.env, PATH } });
  return `${end.status} ${end.stderr}`.trim();
}

test('the medium of the box is asked, and the monitor reads the answer', async (t) => {
  const answer = JSON.stringify(nvme('/dev/nvme0n1', 83));
  const root = box(t, {
    'run/sipair/disk': 'nvme0n1\n',
    // of its exit code most bits are about the health of the medium
    'bin/smartctl': `#!/bin/sh\necho "$@" >&2\necho '${answer}'\nexit 8\n`,
    'proc/self/mountinfo': '31 22 259:6 / /data rw,noatime - ext4 /dev/nvme0n1p6 rw\n',
    'sys/block/nvme0n1/nvme0n1p6/partition': '6\n',
    'data/x': '',
  });
  mkdirSync(join(root, 'sys/dev/block'), { recursive: true });
  symlinkSync('../../block/nvme0n1/nvme0n1p6', join(root, 'sys/dev/block/259:6'));
  const reader = new HealthReader(root);
  await reader.readSlow();
  t.is((await reader.read()).storage.wearPercent, undefined, 'not asked yet');

  t.is(asked(root), '0 --json --info --health --attributes --log=devstat /dev/nvme0n1');
  await reader.readSlow();
  reader.found({ nvme0n1: 'NVMe Samsung SSD 970 EVO Plus 250GB', sdb: 'SSD of somebody else' });
  const { storage } = await reader.read();
  t.like(storage, { device: 'nvme0n1', wearPercent: 83 });
  t.is(storage.medium, 'NVMe Samsung SSD 970 EVO Plus 250GB');
  const shown = render('system', boxOf({ health: { ...HEALTH, storage } }), {
    width: 200,
    now: AT,
  });
  t.regex(shown.join('\n'), /on nvme0n1 \(NVMe Samsung SSD 970 EVO Plus 250GB\)/);
  t.regex(shown.join('\n'), /83% worn/);
});

test('a virtual disk and eMMC are not asked', (t) => {
  for (const disk of ['vda', 'mmcblk0']) {
    const root = box(t, {
      'run/sipair/disk': `${disk}\n`,
      'bin/smartctl': '#!/bin/sh\necho "$@" >&2\n',
    });
    t.is(asked(root), '0');
  }
});
