/** A bundle comes from a web server, a USB stick or a file of the box; whatever goes wrong on the way is said. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Run } from '../../src/edge/system/image.ts';
import { bring, sticks } from '../../src/edge/system/image-source.ts';

const BUNDLE = Buffer.alloc(3_000_000, 'sipair');

type Disk = { readonly name: string; readonly usb: boolean; readonly event: string };

function folder(t: ExecutionContext): string {
  const root = mkdtempSync(join(tmpdir(), 'sipair-source-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** A machine with block devices; a partition lies in its disk. */
function withDisks(root: string, disks: readonly Disk[]): void {
  mkdirSync(join(root, 'sys/class/block'), { recursive: true });
  for (const { name, usb, event } of disks) {
    const disk = name.replace(/\d+$/, '');
    const own = name === disk ? disk : `${disk}/${name}`;
    const path = join(
      root,
      usb ? 'sys/devices/pci0/usb1/1-1/block' : 'sys/devices/pci0/block',
      own,
    );
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'uevent'), `${event}\n`);
    symlinkSync(path, join(root, 'sys/class/block', name));
  }
}

/** `mount` puts the files of that device where they are wanted; `umount` takes them away. */
function mounting(content: { readonly [device: string]: readonly string[] }): {
  readonly run: Run;
  readonly done: string[];
} {
  const done: string[] = [];
  const run: Run = (program, args) => {
    const at = args.at(-1) ?? '';
    done.push(`${program} ${args.filter((a) => a.startsWith('/dev/')).join(' ')}`.trim());
    const files = program === 'mount' ? content[args.at(-2) ?? ''] : [];
    if (files === undefined) {
      return Promise.resolve({ code: 32, out: '', err: 'mount: unknown file system\n' });
    }
    rmSync(at, { recursive: true });
    mkdirSync(at);
    for (const name of files) writeFileSync(join(at, name), BUNDLE);
    return Promise.resolve({ code: 0, out: '', err: '' });
  };
  return { run, done };
}

const STICK: readonly Disk[] = [
  { name: 'vda', usb: false, event: 'DEVTYPE=disk' },
  { name: 'vda1', usb: false, event: 'DEVTYPE=partition\nPARTNAME=data' },
  { name: 'sda', usb: true, event: 'DEVTYPE=disk' },
  { name: 'sda1', usb: true, event: 'DEVTYPE=partition' },
  { name: 'sdb', usb: true, event: 'DEVTYPE=disk' },
  { name: 'sdc', usb: true, event: 'DEVTYPE=disk' },
  { name: 'sdc1', usb: true, event: 'DEVTYPE=partition\nPARTNAME=root-A' },
];

const NO_RUN: Run = () => Promise.reject(new Error('nothing is run'));
const ROOM = (): number => 10_000_000;

test('sticks: partitions behind USB, disks without any, never partitions of a box', (t) => {
  const root = folder(t);
  withDisks(root, STICK);
  t.deepEqual(sticks(root), ['sda1', 'sdb']);
});

test('the named file of a stick, or the only bundle there; it is unmounted again', async (t) => {
  const root = folder(t);
  withDisks(root, STICK);
  const to = join(root, 'got');
  const { run, done } = mounting({ '/dev/sdb': ['a.txt', 'new.raucb'] });
  const tools = { root, run, room: ROOM };
  t.is(await bring('usb:new.raucb', to, tools), '');
  t.true(BUNDLE.equals(readFileSync(to)));
  t.deepEqual(done, ['mount /dev/sda1', 'mount /dev/sdb', 'umount']);
  rmSync(to);
  t.is(await bring('usb:', to, tools), '');
  t.true(BUNDLE.equals(readFileSync(to)));
});

test('a stick without the file says what it has; one that cannot be read says why', async (t) => {
  const root = folder(t);
  withDisks(root, STICK);
  const to = join(root, 'got');
  const two = { root, room: ROOM, ...mounting({ '/dev/sdb': ['1.raucb', '2.raucb'] }) };
  const there = 'image-file: on the stick there are: 1.raucb, 2.raucb';
  t.is(await bring('usb:3.raucb', to, two), there);
  t.is(await bring('usb:', to, two), there);
  const none = { root, room: ROOM, ...mounting({ '/dev/sda1': [] }) };
  t.is(
    await bring('usb:', to, none),
    'image-file: the stick cannot be read: mount: unknown file system',
  );
  t.regex(await bring('usb:../etc/shadow', to, none), /top folder/);
  t.is(await bring('usb:', to, { ...none, root: folder(t) }), 'image-file: there is no USB stick');
});

test('a file of the box, and what is none', async (t) => {
  const root = folder(t);
  const [from, to] = [join(root, 'from'), join(root, 'to')];
  writeFileSync(from, BUNDLE);
  const tools = { root, run: NO_RUN, room: ROOM };
  t.is(await bring(from, to, tools), '');
  t.true(BUNDLE.equals(readFileSync(to)));
  t.is(await bring(join(root, 'none'), to, tools), `image-file: there is no ${join(root, 'none')}`);
  t.is(await bring(root, to, tools), `image-file: ${root} is no file`);
  t.regex(await bring('file.raucb', to, tools), /is no source/);
  t.regex(await bring(from, to, { ...tools, room: () => 1000 }), /^image-space/);
});

