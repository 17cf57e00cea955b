/**
 * The upgrade of a pair: what becomes of it when anything happens at any moment of it. At every moment at
 * most one box is away by our doing, none restarts as primary, and in the end both run a good slot.
 */

import test, { type ExecutionContext } from 'ava';
import { Upgrade } from '../../src/panel/system/upgrade.ts';
import type { UpgradeEffect } from '../../src/panel/system/upgrade-terms.ts';
import { type Content, FAULTS, type Fault } from './upgrade-faults.ts';
import { SIDES, type Side, World } from './upgrade-world.ts';

const MINUTE = 60_000;
const GOOD: Content = { version: '2', kind: 'good' };

function install(
  content: Content,
  faults: Iterable<readonly [number, Fault]> = [],
  at: Side = 'a',
): World {
  const world = new World(faults);
  world.sticks['bundle'] = content;
  world.ask(at, 1, { verb: 'install', source: 'bundle' });
  world.settle();
  return world;
}

function ended(world: World, side: Side): boolean {
  const phase = world.boxes[side].record?.phase;
  return phase === undefined || phase === 'proved' || phase === 'failed';
}

/** What holds whatever happened. @returns what does not. */
function wrongs(world: World, versions: readonly string[]): string[] {
  const wrong = [...world.violations];
  for (const side of SIDES) {
    const box = world.boxes[side];
    const { ok, tries, content } = box.slots[box.slot];
    if (box.state !== 'on') wrong.push(`${side} is ${box.state}`);
    if (!ok || tries !== 0) wrong.push(`${side} runs slot ${box.slot}: ok ${ok}, tries ${tries}`);
    if (!versions.includes(content.version)) wrong.push(`${side} runs ${content.version}`);
    if (!ended(world, side)) wrong.push(`${side} is ${box.record?.phase} for ever`);
    if (box.order[0] !== box.slot) wrong.push(`${side} starts from ${box.order[0]} next time`);
  }
  const roles = SIDES.map((side) => world.boxes[side].role).sort();
  if (roles.join() !== 'backup,primary') wrong.push(`roles ${roles.join()}`);
  return wrong;
}

function fine(t: ExecutionContext, world: World, versions: readonly string[], what: string): void {
  const wrong = wrongs(world, versions);
  if (wrong.length > 0) t.log(world.story.join('\n'));
  t.deepEqual(wrong, [], what);
}

for (const at of SIDES) {
  test(`asked for at box ${at}: the backup goes first, the primary hands over, both are proved`, (t) => {
    const world = install(GOOD, [], at);
    fine(t, world, ['2'], 'nothing happened');
    t.like(world.boxes[at].answers[1], { ok: true, version: '2' });
    t.deepEqual(
      SIDES.map((side) => world.boxes[side].record?.phase),
      ['proved', 'proved'],
    );
    const order = world.story.filter((line) => /restarts as|handed over/.test(line));
    t.deepEqual(
      order.map((line) => line.trim().split(' ').slice(1, 4).join(' ').replace(/;.*/, '')),
      ['b restarts as', 'a handed over', 'a restarts as'],
    );
    // bundles are not kept
    for (const side of SIDES) t.is(world.boxes[side].bundle, undefined);
  });
}

for (const fault of FAULTS) {
  test(`${fault} at every doing: goes on or goes back, never both away`, (t) => {
    const { doings } = install(GOOD);
    t.true(doings > 25);
    for (let at = 1; at <= doings; at += 1) {
      fine(t, install(GOOD, [[at, fault]]), ['1', '2'], `${fault} at ${at}`);
    }
  });
}

const BAD: readonly (readonly [Content['kind'], RegExp])[] = [
  ['no-boot', /did not start/],
  ['no-service', /its service does not answer/],
  ['no-step', /never was in step/],
];
for (const [kind, reason] of BAD) {
  test(`a bundle that is ${kind}: one box tried it, both run what they ran`, (t) => {
    const world = install({ version: '2', kind });
    fine(t, world, ['1'], kind);
    t.regex(world.boxes.b.record?.reason ?? '', reason);
    t.regex(world.boxes.a.record?.reason ?? '', /the other box: /);
    t.not(world.boxes.a.alarm, '');
    t.false(world.story.some((line) => line.includes(' a restarts')));
    for (const fault of FAULTS) {
      for (let at = 1; at <= world.doings; at += 1) {
        const again = install({ version: '2', kind }, [[at, fault]]);
        // a primary may be left with it: an alarm says so, and callers have what there is
        const versions = kind === 'no-boot' ? ['1'] : ['1', '2'];
        t.deepEqual(again.violations, [], `${kind}, ${fault} at ${at}`);
        for (const side of SIDES) {
          t.true(versions.includes(again.boxes[side].version()), `${kind}, ${fault} at ${at}`);
          t.is(again.boxes[side].state, 'on', `${kind}, ${fault} at ${at}`);
        }
      }
    }
  });
}

