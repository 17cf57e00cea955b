/**
 * Native parts of the executable. The kernel maps a shared object from a file only, so each is looked
 * for as a file beside the executable (`native/`, as on a box, where nothing that may be written may
 * be executed) and else written to the first folder that allows it. A file's name holds the beginning
 * of its digest: threads and processes load the same file, and never one of another release.
 */

import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { getAssetKeys, getRawAsset } from 'node:sea';
import { threadId } from 'node:worker_threads';

const DIGITS = 16;
const loaded = new Map<string, unknown>();

function folders(): string[] {
  const asked = process.env['SIPAIR_NATIVE'];
  const id = process.getuid?.() ?? 0;
  const usual = [`/run/sipair-native-${id}`, `/dev/shm/sipair-${id}`, `/tmp/sipair-${id}`];
  return asked === undefined ? usual : [asked];
}

function open(path: string): unknown {
  const module: { exports: unknown } = { exports: {} };
  process.dlopen(module, path, constants.dlopen.RTLD_NOW);
  return module.exports;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, DIGITS);
}

/** Nobody else may be able to put a file of theirs there. */
function ownFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(path);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${path} is not ours`);
}

function written(folder: string, key: string): string {
  ownFolder(folder);
  const path = join(folder, key);
  const bytes = new Uint8Array(getRawAsset(`native/${key}`) as ArrayBuffer);
  if (existsSync(path) && digest(readFileSync(path)) === key.slice(0, DIGITS)) return path;
  // under a name of its own first: another thread may be about to load it
  const half = `${path}.${process.pid}.${threadId}`;
  const fd = openSync(half, 'w', 0o500);
  fchmodSync(fd, 0o500);
  writeFileSync(fd, bytes);
  closeSync(fd);
  renameSync(half, path);
  return path;
}

/** @param name of the file, "netlite.node". Throws where the machine lets none be loaded. */
export function loadPacked(name: string): unknown {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const asset = getAssetKeys().find((key) => key.startsWith('native/') && key.endsWith(`-${name}`));
  if (asset === undefined) throw new Error(`${name} is not in this executable`);
  const key = asset.slice('native/'.length);
  const beside = join(dirname(process.execPath), 'native', key);
  const paths = existsSync(beside) ? [() => beside] : [];
  for (const folder of folders()) paths.push(() => written(folder, key));
  const why: string[] = [];
  for (const path of paths) {
    try {
      const part = open(path());
      loaded.set(name, part);
      return part;
    } catch (e) {
      why.push((e as Error).message);
    }
  }
  throw new Error(`start-failed: no place to load ${name} from: ${why.join('; ')}`);
}
