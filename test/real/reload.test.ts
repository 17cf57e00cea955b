/**
 * A pair that works is configured anew, one box after the other, while a call is up: a new extension
 * registers, one that is gone does not, the call goes on and can be ended, and outlives a switchover.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { ask } from '../lab/control.ts';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { BOXES, type BoxName } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { Wire } from './client/raw-phone.ts';

type Json = { readonly [name: string]: unknown };

let lab: Lab;
let wire: Wire;

test.before(async () => {
  lab = await createLab({ name: labName('reload') });
  wire = new Wire(lab);
});

test.after.always(async () => {
  wire?.close();
  await lab?.down();
});

function change(box: BoxName, edit: (config: Json) => Json): void {
  const path = lab.places.config(box);
  writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, 'utf8')) as Json)));
}

async function reload(box: BoxName): Promise<Json> {
  return (await ask(lab.places.control(box), { command: 'reload' }, 15_000)) as Json;
}

function withExtensions(...numbers: readonly number[]): (config: Json) => Json {
  const extensions = Object.fromEntries(numbers.map((n) => [String(n), {}]));
  return (config) => ({ ...config, site: { ...(config['site'] as Json), extensions } });
}

test.serial('a site configured anew on both boxes while a call is up', async (t) => {
  await lab.ready();
  const desk = await wire.phone(1301);
  const other = await wire.phone(1302);
  await desk.register();
  await other.register();
  const invite = desk.invite(other.number);
  desk.send(invite.text);
  const got = await other.next('INVITE');
  other.send(other.answer(got, 200, 'OK'));
  const ok = await desk.next('200');
  desk.send(desk.ack(invite, ok));
  await other.next('ACK');

  const fresh = await wire.phone(7001);
  const asks = async (cseq: number, status: string): Promise<void> => {
    fresh.send(fresh.registration(cseq));
    await fresh.next(status);
  };
  await asks(1, '404');
  for (const box of BOXES) {
    change(box, withExtensions(7001));
    t.like(await reload(box), { ok: true });
  }
  await asks(2, '200');
  await lab.ready();

  // whoever leads now has it from the other one, and knows the extension by itself
  const { primary } = await lab.status();
  await lab.kill(primary as BoxName);
  await lab.start(primary as BoxName);
  await lab.ready();
  await asks(3, '200');
  desk.send(desk.bye(invite, ok));
  await desk.next('200');
  other.send(other.answer(await other.next('BYE'), 200, 'OK'));

  for (const box of BOXES) {
    change(box, withExtensions());
    t.like(await reload(box), { ok: true });
  }
  await asks(4, '404');
  t.pass();
});

test.serial('what cannot be taken over is told by its place, and nothing changes', async (t) => {
  const box = 'b';
  const before = readFileSync(lab.places.config(box), 'utf8');
  change(box, (c) => ({ ...c, sip: { ...(c['sip'] as Json), port: 5070 }, witnesses: [] }));
  const restart = await reload(box);
  t.is(restart['error'], 'reload-restart');
  t.deepEqual([...(restart['places'] as string[])].sort(), ['sip.port', 'witnesses']);
  change(box, (c) => ({ ...c, users: {} }));
  t.is((await reload(box))['error'], 'reload-faults');
  writeFileSync(lab.places.config(box), before);
  t.like(await reload(box), { ok: true });
  await sleep(100);
  await lab.ready();
});
