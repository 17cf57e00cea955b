/**
 * A box that cannot start says why, in one line with a code and a place, and ends: it does not stay
 * half alive, and it does not take anything from the box that runs already.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { NODE, ROOT, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';

type Config = { readonly [key: string]: unknown };
type End = { readonly code: number | null; readonly words: string; readonly ms: number };

const MAIN = join(ROOT, 'src/main.ts');

let lab: Lab;
let whole: Config;
let files = 0;

test.before(async () => {
  lab = await createLab({ name: labName('startup') });
  whole = JSON.parse(readFileSync(lab.places.config('b'), 'utf8')) as Config;
});

test.after.always(() => lab?.down());

/** Runs a box in the namespace of box b until it ends; one that stays is ended after 5 s: code null. */
function serve(text: string, before = ':'): Promise<End> {
  const file = join(lab.places.dir, `try-${++files}.json`);
  writeFileSync(file, text);
  return run(['serve', '--config', file], before);
}

/** @param before is done by a shell first; a mount it makes is seen by nobody else and goes with it. */
function run(args: readonly string[], before = ':'): Promise<End> {
  const began = performance.now();
  const shell = ['sh', '-e', '-c', `${before}; exec "$@"`, 'sh', NODE, MAIN, ...args];
  const command = ['netns', 'exec', lab.places.netns('b'), ...shell];
  const child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      words += String(bytes);
    });
  }
  const patience = setTimeout(() => child.kill('SIGKILL'), 8000);
  return new Promise((done) => {
    child.once('close', (code) => {
      clearTimeout(patience);
      done({ code, words, ms: performance.now() - began });
    });
  });
}

/** The configuration of box b with some things changed, in a data directory of its own. */
function config(change: Config): string {
  const data = join(lab.places.dir, `try-data-${files}`);
  mkdirSync(data, { recursive: true });
  return JSON.stringify({ ...whole, data, control: join(data, 'control.sock'), ...change });
}

/** It ended by itself, with this code and these words, and no stack of ours. */
function refused(t: ExecutionContext, end: End, code: number, words: RegExp): void {
  t.is(end.code, code, end.words);
  t.regex(end.words, words);
  t.notRegex(end.words, /^\s+at /m, 'one line, not a stack');
}

test.serial('a file that is not there, or no JSON, or no object', async (t) => {
  refused(
    t,
    await run(['serve', '--config', '/nowhere/a.json']),
    2,
    /config-file: \/nowhere\/a\.json/,
  );
  refused(t, await serve('{"box": "a",'), 2, /config-json: .*try-\d+\.json: /);
  refused(t, await serve('[]'), 2, /config-shape/);
});

test.serial('every mistake is told with its place', async (t) => {
  const end = await serve(
    config({
      box: 'c',
      vip: { address: '192.0.2.999' },
      sip: { port: 0, prot: 1 },
      key: 'short',
      colour: 'red',
      timers: { leaseMs: 9000, vipLifetimeS: 2 },
    }),
  );
  for (const words of [
    /config-choice: box: /,
    /config-address: vip\.address: 192\.0\.2\.999/,
    /config-range: sip\.port: /,
    /config-unknown: sip\.prot: /,
    /config-key: key: /,
    /config-unknown: colour: /,
    /config-timers: timers: /,
  ]) {
    refused(t, end, 2, words);
  }
});

test.serial('a second process on the same box is refused, and the first one goes on', async (t) => {
  const before = await lab.status();
  const end = await serve(config({}));
  refused(t, end, 1, /start-failed: .*(EADDRINUSE|EBUSY)/);
  const after = await lab.status({ arp: true });
  t.is(after.boxes.b.pid, before.boxes.b.pid);
  t.is(after.primary, before.primary);
  t.true(after.inStep);
  t.is(after.vipAnsweredBy.length, 1);
});

test.serial('what is missing or taken is named', async (t) => {
  await lab.kill('b');
  const lan = whole['lan'] as Config;
  const x = whole['crossover'] as Config;
  refused(
    t,
    await serve(config({ lan: { ...lan, interface: 'nolan9' } })),
    1,
    /start-failed: .*nolan9/,
  );
  refused(
    t,
    await serve(config({ crossover: { ...x, interface: 'nox9' } })),
    1,
    /start-failed: .*ENODEV/,
  );
  const file = join(lab.places.dir, 'a-file');
  writeFileSync(file, '');
  refused(t, await serve(config({ data: file })), 1, /start-failed: data directory: .*a-file/);
  refused(
    t,
    await serve(config({ data: '/sys/sipair-data' })),
    1,
    /start-failed: data directory: /,
  );
  const disk = join(lab.places.dir, 'read-only');
  mkdirSync(disk);
  refused(
    t,
    await serve(config({ data: disk }), `mount -t tmpfs -o ro none ${disk}`),
    1,
    /start-failed: database .*read-only.*sipair\.db: /,
  );
  refused(
    t,
    await serve(config({ control: '/nowhere/control.sock' })),
    1,
    /start-failed: control socket: .*nowhere/,
  );
  // Somebody has the SIP port at the VIP.
  const squat = `const s=require('dgram').createSocket('udp4');s.bind(5060,'0.0.0.0',()=>console.log('up'));`;
  const squatter = lab.spawn('b', [NODE, '-e', squat]);
  await new Promise((done) => squatter.stdout.once('data', done));
  refused(t, await serve(config({})), 1, /sip-socket: udp 192\.0\.2\.10: EADDRINUSE/);
  squatter.kill();
  await sleep(100);
  t.true((await lab.status({ arp: true })).vipAnsweredBy.length === 1, `${VIP} is still answered`);
});

test.serial(
  'a damaged database is set aside, and the box joins its peer with an empty one',
  async (t) => {
    const db = join(lab.places.data('b'), 'sipair.db');
    t.true(existsSync(db));
    writeFileSync(db, 'this is no database '.repeat(500));
    for (const beside of ['-wal', '-shm']) rmSync(db + beside, { force: true });
    await lab.start('b');
    await lab.ready();
    t.regex(
      readFileSync(lab.places.log('b'), 'utf8'),
      /database could not be used and was set aside/,
    );
  },
);
