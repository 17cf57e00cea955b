/**
 * The upgrade of a pair by two agents as processes: the bundle goes over their link, the backup goes
 * first, the primary hands over, both end on the new slot; and what becomes of bundles that are no good.
 */

import { existsSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { type Json, SIDES, UpgradeBoxes, until } from './upgrade-boxes.ts';

async function pair(t: ExecutionContext): Promise<UpgradeBoxes> {
  const boxes = new UpgradeBoxes();
  t.teardown(async () => {
    await boxes.close();
    if (t.passed) return;
    t.log(boxes.story.join('\n'));
    for (const side of SIDES) t.log(side, boxes.words(side));
  });
  void boxes.watch();
  for (const side of SIDES) await boxes.start(side);
  await boxes.linked();
  return boxes;
}

/** The agent asks the daemon once a second: only then it knows that they are in step. */
async function install(boxes: UpgradeBoxes, source: string): Promise<Json> {
  let answer: Json = {};
  await until('an answer that is not of the beginning', async () => {
    answer = await boxes.ask('a', { command: 'image', verb: 'install', source });
    return !/image-alone|image-not-in-step|image-busy/.test(String(answer['error']));
  });
  return answer;
}

test.serial('N to N+1: one after the other, by a planned switchover', async (t) => {
  const boxes = await pair(t);
  const stranger = boxes.bundle('stranger.raucb', { version: '9', by: 'stranger' });
  t.like(await install(boxes, stranger), { error: 'image-signature' });
  t.like(await install(boxes, '/nowhere/at-all.raucb'), { error: 'image-file' });
  const other = boxes.bundle('other.raucb', { version: '9', compatible: 'toaster' });
  t.like(await install(boxes, other), { error: 'image-bundle' });

  const source = boxes.bundle('two.raucb', { version: '2' }, 3_000_000);
  t.like(await install(boxes, source), { ok: true, version: '2' });
  for (const side of SIDES) {
    await until(`${side} is proved`, async () => (await boxes.phase(side)) === 'proved');
    t.is(await boxes.version(side), '2');
  }
  t.deepEqual(boxes.both, []);
  t.deepEqual(
    boxes.story.filter((line) => !line.includes(', 1')),
    [
      'b restarts as backup',
      'b starts from B, 2',
      'a hands over',
      'a restarts as backup',
      'a starts from B, 2',
    ],
  );
  const { slots, upgrade } = await boxes.ask('a', { command: 'image', verb: 'status' });
  t.like(slots, [
    { slot: 'A', booted: false, version: '1' },
    { slot: 'B', booted: true, state: 'good', tries: 0, version: '2' },
  ]);
  t.true(((upgrade as Json)['steps'] as readonly unknown[]).length > 4);
  await until('the bundles are gone', () =>
    SIDES.every((side) => !existsSync(boxes.path(side, 'data/image/bundle.raucb'))),
  );
});

test.serial(
  'a bundle that does not start: the box that tried it is back, the other was not touched',
  async (t) => {
    const boxes = await pair(t);
    const source = boxes.bundle('bad.raucb', { version: '2', starts: false });
    t.like(await install(boxes, source), { ok: true });
    for (const side of SIDES) {
      await until(`${side} gave it up`, async () => (await boxes.phase(side)) === 'failed');
      t.is(await boxes.version(side), '1');
    }
    t.deepEqual(boxes.both, []);
    t.is(boxes.story.filter((line) => line === 'b starts from B, 2').length, 3);
    t.false(boxes.story.includes('a restarts as backup'));
    const { alarms } = await boxes.ask('b', { command: 'state' });
    t.true((alarms as readonly Json[]).some(({ code }) => code === 'image-failed'));
  },
);
