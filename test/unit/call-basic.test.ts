/** RFC 3665 section 3 flows through the back-to-back user agent, by hand-driven peers. */

import test from 'ava';
import { H } from '../../src/sip-parser/index.ts';
import { heard, line, pair, SDP, talking } from './call-lab.ts';

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

test('RFC 3665 3.1 BYE by the callee', (t) => {
  const { lab, alice, bob, toBob, ok } = talking();
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  const bye = alice.take();
  t.is(line(bye), 'BYE');
  t.is(bye.fromTag, ok.toTag);
  t.is(bye.header(H.CSeq), '1 BYE');
  alice.reply(bye, 200, '');
  lab.pass(40_000);
  t.is(lab.rows(), 2);
});

test('RFC 3665 3.8 no answer: the caller cancels', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(toBob, 180, 'bt');
  alice.inbox();
  alice.cancel(invite);
  const [ok, terminated] = alice.inbox();
  t.is(line(ok as never), '200 CANCEL');
  t.is(line(terminated as never), '487 INVITE');
  t.is(ok?.toTag, terminated?.toTag, 'RFC 3261 9.2: the same To tag');
  const cancel = bob.take();
  t.is(line(cancel), 'CANCEL');
  t.is(cancel.branch, toBob.branch, 'RFC 3261 9.1: the branch of the INVITE');
  t.is(cancel.requestUri, toBob.requestUri);
  t.is(cancel.header(H.To), toBob.header(H.To));
  t.is(cancel.cseq, toBob.cseq);
  bob.reply(cancel, 200, 'bt');
  bob.reply(toBob, 487, 'bt');
  const ack = bob.take();
  t.is(line(ack), 'ACK');
  t.is(ack.branch, toBob.branch, 'RFC 3261 17.1.1.3: the branch of the INVITE');
  t.is(ack.toTag, 'bt');
  alice.ack(invite, terminated as never);
  lab.pass(1000);
  t.is(heard(alice) + heard(bob), '');
  lab.pass(60_000);
  t.is(lab.rows(), 2);
});

test('RFC 3261 9.1 a CANCEL waits for a provisional response', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  const toBob = bob.take();
  alice.cancel(invite);
  t.is(heard(alice), '100 INVITE, 200 CANCEL, 487 INVITE');
  t.is(heard(bob), '');
  bob.reply(toBob, 100, '');
  t.is(heard(bob), 'CANCEL');
  lab.pass(500);
  t.is(heard(bob), 'CANCEL', 'timer E');
});

test('RFC 3261 9.1 a phone that never ends a cancelled INVITE is forgotten after 64*T1', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  bob.reply(bob.take(), 180, 'bt');
  alice.cancel(invite);
  lab.pass(70_000);
  t.is(lab.rows(), 2);
});

test('the CANCEL crosses the 200 of the callee: the phone is thanked and hung up', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(toBob, 180, 'bt');
  alice.inbox();
  alice.cancel(invite);
  alice.ack(invite, alice.inbox()[1] as never);
  bob.inbox();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  const [ack, bye] = bob.inbox();
  t.is(line(ack as never), 'ACK');
  t.is(line(bye as never), 'BYE');
  bob.reply(bye as never, 200, 'bt');
  t.is(heard(alice), '');
  lab.pass(60_000);
  t.is(lab.rows(), 2);
});

test('RFC 3261 9.2 a CANCEL after the answer has no effect', (t) => {
  const { alice, bob, invite } = talking(true);
  alice.cancel(invite);
  t.is(heard(alice), '200 CANCEL');
  t.is(heard(bob), '');
});

test('RFC 3261 9.2 a CANCEL that matches nothing is answered 481', (t) => {
  const { alice } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10');
  alice.cancel(invite);
  t.is(heard(alice), '481 CANCEL');
});

test('RFC 3665 3.9 busy: the refusal of the phone with its reason reaches the caller', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(toBob, 486, 'bt', '', 'Retry-After: 7\r\n');
  t.is(heard(bob), 'ACK');
  const busy = alice.inbox()[1];
  t.is(busy?.status, 486);
  t.is(busy?.reason, 'Phone Says 486');
  t.is(busy?.header(H.RetryAfter), '7');
  // RFC 3261 17.2.1: repeated by timer G until the ACK comes.
  lab.pass(500);
  const again = alice.take();
  t.is(again.text, busy?.text ?? '');
  lab.pass(1000);
  t.is(heard(alice), '486 INVITE');
  alice.ack(invite, again);
  lab.pass(32_000);
  t.is(heard(alice), '');
  // RFC 3261 17.1.1.2: a repeated refusal of the phone is acknowledged again in Completed.
  lab.pass(40_000);
  t.is(lab.rows(), 2);
});

