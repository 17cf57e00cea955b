/** RFC 4235 4.1.6.1: a lamp shows that its phone holds the call. */

import test from 'ava';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { heard, type Lab, pair, SDP } from './call-lab.ts';
import { Watcher } from './events-lab.ts';

const NOT_RENDERED =
  /<local>.*<target uri="[^"]+"><param pname="\+sip\.rendering" pval="no"\/><\/target><\/local>/;

function settle(lab: Lab, ...watchers: Watcher[]): void {
  lab.pass(320);
  for (const w of watchers) w.act();
}

/** 1001 talks with 1002; carol watches the one who was called, dave the caller. */
function scene() {
  const { lab, alice, bob } = pair();
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002');
  const dave = new Watcher(lab, '1004', '192.0.2.4', '1001');
  carol.subscribe();
  dave.subscribe();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', {
    body: SDP('alice'),
    extra: 'Allow: INVITE, UPDATE\r\n',
  });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(toBob, 200, 'bt', SDP('bob'), 'Allow: INVITE, UPDATE\r\n');
  const ok = alice.inbox().at(-1) as SipMessage;
  alice.ack(invite, ok);
  bob.inbox();
  settle(lab, carol, dave);
  const lamps = (): readonly boolean[] => {
    settle(lab, carol, dave);
    return [dave, carol].map((w) => NOT_RENDERED.test(w.last.body));
  };
  /** alice describes the session anew, bob answers. */
  const again = (
    method: 'INVITE' | 'UPDATE',
    offer: string,
    answer: string,
    status = 200,
  ): void => {
    alice.send(alice.inDialog(method, invite, ok, { body: offer }));
    bob.reply(bob.take(), status, 'bt', status === 200 ? answer : '');
    const end = alice.inbox().at(-1) as SipMessage;
    if (method === 'INVITE' && end.status === 200) {
      alice.send(alice.inDialog('ACK', invite, ok, { cseq: alice.cseq, contact: false }));
    }
    heard(bob);
  };
  return { lab, alice, bob, carol, dave, invite, ok, toBob, lamps, again };
}

const held = (way: string): string => `${SDP('held')}a=${way}\r\n`;
const OLD = SDP('held').replace('c=IN IP4 192.0.2.9', 'c=IN IP4 0.0.0.0');

test('held and resumed: the lamp of who holds says so, that of who is held does not', (t) => {
  for (const method of ['INVITE', 'UPDATE'] as const) {
    const s = scene();
    t.deepEqual(s.lamps(), [false, false], 'they talk');
    s.again(method, held('sendonly'), held('recvonly'));
    t.deepEqual(s.lamps(), [true, false], method);
    s.again(method, SDP('alice'), SDP('bob'));
    t.deepEqual(s.lamps(), [false, false]);
    s.again(method, OLD, SDP('bob'));
    t.deepEqual(s.lamps(), [true, false], 'the hold of RFC 2543');
    t.deepEqual([...s.carol.complaints, ...s.dave.complaints], []);
  }
});

test('a hold that is refused is none', (t) => {
  const s = scene();
  s.again('INVITE', held('sendonly'), '', 488);
  t.deepEqual(s.lamps(), [false, false]);
});

test('the one who was called holds; both hold', (t) => {
  const s = scene();
  s.bob.send(s.bob.backward('UPDATE', s.toBob, 'bt', { body: held('sendonly') }));
  s.alice.reply(s.alice.take(), 200, '', held('recvonly'));
  heard(s.bob);
  t.deepEqual(s.lamps(), [false, true]);
  s.again('INVITE', held('inactive'), held('inactive'));
  t.deepEqual(s.lamps(), [true, true]);
});

test('a new primary knows who holds, and tells who resumes', (t) => {
  const s = scene();
  s.again('INVITE', held('sendonly'), held('recvonly'));
  s.lab.swap(true);
  t.deepEqual(s.lamps(), [true, false]);
  const late = new Watcher(s.lab, '1005', '192.0.2.5', '1001');
  late.subscribe();
  t.regex(late.last.body, NOT_RENDERED);
  s.again('INVITE', SDP('alice'), SDP('bob'));
  t.deepEqual(s.lamps(), [false, false]);
});
