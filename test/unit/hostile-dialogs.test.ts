/**
 * Messages that say they belong to somebody else's dialog, transaction or address: who knows the words
 * of a call (a lamp shows them to every watcher) is not one of its sides.
 */

import test from 'ava';
import { BINDING, CALL, LEG } from '../../src/call/rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer, pair, SDP, talking } from './call-lab.ts';
import { proof } from './phone-proof.ts';

const URI = 'sip:192.0.2.10';
const CALLED = 'sip:1002@192.0.2.10';

function register(phone: Peer, extra = ''): string {
  const contact = `Contact: <${phone.contact}>\r\n`;
  return phone.request('REGISTER', URI, { to: phone.aor, extra: contact + extra, contact: false });
}

function enrol(phone: Peer): void {
  phone.send(register(phone));
  phone.send(register(phone, proof(phone.take(), 'REGISTER', URI, { user: phone.user })));
  if (phone.take().status !== 200) throw new Error('not registered');
}

/** A call from 1001 to 1002 on a site with passwords, answered. */
function guarded() {
  const lab = new Lab({ auth: true });
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const mallory = new Peer(lab, '1003', '192.0.2.66');
  for (const phone of [alice, bob, mallory]) enrol(phone);
  const asked = alice.request('INVITE', CALLED, { body: SDP('alice') });
  alice.send(asked);
  const no = alice.take();
  alice.ack(asked, no);
  const extra = proof(no, 'INVITE', CALLED, { user: '1001' });
  const invite = alice.request('INVITE', CALLED, { body: SDP('alice'), extra });
  alice.send(invite);
  const toBob = bob.take();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  const ok = alice.inbox().at(-1) as SipMessage;
  bob.take();
  alice.ack(invite, ok);
  return { lab, alice, bob, mallory, invite, toBob, ok };
}

for (const method of ['BYE', 'INVITE', 'UPDATE', 'REFER', 'INFO'] as const) {
  test(`${method} in a dialog from elsewhere, with all its words right: who sends it must prove himself`, (t) => {
    const { lab, alice, bob, mallory, invite, ok } = guarded();
    const forged = (extra = ''): string =>
      alice
        .inDialog(method, invite, ok, {
          cseq: 900,
          body: method === 'INVITE' ? SDP('mallory') : '',
          extra: `${method === 'REFER' ? 'Refer-To: <sip:1003@192.0.2.10>\r\n' : ''}${extra}`,
        })
        .replaceAll('192.0.2.1:', '192.0.2.66:');
    mallory.send(forged());
    const no = mallory.take();
    t.is(no.status, 407);
    const own = proof(no, method, ok.contactUri, { user: '1003' });
    mallory.send(forged(own));
    t.is(heard(mallory), `403 ${method}`, 'somebody, but not one of them');
    t.is(heard(alice) + heard(bob), '');
    for (const leg of lab.store.rows(LEG)) t.not(leg.ip, mallory.ip);
    alice.send(alice.inDialog('BYE', invite, ok));
    t.is(heard(alice), '200 BYE', 'the phone itself is not asked');
    t.is(heard(bob), 'BYE');
  });
}

test('a phone that moved goes on with its call: by its password, or once it is registered there', (t) => {
  const { lab, alice, bob, invite, ok } = guarded();
  const there = new Peer(lab, '1001', '192.0.2.77');
  const again = (method: string, extra = ''): string =>
    alice.inDialog(method, invite, ok, { extra }).replaceAll('192.0.2.1:', '192.0.2.77:');
  there.send(again('INFO'));
  const no = there.take();
  t.is(no.status, 407);
  there.send(again('INFO', proof(no, 'INFO', ok.contactUri, { user: '1001' })));
  t.is(heard(bob), 'INFO');
  enrol(there);
  there.send(again('BYE'));
  t.is(heard(there), '200 BYE');
});

