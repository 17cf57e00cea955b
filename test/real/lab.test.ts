/**
 * The lab itself, on real namespaces and processes: it comes up, does what it is told, and leaves
 * nothing behind however it ends.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { createLab, labName, openLab, removeLab, removeStale } from '../lab/lab.ts';
import { netnsOf, run } from '../lab/network.ts';
import { BOXES, LAN_MAC, NODE, placesOf, ROOT } from '../lab/places.ts';
import { gone, isAlive, knownOf, sleep } from '../lab/processes.ts';

/** What a lab could leave behind on this machine. */
function leftovers(name: string): string[] {
  const places = placesOf(name);
  const found: string[] = netnsOf(places);
  if (existsSync(places.dir)) found.push(places.dir);
  return found;
}

const links = (): string => execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' });

test('a lab comes up in step, goes down, and leaves nothing behind', async (t) => {
  const name = labName('updown');
  const before = links();
  const lab = await createLab({ name });
  t.teardown(() => removeLab(name));
  const status = await lab.status({ arp: true });
  t.true(status.inStep);
  t.not(status.primary, null);
  const primary = status.primary ?? 'a';
  t.deepEqual(status.vipAnsweredBy, [{ mac: LAN_MAC[primary], box: primary }]);
  // Whatever runs on a host of the lab ends with it.
  const sleeper = lab.spawn('lan', ['sleep', '1000']);
  await sleep(100);
  const processes = BOXES.map((box) => knownOf(status.boxes[box].pid ?? 0));
  processes.push(knownOf(sleeper.pid ?? 0));
  t.true(processes.every(isAlive));
  await lab.down();
  t.deepEqual(processes.filter(isAlive), []);
  t.deepEqual(leftovers(name), []);
  t.is(links(), before);
  t.deepEqual(await removeLab(name), [], 'down again is not an error');
});

test('two labs side by side do not touch each other', async (t) => {
  const names = [labName('left'), labName('right')] as const;
  t.teardown(() => Promise.all(names.map((name) => removeLab(name))));
  const [left, right] = await Promise.all(names.map((name) => createLab({ name })));
  if (left === undefined || right === undefined) return t.fail();
  const before = await right.status();
  const victim = (await left.status()).primary ?? 'a';
  await left.kill(victim);
  await left.cut('x');
  const after = await right.status({ arp: true });
  t.is(after.primary, before.primary);
  t.is(after.boxes.a.status?.epoch, before.boxes.a.status?.epoch);
  t.true(after.inStep);
  t.deepEqual(
    after.vipAnsweredBy.map((one) => one.box),
    [before.primary],
  );
  await left.down();
  t.deepEqual(leftovers(left.name), []);
  t.true((await right.status()).inStep);
});

test('a name in use is refused, and the one who uses it goes on', async (t) => {
  const name = labName('name');
  const lab = await createLab({ name, wait: false });
  t.teardown(() => lab.down());
  const error = await t.throwsAsync(createLab({ name }));
  t.regex(error?.message ?? '', /exists already.*lab down --name/);
  t.true(BOXES.every((box) => lab.process(box) !== undefined));
});

test('half a lab comes down too', async (t) => {
  const name = labName('half');
  const places = placesOf(name);
  t.teardown(() => removeLab(name));
  mkdirSync(places.dir, { recursive: true, mode: 0o700 });
  await run('ip', ['netns', 'add', places.netns('sw')]);
  await run('ip', ['netns', 'add', places.netns('a')]);
  t.throws(() => openLab(name), { message: /there is no lab/ });
  await removeLab(name);
  t.deepEqual(leftovers(name), []);
});

test('a box that cannot start is told with its last words, and nothing is left', async (t) => {
  const name = labName('broken');
  const error = await t.throwsAsync(createLab({ name, program: '/bin/false' }));
  t.regex(error?.message ?? '', /box [ab] did not come up/);
  t.deepEqual(leftovers(name), []);
});

test('power-off: no goodbye on the wire, all devices gone, the disk stays', async (t) => {
  const name = labName('power');
  const lab = await createLab({ name });
  t.teardown(() => lab.down());
  const primary = (await lab.status()).primary ?? 'a';
  const backup = primary === 'a' ? 'b' : 'a';
  const filter = 'tcp[tcpflags] & (tcp-fin|tcp-rst) != 0';
  const capture = lab.spawn(backup, ['tcpdump', '-i', 'x0', '-Q', 'in', '-nl', filter]);
  const heard: string[] = [];
  createInterface({ input: capture.stdout }).on('line', (line) => heard.push(line));
  await new Promise<void>((done) => {
    createInterface({ input: capture.stderr }).on('line', (line) => {
      if (line.startsWith('listening')) done();
    });
  });
  await lab.powerOff(primary);
  t.is(lab.process(primary), undefined);
  t.false(existsSync(`/run/netns/${lab.places.netns(primary)}`));
  t.true(existsSync(lab.places.data(primary)));
  await t.throwsAsync(lab.powerOff(primary), { message: /no power already/ });
  await t.throwsAsync(lab.kill(primary), { message: /has no power/ });
  await sleep(500);
  capture.kill();
  t.deepEqual(heard, []);
  await lab.start(primary);
  t.is((await lab.ready()).primary, backup);
});

test('a cut cable carries nothing, a healed one carries again', async (t) => {
  const lab = await createLab({ name: labName('cable'), wait: false });
  t.teardown(() => lab.down());
  const ping = ['ping', '-c', '1', '-W', '1', '-q'];
  const x = [...ping, '169.254.77.2'];
  const lan = [...ping, '192.0.2.12'];
  await t.notThrowsAsync(lab.exec('a', x));
  await lab.cut('x');
  await t.throwsAsync(lab.exec('a', x));
  await t.notThrowsAsync(lab.exec('lan', lan));
  await lab.heal('x');
  await t.notThrowsAsync(lab.exec('a', x));
  await lab.cut('lan-b');
  await t.throwsAsync(lab.exec('lan', lan));
  await lab.heal('lan-b');
  await t.notThrowsAsync(lab.exec('lan', lan));
});

/** `build.sh up`, headless, until it has said `word`. */
async function upUntil(name: string, word: string): Promise<ChildProcess> {
  const up = join(ROOT, 'test/lab/up.ts');
  const child = spawn(NODE, [up, '--headless', '--phones=4', `--name=${name}`]);
  await new Promise<void>((done, fail) => {
    const lines: string[] = [];
    const read = (line: string) => {
      lines.push(line);
      if (line.includes(word)) done();
    };
    createInterface({ input: child.stdout }).on('line', read);
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
    child.on('exit', () => fail(new Error(`ended before "${word}":\n${lines.join('\n')}`)));
  });
  return child;
}

test('up: a signal ends it and leaves nothing behind, while it starts and while it runs', async (t) => {
  for (const word of ['process', '"type":"status"']) {
    const name = labName('show');
    const child = await upUntil(name, word);
    t.teardown(() => removeLab(name));
    const ended = new Promise((done) => child.on('exit', done));
    child.kill('SIGINT');
    t.is(await ended, 0);
    t.deepEqual(leftovers(name), [], `after "${word}"`);
  }
});

test('up: what a killed one leaves is found and removed', async (t) => {
  const name = labName('stale');
  const child = await upUntil(name, '"type":"status"');
  t.teardown(() => removeLab(name));
  const known = knownOf(child.pid ?? 0);
  child.kill('SIGKILL');
  t.true(await gone(known, 5000));
  t.not(leftovers(name).length, 0);
  t.true((await removeStale()).includes(name));
  t.deepEqual(leftovers(name), []);
});
