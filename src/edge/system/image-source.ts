/**
 * Where a bundle, a certificate or a prompt comes from. Nobody can put files on a box, so an operator
 * names what the box itself can reach. A bundle is believed only for its signature, so its way here needs
 * no trust; for the others the operator chooses a way that he trusts.
 *
 *   http://… https://…   a web server on the LAN or beyond
 *   usb:NAME             a file at the top of a USB stick; `usb:` alone: the only bundle there
 *   /…                   a file on this box
 */

import {
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type IncomingMessage, get as plainGet } from 'node:http';
import { get as secureGet } from 'node:https';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { troubleOf } from '../disk-trouble.ts';
import type { Fault, Run } from './image.ts';

export type SourceTools = {
  readonly root: string;
  readonly run: Run;
  /** Bytes that may be written now. */
  readonly room: () => number;
};

const PIECE_BYTES = 1024 * 1024;
/** A server that says nothing for so long is not there. */
const SILENCE_MS = 30_000;
/** A slow line takes minutes. */
const FETCH_MS = 15 * 60_000;
const REDIRECTS = 5;
const MOUNT_MS = 30_000;
/** Sticks and partitions of them that are looked at. */
const STICKS = 16;
/** A stick may come from anybody: what is on it is files, and leads nowhere else. */
export const STICK_SAFE = 'nosuid,nodev,noexec,nosymfollow';
const NO_ROOM = 'image-space: the data partition has no room for it';
/** Partitions of a box that was itself written to a USB disk. */
const OURS: ReadonlySet<string> = new Set(['bios', 'esp', 'env', 'root-A', 'root-B', 'data']);

/** Copies what `source` names to the file `to`, on the medium when it is done. @returns '' or why not. */
export async function bring(source: string, to: string, tools: SourceTools): Promise<Fault> {
  if (/^https?:\/\//i.test(source)) return await fetched(source, to, tools);
  if (source.startsWith('usb:')) return await fromStick(source.slice(4), to, tools);
  if (!source.startsWith('/')) {
    return `image-file: "${source}" is no source: http://…, https://…, usb:NAME or a file of this box`;
  }
  return await fromFile(source, to, tools);
}

/** @param flags more of those of open(2). */
async function fromFile(path: string, to: string, tools: SourceTools, flags = 0): Promise<Fault> {
  let file: FileHandle;
  try {
    // a pipe would let it wait for ever
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  } catch (e) {
    const none = (e as NodeJS.ErrnoException).code === 'ENOENT';
    return `image-file: ${none ? `there is no ${path}` : troubleOf(e).text}`;
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) return `image-file: ${path} is no file`;
    if (found.size > tools.room()) return NO_ROOM;
    return await keep(file.createReadStream({ highWaterMark: PIECE_BYTES }), to, tools.room());
  } finally {
    await file.close();
  }
}

async function keep(from: Readable, to: string, most: number): Promise<Fault> {
  let target: FileHandle | undefined;
  let written = 0;
  try {
    target = await open(to, 'w', 0o600);
    for await (const piece of from) {
      const bytes = piece as Buffer;
      written += bytes.length;
      if (written > most) return NO_ROOM;
      for (let at = 0; at < bytes.length; ) {
        at += (await target.write(bytes, at)).bytesWritten;
      }
    }
    await target.sync();
  } finally {
    from.destroy();
    await target?.close();
  }
  return '';
}

// ── a web server ───────────────────────────────────────────────────────────────────────────────

/** @returns the answer, or why there is none. */
function ask(url: URL, signal: AbortSignal): Promise<IncomingMessage | Fault> {
  return new Promise((resolve) => {
    const get = url.protocol === 'https:' ? secureGet : plainGet;
    const request = get(url, { signal, timeout: SILENCE_MS, agent: false }, resolve);
    request.on('timeout', () => request.destroy(new Error('it says nothing')));
    request.on('error', (e) => resolve(`image-file: ${url.host}: ${e.message}`));
  });
}

