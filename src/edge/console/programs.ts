/** Programs a session starts: ping, traceroute, tcpdump, journalctl. One at a time, with bounds. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Program } from '../../panel/console/dialog.ts';

/** The longest one may run; who watches longer starts it again. */
const LONGEST_MS = 3_600_000;
const GRACE_MS = 2000;

export type Running = { pause(on: boolean): void; stop(): void };

export function start(
  program: Program,
  args: readonly string[],
  output: (text: string) => void,
  over: (code: number) => void,
): Running {
  let ended = false;
  const end = (code: number): void => {
    if (ended) return;
    ended = true;
    clearTimeout(longest);
    over(code);
  };
  const child: ChildProcess = spawn(program, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
  });
  const stop = (): void => {
    child.kill('SIGINT');
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
  };
  const longest = setTimeout(stop, LONGEST_MS);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', output);
  }
  child.on('error', (e) => {
    output(`${program} cannot be started: ${e.message}\n`);
    end(127);
  });
  child.on('close', (code) => end(code ?? 1));
  return {
    pause: (on) => {
      for (const stream of [child.stdout, child.stderr]) {
        if (on) stream?.pause();
        else stream?.resume();
      }
    },
    stop,
  };
}
