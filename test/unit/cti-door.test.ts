/** The thread of the programs behind its door: it serves, and one that broke is replaced. */

import type { Worker } from 'node:worker_threads';
import test from 'ava';
import { WebSocket } from 'ws';
import type { ProgramInput } from '../../src/cti/terms.ts';
import type { Config } from '../../src/edge/config.ts';
import { CtiDoor } from '../../src/edge/cti-door.ts';
import { STANDING_BYTES } from '../../src/pair/standing.ts';
import { PLAIN_CENTRE } from '../../src/proto/centre.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { programConfig } from './cti-lab.ts';

const PORT = 20_000 + (process.pid % 10_000);

function configFor(port: number): Config {
  const site = { ...PLAIN_SITE, centre: { ...PLAIN_CENTRE, programs: [programConfig('desk')] } };
  return {
    box: 'a',
    lan: { interface: 'lo', address: '127.0.0.1', prefix: 8 },
    peerLan: '127.0.0.2',
    cti: { enabled: true, port, tlsPort: 0, periodMs: 1000, misses: 3 },
    node: { pair: { key: new Uint8Array(32), vips: ['192.0.2.10'] }, sip: { site } },
  } as unknown as Config;
}

/** The first frame of a connection; asked for until there is one. */
async function hello(): Promise<{ readonly role: string }> {
  for (let i = 0; i < 200; i += 1) {
    const web = new WebSocket(`ws://127.0.0.1:${PORT}/`);
    const text = await new Promise<string>((resolve) => {
      web.once('message', (data) => resolve(String(data)));
      web.once('error', () => resolve(''));
    });
    web.terminate();
    if (text !== '') return JSON.parse(text).params;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('nobody answers');
}

test('a thread that ends is replaced, and knows the role again', async (t) => {
  const asked: ProgramInput[] = [];
  const logs: string[] = [];
  const lease = new SharedArrayBuffer(8);
  new Float64Array(lease)[0] = Number.MAX_SAFE_INTEGER;
  const standing = new SharedArrayBuffer(STANDING_BYTES);
  const door = new CtiDoor(
    configFor(PORT),
    { lease, standing },
    { ask: (request) => asked.push(request), log: (line) => logs.push(line.text) },
  );
  const inside = door as unknown as { readonly worker: Worker | undefined };
  const first = inside.worker;
  first?.unref();
  t.is((await hello()).role, 'backup');
  door.turn([], 'primary', true);
  for (let i = 0; i < 100 && (await hello()).role !== 'primary'; i += 1) {}
  t.is((await hello()).role, 'primary');
  await first?.terminate();
  for (let i = 0; i < 100 && inside.worker === undefined; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const second = inside.worker;
  second?.unref();
  t.truthy(second);
  t.not(second, first);
  t.true(logs.some((text) => text.includes('replaced')));
  t.deepEqual(
    asked.map((r) => r.method),
    ['allGone'],
  );
  for (let i = 0; i < 100 && (await hello()).role !== 'primary'; i += 1) {}
  t.is((await hello()).role, 'primary');
  door.turn([], 'backup', false);
  for (let i = 0; i < 100 && (await hello()).role !== 'backup'; i += 1) {}
  t.is((await hello()).role, 'backup');
});
