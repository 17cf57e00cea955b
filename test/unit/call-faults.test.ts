/** Bytes nobody should send: answered or dropped by the table of faults, never a throw. */

import { readdirSync, readFileSync } from 'node:fs';
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

/**
 * What a server that offers what we offer may answer (RFC 4475 and 5118). Of the others either the
 * RFC leaves the answer open, or a liberal reader may accept them.
 */
const TORTURE: { readonly [name: string]: readonly number[] } = {
  intmeth: [404, 405, 501],
  escnull: [200, 401, 403, 404],
  esc02: [405, 501, 404],
  dblreq: [200, 401, 403, 404],
  mpart01: [404, 405, 415, 501, 200, 202, 401],
  badinv01: [400],
  clerr: [400],
  ncl: [400],
  scalar02: [400],
  badvers: [505],
  mismatch01: [400],
  mismatch02: [501, 400],
  insuf: [400],
  unkscm: [416],
  novelsc: [416, 404],
  unksm2: [400, 401, 403, 404],
  bext01: [420],
  invut: [415, 404, 401, 403, 407, 480],
  regaut01: [401, 200, 403, 404, 405],
  multi01: [400],
  mcl01: [400],
  zeromf: [200, 483, 404, 401, 405],
  cparam01: [200, 401, 403, 404],
  cparam02: [200, 401, 403, 404],
  regescrt: [200, 401, 403, 404],
  sdp01: [406, 400, 404, 401, 403, 407, 480],
  'ipv6-bad': [400],
};

test('torture messages: answered as their RFC allows, and only requests are answered', (t) => {
  let tried = 0;
  for (const folder of ['rfc4475', 'rfc5118/wire', 'rfc5118/wire-clfix']) {
    const at = new URL(`../vectors/${folder}/`, import.meta.url);
    for (const file of readdirSync(at)) {
      if (!file.endsWith('.dat')) continue;
      tried += 1;
      const { lab } = pair();
      lab.log.length = 0;
      lab.receive('192.0.2.99', 5060, readFileSync(new URL(file, at), 'latin1'));
      const name = file.slice(0, -4);
      const statuses = lab.log
        .map((sent) => Number(/^SIP\/2\.0 (\d+)/.exec(sent.text)?.[1] ?? 0))
        .filter((status) => status !== 100);
      t.true(statuses.length <= 1, `${name}: ${statuses}`);
      const allowed = TORTURE[name];
      if (allowed !== undefined && statuses.length > 0) {
        t.true(allowed.includes(statuses[0] as number), `${name}: ${statuses}`);
      }
      for (const sent of lab.log) t.notRegex(sent.text, /undefined|NaN/, name);
      lab.pass(200_000);
    }
  }
  t.true(tried > 60, String(tried));
});
