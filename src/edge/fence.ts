/**
 * Runs the operator's fence: a program that cuts the peer's power or port. What counts is how it ends,
 * and that it does in time. It has a process group of its own, so that what it started ends with it when
 * it hangs; what such a child keeps open is not waited for; and of its words only the beginning is kept.
 */

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Millis } from '../base/units.ts';

/** Of what it says on standard error. */
const WORDS_MAX = 500;
/** Its last words may arrive after its end. */
const LAST_WORDS_MS = 20;

/** @returns why the program cannot be run, as far as can be told before it is needed; '' when it can. */
export function fenceFault([program = '']: readonly string[]): string {
  // a bare name is looked for in the PATH when it is needed
  if (!program.includes('/')) return '';
  try {
    accessSync(program, constants.X_OK);
    return '';
  } catch (e) {
    return (e as Error).message;
  }
}

/**
 * @param end called once, never from inside this call: '' when the program ended with 0, else why not.
 */
export function runFence(
  command: readonly string[],
  timeoutMs: Millis,
  end: (ok: boolean, text: string) => void,
): void {
  const [program = '', ...args] = command;
  let words = '';
  let over = false;
  const finish = (why: string): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    const said = words.trim();
    end(why === '', why === '' || said === '' ? why : said);
  };
  const timer = setTimeout(() => {
    kill(child?.pid);
    finish(`not ended after ${timeoutMs} ms`);
    child?.stderr.destroy();
  }, timeoutMs);
  const child = start(program, args, (why) => setImmediate(finish, why));
  child?.stderr.on('data', (bytes: Buffer) => {
    if (words.length < WORDS_MAX) words = (words + bytes.toString()).slice(0, WORDS_MAX);
  });
  child?.stderr.on('error', () => {});
  child?.on('error', (e) => finish(e.message));
  child?.on('exit', (code, signal) => {
    if (code === 0) finish('');
    else {
      const why = signal === null ? `ended with ${code}` : `ended by ${signal}`;
      setTimeout(finish, LAST_WORDS_MS, why);
    }
  });
}

/** A machine without room for a process is no reason to end: the fence has failed, and is tried again. */
function start(program: string, args: readonly string[], failed: (why: string) => void) {
  try {
    return spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  } catch (e) {
    failed((e as Error).message);
    return undefined;
  }
}

function kill(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // ended meanwhile
  }
}
