/** What the trials of updates use: bundles, boxes in a hurry, what a box has written down of its job, what its slots are. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type BoxName, ROOT } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import type { Machine } from './machine.ts';
import type { VmPair } from './pair.ts';
import { BUNDLES, version } from './places.ts';
import { MINUTE, type Say } from './serving.ts';
import { dropIn } from './tap.ts';

/** In step for so long proves a slot; without it for so long it goes back. A minute and ten on the hardware. */
const PROVE_S = 40;
const TRIAL_S = 180;

export const HASTE: readonly string[] = [
  ...dropIn(
    'sipair-system.service~50-haste.conf',
    `[Service]\nEnvironment=SIPAIR_PROVE_MS=${PROVE_S}000 SIPAIR_TRIAL_MS=${TRIAL_S}000\n`,
  ),
  ...dropIn('sipair-trial.service~50-haste.conf', '[Service]\nEnvironment=SIPAIR_TRIAL_S=90\n'),
];

/** A USB stick with the bundles in a box; what is written on it goes with the power. */
export const STICK: readonly string[] = [
  ...['-device', 'qemu-xhci,id=usb'],
  ...['-drive', `file=${join(BUNDLES, 'stick.img')},if=none,id=stick,format=raw,snapshot=on`],
  ...['-device', 'usb-storage,bus=usb.0,drive=stick,removable=on'],
];

export function makeBundles(): void {
  const script = join(ROOT, 'test/vm/bundles.sh');
  execFileSync('nice', ['-n', '19', script, version()], { stdio: 'inherit' });
}

export type JobRecord = {
  readonly job: { readonly id: string; readonly kind: 'install' | 'switch' };
  readonly phase: string;
  readonly reason: string;
  readonly oldSlot: string;
  readonly newSlot: string;
  readonly steps: readonly { readonly at: number; readonly phase: string; readonly text: string }[];
};

/** upgrade.json of a box; undefined while it is away or has had no job. */
export async function recordOf(machine: Machine): Promise<JobRecord | undefined> {
  try {
    const { status, text } = await machine.tap.run('cat /data/image/upgrade.json', 10_000);
    return status === 0 ? (JSON.parse(text) as JobRecord) : undefined;
  } catch {
    return undefined;
  }
}

export function isOver(record: JobRecord | undefined): boolean {
  return record?.phase === 'proved' || record?.phase === 'failed';
}

/** Tells every step of a job as it is written down. */
export class Follower {
  readonly #pair: VmPair;
  readonly #say: Say;
  readonly #told = new Map<BoxName, number>();

  constructor(pair: VmPair, say: Say) {
    this.#pair = pair;
    this.#say = say;
  }

  async look(box: BoxName): Promise<JobRecord | undefined> {
    const record = await recordOf(this.#pair.machine(box));
    for (const step of record?.steps ?? []) {
      if (step.at <= (this.#told.get(box) ?? 0)) continue;
      this.#told.set(box, step.at);
      this.#say(`  ${box}: ${step.phase}: ${step.text}`);
    }
    return record;
  }

  /** Until the jobs of these boxes are over. @returns their last records. */
  async end(boxes: readonly BoxName[], patienceMs: number): Promise<readonly JobRecord[]> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const records = await Promise.all(boxes.map((box) => this.look(box)));
      // an installation is one job of both boxes; a change of slot is each one's own
      const installs = records.filter((r) => r?.job.kind === 'install');
      const ids = new Set(installs.map((r) => r?.job.id));
      if (records.every(isOver) && ids.size <= 1) return records as readonly JobRecord[];
      if (performance.now() > end) {
        throw new Error(`the job does not end: ${records.map((r) => r?.phase).join(', ')}`);
      }
      await sleep(1000);
    }
  }
}

/** The boot loader's view of the slots, in one line. */
export async function slotsOf(machine: Machine): Promise<string> {
  const show = '/usr/lib/sipair/bootenv show | head -n 5; cat /run/sipair/slot';
  const versions = 'cat /data/image/versions.json';
  return (await machine.tap.text(`${show}; ${versions}`)).replace(/\s+/g, ' ');
}

/** The box runs this slot; boot loader, RAUC and the box's own record agree that it is good and the next. */
export async function runsWell(machine: Machine, slot: string): Promise<void> {
  const { tap, box } = machine;
  const text = await tap.text('rauc status --output-format=json', 2 * MINUTE);
  const status = JSON.parse(text.slice(text.indexOf('{'))) as {
    readonly booted: string;
    readonly boot_primary: string;
  };
  const primary = await tap.text('/usr/lib/sipair/bootenv get-primary');
  const state = await tap.text(`/usr/lib/sipair/bootenv get-state ${slot}`);
  const runs = await tap.text('cat /run/sipair/slot');
  const name = slot === 'A' ? 'rootfs.0' : 'rootfs.1';
  const said = [runs, primary, state, status.booted, status.boot_primary].join(' ');
  if (said !== [slot, slot, 'good', slot, name].join(' ')) {
    throw new Error(`${box} should run well from ${slot}: ${said}`);
  }
}

/** For whoever reads why a trial failed: what the box wrote down. */
export async function lastWords(machine: Machine): Promise<string> {
  const command =
    'journalctl -b -n 60 --no-pager -o short-monotonic -u rauc -u sipair-system -u dbus';
  return await machine.tap.run(command).then(
    ({ text }) => text,
    (e: Error) => e.message,
  );
}

export function expectThat(ok: boolean, what: string): void {
  if (!ok) throw new Error(what);
}

/** A stream of numbers in [0, 1) that a seed determines. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Seed and number of power cuts: SIPAIR_VM_SEED, SIPAIR_VM_CUTS. */
export const SEED = Number(process.env['SIPAIR_VM_SEED'] ?? 1);
export const CUTS = Number(process.env['SIPAIR_VM_CUTS'] ?? 10);
