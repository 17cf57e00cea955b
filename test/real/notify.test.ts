/** What a box says to systemd, heard by a socket as systemd has one. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { netlite } from '../../src/edge/native/netlite.ts';
import { createLab, labName } from '../lab/lab.ts';
import { NODE, ROOT } from '../lab/places.ts';
import { until } from './native-help.ts';

const ENOENT = 2;
const EINVAL = 22;

test('a word to nobody is a number, and never waits', (t) => {
  t.is(netlite.notify('/tmp/there-is-no-such-socket', 'READY=1'), -ENOENT);
  t.true(netlite.notify('@there-is-no-such-name', 'READY=1') < 0);
  t.is(netlite.notify('', 'READY=1'), -EINVAL);
  t.is(netlite.notify(`/${'x'.repeat(200)}`, 'READY=1'), -EINVAL);
  t.true([0, 1].includes(netlite.clockUnsynchronised()));
});

/** A socket that systemd could have made; what was said to it is in a file. */
function ear(t: ExecutionContext, from: (dir: string) => string): { dir: string; said(): string } {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-notify-'));
  const heard = join(dir, 'heard');
  writeFileSync(heard, '');
  const child = spawn('socat', ['-u', from(dir), `OPEN:${heard},append`], { stdio: 'ignore' });
  t.teardown(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  });
  return { dir, said: () => readFileSync(heard, 'utf8') };
}

test('an abstract name is reached, too', async (t) => {
  const name = `sipair-${process.pid}`;
  const { said } = ear(t, () => `ABSTRACT-RECV:${name}`);
  await until('somebody hears', () => netlite.notify(`@${name}`, 'X=1\n') === 0, 15_000);
  await until('it is heard', () => said().includes('X=1'), 15_000);
  t.pass();
});

test('a daemon says that it serves, what it is and that it lives', async (t) => {
  const { dir, said } = ear(t, (folder) => `UNIX-RECV:${folder}/socket`);
  const address = join(dir, 'socket');
  await until('somebody hears', () => netlite.notify(address, 'X=1\n') === 0, 15_000);
  const lab = await createLab({ name: labName('notify'), wait: false });
  t.teardown(() => lab.down());
  await lab.kill('a');
  const verb = [NODE, join(ROOT, 'src/main.ts'), 'serve', '--config', lab.places.config('a')];
  const words = [`NOTIFY_SOCKET=${address}`, 'WATCHDOG_USEC=400000'];
  const child = lab.spawn('a', ['env', ...words, ...verb]);
  child.stdout.resume();
  child.stderr.resume();
  t.teardown(() => child.kill('SIGKILL'));
  await until('it serves', () => said().includes('READY=1'), 60_000);
  await until('it is in step', () => /STATUS=(backup|primary), in step/.test(said()), 60_000);
  await until('it lives', () => said().split('WATCHDOG=1').length > 4, 60_000);
  t.is(said().split('READY=1').length, 2, 'once');
});

test('a system agent says the same, and nothing more when it hangs', async (t) => {
  const { dir, said } = ear(t, (folder) => `UNIX-RECV:${folder}/socket`);
  const address = join(dir, 'socket');
  await until('somebody hears', () => netlite.notify(address, 'X=1\n') === 0, 15_000);
  const verb = [join(ROOT, 'src/main.ts'), 'system', '--root', join(dir, 'box'), '--apply', 'none'];
  const child = spawn(NODE, verb, {
    env: { ...process.env, NOTIFY_SOCKET: address, WATCHDOG_USEC: '400000' },
    stdio: 'ignore',
  });
  t.teardown(() => child.kill('SIGKILL'));
  await until('it serves', () => said().includes('READY=1'), 60_000);
  await until('it says what it does', () => said().includes('STATUS=waits for the first'), 60_000);
  const lives = (): number => said().split('WATCHDOG=1').length;
  await until('it lives', () => lives() > 4, 60_000);
  child.kill('SIGSTOP');
  await until('what was said is heard', () => netlite.notify(address, 'X=2\n') === 0, 15_000);
  await until('it is', () => said().includes('X=2'), 15_000);
  const before = lives();
  await sleep(1000);
  t.is(lives(), before);
});
