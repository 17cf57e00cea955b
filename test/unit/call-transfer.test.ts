/** Blind, attended and semi-attended transfer, one test an RFC sentence. */

import test from 'ava';
import { CALL, LEG } from '../../src/call/rows.ts';
import { TRANSFER_MACHINE } from '../../src/call/transfer-machine.ts';
import { REOFFER, TRANSFER } from '../../src/call/transfer-rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, SDP } from './call-lab.ts';
import { consult, notes, quiet, refer, replacesOf, sole, three } from './transfer-lab.ts';

test('the transfer table is total, and every state can come to an end', (t) => {
  const states = Object.keys(TRANSFER_MACHINE);
  const events = Object.keys(TRANSFER_MACHINE.calling).sort();
  const reached = new Set(['calling']);
  for (const [state, row] of Object.entries(TRANSFER_MACHINE)) {
    t.deepEqual(Object.keys(row).sort(), events, state);
    for (const cell of Object.values(row)) {
      t.true(cell.to === 'same' || states.includes(cell.to));
      if (cell.to !== 'same') reached.add(cell.to);
      if (cell.to === 'failed' || cell.to === 'joined') t.true(cell.act.includes('finish'));
      if (state === 'joined' || state === 'failed') t.is(cell.to, 'same');
    }
    t.true(Object.values(row).some((c) => c.act.length > 0));
  }
  t.deepEqual([...reached].sort(), states.sort());
});

