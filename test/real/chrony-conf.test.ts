/** Debian's chronyd reads the file made for it, and finds no mistake. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { chronyConf } from '../../src/panel/telemetry/chrony-conf.ts';

const CHRONYD = '/usr/sbin/chronyd';

/** chronyd prints the configuration it understood, and does nothing else. */
function understood(text: string): { readonly status: number | null; readonly out: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-chrony-'));
  const path = join(folder, 'chrony.conf');
  writeFileSync(path, text);
  const run = spawnSync(CHRONYD, ['-p', '-f', path], { encoding: 'utf8', timeout: 60_000 });
  rmSync(folder, { recursive: true });
  return { status: run.status, out: run.stdout + run.stderr };
}

test('chronyd takes the file', (t) => {
  const text = chronyConf(['ntp.example.net', '192.0.2.1'], { drift: '/tmp/drift' });
  const { status, out } = understood(text);
  t.is(status, 0, out);
  t.regex(out, /server 192\.0\.2\.1 iburst/);
});

test('and would say so if it did not', (t) => {
  const text = chronyConf([], { drift: '/tmp/drift' });
  t.not(understood(`${text}server\n`).status, 0);
});
