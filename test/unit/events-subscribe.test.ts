/** SUBSCRIBE and NOTIFY as a notifier (RFC 6665), one test a sentence. */

import { createHash } from 'node:crypto';
import test from 'ava';
import { SUBSCRIPTION } from '../../src/call/events/rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, Peer, pair, SDP, talking } from './call-lab.ts';
import { TYPES, Watcher } from './events-lab.ts';

function watching(event = 'dialog', settings = {}) {
  const { lab, alice, bob } = pair(settings);
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002', event);
  return { lab, alice, bob, carol };
}

const rows = (lab: Lab): number => lab.store.count(SUBSCRIPTION);

for (const [event, type] of Object.entries(TYPES)) {
  test(`RFC 6665 4.2.1.2 the 200 to SUBSCRIBE ${event} is followed by a NOTIFY at once`, (t) => {
    const { lab, carol } = watching(event);
    t.is(carol.subscribe({ expires: 600 }), 200);
    const ok = carol.answer;
    t.is(ok?.header(H.Expires), '600');
    t.regex(ok?.contactUri ?? '', /^sip:1002@192\.0\.2\.10/);
    t.is(carol.notes.length, 1);
    const { m } = carol.last;
    t.is(m.header(H.Event), event);
    t.is(carol.last.state, 'active;expires=600');
    t.is(m.contentType, type);
    t.is(m.requestUri, carol.contact, '4.4.1: the remote target');
    t.is(m.fromTag, ok?.toTag ?? '', 'in the dialog the 200 made');
    lab.pass(100_000);
    carol.act();
    t.is(carol.notes.length, 1, 'nothing changed, nothing is said');
    t.deepEqual(carol.complaints, []);
  });
}

test('RFC 6665 8.2.1 the id of the Event is in every NOTIFY', (t) => {
  const { carol } = watching();
  t.is(carol.subscribe({ event: 'dialog;id=7;sla' }), 200);
  t.is(carol.last.m.header(H.Event), 'dialog;id=7');
});

test('RFC 6665 4.2.1.1 no Expires: the default of the package; too long: shortened', (t) => {
  const { carol } = watching();
  carol.subscribe();
  t.is(carol.last.state, 'active;expires=3600');
  carol.subscribe({ expires: 1_000_000 });
  t.is(carol.last.state, 'active;expires=7200');
});

test('RFC 6665 4.2.1.1 too brief and below an hour: 423 with Min-Expires', (t) => {
  const { lab, carol } = watching();
  t.is(carol.subscribe({ expires: 5 }), 423);
  t.is(carol.answer?.header(H.MinExpires), '30');
  t.is(rows(lab), 0);
});

test('RFC 6665 7.2.1, 8.3.2 an event that is not served: 489 with Allow-Events', (t) => {
  const { lab, carol } = watching();
  for (const event of ['conference', 'presence.winfo', 'Dialog']) {
    t.is(carol.subscribe({ event }), 489, event);
    t.is(
      carol.answer?.header(H.AllowEvents),
      'dialog, message-summary, presence, reg, as-feature-event',
    );
  }
  carol.send(carol.text().replace(/Event: .*\r\n/, ''));
  carol.act();
  t.is(carol.statuses.at(-1), 489, 'no Event at all');
  t.is(carol.subscribe({ event: 'dialog;;' }), 400);
  t.is(rows(lab), 0);
});

test('RFC 3261 8.2.3 a document the watcher cannot read: 406 with Accept', (t) => {
  const { carol } = watching();
  t.is(carol.subscribe({ extra: 'Accept: application/pidf+xml\r\n' }), 406);
  t.is(carol.answer?.header(H.Accept), TYPES['dialog']);
  t.is(
    carol.subscribe({ extra: 'Accept: text/plain, application/dialog-info+xml;q=0.5\r\n' }),
    200,
  );
  t.is(carol.subscribe({ extra: 'Accept: */*\r\n' }), 200);
});

test('RFC 6665 4.2.1 an extension that does not exist: 404; no Contact: 400', (t) => {
  const { lab, carol } = watching();
  t.is(carol.subscribe({ contact: false }), 400);
  carol.watched = '4999';
  t.is(carol.subscribe(), 404);
  t.is(rows(lab), 0);
});

