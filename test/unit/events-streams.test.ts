/** Watchers that come by a connection, which a switchover ends: nothing they are owed is lost. */

import test from 'ava';
import { SUBSCRIPTION } from '../../src/call/events/rows.ts';
import { unreachable } from '../../src/call/flow.ts';
import { Lab, Peer, SDP } from './call-lab.ts';
import { Watcher } from './events-lab.ts';

class TcpWatcher extends Watcher {
  /** It connects anew, from another port. */
  connect(port: number): void {
    this.lab.flows.delete(`tcp ${this.ip} ${this.port}`);
    Object.assign(this, { port });
    this.lab.flows.add(`tcp ${this.ip} ${port}`);
  }

  override send(text: string): void {
    this.lab.receive(this.ip, this.port, text.replace('SIP/2.0/UDP', 'SIP/2.0/TCP'), 'tcp');
  }

  /** What it told the registrar, and tells again whatever its connection is. */
  override get contact(): string {
    return `sip:${this.user}@${this.ip}:40001;transport=tcp`;
  }
}

function scene() {
  const lab = new Lab();
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const carol = new TcpWatcher(lab, '1003', '192.0.2.3', '1002');
  lab.register(alice);
  lab.register(bob);
  carol.connect(40_001);
  lab.register(carol);
  carol.subscribe();
  const ring = (): void => {
    alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
    lab.pass(400);
  };
  return { lab, carol, ring };
}

test('RFC 6665 over TCP: told by the connection it subscribed by', (t) => {
  const { lab, carol, ring } = scene();
  ring();
  t.is(lab.air.find((s) => s.text.startsWith('NOTIFY'))?.transport, 'tcp');
  carol.act();
  t.deepEqual(carol.lamps, ['trying']);
});

test('a NOTIFY that went down with its connection is said again by the next one', (t) => {
  const { lab, carol, ring } = scene();
  ring();
  lab.swap(true);
  t.is(lab.air.filter((s) => s.ip === carol.ip).length, 0, 'it is waited for');
  unreachable(lab.cx, { transport: 'tcp', ip: carol.ip, port: 40_001 });
  t.is(lab.store.count(SUBSCRIPTION), 1, 'a phone is on its way back');
  lab.pass(3000);
  carol.connect(40_002);
  carol.send(
    carol.request('REGISTER', 'sip:192.0.2.10', {
      to: carol.aor,
      extra: 'Expires: 600\r\n',
    }),
  );
  carol.act();
  t.deepEqual(carol.lamps, ['trying']);
  t.deepEqual(carol.complaints, []);
  lab.pass(10_000);
  t.is(lab.store.count(SUBSCRIPTION), 1);
});

test('what changes while nobody is connected is told when he is back', (t) => {
  const { lab, carol, ring } = scene();
  lab.swap(true);
  ring();
  t.is(carol.inbox().length, 1, 'sent where it was last');
  carol.connect(40_002);
  carol.send(
    carol.request('REGISTER', 'sip:192.0.2.10', { to: carol.aor, extra: 'Expires: 600\r\n' }),
  );
  carol.act();
  t.deepEqual(carol.lamps, ['trying']);
});

test('a refresh by a new connection brings the NOTIFY of before along', (t) => {
  const { lab, carol, ring } = scene();
  ring();
  lab.swap(true);
  carol.connect(40_002);
  t.is(carol.subscribe(), 200);
  t.deepEqual(carol.lamps, ['trying']);
  lab.pass(400);
  carol.act();
  t.is(carol.notes.length, 3, 'and the one that answers the refresh');
  t.deepEqual(carol.complaints, []);
});

test('RFC 3428 over TCP: a MESSAGE under way follows the phone to its next connection', (t) => {
  const { lab, carol } = scene();
  const alice = new Peer(lab, '1001', '192.0.2.1');
  alice.send(alice.request('MESSAGE', 'sip:1003@192.0.2.10', { body: 'x', contact: false }));
  lab.swap(true);
  unreachable(lab.cx, { transport: 'tcp', ip: carol.ip, port: 40_001 });
  carol.connect(40_002);
  carol.send(
    carol.request('REGISTER', 'sip:192.0.2.10', { to: carol.aor, extra: 'Expires: 600\r\n' }),
  );
  const got = carol.inbox().find((m) => m.method === 'MESSAGE');
  if (got === undefined) throw new Error('no MESSAGE');
  carol.reply(got, 200, 'ct');
  t.is(alice.take().status, 200);
});
