/** The registrar (RFC 3261 10.3), where phones are reached, and digest authentication. */

import test from 'ava';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer } from './call-lab.ts';
import { proof } from './phone-proof.ts';

function reg(phone: Peer, contact: string, extra = '', options = {}): SipMessage {
  phone.send(register(phone, contact, extra, options));
  return phone.take();
}

function register(phone: Peer, contact: string, extra = '', options = {}): string {
  const line = contact === '' ? '' : `Contact: ${contact}\r\n`;
  return phone.request('REGISTER', 'sip:192.0.2.10', {
    to: phone.aor,
    extra: line + extra,
    contact: false,
    ...options,
  });
}

const phone = (lab: Lab, last = 2, port = 5060): Peer =>
  new Peer(lab, '1002', `192.0.2.${last}`, port);

test('10.3 step 8: the 200 lists every contact with what is left of its time', (t) => {
  const lab = new Lab();
  const bob = phone(lab);
  t.deepEqual(reg(bob, '<sip:1002@192.0.2.2>;expires=600').values(H.Contact), [
    '<sip:1002@192.0.2.2>;expires=600',
  ]);
  lab.pass(100_000);
  const two = reg(bob, '<sip:1002@192.0.2.2:5070>;q=0.5');
  t.deepEqual(two.values(H.Contact), [
    '<sip:1002@192.0.2.2>;expires=500',
    '<sip:1002@192.0.2.2:5070>;expires=3600;q=0.5',
  ]);
  t.deepEqual(reg(bob, '').values(H.Contact).length, 2, 'without Contact it only asks');
});

test('10.2.1.1 expiry: the parameter, else the Expires header, else ours; capped', (t) => {
  const bob = phone(new Lab());
  t.regex(reg(bob, '<sip:1002@192.0.2.2>', 'Expires: 90\r\n').lines(H.Contact), /expires=90\r/);
  t.regex(reg(bob, '<sip:1002@192.0.2.2>').lines(H.Contact), /expires=3600\r/);
  t.regex(reg(bob, '<sip:1002@192.0.2.2>;expires=999999').lines(H.Contact), /expires=7200\r/);
  t.regex(reg(bob, '<sip:1002@192.0.2.2>;expires=x').lines(H.Contact), /expires=3600\r/);
});

test('10.3 step 7: too brief an interval: 423 with Min-Expires', (t) => {
  const bob = phone(new Lab());
  const no = reg(bob, '<sip:1002@192.0.2.2>;expires=5');
  t.is(no.status, 423);
  t.is(no.header(H.MinExpires), '30');
});

test('10.2.2 expiry 0 removes one contact, "*" with 0 all of them', (t) => {
  const bob = phone(new Lab());
  reg(bob, '<sip:1002@192.0.2.2>, <sip:1002@192.0.2.2:5070>, <sip:1002@192.0.2.2:5080>');
  t.is(reg(bob, '<sip:1002@192.0.2.2:5070>;expires=0').values(H.Contact).length, 2);
  t.is(reg(bob, '*', 'Expires: 0\r\n').values(H.Contact).length, 0);
});

test('10.3 step 6: "*" with an expiry or beside other contacts: 400', (t) => {
  const bob = phone(new Lab());
  reg(bob, '<sip:1002@192.0.2.2>');
  t.is(reg(bob, '*').status, 400);
  t.is(reg(bob, '*', 'Expires: 60\r\n').status, 400);
  t.is(reg(bob, '*', 'Contact: <sip:x@192.0.2.2>\r\nExpires: 0\r\n').status, 400);
  t.is(reg(bob, '').values(H.Contact).length, 1);
});

test('10.3 step 7: same Call-ID and no higher CSeq: the update is aborted, all of it', (t) => {
  const bob = phone(new Lab());
  reg(bob, '<sip:1002@192.0.2.2>;expires=600', '', { cseq: 5 });
  const late = '<sip:1002@192.0.2.9>, <sip:1002@192.0.2.2>;expires=0';
  t.is(reg(bob, late, '', { cseq: 5 }).status, 500);
  t.is(reg(bob, late, '', { cseq: 4 }).status, 500);
  t.is(reg(bob, '', '', { cseq: 6 }).values(H.Contact).length, 1);
  t.is(reg(bob, '<sip:1002@192.0.2.2>;expires=0', '', { cseq: 1, callId: 'rebooted' }).status, 200);
});

test('10.3 step 7: contacts are compared as URIs (19.1.4)', (t) => {
  const bob = phone(new Lab());
  reg(bob, '<sip:1002@HOST.example:5060;x=1>');
  t.is(reg(bob, '<sip:1002@host.example:5060;x=1>').values(H.Contact).length, 1);
});