test('RFC 5589 6.1 blind transfer: the transferee is connected with the target by re-INVITE', (t) => {
  const s = three();
  const { alice, bob, carol, lab, ok } = s;
  bob.send(refer(s, '<sip:1003@192.0.2.10>'));
  const first = bob.inbox();
  t.deepEqual(
    first.map((m) => m.method || m.status),
    [202, 'NOTIFY'],
  );
  const note = first[1] as SipMessage;
  // RFC 3515 2.4.4: NOTIFY in the dialog of the REFER, with a message/sipfrag
  t.is(note.callId, s.toBob.callId);
  t.is(note.contentType, 'message/sipfrag');
  t.is(note.body, 'SIP/2.0 100 Trying\r\n');
  t.regex(note.header(H.SubscriptionState) ?? '', /^active;expires=\d+$/);
  bob.reply(note, 200, 'bt');
  const toCarol = carol.take();
  t.is(toCarol.body, '');
  t.regex(toCarol.header(H.From) ?? '', /1001/);
  carol.reply(toCarol, 180, 'ct');
  t.deepEqual(notes(bob), ['180 active;expires=240']);
  t.is(heard(alice), '');
  carol.reply(toCarol, 200, 'ct', SDP('carol'));
  t.is(heard(carol), '', 'the ACK waits for the answer');
  const re = alice.take();
  t.is(re.method, 'INVITE');
  t.is(re.body, SDP('carol'));
  t.is(re.callId, ok.callId);
  t.is(re.fromTag, ok.toTag);
  alice.reply(re, 200, 't1001', SDP('alice again'));
  const ack = carol.take();
  t.is(ack.method, 'ACK');
  t.is(ack.body, SDP('alice again'));
  t.is(heard(alice), 'ACK');
  t.deepEqual(notes(bob), ['200 terminated;reason=noresource']);
  bob.send(bob.backward('BYE', s.toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  t.is(heard(alice) + heard(carol), '');
  t.is(lab.store.count(TRANSFER) + lab.store.count(REOFFER), 0);
  // they talk with each other: what one sends reaches the other
  alice.send(alice.inDialog('INFO', s.invite, ok, { body: 'x' }));
  t.is(heard(carol), 'INFO sdp');
  carol.send(carol.backward('INVITE', toCarol, 'ct', { body: SDP('held') }));
  const hold = alice.take();
  t.is(hold.body, SDP('held'));
  alice.reply(hold, 200, 't1001', SDP('ok'));
  t.is(heard(alice), 'ACK');
  t.is(heard(carol), '100 INVITE, 200 INVITE sdp');
  carol.send(carol.backward('ACK', toCarol, 'ct', { cseq: carol.cseq }));
  carol.send(carol.backward('BYE', toCarol, 'ct'));
  alice.reply(sole(alice.inbox(), 'BYE'), 200, 't1001');
  quiet(lab);
  t.is(lab.rows(), 3);
});

test('the caller transfers too: the callee keeps his dialog', (t) => {
  const s = three();
  const { alice, bob, carol, lab } = s;
  alice.send(alice.inDialog('REFER', s.invite, s.ok, { extra: 'Refer-To: sip:1003@x\r\n' }));
  t.deepEqual(notes(alice), ['202', '100 active;expires=240']);
  const toCarol = carol.take();
  carol.reply(toCarol, 200, 'ct', SDP('carol'));
  const re = bob.take();
  t.is(re.callId, s.toBob.callId);
  t.is(re.fromTag, s.toBob.fromTag);
  bob.reply(re, 200, 'bt', SDP('bob'));
  t.is(heard(carol), 'ACK sdp');
  t.is(heard(bob), 'ACK');
  t.deepEqual(notes(alice), ['200 terminated;reason=noresource']);
  // RFC 5589 6.1: the transferor hangs up; one that does not is hung up
  lab.pass(2001);
  t.deepEqual(notes(alice), ['BYE']);
  bob.send(bob.backward('BYE', s.toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  carol.reply(carol.take(), 200, 'ct');
  quiet(lab);
  t.is(lab.rows(), 3);
});

test('RFC 5589 6.2 the target is busy: the transferor is told, and his call goes on', (t) => {
  const s = three();
  const { alice, bob, carol, lab } = s;
  bob.send(refer(s, '<sip:1003@192.0.2.10>'));
  notes(bob);
  carol.reply(carol.take(), 486, 'ct');
  t.is(heard(carol), 'ACK');
  t.deepEqual(notes(bob), ['486 terminated;reason=noresource']);
  t.is(lab.store.count(TRANSFER), 0);
  bob.send(bob.backward('INVITE', s.toBob, 'bt', { body: SDP('retrieve') }));
  t.is(alice.take().body, SDP('retrieve'));
});

test('a number that does not exist: NOTIFY 404', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:4999@192.0.2.10>'));
  t.deepEqual(notes(s.bob), ['202', '404 terminated;reason=noresource']);
  t.is(s.lab.store.count(TRANSFER), 0);
  t.is(heard(s.alice), '');
});

test('nobody answers: NOTIFY 480 when the call to the target is given up', (t) => {
  const s = three({ noAnswerMs: 20_000 });
  s.bob.send(refer(s, '<sip:1003@192.0.2.10>'));
  notes(s.bob);
  const toCarol = s.carol.take();
  s.carol.reply(toCarol, 180, 'ct');
  notes(s.bob);
  s.lab.pass(20_001);
  t.is(heard(s.carol), 'CANCEL');
  t.deepEqual(notes(s.bob), ['480 terminated;reason=noresource']);
});

test('RFC 3515 2.4.2 not exactly one Refer-To: 400; what is no call is refused', (t) => {
  const s = three();
  const ask = (extra: string): string => {
    s.bob.send(s.bob.backward('REFER', s.toBob, 'bt', { extra }));
    return heard(s.bob);
  };
  t.is(ask(''), '400 REFER');
  t.is(ask('Refer-To: <sip:1003@x>\r\nRefer-To: <sip:1001@x>\r\n'), '400 REFER');
  t.is(ask('Refer-To: <sip:1003@x>, <sip:1001@x>\r\n'), '400 REFER');
  t.is(ask('Refer-To: <sip:1003@x;method=BYE>\r\n'), '403 REFER');
  t.is(ask('Refer-To: <sip:1003@x;method=SUBSCRIBE>\r\n'), '403 REFER');
  t.is(ask('Refer-To: <http://x/>\r\n'), '416 REFER');
  t.is(ask('Refer-To: <sip:x>\r\n'), '400 REFER');
  t.is(ask('Require: magic\r\nRefer-To: <sip:1003@x>\r\n'), '420 REFER');
  t.is(s.lab.store.count(TRANSFER), 0);
  t.is(s.lab.counters.get('transfersTried'), undefined);
});

test('RFC 3515 4.x outside a dialog, and in one that is over, nobody is called', (t) => {
  const s = three();
  s.bob.send(
    s.bob.request('REFER', 'sip:1003@192.0.2.10', { extra: 'Refer-To: <sip:1001@x>\r\n' }),
  );
  t.is(heard(s.bob), '403 REFER');
  const late = refer(s, '<sip:1003@x>');
  s.bob.send(s.bob.backward('BYE', s.toBob, 'bt'));
  heard(s.bob);
  s.bob.send(late);
  t.is(heard(s.bob), '481 REFER');
  t.is(heard(s.carol), '');
});

test('19.1.5 headers inside a Refer-To are not put into the INVITE; line ends in it are refused', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x?Subject=evil&P-Asserted-Identity=%3Csip:1@x%3E>'));
  t.is(notes(s.bob)[0], '202');
  const toCarol = s.carol.take();
  t.notRegex(toCarol.text, /evil|Asserted/);
  const z = three();
  z.bob.send(refer(z, '<sip:1003@x?Subject=a%0d%0aEvil:%20x>'));
  t.is(heard(z.bob), '400 REFER');
  z.bob.send(refer(z, '<sip:10%0d%0aEvil:%20x@x>'));
  t.notRegex(z.lab.log.map((l) => l.text).join('\n'), /^Evil/m);
});

test('RFC 3892 2.1 Referred-By is passed on as an address; without one it is who we know', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>', 'Referred-By: "B" <sip:boss@x>;cid="a@b"\r\n'));
  t.is(s.carol.take().header(H.ReferredBy), '<sip:boss@x>');
  const z = three();
  z.bob.send(refer(z, '<sip:1003@x>'));
  t.regex(z.carol.take().header(H.ReferredBy) ?? '', /1002/);
});

test('one transfer at a time: further REFERs hear 491, from either side', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>'));
  notes(s.bob);
  for (let i = 0; i < 50; i += 1) s.bob.send(refer(s, '<sip:1003@x>'));
  t.deepEqual(new Set(notes(s.bob)), new Set(['491']));
  s.alice.send(s.alice.inDialog('REFER', s.invite, s.ok, { extra: 'Refer-To: <sip:1003@x>\r\n' }));
  t.is(heard(s.alice), '491 REFER');
  t.is(s.carol.inbox().length, 1);
});