test('two faults at any two moments', (t) => {
  const { doings } = install(GOOD);
  let seed = 12345;
  const chance = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  for (let run = 0; run < 400; run += 1) {
    const faults = [1, 2].map(
      () => [1 + chance(doings + 10), FAULTS[chance(FAULTS.length)] as Fault] as const,
    );
    fine(t, install(GOOD, faults), ['1', '2'], JSON.stringify(faults));
  }
});

test('a bundle signed by a stranger is refused where it is asked for', (t) => {
  const world = install({ version: '2', kind: 'stranger' });
  t.like(world.boxes.a.answers[1], { error: 'image-signature' });
  t.is(world.boxes.a.record, undefined);
  t.is(world.boxes.b.record, undefined);
});

test('a box without its peer wants to be forced', (t) => {
  const world = new World();
  world.sticks['bundle'] = GOOD;
  world.powerOff(world.boxes.b);
  world.run(MINUTE);
  world.ask('a', 1, { verb: 'install', source: 'bundle' });
  t.like(world.boxes.a.answers[1], { error: 'image-alone' });
  world.ask('a', 2, { verb: 'install', source: 'bundle', force: true });
  world.run(10 * MINUTE);
  t.is(world.boxes.a.version(), '2');
  t.is(world.boxes.a.record?.phase, 'proved');
  t.is(world.boxes.a.slots.B.tries, 0);
});

test('by hand: back to the other slot, the primary hands over first, and there again', (t) => {
  const world = install(GOOD);
  const primary = SIDES.find((side) => world.boxes[side].role === 'primary') as Side;
  world.ask(primary, 2, { verb: 'rollback' });
  world.run(20 * MINUTE);
  t.deepEqual(world.violations, []);
  t.is(world.boxes[primary].version(), '1');
  t.is(world.boxes[primary].record?.phase, 'proved');
  world.ask(primary, 3, { verb: 'activate' });
  world.run(20 * MINUTE);
  t.is(world.boxes[primary].version(), '2');
  fine(t, world, ['2'], 'there again');
});

test('taken back while it is under way: it stops where it is, on both boxes', (t) => {
  const world = new World();
  world.sticks['bundle'] = GOOD;
  world.ask('a', 1, { verb: 'install', source: 'bundle' });
  world.run(12_000);
  world.ask('a', 2, { verb: 'install', source: 'bundle' });
  t.like(world.boxes.a.answers[2], { error: 'image-busy' });
  world.ask('a', 3, { verb: 'rollback' });
  t.like(world.boxes.a.answers[3], { ok: true });
  world.run(20 * MINUTE);
  fine(t, world, ['1'], 'taken back');
});

test('a failure is an alarm until somebody has read it', (t) => {
  const world = install({ version: '2', kind: 'no-boot' });
  for (const side of SIDES) {
    const box = world.boxes[side];
    t.not(box.alarm, '');
    world.ask(side, 2, { verb: 'confirm' });
    world.run(MINUTE);
    t.is(box.alarm, '');
    t.is(box.record?.phase, 'failed');
    t.true(box.record?.steps.some((step) => step.phase === 'failed' && step.text !== ''));
  }
});

test('what is asked for while the box does something short is done after it', (t) => {
  const machine = new Upgrade({ boot: '1', slot: 'A' }, undefined, { now: 0, wall: 0 });
  const out: UpgradeEffect[] = [];
  const at = (now: number) => ({ now, wall: now });
  const view = { service: 'up', role: 'primary', inStep: true, vip: true, vipAsked: true } as const;
  machine.step(at(1), { kind: 'pair', view }, out);
  machine.step(at(20_000), { kind: 'pair', view }, out);
  t.deepEqual(out.at(-1), { kind: 'do', operation: { op: 'mark-good' } });
  const install = { verb: 'install', source: '/x', force: true } as const;
  machine.step(at(20_001), { kind: 'request', id: 1, request: install }, out);
  machine.step(at(20_002), { kind: 'request', id: 2, request: install }, out);
  t.like(out.at(-1), { kind: 'answer', id: 2, value: { error: 'image-busy' } });
  machine.step(at(20_003), { kind: 'done', op: 'mark-good', fault: '' }, out);
  t.deepEqual(out.at(-1), { kind: 'do', operation: { op: 'take', source: '/x' } });
  t.true(machine.confirmed);
});
