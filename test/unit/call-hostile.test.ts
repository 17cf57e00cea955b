/**
 * What a careless or hostile neighbour may do with well-formed messages: leave things half done, say
 * them twice, say them of somebody else, or give us addresses that are none.
 */

import { createHash } from 'node:crypto';
import test from 'ava';
import { BINDING, CALL } from '../../src/call/rows.ts';
import { bracketAt, targetOf, uriOf } from '../../src/proto/sip/address.ts';
import { CTX } from '../../src/proto/sip/rows.ts';
import { withoutTag } from '../../src/proto/sip/text.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer, pair, SDP, talking } from './call-lab.ts';

test('16.6 step 11 timer C: a re-INVITE that only rings ends, and the call with it', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('x') }));
  bob.reply(bob.take(), 180, '');
  lab.swap(false);
  lab.pass(180_000);
  t.is(lab.store.count(CALL), 1);
  lab.pass(32_100);
  t.regex(heard(alice), /408 INVITE.*BYE/);
  t.regex(heard(bob), /^BYE/);
  lab.pass(70_000);
  t.is(lab.rows(), 2);
});

test('RFC 3261 12.2.1.2 who does not answer a re-INVITE is hung up by BYE', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('x') }));
  bob.inbox();
  lab.pass(31_999);
  bob.inbox();
  lab.pass(10);
  const bye = bob.take();
  t.is(line(bye), 'BYE');
  t.is(bye.cseq, 3);
});

test('a phone that hangs up with a re-INVITE open, and only then says 100, leaves nothing', (t) => {
  const { lab, alice, bob, invite, toBob, ok } = talking();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('x') }));
  const again = bob.take();
  bob.send(bob.backward('BYE', toBob, 'bt'));
  bob.reply(again, 100, '');
  lab.pass(120_000);
  t.is(lab.rows(), 2);
});

test('13.2.2.4 a 2xx to a re-INVITE is acknowledged though its phone hung up since', (t) => {
  const { alice, bob, invite, toBob, ok } = talking();
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('x') }));
  const again = bob.take();
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(heard(bob), '200 BYE');
  bob.reply(again, 200, '', SDP('y'));
  const ack = bob.take();
  t.is(line(ack), 'ACK');
  t.deepEqual([ack.cseq, ack.toTag, ack.fromTag], [again.cseq, 'bt', again.fromTag]);
});

test('16.7 step 6: a 503 or a challenge of one phone in a call does not become ours', (t) => {
  for (const [said, told] of [
    [503, 500],
    [401, 403],
    [488, 488],
  ] as const) {
    const { alice, bob, invite, ok } = talking();
    alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('x') }));
    bob.reply(bob.take(), said, '', '', 'Retry-After: 600\r\n');
    t.is(heard(alice), `100 INVITE, ${told} INVITE`);
  }
});

test('a call nobody answers ends when it was to end, whichever box is there', (t) => {
  const { lab, alice, bob } = pair();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('a') }));
  bob.reply(bob.take(), 180, 'bt');
  for (let i = 0; i < 17; i += 1) {
    lab.pass(10_000);
    lab.swap(i % 2 === 0);
    alice.inbox();
  }
  lab.pass(9_999);
  t.is(heard(bob), '');
  lab.pass(1);
  t.is(heard(bob), 'CANCEL');
  t.is(heard(alice), '480 INVITE');
});

test('an INVITE with a body that is no offer waits for the answer in the ACK', (t) => {
  const { alice, bob } = pair();
  const invite = alice
    .request('INVITE', 'sip:1002@192.0.2.10', { body: 'x' })
    .replace('application/sdp', 'application/ISUP');
  alice.send(invite);
  bob.reply(bob.take(), 200, 'bt', SDP('bob'));
  t.is(heard(bob), '');
  alice.ack(invite, alice.inbox().at(-1) as SipMessage, SDP('alice'));
  t.is(heard(bob), 'ACK sdp');
});

test('21.5.14 what would not fit when it is passed on is refused at once', (t) => {
  const { alice, bob, invite, ok } = talking();
  const body = 'x'.repeat(64_000);
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { callId: 'big', body }));
  t.is(heard(alice), '513 INVITE');
  alice.send(alice.inDialog('MESSAGE', invite, ok, { body }));
  t.is(heard(alice), '513 MESSAGE');
  alice.send(alice.inDialog('MESSAGE', invite, ok, { body: body.slice(2000) }));
  t.is(heard(bob), 'MESSAGE sdp');
});

