/** What an operator asks of a box: what is refused, what holds over a power cut, what is written first. */

import test from 'ava';
import { Upgrade } from '../../src/panel/system/upgrade.ts';
import { recordFrom } from '../../src/panel/system/upgrade-record.ts';
import type {
  Job,
  PairView,
  Phase,
  UpgradeEffect,
  UpgradeInput,
  UpgradeRecord,
} from '../../src/panel/system/upgrade-terms.ts';
import { BACKUP, JOB, LEADS } from './upgrade-samples.ts';

const ROLLBACK = { verb: 'rollback' } as const;

function recordOf(phase: Phase, more: Partial<UpgradeRecord> = {}): UpgradeRecord {
  const whole = { job: JOB, phase, oldSlot: 'A', newSlot: 'B', attempts: 1, boot: 'x' } as const;
  return { ...whole, reason: '', steps: [], ...more };
}

class Box {
  now = 1000;
  readonly machine: Upgrade;
  all: UpgradeEffect[] = [];

  constructor(record: UpgradeRecord | undefined, boot = 'x', slot: 'A' | 'B' = 'B') {
    this.machine = new Upgrade({ boot, slot }, record, { now: this.now, wall: 0 }, 60_000, 600_000);
    this.machine.begin(this.all);
  }

  tell(input: UpgradeInput, ms = 10): readonly UpgradeEffect[] {
    this.now += ms;
    const out: UpgradeEffect[] = [];
    this.machine.step({ now: this.now, wall: this.now }, input, out);
    this.all.push(...out);
    return out;
  }

  /** Every second, for so long, what the daemon says. */
  seconds(count: number, view: PairView): readonly UpgradeEffect[] {
    const out: UpgradeEffect[] = [];
    for (let i = 0; i < count; i += 1) out.push(...this.tell({ kind: 'pair', view }, 1000));
    return out;
  }

  get phase(): Phase | undefined {
    return this.machine.record?.phase;
  }
}

function done(effects: readonly UpgradeEffect[]): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.kind === 'do') return [effect.operation.op];
    return effect.kind === 'reboot' ? ['reboot'] : [];
  });
}

function answerTo(box: Box, id: number): object | undefined {
  const found = box.all.find((effect) => effect.kind === 'answer' && effect.id === id);
  return found?.kind === 'answer' ? found.value : undefined;
}

test('a primary that goes back and leads meanwhile: rollback with force restarts it', (t) => {
  const box = new Box(recordOf('reverting', { reason: 'why' }));
  t.deepEqual(done(box.seconds(5, LEADS)), []);
  box.tell({ kind: 'request', id: 1, request: ROLLBACK });
  t.like(answerTo(box, 1), { error: 'image-alone' });
  box.tell({ kind: 'request', id: 2, request: { ...ROLLBACK, force: true } });
  t.deepEqual(answerTo(box, 2), { ok: true });
  t.deepEqual(done(box.seconds(10, LEADS)), ['reboot']);
});

test('or with the other box there: that takes over first', (t) => {
  const box = new Box(recordOf('reverting', { reason: 'why' }));
  box.tell({ kind: 'link-up' });
  const report = { kind: 'report', leaving: false, role: 'backup', inStep: true } as const;
  box.tell({ kind: 'message', message: report });
  t.deepEqual(done(box.seconds(5, LEADS)), []);
  box.tell({ kind: 'request', id: 1, request: ROLLBACK });
  t.deepEqual(answerTo(box, 1), { ok: true });
  t.deepEqual(done(box.seconds(10, LEADS)), ['switchover']);
  box.tell({ kind: 'done', op: 'switchover', fault: '' });
  t.deepEqual(done(box.seconds(10, BACKUP)), ['reboot']);
});

test('or confirm: what runs is the next, and good', (t) => {
  const box = new Box(recordOf('reverting', { reason: 'why' }));
  box.seconds(5, LEADS);
  box.tell({ kind: 'request', id: 1, request: { verb: 'confirm' } });
  t.deepEqual(box.all.at(-1), { kind: 'do', operation: { op: 'activate', slot: 'B' } });
  box.tell({ kind: 'done', op: 'activate', fault: '' });
  t.deepEqual(done(box.all), ['activate', 'mark-good']);
  box.tell({ kind: 'done', op: 'mark-good', fault: '' });
  t.deepEqual(answerTo(box, 1), { ok: true });
  t.is(box.phase, 'proved');
});

test('a slot that is marked good while an operator takes it back goes back', (t) => {
  const box = new Box(recordOf('trial'));
  t.deepEqual(done(box.seconds(70, BACKUP)), ['mark-good']);
  box.tell({ kind: 'request', id: 1, request: ROLLBACK });
  t.deepEqual(answerTo(box, 1), { ok: true });
  box.tell({ kind: 'done', op: 'mark-good', fault: '' });
  t.is(box.phase, 'trial');
  t.deepEqual(done(box.seconds(10, BACKUP)), ['fall-back']);
});

test('a primary on trial at whose virtual address nobody answers is not what callers have', (t) => {
  const box = new Box(recordOf('trial'));
  t.deepEqual(done(box.seconds(599, { ...LEADS, inStep: false })), []);
  t.deepEqual(done(box.seconds(20, { ...LEADS, vip: false })), [], 'an answer may get lost');
  t.deepEqual(done(box.seconds(20, { ...LEADS, vip: false })), ['fall-back']);
  box.tell({ kind: 'done', op: 'fall-back', fault: '' });
  t.deepEqual(done(box.seconds(10, { ...LEADS, vip: false })), ['reboot']);
});