test('RFC 4488 4 Refer-Sub: false: no subscription, nothing is notified', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>', 'Refer-Sub: false\r\nRequire: norefersub\r\n'));
  const yes = s.bob.take();
  t.is(yes.status, 202);
  t.is(yes.header(H.ReferSub), 'false');
  s.carol.reply(s.carol.take(), 200, 'ct', SDP('carol'));
  s.alice.reply(s.alice.take(), 200, 't1001', SDP('alice'));
  t.is(heard(s.carol), 'ACK sdp');
  s.lab.pass(2001);
  t.deepEqual(notes(s.bob), ['BYE']);
  t.is(s.lab.store.count(TRANSFER), 0);
});

test('RFC 5057 3.1 who hangs up after 202 is told the rest: the subscription keeps the dialog', (t) => {
  const s = three();
  const { alice, bob, carol, lab } = s;
  bob.send(refer(s, '<sip:1003@x>'));
  notes(bob);
  bob.send(bob.backward('BYE', s.toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  t.is(heard(alice), '', 'the transferee is not hung up');
  bob.send(bob.backward('INFO', s.toBob, 'bt'));
  t.is(heard(bob), '481 INFO');
  const toCarol = carol.take();
  carol.reply(toCarol, 200, 'ct', SDP('carol'));
  alice.reply(alice.take(), 200, 't1001', SDP('alice'));
  t.is(heard(carol), 'ACK sdp');
  t.deepEqual(notes(bob), ['200 terminated;reason=noresource']);
  heard(alice);
  alice.send(alice.inDialog('BYE', s.invite, s.ok));
  carol.reply(carol.take(), 200, 'ct');
  quiet(lab);
  t.is(lab.rows(), 3);
});

test('he hung up, and the target refuses: the transferee is hung up', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>'));
  notes(s.bob);
  s.bob.send(s.bob.backward('BYE', s.toBob, 'bt'));
  heard(s.bob);
  s.carol.reply(s.carol.take(), 603, 'ct');
  t.deepEqual(notes(s.bob), ['603 terminated;reason=noresource']);
  t.deepEqual(notes(s.alice), ['BYE']);
  quiet(s.lab);
  t.is(s.lab.rows(), 3);
});

test('the transferee hangs up while the target rings: no ghost rings', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>'));
  notes(s.bob);
  const toCarol = s.carol.take();
  s.carol.reply(toCarol, 180, 'ct');
  notes(s.bob);
  s.alice.send(s.alice.inDialog('BYE', s.invite, s.ok));
  t.is(heard(s.alice), '200 BYE');
  s.carol.reply(s.carol.take(), 200, 'ct');
  s.carol.reply(toCarol, 487, 'ct');
  t.is(heard(s.carol), 'ACK');
  t.deepEqual(notes(s.bob), ['487 terminated;reason=noresource', 'BYE']);
  quiet(s.lab);
  t.is(s.lab.rows(), 3);
});