test('RFC 3261 17.1.1.2 a repeated refusal is acknowledged again, and told once', (t) => {
  const { alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(toBob, 486, 'bt');
  t.is(heard(bob), 'ACK');
  alice.ack(invite, alice.inbox()[1] as never);
  bob.reply(toBob, 486, 'bt');
  t.is(heard(bob), 'ACK');
  t.is(heard(alice), '');
});

test('nobody answers: 480 to the caller and CANCEL to the phone', (t) => {
  const { lab, alice, bob } = pair({ noAnswerMs: 30_000 });
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  bob.reply(bob.take(), 180, 'bt');
  alice.inbox();
  lab.pass(30_010);
  t.regex(heard(alice), /^480 INVITE/);
  t.is(heard(bob), 'CANCEL');
});

test('RFC 3261 17.1.1.2 timers A and B: a silent phone gets 7 INVITEs, the caller 408', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  alice.inbox();
  const times: number[] = [];
  const start = lab.now;
  for (let ms = 0; ms < 33_000; ms += 100) {
    for (const m of bob.inbox()) {
      t.is(line(m), 'INVITE sdp');
      times.push(Math.floor((lab.now - start) / 100) * 100);
    }
    lab.pass(100);
  }
  t.deepEqual(times, [0, 500, 1500, 3500, 7500, 15500, 31500]);
  t.regex(heard(alice), /^408 INVITE/);
});

test('unknown user 404, nobody registered 480, other schemes 416, no hops left 483', (t) => {
  // where programs may watch, a call that leads nowhere is told of and remembered: csta-calls.test.ts
  const { lab, alice } = pair({ csta: false });
  const rows = lab.rows();
  const ask = (uri: string): string => {
    alice.send(alice.request('INVITE', uri, { to: 'sip:x@192.0.2.10' }));
    return heard(alice);
  };
  t.is(ask('sip:5555@192.0.2.10'), '404 INVITE');
  t.is(ask('sip:bob@192.0.2.10'), '404 INVITE');
  t.is(ask('sip:01002@192.0.2.10'), '404 INVITE');
  t.is(ask('sip:1999@192.0.2.10'), '480 INVITE');
  t.is(ask('tel:1002'), '416 INVITE');
  alice.send(
    alice.request('INVITE', 'sip:1002@192.0.2.10').replace('Max-Forwards: 70', 'Max-Forwards: 0'),
  );
  t.is(heard(alice), '483 INVITE');
  t.is(lab.rows(), rows, 'refused without a row');
});

test('RFC 3261 8.2.2.3 required extensions: 420 with Unsupported', (t) => {
  const { alice } = pair();
  alice.send(
    alice.request('INVITE', 'sip:1002@192.0.2.10', { extra: 'Require: 100rel, nothing\r\n' }),
  );
  const no = alice.take();
  t.is(no.status, 420);
  t.is(no.header(H.Unsupported), 'nothing');
});

test('RFC 3261 8.2.1 a method we have no use for: 405 with Allow', (t) => {
  const { alice } = pair();
  for (const method of ['JUGGLE']) {
    alice.send(alice.request(method, 'sip:1002@192.0.2.10'));
    const no = alice.take();
    t.is(no.status, 405);
    t.regex(no.header(H.Allow) ?? '', /INVITE, ACK, BYE, CANCEL, OPTIONS/);
  }
});

