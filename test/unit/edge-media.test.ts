/** What touches the machine for the media service: its sockets, prompt files, thread, configuration. */

import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { Checker } from '../../src/edge/config.ts';
import { mediaOf } from '../../src/edge/config-media.ts';
import { MediaSockets } from '../../src/edge/media-sockets.ts';
import type { FromMedia, MediaThreadData, ToMedia } from '../../src/edge/media-thread.ts';
import { PromptFolder } from '../../src/edge/prompts.ts';
import { ask, offer } from './media-help.ts';

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1500 && !holds(); i += 1) await new Promise((done) => setTimeout(done, 10));
  if (!holds()) throw new Error('never');
}

/** A socket of somebody else. */
async function stranger(family: 4 | 6) {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  const got: string[] = [];
  socket.on('message', (bytes, from) => got.push(`${bytes.toString('hex')} ${from.port}`));
  await new Promise<void>((done) => socket.bind(0, family === 4 ? '127.0.0.1' : '::1', done));
  return { socket, got, port: socket.address().port };
}

for (const family of [4, 6] as const) {
  test(`sockets of IPv${family}: even ports of the range, the wanted one again, and none twice`, async (t) => {
    const base = family === 4 ? 41_000 : 42_000;
    const heard: string[] = [];
    const sockets = new MediaSockets(
      '127.0.0.1',
      '::1',
      [base + 1, base + 10],
      (id, bytes, ip, port) =>
        heard.push(`${id} ${Buffer.from(bytes).toString('hex')} ${ip} ${port}`),
    );
    const ports = ['a', 'b', 'c', 'd'].map((id) => sockets.take(id, family, 0));
    t.true(
      ports.every((p) => p % 2 === 0 && p > base && p <= base + 10),
      ports.join(),
    );
    t.is(new Set(ports).size, 4);
    t.is(sockets.take('e', family, 0), 0, 'all are in use');
    const ip = family === 4 ? '127.0.0.1' : '::1';
    const other = await stranger(family);
    t.teardown(() => other.socket.close());
    sockets.send('a', Uint8Array.of(1, 2, 255), ip, other.port);
    await until(() => other.got.length > 0);
    t.deepEqual(other.got, [`0102ff ${ports[0]}`]);
    other.socket.send(Uint8Array.of(9, 200), ports[1] as number, ip);
    await until(() => heard.length > 0);
    t.deepEqual(heard, [`b 09c8 ${ip} ${other.port}`]);
    sockets.free('b');
    t.deepEqual([sockets.take('again', family, ports[1] ?? 0)], [ports[1]]);
    // one that somebody has is replaced by another, when there is one
    sockets.free('c');
    t.deepEqual([sockets.take('late', family, ports[0] ?? 0)], [ports[2]]);
    for (const id of ['a', 'again', 'late', 'd', 'none']) sockets.free(id);
  });
}

function wav(samples: number, rate = 8000): Buffer {
  const b = Buffer.alloc(44 + 2 * samples);
  b.write('RIFF', 0, 'latin1');
  b.writeUInt32LE(b.length - 8, 4);
  b.write('WAVEfmt ', 8, 'latin1');
  b.writeUInt32LE(16, 16);
  b.writeUInt16LE(1, 20);
  b.writeUInt16LE(1, 22);
  b.writeUInt32LE(rate, 24);
  b.writeUInt16LE(16, 34);
  b.write('data', 36, 'latin1');
  b.writeUInt32LE(2 * samples, 40);
  return b;
}

test('prompts are read when asked for, again when changed; what is unfit is told once', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'prompts-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const told: string[] = [];
  const folder = new PromptFolder(dir, (text) => told.push(text));
  t.is(folder.find('hello'), undefined);
  writeFileSync(join(dir, 'hello.wav'), wav(1600));
  const first = folder.find('hello');
  t.is(first?.frames, 10);
  t.is(folder.find('hello'), first);
  writeFileSync(join(dir, 'hello.wav'), wav(3200));
  utimesSync(join(dir, 'hello.wav'), 1, 1);
  t.is(folder.find('hello')?.frames, 20);
  rmSync(join(dir, 'hello.wav'));
  t.is(folder.find('hello'), undefined);
  writeFileSync(join(dir, 'fast.wav'), wav(100, 44_100));
  t.is(folder.find('fast'), undefined);
  t.is(folder.find('fast'), undefined);
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /fast\.wav is no prompt: wav-rate/);
  writeFileSync(join(dir, 'long.wav'), wav(4_200_000));
  t.is(folder.find('long'), undefined);
  t.regex(told[1] ?? '', /too long/);
  t.is(new PromptFolder('/nowhere', () => t.fail()).find('x'), undefined);
  t.deepEqual(told.length, 2);
});

test('configuration: defaults, and every mistake with its place', (t) => {
  const read = (media: unknown) => {
    const c = new Checker();
    const config = mediaOf(c, { data: '/data', ...(media === undefined ? {} : { media }) });
    return { config, wrong: c.faults.map((f) => `${f.place} ${f.code}`) };
  };
  t.deepEqual(read(undefined), {
    config: { ports: [16_384, 18_383], prompts: '/data/prompts', max: 1000 },
    wrong: [],
  });
  const given = { ports: [20_000, 20_100], prompts: '/p', max: 10 };
  t.deepEqual(read(given), { config: given as never, wrong: [] });
  for (const ports of [
    [1, 2],
    [20_000],
    [20_000, 20_000],
    [30_000, 20_000],
    [30_000, 70_000],
    5,
    ['a', 'b'],
  ]) {
    t.true(read({ ports }).wrong.length > 0, JSON.stringify(ports));
  }
  t.deepEqual(read({ max: 5000, what: 1 }).wrong, [
    'media.what config-unknown',
    'media.max config-range',
  ]);
});

test('the thread: it answers, sends while the lease holds, and drops everything when told', async (t) => {
  const ear = await stranger(4);
  t.teardown(() => ear.socket.close());
  const lease = new SharedArrayBuffer(8);
  const until1 = new Float64Array(lease);
  const data: MediaThreadData = {
    media: { ports: [43_000, 43_100], prompts: '/nowhere', max: 10 },
    vip: '127.0.0.1',
    vip6: '',
    nonceKey: 'k',
    lease,
  };
  const worker = new Worker(new URL('../../src/edge/media-thread.ts', import.meta.url), {
    workerData: data,
  });
  t.teardown(() => worker.terminate());
  const said: string[] = [];
  worker.on('message', (m: FromMedia) => {
    if (m.kind === 'sip') said.push(...m.texts);
  });
  const tell = (m: ToMedia): void => worker.postMessage(m);
  const body = offer({ address: 'IP4 127.0.0.1', port: ear.port });
  tell({ kind: 'sip', offset: 0, texts: [ask({ body })] });
  await until(() => said.some((text) => text.startsWith('SIP/2.0 200')));
  // the answer is repeated after half a second, which its clock has to reach
  await until(() => said.length > 1);
  t.is(said[1], said[0]);
  t.is(ear.got.length, 0, 'a box without a lease has no voice');
  until1[0] = Number.MAX_SAFE_INTEGER;
  await until(() => ear.got.length > 10);
  tell({ kind: 'drop' });
  const before = said.length;
  // whoever asks now finds nothing there, and what was sent before is here
  const tag = /\r\nTo: [^\r]*;tag=([^\r]*)\r/.exec(said[0] ?? '')?.[1] ?? '';
  tell({ kind: 'sip', offset: 0, texts: [ask({ method: 'INFO', tag, cseq: 2 })] });
  await until(() => said.slice(before).some((text) => text.startsWith('SIP/2.0 481')));
});
