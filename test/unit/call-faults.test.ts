/** Bytes nobody should send: answered or dropped by the table of faults, never a throw. */

import test from 'ava';
import { seeded } from '../../src/base/chance.ts';
import { heard, pair, SDP, talking } from './call-lab.ts';

test('keep-alives and noise are dropped', (t) => {
  const { lab, alice } = pair();
  for (const text of ['', '\r\n\r\n', '\0\0\0\0', 'hello', 'SIP/2.0', 'x'.repeat(70_000)]) {
    alice.send(text);
  }
  t.is(heard(alice), '');
  t.is(lab.counters.get('keepalivesIn'), 2);
});

test('a malformed request is answered where it can be, an ACK and a response never', (t) => {
  const { alice } = pair();
  const bad = (from: string | RegExp, to: string): string =>
    alice.request('INVITE', 'sip:1002@192.0.2.10').replace(from, to);
  alice.send(bad(/CSeq: \d+ INVITE/, 'CSeq: 5 BYE'));
  t.regex(heard(alice), /^400/);
  alice.send(bad('SIP/2.0', 'SIP/3.0'));
  t.regex(heard(alice), /^505/);
  alice.send(bad(/Call-ID: .*\r\n/, ''));
  t.regex(heard(alice), /^400/);
  alice.send(bad(/^INVITE/, 'ACK'));
  t.is(heard(alice), '');
  alice.send(bad(/^INVITE \S+ SIP\/2.0/, 'SIP/2.0 200 OK').replace(/CSeq: .*\r\n/, ''));
  t.is(heard(alice), '');
});

test('RFC 3261 18.3 a body shorter than Content-Length: 400', (t) => {
  const { alice } = pair();
  const text = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('a') });
  alice.send(text.slice(0, -5));
  t.regex(heard(alice), /^400/);
});

test('every message of a call, cut and changed anywhere, throws nothing', (t) => {
  const { lab } = talking();
  const chance = seeded(99);
  const { alice, bob, invite, toBob, ok } = talking();
  const texts = [
    invite,
    alice.inDialog('BYE', invite, ok),
    alice.inDialog('INVITE', invite, ok, { body: SDP('x') }),
    bob.backward('INFO', toBob, 'bt', { body: 'x' }),
    ok.text,
    toBob.text,
    alice.request('REGISTER', 'sip:192.0.2.10', { extra: 'Expires: 60\r\n' }),
  ];
  for (let i = 0; i < 4000; i += 1) {
    let text = texts[chance.u32() % texts.length] as string;
    for (let n = 0; n < 1 + (chance.u32() % 4); n += 1) {
      const at = chance.u32() % (text.length + 1);
      const kind = chance.u32() % 3;
      if (kind === 0) text = text.slice(0, at) + text.slice(at + (chance.u32() % 12));
      else if (kind === 1) text = text.slice(0, at);
      else text = text.slice(0, at) + String.fromCharCode(chance.u32() % 256) + text.slice(at + 1);
    }
    lab.receive('192.0.2.1', 5060, text);
    alice.lab.receive('192.0.2.2', 5060, text);
    lab.air = [];
    alice.lab.air = [];
  }
  lab.pass(300_000);
  t.pass();
});

test('messages sent by the core are well formed whatever came in', (t) => {
  const { lab, alice } = pair();
  const odd = alice
    .request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('a') })
    .replace('From: "1001" <', 'f: "A \\" < ; tag=x" <')
    .replace('To: <sip:1002@192.0.2.10>', 't: sip:1002@192.0.2.10;x=1');
  alice.send(odd);
  for (const sent of lab.log) t.notRegex(sent.text, /undefined|NaN|\[object/);
  t.is(heard(alice), '100 INVITE');
});
