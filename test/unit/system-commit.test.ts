/** The commit machine, case by case: who wins, what an operator is told, what survives a restart. */

import test from 'ava';
import { Commit } from '../../src/panel/system/commit.ts';
import type { CommitEffect, CommitInput, Durable } from '../../src/panel/system/commit-terms.ts';
import {
  aloneNumber,
  confirmed,
  EMPTY,
  type Given,
  headOf,
  orderOf,
  reverted,
  upon,
} from '../../src/panel/system/revision.ts';
import { after } from './revision-samples.ts';

const BASE = after(EMPTY, {});

test('who descends from the other is ahead, whatever its epoch', (t) => {
  const later = after(BASE, { number: 2, epoch: 0, led: false, box: 'b' });
  t.is(orderOf(headOf(later), headOf(BASE)), 'ahead');
  t.is(orderOf(headOf(BASE), headOf(later)), 'behind');
  t.is(orderOf(headOf(BASE), headOf(EMPTY)), 'ahead');
});

const RANKS: readonly (readonly [string, Partial<Given>, Partial<Given>])[] = [
  ['the later reign', { epoch: 2, number: 2, led: false, box: 'b' }, { epoch: 1, number: 5 }],
  ['in one reign the primary', { number: 2, box: 'b' }, { number: 5, led: false }],
  ['else the higher number', { number: 4, led: false, box: 'b' }, { number: 3, led: false }],
];
for (const [name, wins, loses] of RANKS) {
  test(`of two that were committed separately wins ${name}`, (t) => {
    const [w, l] = [after(BASE, wins), after(BASE, loses)].map(headOf);
    t.is(orderOf(w!, l!), 'diverged-ahead');
    t.is(orderOf(l!, w!), 'diverged-behind');
  });
}

test('what went back by itself loses to its confirmation, and is no conflict', (t) => {
  const back = upon(BASE, reverted(BASE.entry, EMPTY.entry));
  const kept = upon(BASE, confirmed(BASE.entry));
  t.is(orderOf(headOf(kept), headOf(back)), 'ahead');
  t.is(orderOf(headOf(back), headOf(kept)), 'behind');
});

test('boxes that are alone never give the same number', (t) => {
  const numbers = (box: 'a' | 'b'): number[] => {
    const all = [aloneNumber(6, box)];
    for (let n = 0; n < 5; n += 1) all.push(aloneNumber(all.at(-1)!, box));
    return all;
  };
  t.deepEqual(
    numbers('a').filter((n) => numbers('b').includes(n)),
    [],
  );
});

class Lab {
  machine: Commit;
  disk: Durable;
  now = 0;
  wall = 1_000_000;
  readonly seen: CommitEffect[] = [];

  constructor(durable: Durable, wall = 1_000_000) {
    this.disk = durable;
    this.wall = wall;
    this.machine = this.start();
  }

  start(): Commit {
    const settings = {
      box: 'a' as const,
      judge: () => [],
      vet: () => [],
      restarts: () => ['vip'],
    };
    this.machine = new Commit(settings, structuredClone(this.disk), this);
    return this.machine;
  }

  tell(input: CommitInput, fault = ''): readonly CommitEffect[] {
    const out: CommitEffect[] = [];
    this.seen.length = 0;
    this.machine.step({ now: this.now, wall: this.wall }, input, out);
    for (let e = out.shift(); e !== undefined; e = out.shift()) {
      this.seen.push(e);
      if (e.kind !== 'store') continue;
      if (fault === '') {
        for (const f of e.files) {
          if (f.name === 'active') this.disk = { ...this.disk, active: structuredClone(f.content) };
        }
      }
      this.machine.step({ now: this.now, wall: this.wall }, { kind: 'stored', fault }, out);
    }
    return this.seen;
  }

  answer(): object | undefined {
    const found = this.seen.find((e) => e.kind === 'answer');
    return found?.kind === 'answer' ? found.value : undefined;
  }
}

const TYPED = { kind: 'commit', id: 1, base: 0, tree: { x: 2 }, by: 'admin', comment: '' } as const;

test('a disk that is full refuses the commit, and nothing has changed', (t) => {
  const lab = new Lab({ active: EMPTY });
  lab.tell({ ...TYPED, confirmMin: 0 }, 'the file system is full (ENOSPC)');
  t.like(lab.answer(), { error: 'commit-disk' });
  t.is(lab.machine.active.entry.number, 0);
  t.false(lab.seen.some((e) => e.kind === 'apply'));
});

