/** The units of the box as systemd itself judges them: no word it does not know, and how exposed each is. */

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { ROOT } from '../tidy/source.ts';

const FOLDER = join(ROOT, 'systemd');
const UNITS = '/usr/lib/systemd/system';
const HOME = '/usr/lib/sipair';

/** systemd's exposure level, 0 (none) to 10: what is reached, with a little air for other versions. */
const EXPOSURE: { readonly [unit: string]: number } = {
  'sipair.service': 3.2,
  'sipair-system.service': 5.3,
  'sipair-monitor.service': 2.8,
  'sipair-console@ttyS0.service': 4.2,
};

let root: string;

test.before(() => {
  // a root like that of a box: ours, what ours order themselves by, and the program
  root = mkdtempSync('/tmp/sipair-units-');
  mkdirSync(join(root, HOME), { recursive: true });
  writeFileSync(join(root, HOME, 'sipair'), '#!/bin/true\n', { mode: 0o755 });
  cpSync(UNITS, join(root, UNITS), { recursive: true, verbatimSymlinks: true });
  cpSync(FOLDER, join(root, UNITS), { recursive: true });
});

test.after.always(() => {
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
});

function analyze(...args: string[]): { readonly out: string; readonly complaints: string } {
  const end = spawnSync('systemd-analyze', [...args, `--root=${root}`], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', SYSTEMD_COLORS: '0' },
  });
  return { out: end.stdout ?? '', complaints: end.stderr ?? String(end.error) };
}

test('there is a unit for each process of the box, and no other', (t) => {
  const templates = Object.keys(EXPOSURE).map((unit) => unit.replace('@ttyS0', '@'));
  t.deepEqual(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith('.service'))
      .sort(),
    templates.sort(),
  );
});

for (const [unit, limit] of Object.entries(EXPOSURE)) {
  test(`${unit}: systemd understands all of it`, (t) => {
    t.is(analyze('verify', '--man=no', unit).complaints, '');
  });

  test(`${unit} is no more exposed than it must be`, (t) => {
    const { out } = analyze('security', '--offline=true', '--no-pager', unit);
    const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(out)?.[1]);
    t.log(`exposure level ${level}`);
    t.true(level <= limit, `${level}: ${out}`);
  });
}

for (const name of ['sipair', 'sipair-system', 'sipair-monitor']) {
  test(`${name}: systemd hears that it serves, and begins it anew when it hangs`, (t) => {
    const text = readFileSync(join(FOLDER, `${name}.service`), 'utf8');
    t.regex(text, /^Type=notify$/m);
    t.regex(text, /^WatchdogSec=\d+s$/m);
    t.regex(text, /^WatchdogSignal=SIGKILL$/m);
    t.regex(text, /^Restart=always$/m);
    t.regex(text, /^StartLimitIntervalSec=0$/m);
  });
}

test('lamps: the monitor blinks by the kernel, and when it has ended they say so', (t) => {
  const text = readFileSync(join(FOLDER, 'sipair-monitor.service'), 'utf8');
  t.regex(text, /^ExecStopPost=-.*\/sipair leds down/m);
  // without them the kernel blinks nothing, and who says `down` does not stay
  for (const module of ['ledtrig_timer', 'ledtrig_pattern']) {
    t.regex(text, new RegExp(`^Wants=.*modprobe@${module}\\.service`, 'm'));
    t.regex(text, new RegExp(`^After=.*modprobe@${module}\\.service`, 'm'));
  }
});

const OF_IMAGE = [
  { unit: 'sipair-smart.service', script: 'smart', limit: 2.5 },
  { unit: 'sipair-smart.timer', script: 'smart', limit: 0 },
  { unit: 'sipair-clock.service', script: 'clock', limit: 2.5 },
] as const;

for (const { unit, script, limit } of OF_IMAGE) {
  test(`${unit}, of the image: systemd understands all of it, and it may do no more than it must`, (t) => {
    const image = join(ROOT, 'image/root');
    for (const name of OF_IMAGE.map((one) => one.unit)) {
      cpSync(join(image, 'etc/systemd/system', name), join(root, UNITS, name));
    }
    cpSync(join(image, HOME, script), join(root, HOME, script));
    t.is(analyze('verify', '--man=no', unit).complaints, '');
    if (limit === 0) return;
    const { out } = analyze('security', '--offline=true', '--no-pager', unit);
    const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(out)?.[1]);
    t.true(level <= limit, `${level}: ${out}`);
  });
}

for (const [unit, program] of [
  ['chrony', 'chronyd'],
  ['snmpd', 'snmpd'],
] as const) {
  test(`${unit}: systemd understands what we change of it, and begins it anew however often it ends`, (t) => {
    const dropIn = `etc/systemd/system/${unit}.service.d/10-sipair.conf`;
    const text = readFileSync(join(ROOT, 'image/root', dropIn), 'utf8');
    t.regex(text, /^Restart=on-failure$/m);
    t.regex(text, /^StartLimitIntervalSec=0$/m);
    // less and less often: each start of snmpd is written down
    t.regex(text, /^RestartSteps=8\nRestartMaxDelaySec=60s$/m);
    cpSync(join(ROOT, 'image/root', dropIn), join(root, dropIn), { recursive: true });
    const scripts = [...text.matchAll(/^ExecStart\w+=[-+]*\/usr\/lib\/sipair\/(\S+)/gm)];
    t.is(scripts.length, 1);
    for (const [, name = ''] of scripts) {
      cpSync(join(ROOT, 'image/root', HOME, name), join(root, HOME, name));
    }
    for (const path of [`usr/sbin/${program}`, 'bin/kill']) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), '#!/bin/true\n', { mode: 0o755 });
    }
    const { complaints } = analyze('verify', '--man=no', `${unit}.service`);
    // those of the image's systemd, 254 or later
    const newer = /^.*Unknown key '(RestartSteps|RestartMaxDelaySec)' .*\n?/gm;
    t.is(complaints.replace(newer, ''), '');
  });
}

test('what is misspelt is seen', (t) => {
  const text = readFileSync(join(FOLDER, 'sipair.service'), 'utf8');
  const bad = text
    .replace('LockPersonality=', 'LockPersonalty=')
    .replace('@system-service @pkey', '@system-service @pkeys');
  writeFileSync(join(root, UNITS, 'sipair-bad.service'), bad);
  const { complaints } = analyze('verify', '--man=no', 'sipair-bad.service');
  t.regex(complaints, /LockPersonalty/);
  t.regex(complaints, /@pkeys/);
});
