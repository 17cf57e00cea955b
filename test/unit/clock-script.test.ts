/** The script that decides when the clock may leap: with the first answers after the machine was started, and not again. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ROOT } from '../lab/places.ts';

const image = (name: string): string => readFileSync(join(ROOT, 'image/root', name), 'utf8');
const SCRIPT = image('usr/lib/sipair/clock');

/** A machine on which the clock follows a server from the `syncAt`th question on. */
class Machine {
  readonly root: string;

  constructor(t: ExecutionContext, syncAt: number) {
    this.root = mkdtempSync(join(tmpdir(), 'sipair-clock-'));
    t.teardown(() => rmSync(this.root, { recursive: true }));
    const said = this.at('said');
    const lines = [
      '#!/bin/bash',
      `echo "$*" >>${said}`,
      `[[ "$*" != *waitsync* ]] || [ $(grep -c waitsync ${said}) -ge ${syncAt} ]`,
    ];
    writeFileSync(this.at('chronyc'), lines.join('\n'), { mode: 0o755 });
    writeFileSync(this.at('sleep'), '#!/bin/sh\n', { mode: 0o755 });
  }

  at(name: string): string {
    return join(this.root, name);
  }

  /** @returns what chronyd is told. */
  clock(verb: string): string {
    rmSync(this.at('said'), { force: true });
    writeFileSync(this.at('said'), '');
    const here = SCRIPT.replace('/run/sipair/clock-right', this.at('clock-right'));
    const PATH = `${this.root}:${process.env['PATH']}`;
    spawnSync('bash', ['-c', here, 'clock', verb], { env: { ...process.env, PATH } });
    return readFileSync(this.at('said'), 'utf8').trim();
  }
}

test('it leaps with the first answers, whenever they come', (t) => {
  const machine = new Machine(t, 3);
  t.is(machine.clock('started'), 'makestep 0.5 3');
  t.is(machine.clock('started'), 'makestep 0.5 3', 'no server was heard yet');
  const asked = machine.clock('watch').split('\n');
  t.deepEqual(
    asked.map((line) => /waitsync 1$|burst 4\/8$/.exec(line)?.[0]),
    ['waitsync 1', 'burst 4/8', 'waitsync 1', 'burst 4/8', 'waitsync 1'],
  );
  t.true(existsSync(machine.at('clock-right')));
});

test('after that no start of chronyd lets it leap', (t) => {
  const machine = new Machine(t, 1);
  machine.clock('watch');
  t.is(machine.clock('started'), '');
});

test('chronyd is told after each of its starts, with the right to, and a fault of it is none of chronyd', (t) => {
  const unit = image('etc/systemd/system/chrony.service.d/10-sipair.conf');
  t.regex(unit, /^ExecStartPost=-\+\/usr\/lib\/sipair\/clock started$/m);
  t.regex(image('etc/systemd/system/sipair-clock.service'), /^ExecStart=\S+\/clock watch$/m);
});
