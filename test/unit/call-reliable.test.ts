/** RFC 3262: reliable provisional responses of phones and to callers, and what crosses them. */

import test from 'ava';
import { RPR } from '../../src/call/rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer, pair, SDP } from './call-lab.ts';

const CAN = 'Supported: 100rel\r\nAllow: INVITE, PRACK, UPDATE\r\n';
const MUST = 'Require: 100rel\r\nAllow: INVITE, PRACK, UPDATE\r\n';
const REL = (rseq: number): string =>
  `Require: 100rel\r\nRSeq: ${rseq}\r\nAllow: INVITE, PRACK, UPDATE\r\n`;

/** alice calls bob; nothing was said yet. */
function calling(extra: string, body = SDP('alice')) {
  const p = pair();
  const invite = p.alice.request('INVITE', 'sip:1002@192.0.2.10', { body, extra });
  p.alice.send(invite);
  p.alice.inbox();
  return { ...p, invite, toBob: p.bob.take() };
}

function prack(alice: Peer, invite: string, to: SipMessage, body = '', rseq?: number): string {
  const rack = `RAck: ${rseq ?? to.header(H.RSeq)} ${to.cseq} INVITE\r\n`;
  return alice.inDialog('PRACK', invite, to, { extra: rack, body });
}

/** Early media, reliably on both legs; alice has not acknowledged. */
function early(status = 183, body = SDP('bob')) {
  const p = calling(CAN);
  p.bob.reply(p.toBob, status, 'bt', body, REL(7));
  return { ...p, ring: p.alice.take() };
}

test('RFC 3262 4 the INVITE to a phone says Supported: 100rel, whatever its caller knows', (t) => {
  t.regex(calling('').toBob.header(H.Supported) ?? '', /100rel/);
  t.regex(calling(CAN).toBob.header(H.Supported) ?? '', /100rel/);
  t.regex(calling(MUST).toBob.header(H.Supported) ?? '', /100rel/, 'nobody is refused 420');
});

test('RFC 3262 5 without an offer a phone may offer reliably only to a caller who can answer', (t) => {
  t.notRegex(calling('', '').toBob.header(H.Supported) ?? '', /100rel/);
  t.regex(calling(CAN, '').toBob.header(H.Supported) ?? '', /100rel/);
});

test('RFC 3262 3 a reliable 183 is one on both legs; its PRACK goes the whole way', (t) => {
  const { lab, alice, bob, invite, ring, toBob } = early();
  t.is(line(ring), '183 INVITE sdp');
  t.is(ring.header(H.Require), '100rel');
  const rseq = Number(ring.header(H.RSeq));
  t.true(rseq >= 1 && rseq < 2 ** 31);
  t.not(rseq, 7, 'each leg has its own numbers');
  t.is(heard(bob), '', 'the phone is acknowledged when the caller acknowledges');
  alice.send(prack(alice, invite, ring));
  t.is(heard(alice), '200 PRACK');
  const p = bob.take();
  t.is(p.method, 'PRACK');
  t.is(p.header(H.RAck), `7 ${toBob.cseq} INVITE`);
  t.is(p.cseq, toBob.cseq + 1);
  bob.reply(p, 200, 'bt');
  lab.pass(40_000);
  t.is(heard(alice) + heard(bob), '', 'nothing is repeated any more');
  t.is(lab.store.count(RPR), 0);
});

test('RFC 3262 3 a new primary repeats a reliable 183 until its PRACK, and not after', (t) => {
  const { lab, alice, bob, invite, ring } = early();
  lab.swap(true);
  t.is(alice.take().text, ring.text);
  alice.send(prack(alice, invite, ring));
  bob.reply(bob.take(), 200, 'bt');
  t.is(heard(alice), '200 PRACK');
  lab.swap(true);
  bob.inbox();
  lab.pass(40_000);
  t.is(heard(alice), '', 'its session may have changed since');
});