async function fetched(source: string, to: string, tools: SourceTools): Promise<Fault> {
  const signal = AbortSignal.timeout(FETCH_MS);
  let at: string = source;
  for (let hops = 0; hops <= REDIRECTS; hops++) {
    if (!URL.canParse(at)) return 'image-file: that is no address of a web server';
    const url = new URL(at);
    if (!/^https?:$/.test(url.protocol)) return `image-file: it leads to ${url.protocol}`;
    const answer = await ask(url, signal);
    if (typeof answer === 'string') return answer;
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      answer.destroy();
      at = URL.parse(headers.location, url.href)?.href ?? '';
      continue;
    }
    return await body(answer, url, to, tools);
  }
  return `image-file: ${new URL(source).host} leads from one address to the next`;
}

async function body(
  answer: IncomingMessage,
  url: URL,
  to: string,
  tools: SourceTools,
): Promise<Fault> {
  const { statusCode = 0, statusMessage = '', headers } = answer;
  const said = Number(headers['content-length'] ?? 0);
  const room = tools.room();
  if (statusCode !== 200 || said > room) {
    answer.destroy();
    if (statusCode === 200) return NO_ROOM;
    return `image-file: ${url.host} says ${statusCode} ${statusMessage}`;
  }
  try {
    // a body that ends before what was said is an error of the stream
    return await keep(answer, to, room);
  } catch (e) {
    const local = (e as NodeJS.ErrnoException).syscall === 'write';
    if (local) throw e;
    return `image-file: ${url.host} broke off: ${(e as Error).message}`;
  }
}

// ── a stick ────────────────────────────────────────────────────────────────────────────────────

/** Block devices behind a USB port that may hold a file system: partitions, and disks without any. */
export function sticks(root: string): readonly string[] {
  const folder = join(root, 'sys/class/block');
  const found: string[] = [];
  for (const name of names(folder)) {
    const path = real(join(folder, name));
    if (!/\/usb\d/.test(path)) continue;
    const event = text(join(path, 'uevent'));
    if (OURS.has(/^PARTNAME=(.*)$/m.exec(event)?.[1] ?? '')) continue;
    const whole = /^DEVTYPE=disk$/m.test(event);
    const parted = names(path).some((n) => n.startsWith(name) && n !== name);
    if (!(whole && parted)) found.push(name);
  }
  return found.sort().slice(0, STICKS);
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return '';
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Every stick is mounted for as long as it is looked at, read-only, where no other process sees it. */
async function fromStick(name: string, to: string, tools: SourceTools): Promise<Fault> {
  if (name !== basename(name)) return 'image-file: only the top folder of a stick is looked at';
  const devices = sticks(tools.root);
  if (devices.length === 0) return 'image-file: there is no USB stick';
  const folder = join(tools.root, 'run/sipair');
  mkdirSync(folder, { recursive: true });
  // a place of its own: a bundle and a certificate may be wanted at once
  const at = mkdtempSync(join(folder, 'stick-'));
  try {
    return await fromDevices(devices, name, { at, to }, tools);
  } finally {
    try {
      rmdirSync(at);
    } catch {
      // a stick that is still mounted there: nothing sees it but this process
    }
  }
}

async function fromDevices(
  devices: readonly string[],
  name: string,
  { at, to }: { readonly at: string; readonly to: string },
  tools: SourceTools,
): Promise<Fault> {
  const seen: string[] = [];
  let trouble = '';
  for (const device of devices) {
    const mount = await tools.run(
      'mount',
      ['-o', `ro,${STICK_SAFE}`, `/dev/${device}`, at],
      MOUNT_MS,
    );
    if (mount.code !== 0) {
      trouble = mount.err.trim().split('\n').at(-1) ?? '';
      continue;
    }
    try {
      const bundles = names(at).filter((n) => n.endsWith('.raucb'));
      const [only] = bundles;
      const wanted = name === '' && bundles.length === 1 ? (only ?? '') : name;
      if (wanted !== '' && names(at).includes(wanted)) {
        return await fromFile(join(at, wanted), to, tools, constants.O_NOFOLLOW);
      }
      seen.push(...bundles);
    } finally {
      await tools.run('umount', [at], MOUNT_MS);
    }
  }
  if (seen.length > 0) return `image-file: on the stick there are: ${seen.join(', ')}`;
  const why = trouble === '' ? 'no bundle is on the stick' : `the stick cannot be read: ${trouble}`;
  return `image-file: ${why}`;
}
