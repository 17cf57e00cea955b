/**
 * A short history on a real pair: programs with the product's library, agents' phones, a primary that
 * is taken away four times. The long one is `./build.sh history`.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { summary } from '../history/check.ts';
import { Play } from '../history/play.ts';
import { createLab, labName } from '../lab/lab.ts';

test('every request is answered and done once, every event heard once, through switchovers', async (t) => {
  t.timeout(400_000);
  const folder = mkdtempSync(join(tmpdir(), 'sipair-history-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const config = { timers: { flapMs: 0, flapMost: 100, flapWindowMs: 0 } };
  const lab = await createLab({ name: labName('history'), config, waitMs: 60_000 });
  t.teardown(() => lab.down());
  const { verdict, done, wrong } = await new Play(lab, {
    ...{ switchovers: 4, programs: 4, agents: 16, calls: 8, seed: 1, minutes: 3, gapMs: 500 },
    ...{ folder, say: (line: string) => t.log(line) },
  }).run();
  t.log(summary(verdict));
  t.deepEqual(wrong, []);
  t.deepEqual(verdict.broken, []);
  t.true([...done.values()].reduce((sum, n) => sum + n, 0) > 0, 'the primary was taken away');
  const { asks, events } = verdict.history;
  t.true(asks.length > 0 && events.length > 0, 'and something happened meanwhile');
});