test('20.10 "*" is no remote target, and 19.1.5 headers of a URI stay out of the request line', (t) => {
  const { lab, alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('a') });
  alice.send(invite.replace(/Contact: .*\r\n/, 'Contact: <sip:1001@192.0.2.1?Subject=x>\r\n'));
  const toBob = bob.take();
  lab.receive(
    '192.0.2.2',
    5060,
    `SIP/2.0 200 OK\r\n${toBob.lines(H.Via)}From: ${toBob.header(H.From)}\r\nTo: ${toBob.header(H.To)};tag=bt\r\n` +
      `Call-ID: ${toBob.callId}\r\nCSeq: ${toBob.cseq} INVITE\r\nContact: *\r\nContent-Length: 0\r\n\r\n`,
  );
  t.is(bob.take().requestUri, bob.contact);
  const ok = alice.inbox().at(-1) as SipMessage;
  alice.ack(invite, ok);
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(alice.take().requestUri, 'sip:1001@192.0.2.1');
  t.is(targetOf('sip:a?b@h;x=1?y=2'), 'sip:a?b@h;x=1');
});

test('25.1 brackets and tags inside quotes belong to nobody', (t) => {
  const odd = '"A \\" <sip:0@x>" <sip:1001@h>;tag=a;x="<sip:1003@y>;tag=z"';
  t.is(uriOf(odd), 'sip:1001@h');
  t.is(withoutTag(odd), '"A \\" <sip:0@x>" <sip:1001@h>;x="<sip:1003@y>;tag=z"');
  t.is(bracketAt('sip:1@h;x="<"'), -1);
  const { alice, bob } = pair();
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10');
  alice.send(invite.replace(/;tag=t1001/, '$&;x="<sip:1003@y>"'));
  const from = bob.take();
  t.is(from.contactUri, 'sip:1001@192.0.2.10:5060');
  t.is(from.header(H.From)?.split('tag=').length, 2);
});

test('13.2.2.4 a proxy that never stops forking costs us a bounded number of BYEs', (t) => {
  const { lab, bob, toBob } = talking();
  for (let i = 0; i < 200; i += 1) bob.reply(toBob, 200, `fork${i}`, SDP('x'));
  const got = bob.inbox().map(line);
  t.is(got.filter((x) => x === 'ACK').length, 200);
  t.true(got.filter((x) => x === 'BYE').length <= 32);
  t.true(lab.store.count(CTX) < 40);
});

test('13.2.2.4 the BYE to a second answerer takes the route of its own answer', (t) => {
  const { lab, bob, toBob } = talking();
  const proxy = new Peer(lab, 'p', '192.0.2.77');
  bob.send(
    `SIP/2.0 200 OK\r\n${toBob.lines(H.Via)}From: ${toBob.header(H.From)}\r\nTo: ${toBob.header(H.To)};tag=b2\r\n` +
      `Call-ID: ${toBob.callId}\r\nCSeq: ${toBob.cseq} INVITE\r\nRecord-Route: <sip:192.0.2.77;lr>\r\n` +
      'Contact: <sip:other@192.0.2.88>\r\nContent-Length: 0\r\n\r\n',
  );
  const [ack, bye] = proxy.inbox() as [SipMessage, SipMessage];
  t.deepEqual([line(ack), line(bye)], ['ACK', 'BYE']);
  t.is(bye.requestUri, 'sip:other@192.0.2.88');
  t.is(bye.header(H.Route), '<sip:192.0.2.77;lr>');
});

test('8.1.1.4 who gives many calls one Call-ID is told that they are one', (t) => {
  const { lab, alice } = pair();
  for (let i = 0; i < 40; i += 1) {
    alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { fromTag: `t${i}` }));
  }
  t.is(lab.store.count(CALL), 16);
  t.is(alice.inbox().filter((m) => m.status === 482).length, 24);
});

function register(phone: Peer, contacts: string): SipMessage {
  const extra = `Contact: ${contacts}\r\n`;
  phone.send(phone.request('REGISTER', 'sip:192.0.2.10', { to: phone.aor, extra, contact: false }));
  return phone.take();
}

