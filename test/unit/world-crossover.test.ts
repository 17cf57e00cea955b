/**
 * The pair in the virtual world on a crossover that loses a tenth of everything and delays the rest by
 * up to 50 ms: no switchover, no flapping, and what phones say is answered without waiting for it.
 */

import test from 'ava';
import { ORACLES } from '../oracle/all.ts';
import { VIP } from '../world/box.ts';
import type { CableFaults } from '../world/crossover.ts';
import { drawOptions } from '../world/options.ts';
import { ProductEngine, product } from '../world/product.ts';
import { World } from '../world/world.ts';

const BAD: Partial<CableFaults> = { loss: 0.1, latency: [0.1, 50] };
const GOOD: Partial<CableFaults> = { loss: 0, latency: [0.1, 0.2] };
const MINUTE = 60_000;
/** A call path that waits longer than this stalls. */
const STALL_MS = 20;

/** Times from a first INVITE to its 100, ms. */
function answerTimes(world: World): number[] {
  const asked = new Map<string, number>();
  const took: number[] = [];
  world.lan.taps.push((_port, frame) => {
    if (frame.kind !== 'udp' || frame.udp.text === undefined) return;
    const { text, srcIp } = frame.udp;
    const id = /^Call-ID: *(\S+)/im.exec(text)?.[1] ?? '';
    if (srcIp !== VIP && text.startsWith('INVITE ') && !/^To:.*;tag=/im.test(text)) {
      if (!asked.has(id)) asked.set(id, world.now);
    } else if (srcIp === VIP && text.startsWith('SIP/2.0 100 ') && asked.has(id)) {
      took.push(world.now - (asked.get(id) as number));
      asked.delete(id);
    }
  });
  return took;
}

test('10 % loss and 50 ms jitter on the crossover do not stall the call path', (t) => {
  for (const seed of [1, 2]) {
    const drawn = drawOptions(seed);
    const cable = { ...drawn.cable, ...GOOD, splits: 0 };
    const options = {
      ...drawn,
      phones: 10,
      cable,
      lan: { loss: 0, duplicate: 0, reorder: 0, latency: [0.05, 0.2] as const },
      box: {
        ...drawn.box,
        disk: { commit: 0.5, sync: 2, stall: 0 },
        pace: { turn: [0.02, 0.15] as const, pause: 0, pauseMs: [1, 1] as const },
      },
      mix: { ...drawn.mix, gap: 200, endless: 0 },
    };
    const world = new World({
      options,
      programs: { a: product('a'), b: product('b') },
      oracles: ORACLES,
    });
    for (const box of world.pair) {
      box.powerOn();
      box.start();
    }
    const pass = (ms: number): void => {
      world.queue.runUntil(world.now + ms, () => {});
    };
    pass(10_000);
    t.true(world.inStep());
    const epoch = world.primary()?.process?.engine.standing.epoch;
    world.traffic.start();
    Object.assign(world.cable.faults, BAD);
    pass(5000);
    const took = answerTimes(world);
    pass(MINUTE);
    const stalled = took.filter((ms) => ms > STALL_MS).length;
    const engine = world.primary()?.process?.engine;
    if (!(engine instanceof ProductEngine)) throw new Error('nobody leads');
    const { wentAlone, lateTimes } = engine.engine.view(false);
    t.log(`${took.length} calls, ${stalled} over ${STALL_MS} ms, alone ${wentAlone} times`);
    t.true(took.length > 100);
    t.true(stalled * 100 <= took.length, `${stalled} of ${took.length} waited`);
    t.true(lateTimes <= 8, `${lateTimes} times late`);
    t.is(engine.standing.epoch, epoch ?? 0, 'no switchover');
    Object.assign(world.cable.faults, GOOD);
    pass(15_000);
    t.true(world.inStep(), 'in step again when the crossover is well');
    t.deepEqual(world.violations, []);
  }
});
