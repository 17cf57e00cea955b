/**
 * Trunks over connections on real boxes: one over TCP, one over TLS where both sides prove who they are,
 * one whose certificate is somebody else's. Calls go out, the primary is killed under them, and either
 * side hangs up.
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import type { TrunkView } from '../../src/call/trunk-view.ts';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { NODE } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { issue } from './client/certificates.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';
import { until } from './clients/until.ts';

const PLAIN = '192.0.2.100';
const SAFE = '192.0.2.101';
const FALSE = '192.0.2.102';
const NAMES = '192.0.2.103';

function trunk(name: string, prefix: string, contact: string) {
  const options = { periodS: 1, forceS: 2, recoveryS: 1 };
  return { name, contact, prefixes: [prefix], strip: 1, tryS: 2, options };
}

const SITE = {
  trunks: [
    trunk('plain', '7', 'sip:plain.test;transport=tcp'),
    trunk('safe', '8', 'sip:safe.test;transport=tls'),
    trunk('false', '9', 'sip:false.test:5061;transport=tls'),
  ],
};

type Heard = { readonly got: string; readonly uri: string; readonly name: string; by: number };

class Carrier {
  readonly heard: Heard[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  words = '';

  constructor(lab: Lab, args: readonly string[]) {
    const script = join(import.meta.dirname, 'client/stream-carrier.ts');
    this.#child = lab.spawn('lan', [NODE, script, ...args]);
    this.#child.stderr.on('data', (bytes) => {
      this.words = (this.words + String(bytes)).slice(-3000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.heard.push(JSON.parse(line) as Heard);
    });
  }

  async told(method: string, times = 1): Promise<Heard> {
    const all = (): Heard[] => this.heard.filter((one) => one.got === method);
    await until(
      async () => all().length >= times,
      () => new Error(`no ${method}: ${this.words}`),
      30_000,
    );
    return all().at(-1) as Heard;
  }

  hangUp(): void {
    this.#child.stdin.write('bye\n');
  }

  close(): void {
    this.#child.stdin.end();
  }
}

let dir: string;
let lab: Lab;
let wire: Wire;
let plain: Carrier;
let safe: Carrier;
let wrong: Carrier;
let names: ChildProcessWithoutNullStreams;

test.before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sipair-trunk-streams-'));
  const at = (file: string): string => join(dir, file);
  issue(dir, 'ca');
  issue(dir, 'pair', 'ca', 'DNS:pair.test');
  issue(dir, 'safe', 'ca', 'DNS:safe.test');
  const tls = { certificate: at('pair.pem'), key: at('pair.key') };
  lab = await createLab({
    name: labName('trunkstr'),
    idle: true,
    config: {
      sip: { port: 5060, tls, outgoing: { ca: at('ca.pem') } },
      site: SITE,
      dns: { servers: [NAMES] },
    },
  });
  names = lab.spawn('lan', [
    ...[NODE, join(import.meta.dirname, 'client/name-server.ts'), NAMES],
    ...[`plain.test=a:${PLAIN}`, `false.test=a:${FALSE}`],
    // the certificate names the domain, not where its SRV leads
    ...['_sips._tcp.safe.test=srv:1:10:5061:far.away.test', `far.away.test=a:${SAFE}`],
  ]);
  const identity = [at('safe.pem'), at('safe.key'), at('ca.pem')];
  plain = new Carrier(lab, [PLAIN, '5060']);
  safe = new Carrier(lab, [SAFE, '5061', ...identity]);
  wrong = new Carrier(lab, [FALSE, '5061', ...identity]);
  for (const box of ['a', 'b'] as const) await lab.start(box, { wait: false });
  await lab.ready();
  wire = new Wire(lab);
});

test.after.always(async () => {
  wire?.close();
  for (const carrier of [plain, safe, wrong]) carrier?.close();
  names?.kill('SIGTERM');
  await lab?.down();
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

async function trunkIs(name: string, wanted: (v: TrunkView) => boolean): Promise<void> {
  let seen: TrunkView | undefined;
  await until(
    async () => {
      const { primary, boxes } = await lab.status();
      const status = primary === null ? undefined : boxes[primary].status;
      const all = (status as { trunks?: readonly TrunkView[] } | undefined)?.trunks;
      seen = all?.find((view) => view.trunk === name);
      return seen !== undefined && wanted(seen);
    },
    () => new Error(`trunk ${name} is ${JSON.stringify(seen)}`),
    60_000,
  );
}

async function talk(phone: RawPhone, number: number) {
  const invite = phone.invite(number);
  phone.send(invite.text);
  const ok = await phone.next('200 404 480 500 503');
  if (ok.status !== 200) throw new Error(`${number}: ${ok.status}`);
  phone.send(phone.ack(invite, ok));
  return { invite, ok };
}

/** This phone acknowledges an answer once: a box that dies with the ACK in its hands would wait for another. */
const ACK_HEARD_MS = 500;

async function killPrimary(): Promise<void> {
  await sleep(ACK_HEARD_MS);
  const { primary } = await lab.ready();
  if (primary === null) throw new Error('nobody leads');
  await lab.kill(primary);
  await lab.start(primary, { wait: false });
  await lab.ready();
}

for (const [name, digit] of [
  ['plain', 7],
  ['safe', 8],
] as const) {
  test.serial(`trunk ${name}: calls outlive the primary; either side hangs up`, async (t) => {
    const carrier = name === 'plain' ? plain : safe;
    await trunkIs(name, (v) => v.inService && v.contacts.every((c) => c.state === 'up'));
    const phone = await wire.phone(1200 + digit);
    await phone.register();
    const first = await talk(phone, Number(`${digit}5551`));
    const invite = await carrier.told('INVITE');
    t.is(invite.name, name === 'safe' ? 'safe.test' : '', 'SNI: the host of the URI');
    await carrier.told('ACK');
    await killPrimary();
    await trunkIs(name, (v) => v.calls === 1 && v.inService);
    phone.send(phone.bye(first.invite, first.ok));
    const bye = await carrier.told('BYE');
    t.not(bye.by, invite.by, 'by a connection of the new primary');
    // else it is taken for the answer to the next INVITE
    await phone.next('200');
    await trunkIs(name, (v) => v.calls === 0);

    await talk(phone, Number(`${digit}5552`));
    await carrier.told('ACK', 2);
    await killPrimary();
    // the new primary has asked whether it is there: that is the connection it hangs up by
    const before = carrier.heard.length;
    await until(
      async () => carrier.heard.slice(before).some((one) => one.got === 'OPTIONS'),
      () => new Error('no OPTIONS of the new primary'),
      30_000,
    );
    carrier.hangUp();
    const end = await phone.next('BYE', 30_000);
    phone.send(phone.answer(end, 200, 'OK'));
    await trunkIs(name, (v) => v.calls === 0);
  });
}

test.serial('RFC 5922 7: a trunk with the certificate of another is out of service', async (t) => {
  await trunkIs('false', (v) => !v.inService && v.contacts.every((c) => c.state === 'down'));
  const phone = await wire.phone(1210);
  await phone.register();
  const invite = phone.invite(95_553);
  phone.send(invite.text);
  const refusal = await phone.next('404 480 500 503', 30_000);
  t.true(refusal.status >= 400);
  t.deepEqual(wrong.heard, [], 'nothing was said to it');
});
