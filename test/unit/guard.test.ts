/** Floods, guessing, loops, and addresses that cannot be meant: what hostile networks bring. */

import test from 'ava';
import { BINDING, CALL } from '../../src/call/rows.ts';
import { GUARD_DEFAULTS, Guard } from '../../src/proto/sip/guard.ts';
import { Overload } from '../../src/proto/sip/overload.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer, pair, SDP, talking } from './call-lab.ts';
import { proof } from './phone-proof.ts';

const GUARD = { ...GUARD_DEFAULTS, strangerPerS: 1, strangerBurst: 10 };
const URI = 'sip:192.0.2.10';
const AT_NIGHT = { auth: true, guard: GUARD } as const;

function register(phone: Peer, extra = ''): string {
  const contact = `Contact: <${phone.contact}>\r\n`;
  return phone.request('REGISTER', URI, { to: phone.aor, extra: contact + extra, contact: false });
}

/** Registers a phone on a site with passwords. */
function enrol(phone: Peer): void {
  phone.send(register(phone));
  phone.send(register(phone, proof(phone.take(), 'REGISTER', URI, { user: phone.user })));
  if (phone.take().status !== 200) throw new Error('not registered');
}

for (const method of ['REGISTER', 'INVITE', 'OPTIONS', 'SUBSCRIBE'] as const) {
  test(`a flood of ${method} from a stranger is not answered, and told once`, (t) => {
    const lab = new Lab(AT_NIGHT);
    const scanner = new Peer(lab, '100', '198.51.100.66');
    for (let i = 0; i < 500; i += 1) {
      scanner.send(scanner.request(method, `sip:${i}@192.0.2.10`, { callId: `scan${i}` }));
    }
    t.true(scanner.inbox().length <= 10);
    t.is(lab.rows(), 0, 'nothing is written for a stranger');
    t.is(lab.told.length, 1);
    t.regex(lab.told[0] ?? '', /^flood: 198\.51\.100\.66 /);
    t.true((lab.counters.get('floodDropped') ?? 0) >= 490);
  });
}

test('during a flood of garbage, INVITE and REGISTER from elsewhere, phones notice nothing', (t) => {
  const lab = new Lab(AT_NIGHT);
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  enrol(alice);
  enrol(bob);
  for (let i = 0; i < 3000; i += 1) {
    const stranger = new Peer(lab, `${i}`, `198.51.${i % 100}.${i % 250}`);
    stranger.send(i % 3 === 0 ? `\0\x01nonsense ${i}` : stranger.request('INVITE', `sip:${i}@x`));
  }
  lab.air = [];
  const first = alice.request('INVITE', 'sip:1002@192.0.2.10');
  alice.send(first);
  const no = alice.take();
  t.is(no.status, 407);
  alice.ack(first, no);
  const extra = proof(no, 'INVITE', 'sip:1002@192.0.2.10', { user: '1001' });
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { extra }));
  t.is(heard(alice), '100 INVITE');
  t.is(heard(bob), 'INVITE');
});

test('after a takeover those who are registered are no strangers', (t) => {
  const lab = new Lab(AT_NIGHT);
  const alice = new Peer(lab, '1001', '192.0.2.1');
  enrol(alice);
  lab.swap(true);
  for (let i = 0; i < 200; i += 1) alice.send(register(alice));
  t.is(alice.inbox().length, 200);
});

test('a call goes on while its own side floods: requests in a dialog and responses are free', (t) => {
  const { lab, alice, bob, invite, ok } = talking(false, { guard: { ...GUARD, knownPerS: 5 } });
  for (let i = 0; i < 50; i += 1) alice.send(alice.request('OPTIONS', URI, { callId: `o${i}` }));
  t.true(alice.inbox().length <= 5);
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(alice), '200 BYE');
  t.is(heard(bob), 'BYE');
  t.is(lab.store.count(CALL), 1);
});

test('guessing: after five wrong passwords a source is not heard for this user, right or wrong', (t) => {
  const lab = new Lab({ auth: true });
  const thief = new Peer(lab, '1002', '198.51.100.66');
  const answers: number[] = [];
  const guess = (password?: string): SipMessage | undefined => {
    thief.send(register(thief));
    const no = thief.take();
    const c = password === undefined ? {} : { password };
    thief.send(register(thief, proof(no, 'REGISTER', URI, { user: '1002', ...c })));
    return thief.inbox()[0];
  };
  for (let i = 0; i < 8; i += 1) answers.push(guess(`no${i}`)?.status ?? 0);
  t.deepEqual(answers, [401, 401, 401, 401, 401, 0, 0, 0]);
  t.is(guess(), undefined, 'the right one is not looked at either');
  t.is(lab.store.count(BINDING), 0);
  t.regex(lab.told.join('\n'), /digest-guessing: 198\.51\.100\.66 tries passwords of "1002"/);
  const bob = new Peer(lab, '1002', '192.0.2.2');
  t.notThrows(() => enrol(bob), 'the phone itself is somewhere else and feels nothing');
  lab.pass(30_000);
  t.is(guess()?.status, 200, 'after half a minute it may try again');
});

