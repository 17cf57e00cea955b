/**
 * Calls over connections that come and go: timers of reliable transports, and rows that follow their
 * peers from one connection to the next, on the same box and on the one that takes over.
 */

import test from 'ava';
import type { Transport } from '../../src/base/peer.ts';
import { unreachable } from '../../src/call/flow.ts';
import { BINDING, LEG } from '../../src/call/rows.ts';
import type { SipSettings } from '../../src/proto/context.ts';
import { CTX, STX } from '../../src/proto/sip/rows.ts';
import { at, TIMERS, type TimerName } from '../../src/proto/sip/timers.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, Peer, SDP, uriIn } from './call-lab.ts';

const SETTINGS: Partial<SipSettings> = {
  tlsPort: 5061,
  wsPort: 8080,
  wssPort: 8443,
  vip6: '2001:db8::10',
};

/** A phone with an instance id; its port is that of its connection. */
class Phone extends Peer {
  readonly transport: Transport;
  override port: number;
  /** What it puts into its Contact; '' for the address of its connection. */
  listens: string;
  regId = 1;

  constructor(lab: Lab, user: string, ip: string, transport: Transport = 'tcp', listens = '') {
    super(lab, user, ip);
    this.transport = transport;
    this.port = 0;
    this.listens = listens;
    this.connect(40_000);
  }

  connect(port: number): void {
    this.port = port;
    this.lab.flows.add(`${this.transport} ${this.ip} ${port}`);
  }

  /** The connection is gone; nobody has told anybody anything. */
  lose(): void {
    this.lab.flows.delete(`${this.transport} ${this.ip} ${this.port}`);
  }

  override get contact(): string {
    const host = this.ip.includes(':') ? `[${this.ip}]` : this.ip;
    const at = this.listens === '' ? `${host}:${this.port}` : this.listens;
    return `sip:${this.user}@${at};transport=${this.transport}`;
  }

  override send(text: string): void {
    const via = `SIP/2.0/${this.transport.toUpperCase()}`;
    // a CANCEL has the Via of its INVITE (RFC 3261 9.1), by whatever connection it comes
    const host = this.ip.includes(':') ? `[${this.ip}]` : this.ip;
    const said = text.replace(`${this.ip}:${this.port};branch`, `${host}:40000;branch`);
    this.lab.receive(this.ip, this.port, said.replace('SIP/2.0/UDP', via), this.transport);
  }

  register(more = ''): SipMessage {
    const instance = `+sip.instance="<urn:uuid:${this.user}>"`;
    const regId = this.regId === 0 ? '' : `;reg-id=${this.regId}`;
    this.send(
      this.request('REGISTER', 'sip:192.0.2.10', {
        to: this.aor,
        extra: `Contact: <${this.contact}>;${instance}${regId};expires=600\r\nSupported: outbound\r\n${more}`,
        contact: false,
      }),
    );
    const answer = this.inbox().find((m) => !m.isRequest && m.cseqMethod === 'REGISTER');
    if (answer === undefined) throw new Error('REGISTER was not answered');
    return answer;
  }
}

function two(transport: Transport = 'tcp') {
  const lab = new Lab(SETTINGS);
  const alice = new Phone(lab, '1001', '192.0.2.1', transport);
  const bob = new Phone(lab, '1002', '192.0.2.2', transport);
  alice.register();
  bob.register();
  return { lab, alice, bob };
}

function ringing(transport: Transport = 'tcp') {
  const p = two(transport);
  const invite = p.alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  p.alice.send(invite);
  const toBob = p.bob.take();
  p.bob.reply(toBob, 180, 'bt');
  p.alice.inbox();
  return { ...p, invite, toBob };
}

function talking(transport: Transport = 'tcp') {
  const p = ringing(transport);
  p.bob.reply(p.toBob, 200, 'bt', SDP('bob'));
  const ok = p.alice.take();
  p.bob.take();
  p.alice.ack(p.invite, ok);
  return { ...p, ok };
}

// ── timers ─────────────────────────────────────────────────────────────────────────────────────

test('RFC 3261 17: over a reliable transport A, E and G do not run, and D, I, K are zero', (t) => {
  const { settings } = new Lab();
  const over = (transport: Transport): Record<string, number> =>
    Object.fromEntries(
      Object.keys(TIMERS).map((name) => [name, at(1000, name as TimerName, settings, transport)]),
    );
  for (const transport of ['tcp', 'tls', 'ws', 'wss'] as const) {
    const timers = over(transport);
    for (const name of ['A', 'E', 'G']) t.is(timers[name], 0, `${name} is never`);
    for (const name of ['D', 'I', 'K']) t.is(timers[name], 1000, `${name} is now`);
    // J is not: who lost his connection with the old primary asks once more by another
    for (const name of ['B', 'C', 'F', 'H', 'J', 'L', 'M'])
      t.is(timers[name], over('udp')[name], name);
  }
});

