/**
 * A site configured anew while the pair works: what an engine takes over, what follows from it on the
 * primary, and that the link between two boxes outlives the moment in which they differ.
 */

import test from 'ava';
import { BINDING } from '../../src/call/rows.ts';
import { CONTACT, REGOUT } from '../../src/call/trunk-rows.ts';
import { Checker } from '../../src/edge/config.ts';
import { restartPlaces } from '../../src/edge/config-live.ts';
import { siteOf } from '../../src/edge/config-site.ts';
import { Auth } from '../../src/edge/cti-auth.ts';
import type { Program } from '../../src/proto/centre.ts';
import { type SipSettings, sipSettings } from '../../src/proto/context.ts';
import { Bench, type Hand } from './engine-pair.ts';

function sip(site: object, more: Partial<SipSettings> = {}): SipSettings {
  const c = new Checker();
  const made = siteOf(c, { site }, { userFrom: 1000, userTo: 1999, passwordPrefix: '' });
  if (c.faults.length > 0) throw new Error(JSON.stringify(c.faults));
  return sipSettings({ vip: '192.0.2.10', nonceKey: 'k', ...more, site: made });
}

function stand(settings: SipSettings): Bench {
  const bench = new Bench('hot-standby', {}, undefined, {}, settings);
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  bench.advance(2000);
  return bench;
}

function reload(bench: Bench, settings: SipSettings, only?: 'a' | 'b'): void {
  for (const name of ['a', 'b'] as const) {
    if (only === undefined || only === name)
      bench.hands[name].give({ kind: 'reload', sip: settings });
  }
  bench.settle();
  bench.advance(50);
}

let said = 0;
/** @returns the first line of what the box answers. */
function register(bench: Bench, hand: Hand, number: number): string {
  said += 1;
  hand.sent = [];
  const text =
    `REGISTER sip:192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK${said}\r\n` +
    `From: <sip:${number}@192.0.2.10>;tag=${said}\r\nTo: <sip:${number}@192.0.2.10>\r\n` +
    `Call-ID: ${number}\r\nCSeq: ${said} REGISTER\r\nMax-Forwards: 70\r\n` +
    `Contact: <sip:${number}@192.0.2.20>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n`;
  hand.give({ kind: 'sip', transport: 'udp', ip: '192.0.2.20', port: 5060, text });
  bench.settle();
  bench.advance(50);
  return hand.sent[0]?.text.split('\r\n')[0] ?? 'nothing';
}

function registered(hand: Hand): string[] {
  return [...hand.engine.ledger.rows(BINDING)].map((row) => row.aor).sort();
}

test('an extension that is added can register at once, one that is gone is not registered any more', (t) => {
  const bench = stand(sip({ extensions: { '7001': {} } }));
  t.is(register(bench, bench.a, 7001), 'SIP/2.0 200 OK');
  t.regex(register(bench, bench.a, 7002), /404/);
  reload(bench, sip({ extensions: { '7001': {}, '7002': {} } }));
  t.is(register(bench, bench.a, 7002), 'SIP/2.0 200 OK');
  reload(bench, sip({ extensions: { '7002': {} } }));
  t.deepEqual(registered(bench.a), ['7002']);
  t.deepEqual(registered(bench.b), ['7002'], 'the backup follows the rows');
  t.true(bench.a.engine.view(false).gate !== 'shut');
});

test('very many registrations that end at once end in pieces, and all of them', (t) => {
  const all = Object.fromEntries([...Array(1200).keys()].map((i) => [String(5000 + i), {}]));
  const bench = stand(sip({ extensions: all }));
  for (let i = 0; i < 1200; i += 1) {
    bench.a.give({
      kind: 'sip',
      transport: 'udp',
      ip: `192.0.3.${i % 250}`,
      port: 5060,
      text:
        `REGISTER sip:192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.3.1;branch=z9hG4bKm${i}\r\n` +
        `From: <sip:${5000 + i}@h>;tag=1\r\nTo: <sip:${5000 + i}@h>\r\nCall-ID: m${i}\r\n` +
        `CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:${5000 + i}@192.0.3.1>\r\n` +
        'Content-Length: 0\r\n\r\n',
    });
    if (i % 100 === 99) bench.advance(1000);
  }
  t.is(registered(bench.a).length, 1200);
  reload(bench, sip({}));
  t.deepEqual(registered(bench.a), []);
  t.deepEqual(registered(bench.b), []);
});

