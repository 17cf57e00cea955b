/**
 * A warm-standby pair in the simulated world: what it promises is less, and all of it is watched. One
 * voice, a quiet backup, a face that follows the role, equal registrations at equal positions; who is
 * registered stays registered; calls of before are answered 481, and new ones connect.
 */

import test, { type ExecutionContext } from 'ava';
import { BINDING } from '../../src/call/rows.ts';
import { faceFollowsRole } from '../oracle/face-follows-role.ts';
import { indexIsCache } from '../oracle/index-is-cache.ts';
import { oneVoice } from '../oracle/one-voice.ts';
import { quietBackup } from '../oracle/quiet-backup.ts';
import { samePositionSameTables } from '../oracle/same-position-same-tables.ts';
import { isEstablished } from '../world/book.ts';
import { VIP } from '../world/box.ts';
import { Injector } from '../world/faults.ts';
import { ledgerOf } from '../world/inside.ts';
import { describe, drawOptions, type FaultKind } from '../world/options.ts';
import { product, SHORT_PAIR } from '../world/product.ts';
import { type Oracle, World } from '../world/world.ts';

const SEEDS = 6;
/** A registration this old has long been acknowledged by a peer in step. */
const SETTLED = 1000;

/** registrations-kept: whoever leads next knows who is registered. Nothing waits, so not the newest. */
function registrationsKept(world: World): Oracle {
  const since = new Map<string, number>();
  let led = '';
  return {
    name: 'registrations-kept',
    quiet() {
      for (const phone of world.phones) {
        if (phone.registered && !since.has(phone.number)) since.set(phone.number, world.now);
      }
    },
    stepped(box, who) {
      const epoch = box.process?.engine.standing.epoch ?? 0;
      const key = `${box.id} ${box.lives} ${epoch}`;
      if (who !== 'sentry' || box.state !== 'primary' || key === led) return;
      led = key;
      const known = new Set([...(ledgerOf(box)?.rows(BINDING) ?? [])].map((row) => row.aor));
      for (const [number, at] of since) {
        if (world.now - at < SETTLED || known.has(number)) continue;
        world.violate('registrations-kept', `${box.id} has never heard of ${number}`);
      }
    },
  };
}

const ORACLES = [
  oneVoice,
  quietBackup,
  samePositionSameTables,
  indexIsCache,
  faceFollowsRole,
  registrationsKept,
];

function advance(world: World, ms: number, until: () => boolean = () => false): boolean {
  const end = world.now + ms;
  while (world.now < end && !until() && world.violations.length === 0) {
    world.queue.runUntil(Math.min(end, world.now + 20), () => {});
    world.look();
  }
  return until();
}

/** @returns how often a request of a call of before was answered 481. */
function play(t: ExecutionContext, seed: number, kinds: readonly FaultKind[]): number {
  const drawn = drawOptions(seed);
  // connections have runs of their own: here what is mirrored is in question
  const options = { ...drawn, kinds, faultGap: 2000, repair: [100, 1500] as const, streams: 0 };
  t.log(describe(options));
  const warm = { ...SHORT_PAIR, redundancy: 'warm-standby' } as const;
  const programs = { a: product('a', warm), b: product('b', warm) };
  const world = new World({ options, programs, oracles: ORACLES });
  const injector = new Injector(world);
  let lost = 0;
  world.lan.taps.push((_port, frame) => {
    if (frame.kind !== 'udp' || frame.udp.srcIp !== VIP) return;
    if (frame.udp.text?.startsWith('SIP/2.0 481') === true) lost += 1;
  });
  for (const box of world.pair) {
    box.powerOn();
    box.start();
  }
  t.true(
    advance(world, 15_000, () => world.inStep()),
    'in step',
  );
  world.traffic.start();
  advance(world, 2000);
  injector.start();
  advance(world, options.safetyMs);
  world.traffic.stopDialing();
  injector.healAll();
  advance(world, 20);
  injector.healAll();
  t.true(
    advance(world, 15_000, () => world.inStep()),
    'in step after healing',
  );
  // whoever still believes in a call of before learns better, or gives up
  world.traffic.controlAll();
  advance(world, 5000);
  for (const phone of world.phones) {
    for (const leg of phone.calls.legs.values()) phone.calls.hangUp(leg);
  }
  advance(world, 40_000);
  // the other end hung up, and no box knew whom to tell: the handset is put down
  for (const phone of world.phones) {
    for (const leg of phone.calls.legs.values()) leg.state = 'ended';
  }
  const calls = world.traffic.callAround();
  advance(world, 15_000, () => calls.every(isEstablished));
  t.deepEqual(world.violations, [], `seed ${seed}`);
  t.deepEqual(
    calls.filter((call) => !isEstablished(call)).map((call) => `${call.caller} ${call.failure}`),
    [],
    'new calls connect',
  );
  const leads = world.primary();
  const registered = leads === undefined ? 0 : (ledgerOf(leads)?.count(BINDING) ?? 0);
  t.is(registered, world.phones.length);
  const backup = world.backup();
  t.is(backup === undefined ? 0 : ledgerOf(backup)?.count(BINDING), registered);
  const switched = [...injector.done.values()].reduce((n, times) => n + times, 0);
  t.log(`${switched} faults, ${lost} times 481`);
  return lost;
}

for (const kinds of [
  ['kill-primary'],
  ['power-primary', 'switchover'],
  ['kill-primary', 'kill-backup', 'cut-x', 'disk-stall', 'disk-damage'],
] as const) {
  test(`warm standby: ${kinds.join(' and ')}`, (t) => {
    let lost = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) lost += play(t, seed, kinds);
    t.true(lost > SEEDS, `${lost} times 481`);
  });
}
