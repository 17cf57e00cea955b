/** INVITE with Replaces (RFC 3891), and redirections (RFC 3261 8.1.3.4), one test a sentence. */

import test from 'ava';
import { REDIRECT, REOFFER, TRANSFER } from '../../src/call/transfer-rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, type Lab, Peer, pair, SDP } from './call-lab.ts';
import { notes, quiet, sole, three } from './transfer-lab.ts';

function take(peer: Peer, replaces: string, body = SDP('carol'), more = ''): string {
  const invite = peer.request('INVITE', 'sip:1002@192.0.2.10', {
    extra: `Replaces: ${replaces}\r\nRequire: replaces\r\n${more}`,
    body,
  });
  peer.send(invite);
  return invite;
}

/** alice calls bob, whose phone rings; carol is there too. */
function ringing(settings: Parameters<typeof pair>[0] = {}) {
  const p = pair(settings);
  const carol = new Peer(p.lab, '1003', '192.0.2.3');
  p.lab.register(carol);
  const invite = p.alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  p.alice.send(invite);
  const toBob = p.bob.take();
  p.bob.reply(toBob, 180, 'bt');
  heard(p.alice);
  return { ...p, carol, invite, toBob };
}

test('RFC 3891 3 a confirmed dialog: the new one takes its place, the old one is ended by BYE', (t) => {
  const s = three();
  const { alice, bob, carol, lab, toBob } = s;
  const invite = take(carol, `${toBob.callId};to-tag=${toBob.fromTag};from-tag=bt`);
  t.is(heard(carol), '100 INVITE');
  const re = alice.take();
  t.is(re.body, SDP('carol'));
  t.is(re.callId, s.ok.callId);
  alice.reply(re, 200, 't1001', SDP('alice 2'));
  const ok = carol.take();
  t.is(ok.status, 200);
  t.is(ok.body, SDP('alice 2'));
  t.regex(ok.text, /\r\nContact: </);
  carol.ack(invite, ok);
  t.deepEqual(notes(bob), ['BYE']);
  heard(alice);
  t.is(lab.store.count(TRANSFER) + lab.store.count(REOFFER), 0);
  carol.send(carol.inDialog('INFO', invite, ok, { body: 'x' }));
  t.is(heard(alice), 'INFO sdp');
  alice.send(alice.inDialog('BYE', s.invite, s.ok));
  carol.reply(sole(carol.inbox(), 'BYE'), 200, 'x');
  quiet(lab);
  t.is(lab.rows(), 3);
});

test('RFC 3264 8 who stays hears one session: the origin line of before, the version one higher', (t) => {
  const say = (owner: string, origin: string): string =>
    SDP(owner).replace('o=- 1 1 IN IP4 192.0.2.9', `o=${origin}`);
  const s = three();
  const { alice, bob, carol, toBob, lab } = s;
  // bob's own next description first: it is passed on as it is
  bob.send(bob.backward('INVITE', toBob, 'bt', { body: say('b2', '- 1 2 IN IP4 192.0.2.9') }));
  const held = alice.take();
  t.is(held.body, say('b2', '- 1 2 IN IP4 192.0.2.9'));
  alice.reply(held, 200, 't1001', SDP('alice'));
  heard(alice);
  heard(bob);
  bob.send(bob.backward('ACK', toBob, 'bt', { cseq: bob.cseq }));
  const invite = take(
    carol,
    `${toBob.callId};to-tag=${toBob.fromTag};from-tag=bt`,
    say('carol', 'carol 900 900 IN IP6 2001:db8::3'),
  );
  heard(carol);
  const re = alice.take();
  t.is(re.body, say('carol', '- 1 3 IN IP4 192.0.2.9'));
  t.is(re.header(H.ContentLength), String(re.body.length));
  lab.swap(true);
  alice.inbox();
  alice.reply(re, 200, 't1001', SDP('alice 2'));
  const ok = carol.inbox().at(-1) as SipMessage;
  carol.ack(invite, ok);
  notes(bob);
  heard(alice);
  // she changes it, then says the same once more
  for (const [version, heardAs] of [
    [901, 4],
    [901, 4],
    [902, 5],
  ]) {
    const own = say(`c${version}`, `carol 900 ${version} IN IP6 2001:db8::3`);
    carol.send(carol.inDialog('INVITE', invite, ok, { body: own }));
    const m = alice.take();
    t.is(m.body, say(`c${version}`, `- 1 ${heardAs} IN IP4 192.0.2.9`));
    alice.reply(m, 200, 't1001', SDP('alice 3'));
    heard(alice);
    carol.send(carol.inDialog('ACK', invite, ok, { cseq: carol.cseq }));
    heard(carol);
  }
});

