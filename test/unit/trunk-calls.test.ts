/**
 * Calls by trunks: which one, with which number and whose identity, what is tried when it fails, what
 * may come in by it, and what no rule may refuse.
 */

import test from 'ava';
import { BINDING, LEG } from '../../src/call/rows.ts';
import { HUNT } from '../../src/call/trunk-rows.ts';
import { H } from '../../src/sip-parser/index.ts';
import { heard, SDP, uriIn } from './call-lab.ts';
import { dial, inviteIn, site, statuses, trunk } from './trunk-lab.ts';

const ONE = trunk('one', ['sip:192.0.2.30'], { prefixes: ['0'], priority: 1 });
const TWO = trunk('two', ['sip:192.0.2.31'], { prefixes: ['0'], priority: 2 });

test('a call goes out with the number, the name and the identity the trunk wants', (t) => {
  const out = trunk('one', ['sip:192.0.2.30:5070'], {
    prefixes: ['0'],
    rewrite: { strip: 1, prepend: '49' },
    format: 'plus',
    domain: 'carrier.example',
    callerId: { prefix: '+4930123', number: '', anonymous: false, trusted: true, diversion: false },
  });
  const { lab, alice, g1 } = site({ trunks: [out] });
  dial(alice, '0301234', 'Diversion: <sip:1002@x>\r\nHistory-Info: <sip:1@x>;index=1\r\n');
  const at = lab.air.find((s) => s.ip === '192.0.2.30');
  t.is(at?.port, 5070);
  t.regex(at?.text ?? '', /^INVITE sip:\+49301234@carrier\.example SIP/);
  t.regex(at?.text ?? '', /\r\nFrom: "1001" <sip:\+49301231001@carrier\.example>;tag=/);
  t.regex(at?.text ?? '', /\r\nTo: <sip:\+49301234@carrier\.example>\r\n/);
  t.regex(at?.text ?? '', /P-Asserted-Identity: "1001" <sip:\+49301231001@carrier\.example>\r\n/);
  t.notRegex(at?.text ?? '', /Diversion|History-Info/);
  t.is(g1.inbox().length, 0);
});

test('RFC 3323, 3325: privacy is honoured, and identity stays within the Trust Domain', (t) => {
  const far = trunk('far', ['sip:192.0.2.31'], {
    prefixes: ['9'],
    callerId: { prefix: '', number: '', anonymous: false, trusted: false, diversion: true },
  });
  const { alice, g1, g2 } = site({ trunks: [ONE, far] });
  const claim = 'P-Asserted-Identity: <sip:president@x>\r\n';
  dial(alice, '01', `Privacy: id\r\n${claim}`);
  const near = inviteIn(g1);
  t.regex(near?.header(H.From) ?? '', /^"Anonymous" <sip:anonymous@anonymous\.invalid>/);
  t.regex(near?.header(H.PAssertedIdentity) ?? '', /<sip:1001@/);
  t.is(near?.header(H.Privacy), 'id');
  dial(alice, '91', `${claim}Diversion: <sip:1002@x>;reason=unconditional\r\n`);
  const away = inviteIn(g2);
  t.is(away?.header(H.PAssertedIdentity), undefined);
  t.regex(away?.header(H.From) ?? '', /<sip:1001@/);
  t.regex(away?.header(H.Diversion) ?? '', /1002/);
  dial(alice, '92', 'Privacy: id\r\n');
  t.regex(inviteIn(g2)?.header(H.From) ?? '', /anonymous\.invalid/);
});

