/** RFC 3665 section 3 flows through the back-to-back user agent, by hand-driven peers. */

import test from 'ava';
import { H } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer, SDP } from './call-lab.ts';

function pair(settings = {}) {
  const lab = new Lab(settings);
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  lab.register(alice);
  lab.register(bob);
  return { lab, alice, bob };
}

test('RFC 3665 3.1 successful session establishment and BYE by the caller', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  t.is(line(alice.take()), '100 INVITE');
  const toBob = bob.take();
  t.is(line(toBob), 'INVITE sdp');
  t.is(toBob.body, SDP('alice'));
  t.is(toBob.requestUri, 'sip:1002@192.0.2.2:5060');
  t.is(toBob.maxForwards, 69);
  bob.reply(toBob, 180, 'bt');
  const ringing = alice.take();
  t.is(line(ringing), '180 INVITE');
  t.not(ringing.toTag, '');
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  const ok = alice.take();
  t.is(line(ok), '200 INVITE sdp');
  t.is(ok.body, SDP('bob'));
  t.is(ok.toTag, ringing.toTag);
  t.is(ok.contactUri, 'sip:1002@192.0.2.10:5060');
  const ack = bob.take();
  t.is(line(ack), 'ACK');
  t.is(ack.header(H.CSeq), '1 ACK');
  t.is(ack.toTag, 'bt');
  alice.ack(invite, ok);
  lab.pass(10_000);
  t.is(heard(alice) + heard(bob), '', 'nothing is repeated');
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(alice), '200 BYE');
  const bye = bob.take();
  t.is(line(bye), 'BYE');
  t.is(bye.header(H.CSeq), '2 BYE');
  bob.reply(bye, 200, 'bt');
  t.is(lab.store.count({ name: 'call' } as never), 0);
  t.is(lab.store.count({ name: 'leg' } as never), 0);
  lab.pass(40_000);
  t.is(lab.rows(), 2, 'only the registrations are left');
});
