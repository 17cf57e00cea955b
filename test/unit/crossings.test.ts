/**
 * Where transfers, pickups, reliable ringing and what phones do meanwhile meet: each of these is right by
 * itself, and two of them at once have to be.
 */

import test from 'ava';
import { CALL, LEG, RPR } from '../../src/call/rows.ts';
import { REOFFER, TRANSFER } from '../../src/call/transfer-rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, type Lab, line, Peer, pair, SDP } from './call-lab.ts';
import { consult, notes, quiet, refer, replacesOf, sole, three } from './transfer-lab.ts';

const RELIABLE = 'Require: 100rel\r\nRSeq: 5\r\n';

function fourth(lab: Lab): Peer {
  const dave = new Peer(lab, '1004', '192.0.2.4');
  lab.register(dave);
  return dave;
}

/** alice's call rings at bob; carol picks it up, and alice has acknowledged that. */
function pickedUp() {
  const p = pair();
  const { alice, bob, lab } = p;
  const carol = new Peer(lab, '1003', '192.0.2.3');
  lab.register(carol);
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(toBob, 180, 'bt');
  heard(alice);
  const take = carol.request('INVITE', 'sip:1002@192.0.2.10', {
    extra: `Replaces: ${toBob.callId};to-tag=${toBob.fromTag};from-tag=bt;early-only\r\n`,
    body: SDP('carol'),
  });
  carol.send(take);
  const ok = alice.take();
  for (const m of bob.inbox()) bob.reply(m, 200, 'bt');
  bob.reply(toBob, 487, 'bt');
  bob.inbox();
  alice.ack(invite, ok);
  lab.pass(300);
  carol.inbox();
  return { ...p, carol, invite, ok, take, re: alice.take() };
}

/** Nothing but registrations. */
function over(lab: Lab): string[] {
  quiet(lab);
  const tables = [CALL, LEG, TRANSFER, REOFFER, RPR] as const;
  return tables.flatMap((x) => (lab.store.count(x as never) > 0 ? [x.name] : []));
}

test('who picks up withdraws before the caller took his offer: the caller is hung up', (t) => {
  const { lab, alice, carol, invite, ok, take, re } = pickedUp();
  carol.cancel(take);
  t.is(heard(carol), '200 CANCEL, 487 INVITE');
  alice.reply(re, 200, 't1001', SDP('alice 2'));
  const said = alice.inbox();
  t.true(
    said.some((m) => m.method === 'BYE'),
    said.map(line).join(),
  );
  for (const m of said) if (m.method === 'BYE') alice.reply(m, 200, 'x');
  t.deepEqual(over(lab), []);
  t.truthy([invite, ok]);
});

test('the caller refuses the offer of who picked up: both calls are over', (t) => {
  const { lab, alice, carol, re } = pickedUp();
  alice.reply(re, 488, 't1001');
  t.is(heard(carol), '488 INVITE');
  const bye = sole(alice.inbox(), 'BYE');
  alice.reply(bye, 200, 'x');
  t.deepEqual(over(lab), []);
});

test('RFC 3891 3: a phone that lost the call to another one cannot be picked up any more', (t) => {
  const p = pair();
  const { alice, bob, lab } = p;
  const second = new Peer(lab, '1002', '192.0.2.5');
  lab.register(second);
  const carol = new Peer(lab, '1003', '192.0.2.3');
  lab.register(carol);
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  const toBob = bob.take();
  const toSecond = second.take();
  bob.reply(toBob, 180, 'bt');
  second.reply(toSecond, 180, 'st');
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  alice.ack(invite, alice.inbox().at(-1) as SipMessage);
  alice.inbox();
  // its CANCEL is under way
  carol.send(
    carol.request('INVITE', 'sip:1002@192.0.2.10', {
      extra: `Replaces: ${toSecond.callId};to-tag=${toSecond.fromTag};from-tag=st\r\n`,
      body: SDP('carol'),
    }),
  );
  t.is(heard(carol), '603 INVITE');
  lab.pass(1000);
  t.is(heard(alice), '', 'she talks with bob');
});