test('503, 500, 408: the next trunk; what the callee says is final', (t) => {
  const { lab, alice, g1, g2 } = site({ trunks: [TWO, ONE] });
  dial(alice, '01');
  g1.reply(inviteIn(g1) as never, 503, 'x');
  t.regex(statuses(g1), /ACK/);
  const second = inviteIn(g2);
  t.truthy(second);
  t.is(lab.store.count(HUNT), 0);
  g2.reply(second as never, 486, 'y');
  t.is(statuses(alice), '100,486');
  dial(alice, '02');
  g1.reply(inviteIn(g1) as never, 404, 'x');
  t.is(g2.inbox().filter((m) => m.method === 'INVITE').length, 0);
  t.is(statuses(alice), '100,404');
  t.is(lab.store.count(HUNT), 0);
  dial(alice, '03');
  g1.reply(inviteIn(g1) as never, 500, 'x');
  g2.reply(inviteIn(g2) as never, 503, 'y');
  t.is(statuses(alice), '100,500', 'a 503 passed on would mean us (RFC 3261 16.7)');
  lab.pass(300_000);
  t.is(lab.store.count(LEG), 0);
});

test('nothing heard: the next one is tried, and the silent INVITE is withdrawn when it is heard of', (t) => {
  const { lab, alice, g1, g2 } = site({ trunks: [ONE, TWO] });
  const invite = dial(alice, '01');
  const silent = inviteIn(g1);
  lab.pass(3900);
  t.is(g2.inbox().length, 0);
  lab.pass(200);
  const second = inviteIn(g2);
  t.truthy(second);
  g1.inbox();
  g1.reply(silent as never, 100, '');
  t.is(statuses(g1), 'CANCEL');
  g2.reply(second as never, 200, 'b', SDP('g2'));
  const ok = alice.inbox().at(-1);
  t.is(ok?.status, 200);
  alice.ack(invite, ok as never);
  // who was silent is not first in line for a while
  dial(alice, '02');
  t.truthy(inviteIn(g2));
  t.is(inviteIn(g1), undefined);
});

test('a silent trunk that answers after all has the call when nobody else does', (t) => {
  const { lab, alice, g1, g2 } = site({ trunks: [ONE, TWO] });
  dial(alice, '01');
  const silent = inviteIn(g1);
  lab.pass(4100);
  const second = inviteIn(g2);
  g1.inbox();
  g1.reply(silent as never, 200, 'late', SDP('g1'));
  t.is(statuses(g1), 'ACK');
  g2.reply(second as never, 180, 'b');
  t.is(statuses(g2), 'CANCEL');
  t.is(statuses(alice), '100,200');
});

test('a provisional answer is patience; ringing may still move on', (t) => {
  const { lab, alice, g1, g2 } = site({ trunks: [ONE, TWO] });
  dial(alice, '01');
  const first = inviteIn(g1);
  g1.reply(first as never, 100, '');
  lab.pass(20_000);
  t.is(g2.inbox().length, 0);
  g1.reply(first as never, 183, 'x', SDP('early'));
  g1.reply(first as never, 503, 'x');
  t.truthy(inviteIn(g2));
  t.is(statuses(alice), '100,183');
});

test('backup contacts come before the next trunk', (t) => {
  const both = trunk('one', ['sip:192.0.2.30', 'sip:192.0.2.32'], { prefixes: ['0'], priority: 1 });
  const { alice, g1, g2, g3 } = site({ trunks: [both, TWO] });
  dial(alice, '01');
  g1.reply(inviteIn(g1) as never, 503, 'x');
  const backup = inviteIn(g3);
  t.truthy(backup);
  t.is(g2.inbox().length, 0);
  g3.reply(backup as never, 503, 'x');
  t.truthy(inviteIn(g2));
});

test('the caller who gives up ends the hunt', (t) => {
  const { lab, alice, g1, g2 } = site({ trunks: [ONE, TWO] });
  const invite = dial(alice, '01');
  const first = inviteIn(g1);
  g1.reply(first as never, 180, 'x');
  alice.cancel(invite);
  t.is(lab.store.count(HUNT), 0);
  t.is(statuses(g1), 'CANCEL');
  g1.reply(first as never, 503, 'x');
  t.is(g2.inbox().length, 0);
  t.is(statuses(alice), '100,180,200,487');
});

