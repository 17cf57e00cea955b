/**
 * Where trunks meet the rest: challenges inside transfers, redirections that lead out, watchers of calls
 * whose trunk cannot be reached, registrations that are challenged while addresses change.
 */

import test from 'ava';
import { TONES, tellDigits } from '../../src/call/control/tones.ts';
import { unreachable } from '../../src/call/flow.ts';
import { LEG, RPR } from '../../src/call/rows.ts';
import { onResolved } from '../../src/call/switch.ts';
import { REOFFER, TRANSFER } from '../../src/call/transfer-rows.ts';
import { HUNT } from '../../src/call/trunk-rows.ts';
import type { Extension } from '../../src/proto/site.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, line, Peer, SDP } from './call-lab.ts';
import { lampsOf, Watcher } from './events-lab.ts';
import { notes, sole } from './transfer-lab.ts';
import { dial, inviteIn, site, statuses, trunk } from './trunk-lab.ts';

const ONE = trunk('one', ['sip:192.0.2.30'], { prefixes: ['0'], priority: 1 });
const TWO = trunk('two', ['sip:192.0.2.31'], { prefixes: ['0'], priority: 2 });
const AUTH = { ...ONE, auth: { user: 'acme', password: 'pw' } };
const ASK = 'Proxy-Authenticate: Digest realm="c", nonce="N1", algorithm=MD5, qop="auth"\r\n';
const EXT: Extension = {
  classOfService: '',
  contact: '',
  password: undefined,
  name: '',
  callerId: '',
  mwi: false,
};

/** alice talks with somebody behind gateway 1. */
function outside(given: Parameters<typeof site>[0]) {
  const s = site(given);
  const invite = dial(s.alice, '01');
  const toGateway = inviteIn(s.g1) as SipMessage;
  s.g1.reply(toGateway, 200, 'gt', SDP('g'));
  const ok = s.alice.inbox().at(-1) as SipMessage;
  s.alice.ack(invite, ok);
  heard(s.g1);
  return { ...s, invite, ok, toGateway };
}

/** The request of a challenge, once more. */
function challenge(peer: Peer, got: SipMessage): SipMessage {
  peer.reply(got, 407, 'gt', '', ASK);
  return peer.inbox().at(-1) as SipMessage;
}

test('a trunk challenges the re-INVITE of a transfer: the transfer goes on with the second one', (t) => {
  const s = outside({ trunks: [AUTH] });
  const { lab, alice, bob, g1 } = s;
  alice.send(
    alice.inDialog('REFER', s.invite, s.ok, { extra: 'Refer-To: <sip:1002@192.0.2.10>\r\n' }),
  );
  notes(alice);
  const toBob = sole(bob.inbox(), 'INVITE');
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  const again = challenge(g1, sole(g1.inbox(), 'INVITE'));
  t.is(again.method, 'INVITE');
  lab.swap(false);
  g1.inbox();
  g1.reply(again, 200, 'gt', SDP('g2'));
  t.is(bob.inbox().find((m) => m.method === 'ACK')?.body, SDP('g2'));
  t.is(heard(g1), 'ACK');
  t.is(notes(alice).at(-1), '200 terminated;reason=noresource');
  t.is(lab.store.count(REOFFER), 0);
});

test('a trunk that transfers challenges our NOTIFY: it is told once more', (t) => {
  const s = outside({ trunks: [{ ...AUTH, classOfService: 'all' }] });
  const { lab, bob, g1 } = s;
  g1.send(
    g1.backward('REFER', s.toGateway, 'gt', { extra: 'Refer-To: <sip:1002@192.0.2.10>\r\n' }),
  );
  const told = sole(g1.inbox(), 'NOTIFY');
  const again = challenge(g1, told);
  t.is(again.method, 'NOTIFY');
  t.true(again.has(H.ProxyAuthorization));
  t.is(again.body, told.body);
  g1.reply(again, 200, 'x');
  bob.reply(sole(bob.inbox(), 'INVITE'), 486, 'bt');
  t.regex(sole(g1.inbox(), 'NOTIFY').body, /486/);
  t.is(lab.store.count(TRANSFER), 1);
});

/** alice calls bob, who says 302 to `number`. */
function sentOn(given: Parameters<typeof site>[0], number: string, extra = '', auth = false) {
  const s = site(given, auth ? { auth } : {});
  const invite = dial(s.alice, '1002', extra);
  moved(s.bob, inviteIn(s.bob) as SipMessage, number);
  return { ...s, invite };
}

