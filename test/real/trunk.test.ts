/**
 * Trunks on real boxes: a carrier (Kamailio) that is found by SRV, wants to be registered with and asks
 * for digest, the same once more as a backup, a far end (SIPp). Calls go out and come in, the primary is killed
 * under them, the carrier dies and comes back.
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { TrunkView } from '../../src/call/trunk-view.ts';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { NODE, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';

const CARRIER = '192.0.2.100';
const FAR = '192.0.2.101';
const BACKUP = '192.0.2.102';
const NAMES = '192.0.2.103';
const FAR_PORT = 5080;

const SITE = {
  trunks: [
    {
      name: 'carrier',
      contact: 'sip:carrier.test',
      backup: [`sip:${BACKUP}`],
      prefixes: ['9'],
      strip: 1,
      domain: 'carrier.test',
      tryS: 1,
      options: { periodS: 1, forceS: 1, recoveryS: 1 },
      register: { user: 'acme', password: 'secret', expiresS: 600 },
      inbound: { number: 'to', prefix: '4930' },
      callerId: { prefix: '4930' },
    },
  ],
};

let lab: Lab;
let wire: Wire;
let first: ChildProcessWithoutNullStreams;
const children: ChildProcessWithoutNullStreams[] = [];

function spawn(command: readonly string[]): ChildProcessWithoutNullStreams {
  const child = lab.spawn('lan', command);
  children.push(child);
  child.stdout.resume();
  child.stderr.resume();
  return child;
}

/** Kamailio at `ip`. SIGTERM ends it with its workers, and as suddenly for its neighbours. */
function carrier(ip: string): ChildProcessWithoutNullStreams {
  const dir = join(lab.places.dir, `carrier-${ip}`);
  mkdirSync(dir, { recursive: true });
  const text = readFileSync(join(import.meta.dirname, 'kamailio-carrier.cfg'), 'utf8')
    .replaceAll('@HERE@', ip)
    .replaceAll('@PAIR@', VIP)
    .replaceAll('@@FAR@', `@${FAR}:${FAR_PORT}`);
  writeFileSync(join(dir, 'cfg'), text);
  return spawn([
    'kamailio',
    '-f',
    join(dir, 'cfg'),
    '-DD',
    '-E',
    '-P',
    join(dir, 'pid'),
    '-w',
    dir,
  ]);
}

test.before(async () => {
  lab = await createLab({
    name: labName('trunk'),
    idle: true,
    config: { site: SITE, dns: { servers: [NAMES] } },
  });
  spawn([
    NODE,
    join(import.meta.dirname, 'client/name-server.ts'),
    NAMES,
    '_sip._udp.carrier.test=srv:1:10:5060:one.carrier.test',
    `one.carrier.test=a:${CARRIER}`,
  ]);
  const far = join(import.meta.dirname, 'sipp/uas-behind-carrier.xml');
  spawn(['sipp', '-sf', far, '-i', FAR, '-p', `${FAR_PORT}`, '-nostdin']);
  first = carrier(CARRIER);
  carrier(BACKUP);
  for (const box of ['a', 'b'] as const) await lab.start(box, { wait: false });
  await lab.ready();
  wire = new Wire(lab);
});

test.after.always(async () => {
  wire?.close();
  for (const child of children) child.kill('SIGTERM');
  await lab?.down();
});

/** What the primary says of the trunk, once it is as wanted. */
async function trunkIs(
  t: ExecutionContext,
  what: string,
  wanted: (v: TrunkView) => boolean,
): Promise<void> {
  let last: TrunkView | undefined;
  for (let i = 0; i < 300; i += 1) {
    const { primary, boxes } = await lab.status();
    const status = primary === null ? undefined : boxes[primary].status;
    last = (status as { trunks?: readonly TrunkView[] } | undefined)?.trunks?.[0];
    if (last !== undefined && wanted(last)) return;
    await sleep(200);
  }
  t.fail(`${what}: ${JSON.stringify(last)}`);
}

