/**
 * Twenty calls over three deaths of whoever leads: each box has each of them once in its file, and
 * both files are the same. What `sipair cdr` says of them is what happened.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import type { BoxName } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { RemoteCrowd } from './client/remote.ts';

const CALLS = 20;

/** Whole lines of a box's files. */
function lines(lab: Lab, box: BoxName): string[] {
  const folder = join(lab.places.data(box), 'cdr');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'latin1').split('\n').slice(0, -1));
}

async function killAndReplace(lab: Lab): Promise<void> {
  const { primary } = await lab.ready();
  const box = primary ?? 'a';
  await lab.kill(box);
  await lab.start(box);
  await lab.ready();
}

test.serial('20 calls, three kills: 20 CDRs in the file of each box, and the same', async (t) => {
  const lab = await createLab({ name: labName('cdr') });
  t.teardown(() => lab.down());
  const crowd = await RemoteCrowd.start(lab);
  t.deepEqual((await crowd.register()).failed, []);
  t.deepEqual((await crowd.establish(CALLS)).failed, []);
  await killAndReplace(lab);
  await lab.ready();
  // the second one dies while they hang up: who was not answered says it again
  const ending = crowd.hangUp(0);
  await sleep(30);
  await killAndReplace(lab);
  const ended = await ending;
  t.deepEqual(ended.failed, []);
  await killAndReplace(lab);
  const patience = performance.now() + 60_000;
  const all = (): boolean => (['a', 'b'] as const).every((box) => lines(lab, box).length >= CALLS);
  while (!all() && performance.now() < patience) await sleep(200);
  // and none is written once more
  await sleep(2000);
  const [a, b] = [lines(lab, 'a'), lines(lab, 'b')];
  t.is(a.length, CALLS);
  t.deepEqual([...b].sort(), [...a].sort());
  t.is(new Set(a.map((line) => JSON.parse(line).guid)).size, CALLS);
  for (const line of a) {
    const cdr = JSON.parse(line);
    t.is(cdr.cause, 'normalClearing');
    t.is(cdr.devices.length, 2);
    t.true(cdr.answer >= cdr.start && cdr.end >= cdr.answer);
  }
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const config = lab.places.config('a');
  const csv = execFileSync(process.execPath, [main, 'cdr', '--config', config, '--csv'], {
    encoding: 'latin1',
  });
  t.is(csv.trimEnd().split('\r\n').length, CALLS + 1);
});
