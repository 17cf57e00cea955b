/** Message waiting (RFC 3842), told by PUBLISH (RFC 3903) or an unsolicited NOTIFY, and MESSAGE (RFC 3428). */

import test from 'ava';
import { MAILBOX } from '../../src/call/events/rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer, pair } from './call-lab.ts';
import { Watcher } from './events-lab.ts';

const TYPE = 'Content-Type: application/simple-message-summary\r\n';
const SERVICE = '192.0.2.50';

function counts(waiting: string, voice: string): string {
  return `Messages-Waiting: ${waiting}\r\nMessage-Account: sip:1001@x\r\nVoice-Message: ${voice}\r\n`;
}

function service(settings = {}) {
  const lab = new Lab({ voicemail: [SERVICE, '1900'], ...settings });
  const vm = new Peer(lab, 'vm', SERVICE);
  const w = new Watcher(lab, '1001', '192.0.2.1', '1001', 'message-summary');
  w.subscribe();
  return { lab, vm, w };
}

function say(p: Peer, method: string, body: string, extra = '', uri = 'sip:1001@192.0.2.10') {
  const text = p.request(method, uri, { extra: `Event: message-summary\r\n${extra}`, body });
  p.send(text.replace('Content-Type: application/sdp\r\n', TYPE));
  return p.take();
}

function settle(lab: Lab, w: Watcher): void {
  lab.pass(320);
  w.act();
}

test('RFC 3842 3.5 the first NOTIFY says what is known: nothing waits', (t) => {
  const { w } = service();
  t.is(w.last.body, 'Messages-Waiting: no\r\nMessage-Account: sip:1001@192.0.2.10\r\n');
});

test('RFC 3842 an unsolicited NOTIFY of the voice mail service sets the counts', (t) => {
  const { lab, vm, w } = service();
  t.is(say(vm, 'NOTIFY', counts('yes', '2/8 (0/2)'), 'Subscription-State: active\r\n').status, 200);
  settle(lab, w);
  t.is(
    w.last.body,
    'Messages-Waiting: yes\r\nMessage-Account: sip:1001@192.0.2.10\r\nVoice-Message: 2/8 (0/2)\r\n',
  );
  lab.swap(true);
  t.is(say(vm, 'NOTIFY', counts('no', '0/10 (0/0)')).status, 200);
  settle(lab, w);
  t.regex(w.last.body, /^Messages-Waiting: no\r\n[\s\S]*Voice-Message: 0\/10 \(0\/0\)/);
  t.deepEqual(w.complaints, []);
});

test('RFC 3903 6 PUBLISH: an entity tag, a new one each time, and an end', (t) => {
  const { lab, vm, w } = service();
  const first = say(vm, 'PUBLISH', counts('yes', '1/0'), 'Expires: 60\r\n');
  t.is(first.status, 200);
  t.is(first.header(H.Expires), '60');
  const etag = first.header(H.SipEtag) ?? '';
  t.regex(etag, /^\S+$/);
  settle(lab, w);
  lab.pass(40_000);
  const second = say(vm, 'PUBLISH', '', `SIP-If-Match: ${etag}\r\nExpires: 60\r\n`);
  t.is(second.status, 200, '4.1: a refresh has no body');
  t.not(second.header(H.SipEtag), etag);
  t.is(
    say(vm, 'PUBLISH', counts('no', '0/0'), `SIP-If-Match: ${etag}\r\n`).status,
    412,
    '6 step 3',
  );
  lab.pass(30_000);
  w.act();
  t.regex(w.last.body, /Messages-Waiting: yes/);
  lab.pass(31_000);
  w.act();
  t.regex(w.last.body, /Messages-Waiting: no/, '6.4: it lapsed');
  t.is(lab.store.count(MAILBOX), 0);
  t.deepEqual(w.complaints, []);
});

test('RFC 3903 4.5 PUBLISH with Expires: 0 takes it back', (t) => {
  const { lab, vm, w } = service();
  const etag = say(vm, 'PUBLISH', counts('yes', '1/0')).header(H.SipEtag) ?? '';
  t.is(say(vm, 'PUBLISH', '', `SIP-If-Match: ${etag}\r\nExpires: 0\r\n`).status, 200);
  settle(lab, w);
  t.regex(w.last.body, /Messages-Waiting: no/);
});

test('RFC 3903 6 what is no publication of a mailbox is refused', (t) => {
  const { vm } = service();
  t.is(say(vm, 'PUBLISH', '').status, 400, 'a first one has a body');
  t.is(say(vm, 'PUBLISH', counts('yes', '1/0'), 'Expires: 5\r\n').status, 423);
  t.is(say(vm, 'PUBLISH', counts('yes', '1/0'), '', 'sip:4999@192.0.2.10').status, 404);
  vm.send(vm.request('PUBLISH', 'sip:1001@192.0.2.10', { extra: 'Event: presence\r\n' }));
  const no = vm.take();
  t.is(no.status, 489);
  t.true(no.has(H.AllowEvents));
  const o = { extra: 'Event: message-summary\r\n', body: 'v=0\r\n' };
  vm.send(vm.request('PUBLISH', 'sip:1001@192.0.2.10', o));
  t.is(vm.take().status, 415);
});

