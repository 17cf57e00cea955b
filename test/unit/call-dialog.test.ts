/** Requests inside a dialog: re-INVITE both ways, glare, and what is passed through. */

import test from 'ava';
import { H } from '../../src/sip-parser/index.ts';
import { heard, line, Peer, SDP, talking } from './call-lab.ts';

test('RFC 3665 3.7 a re-INVITE of the caller reaches the callee and is answered end to end', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  const again = alice.inDialog('INVITE', invite, ok, { body: SDP('hold') });
  alice.send(again);
  t.is(heard(alice), '100 INVITE');
  const toBob = bob.take();
  t.is(toBob.body, SDP('hold'));
  t.is(toBob.header(H.CSeq), '2 INVITE');
  t.is(toBob.toTag, 'bt');
  bob.reply(toBob, 200, '', SDP('held'));
  t.is(heard(bob), 'ACK');
  const held = alice.take();
  t.is(held.body, SDP('held'));
  t.is(held.toTag, ok.toTag);
  lab.pass(600);
  t.is(heard(alice), '200 INVITE sdp', 'repeated until the ACK');
  alice.ack(again, held);
  lab.pass(32_000);
  t.is(heard(alice) + heard(bob), '');
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(bob.take().header(H.CSeq), '3 BYE');
});

test('a re-INVITE of the callee reaches the caller', (t) => {
  const { alice, bob, toBob, ok } = talking();
  const again = bob.backward('INVITE', toBob, 'bt', { body: SDP('hold') });
  bob.send(again);
  t.is(heard(bob), '100 INVITE');
  const toAlice = alice.take();
  t.is(toAlice.fromTag, ok.toTag);
  t.is(toAlice.header(H.CSeq), '1 INVITE');
  alice.reply(toAlice, 200, '', SDP('held'));
  t.is(heard(alice), 'ACK');
  const held = bob.take();
  t.is(held.body, SDP('held'));
  bob.ack(again, held);
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(alice.take().header(H.CSeq), '2 BYE');
});

test('an offerless re-INVITE: the offer in the 200, the answer in the ACK', (t) => {
  const { alice, bob, invite, ok } = talking();
  const again = alice.inDialog('INVITE', invite, ok);
  alice.send(again);
  bob.reply(bob.take(), 200, '', SDP('offer'));
  t.is(heard(bob), '');
  const offer = alice.inbox()[1];
  t.is(offer?.body, SDP('offer'));
  alice.ack(again, offer as never, SDP('answer'));
  const ack = bob.take();
  t.is(ack.body, SDP('answer'));
  t.is(ack.header(H.CSeq), '2 ACK');
});

test('RFC 3261 14.1 a refused re-INVITE leaves the call as it was', (t) => {
  const { alice, bob, invite, ok } = talking();
  const again = alice.inDialog('INVITE', invite, ok, { body: SDP('odd') });
  alice.send(again);
  const toBob = bob.take();
  bob.reply(toBob, 488, '', '', 'Warning: 304 bob "no"\r\n');
  t.is(heard(bob), 'ACK');
  const no = alice.inbox()[1];
  t.is(no?.status, 488);
  t.is(no?.header(H.Warning), '304 bob "no"');
  alice.ack(again, no as never);
  const more = alice.inDialog('INVITE', invite, ok, { body: SDP('better') });
  alice.send(more);
  t.is(line(bob.take()), 'INVITE sdp');
});

test('RFC 3261 12.2.1.2 a re-INVITE answered 481 ends the call', (t) => {
  const { alice, bob, invite, ok } = talking();
  const again = alice.inDialog('INVITE', invite, ok, { body: SDP('x') });
  alice.send(again);
  bob.reply(bob.take(), 481, '');
  t.is(heard(alice), '100 INVITE, 481 INVITE, BYE');
});

test('a re-INVITE nobody answers: 408, and the call ends', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('x') }));
  lab.pass(32_100);
  t.regex(heard(alice), /^100 INVITE, 408 INVITE, BYE/);
  bob.inbox();
});

