/**
 * What a trunk's rows say over time: in and out of service by OPTIONS, where its name leads, our
 * registration with it, and the digest it asks of us.
 */

import { createHash } from 'node:crypto';
import test from 'ava';
import { addressesOf, inOrder } from '../../src/call/addresses.ts';
import { onResolved, summary } from '../../src/call/switch.ts';
import { CONTACT, REGOUT } from '../../src/call/trunk-rows.ts';
import { TRUNK_ALARMS } from '../../src/call/trunk-view.ts';
import type { Address } from '../../src/proto/context.ts';
import { credentials, parseChallenge } from '../../src/proto/sip/credentials.ts';
import {
  H,
  type HeaderId,
  isFault,
  parseAuth,
  type SipMessage,
} from '../../src/sip-parser/index.ts';
import { type Lab, type Peer, SDP } from './call-lab.ts';
import { dial, inviteIn, site, statuses, trunk } from './trunk-lab.ts';

const CHECKED = trunk('one', ['sip:192.0.2.30', 'sip:192.0.2.31'], {
  prefixes: ['0'],
  options: { periodS: 10, forceS: 3, recoveryS: 5 },
});

function alarms(lab: Lab): string {
  return summary(lab.store)
    .trunks.flatMap((v) => v.alarms.map((a) => a.code))
    .join();
}

/** Answers every OPTIONS that is there. @returns how many, repetitions not counted. */
function answerOptions(peer: Peer, status: number): number {
  const all = peer.inbox().filter((m) => m.method === 'OPTIONS');
  for (const m of all) peer.reply(m, status, 'o');
  return new Set(all.map((m) => m.branch)).size;
}

test('OPTIONS: out of service when unanswered for forceS or unfit, back by an answer, with alarms', (t) => {
  const { lab, alice, g1, g2 } = site({ trunks: [CHECKED] });
  lab.pass(200);
  t.is(answerOptions(g1, 200), 1);
  t.is(answerOptions(g2, 404), 1, 'any answer of a living neighbour is good');
  t.is(alarms(lab), '');
  lab.pass(10_000);
  answerOptions(g2, 200);
  lab.pass(3000);
  t.is(alarms(lab), 'trunk-contact');
  t.deepEqual(lab.told, [
    'alarm: trunk-contact: trunk one, sip:192.0.2.30: OPTIONS are not answered',
  ]);
  g1.inbox();
  dial(alice, '01');
  t.is(inviteIn(g1), undefined);
  g2.reply(inviteIn(g2) as SipMessage, 486, 'x');
  lab.pass(10_000);
  answerOptions(g2, 503);
  t.is(alarms(lab), 'trunk-out-of-service');
  alice.inbox();
  dial(alice, '02');
  const no = alice.take();
  t.is(no.status, 480);
  t.regex(no.header(H.Reason) ?? '', /cause=27/);
  lab.pass(5000);
  answerOptions(g1, 200);
  t.is(alarms(lab), 'trunk-contact');
  t.regex(lab.told.at(-1) ?? '', /alarm over: trunk-out-of-service/);
  t.is(lab.counters.get('contactsLost'), 2);
  t.deepEqual(Object.keys(TRUNK_ALARMS), [
    'trunk-out-of-service',
    'trunk-contact',
    'trunk-not-registered',
  ]);
});

test('the checks are one conversation: Call-ID and tag stay, CSeq grows, over a switchover too', (t) => {
  const { lab, g1, g2 } = site({ trunks: [CHECKED] });
  const seen: SipMessage[] = [];
  for (let i = 0; i < 6; i += 1) {
    lab.pass(5000);
    for (const g of [g1, g2]) {
      for (const m of g.inbox()) {
        if (g === g1 && !seen.some((s) => s.branch === m.branch)) seen.push(m);
        g.reply(m, 200, 'o');
      }
    }
    lab.swap(i % 2 === 0);
  }
  t.true(seen.length >= 3);
  t.is(new Set(seen.map((m) => m.callId)).size, 1);
  t.is(new Set(seen.map((m) => m.fromTag)).size, 1);
  seen.slice(1).forEach((m, i) => {
    t.true(m.cseq > (seen[i] as SipMessage).cseq);
  });
  t.is(alarms(lab), '');
});

