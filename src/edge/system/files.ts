/**
 * Files of the system agent, all below one root. What is written is there afterwards as a whole or not at
 * all: beside it under another name, synced, renamed, and the folder synced.
 */

import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { troubleOf } from '../disk-trouble.ts';

/** Where what is being written has its other name, a medium of a stranger's may have a link or a pipe. */
const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
const MAKE = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;

export type Places = ReturnType<typeof placesOf>;

export function placesOf(root: string) {
  const at = (path: string): string => join(root, path);
  return {
    root,
    config: at('data/config'),
    active: at('data/config/active.json'),
    prepared: at('data/config/prepared.json'),
    revisions: at('data/config/revisions'),
    identity: at('data/config/identity.json'),
    draft: at('data/config/draft.json'),
    secret: at('data/secret'),
    key: at('data/secret/pair.key'),
    admin: at('data/secret/admin.json'),
    state: at('data/state'),
    log: at('data/log'),
    image: at('data/image'),
    data: at('data'),
    zones: at('usr/share/zoneinfo'),
    run: at('run/sipair'),
    box: at('run/sipair/box.json'),
    control: at('run/sipair/control.sock'),
    socket: at('run/sipair/system.sock'),
    monitor: at('run/sipair/monitor.sock'),
    orders: at('run/sipair/machine-orders'),
    dataFault: at('run/sipair/data-fault'),
  };
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function makeFolder(path: string, mode = 0o755): void {
  mkdirSync(path, { recursive: true, mode });
}

/** @returns '' when it is written, or what is wrong in an operator's words. */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): string {
  const made = `${path}.new`;
  try {
    makeFolder(dirname(path));
    const fd = openSync(made, MAKE, mode);
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(made, path);
  } catch (e) {
    try {
      unlinkSync(made);
    } catch {
      // it was not made
    }
    return troubleOf(e).text;
  }
  try {
    syncFolder(dirname(path));
  } catch {
    // it has its name: after a power cut it may have the old one, and the peer says so
  }
  return '';
}

/** @returns '' also when it was not there. */
export function removeFile(path: string): string {
  try {
    unlinkSync(path);
    syncFolder(dirname(path));
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ENOENT') return troubleOf(e).text;
  }
  return '';
}

/** @returns what is in it; undefined: it is not there, or is no JSON. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** What the early units of the image found: why /data is empty and in memory; '' when it is not. */
export function dataFault(places: Places): string {
  try {
    const [why = ''] = readFileSync(places.dataFault, 'utf8').split('\n');
    return why || 'no reason was kept';
  } catch {
    return '';
  }
}
