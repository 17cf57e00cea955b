/**
 * Programs at a real pair: the primary is killed under their requests and under calls. Every request
 * is answered once and done once, every event comes once and in order, and who means no good at the
 * same port is not noticed.
 */

import { join } from 'node:path';
import test from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { LAN_ADDRESS, NODE } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { RemoteProgram, type ToldEvent } from './client/program-remote.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';

let lab: Lab;
let wire: Wire;

test.before(async () => {
  lab = await createLab({ name: labName('cti') });
  wire = new Wire(lab);
});

test.after.always(async () => {
  wire?.close();
  await lab?.down();
});

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600; i += 1) {
    if (holds()) return;
    await sleep(50);
  }
  throw new Error(`never: ${what}`);
}

/** A call between two phones: it rings, is answered, and is hung up by the caller. */
async function call(alice: RawPhone, bob: RawPhone, meanwhile = async () => {}): Promise<void> {
  const invite = alice.invite(bob.number);
  alice.send(invite.text);
  const rings = await bob.next('INVITE');
  bob.send(bob.answer(rings, 180, 'Ringing'));
  await alice.next('180');
  bob.send(bob.answer(rings, 200, 'OK'));
  const ok = await alice.next('200');
  alice.send(alice.ack(invite, ok));
  await bob.next('ACK');
  await meanwhile();
  alice.send(alice.bye(invite, ok));
  const bye = await bob.next('BYE');
  bob.send(bob.answer(bye, 200, 'OK'));
  await alice.next('200');
}

const increasing = (events: readonly ToldEvent[]): boolean =>
  events.every((e, i) => i === 0 || e.id > (events[i - 1] as ToldEvent).id);

test.serial('the primary dies under requests: each is done and answered once', async (t) => {
  const writer = new RemoteProgram(lab);
  const watcher = new RemoteProgram(lab);
  const { primary } = await lab.status();
  const box = primary ?? 'a';
  const hostile = [LAN_ADDRESS.a, LAN_ADDRESS.b].map((address) =>
    lab.spawn('lan', [NODE, join(import.meta.dirname, 'client/program-hostile.ts'), address]),
  );
  t.teardown(() => {
    for (const child of hostile) child.kill('SIGKILL');
    writer.close();
    watcher.close();
  });
  const alice = await wire.phone(1101);
  const bob = await wire.phone(1102);
  await alice.register();
  await bob.register();
  t.is((await writer.ask('monitorStart', { deviceId: '1101' })).fault, undefined);
  t.is((await watcher.ask('monitorStart', { all: true })).fault, undefined);
  const sent: number[] = [];
  await call(alice, bob, async () => {
    await until('the call is known', () => watcher.events.some((e) => e.event === 'established'));
    const callId = watcher.events.find((e) => e.event === 'established')?.callId;
    for (let i = 0; i < 400; i += 1) {
      sent.push(writer.send('associateData', { callId, attach: { [`k${i}`]: `${i}` } }));
      // on a machine that is far too busy its own sentry may have been faster
      if (i === 150) void lab.kill(box).catch(() => {});
      await sleep(5);
    }
    await until('all are answered', () => sent.every((id) => writer.answers.has(id)));
  });
  await until('the end of the call', () => watcher.events.some((e) => e.event === 'callCleared'));
  const answers = sent.map((id) => writer.answers.get(id) ?? []);
  t.true(answers.every((all) => all.length === 1));
  t.deepEqual(
    answers.flatMap((all) => all.flatMap((a) => a.fault ?? [])),
    [],
  );
  for (const program of [writer, watcher]) {
    t.true(increasing(program.events));
    const changed = program.events.flatMap((e) => e.changed ?? []);
    t.deepEqual(
      changed,
      sent.map((_, i) => `k${i}`),
      'each once, in the order asked',
    );
    t.deepEqual(
      program.told.filter((what) => !['serving', 'status'].includes(what)),
      [],
    );
    t.true(program.told.filter((what) => what === 'serving').length > 1, 'it went on elsewhere');
  }
  const own = writer.events.filter((e) => e.event === 'callInformation');
  t.is(new Set(own.map((e) => e.requestId)).size, sent.length, 'the requester knows which');
  t.true(watcher.events.every((e) => e.requestId === undefined));
  t.deepEqual(
    watcher.events.flatMap((e) =>
      e.callId === undefined || e.event === 'callInformation' ? [] : [e.event],
    ),
    [
      'originated',
      'delivered',
      'established',
      'connectionCleared',
      'connectionCleared',
      'callCleared',
    ],
  );
});

test.serial(
  'a planned switchover and calls: no event is missed, by who was away neither',
  async (t) => {
    await lab.start((await lab.status()).primary === 'a' ? 'b' : 'a').catch(() => {});
    await lab.ready();
    const watcher = new RemoteProgram(lab);
    t.teardown(() => watcher.close());
    const filter = ['backInService', 'outOfService'];
    t.is((await watcher.ask('monitorStart', { all: true, filter })).fault, undefined);
    const alice = await wire.phone(1103);
    const bob = await wire.phone(1104);
    await alice.register();
    await bob.register();
    await call(alice, bob, async () => {
      for (let tries = 0; ; tries += 1) {
        await lab.ready();
        if ((await lab.switchover()).ok) break;
        t.true(tries < 10, 'ten times refused');
      }
    });
    await until('all of the call', () => watcher.events.some((e) => e.event === 'callCleared'));
    t.deepEqual(
      watcher.events.map((e) => e.event),
      [
        'originated',
        'delivered',
        'established',
        'connectionCleared',
        'connectionCleared',
        'callCleared',
      ],
    );
    t.true(increasing(watcher.events));
    const { boxes, primary } = await lab.status();
    const view = boxes[primary ?? 'a'].status as unknown as {
      programs: { sessions: number; monitors: number };
    };
    t.true(view.programs.sessions >= 1);
    t.true(view.programs.monitors >= 1);
  },
);