test('RFC 3261 22.1: a CANCEL is believed from where its INVITE came', (t) => {
  const { alice, bob, lab } = pair();
  const invite = alice.request('INVITE', CALLED, { body: SDP('a') });
  alice.send(invite);
  alice.inbox();
  bob.reply(bob.take(), 180, 'bt');
  alice.inbox();
  const branch = /branch=([^;]+)/.exec(invite)?.[1] ?? '';
  const cancel = alice.request('CANCEL', CALLED, { branch, contact: false });
  lab.receive('192.0.2.66', 5060, cancel);
  t.is(heard(new Peer(lab, 'm', '192.0.2.66')), '481 CANCEL');
  t.is(heard(bob), '');
  alice.cancel(invite);
  t.is(heard(bob), 'CANCEL');
});

test('a SUBSCRIBE in a dialog from elsewhere does not turn its notifications away', (t) => {
  const { lab, alice, mallory } = guarded();
  const watch = (extra: string, toTag = ''): string =>
    alice.request('SUBSCRIBE', CALLED, { callId: 'w', extra: `Event: dialog\r\n${extra}`, toTag });
  alice.send(watch(''));
  const no = alice.take();
  alice.send(watch(proof(no, 'SUBSCRIBE', CALLED, { user: '1001' })));
  const [ok, notify] = alice.inbox() as [SipMessage, SipMessage];
  t.is(line(ok), '200 SUBSCRIBE');
  alice.reply(notify, 200, '');
  mallory.send(watch('', ok.toTag).replaceAll('192.0.2.1:', '192.0.2.66:'));
  t.is(heard(mallory), '407 SUBSCRIBE');
  t.is(
    lab.log.filter((sent) => sent.ip === '192.0.2.66' && sent.text.startsWith('NOTIFY')).length,
    0,
  );
});

test("a response under a branch that was guessed, or of another transaction, is nobody's", (t) => {
  const { alice, bob, lab } = pair();
  alice.send(alice.request('INVITE', CALLED, { body: SDP('a') }));
  alice.inbox();
  const toBob = bob.take();
  const rows = lab.rows();
  for (const branch of [
    'z9hG4bK',
    'z9hG4bK1-',
    `${toBob.branch.split('-')[0]}-0000`,
    `${toBob.branch}x`,
  ]) {
    const lines = toBob.lines(H.Via).replace(toBob.branch, branch);
    lab.receive(
      '192.0.2.66',
      5060,
      `SIP/2.0 200 OK\r\n${lines}From: ${toBob.header(H.From)}\r\nTo: ${toBob.header(H.To)};tag=evil\r\n` +
        `Call-ID: ${toBob.callId}\r\nCSeq: 1 INVITE\r\nContact: <sip:x@192.0.2.66>\r\nContent-Length: 0\r\n\r\n`,
    );
  }
  t.is(heard(alice), '');
  t.is(lab.rows(), rows);
  t.is(lab.air.length, 0);
});

test('a registration of another extension is not taken over by its Contact or its +sip.instance', (t) => {
  const lab = new Lab({ auth: true });
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const mallory = new Peer(lab, '1003', '192.0.2.66');
  const named = (phone: Peer, of: Peer, extra = ''): string =>
    phone.request('REGISTER', URI, {
      to: phone.aor,
      contact: false,
      extra: `Contact: <${of.contact}>;+sip.instance="<urn:uuid:1>"\r\n${extra}`,
    });
  for (const phone of [bob, mallory]) {
    phone.send(named(phone, bob));
    phone.send(named(phone, bob, proof(phone.take(), 'REGISTER', URI, { user: phone.user })));
    t.is(phone.take().status, 200);
  }
  t.deepEqual(
    [...lab.store.rows(BINDING)].map((b) => [b.aor, b.sourceIp]),
    [
      ['1002', '192.0.2.2'],
      ['1003', '192.0.2.66'],
    ],
  );
  // nor under his name
  const forged = named(mallory, mallory).replace(`To: <${mallory.aor}>`, `To: <${bob.aor}>`);
  mallory.send(forged);
  const no = mallory.take();
  mallory.send(
    forged
      .replace(
        '\r\nContent-Length',
        `\r\n${proof(no, 'REGISTER', URI, { user: '1003' })}Content-Length`,
      )
      .replace(/branch=[^;]+/, 'branch=z9hG4bKother'),
  );
  t.is(mallory.take().status, 403);
});