test('17.1.1.2: an INVITE over TCP is said once, and given up after 64*T1', (t) => {
  const { lab, alice, bob } = two();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  t.is(heard(bob), 'INVITE sdp');
  lab.pass(31_900);
  t.is(heard(bob), '');
  lab.pass(200);
  t.is(heard(alice), '100 INVITE, 408 INVITE');
});

test('13.3.1.4: a 2xx is repeated over every transport until it is acknowledged', (t) => {
  const { lab, alice, bob, toBob, invite } = ringing();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  lab.pass(3600);
  const all = alice.inbox();
  t.true(all.length >= 3, `${all.length}`);
  t.true(all.every((m) => m.status === 200));
  alice.ack(invite, all[0] as SipMessage);
  lab.pass(10_000);
  t.is(heard(alice), '');
});

test('17.2.1: a refusal over TCP is said once; its ACK ends the transaction at once', (t) => {
  const { lab, alice, bob, toBob, invite } = ringing();
  bob.reply(toBob, 486, 'bt');
  t.is(heard(bob), 'ACK');
  const busy = alice.take();
  lab.pass(10_000);
  t.is(heard(alice), '');
  alice.ack(invite, busy);
  lab.pass(1);
  const left = [...lab.store.rows(STX), ...lab.store.rows(CTX)].filter(
    (r) => r.method === 'INVITE',
  );
  t.is(left.length, 0);
});

test('17.2.2: a BYE answered over TCP and asked once more by another connection is no 481', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  const bye = alice.inDialog('BYE', invite, ok);
  alice.send(bye);
  t.is(heard(alice), '200 BYE');
  bob.reply(bob.take(), 200, 'bt');
  lab.swap(true);
  alice.connect(50_001);
  alice.send(bye);
  t.is(heard(alice), '200 BYE');
  lab.pass(40_000);
  const left = [...lab.store.rows(STX), ...lab.store.rows(CTX)].filter((r) => r.method === 'BYE');
  t.is(left.length, 0);
});

test('what we say of ourselves is of the transport: Via, Contact, and the port', (t) => {
  for (const [transport, port, param] of [
    ['tcp', 5060, 'tcp'],
    ['tls', 5061, 'tls'],
    ['ws', 8080, 'ws'],
    ['wss', 8443, 'ws'],
  ] as const) {
    const { toBob } = ringing(transport);
    const via = toBob.header(H.Via) ?? '';
    t.true(via.startsWith(`SIP/2.0/${transport.toUpperCase()} 192.0.2.10:${port};`), via);
    t.is(uriIn(toBob.header(H.Contact) ?? ''), `sip:1001@192.0.2.10:${port};transport=${param}`);
  }
});

test('IPv6: a phone hears the address of its own family', (t) => {
  const lab = new Lab(SETTINGS);
  const alice = new Phone(lab, '1001', '2001:db8::1', 'tls');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  alice.register();
  lab.register(bob);
  bob.send(bob.request('INVITE', 'sip:1001@192.0.2.10', { body: SDP('bob') }));
  const got = alice.take();
  t.regex(got.header(H.Via) ?? '', /^SIP\/2\.0\/TLS \[2001:db8::10\]:5061;/);
  t.is(uriIn(got.header(H.Contact) ?? ''), 'sip:1002@[2001:db8::10]:5061;transport=tls');
});

// ── a registration over a new connection ───────────────────────────────────────────────────────

test('RFC 5626 6: the same instance and reg-id over a new connection is the same registration', (t) => {
  const { lab, alice } = two();
  alice.connect(50_000);
  const ok = alice.register();
  t.is(lab.store.all(BINDING, 'aor', '1001').length, 1);
  t.is(ok.values(H.Contact).length, 1);
  t.regex(ok.header(H.Contact) ?? '', /:50000;transport=tcp>;.*;reg-id=1$/);
  t.is(ok.header(H.Require), 'outbound');
  t.is(ok.header(H.FlowTimer), '120');
});

test('another reg-id is another connection of the same phone; a call reaches it once', (t) => {
  const { lab, alice, bob } = two();
  bob.regId = 2;
  bob.connect(50_000);
  bob.register();
  t.is(lab.store.all(BINDING, 'aor', '1002').length, 2);
  bob.lose();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  t.is(heard(bob), '', 'not by the dead connection');
  bob.port = 40_000;
  t.is(heard(bob), 'INVITE sdp', 'but by the one that stands');
});