test('RFC 3261 14.2 glare: both re-INVITE at once, both get 491', (t) => {
  const { lab, alice, bob, invite, toBob, ok } = talking();
  const fromAlice = alice.inDialog('INVITE', invite, ok, { body: SDP('a') });
  alice.send(fromAlice);
  alice.inbox();
  // Bob's crosses ours on the wire: he refuses ours, we refuse his.
  const toBobAgain = bob.take();
  const fromBob = bob.backward('INVITE', toBob, 'bt', { body: SDP('b') });
  bob.send(fromBob);
  const no = bob.take();
  t.is(no.status, 491);
  bob.ack(fromBob, no);
  bob.reply(toBobAgain, 491, '');
  t.is(heard(bob), 'ACK');
  const mine = alice.take();
  t.is(mine.status, 491);
  alice.ack(fromAlice, mine);
  lab.pass(2000);
  t.is(heard(alice) + heard(bob), '');
  bob.send(bob.backward('INVITE', toBob, 'bt', { body: SDP('b') }));
  t.is(heard(alice), 'INVITE sdp', 'later it works');
});

test('RFC 3261 14.2 a second INVITE before the first is answered: 500 with Retry-After', (t) => {
  const { alice, invite, ok } = talking();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('1') }));
  alice.inbox();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('2') }));
  const no = alice.take();
  t.is(no.status, 500);
  t.regex(no.header(H.RetryAfter) ?? '', /^(\d|10)$/);
});

test('a re-INVITE before the ACK to the answer: 491', (t) => {
  const { bob, toBob } = talking(true);
  bob.send(bob.backward('INVITE', toBob, 'bt', { body: SDP('b') }));
  t.is(heard(bob), '491 INVITE');
});

test('RFC 5407 3.1.4 a re-INVITE whose sender has our unacknowledged 2xx is passed on', (t) => {
  const { lab, alice, bob, invite, ok } = talking(true);
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('hold') }));
  t.is(line(bob.take()), 'INVITE sdp');
  t.is(heard(alice), '100 INVITE');
  // the first 2xx is not repeated any more, nor does its lost ACK end the call
  lab.pass(3000);
  t.notRegex(heard(alice), /200 INVITE|BYE/);
});

test('CANCEL of a re-INVITE: it ends with 487, the call goes on', (t) => {
  const { alice, bob, invite, ok } = talking();
  const again = alice.inDialog('INVITE', invite, ok, { body: SDP('a') });
  alice.send(again);
  const toBob = bob.take();
  bob.reply(toBob, 100, '');
  alice.inbox();
  alice.cancel(again);
  t.is(heard(alice), '200 CANCEL');
  const cancel = bob.take();
  t.is(line(cancel), 'CANCEL');
  t.is(cancel.toTag, 'bt');
  bob.reply(cancel, 200, '');
  bob.reply(toBob, 487, '');
  t.is(heard(bob), 'ACK');
  t.is(heard(alice), '487 INVITE');
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(bob), 'BYE');
});

test('BYE of the asker while his re-INVITE is open: 487, and one BYE to the other', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('a') }));
  alice.inbox();
  const toBob = bob.take();
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(alice), '200 BYE, 487 INVITE');
  const bye = bob.take();
  t.is(bye.header(H.CSeq), '3 BYE');
  bob.reply(bye, 200, '');
  bob.reply(toBob, 487, '');
  t.is(heard(bob), 'ACK');
  lab.pass(80_000);
  t.is(lab.rows(), 2);
});

test('BYE of the asked while a re-INVITE to him is open: the asker hears 487 and BYE', (t) => {
  const { lab, alice, bob, invite, toBob, ok } = talking();
  const again = alice.inDialog('INVITE', invite, ok, { body: SDP('a') });
  alice.send(again);
  const open = bob.take();
  alice.inbox();
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  const [no, bye] = alice.inbox();
  t.is(line(no as never), '487 INVITE');
  t.is(line(bye as never), 'BYE');
  alice.ack(again, no as never);
  alice.reply(bye as never, 200, '');
  bob.reply(open, 487, '');
  t.is(heard(bob), 'ACK');
  lab.pass(80_000);
  t.is(lab.rows(), 2);
});

test('UPDATE, INFO and MESSAGE pass through both ways with body and answer', (t) => {
  const { lab, alice, bob, invite, toBob, ok } = talking();
  let cseq = 2;
  for (const method of ['UPDATE', 'INFO', 'MESSAGE']) {
    alice.send(alice.inDialog(method, invite, ok, { body: 'Signal=5\r\n' }));
    const got = bob.take();
    t.is(got.method, method);
    t.is(got.body, 'Signal=5\r\n');
    t.is(got.cseq, cseq);
    cseq += 1;
    bob.reply(got, 200, '', 'fine');
    const back = alice.take();
    t.is(back.status, 200);
    t.is(back.body, 'fine');
  }
  bob.send(bob.backward('INFO', toBob, 'bt', { body: 'x' }));
  const got = alice.take();
  t.is(got.method, 'INFO');
  alice.reply(got, 415, '');
  t.is(heard(bob), '415 INFO');
  lab.pass(40_000);
  t.is(lab.store.count({ name: 'stx' } as never), 0);
});

