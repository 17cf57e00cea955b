/** Two boxes out of the carton: no key, two operators, six digits; then they are a pair. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { BOXES, type BoxName, NODE, ROOT } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { until } from './native-help.ts';

/** The console of one box while `sipair pair` runs. */
class Console {
  said = '';
  code: number | null = null;
  private readonly child: ChildProcessWithoutNullStreams;

  constructor(lab: Lab, box: BoxName) {
    const verb = [NODE, join(ROOT, 'src/main.ts'), 'pair', '--config', lab.places.config(box)];
    this.child = lab.spawn(box, verb);
    this.child.stdin.on('error', () => {});
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (bytes) => {
        this.said += String(bytes);
      });
    }
    this.child.on('exit', (code) => {
      this.code = code;
    });
  }

  type(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  digits(): string {
    return /code: (\d{3} \d{3})/.exec(this.said)?.[1] ?? '';
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

test('pairing: both yes makes a pair, a no changes nothing, strangers do not disturb', async (t) => {
  const lab = await createLab({ name: labName('pairing'), wait: false });
  t.teardown(() => lab.down());
  for (const box of BOXES) await lab.kill(box);
  const keyFile = (box: BoxName): string => join(lab.places.data(box), 'pair.key');
  for (const box of BOXES) {
    const path = lab.places.config(box);
    const { key, ...config } = JSON.parse(readFileSync(path, 'utf8')) as { key: string };
    t.is(key.length, 64);
    writeFileSync(path, JSON.stringify({ ...config, keyFile: keyFile(box) }));
  }
  const consoles = (): { a: Console; b: Console } => {
    const two = { a: new Console(lab, 'a'), b: new Console(lab, 'b') };
    t.teardown(() => {
      for (const box of BOXES) two[box].kill();
    });
    return two;
  };
  const shown = ({ a, b }: { a: Console; b: Console }): Promise<void> =>
    until('both show digits', () => a.digits() !== '' && b.digits() !== '', 15_000);
  const over = ({ a, b }: { a: Console; b: Console }): Promise<void> =>
    until('both have ended', () => a.code !== null && b.code !== null, 15_000);

  // one says no
  const no = consoles();
  no.a.type('y'); // before there is anything to compare: not an answer
  await shown(no);
  t.is(no.a.digits(), no.b.digits());
  await sleep(300);
  t.is(no.a.code, null);
  no.a.type('y');
  no.b.type('n');
  await over(no);
  t.deepEqual([no.a.code, no.b.code], [1, 1]);
  t.regex(no.a.said, /pairing-refused: the operator at the other box said no/);
  t.regex(no.b.said, /pairing-refused: the operator at this box said no/);
  t.false(BOXES.some((box) => existsSync(keyFile(box))));

  // strangers first, then two yes
  const a = new Console(lab, 'a');
  t.teardown(() => a.kill());
  await until('a waits', () => a.said.includes('waiting'), 10_000);
  const garbage =
    'const s = require("net").connect(5407, "169.254.77.1", () => s.write("SSH-2.0-x\\r\\n"));' +
    's.on("close", () => process.exit(0)).on("error", () => {});';
  await lab.exec('b', [NODE, '-e', garbage], 10_000);
  await until('it is told', () => a.said.includes('pairing-magic'));
  const yes = { a, b: new Console(lab, 'b') };
  t.teardown(() => yes.b.kill());
  await shown(yes);
  t.is(yes.a.digits(), yes.b.digits());
  t.not(yes.a.digits(), no.a.digits());
  yes.a.type('perhaps');
  yes.a.type('Y');
  await sleep(200);
  t.false(
    BOXES.some((box) => existsSync(keyFile(box))),
    'one yes is not enough',
  );
  yes.b.type('yes');
  await over(yes);
  t.deepEqual([yes.a.code, yes.b.code], [0, 0], yes.a.said + yes.b.said);
  const [one, two] = BOXES.map((box) => readFileSync(keyFile(box), 'latin1'));
  t.is(one, two);
  t.regex(one ?? '', /^[0-9a-f]{64}\n$/);
  for (const box of BOXES) {
    t.is(statSync(keyFile(box)).mode & 0o777, 0o600);
    t.false(yes[box].said.includes((one ?? '').slice(0, 8)), 'the key is not printed');
  }

  for (const box of BOXES) await lab.start(box, { wait: false });
  t.true((await lab.ready()).inStep);
});