test('a check in flight goes on in the box that takes over, and counts there', (t) => {
  const { lab, g1, g2 } = site({ trunks: [CHECKED] });
  lab.pass(1000);
  const [asked] = g1.inbox();
  answerOptions(g2, 200);
  lab.swap(true);
  t.is(statuses(g1), 'OPTIONS', 'the same one is said again');
  g1.reply(asked as SipMessage, 200, 'o');
  lab.pass(5000);
  t.is(alarms(lab), '');
  lab.pass(3000);
  lab.swap(true);
  lab.pass(9000);
  t.is(alarms(lab), 'trunk-out-of-service', 'and silence counts too');
  const since = [...lab.store.rows(CONTACT)].map((r) => r.since);
  lab.swap(false);
  t.deepEqual(
    [...lab.store.rows(CONTACT)].map((r) => r.since),
    since,
    'a takeover changes no state',
  );
});

// ── names ──────────────────────────────────────────────────────────────────────────────────────

const NAMED = trunk('one', ['sip:sip.carrier.example'], { prefixes: ['0'] });
const at = (ip: string, priority = 0, weight = 0): Address => ({
  transport: 'udp',
  ip,
  port: 5060,
  priority,
  weight,
});

test('a name is asked for, its answer kept for its time, and used on when the service is down', (t) => {
  const { lab, alice, g1, g2 } = site({ trunks: [NAMED] });
  t.deepEqual(lab.questions, ['sip:sip.carrier.example']);
  dial(alice, '01');
  t.is(statuses(alice), '480');
  const uri = 'sip:sip.carrier.example';
  onResolved(lab.cx, { uri, addresses: [], ttlS: 0, cause: 'ESERVFAIL' });
  t.is(alarms(lab), 'trunk-out-of-service');
  const addresses = [at('192.0.2.30', 1), at('192.0.2.31', 2), at('192.0.2.10')];
  onResolved(lab.cx, { uri, addresses, ttlS: 60, cause: '' });
  t.is(alarms(lab), '');
  t.is(
    addressesOf([...lab.store.rows(CONTACT)][0] as never).length,
    2,
    'ourselves is nobody to call',
  );
  dial(alice, '02');
  const first = inviteIn(g1);
  t.is(first?.requestUri, 'sip:02@sip.carrier.example');
  g1.reply(first as SipMessage, 503, 'x');
  t.truthy(inviteIn(g2), 'RFC 3263 4.3: the next one of the list');
  lab.swap(true);
  lab.pass(61_000);
  t.is(lab.questions.at(-1), uri);
  onResolved(lab.cx, { uri, addresses: [], ttlS: 0, cause: 'ETIMEOUT' });
  g1.inbox();
  dial(alice, '03');
  t.truthy(inviteIn(g1), 'the last good answer');
  t.is(alarms(lab), '');
});

test('RFC 2782: lower priority first, weights share; the one that answers goes first', (t) => {
  const { lab } = site({ trunks: [NAMED] });
  const addresses = [at('192.0.2.30', 1, 30), at('192.0.2.31', 1, 10), at('192.0.2.32', 2)];
  onResolved(lab.cx, { uri: 'sip:sip.carrier.example', addresses, ttlS: 60, cause: '' });
  const [row] = [...lab.store.rows(CONTACT)];
  let heavy = 0;
  for (let i = 0; i < 2000; i += 1) {
    const order = inOrder(lab.chance, row as never).map((a) => a.ip);
    t.is(order[2], '192.0.2.32');
    if (order[0] === '192.0.2.30') heavy += 1;
  }
  t.true(heavy > 1350 && heavy < 1650, `${heavy} of 2000`);
  lab.store.patch(CONTACT, row as never, { at: 2 });
  t.is(inOrder(lab.chance, row as never)[0]?.ip, '192.0.2.32');
});

