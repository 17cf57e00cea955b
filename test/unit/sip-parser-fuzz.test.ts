// A short run of `./build.sh fuzz`, the same every time: a fixed seed and a fixed number of
// executions. That it finds what is wrong is shown with a promise that does not hold.

import test from 'ava';
import { fuzz, type Report } from '../fuzz/fuzz.ts';

const quiet = { go: () => true, before: () => undefined };

// One run at a time: the counters are of the whole process.
test.serial('any message made of seeds keeps every promise of the parser', async (t) => {
  const shown: number[] = [];
  const report = await fuzz({
    ...quiet,
    seed: 2026,
    executions: 2000,
    before: (text) => shown.push(text.length),
  });
  t.is(report.failure, undefined, report.failure?.detail);
  t.is(report.executions, 2000);
  t.is(shown.length, 2000);
  // The guide works: blocks that the seeds did not reach are reached, and most of all there are.
  t.true(report.corpus > report.seeds + 20, `${report.corpus} of ${report.seeds}`);
  t.true(report.covered > report.known * 0.8, `${report.covered} of ${report.known}`);
  t.true(report.verdicts.size >= 20, [...report.verdicts.keys()].join(' '));
  t.true((report.verdicts.get('request') ?? 0) > 100);
  t.true((report.verdicts.get('response') ?? 0) > 10);
});

test.serial('a broken promise is found, made small and found again by its seed', async (t) => {
  const run = (): Promise<Report> =>
    fuzz({
      ...quiet,
      seed: 7,
      executions: 40_000,
      check: (text) => {
        if (text.includes('Path') && text.includes('%00')) throw new Error('it throws');
        return 'checked';
      },
    });
  const report = await run();
  t.is(report.failure?.rule, 'nothing throws');
  t.true(report.executions > report.seeds);
  t.is(report.failure?.text.length, 'Path%00'.length, report.failure?.text);
  t.deepEqual((await run()).failure?.text, report.failure?.text);
});
