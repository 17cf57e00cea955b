/** RFC 4028: a session timer on each leg, refreshed by either side, and what ends without it. */

import test from 'ava';
import { LEG } from '../../src/call/rows.ts';
import type { SipSettings } from '../../src/proto/context.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, type Lab, line, pair, SDP } from './call-lab.ts';

const TIMER = 'Supported: timer\r\n';
const ALLOW = 'Allow: INVITE, ACK, BYE, UPDATE\r\n';

/** A call that is up; `asks` is in alice's INVITE, `says` in bob's 200. */
function up(asks = '', says = '', settings: Partial<SipSettings> = {}) {
  const p = pair(settings);
  const { alice, bob } = p;
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', {
    body: SDP('alice'),
    extra: asks,
  });
  alice.send(invite);
  alice.inbox();
  const toBob = bob.take();
  bob.reply(toBob, 200, 'bt', SDP('bob'), says);
  const ok = alice.take();
  t0(bob.take().method === 'ACK');
  alice.ack(invite, ok);
  return { ...p, invite, toBob, ok };
}

function t0(right: boolean): void {
  if (!right) throw new Error('the call is not up');
}

function pass(lab: Lab, seconds: number): void {
  lab.pass(Math.round(seconds * 1000));
}

test('RFC 4028 7.1 an INVITE to a phone asks for a session of our own', (t) => {
  const { toBob } = up('Supported: timer\r\nSession-Expires: 600\r\n');
  t.is(toBob.header(H.SessionExpires), '1800', 'each leg has its own');
  t.regex(toBob.header(H.Supported) ?? '', /timer/);
});

test('sessionExpiresS 0: we begin none, and honour what a caller asks for', (t) => {
  const off = { sessionExpiresS: 0 };
  const none = up('', '', off);
  t.false(none.toBob.has(H.SessionExpires));
  t.false(none.ok.has(H.SessionExpires));
  const { toBob, ok } = up(`${TIMER}Session-Expires: 600\r\n`, '', off);
  t.false(toBob.has(H.SessionExpires));
  t.is(ok.header(H.SessionExpires), '600;refresher=uac');
});

test('RFC 4028 9 the refresher of a caller: what he says, else himself if he can, else we', (t) => {
  const granted = (asks: string): [string | undefined, string | undefined] => {
    const { ok } = up(asks);
    return [ok.header(H.SessionExpires), ok.header(H.Require)];
  };
  t.deepEqual(granted(`${TIMER}Session-Expires: 600\r\n`), ['600;refresher=uac', 'timer']);
  t.deepEqual(granted(`${TIMER}Session-Expires: 600;refresher=uas\r\n`), [
    '600;refresher=uas',
    undefined,
  ]);
  t.deepEqual(granted(TIMER), ['1800;refresher=uac', 'timer']);
  t.deepEqual(granted(''), ['1800;refresher=uas', undefined]);
  t.deepEqual(granted('Session-Expires: 600;refresher=uac\r\n'), ['600;refresher=uas', undefined]);
  t.deepEqual(granted(`${TIMER}Min-SE: 2400\r\n`), ['2400;refresher=uac', 'timer']);
});

test('RFC 4028 9 an interval below our minimum: 422 with Min-SE, if he knows session timers', (t) => {
  const { lab, alice } = pair({ minSeS: 120 });
  const rows = lab.rows();
  const ask = (extra: string): void =>
    alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('a'), extra }));
  ask(`${TIMER}Session-Expires: 90\r\n`);
  const no = alice.take();
  t.is(no.status, 422);
  t.is(no.header(H.MinSE), '120');
  t.is(lab.rows(), rows, 'without a row');
  t.is(up('Session-Expires: 90\r\n', '', { minSeS: 120 }).ok.status, 200);
  t.is(
    up('Session-Expires: 90\r\n', '', { minSeS: 120 }).ok.header(H.SessionExpires),
    '120;refresher=uas',
  );
});

