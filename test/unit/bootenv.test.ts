/** What the boot loader is told of the slots: RAUC's protocol, starts that are counted, and how many a slot has. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ROOT } from '../lab/places.ts';

const SCRIPT = readFileSync(join(ROOT, 'image/root/usr/lib/sipair/bootenv'), 'utf8');
const GRUB = readFileSync(join(ROOT, 'image/grub.cfg'), 'utf8');
const BLOCK = 1024;

/** The tool on a file in place of the partition; the block lies behind a sector of something else. */
class Env {
  private readonly disk: string;
  private readonly tool: string;
  private readonly root = mkdtempSync(join(tmpdir(), 'sipair-bootenv-'));

  constructor(t: ExecutionContext) {
    t.teardown(() => rmSync(this.root, { recursive: true }));
    this.disk = join(this.root, 'disk');
    this.tool = join(this.root, 'bootenv');
    const here = SCRIPT.replace(/^device=\$\(grep[\s\S]*?^device=\/dev.*$/m, `device=${this.disk}`)
      .replace('/run/sipair/bootenv.lock', join(this.root, 'lock'))
      .replace('iflag=direct ', '');
    writeFileSync(this.tool, here, { mode: 0o755 });
    const text = '# GRUB Environment Block\nORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\n';
    writeFileSync(this.disk, `${'x'.repeat(511)}\n${text.padEnd(BLOCK, '#')}after`);
  }

  say(...args: readonly string[]): string {
    return execFileSync(this.tool, args, { encoding: 'utf8' }).trim();
  }

  status(...args: readonly string[]): number | null {
    return spawnSync(this.tool, args).status;
  }

  whole(): string {
    return readFileSync(this.disk, 'utf8');
  }

  /** As the boot loader does it. */
  start(slot: 'A' | 'B', times: number): void {
    const now = Number(this.say('get', `${slot}_TRY`)) + times;
    const text = this.whole().replace(new RegExp(`^${slot}_TRY=\\d+$`, 'm'), `${slot}_TRY=${now}`);
    const block = text.slice(512, text.lastIndexOf('#') + 1);
    const fits = block.replace(/#+$/, '').padEnd(BLOCK, '#');
    writeFileSync(this.disk, `${text.slice(0, 512)}${fits}after`);
  }
}

test('a new image has three starts, one that was in service twelve', (t) => {
  const env = new Env(t);
  env.say('set-primary', 'B');
  t.is(env.say('get-primary'), 'B');
  env.start('B', 2);
  t.is(env.say('get-state', 'B'), 'good');
  env.start('B', 1);
  t.is(env.say('get-state', 'B'), 'bad');
  t.is(env.say('get-primary'), 'A');
  env.say('set-state', 'B', 'good');
  t.is(env.say('get', 'B_TRY'), '0');
  env.start('B', 11);
  t.is(env.say('get-primary'), 'B');
  env.start('B', 1);
  t.is(env.say('get-primary'), 'A');
});

test('starts from which nothing came up count threefold, of a slot that was in service', (t) => {
  const env = new Env(t);
  env.say('set-state', 'B', 'good');
  env.say('set-state', 'A', 'good');
  for (const tries of ['4', '8', '12']) {
    env.start('A', 1);
    env.say('failed', 'A');
    t.is(env.say('get', 'A_TRY'), tries);
  }
  t.is(env.say('get-primary'), 'B');
  env.say('failed', 'A');
  t.is(env.say('get', 'A_TRY'), '12');
  env.say('set-primary', 'A');
  env.start('A', 1);
  env.say('failed', 'A');
  t.is(env.say('get', 'A_TRY'), '1', 'a new image is counted by its starts');
});

test('what was made the next, or is bad, is not proved any more', (t) => {
  const env = new Env(t);
  for (const say of [
    ['set-primary', 'B'],
    ['set-state', 'B', 'bad'],
  ]) {
    env.say('set-state', 'B', 'good');
    t.is(env.say('get', 'B_PROVED'), '1');
    env.say(...say);
    t.is(env.say('get', 'B_PROVED'), '0');
  }
});

test('in place: nothing else of the disk changes, whatever is asked', (t) => {
  const env = new Env(t);
  for (const bad of [['set-state', 'C', 'good'], ['set', 'A_OK', '1'], ['failed'], ['what']]) {
    t.is(env.status(...bad), 2, bad.join(' '));
  }
  env.say('set', 'MACHINE', 'f'.repeat(32));
  env.say('set', 'RESET', '1');
  const text = env.whole();
  t.is(text.length, 512 + BLOCK + 5);
  t.true(
    text.startsWith(`${'x'.repeat(511)}\n# GRUB Environment Block\n`) && text.endsWith('#after'),
  );
  t.is(env.say('get', 'MACHINE'), 'f'.repeat(32));
});

test('the boot loader saves what the tool reads, and knows the same numbers', (t) => {
  const names = /^NAMES=\((.*)\)$/m.exec(SCRIPT)?.[1]?.split(' ') ?? [];
  t.true(names.length > 6);
  for (const [, saved] of GRUB.matchAll(/^save_env --file "\$env" (.*)$/gm)) {
    t.deepEqual(saved?.split(' '), names);
  }
  const [, proved, trial] = /set most=(\d+); else set most=(\d+)/.exec(GRUB) ?? [];
  const [, one, other] = /then echo (\d+); else echo (\d+)/.exec(SCRIPT) ?? [];
  t.deepEqual([proved, trial], [one, other]);
  t.deepEqual([proved, trial], ['12', '3']);
});