test('RFC 3262 3 a reliable response is repeated at T1, doubling, and refused 5xx after 64*T1', (t) => {
  const { lab, alice, bob, ring, invite } = early();
  const at: number[] = [];
  const start = lab.now;
  for (let ms = 0; ms < 31_900; ms += 100) {
    lab.pass(100);
    for (const m of alice.inbox()) {
      t.is(m.text, ring.text);
      at.push(lab.now - start);
    }
  }
  t.deepEqual(at, [500, 1500, 3500, 7500, 15_500, 31_500]);
  lab.pass(200);
  const no = alice.take();
  t.is(no.status, 504);
  alice.ack(invite, no);
  t.is(bob.take().method, 'CANCEL');
});

test('RFC 3262 3 a PRACK that matches nothing: 481; the one that matches is answered again', (t) => {
  const { alice, bob, invite, ring } = early();
  alice.send(prack(alice, invite, ring, '', 99));
  t.is(heard(alice), '481 PRACK');
  const right = prack(alice, invite, ring);
  alice.send(right);
  alice.send(right);
  t.is(heard(alice), '200 PRACK, 200 PRACK');
  t.is(heard(bob), 'PRACK');
  alice.send(prack(alice, invite, ring));
  t.is(heard(alice), '481 PRACK', 'it is acknowledged already');
  alice.send(alice.inDialog('PRACK', invite, ring, { extra: 'RAck: x\r\n' }));
  t.is(heard(alice), '400 PRACK');
});

test('RFC 3262 4 a repeated reliable response is absorbed, one out of order is not acknowledged', (t) => {
  const { alice, bob, toBob, invite, ring } = early();
  alice.send(prack(alice, invite, ring));
  alice.inbox();
  bob.reply(bob.take(), 200, 'bt');
  bob.reply(toBob, 183, 'bt', SDP('bob'), REL(7));
  bob.reply(toBob, 180, 'bt', '', REL(9));
  t.is(heard(alice) + heard(bob), '');
  bob.reply(toBob, 180, 'bt', '', REL(8));
  const next = alice.take();
  t.is(next.status, 180);
  t.is(Number(next.header(H.RSeq)), Number(ring.header(H.RSeq)) + 1, 'greater by exactly one');
});

test('RFC 3262 5 an offer in a reliable response is answered in the PRACK, end to end', (t) => {
  const { lab, alice, bob, invite, toBob } = calling(CAN, '');
  bob.reply(toBob, 183, 'bt', SDP('offer'), REL(1));
  const ring = alice.take();
  t.is(ring.body, SDP('offer'));
  alice.send(prack(alice, invite, ring, SDP('answer')));
  t.is(heard(alice), '', 'the phone answers');
  const p = bob.take();
  t.is(p.body, SDP('answer'));
  bob.reply(p, 200, 'bt');
  t.is(heard(alice), '200 PRACK');
  bob.reply(toBob, 200, 'bt');
  const ok = alice.take();
  t.is(ok.status, 200);
  t.is(line(bob.take()), 'ACK', 'nothing is left to wait for');
  alice.ack(invite, ok);
  lab.pass(40_000);
  t.is(heard(alice) + heard(bob), '');
});

test('RFC 3262 5 a PRACK may bring an offer; the answer comes back in its 200', (t) => {
  const { alice, bob, invite, ring } = early();
  alice.send(prack(alice, invite, ring, SDP('more')));
  const p = bob.take();
  t.is(p.body, SDP('more'));
  bob.reply(p, 200, 'bt', SDP('fine'));
  const ok = alice.take();
  t.is(line(ok), '200 PRACK sdp');
  t.is(ok.body, SDP('fine'));
});

test('interworking: a caller without 100rel; the phone is acknowledged, its answer is in our 200', (t) => {
  const { lab, alice, bob, invite, toBob } = calling('');
  bob.reply(toBob, 183, 'bt', SDP('bob'), REL(5));
  const ring = alice.take();
  t.is(line(ring), '183 INVITE sdp');
  t.false(ring.has(H.RSeq) || ring.has(H.Require));
  const p = bob.take();
  t.is(p.header(H.RAck), '5 1 INVITE');
  bob.reply(p, 200, 'bt');
  bob.reply(toBob, 200, 'bt');
  const ok = alice.take();
  t.is(ok.body, SDP('bob'), 'RFC 3261 13.2.1: the answer in a reliable message');
  t.is(ok.contentType, 'application/sdp');
  t.is(bob.take().method, 'ACK');
  alice.ack(invite, ok);
  lab.pass(40_000);
  t.is(heard(alice) + heard(bob), '');
});