test('a consultation that led elsewhere by a transfer of its own is joined, whoever hangs up when', (t) => {
  for (const end of ['target', 'transferee', 'refusal', 'nobody'] as const) {
    const s = three();
    const { lab, alice, bob, carol } = s;
    const dave = fourth(lab);
    const c = consult(s, true);
    // carol sends bob on to dave: bob's second call is with dave from now on
    carol.send(
      carol.backward('REFER', c.toCarol, 'ct', { extra: 'Refer-To: <sip:1004@192.0.2.10>\r\n' }),
    );
    notes(carol);
    const toDave = sole(dave.inbox(), 'INVITE');
    dave.reply(toDave, 200, 'dt', SDP('dave'));
    bob.reply(sole(bob.inbox(), 'INVITE'), 200, 'tbob', SDP('bob3'));
    notes(carol);
    notes(carol);
    lab.pass(3000);
    notes(carol);
    heard(bob);
    heard(dave);
    // now bob joins alice with dave, and leaves both calls at once
    bob.send(refer(s, `<sip:1004@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
    notes(bob);
    const asked = sole(dave.inbox(), 'INVITE');
    t.is(asked.body, '', end);
    bob.send(bob.inDialog('BYE', c.invite, c.ok, { cseq: 90 }));
    bob.send(bob.backward('BYE', s.toBob, 'bt', { cseq: 90 }));
    notes(bob);
    if (end === 'target') dave.send(dave.backward('BYE', toDave, 'dt', { cseq: 50 }));
    else if (end === 'refusal') dave.reply(asked, 488, 'dt');
    else if (end === 'transferee') alice.send(alice.inDialog('BYE', s.invite, s.ok));
    else {
      dave.reply(asked, 200, 'dt', SDP('dave 2'));
      alice.reply(sole(alice.inbox(), 'INVITE'), 200, 't1001', SDP('alice 2'));
      t.is(dave.inbox().find((m) => m.method === 'ACK')?.body, SDP('alice 2'));
      heard(alice);
      lab.pass(3000);
      notes(bob);
      alice.send(alice.inDialog('INFO', s.invite, s.ok, { body: 'x' }));
      t.is(heard(dave), 'INFO sdp');
      dave.send(dave.backward('BYE', toDave, 'dt', { cseq: 50 }));
    }
    lab.pass(1000);
    const heardBye = (peer: Peer): boolean => notes(peer).includes('BYE');
    if (end !== 'transferee') t.true(heardBye(alice), `alice is hung up: ${end}`);
    if (end === 'transferee' || end === 'refusal') t.true(heardBye(dave), `dave too: ${end}`);
    for (let i = 0; i < 20; i += 1) {
      for (const peer of [alice, bob, carol, dave]) notes(peer);
      lab.pass(500);
    }
    t.deepEqual(over(lab), [], end);
  }
});

test('the transferee gives up while a consultation rings whose caller has left: it rings no more', (t) => {
  const s = three();
  const { alice, bob, carol } = s;
  const c = consult(s, false);
  bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
  notes(bob);
  bob.cancel(c.invite);
  bob.inbox();
  alice.send(alice.inDialog('BYE', s.invite, s.ok));
  t.is(heard(carol), 'CANCEL');
  notes(bob);
  carol.reply(c.toCarol, 200, 'ct', SDP('carol'));
  const said = carol.inbox().map(line);
  t.deepEqual(said.slice(0, 2), ['ACK', 'BYE'], 'an answer that crossed it is thanked and ended');
});

test('RFC 3262 3: a target rings reliably when its caller has left already: it is acknowledged', (t) => {
  const s = three();
  const { lab, bob, carol } = s;
  const invite = bob.request('INVITE', 'sip:1003@192.0.2.10', {
    body: SDP('bob2'),
    callId: 'consult@bob',
    fromTag: 'consult',
    extra: 'Supported: 100rel\r\n',
  });
  bob.send(invite);
  const toCarol = sole(carol.inbox(), 'INVITE');
  carol.reply(toCarol, 180, 'ct');
  const { toTag } = bob.inbox().at(-1) as SipMessage;
  bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(toTag)}>`));
  notes(bob);
  bob.cancel(invite);
  bob.inbox();
  carol.reply(toCarol, 183, 'ct', SDP('carol'), RELIABLE);
  t.regex(sole(carol.inbox(), 'PRACK').header(H.RAck) ?? '', /^5 1 INVITE/);
  t.is(lab.store.count(TRANSFER), 1);
});

test('a re-INVITE of the one who stays was passed to the transferor, who leaves: it is free again', (t) => {
  const s = three();
  const { alice, bob, carol } = s;
  const re = alice.inDialog('INVITE', s.invite, s.ok, { body: SDP('hold') });
  alice.send(re);
  heard(alice);
  bob.inbox();
  bob.send(refer(s, '<sip:1003@192.0.2.10>'));
  notes(bob);
  const toCarol = sole(carol.inbox(), 'INVITE');
  // it never answers what it was asked
  bob.send(bob.backward('BYE', s.toBob, 'bt', { cseq: 60 }));
  notes(bob);
  const no = alice.take();
  t.true(no.status === 491 || no.status === 487, line(no));
  alice.ack(re, no);
  carol.reply(toCarol, 200, 'ct', SDP('carol'));
  t.is(sole(alice.inbox(), 'INVITE').body, SDP('carol'), 'the transfer goes on at once');
});

test('what a transferor who left answers with 481 is no news of the dialog of the one who stays', (t) => {
  const s = three();
  const { alice, bob } = s;
  alice.send(alice.inDialog('INFO', s.invite, s.ok, { body: 'x' }));
  const info = bob.take();
  bob.send(refer(s, '<sip:1003@192.0.2.10>'));
  bob.send(bob.backward('BYE', s.toBob, 'bt', { cseq: 60 }));
  notes(bob);
  bob.reply(info, 481, 'bt');
  const said = alice.take();
  t.is(said.status, 500);
  t.is(s.lab.store.count(TRANSFER), 1, 'and the transfer goes on');
});

const TIMED = 'Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 90;refresher=uac\r\n';

/** bob sends alice on to carol, whose phone plays early media; alice refreshes her session herself. */
function timed() {
  const p = pair({ sessionExpiresS: 90 });
  const { alice, bob, lab } = p;
  const carol = new Peer(lab, '1003', '192.0.2.3');
  lab.register(carol);
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', {
    body: SDP('alice'),
    extra: TIMED,
  });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(
    toBob,
    200,
    'bt',
    SDP('bob'),
    'Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n',
  );
  const ok = alice.inbox().at(-1) as SipMessage;
  alice.ack(invite, ok);
  heard(bob);
  const s = { ...p, carol, invite, toBob, ok };
  bob.send(refer(s as never, '<sip:1003@192.0.2.10>'));
  notes(bob);
  const toCarol = sole(carol.inbox(), 'INVITE');
  carol.reply(toCarol, 183, 'ct', SDP('early'));
  notes(bob);
  return { ...s, toCarol };
}

