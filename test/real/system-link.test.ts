/** The link of two system agents on loopback: messages, files, and whoever has another key. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { SYSTEM_PORT } from '../../src/edge/config.ts';
import { AgentLink } from '../../src/edge/system/link.ts';
import { derive } from '../../src/wire/derive.ts';
import { until } from './native-help.ts';

const KEY = new Uint8Array(32).fill(3);
/** Three windows, and a piece that is not whole. */
const BYTES = Buffer.alloc(3_200_001, 'sipair ');

type End = {
  readonly link: AgentLink;
  readonly seen: string[];
  readonly troubles: string[];
};

function end(t: ExecutionContext, box: 'a' | 'b', dir: string, key = KEY): End {
  const [address, peerAddress] =
    box === 'a' ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.2', '127.0.0.1'];
  const crossover = { interface: 'lo', address, peerAddress };
  const seen: string[] = [];
  const troubles: string[] = [];
  const link = new AgentLink(
    { box, crossover, node: { pair: { key } } },
    {
      up: (release) => seen.push(`up ${release}`),
      down: () => seen.push('down'),
      message: (kind, json) => {
        if (kind === 'riddle') throw new Error('what is it?');
        seen.push(`${kind} ${JSON.stringify(json)}`);
      },
      trouble: ({ text, alarm }) => {
        if (alarm) troubles.push(text);
      },
      file: (meta) => (meta['wanted'] === true ? join(dir, 'got') : undefined),
      fileDone: (meta, _path, fault) => seen.push(`file ${String(meta['name'])} ${fault}`),
    },
  );
  t.teardown(() => link.close());
  return { link, seen, troubles };
}

test.serial('messages and files pass, and a file that is not wanted is told so', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-link-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const a = end(t, 'a', dir);
  t.is(await a.link.sendFile('/dev/null', {}), 'file-peer: the other box is not there');
  const b = end(t, 'b', dir);
  await until('they see each other', () => a.link.up && b.link.up);
  t.regex(a.seen[0] ?? '', /^up sipair /);
  writeFileSync(join(dir, 'bundle'), BYTES);
  let last = 0;
  const sending = a.link.sendFile(join(dir, 'bundle'), { wanted: true, name: 'x' }, (bytes) => {
    last = bytes;
  });
  t.true(a.link.send('hallo', { n: 1 }), 'a message passes a file by');
  t.regex(await a.link.sendFile(join(dir, 'bundle'), {}), /^file-busy/);
  t.is(await sending, '');
  t.is(last, BYTES.length);
  t.true(readFileSync(join(dir, 'got')).equals(BYTES));
  t.deepEqual(b.seen.slice(1), ['hallo {"n":1,"kind":"hallo"}', 'file x ']);
  t.regex(await b.link.sendFile(join(dir, 'bundle'), {}), /^file-unwanted/);
  t.regex(await b.link.sendFile(join(dir, 'nothing'), {}), /^file-read/);
  b.link.close();
  await until('a notices', () => a.seen.at(-1) === 'down');
});

test.serial(
  'an agent that is slow to answer is waited for, longer than the mirror would',
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'sipair-link-'));
    t.teardown(() => rmSync(dir, { recursive: true }));
    const a = end(t, 'a', dir);
    const socket = tcpConnect({ host: '127.0.0.1', port: SYSTEM_PORT, localAddress: '127.0.0.2' });
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    await sleep(3000);
    const psk = Buffer.from(derive(KEY, 'system tls'));
    const tls = tlsConnect({
      socket,
      ciphers: 'TLS_CHACHA20_POLY1305_SHA256',
      minVersion: 'TLSv1.3',
      pskCallback: () => ({ psk, identity: 'sipair b' }),
    });
    tls.on('error', () => {});
    // a says hello first
    const heard = await new Promise<Buffer>((done) => tls.once('data', done));
    t.regex(heard.toString('latin1'), /"kind":"hello"/);
    t.deepEqual(a.troubles, []);
  },
);

test.serial(
  'what is not understood is told, ends the link and nothing else; a big one arrives',
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'sipair-link-'));
    t.teardown(() => rmSync(dir, { recursive: true }));
    const a = end(t, 'a', dir);
    const b = end(t, 'b', dir);
    await until('they see each other', () => a.link.up && b.link.up);
    a.link.send('riddle');
    await until('it is told', () => b.troubles.length > 0);
    t.regex(b.troubles[0] ?? '', /not understood here: riddle: what is it/);
    await until('they see each other again', () => a.seen.length >= 3 && a.link.up && b.link.up);
    const text = 'x'.repeat(11_000_000);
    a.link.send('big', { text });
    await until('it is there', () => b.seen.at(-1)?.startsWith('big') === true);
    t.is(b.seen.at(-1), `big ${JSON.stringify({ text, kind: 'big' })}`);
  },
);

test.serial('who has another key is refused, and that is an alarm', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-link-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const a = end(t, 'a', dir);
  end(t, 'b', dir, new Uint8Array(32).fill(4));
  await until('it is told', () => a.troubles.length > 0);
  t.regex(a.troubles[0] ?? '', /do not have the same pair key/);
  t.false(a.link.up);
});