test('RFC 3262 3 a caller who requires 100rel hears a plain phone reliably', (t) => {
  const { lab, alice, bob, invite, toBob } = calling(MUST);
  bob.reply(toBob, 180, 'bt');
  const ring = alice.take();
  t.true(ring.has(H.RSeq));
  bob.reply(toBob, 183, 'bt', SDP('bob'));
  t.is(heard(alice), '', 'one at a time');
  alice.send(prack(alice, invite, ring));
  const [ok, next] = alice.inbox() as [SipMessage, SipMessage];
  t.is(line(ok), '200 PRACK');
  t.is(line(next), '183 INVITE sdp');
  t.is(Number(next.header(H.RSeq)), Number(ring.header(H.RSeq)) + 1);
  t.is(heard(bob), '', 'the phone asked for no PRACK');
  alice.send(prack(alice, invite, next));
  alice.inbox();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  t.is(heard(alice), '200 INVITE sdp');
  lab.pass(1);
  t.is(heard(bob), 'ACK');
});

test('RFC 3262 3 no 2xx before a reliable response with a description is acknowledged', (t) => {
  const { lab, alice, bob, invite, toBob } = calling(MUST);
  bob.reply(toBob, 183, 'bt', SDP('bob'));
  const ring = alice.take();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  t.is(heard(alice), '');
  t.is(heard(bob), 'ACK', 'the phone need not wait');
  lab.pass(600);
  t.is(alice.take().text, ring.text, 'it is repeated meanwhile');
  alice.send(prack(alice, invite, ring));
  const [, ok] = alice.inbox() as [SipMessage, SipMessage];
  t.is(line(ok), '200 INVITE sdp');
  alice.ack(invite, ok);
  lab.pass(40_000);
  t.is(heard(alice) + heard(bob), '');
});

test('RFC 3262 3 a 2xx may overtake one without a description, whose PRACK is still answered', (t) => {
  const { lab, alice, bob, invite, toBob } = calling(MUST);
  bob.reply(toBob, 180, 'bt');
  const ring = alice.take();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  const ok = alice.take();
  t.is(ok.status, 200);
  bob.inbox();
  alice.ack(invite, ok);
  lab.pass(5000);
  t.is(heard(alice), '', 'it is not repeated');
  alice.send(prack(alice, invite, ring));
  t.is(heard(alice), '200 PRACK');
});

test('while the answer waits for a PRACK: CANCEL ends the call', (t) => {
  const { lab, alice, bob, invite, toBob } = calling(MUST);
  bob.reply(toBob, 183, 'bt', SDP('bob'));
  const ring = alice.take();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  bob.inbox();
  alice.cancel(invite);
  const [ok, no] = alice.inbox() as [SipMessage, SipMessage];
  t.deepEqual([line(ok), line(no)], ['200 CANCEL', '487 INVITE']);
  alice.ack(invite, no);
  alice.send(prack(alice, invite, ring));
  t.is(heard(alice), '200 PRACK', 'it crossed');
  const bye = bob.take();
  t.is(bye.method, 'BYE');
  bob.reply(bye, 200, 'bt');
  lab.pass(120_000);
  t.is(lab.rows(), 2);
});

test('while the answer waits for a PRACK: the phone hangs up', (t) => {
  const { lab, alice, bob, invite, toBob } = calling(MUST);
  bob.reply(toBob, 183, 'bt', SDP('bob'));
  alice.take();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  bob.inbox();
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  const no = alice.take();
  t.is(line(no), '487 INVITE');
  alice.ack(invite, no);
  lab.pass(120_000);
  t.is(lab.rows(), 2);
});

