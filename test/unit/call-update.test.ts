/** UPDATE (RFC 3311) and its offers, before and after the answer; and requests that cross. */

import test from 'ava';
import { CALL, LEG } from '../../src/call/rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, line, Peer, pair, SDP, talking } from './call-lab.ts';

const CAN = 'Supported: 100rel\r\nAllow: INVITE, PRACK, UPDATE\r\n';
const REL = 'Require: 100rel\r\nRSeq: 1\r\nAllow: INVITE, PRACK, UPDATE\r\n';

/** An early dialog whose offer and answer are exchanged and acknowledged on both legs. */
function agreed() {
  const p = pair();
  const { alice, bob } = p;
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice'), extra: CAN });
  alice.send(invite);
  alice.inbox();
  const toBob = bob.take();
  bob.reply(toBob, 183, 'bt', SDP('bob'), REL);
  const ring = alice.take();
  const rack = `RAck: ${ring.header(H.RSeq)} ${ring.cseq} INVITE\r\n`;
  alice.send(alice.inDialog('PRACK', invite, ring, { extra: rack }));
  alice.inbox();
  bob.reply(bob.take(), 200, 'bt');
  return { ...p, invite, toBob, ring };
}

test('RFC 3311 5.1 the caller updates the session before the answer', (t) => {
  const { lab, alice, bob, invite, ring, toBob } = agreed();
  alice.send(alice.inDialog('UPDATE', invite, ring, { body: SDP('held') }));
  const m = bob.take();
  t.is(line(m), 'UPDATE sdp');
  t.is(m.body, SDP('held'));
  t.true(m.has(H.Contact));
  bob.reply(m, 200, 'bt', SDP('fine'));
  const ok = alice.take();
  t.is(ok.body, SDP('fine'));
  t.true(ok.has(H.Contact));
  bob.reply(toBob, 200, 'bt');
  const answer = alice.take();
  t.is(answer.status, 200);
  alice.ack(invite, answer);
  lab.pass(1000);
  t.is(heard(bob), 'ACK');
  t.true([...lab.store.rows(LEG)].every((leg) => leg.offer === 'stable'));
});

test('RFC 3311 5.1 the callee updates the session before the answer', (t) => {
  const { alice, bob, toBob } = agreed();
  bob.send(bob.backward('UPDATE', toBob, 'bt', { body: SDP('new') }));
  const m = alice.take();
  t.is(line(m), 'UPDATE sdp');
  alice.reply(m, 200, '', SDP('fine'));
  t.is(heard(bob), '200 UPDATE sdp');
});

test('RFC 3311 5.2 glare: both sides offer at once, both hear 491', (t) => {
  const { alice, bob, invite, ok, toBob } = talking();
  const a = alice.inDialog('UPDATE', invite, ok, { body: SDP('a') });
  alice.send(a);
  const toB = bob.take();
  bob.send(bob.backward('UPDATE', toBob, 'bt', { body: SDP('b') }));
  t.is(heard(bob), '491 UPDATE');
  bob.reply(toB, 491, 'bt');
  t.is(heard(alice), '491 UPDATE');
  alice.send(alice.inDialog('UPDATE', invite, ok, { body: SDP('a2') }));
  t.is(heard(bob), 'UPDATE sdp', 'and then it is free again');
});

test('RFC 3311 5.2 an offer before the one before it was answered: 500 with Retry-After', (t) => {
  const { alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('UPDATE', invite, ok, { body: SDP('a') }));
  alice.send(alice.inDialog('UPDATE', invite, ok, { body: SDP('b') }));
  const no = alice.take();
  t.is(no.status, 500);
  const wait = Number(no.header(H.RetryAfter));
  t.true(wait >= 0 && wait <= 10);
  t.is(heard(bob), 'UPDATE sdp');
});

test('RFC 3311 5.2 an UPDATE with an offer while the INVITE has none answered: 500', (t) => {
  const { alice, bob, invite } = (() => {
    const p = pair();
    const text = p.alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
    p.alice.send(text);
    return { ...p, invite: text };
  })();
  alice.inbox();
  bob.reply(bob.take(), 180, 'bt');
  const ring = alice.take();
  alice.send(alice.inDialog('UPDATE', invite, ring, { body: SDP('a') }));
  const no = alice.take();
  t.is(no.status, 500);
  t.true(no.has(H.RetryAfter));
});

test('RFC 3311 5.2 a re-INVITE with an offer meets an UPDATE with one: 491', (t) => {
  const { alice, bob, invite, ok, toBob } = talking();
  bob.send(bob.backward('UPDATE', toBob, 'bt', { body: SDP('b') }));
  alice.inbox();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('a') }));
  t.true(heard(alice).includes('491 INVITE'));
  t.is(heard(bob), '');
});

test('RFC 3311 5.1 an UPDATE that was refused leaves the session, and the next one is free', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  for (const status of [488, 500, 200]) {
    alice.send(alice.inDialog('UPDATE', invite, ok, { body: SDP('a') }));
    bob.reply(bob.take(), status, 'bt', status === 200 ? SDP('b') : '');
    t.is(alice.take().status, status);
  }
  t.is([...lab.store.rows(CALL)][0]?.state, 'talking');
});