function moved(peer: Peer, m: SipMessage, number: string): void {
  const text: string[] = [];
  const send = peer.send.bind(peer);
  peer.send = (x): void => void text.push(x);
  peer.reply(m, 302, 'mt');
  peer.send = send;
  peer.send((text[0] as string).replace(/Contact: [^\r]*/, `Contact: <sip:${number}@x>`));
}

test('RFC 3323, 3325: who asks for privacy has it where a redirection leads, too', (t) => {
  const far = { ...ONE, callerId: { ...ONE.callerId, trusted: false } };
  for (const out of [ONE, far]) {
    const { g1 } = sentOn({ trunks: [out] }, '01', 'Privacy: id\r\n');
    const m = inviteIn(g1) as SipMessage;
    t.regex(m.header(H.From) ?? '', /anonymous\.invalid/);
    // within the Trust Domain it is known who that is
    t.is(m.has(H.PAssertedIdentity), out === ONE);
    t.is(m.values(H.Privacy).length, 1);
  }
});

test('RFC 3325 5: an identity we assert does not leave by a redirection to an untrusted trunk', (t) => {
  const inward = {
    ...TWO,
    prefixes: [],
    classOfService: 'internal',
    callerId: { ...TWO.callerId, trusted: true },
  };
  for (const trusted of [true, false]) {
    const out = { ...ONE, callerId: { ...ONE.callerId, trusted } };
    const { g1, g2, bob } = site({ trunks: [out, inward] });
    g2.send(
      g2.request('INVITE', 'sip:1002@192.0.2.10', {
        body: SDP('g'),
        extra: 'P-Asserted-Identity: <sip:+4930777@carrier>\r\n',
      }),
    );
    moved(bob, inviteIn(bob) as SipMessage, '01');
    const m = inviteIn(g1) as SipMessage;
    t.is(m.has(H.PAssertedIdentity), trusted, m.text);
    if (trusted) t.regex(m.header(H.PAssertedIdentity) ?? '', /\+4930777/);
  }
});

test("a trunk that says 302 is no extension: it sends nobody on, with nobody's class of service", (t) => {
  const s = sentOn({ trunks: [ONE, { ...TWO, prefixes: ['9'] }] }, '01');
  const { alice, g1, g2 } = s;
  moved(g1, inviteIn(g1) as SipMessage, '900');
  t.is(inviteIn(g2), undefined);
  t.is(statuses(alice).split(',').at(-1), '480');
});

test('the class of service of who sends on is that of the extension, static contacts too', (t) => {
  const given = {
    trunks: [ONE],
    classes: { none: { allow: [], deny: ['0!'] } },
    extensions: { '1003': { ...EXT, classOfService: 'none', contact: 'sip:door@192.0.2.40' } },
  } as unknown as Parameters<typeof site>[0];
  const { lab, alice, g1 } = sentOn(given, '1003');
  const door = new Peer(lab, 'door', '192.0.2.40');
  moved(door, inviteIn(door) as SipMessage, '01');
  t.is(inviteIn(g1), undefined, 'bob may, the door may not');
  t.is(statuses(alice).split(',').at(-1), '480');
});

test('a lamp watches an extension without REGISTER, too', (t) => {
  const given = {
    extensions: { '1003': { ...EXT, contact: 'sip:door@192.0.2.40' } },
  } as unknown as Parameters<typeof site>[0];
  const { lab, alice } = site(given);
  const carol = new Watcher(lab, '1004', '192.0.2.4', '1003');
  lab.register(carol);
  carol.subscribe();
  dial(alice, '1003');
  lab.pass(400);
  carol.act();
  t.deepEqual(lampsOf(carol.last.body), ['trying']);
});

test('RFC 4235: a call that ends because its trunk cannot be reached is told to who watches', (t) => {
  const tcp = trunk('one', ['sip:192.0.2.30;transport=tcp'], { prefixes: ['0'] });
  const { lab, alice } = site({ trunks: [tcp] });
  const carol = new Watcher(lab, '1004', '192.0.2.4', '1001');
  lab.register(carol);
  carol.subscribe();
  dial(alice, '01');
  lab.pass(400);
  carol.act();
  t.deepEqual(carol.lamps, ['proceeding']);
  unreachable(lab.cx, { transport: 'tcp', ip: '192.0.2.30', port: 5060 });
  lab.pass(400);
  carol.act();
  t.deepEqual(carol.lamps, ['terminated']);
  t.is(statuses(alice).split(',').at(-1), '408');
});

