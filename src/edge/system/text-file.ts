/** A text of an operator's, from a medium that may hold anything: a link is none, a pipe is not waited for. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { troubleOf } from '../disk-trouble.ts';

/** A configuration with tens of thousands of extensions fits. */
const FILE_MAX = 8 * 1024 * 1024;
const LOOK = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export function readText(path: string): { readonly text: string } | { readonly fault: string } {
  let fd: number;
  try {
    fd = openSync(path, LOOK);
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { fault: 'there is no such file' };
    return { fault: code === 'ELOOP' ? 'it is no file' : troubleOf(e).text };
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) return { fault: 'it is no file' };
    if (found.size > FILE_MAX) return { fault: 'it is too long' };
    return { text: readFileSync(fd, 'utf8') };
  } catch (e) {
    return { fault: troubleOf(e).text };
  } finally {
    closeSync(fd);
  }
}