/** @returns the address of a web server that answers so. */
async function server(
  t: ExecutionContext,
  answer: (path: string, response: ServerResponse) => void,
): Promise<string> {
  const web = createServer((request, response) => answer(request.url ?? '', response));
  await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    web.closeAllConnections();
    web.close();
  });
  return `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
}

test('from a web server, over a redirection', async (t) => {
  const root = folder(t);
  const at = await server(t, (path, response) => {
    if (path === '/latest') response.writeHead(302, { location: 'new.raucb' }).end();
    else if (path === '/new.raucb') response.end(BUNDLE);
    else response.writeHead(404).end();
  });
  const to = join(root, 'got');
  const tools = { root, run: NO_RUN, room: ROOM };
  t.is(await bring(`${at}/latest`, to, tools), '');
  t.true(BUNDLE.equals(readFileSync(to)));
  t.regex(await bring(`${at}/old.raucb`, to, tools), /^image-file: .* says 404 Not Found/);
  t.regex(await bring(`${at}/new.raucb`, to, { ...tools, room: () => 1000 }), /^image-space/);
});

test('a web server that turns in circles, breaks off, says more than there is room, is not there', async (t) => {
  const root = folder(t);
  const at = await server(t, (path, response) => {
    if (path === '/circle') response.writeHead(302, { location: '/circle' }).end();
    else if (path === '/away') response.writeHead(302, { location: 'ftp://h/x' }).end();
    else if (path === '/half') {
      response.writeHead(200, { 'content-length': BUNDLE.length });
      response.write(BUNDLE.subarray(0, 1000), () => response.destroy());
    } else {
      // no length is said
      response.writeHead(200);
      response.end(BUNDLE);
    }
  });
  const to = join(root, 'got');
  const tools = { root, run: NO_RUN, room: ROOM };
  t.regex(
    await bring(`${at.replace('//', '//me:secret@')}/circle`, to, tools),
    /^image-file: 127[.:\d]+ leads from one address to the next/,
  );
  t.regex(await bring(`${at}/away`, to, tools), /it leads to ftp:/);
  t.regex(await bring(`${at}/half`, to, tools), /^image-file: .* broke off/);
  t.regex(await bring(`${at}/long`, to, { ...tools, room: () => 1_000_000 }), /^image-space/);
  t.regex(await bring('http://127.0.0.1:1/x', to, tools), /^image-file: 127.0.0.1:1: /);
  t.regex(await bring('http://', to, tools), /is no address of a web server/);
});

test('a file that cannot be opened, a pipe and a link of a stick are told, and end nothing', async (t) => {
  const root = folder(t);
  const to = join(root, 'got');
  const tools = { root, run: NO_RUN, room: ROOM };
  // nobody may read it, whoever it is
  t.regex(await bring('/sys/bus/platform/uevent', to, tools), /^image-file: .*EACCES/);
  const pipe = join(root, 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.is(await bring(pipe, to, tools), `image-file: ${pipe} is no file`);
  await t.throwsAsync(bring(import.meta.filename, join(root, 'none/got'), tools), {
    code: 'ENOENT',
  });
  withDisks(root, STICK);
  writeFileSync(join(root, 'secret'), 'secret');
  const run: Run = (program, args) => {
    if (program === 'mount') symlinkSync(join(root, 'secret'), join(args.at(-1) ?? '', 'a.pem'));
    return Promise.resolve({ code: 0, out: '', err: '' });
  };
  t.regex(await bring('usb:a.pem', to, { ...tools, run }), /^image-file: .*ELOOP/);
  t.false(existsSync(to));
});

test('two of a stick at once: each has its own mount, and takes away its own', async (t) => {
  const root = folder(t);
  withDisks(root, STICK);
  const mounts: string[] = [];
  const run: Run = async (program, args) => {
    const at = args.at(-1) ?? '';
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (program === 'mount') {
      if (mounts.includes(at)) return { code: 32, out: '', err: 'mount: busy\n' };
      mounts.push(at);
      for (const name of ['a.pem', 'b.raucb']) writeFileSync(join(at, name), BUNDLE);
    } else {
      mounts.splice(mounts.indexOf(at), 1);
      for (const name of readdirSync(at)) rmSync(join(at, name));
    }
    return { code: 0, out: '', err: '' };
  };
  const tools = { root, run, room: ROOM };
  const [one, two] = [join(root, 'one'), join(root, 'two')];
  const ends = await Promise.all([bring('usb:a.pem', one, tools), bring('usb:', two, tools)]);
  t.deepEqual(ends, ['', '']);
  t.deepEqual(mounts, []);
  t.deepEqual(readdirSync(join(root, 'run/sipair')), []);
});
