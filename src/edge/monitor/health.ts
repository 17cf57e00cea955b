/**
 * Readings of the machine: small files of the kernel, read where they are (`/proc`, `/sys`, statfs), so
 * that looking every few seconds costs nothing. What costs (programs, inventory) is in
 * `inventory-thread.ts`, behind a child process with a time limit, or in a service of its own (SMART).
 */

import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Health } from '../../panel/monitor/box-status.ts';
import { UNKNOWN_HEALTH } from '../../panel/monitor/monitor.ts';
import { identityFault } from '../certificate.ts';
import type { Inventory } from '../inventory-thread.ts';
import { netlite } from '../native/netlite.ts';
import { textIn } from './kernel-file.ts';
import { readPorts } from './own-ports.ts';
import { placesBelow } from './places.ts';
import { type BoxFile, readBoxFile } from './settings.ts';
import { type Smart, smartOf } from './smart.ts';

/** Sensors that say less, or so much, are broken or have nothing at their inputs: 127 is usual then. */
const COLDEST = -40;
const TOO_HOT = 120;
const SECTOR_BYTES = 512;
/** Three of the longest polls that chrony makes by itself (1024 s), and some. */
const FOLLOWED_MS = 3_600_000;
/** A time daemon that does not answer is none. */
const CHRONY_PATIENCE_MS = 5000;

