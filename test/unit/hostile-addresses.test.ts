/**
 * Addresses that strangers give us: none of them makes us a scanner of ports, a mirror that makes
 * packets larger, or a cannon; and what is kept of strangers is short.
 */

import test from 'ava';
import { BINDING } from '../../src/call/rows.ts';
import { readConfig } from '../../src/edge/config.ts';
import { sipSettings } from '../../src/proto/context.ts';
import { isOurs, literalHop, nextHop } from '../../src/proto/sip/address.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, Peer, pair, SDP } from './call-lab.ts';

const URI = 'sip:192.0.2.10';
const OWN = ['192.0.2.11', '192.0.2.12', '169.254.77.1', '169.254.77.2', '2001:db8::11'];
const SETTINGS = sipSettings({ vip: '192.0.2.10', vip6: '2001:db8::10', nonceKey: 'k', own: OWN });
const SOURCE = { transport: 'udp', ip: '192.0.2.1', port: 5060 } as const;

test('an address has one text, so that ours is known however it is written', (t) => {
  for (const [uri, ip] of [
    ['sip:a@[2001:DB8:0:0::10]', '2001:db8::10'],
    ['sip:a@[2001:0db8::0010]:5060', '2001:db8::10'],
    ['sip:a@[::ffff:192.0.2.10]', '192.0.2.10'],
    ['sip:a@[::ffff:c000:20a]', '192.0.2.10'],
    ['sip:a@[0:0:0:0:0:0:0:1]', '::1'],
  ] as const) {
    t.is(literalHop(uri)?.ip, ip, uri);
  }
  for (const uri of [
    'sip:a@[zz]',
    'sip:a@[fe80::1%25eth0]',
    'sip:a@192.0.02.10',
    'sip:a@01.2.3.4',
  ]) {
    t.is(literalHop(uri), undefined, uri);
  }
});

test('nobody is sent to the boxes themselves, however the address is written', (t) => {
  const all = [
    '192.0.2.10',
    '[2001:DB8::10]',
    '[::ffff:192.0.2.11]',
    ...OWN.map((ip) => (ip.includes(':') ? `[${ip}]` : ip)),
  ];
  for (const host of all) {
    for (const port of ['', ':5405', ':5406', ':9']) {
      t.is(nextHop(SETTINGS, `sip:a@${host}${port}`, SOURCE, false), SOURCE, host + port);
    }
  }
  for (const ip of OWN) t.true(isOurs(SETTINGS, ip));
});

test('a box knows all addresses of the pair from its configuration', (t) => {
  const config = readConfig({
    box: 'a',
    redundancy: 'hot-standby',
    lan: { interface: 'lan0', address: '192.0.2.11', prefix: 24, peerAddress: '192.0.2.12' },
    crossover: { interface: 'x0', address: '169.254.77.1', peerAddress: '169.254.77.2' },
    vip: { address: '192.0.2.10', more: ['192.0.2.9', '2001:db8::10', '2001:db8::11'] },
    sip: {},
    users: { from: 1000, to: 1999 },
    data: '/data',
    control: '/run/control.sock',
    key: '11'.repeat(32),
  });
  if (!('node' in config)) return t.fail(JSON.stringify(config));
  for (const ip of [...OWN, '192.0.2.10', '192.0.2.9', '2001:db8::10']) {
    t.true(isOurs(config.node.sip, ip), ip);
  }
});

test('no scanner of ports: a third party is spoken to at ports that programs of users have', (t) => {
  for (const uri of [
    'sip:a@10.0.0.1:22',
    'sip:a@10.0.0.1:80;transport=tcp',
    'sips:a@10.0.0.1:443',
  ]) {
    t.is(nextHop(SETTINGS, uri, SOURCE, false), SOURCE, uri);
  }
  for (const host of ['169.254.169.254', '[fe80::1]', '169.254.1.1:5060']) {
    t.is(nextHop(SETTINGS, `sip:a@${host}`, SOURCE, false), SOURCE, host);
  }
  t.is(nextHop(SETTINGS, 'sip:a@192.0.2.1:443', SOURCE, false).port, 443, 'his own affair');
  t.is(nextHop(SETTINGS, 'sip:a@10.0.0.1:5061;transport=tcp', SOURCE, false).ip, '10.0.0.1');
  const near = { ...SOURCE, ip: '169.254.3.4' };
  t.is(nextHop(SETTINGS, 'sip:a@169.254.3.4:5070', near, false).port, 5070);
});

for (const [name, header] of [
  ['Record-Route', 'Record-Route: <sip:192.0.2.11:5406;lr>\r\n'],
  ['Record-Route at a well-known port', 'Record-Route: <sip:10.0.0.1:25;lr>\r\n'],
  ['Via', ''],
] as const) {
  test(`${name} that leads to a service which is not SIP: the phone is spoken to where it is`, (t) => {
    const { lab, alice, bob } = pair({ own: OWN });
    const sent = lab.log.length;
    const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', {
      body: SDP('a'),
      extra: header,
    });
    alice.send(
      name === 'Via' ? invite.replace('UDP 192.0.2.1:5060', 'UDP 192.0.2.11:5406') : invite,
    );
    bob.reply(bob.take(), 200, 'bt', SDP('b'));
    lab.pass(40_000);
    t.regex(heard(alice), /BYE/);
    for (const { ip } of lab.log.slice(sent)) t.regex(ip, /^192\.0\.2\.[12]$/);
  });
}