test('a trunk challenges a digit: the second one counts, and the next follows its answer', (t) => {
  const { lab, g1 } = outside({ trunks: [AUTH] });
  const [leg] = [...lab.store.rows(LEG)].filter((x) => x.side === 'callee');
  if (leg === undefined) return t.fail();
  lab.cx.now = lab.now;
  t.true(tellDigits(lab.cx, leg, '12', 160));
  for (const digit of ['1', '2']) {
    const again = challenge(g1, g1.take());
    t.is(again.method, 'INFO');
    t.regex(again.body, new RegExp(`^Signal=${digit}\r`));
    g1.reply(again, 200, 'gt');
  }
  t.deepEqual(g1.inbox(), []);
  t.is(lab.store.count(TONES), 0);
});

test('RFC 3261 22.2: a challenge of a registrar is answered where it came from', (t) => {
  const out = trunk('one', ['sip:carrier.example'], {
    prefixes: ['0'],
    register: { user: 'acme', password: 'pw', registrar: '', aor: '', expiresS: 600 },
  });
  const { lab, g1, g2 } = site({ trunks: [out] });
  const at = (ip: string) =>
    ({ transport: 'udp', ip, port: 5060, priority: 0, weight: 0 }) as const;
  const answer = { uri: 'sip:carrier.example', ttlS: 60, cause: '' };
  onResolved(lab.cx, { ...answer, addresses: [at('192.0.2.30')] });
  lab.pass(6000);
  const first = g1.inbox().find((m) => m.method === 'REGISTER') as SipMessage;
  lab.cx.now = lab.now;
  onResolved(lab.cx, { ...answer, addresses: [at('192.0.2.31')] });
  g1.reply(first, 401, 'r', '', 'WWW-Authenticate: Digest realm="c", nonce="N", qop="auth"\r\n');
  const second = g1.inbox().find((m) => m.method === 'REGISTER');
  t.is(second?.cseq, first.cseq + 1);
  t.is(g2.inbox().length, 0);
});

test('hunting while the caller withdraws: nobody else is tried, and who answers late is hung up', (t) => {
  const { lab, alice, g1, g2 } = site({ trunks: [ONE, TWO] });
  const invite = dial(alice, '01');
  const first = inviteIn(g1) as SipMessage;
  alice.cancel(invite);
  t.is(statuses(alice), '100,200,487');
  lab.pass(5000);
  t.is(inviteIn(g2), undefined);
  g1.inbox();
  g1.reply(first, 503, 'g');
  t.is(inviteIn(g2), undefined);
  t.is(lab.store.count(HUNT) + lab.store.count(LEG), 0);
  const again = dial(alice, '02');
  const silent = inviteIn(g1) as SipMessage;
  lab.pass(4100);
  const second = inviteIn(g2) as SipMessage;
  alice.cancel(again);
  g1.inbox();
  g1.reply(silent, 200, 'g', SDP('g'));
  t.deepEqual(g1.inbox().map(line), ['ACK', 'BYE']);
  g2.reply(second, 180, 'h');
  t.is(heard(g2), 'CANCEL');
});

test('RFC 3262 3: a reliable response is repeated by a way that is there', (t) => {
  const lab = new Lab();
  const bob = new Peer(lab, '1002', '192.0.2.2');
  lab.register(bob);
  const alice = new Peer(lab, '1001', '192.0.2.1');
  lab.flows.add('tcp 192.0.2.1 40000');
  const invite = alice
    .request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice'), extra: 'Require: 100rel\r\n' })
    .replace('SIP/2.0/UDP', 'SIP/2.0/TCP');
  lab.receive('192.0.2.1', 40_000, invite, 'tcp');
  bob.reply(bob.take(), 180, 'bt');
  t.is(lab.store.count(RPR), 1);
  lab.swap(true);
  t.is(lab.air.find((s) => s.text.startsWith('SIP/2.0 180'))?.port, 5060, 'where it listens');
  lab.air = [];
  lab.pass(600);
  const again = lab.air.find((s) => s.text.startsWith('SIP/2.0 180'));
  t.is(again?.port, 5060);
});