test('a candidate made from an earlier revision is refused', (t) => {
  const lab = new Lab({ active: BASE });
  lab.tell({ ...TYPED, confirmMin: 0 });
  t.like(lab.answer(), { error: 'commit-stale' });
  lab.tell({ ...TYPED, base: 1, confirmMin: 0 });
  t.like(lab.answer(), { ok: true, revision: 3, peer: 'absent', restarts: ['vip'] });
});

test('what nobody confirmed goes back, also when the agent was restarted meanwhile', (t) => {
  const lab = new Lab({ active: BASE });
  lab.tell({ ...TYPED, base: 1, confirmMin: 5 });
  t.like(lab.answer(), { ok: true, confirmBy: 1_000_000 + 300_000 });
  lab.now = 777;
  lab.wall += 200_000;
  lab.start();
  t.is(lab.machine.deadline(), 777 + 100_000);
  lab.now = lab.machine.deadline();
  const effects = lab.tell({ kind: 'tick' });
  t.true(effects.some((e) => e.kind === 'apply' && e.entry.digest === BASE.entry.digest));
  t.is(lab.machine.active.entry.number, 1);
  lab.start();
  t.is(lab.machine.deadline(), Number.POSITIVE_INFINITY);
});

/** Both in force, neither confirmed. */
function twoInARow(): Lab {
  const lab = new Lab({ active: BASE });
  lab.tell({ ...TYPED, base: 1, confirmMin: 5 });
  lab.now = 60_000;
  lab.wall += 60_000;
  lab.tell({ ...TYPED, id: 2, base: 3, tree: { x: 3 }, confirmMin: 5 });
  return lab;
}

test('of two in a row that nobody confirmed neither stays, also after a restart', (t) => {
  const lab = twoInARow();
  t.is(lab.machine.active.entry.number, 5);
  t.is(lab.machine.deadline(), 360_000);
  lab.start();
  lab.now = lab.machine.deadline();
  lab.tell({ kind: 'tick' });
  t.is(lab.machine.active.entry.number, 1);
  t.is(lab.machine.active.entry.digest, BASE.entry.digest);
  t.is(lab.machine.deadline(), Number.POSITIVE_INFINITY);
});

test('who confirms the second of two in a row has confirmed both; a plain commit does, too', (t) => {
  const kept = twoInARow();
  kept.tell({ kind: 'confirm', id: 3 });
  t.like(kept.answer(), { ok: true, revision: 5 });
  t.is(kept.machine.deadline(), Number.POSITIVE_INFINITY);
  const upon = twoInARow();
  upon.tell({ ...TYPED, id: 3, base: 5, tree: { x: 4 }, confirmMin: 0 });
  t.like(upon.answer(), { ok: true, revision: 7 });
  t.is(upon.machine.deadline(), Number.POSITIVE_INFINITY);
  upon.tell({ ...TYPED, id: 4, base: 7, confirmMin: 1 });
  upon.now = upon.machine.deadline();
  upon.tell({ kind: 'tick' });
  t.is(upon.machine.active.entry.number, 7, 'to what that commit made');
});

test('a peer that prepared the second of two in a row goes back as far', (t) => {
  const lab = new Lab({ active: BASE });
  lab.tell({ ...TYPED, base: 1, confirmMin: 5 });
  const first = lab.machine.active;
  lab.tell({ kind: 'link-up', release: '' });
  lab.tell({ kind: 'message', message: { kind: 'head', head: headOf(first) } });
  const second = after(first, { number: 4, tree: { x: 4 }, box: 'b' });
  const { entry } = second;
  lab.tell({ kind: 'message', message: { kind: 'prepare', entry, confirmMin: 5 } });
  lab.tell({ kind: 'message', message: { kind: 'head', head: headOf(second) } });
  t.is(lab.machine.active.entry.id, entry.id);
  lab.now = lab.machine.deadline();
  lab.tell({ kind: 'tick' });
  t.is(lab.machine.active.entry.number, 1);
});

test('what was prepared upon another revision is fetched whole: who coordinated knows how far back', (t) => {
  const lab = new Lab({ active: BASE });
  const ahead = after(BASE, { number: 2, tree: { x: 2 }, box: 'b' });
  lab.tell({ kind: 'link-up', release: '' });
  lab.tell({ kind: 'message', message: { kind: 'head', head: headOf(ahead) } });
  const next = after(ahead, { number: 3, tree: { x: 3 }, box: 'b' });
  const { entry } = next;
  lab.tell({ kind: 'message', message: { kind: 'prepare', entry, confirmMin: 5 } });
  lab.tell({ kind: 'message', message: { kind: 'head', head: headOf(next) } });
  t.true(lab.seen.some((e) => e.kind === 'send' && e.message.kind === 'want'));
  t.is(lab.machine.active.entry.id, BASE.entry.id);
});