test('of several addresses a check takes the first that answers, and calls go there', (t) => {
  const { lab, alice, g1, g2 } = site({
    trunks: [{ ...NAMED, options: { periodS: 10, forceS: 2, recoveryS: 10 } }],
  });
  const addresses = [at('192.0.2.30', 1), at('192.0.2.31', 2)];
  onResolved(lab.cx, { uri: 'sip:sip.carrier.example', addresses, ttlS: 600, cause: '' });
  lab.pass(2500);
  g1.inbox();
  t.is(answerOptions(g2, 200), 1);
  t.is(alarms(lab), '');
  dial(alice, '01');
  t.truthy(inviteIn(g2));
});

// ── register-out ───────────────────────────────────────────────────────────────────────────────

const REGISTERED = trunk('one', ['sip:192.0.2.30'], {
  prefixes: ['0'],
  domain: 'carrier.example',
  register: { user: 'acme', password: 's"ecret', registrar: '', aor: '', expiresS: 600 },
});
const ASK =
  'WWW-Authenticate: Digest realm="c", nonce="N", qop="auth,auth-int", algorithm=MD5, opaque="o"\r\n' +
  'WWW-Authenticate: Digest realm="c", nonce="N", qop="auth", algorithm=SHA-256, opaque="o"\r\n';

/** True when the credentials of `m` are right for these. */
function right(
  m: SipMessage,
  user: string,
  password: string,
  header: HeaderId = H.Authorization,
): boolean {
  const auth = parseAuth(m.header(header) ?? '');
  if (isFault(auth)) return false;
  const p = auth.params;
  const h = (s: string) =>
    createHash(p.get('algorithm') === 'MD5' ? 'md5' : 'sha256')
      .update(s)
      .digest('hex');
  const a1 = h(`${user}:${p.get('realm')}:${password}`);
  const a2 = h(`${m.method}:${p.get('uri')}`);
  const middle = `${p.get('nonce')}:${p.get('nc')}:${p.get('cnonce')}:auth`;
  return p.get('uri') === m.requestUri && p.get('response') === h(`${a1}:${middle}:${a2}`);
}

test('register-out: challenge, registered, refreshed with the same nonce in time', (t) => {
  const { lab, g1 } = site({ trunks: [REGISTERED] });
  lab.pass(10);
  const first = g1.take();
  t.is(first.requestUri, 'sip:carrier.example');
  t.regex(first.header(H.To) ?? '', /<sip:acme@carrier\.example>/);
  t.is(first.contactUri, 'sip:acme@192.0.2.10:5060');
  g1.reply(first, 401, 'r', '', ASK);
  const second = g1.take();
  t.true(right(second, 'acme', 's"ecret'));
  t.regex(second.text, /algorithm=SHA-256/, 'RFC 8760: not talked down to MD5');
  t.is(second.cseq, first.cseq + 1);
  t.is(second.callId, first.callId);
  g1.reply(second, 200, 'r', '', `Contact: <${second.contactUri}>;expires=120\r\n`);
  t.is(summary(lab.store).trunks[0]?.registration, 'registered');
  lab.pass(59_000);
  t.is(g1.inbox().length, 0);
  lab.pass(1200);
  const third = g1.take();
  t.regex(third.text, /nc=00000002/);
  t.true(right(third, 'acme', 's"ecret'));
  g1.reply(third, 401, 'r', '', ASK.replaceAll('"N"', '"M", stale=true'));
  const fourth = g1.take();
  t.true(right(fourth, 'acme', 's"ecret'));
  g1.reply(fourth, 200, 'r', '', `Contact: <${second.contactUri}>;expires=120\r\n`);
  t.is(summary(lab.store).trunks[0]?.registration, 'registered');
});

test('a wrong password is an alarm, tried again later and later; 423 asks for longer', (t) => {
  const { lab, g1 } = site({ trunks: [REGISTERED] });
  lab.pass(10);
  g1.reply(g1.take(), 423, 'r', '', 'Min-Expires: 1800\r\n');
  lab.pass(10);
  const longer = g1.take();
  t.is(longer.expires, 1800);
  g1.reply(longer, 401, 'r', '', ASK);
  g1.reply(g1.take(), 401, 'r', '', ASK);
  t.is(alarms(lab), 'trunk-not-registered');
  t.regex(lab.told.at(-1) ?? '', /trunk-not-registered: trunk one: .* user and password/);
  t.is(g1.inbox().length, 0);
  lab.pass(5000);
  const again = g1.take();
  g1.reply(again, 200, 'r', '', 'Expires: 300\r\n');
  t.is(alarms(lab), '');
  t.regex(lab.told.at(-1) ?? '', /alarm over: trunk-not-registered/);
});