test('RFC 3261 17.2.2 a repeated INFO is absorbed until answered, then answered again', (t) => {
  const { alice, bob, invite, ok } = talking();
  const info = alice.inDialog('INFO', invite, ok, { body: 'x' });
  alice.send(info);
  alice.send(info);
  t.is(heard(alice), '');
  const got = bob.take();
  bob.reply(got, 200, '', 'y');
  const first = alice.take();
  alice.send(info);
  t.is(alice.take().text, first.text);
});

test('an INFO nobody answers: 408, and the call goes on', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('INFO', invite, ok, { body: 'x' }));
  lab.pass(32_100);
  t.is(heard(alice), '408 INFO');
  bob.inbox();
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(bob), 'BYE');
});

test('RFC 3261 12.2.1.1 a re-INVITE with a new Contact moves the remote target', (t) => {
  const { lab, alice, bob, invite, toBob, ok } = talking();
  const moved = new Peer(lab, '1001', '192.0.2.77', 5070);
  moved.cseq = alice.cseq;
  const again = moved.inDialog('INVITE', invite, ok, { body: SDP('m'), fromTag: 't1001' });
  moved.send(again);
  bob.reply(bob.take(), 200, '', SDP('n'));
  moved.ack(again, moved.inbox()[1] as never);
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(heard(moved), 'BYE');
  t.is(heard(alice), '');
});

test('RFC 3261 12.1 Record-Route of both sides becomes the route set', (t) => {
  const { lab, alice, bob } = talking();
  const rr = 'Record-Route: <sip:192.0.2.50;lr>, <sip:192.0.2.51;lr>\r\n';
  const proxy = new Peer(lab, 'proxy', '192.0.2.50');
  const far = new Peer(lab, 'far', '192.0.2.61');
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', {
    body: SDP('a'),
    callId: 'routed',
    extra: rr,
  });
  alice.send(invite);
  const toBob = bob.take();
  t.false(toBob.has(H.RecordRoute), 'each side has its own');
  bob.reply(
    toBob,
    200,
    'bt2',
    SDP('b'),
    'Record-Route: <sip:192.0.2.60;lr>\r\nRecord-Route: <sip:192.0.2.61;lr>\r\n',
  );
  const ok = alice.inbox().at(-1);
  t.deepEqual(ok?.values(H.RecordRoute), ['<sip:192.0.2.50;lr>', '<sip:192.0.2.51;lr>']);
  const ack = far.take();
  t.is(line(ack), 'ACK');
  t.deepEqual(ack.values(H.Route), ['<sip:192.0.2.61;lr>', '<sip:192.0.2.60;lr>']);
  t.is(ack.requestUri, bob.contact);
  alice.ack(invite, ok as never);
  bob.send(bob.backward('BYE', toBob, 'bt2'));
  const bye = proxy.take();
  t.deepEqual(bye.values(H.Route), ['<sip:192.0.2.50;lr>', '<sip:192.0.2.51;lr>']);
  t.is(bye.requestUri, alice.contact);
});

test('RFC 3261 12.2.1.1 a strict router gets the Request-URI, the target goes last', (t) => {
  const { lab, alice, bob } = talking();
  const old = new Peer(lab, 'old', '192.0.2.50');
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', {
    body: SDP('a'),
    callId: 'strict',
    extra: 'Record-Route: <sip:192.0.2.50>\r\n',
  });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(toBob, 200, 'bt2', SDP('b'));
  alice.ack(invite, alice.inbox().at(-1) as never);
  bob.send(bob.backward('BYE', toBob, 'bt2'));
  const bye = old.take();
  t.is(bye.requestUri, 'sip:192.0.2.50');
  t.deepEqual(bye.values(H.Route), [`<${alice.contact}>`]);
});

test('Reason of a BYE goes through', (t) => {
  const { alice, bob, invite, ok } = talking();
  const extra = 'Reason: Q.850;cause=16;text="Normal"\r\n';
  alice.send(alice.inDialog('BYE', invite, ok, { extra }));
  t.is(bob.take().header(H.Reason), 'Q.850;cause=16;text="Normal"');
});