test('RFC 6665 4.2.1.1 Expires: 0 outside a dialog asks once: the state, and terminated', (t) => {
  const { lab, carol } = watching('reg');
  t.is(carol.subscribe({ expires: 0 }), 200);
  t.is(carol.last.state, 'terminated;reason=timeout');
  t.regex(carol.last.body, /<uri>sip:1002@192\.0\.2\.2:5060<\/uri>/);
  t.is(rows(lab), 0);
});

test('RFC 6665 4.1.2.3 unsubscribing: 200, a last NOTIFY, and the subscription is gone', (t) => {
  const { lab, carol } = watching();
  carol.subscribe();
  t.is(carol.subscribe({ expires: 0 }), 200);
  t.is(carol.last.state, 'terminated;reason=timeout');
  t.is(rows(lab), 0);
  t.is(carol.subscribe({ expires: 600 }), 481, 'RFC 6665 4.1.2.2: it is not there any more');
});

test('RFC 6665 4.2.1.2 a refresh is answered 200, moves the end, and is told', (t) => {
  const { lab, carol } = watching();
  carol.subscribe({ expires: 100 });
  lab.pass(60_000);
  t.is(carol.subscribe({ expires: 100 }), 200);
  t.is(carol.last.state, 'active;expires=100');
  lab.pass(99_000);
  carol.act();
  t.false(carol.over);
  lab.pass(2000);
  carol.act();
  t.is(carol.last.state, 'terminated;reason=timeout', '4.4.1: it ran out');
  t.is(rows(lab), 0);
  t.deepEqual(carol.complaints, []);
});

test('RFC 6665 4.5.2 a refresh is a target refresh', (t) => {
  const { carol, lab } = watching();
  carol.subscribe();
  const moved = carol.text().replace(`<${carol.contact}>`, '<sip:1003@192.0.2.33:5070>');
  const there = new Peer(lab, '1003', '192.0.2.33', 5070);
  there.send(moved);
  t.is(there.inbox().at(-1)?.requestUri, 'sip:1003@192.0.2.33:5070');
});

test('RFC 3261 12.2.2 a refresh out of order: 500', (t) => {
  const { carol } = watching();
  carol.subscribe();
  carol.cseq -= 1;
  t.is(carol.subscribe(), 500);
});

test('a repeated SUBSCRIBE is one subscription and the same answer', (t) => {
  const { lab, carol } = watching();
  const text = carol.text();
  carol.send(text);
  carol.act();
  const first = carol.answer?.text;
  carol.send(text);
  carol.act();
  t.is(carol.answer?.text, first);
  t.is(rows(lab), 1);
  t.is(carol.notes.length, 1);
});

test('RFC 3261 8.2.2.2 the same SUBSCRIBE by another way: 482', (t) => {
  const { lab, carol } = watching();
  const text = carol.text();
  carol.send(text);
  carol.send(text.replace(/branch=\S+;rport/, 'branch=z9hG4bKother;rport'));
  carol.act();
  t.is(carol.statuses.at(-1), 482);
  t.is(rows(lab), 1);
});

test('RFC 3261 12.1.1, 12.2.1.1 Record-Route makes the way of every NOTIFY', (t) => {
  const { lab, carol } = watching();
  const proxy = new Peer(lab, 'px', '192.0.2.77');
  proxy.send(carol.text({ extra: 'Record-Route: <sip:192.0.2.77;lr>\r\n' }));
  const [ok, m] = proxy.inbox() as [SipMessage, SipMessage];
  t.is(ok.header(H.RecordRoute), '<sip:192.0.2.77;lr>');
  t.is(m.requestUri, carol.contact);
  t.is(m.header(H.Route), '<sip:192.0.2.77;lr>');
});

for (const status of [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]) {
  test(`RFC 6665 4.2.2 a NOTIFY answered ${status} ends the subscription`, (t) => {
    const { lab, carol } = watching();
    carol.answers = status;
    carol.subscribe();
    t.is(rows(lab), 0);
    t.is(lab.counters.get('subscriptionsLost'), 1);
  });
}

