/** A text of an operator's, from a medium that may hold anything. */

import { readFileSync, statSync } from 'node:fs';
import { troubleOf } from '../disk-trouble.ts';

/** A configuration with tens of thousands of extensions fits. */
const FILE_MAX = 8 * 1024 * 1024;

export function readText(path: string): { readonly text: string } | { readonly fault: string } {
  try {
    const found = statSync(path);
    if (!found.isFile()) return { fault: 'it is no file' };
    if (found.size > FILE_MAX) return { fault: 'it is too long' };
    return { text: readFileSync(path, 'utf8') };
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return { fault: 'there is no such file' };
    return { fault: troubleOf(e).text };
  }
}