const TRUNK = { name: 'provider', contact: 'sip:192.0.2.77', options: { periodS: 30 } };
const REGISTER = { user: 'me', password: 'one' };

test('a trunk that is added is checked, one that registers registers, one that is gone is forgotten', (t) => {
  const bench = stand(sip({}));
  bench.a.sent = [];
  reload(bench, sip({ trunks: [{ ...TRUNK, register: REGISTER }] }));
  bench.advance(500);
  const methods = bench.a.sent.map((m) => `${m.text.split(' ')[0]} ${m.ip}`);
  t.true(methods.includes('OPTIONS 192.0.2.77'));
  t.true(methods.includes('REGISTER 192.0.2.77'));
  t.is(bench.b.sent.length, 0);
  reload(bench, sip({}));
  t.is([...bench.b.engine.ledger.rows(CONTACT)].length, 0);
  t.is([...bench.b.engine.ledger.rows(REGOUT)].length, 0);
});

test('another password of a trunk registers at once, the same one registers when it is time', (t) => {
  const bench = stand(sip({ trunks: [{ ...TRUNK, register: REGISTER }] }));
  bench.advance(2000);
  const row = (): string => [...bench.a.engine.ledger.rows(REGOUT)][0]?.callId ?? '';
  const before = row();
  t.not(before, '');
  reload(bench, sip({ trunks: [{ ...TRUNK, register: REGISTER }], extensions: { '7001': {} } }));
  t.is(row(), before);
  reload(bench, sip({ trunks: [{ ...TRUNK, register: { ...REGISTER, password: 'two' } }] }));
  t.not(row(), before);
});

/** What the trunk is asked now; its registrar's answer to the last REGISTER is taken back to where it came from. */
function answerRegister(bench: Bench, line: string, more = ''): void {
  const asked = bench.a.sent.findLast((m) => m.text.startsWith('REGISTER '))?.text ?? '';
  const kept = asked.split('\r\n').filter((l) => /^(Via|From|To|Call-ID|CSeq):/.test(l));
  const text = `SIP/2.0 ${line}\r\n${kept.join('\r\n')}\r\n${more}Content-Length: 0\r\n\r\n`;
  bench.a.sent = [];
  bench.a.give({ kind: 'sip', transport: 'udp', ip: '192.0.2.77', port: 5060, text });
  bench.settle();
  bench.advance(50);
}

function registers(bench: Bench): string[] {
  return bench.a.sent.map((m) => m.text).filter((text) => text.startsWith('REGISTER '));
}

const CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5\r\n';
const REGISTERING = { ...TRUNK, register: REGISTER };
const site = (...trunks: object[]): SipSettings => sip({ trunks });

function atProvider(): Bench {
  const bench = stand(site(REGISTERING));
  answerRegister(bench, '401 Unauthorized', CHALLENGE);
  answerRegister(bench, '200 OK', 'Expires: 600\r\n');
  bench.a.sent = [];
  return bench;
}

test('RFC 3261 10.2.2 the registrar of a trunk that is gone is told, with what it asked for last time', (t) => {
  const bench = atProvider();
  reload(bench, site());
  const [said = '', ...more] = registers(bench);
  t.is(more.length, 0);
  t.regex(said, /^Expires: 0\r$/m);
  t.regex(said, /^CSeq: 3 REGISTER\r$/m);
  t.regex(said, /nc=00000002/);
  answerRegister(bench, '401 Unauthorized', CHALLENGE);
  t.deepEqual(registers(bench), [], 'said once');
});