test('RFC 6665 4.2.2 a NOTIFY that nobody answers ends the subscription', (t) => {
  const { lab, carol } = watching();
  carol.answers = 0;
  carol.subscribe();
  lab.pass(31_000);
  t.is(rows(lab), 1);
  lab.pass(2000);
  t.is(rows(lab), 0);
});

test('RFC 6665 4.2.2 Retry-After is respected; then the state of then is said', (t) => {
  const { lab, alice, carol } = watching();
  carol.answers = 480;
  carol.answerExtra = 'Retry-After: 20\r\n';
  carol.subscribe();
  t.is(rows(lab), 1);
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  lab.pass(19_000);
  carol.act();
  t.is(carol.notes.length, 1);
  carol.answers = 200;
  lab.pass(2000);
  carol.act();
  t.is(carol.notes.length, 2);
  t.deepEqual(carol.lamps, ['trying']);
  t.deepEqual(carol.complaints, []);
});

test('RFC 5057 5.1 other refusals of a NOTIFY do not end it: said again later', (t) => {
  const { lab, carol } = watching();
  carol.answers = 500;
  carol.subscribe();
  lab.pass(29_000);
  carol.act();
  t.is(carol.notes.length, 1);
  carol.answers = 200;
  lab.pass(2000);
  carol.act();
  t.is(carol.notes.length, 2);
  t.is(rows(lab), 1);
});

test('one NOTIFY at a time: what changes meanwhile is said once, the newest state', (t) => {
  const { lab, alice, bob, carol } = watching();
  carol.subscribe();
  carol.answers = 0;
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  lab.pass(1000);
  carol.act();
  t.deepEqual(carol.lamps, ['trying']);
  const toBob = bob.inbox()[0];
  if (toBob === undefined) throw new Error('no INVITE');
  bob.reply(toBob, 180, 'bt');
  lab.pass(400);
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  lab.pass(5000);
  carol.act();
  t.is(carol.notes.length, 2, 'nothing while it is not answered');
  carol.answers = 200;
  carol.catchUp(200);
  lab.pass(400);
  carol.act();
  t.is(carol.notes.length, 3);
  t.deepEqual(carol.lamps, ['confirmed']);
  t.deepEqual(carol.complaints, []);
});

test('no storm: at most one NOTIFY in 300 ms, with the last state', (t) => {
  const { lab, alice, carol } = watching();
  carol.subscribe();
  for (let i = 0; i < 50; i += 1) {
    const o = { callId: `storm${i}`, body: SDP('alice') };
    const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', o);
    alice.send(invite);
    lab.pass(20);
    carol.act();
  }
  lab.pass(400);
  carol.act();
  t.true(carol.notes.length <= 6, `${carol.notes.length} in 1.4 s`);
  t.is(carol.lamps.length, 12, 'as many as a document tells');
  t.deepEqual(carol.complaints, []);
});

test('NOTIFY and the refresh cross: both are answered, and the state follows', (t) => {
  const { lab, alice, carol } = watching();
  carol.subscribe();
  carol.answers = 0;
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  lab.pass(400);
  carol.act();
  t.is(carol.notes.length, 2);
  t.is(carol.subscribe({ expires: 600 }), 200);
  carol.answers = 200;
  carol.catchUp(200);
  lab.pass(400);
  carol.act();
  t.is(carol.notes.length, 3, 'the refresh is told too');
  t.deepEqual(carol.complaints, []);
});

test('NOTIFY and the end of the subscription cross: the last word comes after it', (t) => {
  const { lab, alice, carol } = watching();
  carol.subscribe();
  carol.answers = 0;
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  lab.pass(400);
  carol.act();
  t.is(carol.subscribe({ expires: 0 }), 200);
  t.is(carol.notes.length, 2);
  carol.answers = 200;
  carol.catchUp(200);
  carol.act();
  t.is(carol.last.state, 'terminated;reason=timeout');
  t.is(rows(lab), 0);
  t.deepEqual(carol.complaints, []);
});

