/** Programs that are run to their end: `ip`, `gcc`, helpers. */

import { execFile } from 'node:child_process';

/** Runs a program; rejects with its words when it fails. */
export function run(
  file: string,
  args: readonly string[],
  input = '',
  timeoutMs = 20_000,
): Promise<string> {
  return new Promise((done, fail) => {
    const child = execFile(file, [...args], { timeout: timeoutMs }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`${file} ${args.join(' ')}: ${stderr.trim() || error.message}`));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