test('a call with a session timer is sent on to a target with early media: each leg keeps its timer', (t) => {
  const s = timed();
  const { lab, alice, bob, carol, toCarol } = s;
  t.is(heard(alice), '', 'early media is for nobody');
  lab.pass(40_000);
  alice.send(alice.inDialog('UPDATE', s.invite, s.ok, { extra: TIMED }));
  t.regex(alice.take().header(H.SessionExpires) ?? '', /^90;refresher=uac/);
  bob.send(bob.backward('UPDATE', s.toBob, 'bt', { extra: TIMED, cseq: 20 }));
  notes(bob);
  carol.reply(
    toCarol,
    200,
    'ct',
    SDP('carol'),
    'Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n',
  );
  const re = sole(alice.inbox(), 'INVITE');
  t.regex(re.header(H.SessionExpires) ?? '', /^90;refresher=uas/, 'the role stays hers');
  alice.reply(
    re,
    200,
    't1001',
    SDP('alice 2'),
    'Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n',
  );
  t.true(notes(bob).includes('200 terminated;reason=noresource'));
  heard(carol);
  lab.pass(40_000);
  notes(bob);
  alice.inbox();
  alice.send(alice.inDialog('UPDATE', s.invite, s.ok, { extra: TIMED }));
  t.is(alice.take().status, 200);
  // carol refreshes hers no more: her session ends, and with it the call
  lab.pass(25_000);
  t.true(carol.inbox().some((m) => m.method === 'BYE'));
  const bye = alice.inbox().find((m) => m.method === 'BYE') as SipMessage;
  alice.reply(bye, 200, 'x');
  t.deepEqual(over(lab), []);
});

test('a session ends while a transfer is under way: all of it ends', (t) => {
  const { lab, alice, bob, carol } = timed();
  lab.pass(61_000);
  t.true(alice.inbox().some((m) => m.method === 'BYE'));
  t.true(notes(bob).some((n) => n === 'BYE'));
  t.true(carol.inbox().some((m) => m.method === 'CANCEL'));
  t.deepEqual(over(lab), []);
});

test('RFC 3261 13.2.1: a target that answers without the offer it was asked for is no target', (t) => {
  for (const kind of ['blind', 'attended', 'transferee'] as const) {
    const s = three();
    const { lab, alice, bob, carol } = s;
    if (kind === 'attended') {
      const c = consult(s, true);
      bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
    } else bob.send(refer(s, '<sip:1003@192.0.2.10>'));
    notes(bob);
    const asked = sole(carol.inbox(), 'INVITE');
    t.is(asked.body, '');
    carol.reply(asked, 200, 'ct', kind === 'transferee' ? SDP('carol') : '');
    if (kind === 'transferee') alice.reply(sole(alice.inbox(), 'INVITE'), 200, 't1001');
    const said = carol.inbox().map(line);
    t.regex(said[0] ?? '', /^ACK/, kind);
    t.is(said.includes('BYE'), kind !== 'attended', 'a consultation goes on');
    t.is(notes(bob).at(-1), '488 terminated;reason=noresource');
    t.is(heard(alice), kind === 'transferee' ? 'ACK' : '', 'she goes on with bob');
    t.is(lab.store.count(TRANSFER) - 1 + lab.store.count(REOFFER), -1);
  }
});