test('a phone without reg-id that comes back with another port is the same while its old one is dead', (t) => {
  const { lab, bob } = two();
  const old = new Phone(lab, '1003', '192.0.2.3');
  old.regId = 0;
  old.register();
  old.connect(50_000);
  old.register();
  t.is(lab.store.all(BINDING, 'aor', '1003').length, 2, 'two connections stand: two contacts');
  bob.regId = 0;
  const only = new Phone(lab, '1004', '192.0.2.4');
  only.regId = 0;
  only.register();
  only.lose();
  only.connect(50_000);
  only.register();
  t.is(lab.store.all(BINDING, 'aor', '1004').length, 1);
});

test('RFC 5626 6: a proxy that knows nothing of it is 439', (t) => {
  const { alice } = two();
  const two_vias = 'Via: SIP/2.0/TCP 198.51.100.1:5060;branch=z9hG4bKedge\r\n';
  t.is(alice.register(two_vias).status, 439);
  t.is(alice.register(`${two_vias}Path: <sip:198.51.100.1;lr;ob>\r\n`).status, 200);
});

// ── a switchover ───────────────────────────────────────────────────────────────────────────────

for (const transport of ['tcp', 'tls', 'ws', 'wss'] as const) {
  test(`${transport}: killed while it rings: the answer comes by the new connection`, (t) => {
    const { lab, alice, bob, invite, toBob } = ringing(transport);
    lab.swap(true);
    alice.connect(50_001);
    bob.connect(50_002);
    alice.register();
    t.is(heard(alice), '', 'what was said is what a returning phone has missed, and no more');
    bob.register();
    bob.reply(toBob, 200, 'bt', SDP('bob'));
    const ok = alice.take();
    t.is(ok.status, 200);
    t.is(heard(bob), 'ACK');
    alice.ack(invite, ok);
    alice.send(alice.inDialog('BYE', invite, ok));
    t.is(heard(alice), '200 BYE');
    bob.reply(bob.take(), 200, 'bt');
    lab.pass(40_000);
    t.is(lab.store.count(LEG), 0);
  });
}

test('the caller that comes back hears at once that it rings', (t) => {
  const { lab, alice } = ringing();
  lab.swap(true);
  alice.connect(50_001);
  alice.send(
    alice.request('REGISTER', 'sip:192.0.2.10', {
      to: alice.aor,
      extra: `Contact: <${alice.contact}>;+sip.instance="<urn:uuid:1001>";reg-id=1\r\n`,
      contact: false,
    }),
  );
  t.is(heard(alice), '180 INVITE, 200 REGISTER');
});

test('an INVITE that nobody has heard is said again by the connection that comes back', (t) => {
  const { lab, alice, bob } = two();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  lab.swap(true);
  t.is(heard(bob), '', 'no connection, no word');
  bob.connect(50_002);
  bob.send(
    bob.request('REGISTER', 'sip:192.0.2.10', {
      to: bob.aor,
      extra: `Contact: <${bob.contact}>;+sip.instance="<urn:uuid:1002>";reg-id=1\r\n`,
      contact: false,
    }),
  );
  t.is(heard(bob), 'INVITE sdp, 200 REGISTER');
});

test('a BYE that was in flight reaches the phone that comes back; the call ends', (t) => {
  const { lab, alice, bob, invite, ok } = talking();
  alice.send(alice.inDialog('BYE', invite, ok));
  lab.swap(true);
  bob.connect(50_002);
  bob.register();
  const again = lab.log.filter((s) => s.port === 50_002 && s.text.startsWith('BYE'));
  t.is(again.length, 1);
  const first = lab.log.find((s) => s.port === 40_000 && s.text.startsWith('BYE'));
  t.is(again[0]?.text, first?.text, 'the same octets');
});

test('a CANCEL that was in flight, or is said meanwhile, reaches the phone that comes back', (t) => {
  for (const before of [true, false]) {
    const { lab, alice, bob, invite } = ringing();
    if (before) alice.cancel(invite);
    lab.swap(true);
    const by = { transport: 'tcp', ip: bob.ip, port: bob.port } as const;
    alice.connect(50_001);
    alice.register();
    if (!before) alice.cancel(invite);
    lab.cx.now = lab.now;
    unreachable(lab.cx, by);
    bob.connect(50_002);
    bob.register();
    const said = lab.log.filter((s) => s.port === 50_002).map((s) => s.text.split(' ')[0]);
    // by the INVITE a final answer is asked for that may have gone down with the connection
    t.deepEqual(said, ['INVITE', 'CANCEL', 'SIP/2.0'], 'and the answer to REGISTER');
  }
});

