/**
 * A box whose data directory is a small ext4 of its own: it runs full, stands still for ten seconds
 * (fsfreeze), is aborted by its kernel as after an I/O error, and is replaced by an empty one. Calls go
 * on all the while, the log says why in words, and what the peer held comes back.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { sleep } from '../lab/processes.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';

const SIZE_KB = 32_000;
/** Each registration is remembered for half a minute: more of them would fill the small disk by themselves. */
const PACE_MS = 100;
/** Half a second of patience with the disk, and a busy machine. */
const PATIENCE_MS = 1500;

/** The small disk of box a. */
class SmallDisk {
  readonly folder: string;
  readonly image: string;
  #frozen = false;
  #mounted = false;

  constructor(lab: Lab) {
    this.folder = lab.places.data('a');
    this.image = join(lab.places.dir, 'small-disk.img');
  }

  /** A new, empty file system in place of whatever there was. */
  mount(): void {
    rmSync(this.image, { force: true });
    run('truncate', '-s', `${SIZE_KB}k`, this.image);
    run('mkfs.ext4', '-q', '-F', '-m', '0', this.image);
    run('mount', '-o', 'loop', this.image, this.folder);
    this.#mounted = true;
  }

  fill(): void {
    // dd ends with an error when the disk is full: that is what is wanted
    run('sh', '-c', `dd if=/dev/zero of=${this.folder}/ballast bs=4k 2>/dev/null; sync`);
  }

  free(): void {
    rmSync(join(this.folder, 'ballast'));
  }

  freeze(): void {
    run('fsfreeze', '-f', this.folder);
    this.#frozen = true;
  }

  thaw(): void {
    if (this.#frozen) run('fsfreeze', '-u', this.folder);
    this.#frozen = false;
  }

  /** What the kernel does to a file system whose medium fails. */
  abort(): void {
    run('mount', '-o', 'remount,abort', this.folder);
  }

  unmount(): void {
    this.thaw();
    if (this.#mounted) run('umount', '-l', this.folder);
    this.#mounted = false;
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

const logOf = (lab: Lab): string => readFileSync(lab.places.log('a'), 'utf8');

/** A slow medium takes long to be full, and long to be free again. */
const SAID_MS = 60_000;

/** Waits until the log of box a has a line that was not there at `from`. */
async function said(t: ExecutionContext, lab: Lab, from: number, words: RegExp): Promise<void> {
  const end = performance.now() + SAID_MS;
  while (!words.test(logOf(lab).slice(from))) {
    if (performance.now() > end) {
      t.fail(`not said: ${words}; but: ${logOf(lab).slice(from)}`);
      return;
    }
    await sleep(50);
  }
  t.pass();
}

/** Refreshes a registration and says how long the answer took, ms. */
async function answered(phone: RawPhone, cseq: number): Promise<number> {
  const began = performance.now();
  phone.send(phone.registration(cseq, [`User-Agent: ${'x'.repeat(6000)}`]));
  await phone.next('200', 5000);
  return performance.now() - began;
}

test('full, silent, aborted, replaced: calls go on, and the registrations come back', async (t) => {
  const lab = await createLab({ name: labName('disk') });
  const disk = new SmallDisk(lab);
  t.teardown(async () => {
    disk.thaw();
    if (lab.process('a') !== undefined) await lab.kill('a');
    disk.unmount();
    await lab.down();
  });
  await lab.kill('a');
  disk.mount();
  await lab.start('a');
  await lab.ready();
  if ((await lab.status()).primary === 'b') await lab.switchover();
  await lab.kill('b');
  const wire = new Wire(lab);
  t.teardown(() => wire.close());
  const phones: RawPhone[] = [];
  for (let i = 0; i < 20; i += 1) phones.push(await wire.phone(1000 + i));
  let cseq = 0;
  const round = async (): Promise<number> => {
    let worst = 0;
    cseq += 1;
    for (const phone of phones) worst = Math.max(worst, await answered(phone, cseq));
    return worst;
  };
  await round();
  const flash = (await lab.status()).boxes.a.status as { readonly flashBytes?: number } | null;
  t.true((flash?.flashBytes ?? 0) > 0, 'what is written to the medium is counted');

  // full: the log of the database cannot grow
  let from = logOf(lab).length;
  disk.fill();
  for (let i = 0; i < 30; i += 1) t.true((await round()) < PATIENCE_MS, 'full');
  await said(t, lab, from, /disk: the file system is full: free space on it \(\w+\)/);
  t.is(
    logOf(lab)
      .slice(from)
      .match(/is full/g)?.length,
    1,
    'one alarm',
  );
  t.is((await lab.status()).boxes.a.status?.gate, 'open');
  disk.free();
  await said(t, lab, from, /disk: writes again/);
  t.is((await lab.status()).boxes.a.status?.gate, 'disk');

  // silent for ten seconds
  from = logOf(lab).length;
  disk.freeze();
  const began = performance.now();
  while (performance.now() - began < 10_000) {
    t.true((await round()) < PATIENCE_MS, 'frozen');
    await sleep(PACE_MS);
  }
  await said(t, lab, from, /disk: no answer for \d+ ms: going on from memory/);
  disk.thaw();
  await said(t, lab, from, /disk: writes again/);
  t.is((await lab.status()).boxes.a.status?.gate, 'disk');

  // aborted: nothing can be written any more, nor a new file be made
  from = logOf(lab).length;
  disk.abort();
  t.true((await round()) < PATIENCE_MS, 'aborted');
  await said(t, lab, from, /disk: .*(read-only|medium|cannot be opened).*going on from memory/);
  t.true((await round()) < PATIENCE_MS, 'aborted');

  // the pair is in step over a dead disk; the other one leads, and an empty disk is filled by it
  await lab.start('b');
  await lab.ready();
  await lab.kill('a');
  disk.unmount();
  disk.mount();
  await lab.start('a');
  const { boxes, primary } = await lab.ready();
  t.is(primary, 'b');
  t.is(boxes.a.status?.registrations, phones.length);
  t.true((await round()) < PATIENCE_MS);

  // damaged before the start: set aside, and filled by the peer
  from = logOf(lab).length;
  await lab.kill('a');
  // the write-ahead log alone could bring the file back
  for (const name of ['sipair.db', 'sipair.db-wal']) {
    const file = join(disk.folder, name);
    writeFileSync(file, Buffer.alloc(statSync(file).size, 'not a page '));
  }
  await lab.start('a');
  const after = await lab.ready();
  await said(t, lab, from, /set aside as .*sipair\.db\.set-aside-/);
  t.is(after.boxes.a.status?.registrations, phones.length);
});
