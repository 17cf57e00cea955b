/** RFC 3261 18.1.1: requests too large for UDP, to phones that have a connection besides. */

import test from 'ava';
import { unreachable } from '../../src/call/flow.ts';
import { LEG } from '../../src/call/rows.ts';
import { CTX } from '../../src/proto/sip/rows.ts';
import { H } from '../../src/sip-parser/index.ts';
import { heard, type Lab, Peer, pair, SDP } from './call-lab.ts';

const LARGE = `${SDP('alice')}${'a=candidate:1 1 UDP 1 192.0.2.9 4000 typ host\r\n'.repeat(30)}`;

/** bob's connection. */
class Connection extends Peer {
  /** In its dialogs it stays who it is over UDP. */
  override get contact(): string {
    return `sip:${this.user}@${this.ip}:5060`;
  }

  override send(text: string): void {
    this.lab.receive(this.ip, this.port, text.replace('SIP/2.0/UDP', 'SIP/2.0/TCP'), 'tcp');
  }
}

function connected(lab: Lab, bob: Peer, instance = '', ip = bob.ip): Connection {
  const tcp = new Connection(lab, bob.user, ip, 40_000);
  lab.flows.add(`tcp ${ip} 40000`);
  const param = instance === '' ? '' : `;+sip.instance="<${instance}>"`;
  const contact = `<sip:1002@${ip}:40000;transport=tcp>${param}`;
  tcp.send(
    tcp.request('REGISTER', 'sip:192.0.2.10', {
      to: bob.aor,
      callId: 'by-tcp',
      extra: `Contact: ${contact};expires=600;q=0.1\r\n`,
      contact: false,
    }),
  );
  if (tcp.take().status !== 200) throw new Error('not registered');
  return tcp;
}

function call(body: string, ip?: string) {
  const p = pair();
  const tcp = connected(p.lab, p.bob, '', ip);
  const invite = p.alice.request('INVITE', 'sip:1002@192.0.2.10', { body });
  p.alice.send(invite);
  return { ...p, tcp, invite };
}

test('a request of more than 1300 bytes goes by the connection of the same phone', (t) => {
  const { lab, alice, bob, tcp, invite } = call(LARGE);
  const udp = [...lab.store.rows(LEG)].find((leg) => leg.transport === 'udp' && leg.binding !== 0);
  t.truthy(udp);
  const both = tcp.inbox();
  t.is(both.length, 2, 'its two contacts');
  t.is(heard(bob), '');
  const own = both.find((m) => m.callId === udp?.callId);
  if (own === undefined) return t.fail();
  t.regex(own.header(H.Via) ?? '', /^SIP\/2\.0\/TCP /);
  lab.pass(3000);
  t.is(heard(bob) + heard(tcp), '', '17.1.1.2: it is not repeated');
  tcp.reply(own, 200, 'bt', SDP('bob'));
  t.regex(heard(alice), /200 INVITE sdp$/);
  t.is(heard(bob), 'ACK', 'what is small goes where it always went');
  alice.cancel(invite);
});

test('a small one does not, nor does one to a phone whose connection is elsewhere or gone', (t) => {
  t.is(heard(call(SDP('alice')).bob), 'INVITE sdp');
  t.is(heard(call(LARGE, '192.0.2.77').bob), 'INVITE sdp');
  const { lab, alice, bob } = pair();
  connected(lab, bob);
  lab.flows.clear();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: LARGE }));
  t.is(heard(bob), 'INVITE sdp');
});

test('inside a dialog too; a connection that is gone: UDP after all', (t) => {
  for (const how of ['switchover', 'no way']) {
    const { lab, alice, bob } = pair();
    const invite = bob.request('INVITE', 'sip:1001@192.0.2.10', { body: SDP('bob') });
    bob.send(invite);
    const toAlice = alice.take();
    alice.reply(toAlice, 200, 'at', SDP('alice'));
    const ok = bob.inbox().at(-1);
    if (ok === undefined) return t.fail();
    bob.ack(invite, ok);
    alice.take();
    const tcp = connected(lab, bob);
    alice.send(alice.backward('INVITE', toAlice, 'at', { body: LARGE }));
    t.is(heard(tcp), 'INVITE sdp');
    t.is(heard(bob), '');
    if (how === 'switchover') lab.swap(true);
    else {
      lab.flows.clear();
      lab.cx.now = lab.now;
      unreachable(lab.cx, { transport: 'tcp', ip: bob.ip, port: 40_000 });
    }
    const again = bob.take();
    t.is(again.method, 'INVITE');
    t.regex(again.header(H.Via) ?? '', /^SIP\/2\.0\/UDP /);
    lab.pass(600);
    t.is(heard(bob), 'INVITE sdp', 'and is repeated as UDP needs it');
    bob.reply(again, 200, 't1002', SDP('held'));
    t.is(heard(bob), 'ACK');
    t.true([...lab.store.rows(CTX)].every((ctx) => ctx.transport === 'udp'));
  }
});