test('capacity counts both directions; full means the next trunk, then Q.850 cause 34', (t) => {
  const small = { ...ONE, capacity: 2 };
  const { lab, alice, bob, g1, g2 } = site({ trunks: [small, { ...TWO, capacity: 1 }] });
  g1.send(g1.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('g1') }));
  bob.inbox();
  dial(alice, '01');
  t.truthy(inviteIn(g1));
  dial(alice, '02');
  t.is(inviteIn(g1), undefined);
  t.truthy(inviteIn(g2));
  alice.inbox();
  dial(alice, '03');
  const no = alice.take();
  t.is(no.status, 480);
  t.regex(no.header(H.Reason) ?? '', /Q\.850;cause=34/);
  t.is(lab.store.all(LEG, 'trunk', 'one').length, 2);
});

test('trunks of a group take turns', (t) => {
  const { alice, g1, g2, g3 } = site({
    trunks: [
      trunk('a', ['sip:192.0.2.30']),
      trunk('b', ['sip:192.0.2.31']),
      trunk('c', ['sip:192.0.2.32']),
    ],
    groups: [{ name: 'g', trunks: ['a', 'b', 'c'], order: 'round-robin' }],
    rules: [{ match: '0.', to: ['g'], strip: 1, prepend: '', replace: '', refuse: 0 }],
  });
  const order: string[] = [];
  for (let i = 0; i < 7; i += 1) {
    dial(alice, `0${i}`);
    for (const g of [g1, g2, g3]) {
      const got = inviteIn(g);
      if (got === undefined) continue;
      order.push(g.user);
      t.regex(got.requestUri, new RegExp(`^sip:${i}@`));
      g.reply(got, 486, 'x');
    }
  }
  t.is(order.join(), 'g1,g2,g3,g1,g2,g3,g1');
});

test('a class of service bars; who is no extension of an open site calls extensions only', (t) => {
  const { lab, alice, bob, g1 } = site({
    trunks: [ONE],
    classes: { local: { allow: ['03.'], deny: [] } },
    extensions: {
      '1001': {
        classOfService: 'local',
        contact: '',
        password: undefined,
        name: '',
        callerId: '',
        mwi: false,
      },
    },
  });
  dial(alice, '0900');
  t.is(statuses(alice), '403');
  t.is(lab.counters.get('callsBarred'), 1);
  dial(alice, '0301');
  t.truthy(inviteIn(g1));
  dial(bob, '0900');
  t.truthy(inviteIn(g1));
  const stranger = { ...alice, user: '7777' };
  Object.setPrototypeOf(stranger, Object.getPrototypeOf(alice));
  dial(stranger as never, '0301');
  t.is(inviteIn(g1), undefined);
});

test('emergency: no password, no class, no capacity, no overload, no service check stands in the way', (t) => {
  const { lab, alice, bob, g1 } = site(
    {
      trunks: [
        {
          ...ONE,
          capacity: 1,
          options: { periodS: 10, forceS: 2, recoveryS: 10 },
          callerId: { ...ONE.callerId, anonymous: true, prefix: '+4930' },
        },
      ],
      defaultClass: 'internal',
      emergency: {
        numbers: [
          { match: '112', as: '' },
          { match: '0112', as: '112' },
        ],
        to: [],
      },
    },
    { auth: true, maxCalls: 1 },
  );
  lab.pass(3000);
  g1.inbox();
  const where = 'Geolocation: <cid:a@x>\r\nGeolocation-Routing: yes\r\nPrivacy: id\r\n';
  dial(alice, '0112', where);
  const help = inviteIn(g1);
  t.regex(help?.requestUri ?? '', /^sip:112@/);
  t.regex(help?.text ?? '', /\r\nGeolocation: <cid:a@x>\r\nGeolocation-Routing: yes\r\n/i);
  t.notRegex(help?.header(H.From) ?? '', /anonymous\.invalid/);
  dial(bob, '112');
  t.truthy(inviteIn(g1));
  t.is(lab.counters.get('callsEmergency'), 2);
  // RFC 5031: by service, without a number
  const sos = { body: SDP('a'), callId: 'sos@alice' };
  alice.send(alice.request('INVITE', 'urn:service:sos.fire', sos));
  t.regex(inviteIn(g1)?.requestUri ?? '', /^sip:112@/);
  t.true(lab.told.some((line) => line.includes('emergency call to 0112')));
  bob.inbox();
  dial(bob, '1001');
  t.is(statuses(bob), '503');
});

