/** Several phones of one user: all ring, one answers, and the caller hears of one call only. */

import test from 'ava';
import { CALL_TABLES } from '../../src/call/switch.ts';
import { H } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer, SDP } from './call-lab.ts';

function trio(settings = {}) {
  const lab = new Lab(settings);
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const desk = new Peer(lab, '1002', '192.0.2.2');
  const cell = new Peer(lab, '1002', '192.0.2.3');
  lab.register(alice);
  lab.register(desk);
  desk.lab.register(cell);
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  alice.inbox();
  return { lab, alice, desk, cell, invite, atDesk: desk.take(), atCell: cell.take() };
}

test('both phones ring with legs of their own, the caller hears ringing once', (t) => {
  const { alice, desk, cell, atDesk, atCell } = trio();
  t.not(atDesk.callId, atCell.callId);
  t.not(atDesk.fromTag, atCell.fromTag);
  desk.reply(atDesk, 180, 'd');
  cell.reply(atCell, 180, 'c');
  t.is(heard(alice), '180 INVITE');
});

test('one answers: the other is cancelled', (t) => {
  const { lab, alice, desk, cell, invite, atDesk, atCell } = trio();
  desk.reply(atDesk, 180, 'd');
  cell.reply(atCell, 180, 'c');
  cell.reply(atCell, 200, 'c', SDP('cell'));
  const ok = alice.inbox().at(-1);
  t.is(ok?.body, SDP('cell'));
  t.is(heard(cell), 'ACK');
  const cancel = desk.take();
  t.is(line(cancel), 'CANCEL');
  desk.reply(cancel, 200, 'd');
  desk.reply(atDesk, 487, 'd');
  t.is(heard(desk), 'ACK');
  alice.ack(invite, ok as never);
  alice.send(alice.inDialog('BYE', invite, ok as never));
  t.is(heard(cell), 'BYE');
  t.is(heard(desk), '');
  lab.pass(70_000);
  t.is(lab.rows(), 3);
});

test('RFC 3261 13.2.2.4 both answer: the later one is acknowledged and hung up', (t) => {
  const { alice, desk, cell, invite, atDesk, atCell } = trio();
  cell.reply(atCell, 200, 'c', SDP('cell'));
  desk.reply(atDesk, 200, 'd', SDP('desk'));
  const ok = alice.take();
  t.is(ok.body, SDP('cell'));
  const [ack, bye] = desk.inbox();
  t.is(line(ack as never), 'ACK');
  t.is(line(bye as never), 'BYE');
  t.is(bye?.toTag, 'd');
  desk.reply(bye as never, 200, 'd');
  alice.ack(invite, ok);
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(cell), 'ACK, BYE');
});

test('RFC 3261 13.2.2.4 a proxy behind the phone forked: the second 2xx is thanked and hung up', (t) => {
  const { alice, cell, atCell } = trio();
  cell.reply(atCell, 200, 'c1', SDP('one'));
  t.is(heard(cell), 'ACK');
  cell.reply(atCell, 200, 'c2', SDP('two'));
  const [ack, bye] = cell.inbox();
  t.is(ack?.toTag, 'c2');
  t.is(line(bye as never), 'BYE');
  t.is(bye?.toTag, 'c2');
  t.is(heard(alice), '200 INVITE sdp');
});

test('RFC 3261 16.7 the best refusal is told when no phone is left', (t) => {
  const { alice, desk, cell, atDesk, atCell } = trio();
  desk.reply(atDesk, 503, 'd');
  t.is(heard(alice), '');
  cell.reply(atCell, 486, 'c');
  t.is(heard(alice), '486 INVITE');
});

test('RFC 3261 16.7 step 5: a 6xx ends it on all phones', (t) => {
  const { alice, desk, cell, atDesk, atCell } = trio();
  desk.reply(atDesk, 180, 'd');
  cell.reply(atCell, 603, 'c');
  t.is(heard(alice), '180 INVITE, 603 INVITE');
  t.is(heard(desk), 'CANCEL');
});

test('a redirection counts as not there, 503 as 500, a challenge of the phone as forbidden', (t) => {
  for (const [status, told] of [
    [302, 480],
    [503, 500],
    [401, 403],
  ] as const) {
    const { alice, desk, cell, atDesk, atCell } = trio();
    desk.reply(atDesk, status, 'd');
    cell.reply(atCell, status, 'c');
    t.is(heard(alice), `${told} INVITE`);
  }
});

test('the caller cancels: every phone is cancelled, and what they still say is absorbed', (t) => {
  const { lab, alice, desk, cell, invite, atDesk, atCell } = trio();
  desk.reply(atDesk, 180, 'd');
  cell.reply(atCell, 180, 'c');
  alice.inbox();
  alice.cancel(invite);
  t.is(heard(alice), '200 CANCEL, 487 INVITE');
  for (const [phone, at, tag] of [
    [desk, atDesk, 'd'],
    [cell, atCell, 'c'],
  ] as const) {
    const cancel = phone.take();
    phone.reply(cancel, 200, tag);
    phone.reply(at, 487, tag);
    t.is(heard(phone), 'ACK');
  }
  lab.pass(70_000);
  t.is(lab.rows(), 3);
});

test('no more phones ring than the limit, the preferred ones first', (t) => {
  const lab = new Lab({ maxForks: 2 });
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const phones = ['0.1', '0.9', '0.5'].map((q, i) => {
    const phone = new Peer(lab, '1002', `192.0.2.${20 + i}`);
    phone.send(
      phone.request('REGISTER', 'sip:192.0.2.10', {
        to: phone.aor,
        extra: `Contact: <${phone.contact}>;q=${q}\r\n`,
        contact: false,
        callId: `q${i}`,
      }),
    );
    phone.inbox();
    return phone;
  });
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10'));
  t.deepEqual(phones.map(heard), ['', 'INVITE', 'INVITE']);
});

test('a phone whose registration ran out does not ring', (t) => {
  const lab = new Lab();
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  t.is(lab.register(bob, 60).status, 200);
  lab.pass(60_010);
  t.is(lab.store.count(CALL_TABLES[0] as never), 0);
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10'));
  const no = alice.take();
  t.is(no.status, 480);
  t.false(no.has(H.Contact));
});
