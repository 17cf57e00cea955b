/** The script that watches a slot on trial: when it starts the machine anew, and when never. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { ROOT } from '../lab/places.ts';

const SCRIPT = readFileSync(join(ROOT, 'image/root/usr/lib/sipair/trial'), 'utf8');

type Machine = {
  /** How often the boot loader's count is looked at before the agent takes it back; 0: it does not. */
  readonly goodAt: number;
  readonly other: 'good' | 'bad';
  readonly agent: 'active' | 'failed';
  /** The wall clock leaps while it waits, seconds. */
  readonly leap: number;
  /** How long it waits, seconds. */
  readonly patience: number;
};

/** @returns what was asked of the boot loader and of systemd but to be shown a state. */
async function watched(t: ExecutionContext, machine: Machine): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'sipair-trial-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const at = (name: string): string => join(root, name);
  mkdirSync(at('bin'));
  writeFileSync(at('slot'), 'B\n');
  writeFileSync(at('said'), '');
  const program = (name: string, lines: readonly string[]): void => {
    writeFileSync(at(name), ['#!/bin/bash', ...lines, ''].join('\n'), { mode: 0o755 });
  };
  program('bootenv', [
    `[ "$1" = get-state ] && { echo ${machine.other}; exit; }`,
    `[ "$1" = failed ] && { echo "$@" >>${at('said')}; exit; }`,
    `echo x >>${at('looks')}`,
    `[ $(wc -l <${at('looks')}) = ${machine.goodAt} ] && echo 0 || echo 1`,
  ]);
  program('bin/systemctl', [
    `[ "$1" = show ] || { echo "$@" >>${at('said')}; exit; }`,
    `[ "$3" = ActiveState ] && echo ${machine.agent} || echo -100000000`,
  ]);
  program('bin/sleep', ['exec /bin/sleep 0.2']);
  const here = SCRIPT.replaceAll('/run/sipair/slot', at('slot'))
    .replaceAll('/usr/lib/sipair/bootenv', at('bootenv'))
    .replace('sleep 15', `sleep 15; SECONDS=$((SECONDS + ${machine.leap}))`);
  writeFileSync(at('trial'), here);
  const PATH = `${at('bin')}:${process.env['PATH']}`;
  const env = { ...process.env, PATH, SIPAIR_TRIAL_S: `${machine.patience}` };
  await promisify(execFile)('bash', [at('trial')], { env });
  return readFileSync(at('said'), 'utf8').trim();
}

const DEAD: Machine = { goodAt: 0, other: 'good', agent: 'failed', leap: 0, patience: 1 };
const GOOD: Machine = { ...DEAD, goodAt: 3, patience: 600 };
const REBOOT = 'failed B\n--no-block reboot';

test('neither agent nor service: anew, if the other slot is good', async (t) => {
  t.is(await watched(t, DEAD), REBOOT);
  t.is(await watched(t, { ...DEAD, other: 'bad' }), '');
  t.is(await watched(t, { ...DEAD, agent: 'active' }), '', 'its agent sees to the trial');
});

test('good while it waits: nothing, whatever the clock on the wall does', async (t) => {
  t.is(await watched(t, GOOD), '');
  t.is(await watched(t, { ...GOOD, leap: 1_700_000_000 }), '');
});
