/** Load on the machine itself: processors, disk and fsync, by stress-ng. It ends by itself in time. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export type Burning = { readonly stop: () => Promise<void> };

/**
 * @param folder where the disk is to be busy: on the disk of the data directories.
 * @param seconds after which it ends whatever becomes of us.
 */
export function burn(
  folder: string,
  seconds: number,
  load: { readonly cpu: number; readonly disk: number },
): Burning {
  const place = join(folder, 'stress');
  mkdirSync(place, { recursive: true });
  const options = ['--temp-path', place, '--timeout', `${Math.ceil(seconds)}s`, '--quiet'];
  const kinds = [
    ...(load.cpu > 0 ? ['--cpu', String(load.cpu), '--cpu-method', 'matrixprod'] : []),
    // Writes with fsync after each, and renames with fsync of the folder: what a journal does.
    ...(load.disk > 0 ? ['--hdd', String(load.disk), '--hdd-opts', 'fsync,wr-rnd'] : []),
    ...(load.disk > 0
      ? ['--hdd-bytes', '64M', '--sync-file', '1', '--sync-file-bytes', '16M']
      : []),
  ];
  const child: ChildProcess = spawn('stress-ng', [...options, ...kinds], { stdio: 'ignore' });
  let failed: Error | undefined;
  child.on('error', (error) => {
    failed = error;
  });
  const ended = new Promise<void>((done) => {
    child.once('close', () => done());
    child.once('error', () => done());
  });
  return {
    stop: async () => {
      // Its parent ends the workers when it is told to.
      child.kill('SIGTERM');
      await ended;
      rmSync(place, { recursive: true, force: true });
      if (failed !== undefined) throw new Error(`stress-ng: ${failed.message}`);
    },
  };
}
