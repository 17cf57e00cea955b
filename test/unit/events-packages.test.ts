/** What is told of a watched extension: dialogs (RFC 4235), presence, contacts; and how it is written. */

import test from 'ava';
import { xml } from '../../src/call/events/xml.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, Peer, pair, SDP, talking } from './call-lab.ts';
import { Watcher } from './events-lab.ts';

/** Lets what is marked be said, throttle included. */
function settle(lab: Lab, ...watchers: Watcher[]): void {
  lab.pass(320);
  for (const w of watchers) w.act();
}

function attribute(body: string, name: string): string {
  return new RegExp(` ${name}="([^"]*)"`).exec(body.slice(body.indexOf('<dialog ')))?.[1] ?? '';
}

/** carol watches the callee 1002, dave the caller 1001. */
function lamps() {
  const { lab, alice, bob } = pair();
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002');
  const dave = new Watcher(lab, '1004', '192.0.2.4', '1001');
  carol.subscribe();
  dave.subscribe();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  return { lab, alice, bob, carol, dave, invite };
}

function ring(p: ReturnType<typeof lamps>): SipMessage {
  p.alice.send(p.invite);
  settle(p.lab, p.carol, p.dave);
  p.alice.inbox();
  return p.bob.inbox()[0] as SipMessage;
}

test('RFC 4235 3.7.1 trying, early, confirmed, terminated: at the callee and at the caller', (t) => {
  const p = lamps();
  const { lab, alice, bob, carol, dave } = p;
  t.deepEqual([carol.lamps, dave.lamps], [[], []]);
  const toBob = ring(p);
  t.deepEqual([carol.lamps, dave.lamps], [['trying'], ['proceeding']]);
  t.is(attribute(carol.last.body, 'direction'), 'recipient');
  t.is(attribute(dave.last.body, 'direction'), 'initiator');
  bob.reply(toBob, 180, 'bt');
  settle(lab, carol, dave);
  t.deepEqual([carol.lamps, dave.lamps], [['early'], ['early']]);
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  const ok = alice.inbox().at(-1) as SipMessage;
  alice.ack(p.invite, ok);
  bob.inbox();
  settle(lab, carol, dave);
  t.deepEqual([carol.lamps, dave.lamps], [['confirmed'], ['confirmed']]);
  const told = carol.notes.length;
  alice.send(alice.inDialog('BYE', p.invite, ok));
  settle(lab, carol, dave);
  t.deepEqual([carol.lamps, dave.lamps], [['terminated'], ['terminated']]);
  t.is(carol.notes.length, told + 1);
  bob.reply(bob.take(), 200, 'bt');
  lab.pass(40_000);
  carol.act();
  t.is(carol.notes.length, told + 1, 'that it is gone is said once');
  carol.subscribe();
  t.deepEqual(carol.lamps, []);
  t.deepEqual([...carol.complaints, ...dave.complaints], []);
});

test('RFC 4235 4.1.2 call-id and tags are those of the phone itself: its call can be picked up', (t) => {
  const p = lamps();
  const toBob = ring(p);
  p.bob.reply(toBob, 180, 'bt');
  settle(p.lab, p.carol, p.dave);
  const { body } = p.carol.last;
  t.is(attribute(body, 'call-id'), toBob.callId);
  t.is(attribute(body, 'local-tag'), 'bt');
  t.is(attribute(body, 'remote-tag'), toBob.fromTag);
  t.regex(
    body,
    /<local><identity>sip:1002@192\.0\.2\.10<\/identity><target uri="sip:1002@192\.0\.2\.2:5060"\/>/,
  );
  t.regex(body, /<remote><identity display="1001">sip:1001@example\.net<\/identity>/);
  const his = p.dave.last.body;
  t.is(attribute(his, 'call-id'), 'c1001@192.0.2.1');
  t.is(attribute(his, 'local-tag'), 't1001');
});

test('RFC 4235 4.1 the document: version from 0, rising by one, state full, the entity asked for', (t) => {
  const p = lamps();
  ring(p);
  t.deepEqual(
    p.carol.notes.map((n) => n.version),
    [0, 1],
  );
  for (const { body } of p.carol.notes)
    t.regex(body, /state="full" entity="sip:1002@192\.0\.2\.10"/);
});

test('the phone refuses, or the caller withdraws: the lamp goes out', (t) => {
  for (const how of ['refuse', 'cancel']) {
    const p = lamps();
    const toBob = ring(p);
    p.bob.reply(toBob, 180, 'bt');
    settle(p.lab, p.carol, p.dave);
    if (how === 'cancel') {
      p.alice.cancel(p.invite);
      p.bob.inbox();
    }
    p.bob.reply(toBob, how === 'cancel' ? 487 : 486, 'bt');
    settle(p.lab, p.carol, p.dave);
    t.deepEqual([p.carol.lamps, p.dave.lamps], [['terminated'], ['terminated']], how);
  }
});