test('RFC 3311 5.1 an UPDATE moves the remote target', (t) => {
  const { alice, bob, invite, ok, toBob } = talking();
  alice.send(
    alice
      .inDialog('UPDATE', invite, ok, {})
      .replace(/Contact: <[^>]*>/, 'Contact: <sip:moved@192.0.2.1:5060>'),
  );
  t.is(heard(alice), '200 UPDATE');
  bob.send(bob.backward('INFO', toBob, 'bt'));
  t.is(alice.take().requestUri, 'sip:moved@192.0.2.1:5060');
});

test('RFC 3261 12.2.1.2 an UPDATE answered 481, or not at all, ends the call', (t) => {
  const one = talking();
  one.alice.send(one.alice.inDialog('UPDATE', one.invite, one.ok, { body: SDP('a') }));
  one.bob.reply(one.bob.take(), 481, 'bt');
  t.is(heard(one.alice), '481 UPDATE, BYE');
  const two = talking();
  two.alice.send(two.alice.inDialog('UPDATE', two.invite, two.ok, { body: SDP('a') }));
  two.lab.pass(32_100);
  t.is(heard(two.alice), '408 UPDATE, BYE');
});

test('RFC 3261 15.1.2 BYE crosses an UPDATE that was passed on', (t) => {
  const { lab, alice, bob, invite, ok, toBob } = talking();
  alice.send(alice.inDialog('UPDATE', invite, ok, { body: SDP('a') }));
  const m = bob.take();
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  bob.reply(m, 481, 'bt');
  const all = alice.inbox();
  t.deepEqual(all.map(line), ['BYE', '481 UPDATE']);
  alice.reply(all[0] as SipMessage, 200, '');
  lab.pass(120_000);
  t.is(lab.rows(), 2);
});

test('RFC 3261 15.1.1 the 200 of a phone crosses the BYE of the caller in his early dialog', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  alice.inbox();
  const toBob = bob.take();
  bob.reply(toBob, 180, 'bt');
  const ring = alice.take();
  alice.send(alice.inDialog('BYE', invite, ring));
  const [ok, no] = alice.inbox() as [SipMessage, SipMessage];
  t.deepEqual([line(ok), line(no)], ['200 BYE', '487 INVITE']);
  alice.ack(invite, no);
  const cancel = bob.take();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  bob.reply(cancel, 200, 'bt');
  const [ack, bye] = bob.inbox() as [SipMessage, SipMessage];
  t.deepEqual([line(ack), line(bye)], ['ACK', 'BYE']);
  bob.reply(bye, 200, 'bt');
  lab.pass(120_000);
  t.is(lab.rows(), 2);
});

test('RFC 3261 13.3.1.4 a late ACK, after its 2xx was repeated: absorbed, the call goes on', (t) => {
  const { lab, alice, bob, invite, ok } = talking(true);
  lab.pass(20_000);
  t.true(alice.inbox().length > 3);
  alice.ack(invite, ok);
  alice.ack(invite, ok);
  lab.pass(40_000);
  t.is(heard(alice) + heard(bob), '');
});

test('RFC 3261 13.3.1.4 an ACK that comes after the call was given up for it is absorbed', (t) => {
  const { lab, alice, bob, invite, ok } = talking(true);
  lab.pass(32_100);
  t.is(heard(bob), 'BYE');
  const bye = alice.inbox().at(-1) as SipMessage;
  t.is(bye.method, 'BYE');
  alice.ack(invite, ok);
  t.is(heard(alice), '');
  alice.reply(bye, 200, '');
  lab.pass(120_000);
  t.is(lab.rows(), 2);
});

test('RFC 3261 13.2.2.4 the route set is computed anew from the 2xx', (t) => {
  const { alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  alice.inbox();
  const toBob = bob.take();
  bob.reply(toBob, 183, 'bt', '', 'Record-Route: <sip:192.0.2.7;lr>\r\n');
  bob.reply(toBob, 200, 'bt', SDP('bob'), 'Record-Route: <sip:192.0.2.2;lr>\r\n');
  const ack = bob.take();
  t.is(ack.header(H.Route), '<sip:192.0.2.2;lr>');
});

test('RFC 3261 12.2.1.1 PRACK and UPDATE in an early dialog take its route set', (t) => {
  const { lab, alice, bob } = pair();
  const proxy = new Peer(lab, 'proxy', '192.0.2.8');
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  const toBob = bob.take();
  const route = 'Record-Route: <sip:192.0.2.2;lr;x=1>\r\nRecord-Route: <sip:192.0.2.8;lr>\r\n';
  bob.reply(toBob, 180, 'bt', '', `${REL}${route}`);
  const prack = proxy.take();
  t.is(prack.method, 'PRACK');
  t.deepEqual(prack.values(H.Route), ['<sip:192.0.2.8;lr>', '<sip:192.0.2.2;lr;x=1>']);
});
