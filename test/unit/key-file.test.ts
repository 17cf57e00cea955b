/** Where the pair key comes from: the configuration, or a file that only its owner can use. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Config, type ConfigFault, readConfig } from '../../src/edge/config.ts';
import { isKeyFault, newKey, readKeyFile, writeKeyFile } from '../../src/edge/key-file.ts';
import { NODE, ROOT } from '../lab/places.ts';

const HEX = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sipair-key-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function config(keys: object): object {
  return {
    box: 'a',
    redundancy: 'hot-standby',
    lan: { interface: 'lan0', address: '192.0.2.11', prefix: 24, peerAddress: '192.0.2.12' },
    crossover: { interface: 'x0', address: '169.254.77.1', peerAddress: '169.254.77.2' },
    vip: { address: '192.0.2.10' },
    sip: { port: 5060 },
    users: { from: 1000, to: 1999, auth: false },
    data: '/data',
    control: '/run/control.sock',
    ...keys,
  };
}

function codes(keys: object, keyed = true): string {
  const result = readConfig(config(keys), keyed);
  if ('node' in result) return Buffer.from((result as Config).node.pair.key).toString('hex');
  return (result as readonly ConfigFault[]).map((f) => `${f.place} ${f.code}`).join();
}

test('exactly one of key and keyFile', (t) => {
  const path = join(folder(t), 'pair.key');
  writeFileSync(path, `${HEX}\n`, { mode: 0o600 });
  t.is(codes({ key: HEX }), HEX);
  t.is(codes({ keyFile: path }), HEX);
  t.is(codes({}), 'key config-missing');
  t.is(codes({ key: HEX, keyFile: path }), 'keyFile config-key');
  t.is(codes({ key: 'abc' }), 'key config-key');
  t.is(codes({ keyFile: 7 }), 'keyFile config-missing');
});

test('a key file that others may use, or that is none, is refused; without a key, not looked at', (t) => {
  const dir = folder(t);
  const path = join(dir, 'pair.key');
  t.is(codes({ keyFile: path }), 'keyFile config-key-file');
  t.is(codes({ keyFile: dir }), 'keyFile config-key-file');
  t.is(codes({ keyFile: path }, false), '00'.repeat(32), 'pairing makes it');
  writeFileSync(path, HEX, { mode: 0o600 });
  t.is(codes({ keyFile: path }), HEX);
  for (const mode of [0o640, 0o604, 0o660, 0o644, 0o610]) {
    chmodSync(path, mode);
    t.is(codes({ keyFile: path }), 'keyFile config-key-mode', mode.toString(8));
  }
  chmodSync(path, 0o400);
  t.is(codes({ keyFile: path }), HEX);
  chmodSync(path, 0o600);
  for (const text of ['', 'key', HEX.slice(1), `${HEX}0`, `${HEX}\n\n`, `x${HEX.slice(1)}`]) {
    writeFileSync(path, text);
    t.is(codes({ keyFile: path }), 'keyFile config-key-malformed', text);
  }
  execFileSync('mkfifo', ['-m', '600', join(dir, 'pipe')]);
  t.is(codes({ keyFile: join(dir, 'pipe') }), 'keyFile config-key-file', 'does not wait');
});

test('writing: 0600, whole or not at all, and not over another unless told to', (t) => {
  const dir = folder(t);
  const path = join(dir, 'pair.key');
  const key = newKey();
  t.is(writeKeyFile(path, key, false), undefined);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.deepEqual(readKeyFile(path), key);
  t.is(writeKeyFile(path, newKey(), false)?.code, 'key-exists');
  t.deepEqual(readKeyFile(path), key);
  chmodSync(path, 0o644);
  const next = newKey();
  t.is(writeKeyFile(path, next, true), undefined);
  t.deepEqual(readKeyFile(path), next, 'and it is 0600 again');
  t.is(writeKeyFile(join(dir, 'no', 'where'), key, false)?.code, 'key-write');
  t.deepEqual(readdirSync(dir), ['pair.key']);
  t.notDeepEqual(newKey(), newKey());
});

test('the verb: a file with a key, and not a digit of it on the terminal', (t) => {
  const path = join(folder(t), 'pair.key');
  const run = (...args: string[]): { status: number | null; said: string } => {
    const result = spawnSync(NODE, [join(ROOT, 'src/main.ts'), 'key', ...args], {
      encoding: 'utf8',
    });
    return { status: result.status, said: result.stdout + result.stderr };
  };
  const first = run('--out', path);
  t.is(first.status, 0);
  t.false(isKeyFault(readKeyFile(path)));
  const text = readFileSync(path, 'latin1').trim();
  for (let at = 0; at + 8 <= 64; at += 1) t.false(first.said.includes(text.slice(at, at + 8)));
  const second = run('--out', path);
  t.is(second.status, 2);
  t.regex(second.said, /^key-exists: /);
  t.is(readFileSync(path, 'latin1').trim(), text);
  t.is(run().status, 2);
});