test('a 200 that was never acknowledged is said again at once, and its ACK is found', (t) => {
  const { lab, alice, bob, invite, toBob } = ringing();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  lab.swap(true);
  alice.connect(50_001);
  alice.register();
  const said = lab.log.filter((s) => s.port === 50_001 && s.text.startsWith('SIP/2.0 200'));
  t.true(said.length >= 2, 'the 200 to INVITE and that to REGISTER');
  lab.air = [];
  lab.pass(1100);
  const ok = alice.inbox().find((m) => m.cseqMethod === 'INVITE') as SipMessage;
  alice.ack(invite, ok);
  lab.pass(10_000);
  t.is(heard(alice), '');
  t.is([...lab.store.rows(LEG)].length, 2);
});

test('the first request in a dialog re-binds its leg, without any registration', (t) => {
  const { lab, alice, bob, invite, toBob, ok } = talking();
  lab.swap(true);
  alice.connect(50_001);
  bob.connect(50_002);
  alice.send(alice.inDialog('INFO', invite, ok, { contact: false }));
  bob.send(bob.backward('INFO', toBob, 'bt', { contact: false }));
  alice.reply(alice.take(), 200, 't1001');
  bob.reply(bob.inbox()[0] as SipMessage, 200, 'bt');
  const legs = [...lab.store.rows(LEG)].map((leg) => leg.port);
  t.deepEqual(legs, [50_001, 50_002]);
  alice.inbox();
  bob.inbox();
  bob.send(bob.backward('BYE', toBob, 'bt'));
  t.is(heard(alice), 'BYE', 'requests of ours use the new connection');
});

test('a response by a new connection re-binds too', (t) => {
  const { lab, alice, bob, toBob } = ringing();
  lab.swap(true);
  alice.connect(50_001);
  alice.register();
  bob.connect(50_002);
  // a phone repeats its 200 by a connection it makes for that (RFC 3261 18.2.2)
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  t.is(heard(bob), 'ACK');
});

test('a registration moves the legs of its own phone, and of nobody behind the same connection', (t) => {
  const lab = new Lab(SETTINGS);
  const desk = new Peer(lab, '1009', '192.0.2.9');
  lab.register(desk);
  const one = new Phone(lab, '1001', '192.0.2.1');
  const two = new Phone(lab, '1002', '192.0.2.1');
  one.register();
  two.register();
  for (const phone of [one, two]) {
    phone.send(
      phone.request('INVITE', 'sip:1009@192.0.2.10', { body: SDP('x'), callId: phone.user }),
    );
  }
  one.connect(50_000);
  one.register();
  const callers = [...lab.store.rows(LEG)].filter((leg) => leg.side === 'caller');
  t.deepEqual(
    callers.map((leg) => [leg.callId, leg.port]),
    [
      ['1001', 50_000],
      ['1002', 40_000],
    ],
  );
});

// ── no way ─────────────────────────────────────────────────────────────────────────────────────

test('a phone that listens where it is is connected to; one that lies elsewhere is not', (t) => {
  const lab = new Lab(SETTINGS);
  const alice = new Phone(lab, '1001', '192.0.2.1');
  const bob = new Phone(lab, '1002', '192.0.2.2', 'tcp', '192.0.2.2:5062');
  const eve = new Phone(lab, '1003', '192.0.2.3', 'tcp', '198.51.100.66:25');
  for (const phone of [alice, bob, eve]) phone.register();
  lab.swap(true);
  alice.connect(50_001);
  alice.register();
  for (const to of ['1002', '1003']) {
    alice.send(
      alice.request('INVITE', `sip:${to}@192.0.2.10`, { body: SDP('alice'), callId: `to${to}` }),
    );
  }
  const invites = lab.log.filter((s) => s.text.startsWith('INVITE'));
  t.deepEqual(
    invites.map((s) => `${s.ip} ${s.port}`),
    ['192.0.2.2 5062', '192.0.2.3 40000'],
  );
});