test('17.2.2 a repeated REGISTER is answered from its transaction', (t) => {
  const lab = new Lab();
  const bob = phone(lab);
  const text = register(bob, '<sip:1002@192.0.2.2>;expires=600');
  bob.send(text);
  const first = bob.take();
  lab.pass(3000);
  bob.send(text);
  t.is(bob.take().text, first.text);
  t.is(lab.counters.get('registrations'), 1);
});

test('unknown users cannot register, contacts and all registrations are limited', (t) => {
  const lab = new Lab({ maxContacts: 2, maxBindings: 3 });
  t.is(reg(new Peer(lab, '77', '192.0.2.2'), '<sip:77@192.0.2.2>').status, 404);
  const bob = phone(lab);
  t.is(reg(bob, '<sip:1@192.0.2.2>, <sip:2@192.0.2.2>, <sip:3@192.0.2.2>').status, 403);
  t.is(reg(bob, '<sip:1@192.0.2.2>, <sip:2@192.0.2.2>').status, 200);
  t.is(reg(bob, '<sip:2@192.0.2.2>').status, 200);
  t.is(reg(new Peer(lab, '1003', '192.0.2.3'), '<sip:1@192.0.2.3>').status, 200);
  t.is(reg(new Peer(lab, '1004', '192.0.2.4'), '<sip:1@192.0.2.4>').status, 503);
});

test('a registration ends when it was promised to, on whichever box', (t) => {
  const lab = new Lab();
  reg(phone(lab), '<sip:1002@192.0.2.2>;expires=60');
  lab.pass(30_000);
  lab.swap(false);
  lab.pass(29_900);
  t.is(lab.store.count({ name: 'binding' } as never), 1);
  lab.pass(110);
  t.is(lab.store.count({ name: 'binding' } as never), 0);
  t.is(lab.counters.get('registrationsExpired'), 1);
});

test('RFC 3581: a phone behind a NAT is reached where its packets come from', (t) => {
  const lab = new Lab();
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const nat = new Peer(lab, '1002', '198.51.100.7', 40_001);
  const text = register(nat, '<sip:1002@10.0.0.5:5060>').replaceAll(
    'UDP 198.51.100.7:40001',
    'UDP 10.0.0.5:5060',
  );
  nat.send(text);
  const ok = nat.take();
  t.regex(ok.header(H.Via) ?? '', /10\.0\.0\.5:5060;.*;rport=40001;received=198\.51\.100\.7$/);
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10'));
  const invite = nat.take();
  t.is(invite.requestUri, 'sip:1002@10.0.0.5:5060');
  nat.reply(invite, 200, 'n');
  t.is(heard(nat), '', 'offerless: the ACK waits');
});

test('a registration made from another port of the phone is reached at its Contact', (t) => {
  const lab = new Lab();
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const tool = new Peer(lab, '1002', '192.0.2.2', 33_333);
  reg(tool, '<sip:1002@192.0.2.2:5099>');
  const real = new Peer(lab, '1002', '192.0.2.2', 5099);
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10'));
  t.is(heard(real), 'INVITE');
});

test('18.2.2 without rport the response goes to the port of the Via', (t) => {
  const lab = new Lab();
  const odd = new Peer(lab, '1002', '192.0.2.2', 33_333);
  const via = new Peer(lab, '1002', '192.0.2.2', 5077);
  odd.send(
    register(odd, '<sip:1002@192.0.2.2:5077>')
      .replace('192.0.2.2:33333', '192.0.2.2:5077')
      .replace(';rport', ''),
  );
  t.is(heard(via), '200 REGISTER');
});

const URI = 'sip:192.0.2.10';
const CONTACT = '<sip:1002@192.0.2.2>';

test('RFC 8760 2.4 two challenges, SHA-256 first; either is good', (t) => {
  const lab = new Lab({ auth: true });
  const bob = phone(lab);
  const no = reg(bob, CONTACT);
  t.is(no.status, 401);
  const asked = no.values(H.WwwAuthenticate);
  t.is(asked.length, 2, no.lines(H.WwwAuthenticate));
  t.regex(asked[0] ?? '', /algorithm=SHA-256/);
  t.regex(asked[1] ?? '', /algorithm=MD5/);
  t.is(lab.rows(), 0, 'a challenge writes nothing');
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI)).status, 200);
  t.is(
    reg(bob, CONTACT, proof(reg(bob, CONTACT), 'REGISTER', URI, { algorithm: 'MD5' })).status,
    200,
  );
});

test('phones that stumble over an algorithm they do not know are asked for MD5 only', (t) => {
  const browsers = ['JsSIP 3.13.8', 'SIP.js/0.21.2'];
  const others = ['baresip v1.0.0 (x86_64/linux)', 'kamailio (5.6.3 (x86_64/linux))'];
  for (const agent of [...browsers, ...others, 'Phone/2']) {
    const no = reg(phone(new Lab({ auth: true })), CONTACT, `User-Agent: ${agent}\r\n`);
    const asked = no.values(H.WwwAuthenticate).map((x) => /algorithm=([\w-]+)/.exec(x)?.[1]);
    t.deepEqual(asked, agent === 'Phone/2' ? ['SHA-256', 'MD5'] : ['MD5'], agent);
  }
});