test('one that answers stays when its time is over, and is proved when the other one is back', (t) => {
  const box = new Box(recordOf('trial'));
  const effects = box.seconds(700, { ...LEADS, inStep: false });
  t.deepEqual(done(effects), []);
  t.true(effects.some((e) => e.kind === 'alarm' && e.code === 'image-unproved' && e.text !== ''));
  t.deepEqual(done(box.seconds(70, LEADS)), ['mark-good']);
});

test('a change of slot is written down before the boot loader is told', (t) => {
  const box = new Box(undefined, 'x', 'A');
  box.tell({ kind: 'request', id: 1, request: { ...ROLLBACK, force: true } });
  const order = box.all.map((e) => (e.kind === 'do' ? e.operation.op : e.kind));
  t.deepEqual(order, ['store', 'alarm', 'alarm', 'activate']);
  t.deepEqual(done(box.seconds(20, LEADS)), [], 'nor does it restart before');
  box.tell({ kind: 'done', op: 'activate', fault: '' });
  t.like(answerTo(box, 1), { ok: true });
  t.is(box.phase, 'leaving');
});

test('a change of slot that cannot be is an answer, no alarm; one that was interrupted goes on', (t) => {
  const box = new Box(undefined, 'x', 'A');
  box.tell({ kind: 'request', id: 1, request: { ...ROLLBACK, force: true } });
  box.tell({ kind: 'done', op: 'activate', fault: 'nothing whole is in slot B' });
  t.like(answerTo(box, 1), { error: 'image-slot' });
  t.is(box.phase, 'failed');
  t.false(box.all.some((e) => e.kind === 'alarm' && e.text !== ''));

  const job: Job = { ...JOB, kind: 'switch' };
  const begun = recordOf('ready', { job, attempts: 0 });
  for (const boot of ['x', 'y']) {
    const again = new Box(begun, boot, 'A');
    t.deepEqual(done(again.all), ['activate'], boot);
    t.is(again.phase, 'ready');
  }
});

test('a record that cannot be written: whoever asked is told, and may ask again', (t) => {
  const box = new Box(undefined, 'x', 'A');
  box.tell({ kind: 'request', id: 1, request: { ...ROLLBACK, force: true } });
  box.tell({ kind: 'unstored', text: 'no space' });
  t.like(answerTo(box, 1), { error: 'image-space' });
  box.seconds(20, LEADS);
  t.is(box.phase, 'failed');
  t.true(box.all.some((e) => e.kind === 'alarm' && /no space/.test(e.text)));
  box.seconds(20, LEADS);
  box.tell({ kind: 'done', op: 'mark-good', fault: '' });
  box.tell({ kind: 'request', id: 2, request: { ...ROLLBACK, force: true } });
  box.tell({ kind: 'done', op: 'activate', fault: '' });
  t.like(answerTo(box, 2), { ok: true });
});

test('what an operator took back stays so over a power cut', (t) => {
  const box = new Box(recordOf('ready'), 'x', 'A');
  box.tell({ kind: 'request', id: 1, request: ROLLBACK });
  t.deepEqual(answerTo(box, 1), { ok: true });
  const stored = box.all.findLast((e) => e.kind === 'store');
  const record = stored?.kind === 'store' ? stored.record : undefined;
  // the new slot was the next already
  const after = new Box(record, 'y', 'B');
  t.is(after.phase, 'trial');
  t.deepEqual(done(after.seconds(10, BACKUP)), ['fall-back']);
});

test('one that was forced leaves though it let the other box go, which never came back', (t) => {
  const job: Job = { ...JOB, alone: true };
  const box = new Box(recordOf('ready', { job }), 'x', 'A');
  box.tell({ kind: 'link-up' });
  box.seconds(70, LEADS);
  box.tell({ kind: 'message', message: { kind: 'may-leave', nonce: 1 } });
  t.true(box.all.some((e) => e.kind === 'send' && e.message.kind === 'leave'));
  box.tell({ kind: 'link-down' });
  t.deepEqual(done(box.seconds(10, LEADS)), ['reboot']);
});

test('a forced box proves itself without being in step with one that it hears somewhere', (t) => {
  const job: Job = { ...JOB, alone: true };
  t.deepEqual(done(new Box(recordOf('trial', { job })).seconds(70, { ...LEADS, inStep: false })), [
    'mark-good',
  ]);
});

test('no configuration is a fault of a new slot, unless there was none before', (t) => {
  const view: PairView = { ...BACKUP, service: 'unconfigured', role: 'none', inStep: false };
  t.deepEqual(done(new Box(recordOf('trial')).seconds(70, view)), []);
  const before = recordOf('trial', { unconfigured: true });
  t.deepEqual(done(new Box(before).seconds(70, view)), ['mark-good']);
});

test('what is read as a record is one', (t) => {
  t.deepEqual(recordFrom(recordOf('ready')), recordOf('ready'));
  const { job: _job, ...noJob } = recordOf('ready');
  const { steps: _steps, ...noSteps } = recordOf('ready');
  const bad = [null, 1, [], {}, noJob, noSteps, { ...recordOf('ready'), phase: 'dancing' }];
  for (const json of [...bad, { ...recordOf('ready'), job: null }, undefined]) {
    t.is(recordFrom(json), undefined, JSON.stringify(json));
  }
});