test('a phone whose Contact in the dialog names its dead connection is called where it registered', (t) => {
  for (const dials of [true, false]) {
    const lab = new Lab(SETTINGS);
    const alice = new Phone(lab, '1001', '192.0.2.1', 'tcp', '192.0.2.1:5062');
    const bob = new Peer(lab, '1002', '192.0.2.2');
    alice.register();
    lab.register(bob);
    // as many do: in dialogs it says the port of its connection
    alice.listens = '';
    const [from, to] = dials ? [alice, bob] : [bob, alice];
    const invite = from.request('INVITE', `sip:${to.user}@192.0.2.10`, { body: SDP('x') });
    from.send(invite);
    const got = to.take();
    to.reply(got, 200, 'tt', SDP('y'));
    const ok = from.inbox().at(-1) as SipMessage;
    from.ack(invite, ok);
    lab.swap(true);
    const text = dials
      ? bob.backward('INVITE', got, 'tt', { body: SDP('again') })
      : bob.inDialog('INVITE', invite, ok, { body: SDP('again') });
    bob.send(text);
    const re = lab.log.at(-1);
    t.regex(re?.text ?? '', /^INVITE sip:100\d@192\.0\.2\.1:40000;transport=tcp /);
    t.is(`${re?.ip} ${re?.port}`, '192.0.2.1 5062', 'the Contact of its registration');
    // the ACK to its answer goes by the connection that was made for the INVITE
    alice.connect(5062);
    alice.reply(alice.inbox().at(-1) as SipMessage, 200, 'tt', SDP('z'));
    t.is(heard(alice), 'ACK');
    // and once more
    lab.swap(true);
    bob.send(dials ? bob.backward('BYE', got, 'tt') : bob.inDialog('BYE', invite, ok));
    const bye = lab.log.at(-1);
    t.regex(bye?.text ?? '', /^BYE /);
    t.is(`${bye?.ip} ${bye?.port}`, '192.0.2.1 5062');
  }
});

test('RFC 3262 3 a reliable 183 whose connection is gone is repeated to the sent-by port', (t) => {
  const { lab, alice, bob } = two();
  alice.send(
    alice
      .request('INVITE', 'sip:1002@192.0.2.10', {
        body: SDP('alice'),
        extra: 'Supported: 100rel\r\n',
        // it says where it listens, and calls by another port
        branch: 'z9hG4bKlistens',
      })
      .replace('192.0.2.1:40000;branch', '192.0.2.1:5062;branch'),
  );
  alice.inbox();
  bob.reply(bob.take(), 183, 'bt', SDP('bob'), 'Require: 100rel\r\nRSeq: 1\r\n');
  t.is(heard(alice), '183 INVITE sdp');
  lab.swap(true);
  lab.pass(2000);
  const again = lab.log.at(-1);
  t.regex(again?.text ?? '', /^SIP\/2\.0 183 /);
  t.is(`${again?.ip} ${again?.port}`, '192.0.2.1 5062');
});

test('RFC 3261 18.2.2: a response whose connection is gone goes to received and the sent-by port', (t) => {
  const { lab, alice, bob, toBob } = ringing();
  alice.lose();
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  const sent = lab.log.at(-2);
  t.deepEqual(
    lab.log.filter((s) => s.ip === alice.ip && s.text.startsWith('SIP/2.0 200 Phone')).length,
    1,
    sent?.text,
  );
  const ok = lab.log.find((s) => s.text.startsWith('SIP/2.0 200 Phone'));
  // Via of the test's phones says the address and port of its connection when it began
  t.is(`${ok?.transport} ${ok?.ip} ${ok?.port}`, 'tcp 192.0.2.1 40000');
});

test('a phone that cannot be reached is waited for, but not as long as one that may be asleep', (t) => {
  const { lab, alice, bob } = two();
  bob.lose();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  lab.cx.now = lab.now;
  unreachable(lab.cx, { transport: 'tcp', ip: bob.ip, port: 40_000 });
  lab.pass(11_900);
  t.is(heard(alice), '100 INVITE');
  lab.pass(200);
  t.is(heard(alice), '408 INVITE');
});

test('the same phone back in time is called', (t) => {
  const { lab, alice, bob } = two();
  bob.lose();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  lab.cx.now = lab.now;
  unreachable(lab.cx, { transport: 'tcp', ip: bob.ip, port: 40_000 });
  lab.pass(5000);
  lab.air = [];
  bob.connect(50_002);
  bob.send(
    bob.request('REGISTER', 'sip:192.0.2.10', {
      to: bob.aor,
      extra: `Contact: <${bob.contact}>;+sip.instance="<urn:uuid:1002>";reg-id=1\r\n`,
      contact: false,
    }),
  );
  const [invite] = bob.inbox();
  t.is(invite?.method, 'INVITE');
  bob.reply(invite as SipMessage, 200, 'bt', SDP('bob'));
  t.true(heard(alice).includes('200 INVITE sdp'));
});
