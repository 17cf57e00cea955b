/** A short swarm of calls that move: transferred blind and attended, redirected, while boxes die. */

import test from 'ava';
import type { Options } from '../world/options.ts';
import { run } from '../world/run.ts';

const RUNS = 8;

const MOVING = (drawn: Options): Options => ({
  ...drawn,
  mix: { ...drawn.mix, transfer: 0.9, redirect: 0.2, talk: [1000, 8000], endless: 0.1 },
});

test('calls that are transferred and redirected survive what all calls survive', (t) => {
  let notified = 0;
  let attended = 0;
  let redirected = 0;
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const { violations, world } = run({ seed, adjust: MOVING });
    t.deepEqual(violations, [], `seed ${seed}`);
    for (const call of world.book.calls.values()) if (call.redirected) redirected += 1;
    for (const { history } of world.phones) {
      for (const { dir, text } of history) {
        if (dir === '<' && text.startsWith('NOTIFY') && text.endsWith('200 OK\r\n')) notified += 1;
        if (dir === '>' && text.startsWith('REFER') && text.includes('Replaces=')) attended += 1;
      }
    }
  }
  t.log(`${notified} told of success, ${attended} attended, ${redirected} redirected`);
  t.true(notified > 20 && attended > 5 && redirected > 5);
});
