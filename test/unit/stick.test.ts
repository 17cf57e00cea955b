/** What leaves a box by a USB stick, and comes back: the first stick that can be mounted, and every fault. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Run } from '../../src/edge/system/image.ts';
import { readStick, writeStick } from '../../src/edge/system/stick.ts';

/** A box with sticks in it; what is on one stays on it. */
class Sticks {
  readonly root: string;
  readonly words: string[] = [];
  /** Of the next `mount` of a device, `umount`: what goes wrong. */
  readonly faults = new Map<string, string>();
  private mounted = '';

  constructor(t: ExecutionContext, devices: readonly string[]) {
    this.root = mkdtempSync(join(tmpdir(), 'sipair-stick-'));
    t.teardown(() => rmSync(this.root, { recursive: true, force: true }));
    mkdirSync(join(this.root, 'sys/class/block'), { recursive: true });
    for (const name of devices) {
      const path = join(this.root, 'sys/devices/usb1/1-1/block', name);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'uevent'), 'DEVTYPE=disk\n');
      symlinkSync(path, join(this.root, 'sys/class/block', name));
      mkdirSync(this.on(name), { recursive: true });
    }
  }

  on(device: string, file = ''): string {
    return join(this.root, 'content', device, file);
  }

  /** A folder stands for the mounted stick. */
  readonly run: Run = (program, args) => {
    const at = args.at(-1) ?? '';
    const device = program === 'mount' ? (args.at(-2) ?? '').replace('/dev/', '') : this.mounted;
    this.words.push(program === 'mount' ? `${args[1]} ${device}` : program);
    const err = this.faults.get(program === 'mount' ? device : program);
    if (err !== undefined) return Promise.resolve({ code: 32, out: '', err });
    rmSync(at, { recursive: true });
    if (program === 'mount') symlinkSync(this.on(device), at);
    else mkdirSync(at);
    this.mounted = device;
    return Promise.resolve({ code: 0, out: '', err: '' });
  };
}

test.serial('written, and read again; the stick is mounted meanwhile only', async (t) => {
  const box = new Sticks(t, ['sda']);
  t.deepEqual(await writeStick('north.conf', 'set vip address 192.0.2.10\n', box), {
    path: 'usb:north.conf',
  });
  t.regex(readFileSync(box.on('sda', 'north.conf'), 'utf8'), /^set vip/);
  t.false(existsSync(box.on('sda', 'north.conf.new')));
  t.deepEqual(await readStick('north.conf', box), { text: 'set vip address 192.0.2.10\n' });
  t.deepEqual(box.words, [
    'rw,nosuid,nodev,noexec,nosymfollow sda',
    'umount',
    'ro,nosuid,nodev,noexec,nosymfollow sda',
    'umount',
  ]);
});

test.serial(
  'a stick that cannot be mounted is passed over; nothing is tried without one',
  async (t) => {
    const box = new Sticks(t, ['sda', 'sdb']);
    box.faults.set('sda', 'mount: wrong fs type\n');
    t.deepEqual(await writeStick('a', new Uint8Array([1]), box), { path: 'usb:a' });
    t.true(existsSync(box.on('sdb', 'a')));
    box.faults.set('sdb', 'mount: write-protected\n');
    t.deepEqual(await writeStick('a', 'x', box), {
      error: 'stick-none',
      text: 'sdb: mount: write-protected',
    });
    const none = new Sticks(t, []);
    t.like(await readStick('a', none), { error: 'stick-none' });
    t.deepEqual(none.words, []);
  },
);

test.serial('every fault has its code, and the stick is let go', async (t) => {
  const box = new Sticks(t, ['sda']);
  for (const name of ['', '../x', 'a/b', '.hidden', 'x'.repeat(65)]) {
    t.like(await writeStick(name, 'x', box), { error: 'stick-name' }, name);
    t.like(await readStick(name, box), { error: 'stick-name' }, name);
  }
  t.deepEqual(box.words, []);
  t.like(await readStick('absent', box), { error: 'stick-read' });
  mkdirSync(box.on('sda', 'folder'));
  t.like(await readStick('folder', box), { error: 'stick-read' });
  t.like(await writeStick('folder', 'x', box), { error: 'stick-write' });
  writeFileSync(box.on('sda', 'long'), Buffer.alloc(9 * 1024 * 1024));
  t.like(await readStick('long', box), { error: 'stick-read', text: 'usb:long: it is too long' });
  t.is(box.words.filter((w) => w === 'umount').length, 4);
  box.faults.set('umount', 'umount: I/O error\n');
  t.like(await writeStick('a', 'x', box), { error: 'stick-unmount' });
});

test.serial('two consoles at once: the second is told', async (t) => {
  const box = new Sticks(t, ['sda']);
  const first = writeStick('a', 'x', box);
  t.like(await writeStick('b', 'x', box), { error: 'stick-busy' });
  t.deepEqual(await first, { path: 'usb:a' });
});

test.serial('a link or a pipe of a stranger leads nowhere, and holds nobody up', async (t) => {
  const box = new Sticks(t, ['sda']);
  const secret = join(box.root, 'admin.json');
  writeFileSync(secret, 'secret');
  symlinkSync(secret, box.on('sda', 'north.conf'));
  symlinkSync(secret, box.on('sda', 'saved.new'));
  execFileSync('mkfifo', [box.on('sda', 'pipe'), box.on('sda', 'piped.new')]);
  for (const name of ['north.conf', 'pipe']) {
    const text = `usb:${name}: it is no file`;
    t.deepEqual(await readStick(name, box), { error: 'stick-read', text });
  }
  for (const name of ['saved', 'piped']) {
    t.like(await writeStick(name, 'x', box), { error: 'stick-write' }, name);
  }
  t.is(readFileSync(secret, 'utf8'), 'secret');
  // the fault took away what stood in the way
  t.deepEqual(await writeStick('saved', 'x', box), { path: 'usb:saved' });
});
