/**
 * The box is replaced at every step of a transfer, as in call-switchover.test.ts: rows as text into a
 * fresh store, `resume`, and the transfer ends where it would have ended. Phones act by themselves and
 * complain of what a phone would notice.
 */

import test from 'ava';
import { Lab } from './call-lab.ts';
import { replacesOf } from './transfer-lab.ts';
import { TransferPhone } from './transfer-phone.ts';

const STEP = 50;

type Cast = {
  readonly lab: Lab;
  readonly a: TransferPhone;
  readonly b: TransferPhone;
  readonly c: TransferPhone;
};

/** A step is done once it returns true; the next begins `wait` ms after it. */
type Step = { readonly wait: number; readonly do: (cast: Cast) => boolean };
type Play = {
  readonly steps: readonly Step[];
  /** Who talks with whom at the end, and what the transferor heard last. */
  readonly pair: 'ac' | 'ab';
  readonly last: RegExp;
};

const yes = (f: (c: Cast) => void): ((c: Cast) => boolean) => {
  return (cast) => {
    f(cast);
    return true;
  };
};

function of(phone: TransferPhone, i: number) {
  return [...phone.talks.values()][i] as ReturnType<TransferPhone['call']>;
}

/** alice calls bob, who lifts. */
const TALK: readonly Step[] = [
  { wait: 0, do: yes(({ a }) => a.call('1002')) },
  { wait: 400, do: ({ b }) => b.lift() },
];

const BLIND: readonly Step[] = [
  ...TALK,
  { wait: 600, do: yes(({ b }) => b.ask(of(b, 0), 'REFER', 'Refer-To: <sip:1003@x>\r\n')) },
];

const CONSULT: readonly Step[] = [...TALK, { wait: 600, do: yes(({ b }) => b.call('1003')) }];

const ATTENDED: Step = {
  wait: 600,
  do: ({ b }) => {
    const talk = of(b, 1);
    if (talk.remoteTag === '') return false;
    const value = replacesOf(talk.remoteTag)
      .replace('consult%40bob', talk.callId)
      .replace(/consult$/, talk.tag);
    b.ask(of(b, 0), 'REFER', `Refer-To: <sip:1003@x?Replaces=${value}>\r\n`);
    return true;
  },
};

const PLAYS: Record<string, Play> = {
  'blind, the transferor hangs up when told': {
    pair: 'ac',
    last: /^200 terminated$/,
    steps: [
      ...BLIND,
      { wait: 400, do: ({ c }) => c.lift() },
      { wait: 0, do: ({ b }) => b.fragments.at(-1) === '200 terminated' },
      { wait: 0, do: yes(({ b }) => b.bye(of(b, 0))) },
    ],
  },
  'blind, the transferor waits to be hung up': {
    pair: 'ac',
    last: /^200 terminated$/,
    steps: [...BLIND, { wait: 400, do: ({ c }) => c.lift() }],
  },
  'blind, the transferor hangs up at once': {
    pair: 'ac',
    last: /^200 terminated$/,
    steps: [
      ...BLIND,
      {
        wait: 300,
        do: ({ b }) => {
          if (b.pending.at(-1)?.final === '') return false;
          b.bye(of(b, 0));
          return true;
        },
      },
      { wait: 600, do: ({ c }) => c.lift() },
    ],
  },
  'blind, refused': {
    pair: 'ab',
    last: /^486 terminated$/,
    steps: [...BLIND, { wait: 400, do: ({ c }) => c.lift(486) }],
  },
  attended: {
    pair: 'ac',
    last: /^200 terminated$/,
    steps: [...CONSULT, { wait: 400, do: ({ c }) => c.lift() }, ATTENDED],
  },
  'semi-attended': {
    pair: 'ac',
    last: /^200 terminated$/,
    steps: [...CONSULT, ATTENDED, { wait: 600, do: ({ c }) => c.lift() }],
  },
};

type Death = 'said' | 'unsaid' | 'forgotten';

function play(p: Play, swapAt: number, death: Death): Cast & { inputs: number; done: boolean } {
  const lab = new Lab();
  const a = new TransferPhone(lab, '1001', '192.0.2.1');
  const b = new TransferPhone(lab, '1002', '192.0.2.2');
  const c = new TransferPhone(lab, '1003', '192.0.2.3');
  const cast = { lab, a, b, c };
  for (const phone of [a, b, c]) lab.register(phone);
  let inputs = 0;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    inputs += 1;
    if (inputs !== swapAt || death !== 'forgotten') receive(ip, port, text);
    if (inputs !== swapAt) return;
    if (death === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  let next = 0;
  let from = lab.now;
  for (let ms = 0; ms < 40_000; ms += STEP) {
    const step = p.steps[next];
    if (step !== undefined && step.wait <= lab.now - from && step.do(cast)) {
      next += 1;
      from = lab.now;
    }
    for (const phone of [a, b, c]) phone.act();
    lab.pass(STEP);
  }
  return { ...cast, inputs, done: next === p.steps.length };
}

for (const [name, p] of Object.entries(PLAYS)) {
  for (const death of ['said', 'unsaid', 'forgotten'] as const) {
    test(`${name}: the box is replaced at every step, its last turn ${death}`, (t) => {
      const { inputs } = play(p, 0, death);
      t.true(inputs > 7);
      for (let at = 0; at <= inputs; at += 1) {
        const { lab, a, b, c, done } = play(p, at, death);
        const phones = [a, b, c];
        const where = `step ${at}: ${phones.map((x) => x.story.join(', ')).join(' // ')}`;
        t.true(done, where);
        t.deepEqual(
          phones.flatMap((x) => x.complaints),
          [],
          where,
        );
        t.true(
          phones.every((x) => x.idle),
          where,
        );
        t.regex(b.fragments.at(-1) ?? '', p.last, where);
        const other = p.pair === 'ac' ? c : b;
        t.deepEqual([a.living().length, other.living().length], [1, 1], where);
        t.is(b.living().length + c.living().length, 1, where);
        // each heard last what the other described
        t.regex(a.living()[0]?.heard ?? '', new RegExp(`s=${other.user}v`), where);
        t.regex(other.living()[0]?.heard ?? '', /s=1001v/, where);
        // and each can end it
        const ends = at % 2 === 0 ? a : other;
        ends.bye(ends.living()[0] as ReturnType<TransferPhone['call']>);
        for (let i = 0; i < 100; i += 1) {
          for (const phone of phones) phone.act();
          lab.pass(STEP);
        }
        t.deepEqual(
          phones.map((x) => x.living().length),
          [0, 0, 0],
          where,
        );
        lab.pass(240_000);
        t.is(lab.rows(), 3, `${where}: rows are left`);
      }
    });
  }
}
