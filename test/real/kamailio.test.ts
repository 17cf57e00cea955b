/**
 * Kamailio as a neighbour: it holds a registration with digest, and calls go through it both ways with
 * Record-Route, to and from a phone that only it knows. The primary is killed under them.
 */

import test, { type ExecutionContext } from 'ava';
import { createLab, labName } from '../lab/lab.ts';
import { Audio } from './clients/audio.ts';
import { Baresip } from './clients/baresip.ts';
import { call, hangUp, holdAndResume, idle, killPrimary } from './clients/conversation.ts';
import { Kamailio } from './clients/kamailio.ts';
import { Malformed } from './clients/malformed.ts';

const ALICE = { number: 1001, address: '192.0.2.20', port: 5070, hz: 440 } as const;
const NEIGHBOUR = { address: '192.0.2.40', port: 5060 } as const;
const BEHIND = { number: 1050, address: '192.0.2.41', port: 5071, hz: 880 } as const;

async function scene(t: ExecutionContext, what: string) {
  const lab = await createLab({ name: labName(what), auth: true });
  t.teardown(() => lab.down());
  const malformed = await Malformed.watch(lab);
  const audio = await Audio.listen(lab);
  const behind = `${BEHIND.address}:${BEHIND.port}`;
  const [kamailio, alice, bob] = await Promise.all([
    Kamailio.start(lab, { ...NEIGHBOUR, behind, numbers: [BEHIND.number] }),
    Baresip.start(lab, ALICE),
    Baresip.start(lab, {
      ...BEHIND,
      registers: false,
      proxy: `${NEIGHBOUR.address}:${NEIGHBOUR.port}`,
    }),
  ]);
  t.teardown(() => {
    for (const client of [kamailio, alice, bob]) client.close();
  });
  return { lab, malformed, audio, kamailio, alice, bob };
}

test.serial(
  'a call to the number that Kamailio registered; the primary is killed under it',
  async (t) => {
    const { lab, malformed, audio, kamailio, alice, bob } = await scene(t, 'kamto');
    await call(alice, bob);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
    await killPrimary(lab);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
    await holdAndResume(audio, alice, bob);
    await holdAndResume(audio, bob, alice);
    await hangUp(lab, bob, alice);
    // The registration is refreshed on the other box, and leads there.
    await kamailio.refresh(BEHIND.number);
    await call(alice, bob);
    await hangUp(lab, alice, bob);
    await malformed.none(t);
  },
);

test.serial(
  'a call through Kamailio, which answers the challenge; killed while it rings',
  async (t) => {
    const { lab, malformed, audio, alice, bob } = await scene(t, 'kamfrom');
    await bob.dial(alice.number);
    await alice.told('CALL_INCOMING');
    await bob.told('CALL_RINGING');
    await killPrimary(lab);
    await alice.accept();
    await Promise.all([alice.told('CALL_ESTABLISHED'), bob.told('CALL_ESTABLISHED')]);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
    await holdAndResume(audio, bob, alice);
    await hangUp(lab, alice, bob);
    // Given up while it rings: the CANCEL takes the same way.
    await bob.dial(alice.number);
    await alice.told('CALL_INCOMING', 2);
    await bob.told('CALL_RINGING', 2);
    await bob.hangUp();
    await alice.told('CALL_CLOSED', 2);
    await idle(lab);
    await malformed.none(t);
  },
);

test.serial('what we say in a call through Kamailio is said to Kamailio', async (t) => {
  const { lab, malformed, alice, bob } = await scene(t, 'kamroute');
  await call(alice, bob);
  await killPrimary(lab);
  await hangUp(lab, alice, bob);
  const frames = await malformed.none(t);
  const said = (method: string, to: string) =>
    frames.filter((f) => f.udp?.to === to && f.udp.text.startsWith(`${method} `)).length;
  for (const method of ['INVITE', 'ACK', 'BYE']) {
    t.true(said(method, NEIGHBOUR.address) > 0, method);
    t.is(said(method, BEHIND.address), 0, method);
  }
});
