/**
 * A USB stick in this box, for what leaves it and comes back: a support bundle, a saved configuration. It
 * is mounted for as long as it is written or read, where no other process sees it; the first that lets
 * itself be mounted is taken, and only its top folder is used.
 */

import { join } from 'node:path';
import { makeFolder, writeWhole } from './files.ts';
import type { Run } from './image.ts';
import { STICK_SAFE, sticks } from './image-source.ts';
import { readText } from './text-file.ts';

export type StickTools = { readonly root: string; readonly run: Run };
export type StickFault = { readonly error: string; readonly text: string };

const MOUNT_MS = 30_000;
/** What was written is on the stick when this ends; a bad stick takes its time. */
const UNMOUNT_MS = 120_000;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

function fault(error: string, text: string): StickFault {
  return { error, text };
}

/** One at a time: two would mount at the same place. */
let busy = false;

async function withStick<T>(
  tools: StickTools,
  mode: 'ro' | 'rw',
  act: (folder: string) => T,
): Promise<T | StickFault> {
  if (busy) return fault('stick-busy', 'the stick is being used by another console');
  busy = true;
  const at = join(tools.root, 'run/sipair/stick-file');
  try {
    makeFolder(at, 0o700);
    let why = 'there is no USB stick in this box';
    for (const device of sticks(tools.root)) {
      const words = ['-o', `${mode},${STICK_SAFE}`, `/dev/${device}`, at];
      const mount = await tools.run('mount', words, MOUNT_MS);
      if (mount.code !== 0) {
        why = `${device}: ${mount.err.trim().split('\n').at(-1) ?? ''}`;
        continue;
      }
      const done = act(at);
      const end = await tools.run('umount', [at], UNMOUNT_MS);
      if (end.code === 0) return done;
      return fault('stick-unmount', `${device} did not take it to its end: ${end.err.trim()}`);
    }
    return fault('stick-none', why);
  } finally {
    busy = false;
  }
}

/** @returns where it is, in an operator's words; or why it is not there. */
export async function writeStick(
  name: string,
  content: string | Uint8Array,
  tools: StickTools,
): Promise<{ readonly path: string } | StickFault> {
  if (!NAME.test(name)) return fault('stick-name', 'a name of letters, digits, . _ - is expected');
  const wrote = await withStick(tools, 'rw', (folder) => writeWhole(join(folder, name), content));
  if (typeof wrote !== 'string') return wrote;
  return wrote === '' ? { path: `usb:${name}` } : fault('stick-write', wrote);
}

export async function readStick(
  name: string,
  tools: StickTools,
): Promise<{ readonly text: string } | StickFault> {
  if (!NAME.test(name)) return fault('stick-name', 'a name of letters, digits, . _ - is expected');
  return await withStick(tools, 'ro', (folder) => {
    const read = readText(join(folder, name));
    return 'fault' in read ? fault('stick-read', `usb:${name}: ${read.fault}`) : read;
  });
}
