/**
 * baresip, a softphone by others: it registers with digest, calls, is held and resumed, is transferred,
 * and the primary is killed in the middle of the conversation. That they hear each other is proven by
 * the tone each of them plays.
 */

import test, { type ExecutionContext } from 'ava';
import { createLab, labName } from '../lab/lab.ts';
import { Audio } from './clients/audio.ts';
import { Baresip, type BaresipOptions } from './clients/baresip.ts';
import { call, hangUp, holdAndResume, killPrimary } from './clients/conversation.ts';
import { Malformed } from './clients/malformed.ts';

const PHONES = [
  { number: 1001, address: '192.0.2.20', port: 5070, hz: 440 },
  { number: 1002, address: '192.0.2.21', port: 5080, hz: 880 },
  { number: 1003, address: '192.0.2.22', port: 5090, hz: 1320 },
] as const;

type Transport = NonNullable<BaresipOptions['transport']>;

/** A phone for each of `transports`. */
async function scene(t: ExecutionContext, what: string, transports: readonly Transport[]) {
  const lab = await createLab({ name: labName(what), auth: true });
  t.teardown(() => lab.down());
  const malformed = await Malformed.watch(lab);
  const audio = await Audio.listen(lab);
  const phones = await Promise.all(
    PHONES.slice(0, transports.length).map((options, i) =>
      Baresip.start(lab, { ...options, transport: transports[i] ?? 'udp' }),
    ),
  );
  t.teardown(() => {
    for (const phone of phones) phone.close();
  });
  return { lab, malformed, audio, phones };
}

test.serial(
  'the primary is killed under a conversation; either side holds and hangs up',
  async (t) => {
    const { lab, malformed, audio, phones } = await scene(t, 'bare', ['udp', 'udp']);
    const [alice, bob] = phones as [Baresip, Baresip];
    await call(alice, bob);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
    await killPrimary(lab);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
    await holdAndResume(audio, alice, bob);
    await holdAndResume(audio, bob, alice);
    await hangUp(lab, alice, bob);
    // The other way, hung up by the one who was called; registrations have outlived their box.
    await call(bob, alice);
    await hangUp(lab, alice, bob);
    await malformed.none(t);
  },
);

test.serial('held, and the primary is killed; the call is resumed on the other box', async (t) => {
  const { lab, malformed, audio, phones } = await scene(t, 'bareheld', ['udp', 'udp']);
  const [alice, bob] = phones as [Baresip, Baresip];
  await call(alice, bob);
  await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  await alice.hold();
  await audio.stays(bob.ports, alice.hz);
  await killPrimary(lab);
  await alice.resume();
  await Promise.all([audio.reaches(alice.ports, bob.hz), audio.reaches(bob.ports, alice.hz)]);
  await hangUp(lab, bob, alice);
  await malformed.none(t);
});

test.serial(
  'it rings, and the primary is killed: the call is answered on the other box',
  async (t) => {
    const { lab, malformed, phones } = await scene(t, 'barering', ['udp', 'udp']);
    const [alice, bob] = phones as [Baresip, Baresip];
    await alice.dial(bob.number);
    await bob.told('CALL_INCOMING');
    await alice.told('CALL_RINGING');
    await killPrimary(lab);
    await bob.accept();
    await Promise.all([alice.told('CALL_ESTABLISHED'), bob.told('CALL_ESTABLISHED')]);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
    await hangUp(lab, bob, alice);
    await malformed.none(t);
  },
);

for (const transport of ['tcp', 'tls'] as const) {
  test.serial(`over ${transport}; the primary is killed under it`, async (t) => {
    const { lab, malformed, audio, phones } = await scene(t, `bare${transport}`, [
      transport,
      'udp',
    ]);
    const [alice, bob] = phones as [Baresip, Baresip];
    await call(alice, bob);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
    await killPrimary(lab);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
    // The phone makes a connection when it has something to say; it is called by that one too.
    await holdAndResume(audio, alice, bob);
    await holdAndResume(audio, bob, alice);
    await hangUp(lab, bob, alice);
    await call(alice, bob);
    await hangUp(lab, alice, bob);
    // What is inside of TLS tshark does not see.
    await malformed.none(t, transport === 'tls' ? ['udp'] : ['udp', 'tcp']);
  });
}

// Without outbound it makes no connection by itself; it is connected to, where it registered.
test.serial('over tcp, called and killed; the other side acts first', async (t) => {
  const { lab, malformed, audio, phones } = await scene(t, 'bareback', ['tcp', 'udp']);
  const [alice, bob] = phones as [Baresip, Baresip];
  await call(bob, alice);
  await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  await killPrimary(lab);
  await holdAndResume(audio, bob, alice);
  await holdAndResume(audio, alice, bob);
  await hangUp(lab, bob, alice);
  await malformed.none(t, ['udp', 'tcp']);
});

test.serial('a blind transfer (REFER); the primary is killed under the call it made', async (t) => {
  const { lab, malformed, audio, phones } = await scene(t, 'barerefer', ['udp', 'udp', 'udp']);
  const [alice, bob, carol] = phones as [Baresip, Baresip, Baresip];
  await call(alice, bob);
  await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  await bob.transfer(carol.number);
  await carol.told('CALL_INCOMING');
  await killPrimary(lab);
  await carol.accept();
  await carol.told('CALL_ESTABLISHED');
  await bob.told('CALL_CLOSED');
  await Promise.all([audio.reaches(alice.ports, carol.hz), audio.reaches(carol.ports, alice.hz)]);
  await hangUp(lab, alice, carol);
  await malformed.none(t);
});