test('a registration that goes on is not taken back: another password, another trunk of the same', (t) => {
  const same = atProvider();
  reload(same, site({ ...TRUNK, register: { ...REGISTER, password: 'two' } }));
  t.notRegex(registers(same).join(), /Expires: 0\r/);
  const renamed = atProvider();
  reload(renamed, site({ ...REGISTERING, name: 'renamed' }));
  t.notRegex(registers(renamed).join(), /Expires: 0\r/);
  const other = atProvider();
  reload(other, site({ ...TRUNK, register: { ...REGISTER, user: 'you' } }));
  t.regex(registers(other).join(), /To: <sip:me@[\s\S]*Expires: 0\r/);
  t.regex(registers(other).join(), /To: <sip:you@/);
});

test('the link that stands goes on while the boxes differ, one that is made then is refused until they agree', (t) => {
  const next = sip({ extensions: { '7001': {} } });
  const bench = stand(sip({}));
  reload(bench, next, 'a');
  t.is(bench.a.engine.view(false).mirror, 'feed-live');
  bench.a.give({ kind: 'link-down' });
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  bench.connect();
  bench.advance(100);
  t.not(bench.a.engine.view(false).mirror, 'feed-live', 'they differ: not in step');
  t.true(bench.a.logs.some((line) => line.includes('link-config')));
  reload(bench, next, 'b');
  bench.connect();
  bench.advance(2000);
  t.is(bench.a.engine.view(false).mirror, 'feed-live');
});

test('a primary that died before it was told: its successor does what follows', (t) => {
  const bench = stand(sip({ extensions: { '7001': {}, '7002': {} } }));
  t.is(register(bench, bench.a, 7001), 'SIP/2.0 200 OK');
  t.is(register(bench, bench.a, 7002), 'SIP/2.0 200 OK');
  reload(bench, sip({ extensions: { '7002': {} } }), 'b');
  t.deepEqual(registered(bench.b), ['7001', '7002']);
  bench.a.give({ kind: 'link-down' });
  bench.b.give({ kind: 'link-down' });
  bench.cut = true;
  bench.crown('b', 'peer-silent');
  bench.advance(500);
  t.deepEqual(registered(bench.b), ['7002']);
});

test('digest that is switched on asks the next one who registers', (t) => {
  const bench = stand(sip({}));
  t.is(register(bench, bench.a, 1001), 'SIP/2.0 200 OK');
  reload(bench, sip({}, { auth: true }));
  t.regex(register(bench, bench.a, 1001), /401/);
  t.deepEqual(registered(bench.a), ['1001'], 'who is registered stays so until then');
});

test('a program with another password, or none any more, has to prove itself again', (t) => {
  const program = (name: string, password: string): Program => ({
    name,
    password,
    roles: [],
    devices: [],
    rate: 1,
    burst: 1,
  });
  const auth = new Auth([program('x', 'one'), program('y', 'one'), program('z', 'one')], () => 0);
  const verdicts: string[] = [];
  auth.prove('h', 'x', 'one', (v) => verdicts.push(v));
  const changed = auth.reload([program('x', 'two'), program('z', 'one'), program('new', 'one')]);
  t.deepEqual([...changed], ['x', 'y']);
  auth.prove('h', 'x', 'one', (v) => verdicts.push(v));
  auth.prove('h', 'x', 'two', (v) => verdicts.push(v));
  auth.prove('h', 'new', 'one', (v) => verdicts.push(v));
  t.deepEqual(verdicts, ['yes', 'no', 'yes', 'yes']);
});

test('what needs a restart is told by its place in the file', (t) => {
  const old = { sip: { port: 5060, minSeS: 90 }, users: { from: 1 }, witnesses: ['192.0.2.1'] };
  t.deepEqual(
    restartPlaces(old, { ...old, users: { from: 2, auth: true }, site: { trunks: [] } }),
    [],
  );
  t.deepEqual(restartPlaces(old, { ...old, sip: { port: 5060, minSeS: 100 }, dns: {} }), []);
  t.deepEqual(restartPlaces(old, { ...old, sip: { port: 5070 }, witnesses: [] }), [
    'sip.port',
    'witnesses',
  ]);
  t.deepEqual(restartPlaces(old, { ...old, cti: { port: 1 } }), ['cti.port']);
});