test('what was made upon any of those that were taken back is not lost with them', (t) => {
  const one = after(BASE, { number: 2, tree: { x: 2 } });
  const two = after(one, { number: 3, tree: { x: 3 } });
  const back = upon(two, reverted(two.entry, BASE.entry));
  const elsewhere = [
    after(one, { number: 4, led: false, box: 'b', tree: { x: 4 } }),
    upon(one, confirmed(one.entry)),
  ];
  for (const other of elsewhere) {
    t.is(orderOf(headOf(back), headOf(other)), 'behind');
    t.is(orderOf(headOf(other), headOf(back)), 'ahead');
  }
  // upon what it went back to: two that were committed separately
  const aside = after(BASE, { number: 2, led: false, box: 'b', tree: { x: 5 } });
  t.is(orderOf(headOf(back), headOf(aside)), 'diverged-ahead');
  // a release that does not say how far: over one
  const { back: _, ...entry } = back.entry;
  t.is(orderOf({ ...headOf(back), entry }, headOf(aside)), 'diverged-ahead');
});

test('going back over two has a name of its own: a release that went back over one made another', (t) => {
  const one = after(BASE, { number: 2, tree: { x: 2 } });
  const two = after(one, { number: 3, tree: { x: 3 } });
  const far = upon(two, reverted(two.entry, BASE.entry));
  const near = upon(two, reverted(two.entry, one.entry));
  t.not(far.entry.id, near.entry.id);
  t.deepEqual([orderOf(headOf(far), headOf(near)), orderOf(headOf(near), headOf(far))].sort(), [
    'ahead',
    'behind',
  ]);
});

test('a clock that lost its time makes a commit confirm no longer than it was', (t) => {
  const lab = new Lab({ active: BASE });
  lab.tell({ ...TYPED, base: 1, confirmMin: 5 });
  lab.wall = 0;
  t.is(lab.start().deadline(), 300_000);
});

test('going back is in force though the disk fails, and is stored when it can be', (t) => {
  const lab = new Lab({ active: BASE });
  lab.tell({ ...TYPED, base: 1, confirmMin: 5 });
  lab.now = lab.machine.deadline();
  lab.tell({ kind: 'tick' }, 'I/O error');
  t.is(lab.machine.active.entry.number, 1);
  t.true(lab.seen.some((e) => e.kind === 'alarm' && e.code === 'configuration-disk'));
  lab.now = lab.machine.deadline();
  lab.tell({ kind: 'tick' });
  t.is(lab.disk.active.entry.kind, 'revert');
});

test('a peer that says nothing is not waited for', (t) => {
  const lab = new Lab({ active: BASE });
  lab.tell({ kind: 'link-up', release: '' });
  lab.tell({ kind: 'message', message: { kind: 'head', head: headOf(BASE) } });
  lab.tell({ ...TYPED, base: 1, confirmMin: 0 });
  t.is(lab.answer(), undefined);
  lab.now = lab.machine.deadline();
  lab.tell({ kind: 'tick' });
  t.true(lab.seen.some((e) => e.kind === 'drop-link'));
  t.like(lab.answer(), { ok: true, peer: 'absent' });
});

test('what the peer finds wrong is told with its place, and nothing has changed', (t) => {
  const lab = new Lab({ active: BASE });
  lab.tell({ kind: 'link-up', release: '' });
  lab.tell({ kind: 'message', message: { kind: 'head', head: headOf(BASE) } });
  const sent = lab.tell({ ...TYPED, base: 1, confirmMin: 0 }).find((e) => e.kind === 'send');
  const id = sent?.kind === 'send' && sent.message.kind === 'prepare' ? sent.message.entry.id : '';
  const faults = [{ code: 'config-unknown', place: 'sip port', text: 'no' }];
  const why = { error: 'commit-faults', text: '', faults };
  lab.tell({ kind: 'message', message: { kind: 'refused', id, why } });
  t.like(lab.answer(), { error: 'commit-faults', faults });
  t.is(lab.machine.active.entry.id, BASE.entry.id);
});
