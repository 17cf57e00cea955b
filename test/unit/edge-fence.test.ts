/** The operator's fence, as a program that misbehaves: hangs, has children, floods, is not there. */

import test from 'ava';
import { fenceFault, runFence } from '../../src/edge/fence.ts';

type End = { readonly ok: boolean; readonly text: string; readonly took: number };

function fence(command: readonly string[], timeoutMs = 3000): Promise<End> {
  const began = performance.now();
  return new Promise((resolve) => {
    runFence(command, timeoutMs, (ok, text) => {
      resolve({ ok, text, took: performance.now() - began });
    });
  });
}

const shell = (text: string): readonly string[] => ['/bin/sh', '-c', text];

test('it ends well', async (t) => {
  const { ok, text } = await fence(shell('exit 0'));
  t.deepEqual([ok, text], [true, '']);
});

test('a child that stays and keeps the pipes open is not waited for', async (t) => {
  const { ok, took } = await fence(shell('sleep 2 & exit 0'), 1500);
  t.true(ok);
  t.true(took < 1000, `took ${took}`);
});

test('its reason is told', async (t) => {
  const { ok, text } = await fence(shell('echo no such outlet >&2; exit 3'));
  t.deepEqual([ok, text], [false, 'no such outlet']);
  t.is((await fence(shell('exit 4'))).text, 'ended with 4');
});

test('a program that is not there, or none at all', async (t) => {
  t.like(await fence(['/nowhere/fence']), { ok: false });
  t.regex((await fence(['/nowhere/fence'])).text, /ENOENT/);
  t.like(await fence(['']), { ok: false });
});

test('many words are no failure, and are not kept', async (t) => {
  const flood =
    'i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/zero | tr "\\0" x; i=$((i+1)); done';
  t.true((await fence(shell(`${flood}; exit 0`))).ok);
  const loud = await fence(shell(`{ ${flood}; } >&2; exit 1`));
  t.false(loud.ok);
  t.is(loud.text.length, 500);
});

test('one that hangs is ended with all it started', async (t) => {
  const mark = `4${process.pid}.5`;
  const { ok, text, took } = await fence(shell(`sleep ${mark} & sleep ${mark}`), 300);
  t.false(ok);
  t.regex(text, /not ended after 300 ms/);
  t.true(took < 1000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const left = await fence(
    shell(`grep -lq "${mark.replace('.', '[.]')}" /proc/[0-9]*/cmdline && exit 5; exit 0`),
  );
  t.is(left.text === 'ended with 5' ? 'left' : '', '');
});

test('before it is needed: is it there, and may it be run?', (t) => {
  t.is(fenceFault(['/bin/sh', '-c', 'true']), '');
  t.is(fenceFault(['fence_apc']), '');
  t.regex(fenceFault(['/nowhere/fence']), /ENOENT/);
  t.regex(fenceFault(['/etc/passwd']), /EACCES/);
});