for (const returns of [true, false]) {
  const end = returns ? 'it comes back and is joined' : 'it does not: the first call goes on';
  test(`a trunk and a phone whose connection died are to be joined: ${end}`, (t) => {
    const s = outside({ trunks: [ONE] });
    const { lab, alice, g1 } = s;
    const dave = new Peer(lab, '1004', '192.0.2.4', 40_001);
    const tcp = (text: string): void => {
      lab.receive(dave.ip, dave.port, text.replace('SIP/2.0/UDP', 'SIP/2.0/TCP'), 'tcp');
    };
    dave.send = tcp;
    const register = (port: number): void => {
      lab.flows.delete(`tcp 192.0.2.4 ${dave.port}`);
      Object.assign(dave, { port });
      lab.flows.add(`tcp 192.0.2.4 ${port}`);
      const contact = `<sip:1004@192.0.2.4:${port};transport=tcp>;+sip.instance="<urn:uuid:4>"`;
      dave.send(
        dave.request('REGISTER', 'sip:192.0.2.10', {
          to: dave.aor,
          contact: false,
          callId: 'reg4',
          extra: `Contact: ${contact};expires=3600\r\n`,
        }),
      );
    };
    register(40_001);
    dave.inbox();
    const consult = alice.request('INVITE', 'sip:1004@192.0.2.10', {
      body: SDP('alice2'),
      callId: 'consult',
      fromTag: 'ca',
    });
    alice.send(consult);
    dave.reply(sole(dave.inbox(), 'INVITE'), 200, 'dt', SDP('dave'));
    const ok = alice.inbox().at(-1) as SipMessage;
    alice.ack(consult, ok);
    dave.inbox();
    lab.flows.clear();
    const replaces = `consult%3Bto-tag%3D${ok.toTag}%3Bfrom-tag%3Dca`;
    alice.send(
      alice.inDialog('REFER', s.invite, s.ok, {
        extra: `Refer-To: <sip:1004@x?Replaces=${replaces}>\r\n`,
      }),
    );
    t.deepEqual(notes(alice), ['202', '100 active;expires=240']);
    lab.air = lab.air.filter((x) => x.ip !== dave.ip);
    unreachable(lab.cx, { transport: 'tcp', ip: '192.0.2.4', port: 40_001 });
    lab.pass(5000);
    if (returns) {
      register(40_002);
      const asked = sole(dave.inbox(), 'INVITE');
      dave.reply(asked, 200, 'dt', SDP('dave 2'));
      g1.reply(sole(g1.inbox(), 'INVITE'), 200, 'gt', SDP('g 2'));
      t.is(dave.inbox().find((m) => m.method === 'ACK')?.body, SDP('g 2'));
      t.true(notes(alice).includes('200 terminated;reason=noresource'));
      g1.send(g1.backward('BYE', s.toGateway, 'gt', { contact: false }));
      t.is(dave.inbox().filter((m) => m.method === 'BYE').length, 1);
      return;
    }
    lab.pass(10_000);
    t.deepEqual([...new Set(notes(alice))], ['408 terminated;reason=noresource', 'BYE']);
    t.is(heard(g1), '');
    alice.send(alice.inDialog('INFO', s.invite, s.ok, { body: 'x' }));
    t.is(heard(g1), 'INFO sdp');
    lab.pass(40_000);
    t.is(lab.store.count(TRANSFER) + lab.store.count(REOFFER), 0);
  });
}

test('RFC 3261 8.1.3.4, 16.7: a number is tried by all its trunks before the next best one', (t) => {
  const { lab, alice, bob, g1, g2 } = site({ trunks: [ONE, TWO] });
  const carol = new Peer(lab, '1003', '192.0.2.3');
  lab.register(carol);
  dial(alice, '1002');
  moved(bob, inviteIn(bob) as SipMessage, '01@x>;q=0.9, <sip:1003@x>;q=0.5, <sip:1003');
  g1.reply(inviteIn(g1) as SipMessage, 503, 'g');
  const second = inviteIn(g2);
  t.truthy(second, 'by the second trunk');
  t.is(inviteIn(carol), undefined);
  g2.reply(second as SipMessage, 486, 'h');
  t.truthy(inviteIn(carol), 'then the next best');
  t.is(lab.store.count(HUNT), 0);
});

test('RFC 3323: who asks for privacy has it where a transfer leads; who referred stays here', (t) => {
  for (const diversion of [true, false]) {
    const out = { ...ONE, callerId: { ...ONE.callerId, diversion } };
    const { alice, bob, g1 } = site({ trunks: [out] });
    const invite = dial(alice, '1002', 'Privacy: id\r\n');
    const toBob = inviteIn(bob) as SipMessage;
    bob.reply(toBob, 200, 'bt', SDP('bob'));
    alice.ack(invite, alice.inbox().at(-1) as SipMessage);
    bob.send(bob.backward('REFER', toBob, 'bt', { extra: 'Refer-To: <sip:01@192.0.2.10>\r\n' }));
    const m = inviteIn(g1) as SipMessage;
    t.regex(m.header(H.From) ?? '', /anonymous\.invalid/);
    t.regex(m.header(H.PAssertedIdentity) ?? '', /<sip:1001@/, 'the carrier knows who it is');
    t.is(m.header(H.Privacy), 'id');
    t.is(/^Referred-By:/m.test(m.text), diversion);
  }
});
