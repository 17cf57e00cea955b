/**
 * Slots and bundles of a box: the only code that knows RAUC and the boot loader's environment.
 *
 *   what is asked                 who does it
 *   signature, version            rauc info (the keyring is in the image)
 *   into the other slot           rauc install: the service behind it checks the signature once more,
 *                                 calls the slot bad and writes; it may outlive us, and then the slot stays bad
 *   which slot is next, good, bad /usr/lib/sipair/bootenv
 *   which version is in a slot    a file of ours: a slot that was flashed is in no list of RAUC's
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statfsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Booted,
  type Bundle,
  OTHER_SLOT,
  type Slot,
  type SlotView,
} from '../../panel/system/upgrade-terms.ts';
import { troubleOf } from '../disk-trouble.ts';
import { makeFolder, type Places, readJson, writeWhole } from './files.ts';
import { bring } from './image-source.ts';

/** '' or why not, with a code where the operator is told it: `image-signature: ...`. */
export type Fault = string;

export type Images = {
  readonly booted: Booted;
  /** Version of what runs. */
  readonly release: string;
  readonly slots: () => Promise<readonly SlotView[]>;
  /** Copies a bundle to the data partition and checks it. */
  readonly take: (source: string) => Promise<Bundle | Fault>;
  /** Bytes that a bundle may have. */
  readonly room: () => number;
  /** Where a bundle from the other box is written to. */
  readonly incoming: () => string;
  /** Checks what was written there and keeps it. */
  readonly verify: (digest: string) => Promise<Fault>;
  /** The bundle that is kept. */
  readonly path: string;
  readonly install: () => Promise<Fault>;
  readonly activate: (slot: Slot) => Promise<Fault>;
  readonly markGood: () => Promise<Fault>;
  readonly fallBack: (slot: Slot) => Promise<Fault>;
  readonly drop: () => Promise<Fault>;
};

/** How a program ended. */
export type Ran = { readonly code: number; readonly out: string; readonly err: string };
export type Run = (program: string, args: readonly string[], limitMs: number) => Promise<Ran>;

const COMPATIBLE = 'sipair-appliance';
const SHORT_MS = 30_000;
/** So often the boot loader starts a slot that is not marked good meanwhile (`image/grub.cfg`). */
const STARTS = { trial: 3, proved: 12 } as const;
/** A slow medium takes minutes. */
const INSTALL_MS = 15 * 60_000;
/** RAUC is at something else, an installation that an earlier agent began: asked again after, ms. */
const BUSY_MS = 5000;
const OUTPUT_BYTES = 1024 * 1024;
/** Room that has to stay free on the data partition: the daemon's state lives there. */
const SPARE_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

export const runProgram: Run = (program, args, limitMs) =>
  new Promise((resolve) => {
    const options = { timeout: limitMs, maxBuffer: OUTPUT_BYTES, encoding: 'utf8' } as const;
    const child = execFile(program, [...args], options, (error, out, err) => {
      const code = error === null ? 0 : (child.exitCode ?? 1) || 1;
      resolve({ code, out, err: err === '' && error !== null ? error.message : err });
    });
  });

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** @returns undefined: this machine was not started from a slot. */
export function bootedFrom(root: string): Booted | undefined {
  try {
    const slot = readFileSync(join(root, 'run/sipair/slot'), 'utf8').trim();
    if (slot !== 'A' && slot !== 'B') return undefined;
    const boot = readFileSync(join(root, 'proc/sys/kernel/random/boot_id'), 'utf8').trim();
    return { slot, boot };
  } catch {
    return undefined;
  }
}

/** IMAGE_VERSION of the running system. */
export function runningVersion(root: string): string {
  for (const path of ['usr/lib/os-release', 'etc/os-release']) {
    try {
      const text = readFileSync(join(root, path), 'utf8');
      const found = /^IMAGE_VERSION="?([^"\n]*)"?$/m.exec(text)?.[1];
      if (found !== undefined) return found;
    } catch {
      // the other one, then
    }
  }
  return '';
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
    hash.update(piece as Buffer);
  }
  return hash.digest('hex');
}

type Versions = { readonly [slot in Slot]?: string };

export class RaucImages implements Images {
  readonly booted: Booted;
  readonly release: string;
  readonly path: string;
  private readonly bootenv: string;
  private readonly root: string;
  private readonly folder: string;
  private readonly run: Run;

  constructor(places: Places, booted: Booted, run: Run = runProgram) {
    this.booted = booted;
    this.release = runningVersion(places.root);
    this.root = places.root;
    this.folder = places.image;
    this.path = join(places.image, 'bundle.raucb');
    this.bootenv = join(places.root, 'usr/lib/sipair/bootenv');
    this.run = run;
    makeFolder(places.image);
    if (this.versions()[booted.slot] !== this.release) this.keep(booted.slot, this.release);
  }