test('a takeover does not register anew; what was in flight is said again', (t) => {
  const { lab, g1 } = site({ trunks: [REGISTERED] });
  lab.pass(12);
  const first = g1.take();
  lab.swap(true);
  const repeated = g1.take();
  t.is(repeated.branch, first.branch);
  g1.reply(repeated, 401, 'r', '', ASK);
  lab.swap(true);
  const second = g1.take();
  t.true(right(second, 'acme', 's"ecret'));
  g1.reply(second, 200, 'r', '', 'Expires: 600\r\n');
  lab.swap(true);
  lab.pass(400_000);
  t.is(g1.inbox().length, 0);
  const [row] = [...lab.store.rows(REGOUT)];
  t.true((row?.nextAt ?? 0) < (row?.expiresAt ?? 0));
  lab.pass(140_000);
  const refresh = g1.inbox()[0];
  t.is(refresh?.cseq, second.cseq + 1);
  t.is(refresh?.callId, first.callId);
});

test('registered with a backup: with the contact itself again as soon as that serves', (t) => {
  const both = {
    ...REGISTERED,
    contacts: ['sip:sip.carrier.example', 'sip:192.0.2.31'],
    options: { periodS: 5, forceS: 2, recoveryS: 5 },
  };
  const { lab, g1, g2 } = site({ trunks: [both] });
  lab.pass(3000);
  t.is(g2.inbox().filter((m) => m.method === 'REGISTER').length, 0, 'the name is waited for');
  const uri = 'sip:sip.carrier.example';
  onResolved(lab.cx, { uri, addresses: [at('192.0.2.30')], ttlS: 600, cause: '' });
  lab.pass(4000);
  const first = g1.inbox().find((m) => m.method === 'REGISTER');
  t.truthy(first);
  g1.reply(first as SipMessage, 503, 'x');
  lab.pass(6000);
  const second = g2.inbox().find((m) => m.method === 'REGISTER') as SipMessage;
  g2.reply(second, 200, 'r', '', 'Expires: 600\r\n');
  t.is(summary(lab.store).trunks[0]?.registration, 'registered');
  g1.inbox();
  lab.pass(12_000);
  answerOptions(g1, 200);
  lab.pass(100);
  t.true(g1.inbox().some((m) => m.method === 'REGISTER'));
});

test('a registrar nobody hears: the next address of the list', (t) => {
  const two = {
    ...REGISTERED,
    register: {
      user: 'acme',
      password: 'x',
      registrar: 'sip:reg.example',
      aor: 'sip:acme@carrier.example',
      expiresS: 600,
    },
  };
  const { lab, g2, g3 } = site({ trunks: [two] });
  const addresses = [at('192.0.2.31', 1), at('192.0.2.32', 2)];
  onResolved(lab.cx, { uri: 'sip:reg.example', addresses, ttlS: 600, cause: '' });
  lab.pass(10_000);
  t.true(g2.inbox().length > 0);
  lab.pass(40_000);
  t.true(g3.inbox().some((m) => m.method === 'REGISTER'));
});

// ── digest as a client ─────────────────────────────────────────────────────────────────────────

test('RFC 7616 3.9.1: the responses of its example', (t) => {
  const by = { user: 'Mufasa', password: 'Circle of Life' };
  const request = { method: 'GET', uri: '/dir/index.html', proxy: false };
  for (const [algorithm, want] of [
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const) {
    const c = parseChallenge(
      'Digest realm="http-auth@example.org", qop="auth, auth-int", ' +
        `algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="o"`,
    );
    if (c === undefined) throw new Error('no challenge');
    const line = credentials({ u32: () => 0 }, c, by, request, 1, 1);
    // the example's cnonce is not ours: the same formula with ours
    const h = (s: string) =>
      createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(s)
        .digest('hex');
    const formula = (cnonce: string) =>
      h(
        `${h(`Mufasa:${c.realm}:Circle of Life`)}:${c.nonce}:00000001:${cnonce}:auth:${h('GET:/dir/index.html')}`,
      );
    t.is(formula('f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'), want);
    const cnonce = /cnonce="([^"]*)"/.exec(line)?.[1] ?? '';
    t.true(line.includes(`response="${formula(cnonce)}"`));
  }
});