test('a site decides which algorithms are offered; no other is accepted', (t) => {
  const bob = phone(new Lab({ auth: true, digest: ['SHA-256'] }));
  const no = reg(bob, CONTACT, 'User-Agent: JsSIP 3.13.8\r\n');
  t.deepEqual(no.values(H.WwwAuthenticate).length, 1);
  const forged = proof(no, 'REGISTER', URI).replace('algorithm=SHA-256', 'algorithm=MD5');
  const nonce = /nonce="[^"]*"/.exec(no.lines(H.WwwAuthenticate))?.[0] ?? '';
  const md5 = proof(no, 'REGISTER', URI, { algorithm: 'MD5' }).replace('nonce=""', nonce);
  t.is(reg(bob, CONTACT, forged).status, 401);
  t.is(reg(bob, CONTACT, md5).status, 401);
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI)).status, 200);
});

test('wrong password, wrong nonce, someone else: refused', (t) => {
  const lab = new Lab({ auth: true });
  const bob = phone(lab);
  const no = reg(bob, CONTACT);
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI, { password: 'guess' })).status, 401);
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI).replace(/nonce="./, 'nonce="z')).status, 401);
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI, { user: '1003' })).status, 403);
  t.is(reg(bob, CONTACT, 'Authorization: Digest garbage\r\n').status, 401);
});

test('RFC 7616 3.3 a nonce that is too old: stale=true', (t) => {
  const lab = new Lab({ auth: true });
  const bob = phone(lab);
  const no = reg(bob, CONTACT);
  lab.pass(301_000);
  const stale = reg(bob, CONTACT, proof(no, 'REGISTER', URI));
  t.is(stale.status, 401);
  t.regex(stale.header(H.WwwAuthenticate) ?? '', /stale=true/);
  t.is(reg(bob, CONTACT, proof(stale, 'REGISTER', URI)).status, 200);
});

test('RFC 7616 3.4.5 the same nonce count twice is a replay', (t) => {
  const lab = new Lab({ auth: true });
  const bob = phone(lab);
  const no = reg(bob, CONTACT);
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI)).status, 200);
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI)).status, 401);
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI, { nc: '00000002' })).status, 200);
});

test('the other box accepts the nonce of the first', (t) => {
  const lab = new Lab({ auth: true });
  const bob = phone(lab);
  const no = reg(bob, CONTACT);
  lab.swap(false);
  t.is(reg(bob, CONTACT, proof(no, 'REGISTER', URI)).status, 200);
});

test('INVITE: 407, then the call with P-Asserted-Identity', (t) => {
  const lab = new Lab({ auth: true });
  const bob = phone(lab);
  reg(bob, CONTACT, proof(reg(bob, CONTACT), 'REGISTER', URI));
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const uri = 'sip:1002@192.0.2.10';
  const first = alice.request('INVITE', uri);
  alice.send(first);
  const no = alice.take();
  t.is(no.status, 407);
  const rows = lab.rows();
  alice.ack(first, no);
  t.is(lab.rows(), rows);
  t.is(heard(alice), '', 'the ACK to a stateless answer is absorbed');
  alice.send(alice.request('INVITE', uri, { extra: proof(no, 'INVITE', uri, { user: '1001' }) }));
  t.is(heard(alice), '100 INVITE');
  const invite = bob.take();
  t.is(line(invite), 'INVITE');
  t.is(invite.header(H.PAssertedIdentity), '<sip:1001@192.0.2.10:5060>');
  t.false(invite.has(H.ProxyAuthorization));
});

test('RFC 3327 5.3 a call to a registration goes along its Path; it is told to who knows it', (t) => {
  const lab = new Lab();
  const edge = new Peer(lab, '1002', '192.0.2.77', 5090);
  const path = 'Path: <sip:edge@192.0.2.77:5090;lr>\r\n';
  const ok = reg(edge, '<sip:1002@10.1.2.3:5060>', `${path}Supported: path\r\nRequire: path\r\n`);
  t.is(ok.status, 200);
  t.is(ok.header(H.Path), '<sip:edge@192.0.2.77:5090;lr>');
  lab.swap(true);
  const alice = new Peer(lab, '1001', '192.0.2.1');
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10'));
  const invite = edge.take();
  t.is(invite.requestUri, 'sip:1002@10.1.2.3:5060');
  t.is(invite.header(H.Route), '<sip:edge@192.0.2.77:5090;lr>');
  t.false(reg(edge, '<sip:1002@10.1.2.3:5060>', path).has(H.Path), 'not to who does not');
});
