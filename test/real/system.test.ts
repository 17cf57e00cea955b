/**
 * Two system agents as processes on loopback, each in a folder of its own, from first boot to a commit
 * that the other box gets when it is back. What they would do to the machine is written down.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { ownIdentity } from '../../src/edge/certificate.ts';
import type { Tree } from '../../src/panel/tree/terms.ts';

type Json = { readonly [name: string]: unknown };
type Side = 'a' | 'b';

const PATIENCE_MS = 20_000;

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !(await done()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

const SECRETS = ['trunk-secret-1', 'phone-secret-2'] as const;

class Boxes {
  readonly root = mkdtempSync(join(tmpdir(), 'sipair-system-'));
  readonly processes = new Map<Side, ChildProcess>();
  readonly errors = { a: '', b: '' };
  /** A network of their own, in which the cable is the loopback. */
  private readonly netns = `sipair-system-${process.pid}`;

  constructor() {
    ip('netns', 'add', this.netns);
    ip('-n', this.netns, 'link', 'set', 'lo', 'up');
    for (const address of ['169.254.77.1/32', '169.254.77.2/32']) {
      ip('-n', this.netns, 'address', 'add', address, 'dev', 'lo');
    }
  }

  start(side: Side): void {
    const words = ['netns', 'exec', this.netns, process.execPath, 'src/main.ts', 'system'];
    const args = [...words, '--root', join(this.root, side), '--apply', 'none'];
    const child = spawn('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (text: Buffer) => {
      this.errors[side] += text.toString();
    });
    this.processes.set(side, child);
  }

  async kill(side: Side): Promise<void> {
    const child = this.processes.get(side);
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    this.processes.delete(side);
  }

  path(side: Side, path: string): string {
    return join(this.root, side, path);
  }

  connect(side: Side): Socket {
    return connect(this.path(side, 'run/sipair/system.sock'));
  }

  ask(side: Side, request: object): Promise<Json> {
    return new Promise((resolve) => {
      const socket = this.connect(side);
      let text = '';
      socket.setEncoding('utf8');
      socket.on('error', (e) => resolve({ error: 'unreachable', text: e.message }));
      socket.on('data', (more: string) => {
        text += more;
        if (!text.includes('\n')) return;
        socket.destroy();
        resolve(JSON.parse(text) as Json);
      });
      socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Boxes that find each other again just now say that they are busy. */
  async commit(side: Side, request: object): Promise<Json> {
    let answer: Json = {};
    await until('they have agreed', async () => {
      answer = await this.ask(side, request);
      return answer['error'] !== 'commit-busy';
    });
    return answer;
  }

  async state(side: Side): Promise<Json & { revision: Json; peer: Json; alarms: Json[] }> {
    return (await this.ask(side, { command: 'state' })) as never;
  }

  async number(side: Side): Promise<unknown> {
    return (await this.state(side)).revision?.['number'];
  }

  async both(what: string, number: number): Promise<void> {
    for (const side of ['a', 'b'] as const) {
      await until(`${what} at ${side}`, async () => (await this.number(side)) === number);
    }
  }

  /** Presses y at both consoles when the codes are shown. @returns codes and last lines. */
  async pair(): Promise<{ codes: unknown[]; ends: Json[] }> {
    const one = (side: Side): Promise<{ code: unknown; end: Json }> =>
      new Promise((resolve) => {
        const socket = this.connect(side);
        let text = '';
        let code: unknown;
        socket.setEncoding('utf8');
        socket.on('data', (more: string) => {
          text += more;
          for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
            const line = JSON.parse(text.slice(0, at)) as Json;
            text = text.slice(at + 1);
            if (line['code'] !== undefined) {
              code = line['code'];
              socket.write('{"answer":"y"}\n');
            }
            if (line['ok'] === true || 'error' in line) {
              socket.destroy();
              resolve({ code, end: line });
            }
          }
        });
        socket.write('{"command":"pair"}\n');
      });
    const all = await Promise.all([one('a'), one('b')]);
    return { codes: all.map((x) => x.code), ends: all.map((x) => x.end) };
  }

  async close(t: ExecutionContext): Promise<void> {
    for (const side of ['a', 'b'] as const) {
      await this.kill(side);
      if (!t.passed) t.log(side, this.errors[side]);
    }
    ip('netns', 'delete', this.netns);
    rmSync(this.root, { recursive: true, force: true });
  }
}

const OWN = {
  a: {
    name: 'one',
    lan: { interface: 'eth0', address: '192.0.2.11' },
    crossover: { interface: 'lo' },
  },
  b: {
    name: 'two',
    lan: { interface: 'eth0', address: '192.0.2.12' },
    crossover: { interface: 'lo' },
  },
};
const SHARED = {
  redundancy: 'hot-standby',
  vip: { address: '192.0.2.10' },
  users: { from: 1000, to: 1999 },
};

async function alive(boxes: Boxes, side: Side): Promise<void> {
  await until(`agent ${side} answers`, async () => (await boxes.state(side))['ok'] === true);
}

/** First boot at both boxes, as the wizard does it. */
async function firstBoot(t: ExecutionContext, boxes: Boxes): Promise<void> {
  for (const side of ['a', 'b'] as const) {
    boxes.start(side);
    await alive(boxes, side);
  }
  const at = (side: Side): object => ({ command: 'first-boot', box: side, own: OWN[side] });
  const system = { timeZone: 'Europe/Berlin' };
  t.like(await boxes.ask('a', { command: 'pair' }), { error: 'first-boot-first' });
  t.like(await boxes.ask('a', { ...at('a'), system, shared: SHARED }), {
    waits: 'pairing',
  });
  t.like(await boxes.ask('b', { ...at('b'), system: {} }), { waits: 'pairing' });
}

test.serial('from first boot to a revision that both boxes have, and on', async (t) => {
  const boxes = new Boxes();
  t.teardown(() => boxes.close(t));
  await firstBoot(t, boxes);

  const { codes, ends } = await boxes.pair();
  t.deepEqual(ends, [{ ok: true }, { ok: true }]);
  t.is(codes[0], codes[1]);
  t.regex(String(codes[0]), /^\d{3} \d{3}$/);
  await until(
    'they see each other',
    async () => (await boxes.state('a')).peer?.['reachable'] === true,
  );
  await boxes.both('revision of the first boot', 1);
  t.is(statSync(boxes.path('a', 'data/secret/pair.key')).mode & 0o777, 0o600);
  t.is(statSync(boxes.path('a', 'data/secret')).mode & 0o777, 0o700);
  t.is(statSync(boxes.path('a', 'run/sipair/system.sock')).mode & 0o777, 0o600);

  await until('the daemon has its file', () => {
    const file = JSON.parse(readFileSync(boxes.path('b', 'run/sipair/box.json'), 'utf8')) as Json;
    return Promise.resolve(
      JSON.stringify(file['lan']).includes('"peerAddress":"192.0.2.11"') && file['box'] === 'b',
    );
  });
  const network = readFileSync(boxes.path('b', 'run/systemd/network/10-lan.network'), 'utf8');
  t.regex(network, /Name=eth0\n/);
  t.regex(network, /Address=192\.0\.2\.12\/24\n/);

  const { tree } = (await boxes.ask('b', { command: 'configuration' })) as { tree?: Tree };
  const order = { command: 'commit', base: 1, by: 'admin', comment: 'x' };
  const wrong = await boxes.ask('b', {
    ...order,
    tree: { ...tree, vip: { address: '192.0.2.11' } },
  });
  t.like(wrong, { error: 'commit-faults' });
  t.regex(JSON.stringify(wrong['faults']), /vip address/);
  const extensions = { '7001': { password: SECRETS[1] } };
  const next = { ...tree, site: { extensions } };
  t.like(await boxes.ask('b', { ...order, tree: next }), {
    ok: true,
    peer: 'committed',
    revision: 2,
  });
  t.like(await boxes.ask('a', { ...order, tree: next }), { error: 'commit-stale' });
  await boxes.both('a commit typed at b', 2);

  // a box that is killed in the middle of everything gets it when it is back
  await boxes.kill('b');
  await until('a sees it', async () => (await boxes.state('a')).peer?.['reachable'] === false);
  const third = { ...next, witnesses: { '192.0.2.1': {} } };
  const alone = await boxes.ask('a', { ...order, base: 2, tree: third, confirmMin: 10 });
  t.like(alone, { ok: true, peer: 'absent', revision: 3 });
  t.deepEqual(alone['restarts'], ['witnesses 192.0.2.1']);
  await boxes.kill('a');
  boxes.start('a');
  await alive(boxes, 'a');
  t.is((await boxes.state('a')).revision['confirmBy'], alone['confirmBy'], 'it survives a restart');
  boxes.start('b');
  await boxes.both('the commit b missed', 3);
  await until('b goes back by itself, too', async () => {
    return (await boxes.state('b')).revision['confirmBy'] !== undefined;
  });
  t.like(await boxes.ask('b', { command: 'confirm' }), { ok: true, revision: 3 });
  await until('both are confirmed', async () => {
    const both = [await boxes.state('a'), await boxes.state('b')];
    return both.every((s) => s.revision['confirmBy'] === undefined);
  });
  t.like(await boxes.commit('a', { command: 'rollback', revision: 1, by: 'admin' }), { ok: true });
  await boxes.both('rolled back', 4);
  const { revisions } = (await boxes.ask('b', { command: 'revisions' })) as { revisions?: Json[] };
  t.deepEqual(
    revisions?.map((r) => r['number']),
    [4, 3, 2, 1],
  );
});

test.serial(
  'a second agent ends with a code; passwords; a support bundle without secrets',
  async (t) => {
    const boxes = new Boxes();
    t.teardown(() => boxes.close(t));
    await firstBoot(t, boxes);
    const args = ['src/main.ts', 'system', '--root', boxes.path('a', ''), '--apply', 'none'];
    const second = spawnSync(process.execPath, args, { encoding: 'utf8' });
    t.is(second.status, 1);
    t.regex(second.stderr, /^system-running: /);
    await boxes.pair();
    await boxes.both('first boot', 1);

    const admin = (verb: string, password: string): Promise<Json> =>
      boxes.ask('a', { command: 'admin', verb, password });
    t.like(await admin('verify', 'anything'), { error: 'admin-none' });
    t.like(await admin('set', 'short'), { error: 'admin-length' });
    t.like(await admin('set', 'admin-secret-3'), { ok: true, verified: true });
    t.like(await admin('verify', 'wrong-one'), { verified: false, triesLeft: 4 });
    await boxes.kill('a');
    boxes.start('a');
    await alive(boxes, 'a');
    t.like(await admin('verify', 'wrong-one'), { verified: false, triesLeft: 3 });
    t.like(await admin('verify', 'admin-secret-3'), { verified: true });

    const { tree } = (await boxes.ask('a', { command: 'configuration' })) as { tree?: Tree };
    const extensions = { '7001': { password: SECRETS[1] } };
    const order = { command: 'commit', base: 1, by: 'admin', comment: '' };
    const done = await boxes.commit('a', { ...order, tree: { ...tree, site: { extensions } } });
    t.is(done['ok'], true);
    const bundle = await boxes.ask('a', { command: 'support-bundle', to: boxes.root });
    t.is(bundle['ok'], true);
    const list = spawnSync('tar', ['-xzOf', String(bundle['path'])], { encoding: 'latin1' });
    t.is(list.status, 0);
    t.true(list.stdout.includes('7001'), 'the configuration is in it');
    const key = readFileSync(boxes.path('a', 'data/secret/pair.key'), 'latin1').trim();
    for (const secret of [SECRETS[1] as string, key, 'admin-secret-3']) {
      t.false(list.stdout.includes(secret), 'no secret is in it');
    }
    const names = spawnSync('tar', ['-tzf', String(bundle['path'])], { encoding: 'utf8' }).stdout;
    for (const name of ['versions.txt', 'configuration.txt', 'system-state.json', 'journal.txt']) {
      t.true(names.includes(name), name);
    }

    // a certificate that is as long as one may be
    const pem = join(boxes.root, 'north.pem');
    const { certificate } = ownIdentity(Buffer.alloc(32, 1), ['192.0.2.10']);
    writeFileSync(pem, certificate.padEnd(8 * 1024 * 1024, '\n'));
    const install = { command: 'files', verb: 'install', source: pem };
    t.like(await boxes.ask('a', install), { ok: true, peer: true });
    const hasFile = async (): Promise<boolean> => {
      const { files } = (await boxes.ask('b', { command: 'files', verb: 'list' })) as {
        files?: Json[];
      };
      return files?.[0]?.['name'] === 'north.pem';
    };
    await until('it is on both', hasFile);

    t.like(await boxes.ask('b', { command: 'nonsense' }), { error: 'system-command' });
    t.like(await boxes.ask('b', { command: 'factory-reset', word: 'yes' }), {
      error: 'factory-reset-word',
    });
    t.like(await boxes.ask('b', { command: 'factory-reset', word: 'factory-reset' }), { ok: true });
    await until('it restarts', () => {
      const orders = readFileSync(boxes.path('b', 'run/sipair/machine-orders'), 'utf8');
      return Promise.resolve(orders.includes('"reset"'));
    });
    t.throws(() => statSync(boxes.path('b', 'data/secret/pair.key')));
    t.is(await boxes.number('a'), done['revision'], 'the peer goes on');

    // a new box in its place: the survivor keeps its key, and with it its calls
    await boxes.kill('b');
    boxes.start('b');
    await alive(boxes, 'b');
    const own = { ...OWN.b, lan: { interface: 'eth0', address: '192.0.2.99' } };
    const said = { command: 'first-boot', box: 'b', own, system: {}, shared: SHARED };
    t.like(await boxes.ask('b', said), { waits: 'pairing' });
    t.deepEqual((await boxes.pair()).ends, [{ ok: true }, { ok: true }]);
    await boxes.both('what the pair had', Number(done['revision']));
    await until('and its certificate', hasFile);
    for (const side of ['a', 'b'] as const) {
      t.is(readFileSync(boxes.path(side, 'data/secret/pair.key'), 'latin1').trim(), key);
    }
    const file = JSON.parse(readFileSync(boxes.path('b', 'run/sipair/box.json'), 'utf8')) as Json;
    t.regex(JSON.stringify(file['lan']), /"address":"192\.0\.2\.12"/, 'the pair knows better');

    // its password was forgotten
    const peer = (old: string, password: string): Promise<Json> =>
      boxes.ask('a', { command: 'admin', verb: 'set-peer', old, password });
    const at = (password: string): Promise<Json> =>
      boxes.ask('b', { command: 'admin', verb: 'verify', password });
    t.like(await peer('wrong-one', 'new-secret-4'), { verified: false });
    t.like(await peer('admin-secret-3', 'short'), { error: 'admin-length' });
    t.like(await peer('admin-secret-3', 'new-secret-4'), { ok: true, verified: true });
    t.like(await at('new-secret-4'), { verified: true });
    for (const _ of [1, 2, 3, 4, 5]) await at('guess');
    t.true(Number((await at('new-secret-4'))['lockedMs']) > 0);
    t.like(await peer('admin-secret-3', 'new-secret-5'), { ok: true, verified: true });
    t.like(await at('new-secret-5'), { verified: true }, 'and the lock is over');
    await boxes.kill('b');
    await until('a sees it', async () => (await boxes.state('a')).peer?.['reachable'] === false);
    t.like(await peer('admin-secret-3', 'new-secret-6'), { error: 'admin-peer' });
  },
);
