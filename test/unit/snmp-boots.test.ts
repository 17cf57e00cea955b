/** The script that counts the starts of snmpd: it rises whatever becomes of the file, and never fails for it. */

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ROOT } from '../lab/places.ts';

const SCRIPT = readFileSync(join(ROOT, 'image/root/usr/lib/sipair/snmp-boots'), 'utf8');
/** The clock counts from here, s. */
const Y2026 = Date.UTC(2026, 0, 1) / 1000;

class Box {
  readonly root: string;

  constructor(t: ExecutionContext) {
    this.root = mkdtempSync(join(tmpdir(), 'sipair-boots-'));
    t.teardown(() => rmSync(this.root, { recursive: true }));
    for (const folder of ['data/snmp', 'run/snmp', 'sys/class/net/eth0', 'bin']) {
      mkdirSync(this.at(folder), { recursive: true });
    }
    writeFileSync(this.at('sys/class/net/eth0/address'), '52:54:00:12:0a:ff\n');
    writeFileSync(this.at('run/snmp/snmpd.conf'), 'engineIDType 3\nengineIDNic eth0\n');
  }

  at(name: string): string {
    return join(this.root, name);
  }

  keep(text: string): void {
    writeFileSync(this.at('data/snmp/boots'), text);
  }

  get kept(): string {
    return readFileSync(this.at('data/snmp/boots'), 'utf8');
  }

  /** @returns what snmpd will say, and what the script complains of. */
  start(clock: number): { readonly boots: number; readonly said: string } {
    writeFileSync(this.at('bin/date'), `#!/bin/sh\necho ${Y2026 + clock}\n`, { mode: 0o755 });
    const here = SCRIPT.replace(/^(KEPT|TOLD|CONF|SYS)=/gm, (line) => line + this.root);
    const PATH = `${this.at('bin')}:${process.env['PATH']}`;
    const end = spawnSync('bash', ['-c', here], {
      encoding: 'utf8',
      env: { ...process.env, PATH },
    });
    const told = readFileSync(this.at('run/snmp/boots.conf'), 'utf8');
    const [, before] =
      /^engineBoots (\d+)\noldEngineID 0x80001f8803525400120aff\n$/.exec(told) ?? [];
    return { boots: end.status === 0 ? Number(before) + 1 : Number.NaN, said: end.stderr };
  }
}

test('each start counts one more, whatever the clock says', (t) => {
  const box = new Box(t);
  t.deepEqual(box.start(1000), { boots: 1000, said: '' });
  t.deepEqual(box.start(1000), { boots: 1001, said: '' });
  t.is(box.kept, '1001\n');
  // no battery: the clock is that of the image, or of 1970
  t.is(box.start(-1).boots, 1002);
  t.is(box.start(-Y2026).boots, 1003);
  t.is(box.start(5000).boots, 5000);
});

test('a count that is damaged or gone begins at the clock, not at one', (t) => {
  const box = new Box(t);
  t.is(box.start(700).boots, 700);
  for (const [i, text] of [
    '',
    '12',
    'abc\n',
    '\0\0\0\0\n',
    '-5\n',
    '9999999999\n',
    '08\n',
  ].entries()) {
    box.keep(text);
    const { boots, said } = box.start(701 + i);
    t.is(boots, 701 + i, text);
    t.regex(said, /is damaged/);
  }
  rmSync(box.at('data/snmp'), { recursive: true });
  t.deepEqual(box.start(800), { boots: 800, said: '' });
});

test('a disk that is full or takes nothing is said, and the count rises with the clock', (t) => {
  const box = new Box(t);
  box.keep('41\n');
  symlinkSync('/dev/full', box.at('data/snmp/boots.new'));
  const full = box.start(50);
  t.is(full.boots, 50);
  t.regex(full.said, /not kept: .*No space left/);
  t.is(box.kept, '41\n', 'what was kept is whole');
  rmSync(box.at('data/snmp'), { recursive: true });
  writeFileSync(box.at('data/snmp'), '');
  const refused = box.start(60);
  t.is(refused.boots, 60);
  t.regex(refused.said, /not kept/);
});

test('the highest count is never reached: nobody would understand the engine any more', (t) => {
  const box = new Box(t);
  box.keep('2147483645\n');
  t.is(box.start(10).boots, 2_147_483_646);
  t.is(box.start(11).boots, 11);
  t.is(box.start(2_147_483_647).boots, 12);
  t.true(existsSync(box.at('run/snmp/boots.conf')));
});