  private get versionsPath(): string {
    return join(this.folder, 'versions.json');
  }

  private versions(): Versions {
    return readJson<Versions>(this.versionsPath) ?? {};
  }

  private keep(slot: Slot, version: string): void {
    writeWhole(this.versionsPath, JSON.stringify({ ...this.versions(), [slot]: version }), 0o644);
  }

  private async env(...args: readonly string[]): Promise<Fault> {
    const { code, err } = await this.run(this.bootenv, args, SHORT_MS);
    return code === 0 ? '' : `bootenv ${args.join(' ')}: ${lastLine(err)}`;
  }

  async slots(): Promise<readonly SlotView[]> {
    const { code, out } = await this.run(this.bootenv, ['show'], SHORT_MS);
    if (code !== 0) return [];
    const values = new Map(
      out.split('\n').map((line) => {
        const [name = '', ...value] = line.split('=');
        return [name, value.join('=')] as const;
      }),
    );
    const versions = this.versions();
    return (['A', 'B'] as const).map((slot) => {
      const tries = Number(values.get(`${slot}_TRY`) ?? 0);
      const most = values.get(`${slot}_PROVED`) === '1' ? STARTS.proved : STARTS.trial;
      const good = values.get(`${slot}_OK`) === '1' && tries < most;
      const version = versions[slot] ?? '';
      return {
        slot,
        booted: slot === this.booted.slot,
        state: good ? 'good' : 'bad',
        tries,
        version,
      };
    });
  }

  /** Signature, kind of box, version. */
  private async info(path: string): Promise<{ version: string } | Fault> {
    const args = ['info', '--output-format=json', path];
    const { code, out, err } = await this.run('rauc', args, INSTALL_MS);
    if (code !== 0) {
      const why = lastLine(err);
      const signed = /signature|certificate|verif|keyring|cms/i.test(err);
      return signed ? `image-signature: ${why}` : `image-bundle: ${why}`;
    }
    try {
      const { compatible, version } = JSON.parse(out) as { compatible?: string; version?: string };
      if (compatible !== COMPATIBLE) return `image-bundle: it is for ${compatible}, not this box`;
      return { version: version ?? '' };
    } catch {
      return 'image-bundle: rauc does not say what it is';
    }
  }

  async take(source: string): Promise<Bundle | Fault> {
    const half = this.incoming();
    try {
      await rm(this.path, { force: true });
      // what is checked is what is kept, not what may be changed on a stick meanwhile
      const { root, run } = this;
      const brought = await bring(source, half, { root, run, room: () => this.room() });
      const info = brought === '' ? await this.info(half) : brought;
      if (typeof info === 'string') {
        await rm(half, { force: true });
        return info;
      }
      const digest = await digestOf(half);
      const { size } = await stat(half);
      await rename(half, this.path);
      return { version: info.version, digest, bytes: size };
    } catch (e) {
      await rm(half, { force: true });
      return `image-space: ${troubleOf(e).text}`;
    }
  }

  room(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return Math.max(0, bavail * bsize - SPARE_BYTES);
  }

  incoming(): string {
    return join(this.folder, 'incoming.raucb');
  }

  async verify(digest: string): Promise<Fault> {
    const half = this.incoming();
    try {
      if ((await digestOf(half)) !== digest) return 'image-digest: it is not what was sent';
      const info = await this.info(half);
      if (typeof info === 'string') {
        await rm(half, { force: true });
        return info;
      }
      await rename(half, this.path);
      return '';
    } catch (e) {
      return `image-file: ${troubleOf(e).text}`;
    }
  }

  async install(): Promise<Fault> {
    const spare = OTHER_SLOT[this.booted.slot];
    const info = await this.info(this.path);
    if (typeof info === 'string') return info;
    this.keep(spare, '');
    for (let waited = 0; ; waited += BUSY_MS) {
      const { code, out, err } = await this.run('rauc', ['install', this.path], INSTALL_MS);
      if (code === 0) break;
      if (!/already processing/i.test(err) || waited > INSTALL_MS) {
        const why = /^LastError: *(.+)$/m.exec(`${out}\n${err}`)?.[1];
        return `image-install: ${why ?? lastLine(err)}`;
      }
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    }
    this.keep(spare, info.version);
    return this.env('set-primary', spare);
  }

  async activate(slot: Slot): Promise<Fault> {
    if ((this.versions()[slot] ?? '') === '') return `nothing whole is in slot ${slot}`;
    return this.env('set-primary', slot);
  }

  markGood(): Promise<Fault> {
    return this.env('set-state', this.booted.slot, 'good');
  }

  async fallBack(slot: Slot): Promise<Fault> {
    return (await this.env('set-primary', slot)) || this.env('set-state', OTHER_SLOT[slot], 'bad');
  }

  async drop(): Promise<Fault> {
    await rm(this.path, { force: true });
    await rm(this.incoming(), { force: true });
    return '';
  }
}