test('challenges we cannot answer are no challenge', (t) => {
  t.is(parseChallenge('Digest realm="a", nonce="b", algorithm=SHA-1'), undefined);
  t.is(parseChallenge('Digest realm="a", nonce="b", qop="auth-int"'), undefined);
  t.is(parseChallenge('Basic realm="a"'), undefined);
  t.is(parseChallenge('Digest realm="a"'), undefined);
  t.is(parseChallenge('Digest realm="a", nonce="b"')?.qop, false);
});

test('407 to INVITE, re-INVITE and BYE: the same once more with credentials and the next CSeq', (t) => {
  const withAuth = { ...REGISTERED, register: undefined, auth: { user: 'acme', password: 'pw' } };
  const { lab, alice, g1 } = site({ trunks: [withAuth] });
  const ask = 'Proxy-Authenticate: Digest realm="c", nonce="N1", algorithm=MD5, qop="auth"\r\n';
  const challenge = (got: SipMessage): SipMessage => {
    g1.reply(got, 407, 'c', '', ask);
    const all = g1.inbox();
    if (got.method === 'INVITE') t.is(all[0]?.method, 'ACK');
    const again = all.at(-1) as SipMessage;
    t.is(again.method, got.method);
    t.is(again.cseq, got.cseq + 1);
    t.is(again.callId, got.callId);
    t.is(again.fromTag, got.fromTag);
    t.is(again.body, got.body);
    t.true(right(again, 'acme', 'pw', H.ProxyAuthorization));
    return again;
  };
  const invite = dial(alice, '01');
  const second = challenge(inviteIn(g1) as SipMessage);
  lab.swap(true);
  t.is(g1.inbox()[0]?.branch, second.branch, 'a takeover says the second one again');
  g1.reply(second, 200, 'gt', SDP('g'));
  const ok = alice.inbox().at(-1) as SipMessage;
  t.is(ok.status, 200);
  alice.ack(invite, ok);
  t.is(g1.take().cseq, second.cseq);
  alice.send(alice.inDialog('INVITE', invite, ok, { body: SDP('hold'), cseq: 7 }));
  g1.reply(challenge(g1.take()), 200, 'gt', SDP('g'));
  t.is(statuses(alice), '100,200');
  t.is(statuses(g1), 'ACK');
  alice.send(alice.inDialog('BYE', invite, ok, { cseq: 8, contact: false }));
  g1.reply(challenge(g1.take()), 200, 'gt');
  lab.pass(100_000);
  t.is(summary(lab.store).calls, 0);
});

test('wrong credentials end after one attempt, a stale nonce is answered once more, none for ever', (t) => {
  const withAuth = { ...REGISTERED, register: undefined, auth: { user: 'acme', password: 'pw' } };
  const { alice, g1 } = site({ trunks: [withAuth] });
  const ask = (n: string, stale = '') =>
    `WWW-Authenticate: Digest realm="c", nonce="${n}", qop="auth"${stale}\r\n`;
  dial(alice, '01');
  g1.reply(inviteIn(g1) as SipMessage, 401, 'c', '', ask('1'));
  g1.reply(inviteIn(g1) as SipMessage, 401, 'c', '', ask('2'));
  t.is(inviteIn(g1), undefined);
  t.is(statuses(alice), '100,403');
  dial(alice, '02');
  g1.reply(inviteIn(g1) as SipMessage, 401, 'c', '', ask('1'));
  g1.reply(inviteIn(g1) as SipMessage, 401, 'c', '', ask('2', ', stale=true'));
  const third = inviteIn(g1) as SipMessage;
  t.is(third.cseq, 3);
  g1.reply(third, 401, 'c', '', ask('3', ', stale=true'));
  t.is(inviteIn(g1), undefined);
  t.is(statuses(alice), '100,403');
});