test('limits: subscriptions of a watcher, and in all', (t) => {
  const { lab, carol } = watching('dialog', { maxWatches: 2, maxSubscriptions: 3 });
  const statuses: number[] = [];
  for (const watched of ['1001', '1002', '1004']) {
    const w = new Watcher(lab, '1003', '192.0.2.3', watched);
    w.cseq = statuses.length * 10;
    statuses.push(w.subscribe());
  }
  t.deepEqual(statuses, [200, 200, 403]);
  t.is(new Watcher(lab, '1005', '192.0.2.5', '1001').subscribe(), 200);
  const full = new Watcher(lab, '1006', '192.0.2.6', '1001');
  t.is(full.subscribe(), 503);
  t.is(full.answer?.header(H.RetryAfter), '60');
  t.is(carol.notes.length, 0);
});

test('with passwords: a stranger is challenged, an extension may watch any other', (t) => {
  const lab = new Lab({ auth: true });
  const w = new Watcher(lab, '1003', '192.0.2.3', '1002');
  t.is(w.subscribe(), 407);
  t.is(rows(lab), 0);
  const ask = w.answer?.header(H.ProxyAuthenticate) ?? '';
  const nonce = /nonce="([^"]*)"/.exec(ask)?.[1] ?? '';
  const h = (s: string): string => createHash('sha256').update(s).digest('hex');
  const uri = 'sip:1002@192.0.2.10';
  const a1 = h('1003:sipair:pw-1003');
  const response = h(`${a1}:${nonce}:00000001:c:auth:${h(`SUBSCRIBE:${uri}`)}`);
  const proof =
    `Proxy-Authorization: Digest username="1003", realm="sipair", nonce="${nonce}", uri="${uri}", ` +
    `qop=auth, nc=00000001, cnonce="c", algorithm=SHA-256, response="${response}"\r\n`;
  t.is(w.subscribe({ extra: proof }), 200);
  t.is([...lab.store.rows(SUBSCRIPTION)][0]?.watcher, '1003');
});

test('a guessed tag is no subscription: 481', (t) => {
  const { lab, carol } = watching();
  carol.subscribe();
  const sub = [...lab.store.rows(SUBSCRIPTION)][0];
  const mallory = new Peer(lab, '1009', '192.0.2.9');
  const o = {
    callId: sub?.callId ?? '',
    fromTag: sub?.remoteTag ?? '',
    extra: 'Event: dialog\r\n',
  };
  mallory.send(mallory.request('SUBSCRIBE', 'sip:1002@192.0.2.10', { ...o, toTag: '1-guess' }));
  t.is(mallory.take().status, 481);
});

test('RFC 3261 11.2 OPTIONS tells the methods and the event packages', (t) => {
  const { alice } = pair();
  alice.send(alice.request('OPTIONS', 'sip:1002@192.0.2.10'));
  const ok = alice.take();
  t.is(ok.header(H.AllowEvents), 'dialog, message-summary, presence, reg, as-feature-event');
  t.regex(ok.header(H.Allow) ?? '', /MESSAGE.*SUBSCRIBE, NOTIFY, PUBLISH/);
});

test('RFC 6665 7.2.1 SUBSCRIBE and NOTIFY inside the dialog of a call: 489', (t) => {
  const { alice, invite, ok } = talking();
  alice.inbox();
  for (const method of ['SUBSCRIBE', 'NOTIFY']) {
    alice.send(alice.inDialog(method, invite, ok, { extra: 'Event: dialog\r\n' }));
    const no = alice.take();
    t.is(no.status, 489);
    t.true(no.has(H.AllowEvents));
  }
});

test('RFC 3261 12.2.2 in the dialog of a subscription nothing but SUBSCRIBE is said', (t) => {
  const { carol } = watching();
  carol.subscribe();
  const o = { callId: 'w1003dialog1002', toTag: carol.answer?.toTag ?? '' };
  carol.send(carol.request('INVITE', 'sip:1002@192.0.2.10', { ...o, body: SDP('carol') }));
  t.is(carol.take().status, 405);
  carol.send(carol.request('BYE', 'sip:1002@192.0.2.10', o));
  t.is(carol.take().status, 481);
  t.is(carol.subscribe(), 200, 'and it stands');
});