test('RFC 3261 14.1 the transferee answers 491: the offer is made again', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>'));
  notes(s.bob);
  s.carol.reply(s.carol.take(), 200, 'ct', SDP('carol'));
  s.alice.reply(s.alice.take(), 491, 't1001');
  t.is(heard(s.alice), 'ACK');
  t.is(heard(s.carol), '');
  s.lab.pass(2100);
  const again = s.alice.inbox()[0] as SipMessage;
  t.is(again.body, SDP('carol'));
  s.alice.reply(again, 200, 't1001', SDP('alice'));
  t.regex(heard(s.carol), /ACK sdp$/);
});

test('the transferee will not have it (488): the target is thanked and hung up, the call goes on', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>'));
  notes(s.bob);
  s.carol.reply(s.carol.take(), 200, 'ct', SDP('carol'));
  s.alice.reply(s.alice.take(), 488, 't1001');
  t.deepEqual(notes(s.carol), ['ACK', 'BYE']);
  t.deepEqual(notes(s.bob), ['488 terminated;reason=noresource']);
  heard(s.alice);
  s.bob.send(s.bob.backward('INFO', s.toBob, 'bt', { body: 'x' }));
  t.is(heard(s.alice), 'INFO sdp');
});

test('a re-INVITE of the transferor is open: the offer waits for its end', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>'));
  notes(s.bob);
  const toCarol = s.carol.take();
  const hold = s.bob.backward('INVITE', s.toBob, 'bt', { body: SDP('hold') });
  s.bob.send(hold);
  const held = s.alice.take();
  s.carol.reply(toCarol, 200, 'ct', SDP('carol'));
  s.lab.pass(400);
  t.is(heard(s.alice), '');
  s.alice.reply(held, 200, 't1001', SDP('held'));
  s.lab.pass(300);
  const all = s.alice.inbox();
  t.is(sole(all, 'INVITE').body, SDP('carol'));
  s.bob.ack(hold, s.bob.inbox().at(-1) as SipMessage);
});