test('RFC 3262 3 PRACK crosses CANCEL: both are answered 200, nothing hears 481', (t) => {
  const { lab, alice, bob, invite, toBob, ring } = early();
  alice.cancel(invite);
  const [, no] = alice.inbox() as [SipMessage, SipMessage];
  t.is(no.status, 487);
  alice.ack(invite, no);
  alice.send(prack(alice, invite, ring));
  t.is(heard(alice), '200 PRACK');
  const cancel = bob.take();
  t.is(cancel.method, 'CANCEL', 'a PRACK would find no INVITE there');
  bob.reply(cancel, 200, 'bt');
  bob.reply(toBob, 487, 'bt');
  t.is(heard(bob), 'ACK');
  lab.pass(120_000);
  t.is(lab.rows(), 2);
});

test('RFC 3262 4 a phone that is cancelled and rings reliably meanwhile is acknowledged', (t) => {
  const { alice, bob, invite, toBob } = calling(CAN);
  bob.reply(toBob, 180, 'bt');
  alice.inbox();
  alice.cancel(invite);
  t.is(heard(bob), 'CANCEL');
  bob.reply(toBob, 183, 'bt', SDP('bob'), REL(3));
  t.is(heard(bob), 'PRACK');
});

test('of several phones that ring one early dialog is shown, without their early media', (t) => {
  const lab = new Lab();
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const desk = new Peer(lab, '1002', '192.0.2.2');
  const hall = new Peer(lab, '1002', '192.0.2.3');
  for (const phone of [alice, desk, hall]) lab.register(phone);
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('a'), extra: CAN });
  alice.send(invite);
  alice.inbox();
  const toDesk = desk.take();
  const toHall = hall.take();
  desk.reply(toDesk, 183, 'dt', SDP('desk'), REL(1));
  t.is(heard(desk), 'PRACK', 'acknowledged by us');
  hall.reply(toHall, 183, 'ht', SDP('hall'), REL(1));
  t.is(heard(hall), 'PRACK');
  const rings = alice.inbox();
  t.deepEqual(rings.map(line), ['183 INVITE'], 'nobody knows yet whose media it will be');
  hall.reply(toHall, 200, 'ht');
  const ok = alice.take();
  t.is(ok.body, SDP('hall'), 'the answer that phone gave');
  t.is(ok.toTag, (rings[0] as SipMessage).toTag);
  t.deepEqual(hall.inbox().map(line), ['ACK']);
  t.is(heard(desk), 'CANCEL');
});

test('RFC 3261 13.2.2.4 a proxy behind a phone forks: the other early dialog is acknowledged too', (t) => {
  const { alice, bob, toBob, invite, ring } = early();
  bob.reply(toBob, 183, 'other', SDP('else'), REL(1));
  t.is(heard(alice), '', 'only one is shown');
  const p = bob.take();
  t.is(p.method, 'PRACK');
  t.is(p.toTag, 'other');
  alice.send(prack(alice, invite, ring));
  alice.inbox();
  const own = bob.take();
  t.is(own.toTag, 'bt');
  t.true(own.cseq > p.cseq);
});

test('a takeover repeats a response that waits for its PRACK, with the same RSeq', (t) => {
  for (const lose of [true, false]) {
    const { lab, alice, bob, invite, toBob } = calling(CAN);
    bob.reply(toBob, 183, 'bt', SDP('bob'), REL(7));
    lab.swap(lose);
    const rings = alice.inbox();
    t.true(rings.length >= 1);
    t.is(new Set(rings.map((m) => m.text)).size, 1);
    lab.pass(600);
    alice.send(prack(alice, invite, rings[0] as SipMessage));
    lab.swap(lose);
    lab.pass(600);
    const p = bob.inbox();
    t.true(p.length >= 1 && p.every((m) => m.cseq === 2 && m.method === 'PRACK'));
    bob.reply(p[0] as SipMessage, 200, 'bt');
    bob.reply(toBob, 200, 'bt');
    t.true(alice.inbox().some((m) => line(m) === '200 INVITE'));
  }
});