function names(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

/** @returns the highest of all sensors of thermal zones and hwmon; undefined where there are none. */
export function hottest(sys: string): number | undefined {
  const zones = names(join(sys, 'class/thermal'))
    .filter((name) => name.startsWith('thermal_zone'))
    .map((name) => join(sys, 'class/thermal', name, 'temp'));
  const sensors = names(join(sys, 'class/hwmon')).flatMap((chip) =>
    names(join(sys, 'class/hwmon', chip))
      .filter((name) => /^temp\d+_input$/.test(name))
      .map((name) => join(sys, 'class/hwmon', chip, name))
      // the chip itself says that this input is open
      .filter((path) => textIn(path.replace(/_input$/, '_fault')).trim() !== '1'),
  );
  const all = [...zones, ...sensors].flatMap((path) => {
    const raw = textIn(path).trim();
    const degrees = Number(raw) / 1000;
    return raw !== '' && degrees > COLDEST && degrees < TOO_HOT ? [degrees] : [];
  });
  return all.length === 0 ? undefined : Math.max(...all);
}

export function memoryOf(meminfo: string): Health['memory'] {
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  return { totalBytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable') };
}

export type Mount = { readonly device: string; readonly readOnly: boolean };

/** The mount a path lies on: number of its device, "8:1", and whether it can be written. */
export function mountOf(mountinfo: string, path: string): Mount | undefined {
  let found: Mount | undefined;
  let longest = -1;
  for (const line of mountinfo.split('\n')) {
    const [, , device = '', , point = '', options = ''] = line.split(' ');
    const above = point === '/' || path === point || path.startsWith(`${point}/`);
    // a later mount on the same point lies over the earlier one
    if (device === '' || !above || point.length < longest) continue;
    longest = point.length;
    const ofSystem = line.split(' - ')[1]?.split(' ')[2] ?? '';
    const flags = [...options.split(','), ...ofSystem.split(',')];
    found = { device, readOnly: flags.includes('ro') };
  }
  return found;
}

/** Name of the whole disk behind a device number, "mmcblk0" for its partition "mmcblk0p3". */
export function diskOf(sys: string, device: string): string | undefined {
  const link = join(sys, 'dev/block', device);
  try {
    const target = join(dirname(link), readlinkSync(link));
    return basename(existsSync(join(target, 'partition')) ? dirname(target) : target);
  } catch {
    return undefined;
  }
}

/** eMMC says in tenths how much of its life is used: "0x02 0x01" is up to 20 % and up to 10 %. */
export function emmcWear(lifeTime: string): number | undefined {
  const tenths = lifeTime
    .trim()
    .split(/\s+/)
    .map((word) => Number.parseInt(word, 16))
    .filter((n) => n >= 1 && n <= 11);
  return tenths.length === 0 ? undefined : Math.min(100, 10 * Math.max(...tenths));
}

function writtenBytes(sys: string, disk: string): number {
  const sectors = textIn(join(sys, 'block', disk, 'stat'))
    .trim()
    .split(/\s+/)[6];
  return Number(sectors ?? 0) * SECTOR_BYTES;
}

/**
 * `chronyc -c tracking`: when a server was last followed, how far off the clock is, and at the end whether
 * it is kept. That stays so when all servers are gone: only the moment shows it. Of a clock that was set
 * by somebody else, either way, the moment is as far off; chrony moves it along with steps of its own.
 */
export function trackingOf(csv: string, utc = Date.now()): Health['clock'] | undefined {
  const fields = csv.trim().split(',');
  const [, , , followed, ahead] = fields.map(Number);
  const offset = ahead ?? Number.NaN;
  if (fields.length < 14 || !Number.isFinite(offset)) return undefined;
  const agoMs = Math.abs(utc - (followed ?? Number.NaN) * 1000);
  const synchronised = fields[13] !== 'Not synchronised' && agoMs < FOLLOWED_MS;
  return { synchronised, offsetMs: offset * 1000, source: 'chrony' };
}

function kernelClock(): Health['clock'] {
  const synchronised = netlite.clockUnsynchronised() === 0;
  return { synchronised, source: synchronised ? 'kernel' : 'none' };
}

/** @returns when the first of them ends, or what is wrong with one. */
export function certificateOf(files: BoxFile['certificates'], root: string): Health['certificate'] {
  let notAfter: number | undefined;
  for (const { certificate, key } of files) {
    try {
      const shown = readFileSync(join(root, certificate), 'utf8');
      const ends = Date.parse(new X509Certificate(shown).validTo);
      notAfter = Math.min(notAfter ?? ends, ends);
      const fault = identityFault({ certificate: shown, key: textIn(join(root, key)) });
      if (fault !== '') return { notAfter, fault: `${certificate}: ${fault}` };
    } catch (e) {
      return { fault: `${certificate}: ${(e as Error).message}` };
    }
  }
  return notAfter === undefined ? {} : { notAfter };
}

/** Reads everything; what changes slowly is read less often. */
export class HealthReader {
  private readonly root: string;
  private readonly proc: string;
  private readonly sys: string;
  private clock: Health['clock'] = UNKNOWN_HEALTH.clock;
  private certificate: Health['certificate'] = {};
  /** Of an NVMe or SATA medium. */
  private smart: Smart | undefined;
  private media: Inventory = {};

  constructor(root: string) {
    this.root = root;
    // a folder that is no machine shows the one it is on
    const own = (name: string): string =>
      existsSync(join(root, name)) ? join(root, name) : `/${name}`;
    this.proc = own('proc');
    this.sys = own('sys');
  }

  found(media: Inventory): void {
    this.media = media;
  }

  async read(): Promise<Health> {
    const { proc, sys } = this;
    const temperatureC = hottest(sys);
    const loads = (await readFile(join(proc, 'loadavg'), 'utf8').catch(() => '')).split(' ');
    return {
      uptimeS: Number.parseFloat(textIn(join(proc, 'uptime'))) || 0,
      ...(temperatureC === undefined ? {} : { temperatureC }),
      memory: memoryOf(textIn(join(proc, 'meminfo'))),
      load1: Number(loads[0]) || (loadavg()[0] ?? 0),
      processors: cpus().length,
      storage: await this.storage(),
      certificate: this.certificate,
      clock: this.clock,
      ports: readPorts(this.root, sys),
    };
  }

  private async storage(): Promise<Health['storage']> {
    const { data } = placesBelow(this.root);
    // a box that has no data partition yet shows what it is on
    const fs = await statfs(data).catch(() => statfs(this.root).catch(() => undefined));
    // not /data itself: the unit shows that to this process as read-only, whatever the storage is
    const mount = mountOf(textIn(join(this.proc, 'self/mountinfo')), '/data/log');
    const device = mount === undefined ? undefined : diskOf(this.sys, mount.device);
    const wear = device === undefined ? undefined : this.wearOf(device);
    const medium = device === undefined ? undefined : this.media[device];
    return {
      totalBytes: fs === undefined ? 0 : fs.blocks * fs.bsize,
      freeBytes: fs === undefined ? 0 : fs.bavail * fs.bsize,
      readOnly: mount?.readOnly ?? false,
      ...(wear === undefined ? {} : { wearPercent: wear }),
      ...(medium === undefined ? {} : { medium }),
      writtenBytes: device === undefined ? 0 : writtenBytes(this.sys, device),
      ...(device === undefined ? {} : { device }),
    };
  }

  private wearOf(device: string): number | undefined {
    const emmc = emmcWear(textIn(join(this.sys, 'block', device, 'device/life_time')));
    // NVMe: of a namespace, "nvme0n1", its controller may speak, "nvme0"
    const smart = this.smart !== undefined && device.startsWith(this.smart.device);
    return emmc ?? (smart ? this.smart?.wear : undefined);
  }

  /** Certificates, who keeps the clock, and what the medium said last. */
  async readSlow(): Promise<void> {
    this.certificate = certificateOf(readBoxFile(this.root)?.certificates ?? [], this.root);
    this.smart = smartOf(textIn(placesBelow(this.root).smart));
    this.clock = (await this.chrony()) ?? kernelClock();
  }

  private chrony(): Promise<Health['clock'] | undefined> {
    const program = join(this.root, 'usr/bin/chronyc');
    if (!existsSync(program)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const options = { timeout: CHRONY_PATIENCE_MS, maxBuffer: 65_536 };
      execFile(program, ['-c', 'tracking'], options, (fault, stdout) => {
        resolve(fault === null ? trackingOf(stdout) : undefined);
      });
    });
  }
}