test('RFC 4028 7.3 a phone that says 422 is asked again with its Min-SE', (t) => {
  const { alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  alice.inbox();
  const first = bob.take();
  bob.reply(first, 100, '');
  bob.reply(first, 422, 'x', '', 'Min-SE: 3600\r\n');
  const [ack, second] = bob.inbox() as [SipMessage, SipMessage];
  t.is(ack.method, 'ACK');
  t.is(second.header(H.SessionExpires), '3600');
  t.is(second.header(H.MinSE), '3600');
  t.is(second.callId, first.callId);
  t.is(second.cseq, first.cseq + 1);
  t.is(second.toTag, '');
  t.is(second.body, SDP('alice'));
  t.is(heard(alice), '');
  bob.reply(second, 422, 'x', '', 'Min-SE: 3600\r\n');
  t.is(heard(bob), 'ACK', 'it has nothing new to say');
  t.is(heard(alice), '422 INVITE');
});

test('RFC 4028 10 we refresh at half of the interval, by UPDATE where the other side allows it', (t) => {
  const { lab, bob } = up(
    `${TIMER}Session-Expires: 600\r\n`,
    `${ALLOW}Session-Expires: 200;refresher=uac\r\n`,
  );
  pass(lab, 99.9);
  t.is(heard(bob), '');
  pass(lab, 0.2);
  const update = bob.take();
  t.is(update.method, 'UPDATE');
  t.is(update.header(H.SessionExpires), '200;refresher=uac');
  t.is(update.body, '', 'the session stays what it is');
  t.true(update.has(H.Contact));
  bob.reply(update, 200, 'bt', '', `${TIMER}Session-Expires: 200;refresher=uac\r\n`);
  pass(lab, 100.1);
  t.is(heard(bob), 'UPDATE', 'and again');
});

test('a phone that says UPDATE and refuses it is refreshed by re-INVITE, with the description that holds', (t) => {
  for (const status of [405, 501]) {
    const { lab, alice, bob } = up(
      `${TIMER}Session-Expires: 600\r\n`,
      `${ALLOW}Session-Expires: 200;refresher=uac\r\n`,
    );
    pass(lab, 100.1);
    const update = bob.take();
    t.is(update.method, 'UPDATE');
    lab.swap(true);
    bob.inbox();
    bob.reply(update, status, 'bt');
    const re = bob.take();
    t.is(re.method, 'INVITE');
    t.is(re.body, SDP('alice'));
    t.is(re.header(H.SessionExpires), '200;refresher=uac');
    bob.reply(re, 200, 'bt', SDP('bob'), `${TIMER}Session-Expires: 200;refresher=uac\r\n`);
    t.is(heard(bob), 'ACK');
    pass(lab, 100.1);
    t.is(heard(bob), 'INVITE sdp', 'the next one at once');
    t.is(heard(alice), '');
  }
});

test('RFC 4028 7.4 without UPDATE a re-INVITE repeats the last description, same o= line', (t) => {
  const { lab, alice, bob, ok } = up('', `${TIMER}Session-Expires: 200;refresher=uac\r\n`);
  t.is(ok.header(H.SessionExpires), '1800;refresher=uas');
  pass(lab, 100.1);
  const again = bob.take();
  t.is(line(again), 'INVITE sdp');
  t.is(again.body, SDP('alice'), 'what we said last on this leg, to the octet');
  t.is(again.contentType, 'application/sdp');
  t.is(again.header(H.SessionExpires), '200;refresher=uac');
  bob.reply(again, 200, 'bt', SDP('bob'), `${TIMER}Session-Expires: 200;refresher=uac\r\n`);
  t.is(heard(bob), 'ACK');
  bob.reply(again, 200, 'bt', SDP('bob'), `${TIMER}Session-Expires: 200;refresher=uac\r\n`);
  t.is(heard(bob), 'ACK', 'RFC 3261 13.2.2.4: every copy is');
  t.is(heard(alice), '', 'the other side hears nothing of it');
});

test('each side is refreshed with what the other said', (t) => {
  const { lab, alice, bob } = up();
  pass(lab, 900.1);
  t.is(alice.take().body, SDP('bob'));
  t.is(bob.take().body, SDP('alice'));
});

test('a re-INVITE that moved the session is what a refresh repeats; one that failed is not', (t) => {
  const { lab, alice, bob, invite, ok } = up('', `${TIMER}Session-Expires: 200;refresher=uac\r\n`);
  for (const [body, status] of [
    [SDP('second'), 200],
    [SDP('third'), 488],
  ] as const) {
    const re = alice.inDialog('INVITE', invite, ok, { body });
    alice.send(re);
    alice.inbox();
    const m = bob.inbox().at(-1) as SipMessage;
    const says = `${TIMER}Session-Expires: 200;refresher=uac\r\n`;
    bob.reply(m, status, 'bt', status === 200 ? SDP('bob2') : '', says);
    bob.inbox();
    alice.ack(re, alice.take());
  }
  pass(lab, 100.1);
  t.is(
    bob.take().body,
    SDP('second'),
    'RFC 3261 14.1: "the session parameters MUST remain unchanged"',
  );
});

test('RFC 3261 14.1 a refresh that meets 491 is tried again: 2.1 to 4 s where the Call-ID is ours', (t) => {
  const { lab, bob } = up(
    `${TIMER}Session-Expires: 1800\r\n`,
    `${TIMER}Session-Expires: 200;refresher=uac\r\n`,
  );
  pass(lab, 100.1);
  const first = bob.take();
  bob.reply(first, 491, 'bt');
  t.is(heard(bob), 'ACK');
  lab.pass(2090);
  t.is(heard(bob), '');
  lab.pass(1920);
  const second = bob.inbox()[0] as SipMessage;
  t.is(line(second), 'INVITE sdp');
  t.is(second.cseq, first.cseq + 1);
});

test('RFC 3261 14.1 where the Call-ID is theirs: within 2 s', (t) => {
  const { lab, alice } = up('Session-Expires: 200\r\n', ALLOW);
  pass(lab, 100.1);
  const first = alice.take();
  t.is(line(first), 'INVITE sdp');
  t.is(first.body, SDP('bob'));
  alice.reply(first, 491, '');
  alice.inbox();
  lab.pass(2001);
  t.is(line(alice.inbox().at(-1) as SipMessage), 'INVITE sdp');
});

test('RFC 3261 14.2 glare of our refresh and a re-INVITE: 491, from either side', (t) => {
  const { lab, alice, bob, invite, ok, toBob } = up(
    `${TIMER}Session-Expires: 1800\r\n`,
    `${TIMER}Session-Expires: 200;refresher=uac\r\n`,
  );
  pass(lab, 100.1);
  const refresh = bob.take();
  bob.send(bob.backward('INVITE', toBob, 'bt', { body: SDP('b') }));
  t.is(heard(bob), '491 INVITE');
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('a') }));
  t.is(heard(alice), '491 INVITE', 'the other leg is not free either');
  bob.reply(refresh, 200, 'bt', SDP('bob'));
  t.regex(heard(bob), /ACK/);
});

