/**
 * The executable: the same sources make the same octets; it runs where there is nothing but a C
 * library and where nothing that can be written may be executed; and a pair of it is a pair.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { createLab, labName } from '../lab/lab.ts';
import { NODE, other, ROOT } from '../lab/places.ts';
import { RemoteCrowd } from './client/remote.ts';

const BUILDER = join(ROOT, 'image/binary.ts');
const BINARY = join(ROOT, 'dist/sipair');
const CALLS = 3;

let folder: string;

test.before(() => {
  execFileSync(NODE, [BUILDER]);
  folder = mkdtempSync('/tmp/sipair-binary-');
});

test.after.always(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** A root folder with the executable, its native parts and the libraries they are linked with. */
function bareRoot(): string {
  const root = join(folder, 'root');
  const home = join(root, 'usr/lib/sipair');
  for (const name of ['proc', 'run', 'tmp', 'dev/net', 'lib', 'lib64']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  mkdirSync(home, { recursive: true });
  copyFileSync(BINARY, join(home, 'sipair'));
  cpSync(join(ROOT, 'dist/native'), join(home, 'native'), { recursive: true });
  for (const device of ['null', 'urandom', 'net/tun']) writeFileSync(join(root, 'dev', device), '');
  const said = execFileSync('sh', ['-c', 'ldd "$0" "$1"/*', BINARY, join(ROOT, 'dist/native')]);
  for (const [, path] of String(said).matchAll(/(\/[^ :]+) \(0x/g)) {
    const copy = join(root, path as string);
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(realpathSync(path as string), copy);
  }
  return root;
}

/** Runs the executable with that root, read-only; only the labs' folder is there besides. */
const IN_ROOT = `#!/bin/sh
exec unshare --mount --propagation private sh -e -c '
  root=$0
  mount --bind $root $root
  mount -o remount,bind,ro $root
  mount -t proc proc $root/proc
  for name in run tmp; do mount -t tmpfs -o noexec,nosuid tmpfs $root/$name; done
  mkdir -p -m 700 /tmp/sipair-lab $root/tmp/sipair-lab
  mount --bind /tmp/sipair-lab $root/tmp/sipair-lab
  mount -o remount,bind,noexec $root/tmp/sipair-lab
  for name in null urandom net/tun; do mount --bind /dev/$name $root/dev/$name; done
  cd /
  exec chroot $root /usr/lib/sipair/sipair "$@"
' ROOT "$@"
`;

test.serial('made twice, in different folders, it is the same', (t) => {
  const [out, work] = [join(folder, 'again/sipair'), join(folder, 'work')];
  execFileSync(NODE, [BUILDER, '--force', '--out', out, '--work', work]);
  t.is(digestOf(out), digestOf(BINARY));
  rmSync(dirname(out), { recursive: true });
});

test.serial(
  'without files beside it, it writes native parts where it may and else says so',
  (t) => {
    const alone = join(folder, 'alone');
    mkdirSync(alone);
    copyFileSync(BINARY, join(alone, 'sipair'));
    const file = join(alone, 'box.json');
    const config = {
      box: 'a',
      redundancy: 'hot-standby',
      sip: { port: 5060 },
      users: { from: 1000, to: 1999 },
      vip: { address: '192.0.2.10' },
      lan: { interface: 'nowhere0', address: '192.0.2.11', prefix: 24, peerAddress: '192.0.2.12' },
      crossover: {
        interface: 'nowhere1',
        address: '169.254.77.1',
        peerAddress: '169.254.77.2',
      },
      key: '5'.repeat(64),
      data: alone,
      control: join(alone, 'control.sock'),
    };
    writeFileSync(file, JSON.stringify(config));
    const serve = (before: string): string => {
      const shell = `${before}; exec "$0" serve --config "$1"`;
      const command = ['--mount', '--propagation', 'private', 'sh', '-e', '-c', shell];
      const environment = { ...process.env, SIPAIR_NATIVE: join(alone, 'parts') };
      const end = spawnSync('unshare', [...command, join(alone, 'sipair'), file], {
        env: environment,
        timeout: 30_000,
      });
      return `${end.stdout}${end.stderr}`;
    };
    // its first native part is what tells that there is no such interface
    t.regex(serve(':'), /start-failed: no interface nowhere0/);
    rmSync(join(alone, 'parts'), { recursive: true });
    const noexec = `mkdir "$2" && mount -t tmpfs -o noexec tmpfs "$2"`.replaceAll(
      '$2',
      join(alone, 'parts'),
    );
    t.regex(serve(noexec), /no place to load netlite\.node/);
  },
);

test.serial(
  'a pair of it in a bare read-only root: calls live on when the primary dies',
  async (t) => {
    const program = join(folder, 'in-root');
    writeFileSync(program, IN_ROOT.replace('ROOT', bareRoot()), { mode: 0o755 });
    const version = String(execFileSync(program, ['version']));
    t.regex(version, /^sipair \d+\.\d+\.\d+\n$/);
    const lab = await createLab({ name: labName('binary'), program, waitMs: 60_000 });
    t.teardown(() => lab.down());
    const { primary } = await lab.ready();
    if (primary === null) return t.fail('nobody leads');
    const known = lab.process(primary);
    const maps = readFileSync(`/proc/${known?.pid}/maps`, 'utf8');
    for (const name of ['netlite', 'better-sqlite3']) {
      t.regex(maps, new RegExp(`/usr/lib/sipair/native/[0-9a-f]{16}-${name}\\.node`), name);
    }
    const crowd = await RemoteCrowd.start(lab);
    t.deepEqual((await crowd.register()).failed, []);
    t.deepEqual((await crowd.establish(CALLS)).failed, []);
    await lab.kill(primary);
    await lab.start(primary);
    const after = await lab.ready(60_000);
    t.is(after.primary, other(primary));
    t.deepEqual((await crowd.hangUp(0)).failed, []);
  },
);
