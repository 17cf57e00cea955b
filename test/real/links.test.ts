/**
 * The eight link cases of a pair, on real boxes: by pulled cables and by switch ports that fail without
 * a word. Who is primary afterwards, who answers ARP, and that the pair is whole again when the LAN is.
 */

import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { BOXES, type BoxName, LAN_MAC, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { RemotePinger } from './client/pinger.ts';

type Case = {
  readonly n: number;
  readonly what: string;
  /** Who is primary afterwards; null: see `nobody`. */
  readonly leads: BoxName;
  /** The other one's role. */
  readonly second: readonly string[];
  /** After the links are well again. */
  readonly epoch: number;
};

/** Box a is the primary before each. */
const CASES: readonly Case[] = [
  { n: 1, what: 'all is well', leads: 'a', second: ['backup'], epoch: 1 },
  { n: 2, what: 'crossover cut', leads: 'a', second: ['backup'], epoch: 1 },
  { n: 3, what: 'backup off the LAN', leads: 'a', second: ['backup'], epoch: 1 },
  { n: 4, what: 'primary off the LAN', leads: 'b', second: ['backup'], epoch: 2 },
  { n: 5, what: 'both off the LAN', leads: 'a', second: ['backup'], epoch: 1 },
  { n: 6, what: 'backup isolated', leads: 'a', second: ['backup', 'starting'], epoch: 1 },
  { n: 7, what: 'primary isolated', leads: 'b', second: ['starting', 'backup'], epoch: 2 },
];

async function witnessed(t: ExecutionContext, what: string): Promise<Lab> {
  const lab = await createLab({ name: labName(what) });
  t.teardown(() => lab.down());
  // until each has had its answer, a witness is no evidence
  for (let i = 0; i < 50; i += 1) {
    const { boxes } = await lab.status();
    const states = BOXES.map((box) => boxes[box].status?.witness?.state);
    if (states.every((state) => state === 'seen')) return lab;
    await sleep(100);
  }
  throw new Error('no box has seen its witness');
}

/** Who answers ARP for the VIP, by the host on the LAN. */
async function holders(lab: Lab): Promise<readonly string[]> {
  const command = ['arping', '-c', '2', '-w', '1', '-I', 'lan0', VIP];
  const words = await lab.exec('lan', command).catch((error: unknown) => String(error));
  const macs = [...words.matchAll(/([0-9a-f]{2}(?::[0-9a-f]{2}){5})/gi)].map((m) => m[1] as string);
  const own = macs.map((mac) => mac.toLowerCase()).filter((mac) => mac !== LAN_MAC.lan);
  return [...new Set(own)];
}

/** What both boxes said, for a test that failed. */
function logs(lab: Lab): string {
  return BOXES.map((box) => readFileSync(lab.places.log(box), 'utf8')).join('\n');
}

for (const withCarrier of [true, false]) {
  const how = withCarrier ? 'pulled cables' : 'failed switch ports';
  test.serial(`link cases by ${how}`, async (t) => {
    for (const { n, what, leads, second, epoch } of CASES) {
      const lab = await witnessed(t, `links${n}${withCarrier ? 'c' : 'p'}`);
      await lab.links(n, 'a', withCarrier);
      await sleep(2500);
      const { boxes } = await lab.status();
      const other = leads === 'a' ? 'b' : 'a';
      const told = `case ${n}, ${what}: ${JSON.stringify(await lab.status())}`;
      t.is(boxes[leads].status?.role, 'primary', told);
      t.true(second.includes(String(boxes[other].status?.role)), told);
      const seen = await holders(lab);
      t.true(seen.length <= 1, `case ${n}: ${seen.join(' and ')} answer`);
      if (n !== 5) t.deepEqual(seen, [LAN_MAC[leads]], told);
      await lab.wellWired();
      const { boxes: after } = await lab.ready(15_000);
      t.is(after[leads].status?.role, 'primary', `case ${n}: no preemption`);
      t.is(after[leads].status?.epoch, epoch, `case ${n}`);
      t.deepEqual(await holders(lab), [LAN_MAC[leads]], `case ${n}, healed\n${logs(lab)}`);
      await lab.down();
    }
  });
}

test.serial(
  'link case 8: hidden from each other, the VIP answers where it can: one holder',
  async (t) => {
    const lab = await witnessed(t, 'links8');
    await lab.links(8, 'a');
    await sleep(2500);
    const seen = await lab.status();
    // two ports that cannot hear each other: the case that only a fence closes (docs/operating.md)
    const primaries = BOXES.filter((box) => seen.boxes[box].status?.role === 'primary');
    t.true(primaries.includes('b'), JSON.stringify(seen));
    await lab.wellWired();
    const { boxes } = await lab.ready(15_000);
    t.is(boxes.b.status?.role, 'primary', 'the higher epoch keeps the VIP');
    t.deepEqual(await holders(lab), [LAN_MAC.b]);
  },
);

test.serial(
  'a fence closes link case 8: the hidden primary is off before the backup speaks',
  async (t) => {
    const off = labName('fence');
    const lab = await createLab({
      name: off,
      // the relay of the lab: kills the process of box a, as a power switch would
      config: {
        fence: {
          program: '/bin/sh',
          arguments: ['-c', `kill -9 $(grep -o '[0-9]*' /tmp/sipair-lab/${off}/a.pid | head -n 1)`],
          timeoutMs: 2000,
        },
      },
    });
    t.teardown(() => lab.down());
    await lab.links(8, 'a');
    for (let i = 0; i < 50; i += 1) {
      if ((await lab.status()).boxes.b.status?.role === 'primary') break;
      await sleep(100);
    }
    const { boxes } = await lab.status();
    t.is(boxes.b.status?.role, 'primary');
    t.is(boxes.a.status, null, 'fenced');
    t.is(boxes.b.status?.pairCounters?.['fences'], 1);
  },
);

test.serial(
  'the engine of the primary stands still: its sentry gives the service away',
  async (t) => {
    const lab = await witnessed(t, 'stuck');
    const pinger = new RemotePinger(lab);
    t.teardown(() => pinger.close());
    const mark = await pinger.mark();
    await lab.fault('engine-a');
    await sleep(1500);
    const { boxes } = await lab.status();
    t.is(boxes.b.status?.role, 'primary');
    t.is(boxes.b.status?.cause, 'engine-stuck');
    t.is(lab.process('a'), undefined, 'it ended itself');
    const outage = await pinger.since(mark);
    t.true(outage.ms < 1500, `${JSON.stringify(outage)}`);
    await lab.undo('engine-a');
    await lab.start('a');
    await lab.ready(15_000);
  },
);