test('10.3 step 7: a contact named twice in one REGISTER is one', (t) => {
  const lab = new Lab();
  const bob = new Peer(lab, '1002', '192.0.2.2');
  t.is(register(bob, '<sip:1002@192.0.2.2>, <sip:1002@192.0.2.2>').values(H.Contact).length, 1);
  register(bob, '<sip:1002@192.0.2.2>;expires=0, <sip:1002@192.0.2.2>, <sip:1002@192.0.2.2>');
  t.is(lab.store.count(BINDING), 1);
});

test('a phone at its limit of contacts may exchange one for another', (t) => {
  const lab = new Lab({ maxContacts: 1 });
  const bob = new Peer(lab, '1002', '192.0.2.2');
  register(bob, '<sip:1002@192.0.2.2>');
  t.is(register(bob, '<sip:1002@192.0.2.2>;expires=0, <sip:1002@192.0.2.3>').status, 200);
  t.is(lab.store.count(BINDING), 1);
  t.is(register(bob, '<sip:1002@192.0.2.4>').status, 403);
});

test('25.1 a quoted parameter is quoted again in the list of contacts', (t) => {
  const bob = new Peer(new Lab(), '1002', '192.0.2.2');
  const ok = register(bob, '<sip:1002@192.0.2.2>;+sip.instance="<a\\">;q=\\"1>"');
  t.regex(ok.header(H.Contact) ?? '', /;\+sip\.instance="<a\\">;q=\\"1>"$/);
});

type Claim = { readonly user: string; readonly uri: string };

/** An INVITE from `peer` with credentials that are right for `claim`. */
function called(peer: Peer, target: string, claim: Claim): number {
  const request = (extra = ''): string => peer.request('INVITE', target, { extra });
  peer.send(request());
  const no = peer.take();
  const nonce = /nonce="([^"]*)"/.exec(no.header(H.ProxyAuthenticate) ?? '')?.[1] ?? '';
  const h = (text: string): string => createHash('sha256').update(text).digest('hex');
  const a1 = h(`${claim.user}:sipair:pw-${claim.user}`);
  const response = h(`${a1}:${nonce}:00000001:cn:auth:${h(`INVITE:${claim.uri}`)}`);
  peer.send(
    request(
      `Proxy-Authorization: Digest username="${claim.user}", realm="sipair", nonce="${nonce}", ` +
        `uri="${claim.uri}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="cn", ` +
        `response="${response}"\r\n`,
    ),
  );
  return (peer.inbox().at(-1) as SipMessage).status;
}

test('digest: only for users who exist, for the number that is called, under their own', (t) => {
  const lab = new Lab({ auth: true });
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const guest = new Peer(lab, 'anonymous', '192.0.2.1');
  const uri = 'sip:1002@192.0.2.10';
  t.is(called(alice, uri, { user: '1001', uri }), 480, 'nobody is registered, but he may call');
  t.is(called(guest, uri, { user: '1001', uri }), 480, 'his name is his own business');
  t.is(called(alice, uri, { user: '1001', uri: 'sip:192.0.2.10:5060' }), 480);
  t.is(called(alice, uri, { user: 'root', uri }), 407, 'pw-root is no secret');
  t.is(called(alice, uri, { user: '1003', uri }), 403, 'under the number of another');
  t.is(called(alice, uri, { user: '1001', uri: 'sip:1003@192.0.2.10' }), 407);
});

test('digest: without a password of its own nobody is that extension; none can be guessed from its number', (t) => {
  const uri = 'sip:1002@192.0.2.10';
  const plain = { classOfService: '', contact: '', name: '', callerId: '', mwi: false };
  const site = { ...PLAIN_SITE, extensions: { '1001': { ...plain, password: 'pw-1001' } } };
  const lab = new Lab({ auth: true, passwordPrefix: '', site });
  const own = new Peer(lab, '1001', '192.0.2.1');
  const none = new Peer(lab, '1003', '192.0.2.3');
  t.is(called(own, uri, { user: '1001', uri }), 480, 'it has one');
  t.is(called(none, uri, { user: '1003', uri }), 407, 'it has none');
});
