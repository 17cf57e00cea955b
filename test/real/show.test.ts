/**
 * The console's questions to real boxes: what is up is shown by the primary and, mirrored, by the backup;
 * who watches sees every message of a call as one ladder; a cleared call is hung up on both sides, and a
 * cleared registration is gone on both boxes.
 */

import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import test from 'ava';
import type { CallDetail, CallRow, RegistrationRow } from '../../src/call/view/terms.ts';
import { ASKS, render, type ShowName } from '../../src/panel/show/index.ts';
import { ask } from '../lab/control.ts';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { type BoxName, other } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';

type Said<R> = {
  readonly rows: readonly R[];
  readonly total: number;
  readonly mirrored: boolean;
  readonly next?: number;
  readonly error?: string;
};
type Told = {
  readonly ok?: boolean;
  readonly error?: string;
  readonly text?: string;
  readonly call?: string;
  readonly direction?: string;
};

let lab: Lab;
let wire: Wire;
let primary: BoxName;

test.before(async () => {
  lab = await createLab({ name: labName('show') });
  wire = new Wire(lab);
  primary = (await lab.status()).primary ?? 'a';
});

test.after.always(async () => {
  wire?.close();
  await lab?.down();
});

async function shown<R>(box: BoxName, what: string, more: object = {}): Promise<Said<R>> {
  return (await ask(
    lab.places.control(box),
    { command: 'show', what, ...more },
    10_000,
  )) as Said<R>;
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 300; i += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`never: ${what}`);
}

/** Who watches; lines as they come. */
function watch(filter: object): { readonly socket: Socket; readonly lines: Told[] } {
  const socket = createConnection({ path: lab.places.control(primary) });
  const lines: Told[] = [];
  createInterface({ input: socket }).on('line', (line) => lines.push(JSON.parse(line) as Told));
  socket.write(`${JSON.stringify({ command: 'monitor', filter })}\n`);
  return { socket, lines };
}

async function talk(alice: RawPhone, bob: RawPhone): Promise<void> {
  const invite = alice.invite(bob.number);
  alice.send(invite.text);
  const rings = await bob.next('INVITE');
  bob.send(bob.answer(rings, 180, 'Ringing'));
  await alice.next('180');
  bob.send(bob.answer(rings, 200, 'OK'));
  const ok = await alice.next('200');
  alice.send(alice.ack(invite, ok));
  await bob.next('ACK');
}

test.serial('a call is seen on both boxes, watched live, and cleared', async (t) => {
  const alice = await wire.phone(1301);
  const bob = await wire.phone(1302);
  await alice.register();
  await bob.register();
  const live = watch({ number: '1302' });
  const deaf = watch({ number: '1999' });
  t.teardown(() => {
    live.socket.destroy();
    deaf.socket.destroy();
  });
  await until('it is watched', async () => live.lines[0] && deaf.lines[0]);
  t.is(live.lines[0]?.ok, true);
  await talk(alice, bob);

  const row = await until('the call is up', async () => {
    const { rows } = await shown<CallRow>(primary, 'calls');
    return rows.find((r) => r.place === 'up');
  });
  t.deepEqual([row.caller, row.called], ['1301', '1302']);
  t.deepEqual([...row.parties].sort(), ['1301', '1302']);
  const mirrored = await until('the backup has it', async () => {
    const answer = await shown<CallRow>(other(primary), 'calls');
    return answer.rows[0]?.place === 'up' ? answer : undefined;
  });
  t.true(mirrored.mirrored);
  t.is(mirrored.rows[0]?.global, row.global);

  const detail = (await shown<CallDetail>(primary, 'call', { id: String(row.id) })).rows[0];
  t.is(detail?.legs.length, 2);
  t.true(detail?.legs.every((leg) => leg.state === 'confirmed' && leg.media.length === 1));
  for (const id of [row.global, ...(detail?.legs.map((leg) => leg.callId) ?? [])]) {
    t.is((await shown<CallDetail>(primary, 'call', { id })).rows[0]?.id, row.id, id);
  }

  const seen = await until('both INVITEs and both ACKs are told', async () =>
    live.lines.filter((l) => l.text?.startsWith('ACK ')).length === 2 ? live.lines : undefined,
  );
  const invites = seen.filter((l) => l.text?.startsWith('INVITE '));
  t.deepEqual(
    invites.map((l) => l.direction),
    ['in', 'out'],
  );
  t.deepEqual([...new Set(invites.map((l) => l.call))], [row.global], 'both legs are one ladder');
  t.is(deaf.lines.length, 1, 'nothing of a number that nobody calls');

  const order = { command: 'clear', what: 'call', id: String(row.id) };
  const refused = (await ask(lab.places.control(other(primary)), order)) as Told;
  t.is(refused.error, 'not-primary');
  t.is(((await ask(lab.places.control(primary), order)) as Told).ok, true);
  alice.send(alice.answer(await alice.next('BYE'), 200, 'OK'));
  bob.send(bob.answer(await bob.next('BYE'), 200, 'OK'));
  await until('the call is gone on both', async () => {
    const left = await Promise.all((['a', 'b'] as const).map((box) => shown(box, 'calls')));
    return left.every(({ total }) => total === 0) ? left : undefined;
  });
});

test.serial('a registration is cleared on both boxes; counters begin anew', async (t) => {
  const carol = await wire.phone(1303);
  await carol.register();
  const known = await shown<RegistrationRow>(primary, 'registrations', { id: '1303' });
  t.is(known.rows[0]?.transport, 'udp');
  const id = `#${known.rows[0]?.id}`;
  const order = { command: 'clear', what: 'registration', id };
  t.is(((await ask(lab.places.control(primary), order)) as Told).ok, true);
  await until('it is gone on both', async () => {
    const left = await Promise.all(
      (['a', 'b'] as const).map((box) => shown(box, 'registrations', { id: '1303' })),
    );
    return left.every(({ rows }) => rows.length === 0) ? left : undefined;
  });
  const again = (await ask(lab.places.control(primary), order)) as Told;
  t.is(again.error, 'clear-registration');

  const before = await shown<{ counter: string }>(primary, 'counters');
  t.true(before.rows.some(({ counter }) => counter === 'registrations'));
  await ask(lab.places.control(primary), { command: 'clear', what: 'counters' });
  const after = await shown<{ counter: string }>(primary, 'counters');
  t.false(after.rows.some(({ counter }) => counter === 'registrations'));
});

test.serial('everything the daemon answers can be shown in 40 and 80 columns', async (t) => {
  const names = Object.entries(ASKS).filter(([, [source]]) => source === 'control');
  for (const [name, [, request]] of names) {
    for (const box of ['a', 'b'] as const) {
      const answer = (await ask(
        lab.places.control(box),
        { ...request, id: name === 'call' ? '1' : '' },
        10_000,
      )) as object;
      for (const width of [40, 80]) {
        const lines = render(name as ShowName, answer, { width, now: Date.now() });
        t.true(lines.length > 0, name);
        t.deepEqual(
          lines.filter((l) => l.length > width),
          [],
          name,
        );
      }
    }
  }
  for (const wrong of [
    { command: 'show', what: 'nothing' },
    { command: 'show', what: 'calls', limit: 5000 },
    { command: 'show', what: 'calls', from: -1 },
    { command: 'clear', what: 'call' },
    { command: 'monitor', filter: { number: {} } },
  ]) {
    t.is(((await ask(lab.places.control(primary), wrong)) as Told).error, 'control-value');
  }
});