test('RFC 3261 8.2.2.2 a merged request: 482', (t) => {
  const { alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  alice.inbox();
  alice.send(invite.replace(/branch=\S+;rport/, 'branch=z9hG4bKother;rport'));
  t.is(heard(alice), '482 INVITE');
  t.is(heard(bob), 'INVITE sdp');
});

test('too many calls: 503 with Retry-After before a row is written', (t) => {
  const { lab, alice, bob } = pair({ maxCalls: 1 });
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  alice.inbox();
  const rows = lab.rows();
  bob.send(bob.request('INVITE', 'sip:1001@192.0.2.10', { body: SDP('bob') }));
  const [, no] = bob.inbox();
  t.is(no?.status, 503);
  t.is(no?.header(H.RetryAfter), '5');
  t.is(lab.rows(), rows);
});

test('RFC 3261 17.2.1 a repeated INVITE gets the last provisional response again', (t) => {
  const { alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  const first = alice.take();
  alice.send(invite);
  t.is(alice.take().text, first.text);
  const toBob = bob.take();
  bob.reply(toBob, 183, 'bt', SDP('early'));
  const progress = alice.take();
  t.is(progress.body, SDP('early'));
  alice.send(invite);
  t.is(alice.take().text, progress.text);
  bob.reply(toBob, 183, 'bt', SDP('early'));
  t.is(heard(alice), '', 'the phone repeated itself');
  t.is(heard(bob), '', 'one INVITE only');
});

test('RFC 3261 13.3.1.4 the 2xx is repeated at T1 doubling to T2 until the ACK, then BYE', (t) => {
  const { lab, alice, bob, ok } = talking(true);
  const times: number[] = [];
  const start = lab.now;
  for (let ms = 0; ms < 31_900; ms += 100) {
    for (const m of alice.inbox()) {
      t.is(m.text, ok.text);
      times.push(Math.floor((lab.now - start) / 100) * 100);
    }
    lab.pass(100);
  }
  t.deepEqual(times, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
  lab.pass(200);
  t.is(heard(alice), 'BYE');
  t.is(heard(bob), 'BYE');
});

test('RFC 3261 13.2.2.4 every repeated 2xx is acknowledged again, and nothing else happens', (t) => {
  const { lab, alice, bob, toBob } = talking();
  for (let i = 0; i < 3; i += 1) {
    bob.reply(toBob, 200, 'bt', SDP('bob'));
    const ack = bob.take();
    t.is(line(ack), 'ACK');
    t.is(ack.header(H.CSeq), '1 ACK');
    lab.pass(1000);
  }
  t.is(heard(alice), '');
});

test('RFC 6026 7.1 a repeated INVITE after the 2xx is absorbed', (t) => {
  const { alice, bob, invite } = talking();
  alice.send(invite);
  t.is(heard(alice) + heard(bob), '');
});

test('RFC 3261 17.2.2 a repeated BYE is answered again and passed on once', (t) => {
  const { alice, bob, invite, ok } = talking();
  const bye = alice.inDialog('BYE', invite, ok);
  alice.send(bye);
  const first = alice.take();
  alice.send(bye);
  t.is(alice.take().text, first.text);
  t.is(heard(bob), 'BYE');
});

test('RFC 3261 17.1.2.2 timer E: BYE at T1 doubling to T2, and the leg is forgotten at F', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('BYE', invite, ok));
  alice.inbox();
  const times: number[] = [];
  const start = lab.now;
  for (let ms = 0; ms < 33_000; ms += 100) {
    for (const m of bob.inbox()) {
      t.is(line(m), 'BYE');
      times.push(Math.floor((lab.now - start) / 100) * 100);
    }
    lab.pass(100);
  }
  t.deepEqual(times, [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
  lab.pass(40_000);
  t.is(lab.rows(), 2);
});

test('crossing BYEs: both are answered 200', (t) => {
  const { lab, alice, bob, invite, toBob, ok } = talking();
  const bobsBye = bob.backward('BYE', toBob, 'bt');
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(alice), '200 BYE');
  const bye = bob.take();
  bob.send(bobsBye);
  t.is(heard(bob), '200 BYE');
  bob.reply(bye, 481, 'bt');
  t.is(heard(alice), '');
  lab.pass(70_000);
  t.is(lab.rows(), 2);
});

test('RFC 3261 15.1.2 a BYE for no dialog: 481', (t) => {
  const { alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('BYE', invite, ok, { toTag: `${ok.toTag}x` }));
  t.is(heard(alice), '481 BYE');
  alice.send(alice.inDialog('BYE', invite, ok, { toTag: '1-forged' }));
  t.is(heard(alice), '481 BYE');
  alice.send(alice.inDialog('BYE', invite, ok, { callId: 'other' }));
  t.is(heard(alice), '481 BYE');
  alice.send(alice.inDialog('BYE', invite, ok, { fromTag: 'other' }));
  t.is(heard(alice), '481 BYE');
  t.is(heard(bob), '');
});

test('RFC 3261 15.1.1 the caller ends an early dialog by BYE: 487 and CANCEL', (t) => {
  const { alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  bob.reply(bob.take(), 180, 'bt');
  const ringing = alice.inbox()[1] as never;
  alice.send(alice.inDialog('BYE', invite, ringing));
  t.is(heard(alice), '200 BYE, 487 INVITE');
  t.is(heard(bob), 'CANCEL');
});

test('RFC 3261 15 our BYE to the caller waits for his ACK', (t) => {
  const { lab, alice, bob, invite, toBob, ok } = talking(true);
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  t.is(heard(alice), '');
  lab.pass(600);
  t.is(heard(alice), '200 INVITE sdp', 'still asking for the ACK');
  alice.ack(invite, ok);
  t.is(heard(alice), 'BYE');
});

test('RFC 3261 12.2.2 a CSeq below the last one: 500', (t) => {
  const { alice, invite, ok } = talking();
  alice.send(alice.inDialog('BYE', invite, ok, { cseq: 1 }));
  t.is(heard(alice), '500 BYE');
});

test('OPTIONS is answered without a row, the same each time', (t) => {
  const { lab, alice } = pair();
  const rows = lab.rows();
  const ping = alice.request('OPTIONS', 'sip:192.0.2.10');
  alice.send(ping);
  const first = alice.take();
  t.is(first.status, 200);
  t.regex(first.header(H.Accept) ?? '', /application\/sdp/);
  t.true(first.has(H.Allow) && first.has(H.Supported));
  alice.send(ping);
  t.is(alice.take().text, first.text);
  t.is(lab.rows(), rows);
});

test('OPTIONS in a dialog is answered 200', (t) => {
  const { alice, invite, ok } = talking();
  alice.send(alice.inDialog('OPTIONS', invite, ok));
  t.is(heard(alice), '200 OPTIONS');
});

test('stray responses and ACKs are absorbed', (t) => {
  const { lab, alice, bob, toBob } = talking();
  bob.send(
    'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1-forged;rport\r\n' +
      'From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n',
  );
  bob.send(bob.backward('ACK', toBob, 'bt', { cseq: 9 }));
  alice.send(alice.request('ACK', 'sip:1002@192.0.2.10', { toTag: 'none' }));
  t.is(heard(alice) + heard(bob), '');
  t.is(lab.counters.get('responsesStray'), 1);
  t.is(lab.counters.get('acksStray'), 2);
});

test('an offerless INVITE: the offer comes with the 200, the answer with the ACK', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10');
  alice.send(invite);
  const toBob = bob.take();
  t.is(line(toBob), 'INVITE');
  bob.reply(toBob, 180, 'bt');
  bob.reply(toBob, 200, 'bt', SDP('offer'));
  const ok = alice.inbox().at(-1);
  t.is(ok?.body, SDP('offer'));
  t.is(heard(bob), '', 'its ACK waits for the answer');
  bob.reply(toBob, 200, 'bt', SDP('offer'));
  t.is(heard(bob), '');
  alice.ack(invite, ok as never, SDP('answer'));
  const ack = bob.take();
  t.is(ack.body, SDP('answer'));
  t.is(ack.contentType, 'application/sdp');
  bob.reply(toBob, 200, 'bt', SDP('offer'));
  t.is(bob.take().text, ack.text, 'a repeated 2xx gets the same ACK');
  lab.pass(31_000);
  t.is(heard(alice) + heard(bob), '');
});

test('what goes through end to end, and what stays on its side', (t) => {
  const { alice, bob } = pair();
  const extra =
    'Subject: Lunch\r\nX-Attached: blue\r\nSupported: timer, 100rel\r\nSession-Expires: 90\r\n' +
    'Route: <sip:192.0.2.10;lr>\r\nP-Asserted-Identity: <sip:boss@example.net>\r\nUser-Agent: hand\r\n';
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice'), extra }));
  const toBob = bob.take();
  t.is(toBob.header(H.Subject), 'Lunch');
  t.is(toBob.other('X-Attached'), 'blue');
  t.is(toBob.header(H.UserAgent), 'hand');
  for (const h of [H.Route, H.PAssertedIdentity]) t.false(toBob.has(h), String(h));
  t.is(toBob.header(H.SessionExpires), '1800', 'our own session with that side');
  t.is(toBob.header(H.From)?.replace(/;tag=.*/, ''), '"1001" <sip:1001@example.net>');
  t.is(toBob.contactUri, 'sip:1001@192.0.2.10:5060');
});