test('only services of the settings may: by address, or as an extension', (t) => {
  const { lab } = service();
  const stranger = new Peer(lab, '1005', '192.0.2.5');
  t.is(say(stranger, 'NOTIFY', counts('yes', '1/0')).status, 403);
  t.is(say(stranger, 'PUBLISH', counts('yes', '1/0')).status, 403);
  t.is(say(new Peer(lab, '1900', '192.0.2.19'), 'NOTIFY', counts('yes', '1/0')).status, 200);
  const closed = new Lab({ auth: true, voicemail: [SERVICE, '1900'] });
  t.is(say(new Peer(closed, '1900', '192.0.2.19'), 'NOTIFY', counts('yes', '1/0')).status, 407);
  t.is(say(new Peer(closed, 'vm', SERVICE), 'NOTIFY', counts('yes', '1/0')).status, 200);
});

test('a NOTIFY between phones, of events that are not served: 489', (t) => {
  const { alice } = pair();
  alice.send(alice.request('NOTIFY', 'sip:1002@192.0.2.10', { extra: 'Event: keep-alive\r\n' }));
  t.is(alice.take().status, 489);
});

// ── MESSAGE ────────────────────────────────────────────────────────────────────────────────────

function text(p: Peer, to = '1002'): string {
  const m = p.request('MESSAGE', `sip:${to}@192.0.2.10`, { body: 'hello', contact: false });
  return m.replace('application/sdp', 'text/plain');
}

/** alice, and two phones of 1002. */
function two() {
  const { lab, alice, bob } = pair();
  const desk = new Peer(lab, '1002', '192.0.2.22');
  lab.register(desk);
  return { lab, alice, bob, desk };
}

test('RFC 3428 a MESSAGE outside a dialog reaches the phone; its answer comes back', (t) => {
  const { lab, alice, bob } = pair();
  const sent = text(alice);
  alice.send(sent);
  const got = bob.take();
  t.is(got.method, 'MESSAGE');
  t.is(got.body, 'hello');
  t.is(got.contentType, 'text/plain');
  t.is(got.maxForwards, 69);
  t.false(got.has(H.Contact), '4: a MESSAGE makes no dialog');
  alice.send(sent);
  t.is(heard(alice), '', 'it is repeated, and waits');
  bob.reply(got, 200, 'bt');
  t.is(alice.take().status, 200);
  alice.send(sent);
  t.is(alice.take().status, 200, 'from the row');
  lab.pass(60_000);
  t.is(lab.rows(), 2, 'only registrations are left');
});

test('RFC 3428 7 a 202 of a phone is a 202 to the sender', (t) => {
  const { alice, bob } = pair();
  alice.send(text(alice));
  bob.reply(bob.take(), 202, 'bt');
  t.is(alice.take().status, 202);
});

test('several phones: the first 2xx is the answer, the others are not heard', (t) => {
  const { lab, alice, bob, desk } = two();
  alice.send(text(alice));
  const a = bob.take();
  const b = desk.take();
  t.not(a.callId, b.callId);
  bob.reply(a, 486, 'bt');
  t.is(heard(alice), '');
  desk.reply(b, 200, 'dt');
  t.is(heard(alice), '200 MESSAGE');
  lab.pass(60_000);
  t.is(lab.rows(), 3);
});

test('several phones, none takes it: the best refusal, once all have answered', (t) => {
  const { alice, bob, desk } = two();
  alice.send(text(alice));
  bob.reply(bob.take(), 486, 'bt');
  desk.reply(desk.take(), 415, 'dt');
  t.is(heard(alice), '415 MESSAGE');
});

test('RFC 3428 10 nobody is there: 480, and nothing is stored', (t) => {
  const { lab, alice } = pair();
  alice.send(text(alice, '1003'));
  t.is(alice.take().status, 480);
  alice.send(text(alice, '4999'));
  t.is(alice.take().status, 404);
  lab.pass(60_000);
  t.is(lab.rows(), 2);
});

test('RFC 4320 4.2 a phone that never answers: no 408 to a request that is no INVITE', (t) => {
  const { lab, alice, bob } = pair();
  alice.send(text(alice));
  lab.pass(40_000);
  t.true(bob.inbox().length > 5);
  t.is(heard(alice), '');
  lab.pass(40_000);
  t.is(lab.rows(), 2);
});

test('a MESSAGE under way when the box is replaced is delivered and answered', (t) => {
  for (const lose of [false, true]) {
    const { lab, alice, bob, desk } = two();
    const sent = text(alice);
    alice.send(sent);
    lab.swap(lose);
    const got = bob.inbox();
    t.true(got.length > 0, 'said again');
    t.is(new Set(got.map((m) => m.text)).size, 1, 'and the same');
    bob.reply(got[0] as SipMessage, 486, 'bt');
    lab.swap(true);
    alice.send(sent);
    desk.reply(desk.inbox()[0] as SipMessage, 200, 'dt');
    t.deepEqual(alice.inbox().map(line), ['200 MESSAGE']);
    lab.pass(60_000);
    t.is(lab.rows(), 3);
  }
});

test('RFC 3261 16.3 no hops left: 483', (t) => {
  const { alice } = pair();
  alice.send(text(alice).replace('Max-Forwards: 70', 'Max-Forwards: 0'));
  t.is(alice.take().status, 483);
});