async function out(phone: RawPhone, number: number) {
  const invite = phone.invite(number);
  phone.send(invite.text);
  const ok = await phone.next('200 404 480 500 503 603');
  if (ok.status !== 200) throw new Error(`${ok.status} ${JSON.stringify(ok)}`);
  phone.send(phone.ack(invite, ok));
  return { invite, ok };
}

async function hangUp(phone: RawPhone, call: Awaited<ReturnType<typeof out>>): Promise<void> {
  const bye = phone.bye(call.invite, call.ok);
  // as a phone does, until it is answered
  for (let i = 0; i < 20; i += 1) {
    phone.send(bye);
    try {
      await phone.next('200', 1000);
      return;
    } catch {}
  }
  throw new Error('BYE is not answered');
}

async function killPrimary(): Promise<void> {
  const { primary } = await lab.status();
  if (primary === null) throw new Error('nobody leads');
  // what was said last is heard before its box dies
  await sleep(500);
  await lab.ready();
  await lab.kill(primary);
  await lab.start(primary, { wait: false });
  await lab.ready();
}

test.serial('found by SRV, registered with by digest, in service', async (t) => {
  await trunkIs(t, 'registered', (v) => v.inService && v.registration === 'registered');
  await trunkIs(t, 'both contacts', (v) => v.contacts.every((c) => c.state === 'up'));
  t.pass();
});

test.serial('a call out, the primary is killed under it, the call is hung up', async (t) => {
  const phone = await wire.phone(1200);
  const call = await out(phone, 9555);
  await trunkIs(t, 'one channel', (v) => v.calls === 1);
  await killPrimary();
  await trunkIs(t, 'still registered', (v) => v.registration === 'registered' && v.calls === 1);
  await hangUp(phone, call);
  await trunkIs(t, 'free', (v) => v.calls === 0);
  t.pass();
});

test.serial('a call in by the registered contact, to the number in To', async (t) => {
  const phone = await wire.phone(1201);
  await phone.register();
  const scenario = join(import.meta.dirname, 'sipp/uac-by-carrier.xml');
  const caller = spawn([
    ...['sipp', `${CARRIER}:5060`, '-sf', scenario, '-i', FAR, '-p', '5090', '-s', '49301201'],
    ...['-m', '1', '-nostdin', '-timeout', '60s'],
  ]);
  let words = '';
  for (const stream of [caller.stdout, caller.stderr]) {
    stream.on('data', (bytes) => {
      words = (words + String(bytes)).slice(-3000);
    });
  }
  const ended = new Promise<number | null>((done) => caller.once('exit', done));
  const invite = await Promise.race([phone.next('INVITE', 30_000), ended]);
  if (invite === null || typeof invite === 'number') {
    t.fail(`SIPp ended: ${invite} ${words}`);
    return;
  }
  phone.send(phone.answer(invite, 180, 'Ringing'));
  phone.send(phone.answer(invite, 200, 'OK'));
  phone.send(phone.answer(await phone.next('BYE', 30_000), 200, 'OK'));
  t.is(await ended, 0, words);
});

test.serial(
  'the carrier dies: calls go by the backup; it comes back and is in service',
  async (t) => {
    const phone = await wire.phone(1202);
    first.kill('SIGTERM');
    await new Promise((done) => first.once('exit', done));
    const call = await out(phone, 9556);
    await hangUp(phone, call);
    await trunkIs(t, 'one contact down', (v) => v.contacts[0]?.state === 'down' && v.inService);
    const { boxes, primary } = await lab.status();
    const counters = boxes[primary ?? 'a'].status?.counters;
    t.true((counters?.['contactsLost'] ?? 0) >= 1);
    await hangUp(phone, await out(phone, 9557));
    carrier(CARRIER);
    await trunkIs(t, 'both contacts', (v) => v.contacts.every((c) => c.state === 'up'));
    await hangUp(phone, await out(phone, 9558));
    await trunkIs(t, 'free', (v) => v.calls === 0);
  },
);