test('RFC 3891 3 without an offer: the offer comes with the 200, the answer with the ACK', (t) => {
  const s = three();
  const { alice, carol, toBob } = s;
  const invite = take(carol, `${toBob.callId};to-tag=${toBob.fromTag};from-tag=bt`, '');
  heard(carol);
  const re = alice.take();
  t.is(re.body, '');
  alice.reply(re, 200, 't1001', SDP('alice 2'));
  t.is(heard(alice), '', 'the ACK waits for the answer');
  const ok = carol.take();
  t.is(ok.body, SDP('alice 2'));
  carol.ack(invite, ok, SDP('carol'));
  t.is(alice.take().body, SDP('carol'));
});

test('RFC 3891 3 refused by the one who stays: nothing has changed', (t) => {
  const s = three();
  const { alice, bob, carol, toBob, lab } = s;
  const invite = take(carol, `${toBob.callId};to-tag=${toBob.fromTag};from-tag=bt`);
  heard(carol);
  alice.reply(alice.take(), 488, 't1001');
  const no = carol.take();
  t.is(no.status, 488);
  carol.ack(invite, no);
  heard(alice);
  bob.send(bob.backward('INFO', toBob, 'bt', { body: 'x' }));
  t.is(heard(alice), 'INFO sdp');
  t.is(lab.store.count(TRANSFER), 0);
});

test('the one who takes over gives up before it is done: CANCEL', (t) => {
  const s = three();
  const invite = take(s.carol, `${s.toBob.callId};to-tag=${s.toBob.fromTag};from-tag=bt`);
  heard(s.carol);
  const re = s.alice.take();
  s.carol.cancel(invite);
  t.is(heard(s.carol), '200 CANCEL, 487 INVITE');
  s.alice.reply(re, 200, 't1001', SDP('alice'));
  t.is(heard(s.alice), 'ACK');
  t.is(s.lab.store.count(TRANSFER), 0);
  s.bob.send(s.bob.backward('INFO', s.toBob, 'bt', { body: 'x' }));
  t.is(heard(s.alice), 'INFO sdp');
});

test('RFC 3891 3 no dialog: 481; malformed or two: 400; terminated: 603; early-only answered: 486', (t) => {
  const s = three();
  const { carol, bob, toBob } = s;
  const dialog = `${toBob.callId};to-tag=${toBob.fromTag};from-tag=bt`;
  const ask = (value: string, more = ''): string => {
    take(carol, value, SDP('carol'), more);
    return heard(carol);
  };
  t.is(ask('nothing@x;to-tag=a;from-tag=b'), '481 INVITE');
  t.is(ask(`${toBob.callId};to-tag=${toBob.fromTag};from-tag=other`), '481 INVITE');
  t.is(ask(`${toBob.callId};to-tag=1-abc;from-tag=bt`), '481 INVITE');
  t.is(ask(`${toBob.callId};to-tag=${toBob.fromTag}`), '400 INVITE');
  t.is(ask(dialog, `Replaces: ${dialog}\r\n`), '400 INVITE');
  t.is(ask(`${dialog};early-only`), '486 INVITE');
  s.alice.send(s.alice.inDialog('BYE', s.invite, s.ok));
  t.is(heard(bob), 'BYE');
  t.is(ask(dialog), '603 INVITE');
  t.is(s.lab.store.count(TRANSFER), 0);
});

test('only an extension takes the place of somebody; with passwords, one that proves it', (t) => {
  const s = three();
  const stranger = new Peer(s.lab, '5550', '192.0.2.77');
  take(stranger, `${s.toBob.callId};to-tag=${s.toBob.fromTag};from-tag=bt`);
  t.is(heard(stranger), '403 INVITE');
  t.is(heard(s.alice), '');
});