test('RFC 5589 7.3 attended transfer: the two others are connected, the transferor hung up twice', (t) => {
  const s = three();
  const { alice, bob, carol, lab } = s;
  const c = consult(s, true);
  bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
  t.deepEqual(notes(bob), ['202', '100 active;expires=240']);
  // the target is asked for an offer on the dialog it has: that retrieves it
  const ask = carol.take();
  t.is(ask.method, 'INVITE');
  t.is(ask.body, '');
  t.is(ask.callId, c.toCarol.callId);
  carol.reply(ask, 200, 'ct', SDP('carol 2'));
  const re = alice.take();
  t.is(re.body, SDP('carol 2'));
  alice.reply(re, 200, 't1001', SDP('alice 2'));
  const ack = carol.take();
  t.is(ack.body, SDP('alice 2'));
  const all = bob.inbox();
  t.is(sole(all, 'NOTIFY').body, 'SIP/2.0 200 OK\r\n');
  t.is(sole(all, 'BYE').callId, 'consult@bob');
  for (const m of all) bob.reply(m, 200, 'x');
  bob.send(bob.backward('BYE', s.toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  heard(alice);
  t.is(lab.store.count(TRANSFER), 0);
  alice.send(alice.inDialog('BYE', s.invite, s.ok));
  t.is(heard(alice), '200 BYE');
  carol.reply(sole(carol.inbox(), 'BYE'), 200, 'ct');
  quiet(lab);
  t.is(lab.rows(), 3);
});

test('RFC 5589 7.3 the transferor hangs up the consultation himself at once: nothing is lost', (t) => {
  const s = three();
  const { alice, bob, carol, lab } = s;
  const c = consult(s, true);
  bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
  notes(bob);
  bob.send(bob.inDialog('BYE', c.invite, c.ok));
  bob.send(bob.backward('BYE', s.toBob, 'bt'));
  t.is(heard(bob), '200 BYE, 200 BYE');
  carol.reply(sole(carol.inbox(), 'INVITE'), 200, 'ct', SDP('carol 2'));
  alice.reply(alice.take(), 200, 't1001', SDP('alice 2'));
  t.is(heard(carol), 'ACK sdp');
  t.deepEqual(notes(bob), ['200 terminated;reason=noresource']);
  heard(alice);
  carol.send(carol.backward('BYE', c.toCarol, 'ct'));
  alice.reply(alice.take(), 200, 't1001');
  quiet(lab);
  t.is(lab.rows(), 3);
});

test('RFC 5589 7.6 the consultation still rings: it goes on ringing for the transferee', (t) => {
  const s = three();
  const { alice, bob, carol, lab } = s;
  const c = consult(s, false);
  bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
  t.deepEqual(notes(bob), ['202', '180 active;expires=240']);
  bob.cancel(c.invite);
  t.deepEqual(heard(bob), '200 CANCEL, 487 INVITE');
  t.is(heard(carol), '', 'the phone goes on ringing');
  carol.reply(c.toCarol, 200, 'ct', SDP('carol'));
  const got = carol.inbox();
  t.deepEqual(
    got.map((m) => m.method),
    ['ACK', 'INVITE'],
  );
  carol.reply(got[1] as SipMessage, 200, 'ct', SDP('carol 2'));
  alice.reply(alice.take(), 200, 't1001', SDP('alice 2'));
  t.is(heard(carol), 'ACK sdp');
  t.deepEqual(notes(bob), ['200 terminated;reason=noresource']);
  bob.send(bob.backward('BYE', s.toBob, 'bt'));
  heard(alice);
  carol.send(carol.backward('BYE', c.toCarol, 'ct'));
  alice.reply(alice.take(), 200, 't1001');
  quiet(lab);
  t.is(lab.rows(), 3);
});

test('semi-attended without CANCEL: the consultation is told 487 when the phone answers', (t) => {
  const s = three();
  const c = consult(s, false);
  s.bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
  notes(s.bob);
  s.carol.reply(c.toCarol, 200, 'ct', SDP('carol'));
  t.is(heard(s.bob), '487 INVITE');
});

test('semi-attended, refused: consultation and NOTIFY say so, the call goes on', (t) => {
  const s = three();
  const c = consult(s, false);
  s.bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
  notes(s.bob);
  s.carol.reply(c.toCarol, 486, 'ct');
  t.deepEqual(notes(s.bob), ['486', '486 terminated;reason=noresource']);
  s.bob.send(s.bob.backward('INFO', s.toBob, 'bt', { body: 'x' }));
  t.is(heard(s.alice), 'INFO sdp');
});

test('a Replaces that names no dialog: NOTIFY 481; early-only and answered: 486; itself: 481', (t) => {
  const say = (value: (tag: string, s: ReturnType<typeof three>) => string): string | undefined => {
    const s = three();
    const c = consult(s, true);
    s.bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${value(c.tag, s)}>`));
    return notes(s.bob)[1]?.slice(0, 3);
  };
  t.is(
    say((tag) => replacesOf(`${tag}x`)),
    '481',
  );
  t.is(
    say(() => replacesOf('nobody')),
    '481',
  );
  t.is(
    say((tag) => replacesOf(tag, ';early-only')),
    '486',
  );
  t.is(
    say(
      (_, s) =>
        `${encodeURIComponent(s.toBob.callId)}%3Bto-tag%3D${s.toBob.fromTag}%3Bfrom-tag%3Dbt`,
    ),
    '481',
  );
});

test('RFC 6665 4.2.2 a NOTIFY answered 481 ends the subscription, the transfer goes on', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>'));
  notes(s.bob, 481);
  s.carol.reply(s.carol.take(), 200, 'ct', SDP('carol'));
  s.alice.reply(s.alice.take(), 200, 't1001', SDP('alice'));
  t.is(heard(s.carol), 'ACK sdp');
  s.lab.pass(2001);
  t.deepEqual(notes(s.bob), ['BYE']);
});

test('one NOTIFY at a time: what happened meanwhile is told when it is answered', (t) => {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@x>'));
  const first = sole(s.bob.inbox(), 'NOTIFY');
  s.carol.reply(s.carol.take(), 486, 'ct');
  t.is(heard(s.bob), '');
  s.bob.reply(first, 200, 'bt');
  const last = s.bob.take();
  t.is(last.body, 'SIP/2.0 486 Busy Here\r\n');
  t.is(last.cseq, first.cseq + 1);
});

test('RFC 3515 2.4.6 a second REFER in the dialog has an id of its own', (t) => {
  const s = three();
  const ids: string[] = [];
  for (let i = 0; i < 2; i += 1) {
    s.bob.send(refer(s, '<sip:4999@x>'));
    for (const m of s.bob.inbox()) {
      if (m.method !== 'NOTIFY') continue;
      ids.push(m.header(H.Event) ?? '');
      s.bob.reply(m, 200, 'bt');
    }
  }
  t.is(new Set(ids).size, 2);
  t.true(ids.every((id) => /^refer;id=\d+$/.test(id)));
});

test('transferred on: who was transferred can transfer, and be transferred, again', (t) => {
  const s = three();
  const { alice, bob, carol, lab } = s;
  bob.send(refer(s, '<sip:1003@x>'));
  notes(bob);
  const toCarol = carol.take();
  carol.reply(toCarol, 200, 'ct', SDP('carol'));
  alice.reply(alice.take(), 200, 't1001', SDP('alice'));
  heard(carol);
  heard(alice);
  notes(bob);
  bob.send(bob.backward('BYE', s.toBob, 'bt'));
  heard(bob);
  carol.send(carol.backward('REFER', toCarol, 'ct', { extra: 'Refer-To: <sip:1002@x>\r\n' }));
  notes(carol);
  const back = bob.take();
  bob.reply(back, 200, 'bt2', SDP('bob'));
  alice.reply(alice.take(), 200, 't1001', SDP('alice'));
  t.is(heard(bob), 'ACK sdp');
  heard(alice);
  t.deepEqual(notes(carol), ['200 terminated;reason=noresource']);
  lab.pass(2001);
  t.deepEqual(notes(carol), ['BYE']);
  bob.send(bob.backward('BYE', back, 'bt2'));
  t.is(heard(bob), '200 BYE');
  alice.reply(alice.take(), 200, 't1001');
  quiet(lab);
  t.is(lab.rows(), 3);
  t.is(lab.store.count(CALL) + lab.store.count(LEG), 0);
});

test('RFC 6665 4.1.2.3 SUBSCRIBE with Expires 0 ends the subscription, the transfer goes on', (t) => {
  const s = three();
  const { alice, bob, carol } = s;
  bob.send(refer(s, '<sip:1003@x>'));
  const id = sole(bob.inbox(), 'NOTIFY').header(H.Event) ?? '';
  const ask = (event: string, expires: number): string => {
    const extra = `Event: ${event}\r\nExpires: ${expires}\r\n`;
    bob.send(bob.backward('SUBSCRIBE', s.toBob, 'bt', { extra }));
    return bob
      .inbox()
      .map((m) => (m.isRequest ? m.header(H.SubscriptionState) : m.status))
      .join(', ');
  };
  t.is(ask('refer;id=9999', 60), '489');
  t.is(ask(id, 600), '200');
  t.is(ask(id, 0), '200, terminated;reason=timeout');
  carol.reply(carol.take(), 200, 'ct', SDP('carol'));
  alice.reply(alice.take(), 200, 't1001', SDP('alice'));
  t.is(heard(carol), 'ACK sdp');
  t.false(bob.inbox().some((m) => m.method === 'NOTIFY' && m.body.includes('200')));
});

test('the subscription ends at its moment, whichever box is there', (t) => {
  const s = three({ noAnswerMs: 10_000 });
  s.bob.send(refer(s, '<sip:1003@x>'));
  s.bob.reply(sole(s.bob.inbox(), 'NOTIFY'), 200, 'bt');
  const ends = [...s.lab.store.rows(TRANSFER)][0]?.expiresAt;
  s.lab.pass(5000);
  s.lab.swap(false);
  t.is([...s.lab.store.rows(TRANSFER)][0]?.expiresAt, ends);
});
