/**
 * Who is given the lead, and who keeps it: no box on trial is handed it, a new release leads before the
 * last box with the old one goes, and an operator's order holds for a primary too.
 */

import test, { type ExecutionContext } from 'ava';
import { FAULTS, type Fault, type Kind } from './upgrade-faults.ts';
import { SIDES, type Side, World } from './upgrade-world.ts';

const MINUTE = 60_000;

function sideOf(world: World, role: 'primary' | 'backup'): Side {
  return SIDES.find((side) => world.boxes[side].role === role) as Side;
}

/** Both operators type it, the one at the primary a little later. */
function bothRollBack(
  laterMs: number,
  faults: Iterable<readonly [number, Fault]> = [],
  spare: Kind = 'good',
): World {
  const world = new World(faults);
  for (const side of SIDES) world.boxes[side].slots.B.content = { version: '0', kind: spare };
  const [backup, primary] = [sideOf(world, 'backup'), sideOf(world, 'primary')];
  world.ask(backup, 1, { verb: 'rollback' });
  world.run(laterMs);
  world.ask(primary, 1, { verb: 'rollback' });
  world.settle();
  return world;
}

function count(world: World, what: RegExp): number {
  return world.story.filter((line) => what.test(line)).length;
}

/** Until then, or for ten minutes. */
function until(world: World, ms: number, done: () => boolean): void {
  for (const end = world.now + 10 * MINUTE; !done() && world.now < end; ) world.run(ms);
}

function told(t: ExecutionContext, world: World): void {
  t.teardown(() => {
    if (!t.passed) t.log(world.story.join('\n'));
  });
}

for (const laterMs of [0, 1, 300, 55_000, 75_000, 130_000]) {
  test(`rollback on both consoles, ${laterMs} ms apart: the backup first, the lead goes over once`, (t) => {
    const world = bothRollBack(laterMs);
    told(t, world);
    t.deepEqual(world.violations, []);
    for (const side of SIDES) {
      t.is(world.boxes[side].version(), '0');
      t.is(world.boxes[side].record?.phase, 'proved');
    }
    t.is(count(world, / handed over$/), 1);
    const lines = world.story.filter((line) => /proved|handed over/.test(line));
    t.regex(lines[0] ?? '', / b proved/, 'it is proved before it is given the lead');
  });
}

for (const fault of FAULTS) {
  test(`change of slot on both boxes, ${fault} at every doing`, (t) => {
    const { doings } = bothRollBack(55_000);
    t.true(doings > 10);
    for (let at = 1; at <= doings; at += 1) {
      const world = bothRollBack(55_000, [[at, fault]]);
      const what = `${fault} at ${at}`;
      const before = t.passed;
      t.deepEqual(world.violations, [], what);
      for (const side of SIDES) {
        const box = world.boxes[side];
        t.is(box.state, 'on', what);
        t.regex(box.record?.phase ?? 'failed', /^(proved|failed)$/, what);
        t.is(box.order[0], box.slot, what);
        t.is(box.slots[box.slot].tries, 0, what);
      }
      t.is(
        SIDES.map((side) => world.boxes[side].role)
          .sort()
          .join(),
        'backup,primary',
        what,
      );
      if (before && !t.passed) t.log(world.story.join('\n'));
    }
  });
}

test('a slot that is never in step is not given the lead by the other one whose change is due', (t) => {
  const world = bothRollBack(55_000, [], 'no-step');
  told(t, world);
  t.deepEqual(world.violations, []);
  t.is(count(world, / handed over$/), 0);
  t.is(world.boxes[sideOf(world, 'primary')].version(), '1');
});

for (const kind of ['no-lead', 'deaf'] as const) {
  test(`a bundle that is ${kind}: the last old box does not go`, (t) => {
    const world = new World();
    told(t, world);
    world.sticks['bundle'] = { version: '2', kind };
    world.ask('a', 1, { verb: 'install', source: 'bundle' });
    world.run(60 * MINUTE);
    t.deepEqual(world.violations, []);
    t.deepEqual(
      SIDES.map((side) => world.boxes[side].version()),
      ['1', '2'],
    );
    t.is(world.boxes.a.record?.phase, 'failed');
    t.not(world.boxes.a.alarm, '');
    t.true(count(world, / handed over$/) <= 3);
  });
}

/** The new release leads on trial, since the other box was lost meanwhile. */
function leadsOnTrial(t: ExecutionContext): World {
  const world = new World();
  told(t, world);
  world.sticks['bundle'] = { version: '2', kind: 'good' };
  world.ask('a', 1, { verb: 'install', source: 'bundle' });
  until(world, 1000, () => world.boxes.b.record?.phase === 'trial');
  world.powerOff(world.boxes.a);
  world.run(MINUTE);
  t.is(world.boxes.b.record?.phase, 'trial');
  t.is(world.boxes.b.role, 'primary');
  return world;
}

test('rollback on a primary on trial without the other box: refused with the reason, or forced', (t) => {
  const world = leadsOnTrial(t);
  const { b } = world.boxes;
  world.ask('b', 2, { verb: 'rollback' });
  t.like(b.answers[2], { error: 'image-alone' });
  world.ask('b', 3, { verb: 'rollback', force: true });
  t.like(b.answers[3], { ok: true });
  world.run(5 * MINUTE);
  t.is(b.version(), '1');
  t.is(b.record?.phase, 'failed');
  t.is(b.record?.reason, 'an operator took it back');
});

test('rollback on a primary on trial: the other box takes over, and then it goes back', (t) => {
  const world = leadsOnTrial(t);
  const { a, b } = world.boxes;
  world.powerOn(a);
  until(world, 500, () => a.agent !== undefined);
  world.ask('b', 2, { verb: 'rollback' });
  t.like(b.answers[2], { error: 'image-alone' }, 'the link is not up yet');
  world.run(9000);
  world.ask('b', 3, { verb: 'rollback' });
  t.like(b.answers[3], { ok: true });
  world.run(10 * MINUTE);
  t.deepEqual(world.violations, []);
  t.is(b.version(), '1');
  t.is(b.record?.phase, 'failed');
  t.is(b.slots.B.ok, false);
  t.is(a.role, 'primary');
  t.is(b.unproved, '');
});