test('RFC 3891 3 directed pickup: the early dialog we began is ended, the caller gets the new one', (t) => {
  const s = ringing();
  const { alice, bob, carol, lab, toBob } = s;
  // named as the phone names it, as a dialog-info document does
  const invite = take(carol, `${toBob.callId};to-tag=bt;from-tag=${toBob.fromTag};early-only`);
  t.is(heard(carol), '100 INVITE');
  const ok = alice.take();
  t.is(ok.status, 200);
  t.is(ok.body, SDP('carol'));
  const cancel = bob.take();
  t.is(cancel.method, 'CANCEL');
  bob.reply(cancel, 200, 'bt');
  bob.reply(toBob, 487, 'bt');
  heard(bob);
  // the offer waits for the ACK of the caller
  t.is(heard(alice), '');
  alice.ack(s.invite, ok);
  lab.pass(300);
  const re = sole(alice.inbox(), 'INVITE');
  t.is(re.body, SDP('carol'));
  alice.reply(re, 200, 't1001', SDP('alice 2'));
  const answer = carol.take();
  t.is(answer.body, SDP('alice 2'));
  carol.ack(invite, answer);
  heard(alice);
  carol.send(carol.inDialog('BYE', invite, answer));
  alice.reply(sole(alice.inbox(), 'BYE'), 200, 't1001');
  quiet(lab);
  t.is(lab.rows(), 3);
});

test('RFC 3891 3 an early dialog that we did not begin: 481; a pickup without an offer: 488', (t) => {
  const s = ringing();
  const mine = heard(s.alice);
  t.is(mine, '');
  const leg = [...s.lab.log].reverse().find((l) => l.text.startsWith('SIP/2.0 180'));
  const tag = /\r\nTo: .*;tag=([^\r]+)/.exec(leg?.text ?? '')?.[1];
  take(s.carol, `c1001@192.0.2.1;to-tag=${tag};from-tag=t1001`);
  t.is(heard(s.carol), '481 INVITE');
  take(s.carol, `${s.toBob.callId};to-tag=${s.toBob.fromTag};from-tag=bt`, '');
  t.is(heard(s.carol), '488 INVITE');
});

// ── 3xx ──────────────────────────────────────────────────────────────────────────────────────────

/** A reply has the phone's own Contact; here it names others instead. */
function moved(lab: Lab, bob: Peer, m: SipMessage, status: number, contact: string): void {
  const send = lab.receive.bind(lab);
  lab.receive = (ip, port, text) =>
    send(
      ip,
      port,
      text.replace(/Contact: [^\r]*\r\n/, contact === '' ? '' : `Contact: ${contact}\r\n`),
    );
  bob.reply(m, status, 'bt');
  lab.receive = send;
}

function diverted(status: number, contact: string, settings: Parameters<typeof pair>[0] = {}) {
  const s = ringing(settings);
  const dave = new Peer(s.lab, '1004', '192.0.2.4');
  s.lab.register(dave);
  moved(s.lab, s.bob, s.toBob, status, contact);
  return { ...s, dave };
}

test('RFC 3261 8.1.3.4 a 302: whom it names is called with the same offer, and who diverted is told', (t) => {
  const { alice, bob, carol, lab, invite } = diverted(302, '<sip:1003@192.0.2.10>');
  t.is(heard(bob), 'ACK');
  const toCarol = carol.take();
  t.is(toCarol.body, SDP('alice'));
  // RFC 5806 4, RFC 7044 10
  t.is(toCarol.header(H.Diversion), '<sip:1002@192.0.2.10:5060>;reason=deflection;counter=1');
  t.deepEqual(toCarol.values(H.HistoryInfo), [
    '<sip:1002@192.0.2.10:5060>;index=1',
    '<sip:1003@192.0.2.10:5060>;index=1.1;mp=1',
  ]);
  t.is(toCarol.maxForwards, 68);
  carol.reply(toCarol, 200, 'ct', SDP('carol'));
  t.is(heard(carol), 'ACK');
  const ok = alice.take();
  t.is(ok.body, SDP('carol'));
  alice.ack(invite, ok);
  t.is(lab.store.count(REDIRECT), 0);
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(carol), 'BYE');
});

test('RFC 3261 8.1.3.4 contacts in order of q: the next when the first fails', (t) => {
  const { alice, carol, dave } = diverted(
    300,
    '<sip:1003@x>;q=0.2, <sip:1004@x>;q=0.9, <mailto:a@b>;q=1',
  );
  t.is(heard(carol), '');
  dave.reply(dave.take(), 486, 'dt');
  heard(dave);
  carol.reply(carol.take(), 600, 'ct');
  t.is(heard(alice), '600 INVITE');
});

