/**
 * The box is replaced at every step of a call: rows as text into a fresh store, `resume`, and the
 * call goes on. In the hard variant everything the old box had not handed to the network is lost
 * with it, as when it dies between writing and sending. Phones here act by themselves, repeat
 * themselves as RFC 3261 17 says, and complain about anything a phone would notice: a tag that
 * changes, a CSeq that does not grow, 481, a final answer after a final answer.
 */

import test from 'ava';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { Lab } from './call-lab.ts';
import { Phone, play, type Script, STEP } from './call-phone.ts';

const CALL: Script = [
  { at: 0, do: (a) => a.call('sip:1002@192.0.2.10') },
  { at: 600, do: (_, b) => b.accept(b.incoming as SipMessage) },
];

const SCRIPTS: Record<string, Script> = {
  'the caller hangs up': [...CALL, { at: 2000, do: (a) => a.bye() }],
  'the callee hangs up': [...CALL, { at: 2000, do: (_, b) => b.bye() }],
  'offerless, the caller hangs up': [
    { at: 0, do: (a) => a.call('sip:1002@192.0.2.10', false) },
    { at: 600, do: (_, b) => b.accept(b.incoming as SipMessage) },
    { at: 2000, do: (a) => a.bye() },
  ],
  'the caller re-INVITEs, then the callee hangs up': [
    ...CALL,
    { at: 2000, do: (a) => a.reinvite() },
    { at: 8000, do: (_, b) => b.bye() },
  ],
  'the callee re-INVITEs, then the caller hangs up': [
    ...CALL,
    { at: 2000, do: (_, b) => b.reinvite() },
    { at: 8000, do: (a) => a.bye() },
  ],
  'the caller cancels': [
    { at: 0, do: (a) => a.call('sip:1002@192.0.2.10') },
    {
      at: 600,
      do: (a) => {
        const sent = a.invite;
        a.start(
          sent
            .replace(/^INVITE/, 'CANCEL')
            .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 CANCEL')
            .replace(/Content-Type: .*\r\n/, '')
            .replace(/Content-Length: [\s\S]*$/, 'Content-Length: 0\r\n\r\n'),
        );
      },
    },
  ],
  'the phone refuses': [
    { at: 0, do: (a) => a.call('sip:1002@192.0.2.10') },
    {
      at: 600,
      do: (_, b) => {
        b.state = 'over';
        b.conclude(b.incoming as SipMessage, 486);
      },
    },
  ],
};

for (const [name, script] of Object.entries(SCRIPTS)) {
  for (const death of ['said', 'unsaid', 'forgotten'] as const) {
    test(`${name}: the box is replaced at every step, its last turn ${death}`, (t) => {
      const { steps } = play(script, 0, death);
      t.true(steps > 3);
      for (let at = 0; at <= steps; at += 1) {
        const { a, b, lab } = play(script, at, death);
        const where = `step ${at}: ${a.story.join(', ')} // ${b.story.join(', ')}`;
        t.deepEqual([a.complaints, b.complaints], [[], []], where);
        t.is(a.state, 'over', where);
        t.is(b.state, 'over', where);
        if (/hangs up/.test(name)) t.not(a.answer, undefined, where);
        // Nobody repeats a 180: what is forgotten of it is forgotten.
        if (death !== 'forgotten') t.true(a.heardRinging, where);
        t.true(a.pending.every((p) => p.stop) && b.pending.every((p) => p.stop), where);
        t.is(b.unheard, undefined, where);
        lab.pass(120_000);
        t.is(lab.rows(), 2, `${where}: rows are left`);
      }
    });
  }
}

test('an established call survives any number of replacements, with growing CSeq', (t) => {
  const lab = new Lab();
  const a = new Phone(lab, '1001', '192.0.2.1');
  const b = new Phone(lab, '1002', '192.0.2.2');
  lab.register(a);
  lab.register(b);
  a.call('sip:1002@192.0.2.10');
  const settle = (): void => {
    for (let i = 0; i < 40; i += 1) {
      a.act();
      b.act();
      lab.pass(STEP);
    }
  };
  settle();
  b.accept(b.incoming as SipMessage);
  settle();
  const cseqs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    lab.swap(i % 2 === 0);
    (i % 2 === 0 ? a : b).reinvite();
    settle();
    cseqs.push(
      Number(
        (i % 2 === 0 ? b : a).story
          .filter((s) => s.startsWith('INVITE'))
          .at(-1)
          ?.split(' ')
          .at(-1),
      ),
    );
  }
  t.deepEqual(cseqs, [2, 1, 3, 2, 4]);
  lab.swap(false);
  a.bye();
  settle();
  t.deepEqual([a.complaints, b.complaints], [[], []]);
  t.is(b.state, 'over');
});