test('guessing: many users from one source', (t) => {
  const lab = new Lab({ auth: true });
  const thief = new Peer(lab, 'x', '198.51.100.66');
  let heardOf = 0;
  for (let user = 1000; user < 1040; user += 1) {
    thief.send(register(thief));
    const no = thief.inbox()[0] as SipMessage;
    const wrong = { user: `${user}`, password: '1234' };
    thief.send(register(thief, proof(no, 'REGISTER', URI, wrong)));
    heardOf += thief.inbox().length;
  }
  t.is(heardOf, GUARD_DEFAULTS.sourceGuesses);
  t.regex(lab.told.join('\n'), /passwords of many users/);
});

test('a wrong user and a wrong password look the same', (t) => {
  const lab = new Lab({ auth: true });
  const thief = new Peer(lab, 'x', '198.51.100.66');
  const seen = ['1002', '7777', 'admin'].map((user) => {
    thief.send(register(thief));
    const wrong = { user, password: 'no' };
    thief.send(register(thief, proof(thief.take(), 'REGISTER', URI, wrong)));
    const m = thief.take();
    return `${m.status} ${m.reason} ${m.values(H.WwwAuthenticate).length}`;
  });
  t.is(new Set(seen).size, 1, seen.join(' / '));
});

test('the lock doubles, and forgives after a quiet time', (t) => {
  const told: string[] = [];
  const guard = new Guard(GUARD_DEFAULTS, false, (text) => told.push(text));
  const lock = (now: number): void => {
    for (let i = 0; i < GUARD_DEFAULTS.guesses; i += 1) guard.wrong(now, '192.0.2.6', 'u');
  };
  lock(0);
  t.true(guard.locked(29_999, '192.0.2.6', 'u'));
  t.false(guard.locked(30_000, '192.0.2.6', 'u'));
  lock(31_000);
  t.true(guard.locked(90_999, '192.0.2.6', 'u'));
  t.false(guard.locked(91_000, '192.0.2.6', 'u'));
  lock(2_000_000);
  t.false(guard.locked(2_030_000, '192.0.2.6', 'u'), 'half a minute again');
  t.false(guard.locked(2_000_001, '192.0.2.7', 'u'), 'another source');
});

test('memory is bounded: a million sources', (t) => {
  const guard = new Guard(GUARD_DEFAULTS, false, () => {});
  for (let i = 0; i < 1_000_000; i += 1) guard.admits(i, `2001:db8::${i.toString(16)}`);
  const { sources } = guard as unknown as { sources: Map<string, unknown> };
  t.true(sources.size <= 8192);
});

test('a flood from more forged sources than are remembered makes no stranger of a phone', (t) => {
  const lab = new Lab(AT_NIGHT);
  const alice = new Peer(lab, '1001', '192.0.2.1');
  enrol(alice);
  for (let i = 0; i < 20_000; i += 1) {
    if (i % 8 === 0) lab.now += 1;
    lab.receive(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 5060, alice.request('OPTIONS', URI));
  }
  t.true((lab.counters.get('floodDropped') ?? 0) > 0);
  for (let i = 0; i < 100; i += 1) alice.send(register(alice));
  t.is(alice.inbox().length, 100);
  const { known, sources } = lab.cx.guard as unknown as { [map: string]: Map<string, unknown> };
  t.is(known?.size, 1);
  t.true((sources?.size ?? 0) <= 8192);
});

test('who was known and is so no more is a stranger again', (t) => {
  const guard = new Guard({ ...GUARD, knownMs: 1000 }, false, () => {});
  guard.know(0, '192.0.2.1');
  t.true(guard.isKnown(999, '192.0.2.1'));
  let admitted = 0;
  for (let i = 0; i < 100; i += 1) if (guard.admits(1001, '192.0.2.1')) admitted += 1;
  t.true(admitted <= 10);
  guard.know(1002, '192.0.2.1');
  for (let i = 0; i < 100; i += 1) t.true(guard.admits(1003, '192.0.2.1'));
});

test('RFC 3261 16.3 step 4: an INVITE of our own that comes back is 482 at once', (t) => {
  const { lab, alice, bob } = pair();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10'));
  alice.inbox();
  const toBob = bob.take();
  // a proxy sends it where it came from, under another branch
  const back = toBob.text
    .replace('sip:1002@192.0.2.2:5060 SIP', 'sip:1001@192.0.2.10 SIP')
    .replace('Via: ', 'Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKloop;rport\r\nVia: ');
  bob.send(back);
  t.is(heard(bob), '482 INVITE');
  t.is(lab.counters.get('callsLooped'), 1);
  t.is(lab.store.count(CALL), 1);
});

test('what says it comes from us is not answered: it would go round for ever', (t) => {
  const { lab } = pair();
  const ourselves = new Peer(lab, 'x', '192.0.2.10', 5060);
  ourselves.send(ourselves.request('OPTIONS', URI));
  ourselves.send('garbage');
  t.is(ourselves.inbox().length, 0);
  t.is(lab.counters.get('fromOurselves'), 2);
});