test('from a trunk: by its address, its prefix stripped, identity believed, no way out again', (t) => {
  const inbound = { ...ONE.inbound, prefix: '+4930123' };
  const { lab, bob, g1, g2, g3 } = site({ trunks: [{ ...ONE, inbound }, TWO] }, { auth: true });
  const invite = (peer: typeof g1, to: string, extra = ''): void => {
    peer.send(
      peer.request('INVITE', `sip:${to}@192.0.2.10`, {
        body: SDP('g'),
        callId: `${to}-${peer.cseq}-${peer.user}`,
        extra,
      }),
    );
  };
  // bob registers with his password elsewhere; here his contact is put in place by hand
  lab.store.insert(BINDING, {
    aor: '1002',
    contact: bob.contact,
    ip: bob.ip,
    port: bob.port,
    expiresAt: lab.now + 100_000,
  });
  invite(g1, '+49301231002', 'P-Asserted-Identity: "Ann" <tel:+4940555>\r\n');
  const rings = inviteIn(bob);
  t.is(rings?.header(H.PAssertedIdentity), '"Ann" <tel:+4940555>');
  invite(g1, '1002', 'Privacy: id\r\nP-Asserted-Identity: <tel:+4940555>\r\n');
  t.is(inviteIn(bob)?.header(H.PAssertedIdentity), undefined);
  g1.inbox();
  invite(g1, '0301');
  t.is(statuses(g1), '403', 'a trunk is no way to another one');
  invite(g3, '1002', 'P-Asserted-Identity: <tel:+1>\r\n');
  t.is(statuses(g3), '407', 'who is not known is a phone');
  t.is(g2.inbox().length, 0);
});

test('what came by a trunk does not go back by it; our own number stays inside', (t) => {
  const own = {
    ...ONE,
    classOfService: 'all',
    inbound: { ...ONE.inbound, prefix: '030123' },
  };
  const { alice, bob, g1 } = site({ trunks: [own] });
  g1.send(g1.request('INVITE', 'sip:0555@192.0.2.10', { body: SDP('g') }));
  t.is(statuses(g1), '482');
  dial(alice, '0301231002');
  t.truthy(inviteIn(bob));
  t.is(g1.inbox().length, 0);
});

test('a static contact rings without REGISTER, beside what is registered', (t) => {
  const { alice, g1, bob } = site({
    extensions: {
      '1002': {
        classOfService: '',
        contact: 'sip:door@192.0.2.30',
        password: undefined,
        name: '',
        callerId: '',
        mwi: false,
      },
      '2500': {
        classOfService: '',
        contact: 'sip:fax@192.0.2.30',
        password: undefined,
        name: '',
        callerId: '',
        mwi: false,
      },
    },
  });
  dial(alice, '1002');
  t.is(inviteIn(g1)?.requestUri, 'sip:door@192.0.2.30');
  t.truthy(inviteIn(bob));
  dial(alice, '2500');
  t.is(inviteIn(g1)?.requestUri, 'sip:fax@192.0.2.30');
});

test('in a dialog by a trunk: hold and BYE reach the other side, and the channel is free', (t) => {
  const { lab, alice, g1 } = site({ trunks: [ONE] });
  const invite = dial(alice, '01');
  const got = inviteIn(g1);
  g1.reply(got as never, 200, 'gt', SDP('g'));
  const ok = alice.inbox().at(-1);
  alice.ack(invite, ok as never);
  g1.inbox();
  t.regex(uriIn(ok?.header(H.To) ?? ''), /^sip:01@/);
  alice.send(alice.inDialog('INVITE', invite, ok as never, { body: SDP('hold'), cseq: 9 }));
  t.is(heard(g1), 'INVITE sdp');
  g1.send(g1.backward('BYE', got as never, 'gt', { contact: false }));
  t.is(statuses(g1), '200');
  lab.pass(100_000);
  t.is(lab.store.all(LEG, 'trunk', 'one').length, 0);
});
