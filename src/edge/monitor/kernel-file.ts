/** Small files, mostly of the kernel (`/proc`, `/sys`), read where they are. */

import { readFileSync } from 'node:fs';

/** @returns '' for a file that is not there, or that its driver does not let be read. */
export function textIn(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