test('wrong passwords under a forged source do not lock out the phone that lives there', (t) => {
  const lab = new Lab({ auth: true });
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const mallory = new Peer(lab, '1002', '192.0.2.66');
  for (let i = 0; i < 30; i += 1) {
    mallory.send(register(mallory));
    // the nonce he was given, in a packet that says it is from bob
    bob.send(
      register(bob, proof(mallory.take(), 'REGISTER', URI, { user: '1002', password: 'no' })),
    );
  }
  bob.inbox();
  t.notThrows(() => enrol(bob));
  t.deepEqual(lab.told, []);
});

test('a nonce is good where it was given: elsewhere the right password is asked for again', (t) => {
  const lab = new Lab({ auth: true });
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const there = new Peer(lab, '1002', '192.0.2.3');
  bob.send(register(bob));
  const no = bob.take();
  there.send(register(there, proof(no, 'REGISTER', URI)));
  const again = there.take();
  t.is(again.status, 401);
  t.regex(again.header(H.WwwAuthenticate) ?? '', /stale=true/);
  there.send(register(there, proof(again, 'REGISTER', URI)));
  t.is(there.take().status, 200);
});

test("a call's words in a lamp: a name or number that is markup stays text", (t) => {
  const { lab, alice, bob } = pair();
  const evil = '"</identity><x a=\'b\' c=\\"d\\">&#0;" <sip:1001@x>';
  bob.send(
    bob.request('SUBSCRIBE', 'sip:1001@192.0.2.10', { callId: 's', extra: 'Event: dialog\r\n' }),
  );
  for (const m of bob.inbox()) if (m.isRequest) bob.reply(m, 200, '');
  lab.pass(1000);
  alice.send(
    alice
      .request('INVITE', CALLED, { callId: '<\'">' })
      .replace(/From: .*;tag=/, `From: ${evil};tag=`),
  );
  lab.pass(1000);
  const body = bob.inbox().findLast((m) => m.method === 'NOTIFY')?.body ?? '';
  t.regex(body, /&lt;\/identity&gt;&lt;x a=&apos;b&apos;/);
  t.regex(body, /call-id="&lt;&apos;&quot;&gt;"/);
  t.notRegex(body, /<x |&#0;/);
  t.is(lab.store.count(CALL), 1);
});

test('what a neighbour says of identities and reasons is one header each on the other side', (t) => {
  const { alice, bob, invite, ok } = talking();
  const extra =
    'Diversion: <sip:x@y>;reason="a\\"\\\r\n b"\r\nReason: SIP;text="x%0d%0aX-Evil: 1"\r\n' +
    'P-Asserted-Identity: <sip:boss@x>\r\nRemote-Party-ID: <sip:boss@x>\r\nReferred-By: <sip:boss@x>\r\n';
  alice.send(alice.inDialog('INFO', invite, ok, { extra }));
  const info = bob.take();
  t.notRegex(info.text, /^(X-Evil|P-Asserted-Identity|Remote-Party-ID|Referred-By| b)/m);
  alice.send(
    alice.inDialog('REFER', invite, ok, {
      extra: 'Refer-To: <sip:1001@x?Subject=%0d%0aX-Evil:1>\r\n',
    }),
  );
  t.notRegex(
    alice
      .inbox()
      .map((m) => m.text)
      .join(''),
    /^X-Evil/m,
  );
  t.notRegex(
    bob
      .inbox()
      .map((m) => m.text)
      .join(''),
    /^X-Evil/m,
  );
});