test('a call that came and went between two NOTIFYs is not told of', (t) => {
  const { lab, alice, bob, carol, invite } = lamps();
  lab.pass(400);
  carol.act();
  const told = carol.notes.length;
  alice.send(invite);
  bob.reply(bob.take(), 486, 'bt');
  settle(lab, carol);
  t.is(carol.notes.length, told);
});

test('nobody watches: a call writes no more than before', (t) => {
  const { lab } = talking();
  t.is(lab.counters.get('notificationsSent'), undefined);
});

test('RFC 3856, 3863 presence: open while registered, on the phone while it talks', (t) => {
  const lab = new Lab();
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const w = new Watcher(lab, '1003', '192.0.2.3', '1002', 'presence');
  w.subscribe();
  t.regex(w.last.body, /<basic>closed<\/basic>/);
  lab.register(bob, 60);
  settle(lab, w);
  t.regex(w.last.body, /<basic>open<\/basic>.*Online/);
  const told = w.notes.length;
  lab.register(bob, 60);
  settle(lab, w);
  t.is(w.notes.length, told, 'a refresh is no news');
  lab.pass(61_000);
  w.act();
  t.regex(w.last.body, /<basic>closed<\/basic>/, 'the registration ran out');
  t.deepEqual(w.complaints, []);
  const { lab: other, alice } = talking();
  const watch = new Watcher(other, '1003', '192.0.2.3', alice.user, 'presence');
  watch.subscribe();
  t.regex(watch.last.body, /On the phone<\/note>[\s\S]*<rpid:on-the-phone\/>/);
});

test('RFC 3680 5.1 reg: init, active with contacts, terminated; versions rise by one', (t) => {
  const lab = new Lab();
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const w = new Watcher(lab, '1003', '192.0.2.3', '1002', 'reg');
  w.subscribe();
  t.regex(
    w.last.body,
    /version="0" state="full"[\s\S]*aor="sip:1002@192\.0\.2\.10" id="r1002" state="init"/,
  );
  lab.register(bob);
  settle(lab, w);
  t.regex(w.last.body, /state="active"[\s\S]*<uri>sip:1002@192\.0\.2\.2:5060<\/uri>/);
  lab.register(bob, 0);
  settle(lab, w);
  t.regex(w.last.body, /version="2"[\s\S]*id="r1002" state="terminated"/);
  t.deepEqual(w.complaints, []);
});

test('a hostile name is text in the document, not markup', (t) => {
  const p = lamps();
  const evil = '"</identity><dialog id=\\"x\\">&\xc3\xa9\xff" <sip:1001@example.net>;tag=t1001';
  p.alice.send(p.invite.replace(/From: .*\r\n/, `From: ${evil}\r\n`));
  settle(p.lab, p.carol);
  const { body } = p.carol.last;
  t.is(body.match(/<dialog /g)?.length, 1);
  t.true(body.includes('display="&lt;/identity&gt;&lt;dialog id=&quot;x&quot;&gt;&amp;\xc3\xa9?"'));
});

test('xml: escaped, cut, without controls, and always UTF-8', (t) => {
  t.is(xml('plain 1001'), 'plain 1001');
  t.is(xml(`<&>"'`), '&lt;&amp;&gt;&quot;&apos;');
  t.is(xml('a\x00b\r\nc\td\x7f'), 'abc d');
  t.is(xml('\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'), '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80');
  t.is(xml('\xc3'), '?', 'a sequence that breaks off');
  t.is(xml('\xc0\x80'), '??', 'overlong');
  t.is(xml('\xed\xa0\x80'), '???', 'a surrogate');
  t.is(xml('\xef\xbf\xbf'), '???', 'no character');
  t.is(xml('x'.repeat(5000)).length, 512);
  t.notRegex(xml('\xe2\x82\xac'.repeat(500)), /\?$(?<!\?)/);
});

test('every octet and pair of octets comes out as well-formed text', (t) => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let a = 0; a < 256; a += 1) {
    for (let b = 0; b < 256; b += 1) {
      const out = xml(String.fromCharCode(a, b, 0x80));
      t.notThrows(() => decoder.decode(Buffer.from(out, 'latin1')));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      if (/[<>"\x00-\x08\x0a-\x1f]/.test(out)) t.fail(`${a} ${b}`);
    }
  }
});

test('RFC 6665 8.2.2 without passwords anybody may watch; what is told has no Contact of ours', (t) => {
  const p = lamps();
  ring(p);
  t.is(p.carol.last.m.header(H.Event), 'dialog');
  t.false(p.carol.last.body.includes('sip:1002@192.0.2.10:5060'));
});