test('Path that leads to us is not followed', (t) => {
  const { lab, alice, bob } = pair({ own: OWN });
  const extra = `Contact: <${bob.contact}>\r\nPath: <sip:192.0.2.11:5405;lr>\r\nSupported: path\r\n`;
  bob.send(bob.request('REGISTER', URI, { to: bob.aor, extra, contact: false }));
  t.is(bob.take().status, 200);
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10'));
  t.is(heard(bob), 'INVITE');
  t.is(lab.air.filter((sent) => sent.ip === '192.0.2.11').length, 0);
});

test('no cannon: on an open site a stranger is notified where he speaks from', (t) => {
  const { lab, bob } = pair();
  const victim = '198.51.100.1';
  const extra = 'Event: dialog\r\n';
  const text = bob.request('SUBSCRIBE', 'sip:1001@192.0.2.10', { callId: 's', extra });
  bob.send(text.replace(/Contact: .*\r\n/, `Contact: <sip:x@${victim}>\r\n`));
  lab.pass(64_000);
  t.is(lab.log.filter((sent) => sent.ip === victim).length, 0);
  t.true(bob.inbox().some((m) => m.method === 'NOTIFY'));
});

type Probe = { readonly name: string; readonly text: string };

/** The shortest requests that can be written, and what a phone would write. */
function probes(): Probe[] {
  const via = 'v:SIP/2.0/UDP 198.51.100.6;branch=z9hG4bK1';
  const short = (method: string, more = ''): string =>
    `${method} sip:1 SIP/2.0\r\n${via}\r\nf:<sip:1@b>;tag=1\r\nt:<sip:1@b>\r\ni:1\r\nCSeq:1 ${method}\r\n` +
    `Max-Forwards:9\r\n${more}\r\n`;
  const methods = [
    'OPTIONS',
    'REGISTER',
    'INVITE',
    'SUBSCRIBE',
    'MESSAGE',
    'PUBLISH',
    'NOTIFY',
    'BYE',
    'FOO',
  ];
  return [
    ...methods.map((name) => ({
      name,
      text: short(name, name === 'INVITE' ? 'm:<sip:a>\r\n' : ''),
    })),
    { name: 'extension', text: short('OPTIONS', `Require: ${'a,'.repeat(40)}b\r\n`) },
    { name: 'no SIP version', text: `OPTIONS sip:1 SIP/9.0\r\n${via}\r\n\r\n` },
    { name: 'garbage', text: '\0'.repeat(100) },
    { name: 'keep-alive', text: '\r\n\r\n' },
  ];
}

for (const auth of [true, false]) {
  test(`amplification: an answer to a stranger is hardly longer than what he sent twice (auth ${auth})`, (t) => {
    const factors: string[] = [];
    for (const { name, text } of probes()) {
      const lab = new Lab({ auth });
      const before = lab.log.length;
      lab.receive('198.51.100.6', 5060, text);
      lab.pass(60_000);
      const out = lab.log.slice(before).reduce((sum, sent) => sum + sent.text.length + 28, 0);
      const factor = out / (text.length + 28);
      factors.push(`${name} ${factor.toFixed(2)}`);
      t.true(factor <= 2.3, `${name}: ${factor}\n${lab.log.map((x) => x.text).join('\n')}`);
    }
    t.log(factors.join(', '));
  });
}

test('a phone of the usual length is offered both algorithms, and one that is known all of OPTIONS', (t) => {
  const lab = new Lab({ auth: true });
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const extra = `Contact: <${bob.contact}>\r\n`;
  bob.send(bob.request('REGISTER', URI, { to: bob.aor, extra, contact: false }));
  t.is(bob.take().values(H.WwwAuthenticate).length, 2);
  lab.cx.guard.know(lab.now, '198.51.100.6');
  lab.receive('198.51.100.6', 5060, (probes()[0] as Probe).text);
  t.true((new Peer(lab, 'x', '198.51.100.6').take() as SipMessage).has(H.Allow));
});

test('what is kept for long is short: no registration or subscription of kilobytes', (t) => {
  const { lab, bob } = pair();
  const long = 'x'.repeat(4500);
  const extra = `Contact: <sip:1002@192.0.2.2;x=${long}>\r\nContact: <sip:1002@192.0.2.2;y=${long}>\r\n`;
  bob.send(bob.request('REGISTER', URI, { to: bob.aor, extra, contact: false }));
  t.is(heard(bob), '513 REGISTER');
  const event = `Event: dialog\r\nRecord-Route: <sip:192.0.2.2;lr;x=${long}>\r\nRecord-Route: <sip:192.0.2.2;lr;x=${long}>\r\n`;
  bob.send(bob.request('SUBSCRIBE', 'sip:1001@192.0.2.10', { callId: 's', extra: event }));
  t.is(heard(bob), '513 SUBSCRIBE');
  t.is(lab.store.count(BINDING), 2);
});