test('RFC 4028 10 the side that does not refresh ends the call a third of the interval early', (t) => {
  const asks = `${TIMER}Session-Expires: 90;refresher=uac\r\n`;
  const { lab, alice, bob } = up(asks, `${ALLOW}Session-Expires: 1800;refresher=uac\r\n`);
  pass(lab, 59.9);
  t.is(heard(alice) + heard(bob), '');
  pass(lab, 0.2);
  const bye = alice.take();
  t.is(bye.method, 'BYE');
  t.regex(bye.header(H.Reason) ?? '', /Session expired/);
  t.is(heard(bob), 'BYE');
});

test('RFC 4028 10 at most 32 s early', (t) => {
  const { lab, alice } = up(`${TIMER}Session-Expires: 900;refresher=uac\r\n`, ALLOW);
  pass(lab, 867.9);
  t.is(heard(alice), '');
  pass(lab, 0.2);
  t.is(heard(alice), 'BYE');
});

test('RFC 4028 9 an UPDATE of the caller refreshes his session, and is answered by us', (t) => {
  const asks = `${TIMER}${ALLOW}Session-Expires: 90;refresher=uac\r\n`;
  const { lab, alice, bob, invite, ok } = up(asks, ALLOW);
  for (let i = 0; i < 4; i += 1) {
    pass(lab, 45);
    alice.send(
      alice.inDialog('UPDATE', invite, ok, {
        extra: `${TIMER}Session-Expires: 90;refresher=uac\r\n`,
      }),
    );
    const fine = alice.take();
    t.is(line(fine), '200 UPDATE');
    t.is(fine.header(H.SessionExpires), '90;refresher=uac');
    t.true(fine.has(H.Contact));
  }
  t.is(heard(bob), '');
  pass(lab, 60.1);
  t.is(heard(alice), 'BYE');
});

test('RFC 4028 9 a re-INVITE of a phone refreshes its session', (t) => {
  const says = `${TIMER}Session-Expires: 90;refresher=uas\r\n`;
  const { lab, alice, bob, toBob } = up(`${TIMER}${ALLOW}Session-Expires: 1800\r\n`, says);
  pass(lab, 45);
  bob.send(
    bob.backward('INVITE', toBob, 'bt', {
      body: SDP('bob'),
      extra: `${TIMER}Session-Expires: 90;refresher=uac\r\n`,
    }),
  );
  const m = alice.take();
  t.is(m.header(H.SessionExpires), '1800;refresher=uas', 'her own session, and her own part in it');
  alice.reply(m, 200, '', SDP('alice'), `${TIMER}Session-Expires: 1800;refresher=uas\r\n`);
  const ok = bob.inbox().at(-1) as SipMessage;
  t.is(ok.header(H.SessionExpires), '90;refresher=uac');
  bob.send(bob.backward('ACK', toBob, 'bt', { contact: false }));
  pass(lab, 59.9);
  t.false(heard(bob).includes('BYE'));
  pass(lab, 0.2);
  t.true(heard(bob).includes('BYE'));
});