test('RFC 3261 8.1.3.4 contacts of one q ring together', (t) => {
  const { carol, dave } = diverted(302, '<sip:1003@x>, <sip:1004@x>');
  t.is(heard(carol) + heard(dave), 'INVITE sdpINVITE sdp');
});

test('21.3.4, 21.3.5: 305 and 380 are refusals, as is a 302 that leads nowhere or out of here', (t) => {
  for (const [status, contact] of [
    [305, '<sip:1003@x>'],
    [380, '<sip:1003@x>'],
    [302, ''],
    [302, '<sip:4999@x>'],
    [302, '<sip:192.0.2.66>'],
    [302, '<sip:evil%0d%0ax@192.0.2.66>'],
    [302, '<mailto:a@b>'],
    [302, '<sip:1002@x>'],
  ] as const) {
    const { alice, carol, lab } = diverted(status, contact);
    t.is(heard(alice), '480 INVITE', `${status} ${contact}`);
    t.is(heard(carol), '');
    t.is(lab.store.count(REDIRECT), 0);
  }
});

test('loops end: a number is called once, and a call is redirected a few times', (t) => {
  const s = diverted(302, '<sip:1003@x>');
  moved(s.lab, s.carol, s.carol.take(), 302, '<sip:1002@x>, <sip:1003@x>');
  t.is(heard(s.alice), '480 INVITE');
  const z = ringing();
  const chain = [z.bob, z.carol];
  for (let n = 1004; n < 1012; n += 1) {
    const peer = new Peer(z.lab, String(n), `192.0.2.${n - 990}`);
    z.lab.register(peer);
    chain.push(peer);
  }
  let m = z.toBob;
  let hops = 0;
  for (let i = 0; i + 1 < chain.length; i += 1) {
    moved(z.lab, chain[i] as Peer, m, 302, `<sip:${1003 + i}@x>`);
    const next = (chain[i + 1] as Peer).inbox();
    if (next.length === 0) break;
    hops += 1;
    m = next[0] as SipMessage;
    const levels = m.values(H.HistoryInfo).at(-1) ?? '';
    t.regex(levels, new RegExp(`index=1${'\\.1'.repeat(hops)};`));
  }
  t.is(hops, 5);
  t.is(heard(z.alice), '480 INVITE');
  quiet(z.lab);
  t.is(z.lab.store.count(REDIRECT), 0);
});

test('the caller cancels while the second phone rings: it is cancelled too', (t) => {
  const s = diverted(302, '<sip:1003@x>');
  const toCarol = s.carol.take();
  s.carol.reply(toCarol, 180, 'ct');
  t.is(heard(s.alice), '', 'he heard ringing before');
  s.alice.cancel(s.invite);
  t.is(heard(s.alice), '200 CANCEL, 487 INVITE');
  t.is(heard(s.carol), 'CANCEL');
  t.is(s.lab.store.count(REDIRECT), 0);
});

test('a switchover between redirection and answer: what is left to be tried is', (t) => {
  const s = diverted(302, '<sip:1003@x>;q=0.9, <sip:1004@x>;q=0.1');
  const toCarol = s.carol.take();
  s.lab.swap(true);
  t.is(heard(s.carol), 'INVITE sdp', 'said again');
  s.carol.reply(toCarol, 486, 'ct');
  t.is(heard(s.carol), 'ACK');
  s.lab.swap(true);
  const toDave = s.dave.take();
  t.is(toDave.body, SDP('alice'));
  s.dave.reply(toDave, 200, 'dt', SDP('dave'));
  t.is(s.alice.inbox().at(-1)?.body, SDP('dave'));
});

test('a target of a transfer redirects: the transfer follows', (t) => {
  const s = three();
  const dave = new Peer(s.lab, '1004', '192.0.2.4');
  s.lab.register(dave);
  s.bob.send(s.bob.backward('REFER', s.toBob, 'bt', { extra: 'Refer-To: <sip:1003@x>\r\n' }));
  notes(s.bob);
  moved(s.lab, s.carol, s.carol.take(), 302, '<sip:1004@x>');
  dave.reply(dave.take(), 200, 'dt', SDP('dave'));
  const re = s.alice.take();
  t.is(re.body, SDP('dave'));
  s.alice.reply(re, 200, 't1001', SDP('alice'));
  t.is(heard(dave), 'ACK sdp');
});
