/**
 * The file that holds the pair key: 64 hexadecimal digits, readable by its owner alone. It is read
 * and written here and nowhere else, and its content is never printed.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { KEY_BYTES } from '../wire/derive.ts';

export type KeyFault = {
  readonly code: 'key-file' | 'key-mode' | 'key-malformed' | 'key-exists' | 'key-write';
  readonly text: string;
};

const DIGITS = 2 * KEY_BYTES;
/** A key, a line end, and one byte more than that is too much. */
const READ_MAX = DIGITS + 2;

export function isKeyFault(x: Uint8Array | KeyFault): x is KeyFault {
  return 'code' in x;
}

/** @returns the key, or what is wrong with the file. */
export function readKeyFile(path: string): Uint8Array | KeyFault {
  let fd: number;
  try {
    // a pipe would let the start wait for ever
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (e) {
    return { code: 'key-file', text: (e as Error).message };
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { code: 'key-file', text: 'it is not a file' };
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
      return { code: 'key-mode', text: `others may use it (mode ${mode}): chmod 600 it` };
    }
    const bytes = Buffer.alloc(READ_MAX);
    const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, READ_MAX, 0));
    if (!/^[0-9a-f]{64}\n?$/i.test(text)) {
      return { code: 'key-malformed', text: `${DIGITS} hexadecimal digits are needed in it` };
    }
    return new Uint8Array(Buffer.from(text.slice(0, DIGITS), 'hex'));
  } catch (e) {
    return { code: 'key-file', text: (e as Error).message };
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a key so that there is the old file or the new one, whatever happens meanwhile.
 * @param replace whether a file that is there may be replaced: its key is gone then.
 */
export function writeKeyFile(
  path: string,
  key: Uint8Array,
  replace: boolean,
): KeyFault | undefined {
  if (!replace && existsSync(path)) {
    return { code: 'key-exists', text: `${path} is there already: remove it, or name another` };
  }
  const made = `${path}.${randomBytes(4).toString('hex')}.new`;
  try {
    const fd = openSync(made, 'wx', 0o600);
    try {
      writeSync(fd, `${Buffer.from(key).toString('hex')}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(made, path);
    const folder = openSync(dirname(path), constants.O_RDONLY);
    fsyncSync(folder);
    closeSync(folder);
    return undefined;
  } catch (e) {
    try {
      unlinkSync(made);
    } catch {
      // it was not made, or has its name already
    }
    return { code: 'key-write', text: (e as Error).message };
  }
}

/** A key from the operating system, for a new pair. */
export function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}