test('RFC 4028 10 a refresh that is answered 481 or not at all ends the call', (t) => {
  const says = `${ALLOW}Session-Expires: 200;refresher=uac\r\n`;
  const gone = up(`${TIMER}Session-Expires: 1800\r\n`, says);
  pass(gone.lab, 100.1);
  gone.bob.reply(gone.bob.take(), 481, 'bt');
  t.is(heard(gone.alice), 'BYE');
  const silent = up(`${TIMER}Session-Expires: 1800\r\n`, says);
  pass(silent.lab, 132.2);
  t.is(heard(silent.alice), 'BYE');
  t.true(heard(silent.bob).endsWith('BYE'));
});

test('RFC 4028 7.3 a refresh that is answered 422 is sent again with the longer interval', (t) => {
  const says = `${ALLOW}Session-Expires: 200;refresher=uac\r\n`;
  const { lab, bob } = up(`${TIMER}Session-Expires: 1800\r\n`, says);
  pass(lab, 100.1);
  const first = bob.take();
  bob.reply(first, 422, 'bt', '', 'Min-SE: 400\r\n');
  const second = bob.take();
  t.is(second.method, 'UPDATE');
  t.is(second.header(H.SessionExpires), '400;refresher=uac');
  t.is(second.header(H.MinSE), '400');
  t.is(second.cseq, first.cseq + 1);
});

test('a phone that knows no session timers is asked whether it lives, and never hung up for it', (t) => {
  const { lab, alice, bob } = up(`${TIMER}Session-Expires: 86400\r\n`, '');
  for (let i = 0; i < 6; i += 1) {
    pass(lab, 900.1);
    const asks = bob.inbox().filter((m) => m.isRequest && m.method !== 'ACK');
    t.deepEqual(asks.map(line), ['INVITE sdp']);
    bob.reply(asks[0] as SipMessage, i % 2 === 0 ? 200 : 500, 'bt', i % 2 === 0 ? SDP('bob') : '');
  }
  t.is(heard(alice), '');
});

test('RFC 4028 10 who refuses every refresh of an agreed session loses the call at its end', (t) => {
  const says = `${ALLOW}Session-Expires: 90;refresher=uac\r\n`;
  const { lab, alice, bob } = up(`${TIMER}Session-Expires: 1800\r\n`, says);
  for (let i = 0; i < 13; i += 1) {
    pass(lab, i === 12 ? 0.1 : 5);
    for (const m of bob.inbox()) if (m.method === 'UPDATE') bob.reply(m, 503, 'bt');
  }
  t.is(heard(alice), 'BYE');
});

test('a takeover keeps the end of a session to the moment, and its refresh', (t) => {
  const asks = `${TIMER}Session-Expires: 90;refresher=uac\r\n`;
  for (const swaps of [0, 1, 5]) {
    const { lab, alice, bob } = up(asks, `${ALLOW}Session-Expires: 100;refresher=uac\r\n`);
    const start = lab.now;
    for (let i = 0; i < swaps; i += 1) {
      lab.pass(4321);
      lab.swap(true);
    }
    lab.pass(start + 49_999 - lab.now);
    t.is(heard(bob), '');
    lab.pass(1);
    t.is(heard(bob), 'UPDATE', `${swaps} takeovers`);
    lab.pass(start + 59_999 - lab.now);
    t.is(heard(alice), '');
    lab.pass(1);
    t.is(heard(alice), 'BYE');
  }
});

test('a takeover says a refresh again that was outstanding: same CSeq, and only once more', (t) => {
  for (const says of [ALLOW, '']) {
    const { lab, bob } = up(
      `${TIMER}Session-Expires: 1800\r\n`,
      `${says}Session-Expires: 200;refresher=uac\r\n`,
    );
    lab.pass(100_000);
    lab.swap(true);
    const first = bob.take();
    t.is(first.method, says === '' ? 'INVITE' : 'UPDATE');
    lab.swap(false);
    t.is(bob.take().text, first.text);
    bob.reply(
      first,
      200,
      'bt',
      says === '' ? SDP('bob') : '',
      'Session-Expires: 200;refresher=uac\r\n',
    );
    const after = heard(bob);
    t.is(after, says === '' ? 'ACK' : '');
    lab.pass(99_000);
    t.is(heard(bob), '');
    const legs = [...lab.store.rows(LEG)];
    t.true(legs.every((leg) => leg.offer === 'stable'));
  }
});
