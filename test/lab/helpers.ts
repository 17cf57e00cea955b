/**
 * The lab's small C programs: what can only be done with a system call that Node does not have. Each
 * is compiled when it is first needed, into build/.
 */

import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './places.ts';
import { run } from './run.ts';

export type Helper = 'wire' | 'stop-thread' | 'socket-gone' | 'options-responder';

/** Path of the program, compiled if it is not there or older than its source. */
export async function helper(name: Helper): Promise<string> {
  const source = join(import.meta.dirname, `${name}.c`);
  const made = join(ROOT, 'build', name);
  if (existsSync(made) && statSync(made).mtimeMs > statSync(source).mtimeMs) return made;
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const fresh = `${made}.${process.pid}`;
  await run('gcc', ['-O2', '-Wall', '-Wextra', '-o', fresh, source], '', 60_000);
  renameSync(fresh, made);
  return made;
}
