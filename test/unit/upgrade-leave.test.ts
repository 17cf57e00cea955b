/** Permission to be away: who gives it stays, who is on trial gives none, an old answer is no answer. */

import test from 'ava';
import { Upgrade } from '../../src/panel/system/upgrade.ts';
import { Leave } from '../../src/panel/system/upgrade-leave.ts';
import type {
  PairView,
  Phase,
  UpgradeEffect,
  UpgradeInput,
  UpgradeMessage,
  UpgradeRecord,
} from '../../src/panel/system/upgrade-terms.ts';
import { JOB, LEADS } from './upgrade-samples.ts';

class Desk {
  readonly said: UpgradeMessage[] = [];
  readonly done: string[] = [];
  private readonly agent: Upgrade;
  private now = 1000;

  constructor(phase: Phase | undefined, view: PairView) {
    const record: UpgradeRecord | undefined =
      phase === undefined
        ? undefined
        : {
            job: JOB,
            phase,
            oldSlot: 'A',
            newSlot: 'B',
            attempts: 1,
            boot: 'x',
            reason: '',
            steps: [],
          };
    const slot = phase === 'trial' ? 'B' : 'A';
    this.agent = new Upgrade({ boot: 'x', slot }, record, { now: this.now, wall: 0 });
    this.tell({ kind: 'pair', view });
    // whoever leads has done so for a while
    this.tell({ kind: 'pair', view }, 60_000);
    this.tell({ kind: 'link-up' });
  }

  tell(input: UpgradeInput, ms = 10): void {
    this.now += ms;
    const out: UpgradeEffect[] = [];
    this.agent.step({ now: this.now, wall: this.now }, input, out);
    for (const effect of out) {
      if (effect.kind === 'send') this.said.push(effect.message);
      if (effect.kind === 'do') this.done.push(effect.operation.op);
      if (effect.kind === 'reboot') this.done.push('reboot');
    }
  }

  hear(message: UpgradeMessage): void {
    this.tell({ kind: 'message', message });
  }

  saidKind(kind: UpgradeMessage['kind']): number {
    return this.said.filter((message) => message.kind === kind).length;
  }
}

test('a primary that serves lets the other one go, a box on trial or one that leaves does not', (t) => {
  const cases: readonly (readonly [Phase | undefined, PairView, number])[] = [
    [undefined, LEADS, 1],
    ['waiting', LEADS, 1],
    ['proved', LEADS, 1],
    ['trial', LEADS, 0],
    ['reverting', LEADS, 0],
    [undefined, { ...LEADS, role: 'backup' }, 0],
    [undefined, { ...LEADS, service: 'down' }, 0],
    [undefined, { ...LEADS, vip: false }, 0],
    [undefined, { ...LEADS, vipAsked: false }, 0],
  ];
  for (const [phase, view, answers] of cases) {
    const desk = new Desk(phase, view);
    desk.hear({ kind: 'may-leave', nonce: 7 });
    t.is(desk.saidKind('leave'), answers, `${phase} ${view.role} ${view.service}`);
  }
});

test('who let the other one go neither asks nor hands over until it is back or says that it stays', (t) => {
  const report = {
    kind: 'report',
    leaving: false,
    role: 'backup',
    inStep: true,
    job: { id: 'j', phase: 'waiting', reason: '' },
  } as const;
  for (const back of [
    (desk: Desk) => desk.hear({ kind: 'stay' }),
    (desk: Desk) => {
      desk.tell({ kind: 'link-down' });
      desk.tell({ kind: 'link-up' });
      desk.hear(report);
    },
  ]) {
    const desk = new Desk('ready', LEADS);
    desk.hear({ kind: 'may-leave', nonce: 1 });
    // on its way before the answer was there
    desk.hear(report);
    desk.tell({ kind: 'tick' }, 60_000);
    t.deepEqual(desk.done, []);
    // even as backup
    desk.tell({ kind: 'pair', view: { ...LEADS, role: 'backup' } }, 60_000);
    t.is(desk.saidKind('may-leave'), 0);
    desk.tell({ kind: 'pair', view: LEADS });
    back(desk);
    desk.tell({ kind: 'tick' }, 60_000);
    t.deepEqual(desk.done, ['switchover']);
  }
});

test('nor is a primary that waits for its turn handed over while the other one may be away', (t) => {
  const desk = new Desk('waiting', LEADS);
  desk.hear({ kind: 'may-leave', nonce: 1 });
  const job = { id: 'j', phase: 'proved', reason: '' } as const;
  desk.hear({ kind: 'report', leaving: false, role: 'backup', inStep: true, job });
  desk.tell({ kind: 'tick' }, 60_000);
  t.deepEqual(desk.done, []);
  desk.hear({ kind: 'stay' });
  desk.tell({ kind: 'tick' }, 60_000);
  t.deepEqual(desk.done, ['switchover']);
});

test('an answer to an earlier question, or of an earlier link, is none', (t) => {
  const backup: PairView = { ...LEADS, role: 'backup', vip: false };
  const desk = new Desk('ready', backup);
  const nonce = (): number => {
    const asked = desk.said.filter((message) => message.kind === 'may-leave').at(-1);
    return asked?.kind === 'may-leave' ? asked.nonce : 0;
  };
  const first = nonce();
  t.true(first > 0);
  desk.tell({ kind: 'tick' }, 60_000);
  const second = nonce();
  t.not(second, first);
  desk.hear({ kind: 'leave', nonce: first });
  desk.tell({ kind: 'link-down' });
  desk.tell({ kind: 'link-up' });
  desk.hear({ kind: 'leave', nonce: second });
  desk.tell({ kind: 'pair', view: backup });
  t.deepEqual(desk.done, []);
  desk.tell({ kind: 'tick' }, 60_000);
  desk.hear({ kind: 'leave', nonce: nonce() });
  t.deepEqual(desk.done, [], 'the daemon is asked first');
  desk.tell({ kind: 'pair', view: backup });
  t.deepEqual(desk.done, ['reboot']);
});

test('who leads meanwhile stays, and says so', (t) => {
  const backup: PairView = { ...LEADS, role: 'backup', vip: false };
  const desk = new Desk('ready', backup);
  const asked = desk.said.find((message) => message.kind === 'may-leave');
  desk.hear({ kind: 'leave', nonce: asked?.kind === 'may-leave' ? asked.nonce : 0 });
  desk.tell({ kind: 'pair', view: LEADS });
  t.deepEqual(desk.done, []);
  t.is(desk.saidKind('stay'), 1);
});

test('a question is open until it is answered once', (t) => {
  const leave = new Leave();
  leave.link();
  t.false(leave.answered(0));
  const nonce = leave.ask();
  t.false(leave.answered(nonce + 1));
  t.true(leave.answered(nonce));
  t.false(leave.answered(nonce));
});
