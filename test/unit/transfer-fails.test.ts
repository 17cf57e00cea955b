/** An attended transfer that fails half-way: what is left to the transferor, and what the target is told. */

import test from 'ava';
import { TRANSFER } from '../../src/call/transfer-rows.ts';
import { H } from '../../src/sip-parser/index.ts';
import { heard, SDP } from './call-lab.ts';
import { consult, notes, quiet, refer, replacesOf, sole, three } from './transfer-lab.ts';

for (const fails of ['refuses', 'hangs up', 'hangs up before the offer'] as const) {
  for (const swap of [false, true]) {
    const box = swap ? ', the box is replaced' : '';
    test(`RFC 5589 7 the transferee ${fails} while it is joined: the consultation goes on${box}`, (t) => {
      const s = three();
      const { alice, bob, carol, lab } = s;
      const c = consult(s, true);
      bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
      notes(bob);
      const ask = carol.take();
      if (fails !== 'hangs up before the offer') carol.reply(ask, 200, 'ct', SDP('carol 2'));
      if (swap) lab.swap(false);
      if (fails === 'refuses') alice.reply(sole(alice.inbox().slice(0, 1), 'INVITE'), 488, 't1001');
      else {
        alice.send(alice.inDialog('BYE', s.invite, s.ok));
        if (fails !== 'hangs up') carol.reply(ask, 200, 'ct', SDP('carol 2'));
      }
      const ack = carol.inbox().find((m) => m.method === 'ACK');
      t.is(ack?.body, SDP('bob2'), 'what carol was told last holds');
      const [note, ...rest] = notes(bob);
      t.is(note, `${fails === 'refuses' ? 488 : 487} terminated;reason=noresource`);
      t.deepEqual(rest, fails === 'refuses' ? [] : ['BYE']);
      t.is(lab.store.count(TRANSFER), 0);
      bob.send(bob.inDialog('INFO', c.invite, c.ok, { body: 'x', contact: false }));
      t.is(heard(carol), 'INFO sdp', 'they still talk');
      heard(alice);
      bob.send(bob.inDialog('BYE', c.invite, c.ok));
      carol.reply(sole(carol.inbox(), 'BYE'), 200, 'ct');
      bob.send(bob.backward('BYE', s.toBob, 'bt'));
      if (fails === 'refuses') alice.reply(sole(alice.inbox(), 'BYE'), 200, 't1001');
      quiet(lab);
      t.is(lab.rows(), 3);
    });
  }
}

test('RFC 3326 nobody is left to consult: the target is told why it is hung up', (t) => {
  const s = three();
  const { alice, bob, carol } = s;
  const c = consult(s, true);
  bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
  notes(bob);
  carol.reply(carol.take(), 200, 'ct', SDP('carol 2'));
  bob.send(bob.inDialog('BYE', c.invite, c.ok));
  alice.reply(alice.take(), 488, 't1001');
  const bye = sole(carol.inbox(), 'BYE');
  t.is(bye.header(H.Reason), 'SIP;cause=488;text="Transfer failed"');
  t.deepEqual(notes(bob), ['200', '488 terminated;reason=noresource']);
});

for (const swap of [false, true]) {
  const box = swap ? ', the box is replaced' : '';
  test(`RFC 5589 6.1 a transferor who did not hear of the success yet is not hung up${box}`, (t) => {
    const s = three();
    const { alice, bob, carol, lab } = s;
    bob.send(refer(s, '<sip:1003@192.0.2.10>'));
    const toCarol = carol.take();
    carol.reply(toCarol, 180, 'ct');
    carol.reply(toCarol, 200, 'ct', SDP('carol'));
    alice.reply(sole(alice.inbox(), 'INVITE'), 200, 't1001', SDP('alice 2'));
    heard(carol);
    // he hears nothing for so long
    const first = bob.inbox().find((m) => m.method === 'NOTIFY');
    for (let ms = 0; ms < 5000; ms += 500) {
      lab.pass(500);
      if (swap && ms === 1500) lab.swap(false);
      t.false(
        bob.inbox().some((m) => m.method === 'BYE'),
        `${ms}`,
      );
    }
    bob.reply(first as NonNullable<typeof first>, 200, 'x');
    t.deepEqual(notes(bob), ['200 terminated;reason=noresource']);
    lab.pass(1500);
    t.deepEqual(notes(bob), []);
    lab.pass(600);
    t.deepEqual(notes(bob), ['BYE'], 'he had his time, and did nothing');
    alice.send(alice.inDialog('BYE', s.invite, s.ok));
    carol.reply(sole(carol.inbox(), 'BYE'), 200, 'ct');
    quiet(lab);
    t.is(lab.rows(), 3);
  });
}
