/**
 * Copies for Homer, received by sngrep: every message of a call arrives whole, from and to whom it was said,
 * in order, under the key; the next primary goes on; and a collector that is gone is not noticed.
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ask } from '../lab/control.ts';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { type BoxName, HOST_ADDRESS, other, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';
import type { Message } from './client/text.ts';

const PORT = 9060;
const KEY = 'homer-key';

let lab: Lab;
let wire: Wire;

test.before(async () => {
  const hep = { address: HOST_ADDRESS, port: PORT, id: 77, key: KEY };
  lab = await createLab({ name: labName('hep'), config: { hep } });
  wire = new Wire(lab);
});

test.after.always(async () => {
  wire?.close();
  await lab?.down();
});

class Collector {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #file: string;

  /** @param key what it insists on. */
  constructor(name: string, key: string) {
    this.#file = join(lab.places.dir, `${name}.pcap`);
    const config = join(lab.places.dir, `${name}.rc`);
    writeFileSync(config, `set eep.listen.version 3\nset eep.listen.pass ${key}\n`);
    const url = `udp:${HOST_ADDRESS}:${PORT}`;
    const args = ['-F', '-f', config, '-N', '-q', '-L', url, '-O', this.#file];
    this.#child = lab.spawn('lan', ['sngrep', ...args]);
  }

  async listens(): Promise<void> {
    for (let i = 0; i < 300; i += 1) {
      const sockets = execFileSync('ip', ['netns', 'exec', `${lab.name}-lan`, 'ss', '-lunH']);
      if (sockets.includes(`:${PORT} `) && existsSync(this.#file)) return;
      await sleep(50);
    }
    throw new Error('sngrep does not listen');
  }

  /** Ends it. @returns what it collected: `source > target: first line`. */
  async end(): Promise<readonly string[]> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
    const fields = ['ip.src', 'udp.srcport', 'ip.dst', 'udp.dstport', 'sip.Request-Line'];
    const wanted = [...fields, 'sip.Status-Line'].flatMap((f) => ['-e', f]);
    const args = ['-r', this.#file, '-d', 'udp.port==1-65535,sip', '-T', 'fields', ...wanted];
    const text = execFileSync('tshark', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [from, fromPort, to, toPort, request, status] = line.split('\t');
        const first = (request || status || '').split(' ').slice(0, 2).join(' ');
        return `${from}:${fromPort} > ${to}:${toPort}: ${first}`;
      });
  }
}

/** A phone repeats its INVITE: what is sent into a change of roles may be lost. */
async function heard(alice: RawPhone, text: string, bob: RawPhone): Promise<Message> {
  for (let tries = 0; ; tries += 1) {
    alice.send(text);
    try {
      return await bob.next('INVITE', 2000);
    } catch (error) {
      if (tries === 10) throw error;
    }
  }
}

async function call(alice: RawPhone, bob: RawPhone): Promise<void> {
  const invite = alice.invite(bob.number);
  const rings = await heard(alice, invite.text, bob);
  bob.send(bob.answer(rings, 180, 'Ringing'));
  await alice.next('180');
  bob.send(bob.answer(rings, 200, 'OK'));
  const ok = await alice.next('200');
  alice.send(alice.ack(invite, ok));
  await bob.next('ACK');
  alice.send(alice.bye(invite, ok));
  bob.send(bob.answer(await bob.next('BYE'), 200, 'OK'));
  await alice.next('200');
}

/** The other box takes over; on a busy machine the pair may have to come into step first. */
async function handOver(to: BoxName): Promise<void> {
  for (let i = 0; i < 300; i += 1) {
    if ((await lab.status()).primary === to) return;
    await lab.switchover();
    await sleep(100);
  }
  throw new Error(`box ${to} does not lead`);
}

const counted = async (box: 'a' | 'b'): Promise<number> => {
  const request = { command: 'show', what: 'counters' };
  const { rows } = (await ask(lab.places.control(box), request, 10_000)) as {
    rows: readonly { counter: string; count: number }[];
  };
  return rows.find(({ counter }) => counter === 'hepSent')?.count ?? 0;
};

test.serial('a call is collected message by message, also from the next primary', async (t) => {
  const alice = await wire.phone(1401);
  const bob = await wire.phone(1402);
  await alice.register();
  await bob.register();
  const collector = new Collector('right', KEY);
  await collector.listens();
  await call(alice, bob);
  const { primary } = await lab.status();
  const first = primary ?? 'a';
  t.true((await counted(first)) > 10);
  await handOver(other(first));
  await call(alice, bob);
  const lines = await collector.end();

  const [a, b, us] = [alice.here, bob.here, `${VIP}:5060`];
  const of = (end: string): string[] => lines.filter((l) => l.includes(end));
  const said = (end: string, what: RegExp): number => of(end).filter((l) => what.test(l)).length;
  for (const [end, way] of [
    [a, 'in'],
    [b, 'out'],
  ] as const) {
    const invite = way === 'in' ? `${a} > ${us}: INVITE` : `${us} > ${b}: INVITE`;
    t.true(
      of(end).some((l) => l.startsWith(invite)),
      invite,
    );
    t.true(said(end, /: BYE sip:/) >= 2, `both calls end at ${end}`);
    t.true(said(end, /SIP\/2.0 180$/) >= 2, `both ring at ${end}`);
  }
  const begin = lines.findIndex((l) => l.startsWith(`${a} > ${us}: INVITE`));
  const onward = lines.findIndex((l) => l.startsWith(`${us} > ${b}: INVITE`));
  t.true(begin >= 0 && onward > begin, 'in the order in which it happened');
});

test.serial(
  'nobody collects: calls are as before; a collector with another key takes nothing',
  async (t) => {
    const alice = await wire.phone(1403);
    const bob = await wire.phone(1404);
    await alice.register();
    await bob.register();
    await call(alice, bob);
    const stranger = new Collector('wrong', 'another');
    await stranger.listens();
    await call(alice, bob);
    t.deepEqual(await stranger.end(), []);
  },
);