test('a Contact at our address is refused; at loopback, nobody or everybody the source is meant', (t) => {
  const { lab, alice, bob } = pair();
  const contactAt = (host: string): SipMessage => {
    const extra = `Contact: <sip:1002@${host}>\r\n`;
    bob.send(bob.request('REGISTER', URI, { to: bob.aor, extra, contact: false }));
    return bob.take();
  };
  for (const host of ['192.0.2.10', '192.0.2.10:5999']) t.is(contactAt(host).status, 403, host);
  for (const host of ['127.0.0.1:5080', '0.0.0.0', '224.0.1.75', '255.255.255.255', '[::1]']) {
    t.is(contactAt(host).status, 200, host);
  }
  const sent = lab.log.length;
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10'));
  for (const { ip } of lab.log.slice(sent)) t.regex(ip, /^192\.0\.2\.[12]$/);
});

test('a callee whose Contact leads to us or to loopback is spoken to where it is', (t) => {
  for (const host of ['192.0.2.10', '127.0.0.1', '0.0.0.0']) {
    const { lab, alice, bob } = pair();
    const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('a') });
    alice.send(invite);
    alice.inbox();
    const toBob = bob.take();
    bob.send(
      `SIP/2.0 200 OK\r\n${toBob.lines(H.Via)}From: ${toBob.header(H.From)}\r\n` +
        `To: ${toBob.header(H.To)};tag=bt\r\nCall-ID: ${toBob.callId}\r\nCSeq: ${toBob.header(H.CSeq)}\r\n` +
        `Contact: <sip:1002@${host}:5060>\r\nContent-Length: 0\r\n\r\n`,
    );
    t.is(heard(bob), 'ACK', host);
    alice.ack(invite, alice.take());
    t.is(lab.air.length, 0);
  }
});

for (const [name, user] of [
  ['CRLF', '1002%0d%0aX-Evil:%20yes'],
  ['quotes and brackets', '1002%22%3e%3b'],
  ['NUL', '1002%00'],
] as const) {
  test(`header injection by a number: ${name}`, (t) => {
    const { lab, alice } = pair();
    alice.send(alice.request('INVITE', `sip:${user}@192.0.2.10`));
    t.is(heard(alice), '404 INVITE');
    for (const { text } of lab.log) t.notRegex(text, /^X-Evil/m);
  });
}

test('header injection by a name: what is passed on is one header', (t) => {
  const { alice, bob } = pair();
  const invite = alice
    .request('INVITE', 'sip:1002@192.0.2.10', { extra: 'Subject: a\r\n b: c\r\n' })
    .replace('"1001" <', '"x\\"%0d%0aX-Evil: 1" <');
  alice.send(invite);
  const toBob = bob.take();
  t.notRegex(toBob.text, /^(X-Evil|b):/im);
});

test('overload: several full turns in a row, then a rising share; it ends by itself', (t) => {
  const o = new Overload();
  for (let i = 0; i < 8; i += 1) t.is(o.turn(true), undefined, 'a pause of the collector');
  t.is(o.turn(true), 'begins');
  for (let i = 0; i < 40; i += 1) o.turn(true);
  t.is(o.share, 1);
  let ended = 0;
  for (let i = 0; i < 200; i += 1) if (o.turn(false) === 'ends') ended += 1;
  t.is(ended, 1);
  t.is(o.share, 0);
  for (let i = 0; i < 8; i += 1) o.turn(true);
  o.turn(false);
  t.is(o.turn(true), undefined);
});

test('a call that was refused is refused when its INVITE comes again, though there is room by now', (t) => {
  for (const full of [false, true]) {
    const { lab, alice, bob } = pair(full ? { maxCalls: 1 } : {});
    const first = alice.request('INVITE', 'sip:1002@192.0.2.10', { callId: 'first' });
    if (full) alice.send(first);
    else for (let i = 0; i < 100; i += 1) lab.overload.turn(true);
    alice.inbox();
    const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { callId: 'second' });
    alice.send(invite);
    t.is(heard(alice), '503 INVITE');
    if (full) alice.cancel(first);
    for (let i = 0; i < 200; i += 1) lab.overload.turn(false);
    lab.pass(60_000);
    for (const peer of [alice, bob]) peer.inbox();
    alice.send(invite);
    t.is(heard(alice), '503 INVITE', 'else his phone and the other one would not know the same');
    alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { callId: 'second' }));
    t.is(heard(alice), '100 INVITE', 'tried anew it is another one');
  }
});

test('RFC 7339 in spirit: 503 with Retry-After before anything is written; calls go on', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  for (let i = 0; i < 100; i += 1) lab.overload.turn(true);
  const rows = lab.rows();
  const again = alice.request('INVITE', 'sip:1002@192.0.2.10', { callId: 'new' });
  alice.send(again);
  const no = alice.take();
  t.is(no.status, 503);
  t.regex(no.header(H.RetryAfter) ?? '', /^[1-5]$/);
  t.is(lab.rows(), rows);
  alice.send(alice.inDialog('BYE', invite, ok));
  t.is(heard(alice), '200 BYE');
  t.is(line(bob.take()), 'BYE');
});
