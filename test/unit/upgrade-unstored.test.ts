/** A record that the disk refuses while something is being done: its end is no fault of the machine's. */

import test from 'ava';
import { Upgrade } from '../../src/panel/system/upgrade.ts';
import type { UpgradeEffect, UpgradeInput } from '../../src/panel/system/upgrade-terms.ts';
import { JOB, BACKUP as VIEW } from './upgrade-samples.ts';

test('an offer that cannot be kept while the slot is marked good', (t) => {
  let now = 0;
  const at = (): { now: number; wall: number } => ({ now, wall: now });
  const machine = new Upgrade({ slot: 'A', boot: 'x' }, undefined, at(), 1000, 1000);
  const step = (input: UpgradeInput): readonly UpgradeEffect[] => {
    const out: UpgradeEffect[] = [];
    machine.step(at(), input, out);
    now += 1000;
    return out;
  };
  const marks = (out: readonly UpgradeEffect[]): boolean =>
    out.some((e) => e.kind === 'do' && e.operation.op === 'mark-good');
  step({ kind: 'link-up' });
  let begun = false;
  for (let i = 0; i < 100 && !begun; i += 1) begun = marks(step({ kind: 'pair', view: VIEW }));
  t.true(begun);
  const offered = step({ kind: 'message', message: { kind: 'offer', job: JOB } });
  t.true(offered.some((e) => e.kind === 'store'));
  step({ kind: 'unstored', text: 'the file system is full' });
  t.notThrows(() => step({ kind: 'done', op: 'mark-good', fault: '' }));
  // it goes on: what is not in force is tried again, and the job ends
  for (let i = 0; i < 20; i += 1) step({ kind: 'pair', view: VIEW });
  t.is(machine.record?.phase, 'failed');
});
