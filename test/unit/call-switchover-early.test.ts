/**
 * The box is replaced at every step of what RFC 3262, 3311 and 4028 add to a call: PRACK outstanding on
 * either leg, UPDATE outstanding, a refresh of a phone. How much the new box knows is as in
 * call-switchover.test.ts; refreshes of our own and ends of sessions are in call-session.test.ts.
 */

import test from 'ava';
import { RPR } from '../../src/call/rows.ts';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { SDP } from './call-lab.ts';
import { type Phone, play, type Script } from './call-phone.ts';

const CAN = 'Supported: 100rel, timer\r\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n';
const MUST = 'Require: 100rel\r\nSupported: timer\r\nAllow: INVITE, ACK, BYE, CANCEL, PRACK\r\n';

const CALL: Script = [
  { at: 0, do: (a) => a.call('sip:1002@192.0.2.10') },
  { at: 600, do: (_, b) => b.accept(b.incoming as SipMessage) },
];
const END: Script = [{ at: 9000, do: (a) => a.bye() }];

function cancels(a: Phone): void {
  a.start(
    a.invite
      .replace(/^INVITE/, 'CANCEL')
      .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 CANCEL')
      .replace(/(?:Content-Type|Require|Supported|Allow): .*\r\n/g, '')
      .replace(/Content-Length: [\s\S]*$/, 'Content-Length: 0\r\n\r\n'),
  );
}

const KINDS: { readonly [kind: string]: (a: Phone, b: Phone) => void } = {
  'reliable on both legs': (a, b) => {
    a.says = CAN;
    b.reliable = true;
  },
  'reliable towards the phone only': (_, b) => {
    b.reliable = true;
  },
  'reliable towards the caller only': (a) => {
    a.says = MUST;
  },
};

const SCRIPTS: { readonly [name: string]: Script } = {
  'answered, the caller hangs up': [...CALL, ...END],
  'answered, the callee hangs up': [...CALL, { at: 9000, do: (_, b) => b.bye() }],
  cancelled: [
    { at: 0, do: (a) => a.call('sip:1002@192.0.2.10') },
    { at: 600, do: (a) => cancels(a) },
  ],
  'the caller updates the session': [
    ...CALL,
    { at: 2000, do: (a) => a.within('UPDATE', SDP('held')) },
    ...END,
  ],
  'the callee updates the session': [
    ...CALL,
    { at: 2000, do: (_, b) => b.within('UPDATE', SDP('held')) },
    ...END,
  ],
  'the caller refreshes his session': [
    ...CALL,
    {
      at: 2000,
      do: (a) =>
        a.within('UPDATE', '', 'Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n'),
    },
    ...END,
  ],
};

for (const [kind, prepare] of Object.entries(KINDS)) {
  for (const [name, script] of Object.entries(SCRIPTS)) {
    test(`${kind}, ${name}: the box is replaced at every step`, (t) => {
      for (const death of ['said', 'unsaid', 'forgotten'] as const) {
        const calm = play(script, 0, death, prepare);
        const { steps } = calm;
        t.regex([...calm.a.story, ...calm.b.story].join(), /PRACK/);
        for (let at = 0; at <= steps; at += 1) {
          const { a, b, lab } = play(script, at, death, prepare);
          const where = `${death} ${at}: ${a.story.join(', ')} // ${b.story.join(', ')}`;
          t.deepEqual([a.complaints, b.complaints], [[], []], where);
          t.deepEqual([a.state, b.state], ['over', 'over'], where);
          t.is(a.answer === undefined, name === 'cancelled', where);
          t.true(a.pending.every((p) => p.stop) && b.pending.every((p) => p.stop), where);
          t.is(b.unheard, undefined, where);
          lab.pass(120_000);
          t.is(lab.rows(), 2, `${where}: rows are left`);
          t.is(lab.store.count(RPR), 0);
        }
      }
    });
  }
}
