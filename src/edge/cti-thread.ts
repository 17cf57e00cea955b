/**
 * The thread of the programs: their connections, passwords and schemas are its work, so that neither
 * a program that floods nor one that never reads takes time from a call. All of it is loaded with its
 * priority, too: at the start a box has other things to do.
 *
 * May load: cti-loop.ts and what that may.
 */

import { setPriority } from 'node:os';
import { netlite } from './native/netlite.ts';

/** nice(2): calls come first, and so does what is heard. */
const PRIORITY = -5;

try {
  setPriority(netlite.gettid(), PRIORITY);
} catch {
  // where it is not allowed, nothing else has more either
}
void import('./cti-loop.ts');
