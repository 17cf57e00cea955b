/**
 * The agent's rooms at the edge, one by one, in folders of their own: password and lockout, the store on a
 * disk that refuses, applying with a daemon that is played by the test.
 */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ownIdentity } from '../../src/edge/certificate.ts';
import { Admin } from '../../src/edge/system/admin.ts';
import { Applier } from '../../src/edge/system/apply.ts';
import { placesOf, readJson, writeWhole } from '../../src/edge/system/files.ts';
import { judgeTree, vetTree } from '../../src/edge/system/judge.ts';
import type { Machine } from '../../src/edge/system/machine.ts';
import { KEPT, Store } from '../../src/edge/system/store.ts';
import { isTogether, liveFirst } from '../../src/panel/system/apply.ts';
import {
  type Active,
  committed,
  EMPTY,
  type Entry,
  type Given,
  upon,
} from '../../src/panel/system/revision.ts';
import type { Tree } from '../../src/panel/tree/terms.ts';

function root(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-agent-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const TREE: Tree = {
  redundancy: 'hot-standby',
  vip: { address: '192.0.2.10' },
  users: { from: 1000, to: 1999 },
  box: {
    a: { name: 'one', lan: { address: '192.0.2.11', gateway: '192.0.2.1' } },
    b: { name: 'two', lan: { address: '192.0.2.12' } },
  },
  system: { timeZone: 'Europe/Berlin' },
};

function entry(number: number, tree: Tree = TREE): Entry {
  const given: Given = {
    number,
    epoch: 1,
    led: true,
    box: 'a',
    by: 'admin',
    at: number,
    comment: '',
    tree,
  };
  return committed(EMPTY.entry, given);
}

// ── password ───────────────────────────────────────────────────────────────────────────────────

test('five wrong passwords lock for a while, the next five for longer; a restart changes nothing', (t) => {
  const path = join(root(t), 'admin.json');
  let now = 1_000_000;
  const admin = (): Admin => new Admin(path, { attempts: 5, lockMin: 5 }, () => now);
  t.like(admin().set('right password'), { ok: true });
  t.false(readFileSync(path, 'utf8').includes('right password'));
  for (const left of [4, 3, 2, 1])
    t.like(admin().verify('wrong'), { triesLeft: left, lockedMs: 0 });
  t.like(admin().verify('wrong'), { verified: false, lockedMs: 300_000 });
  t.like(admin().verify('right password'), { verified: false, lockedMs: 300_000 });
  now += 300_000;
  for (let n = 0; n < 4; n += 1) t.like(admin().verify('wrong'), { lockedMs: 0 });
  t.like(admin().verify('wrong'), { lockedMs: 600_000 });
  // a clock that is set back neither opens it nor keeps it closed for years
  now -= 900_000;
  t.like(admin().verify('right password'), { verified: false, lockedMs: 600_000 });
  now += 600_000;
  t.like(admin().verify('right password'), { verified: true });
  for (const left of [4, 3]) t.like(admin().verify('wrong'), { triesLeft: left });
});

test('a password is changed by who knows the old one', (t) => {
  const admin = new Admin(join(root(t), 'admin.json'), { attempts: 5, lockMin: 5 }, () => 1);
  t.false(admin.exists);
  t.like(admin.verify('x'), { error: 'admin-none' });
  t.like(admin.set('short'), { error: 'admin-length' });
  t.like(admin.set('first password'), { ok: true });
  t.like(admin.set('second password'), { error: 'admin-old' });
  t.like(admin.set('second password', 'wrong one'), { verified: false });
  t.like(admin.set('second password', 'first password'), { verified: true });
  t.like(admin.verify('second password'), { verified: true });
});

test('a medium that takes nothing keeps nobody out, and counts all the same', (t) => {
  const folder = root(t);
  const path = join(folder, 'admin.json');
  const admin = (): Admin => new Admin(path, { attempts: 5, lockMin: 5 }, () => 1);
  t.like(admin().set('right password'), { ok: true });
  // whoever writes needs the other name first
  mkdirSync(`${path}.new`);
  t.like(admin().verify('wrong'), { verified: false, triesLeft: 4 });
  t.like(admin().verify('right password'), { verified: true });
  for (const left of [4, 3, 2, 1]) t.like(admin().verify('wrong'), { triesLeft: left });
  t.like(admin().verify('wrong'), { verified: false, lockedMs: 300_000 });
  t.like(admin().verify('right password'), { verified: false, lockedMs: 300_000 });
  t.like(admin().set('other password', 'right password'), { verified: false });
  t.like(admin().replace('other password'), { error: 'admin-disk' });
  rmdirSync(`${path}.new`);
  t.like(admin().replace('other password'), { verified: true });
  t.like(admin().verify('other password'), { verified: true });
});

test('a password that cannot be read is no open door', (t) => {
  const path = join(root(t), 'admin.json');
  const admin = (): Admin => new Admin(path, { attempts: 5, lockMin: 5 }, () => 1);
  for (const damaged of ['', '{', '{}', 'null', '{"salt":"x","hash":"y"}']) {
    writeFileSync(path, damaged);
    t.true(admin().exists, damaged);
    t.like(admin().verify('anything'), { error: 'admin-damaged' });
    t.like(admin().set('right password'), { error: 'admin-old' });
    t.like(admin().set('right password', 'anything'), { error: 'admin-damaged' });
  }
  t.like(admin().replace('right password'), { verified: true });
  t.like(admin().verify('right password'), { verified: true });
});

// ── store ──────────────────────────────────────────────────────────────────────────────────────

test('what is active is read again; the last revisions are kept, and no more', (t) => {
  const places = placesOf(root(t));
  const store = new Store(places);
  t.deepEqual(store.load().durable, { active: EMPTY });
  let active: Active = EMPTY;
  for (let n = 1; n <= KEPT + 5; n += 1) {
    active = upon(active, entry(n));
    t.is(
      store.write([
        { name: 'revision', content: active.entry },
        { name: 'active', content: active },
      ]),
      '',
    );
  }
  t.deepEqual(new Store(places).load().durable, { active });
  const numbers = store.heads().map((h) => h.number);
  t.is(numbers.length, KEPT);
  t.deepEqual(numbers.slice(0, 2), [KEPT + 5, KEPT + 4]);
  t.like(readJson(places.active), { revision: KEPT + 5, tree: { redundancy: 'hot-standby' } });
});

test('a revision of the other box is a file among the revisions, or none', (t) => {
  const places = placesOf(root(t));
  const store = new Store(places);
  for (const number of ['../../../x', '7', 0, -1, 1.5, Number.NaN]) {
    const content = { ...entry(1), number: number as number };
    t.regex(store.write([{ name: 'revision', content }]), /is no number of a revision/);
  }
  t.deepEqual(store.kept(), []);
  t.false(existsSync(join(places.root, 'x.json')));
});

test('a damaged file of what is active: the newest revision is used, and that is told', (t) => {
  const places = placesOf(root(t));
  const store = new Store(places);
  store.write([{ name: 'revision', content: entry(3) }]);
  writeFileSync(places.active, '{"active": {"entry');
  const { durable, wrong } = store.load();
  t.is(durable.active.entry.number, 3);
  t.regex(wrong, /revision 3 is used/);
});

type Loose = { readonly [k: string]: unknown };

/** Format 1 called it `telephony`; format 2 called it `voice`. */
const STEPS = [
  ({ telephony, ...tree }: Loose): Loose => ({ ...tree, voice: telephony }),
  ({ voice, ...tree }: Loose): Loose => ({ ...tree, sip: voice }),
];

function json(path: string): Loose {
  return readJson<Loose>(path) ?? {};
}

/** As the first release wrote it: only what is active says its format. */
function oldFiles(t: ExecutionContext): ReturnType<typeof placesOf> {
  const places = placesOf(root(t));
  const old = { ...TREE, telephony: { port: 5070 } } as Tree;
  const active = upon(upon(EMPTY, entry(1, old)), entry(2, old), {
    until: 5000,
    minutes: 5,
    before: entry(1, old),
  });
  new Store(places);
  const put = (path: string, content: object): void => writeFileSync(path, JSON.stringify(content));
  for (const n of [1, 2]) put(join(places.revisions, `0000${n}.json`), entry(n, old));
  put(places.active, { format: 1, revision: 2, tree: old, active });
  put(places.prepared, { entry: entry(3, old), confirmMin: 0 });
  return places;
}

test('what an older release kept is carried over while it is read, and stays as it was', (t) => {
  const places = oldFiles(t);
  const before = readFileSync(places.active, 'utf8');
  const store = new Store(places, STEPS);
  const { durable, wrong } = store.load();
  t.is(wrong, '');
  const port = (e: Entry | undefined): unknown =>
    (e?.tree['sip'] as { port?: number } | undefined)?.port;
  const { active, prepared } = durable;
  t.is(port(active.entry), 5070);
  t.is(active.entry.number, 2);
  t.is(
    active.entry.id,
    entry(2, { ...TREE, telephony: { port: 5070 } } as Tree).id,
    'the same one',
  );
  t.is(port(active.provisional?.before), 5070, 'what it would go back to');
  t.is(port(prepared?.entry), 5070);
  t.deepEqual(
    store.heads().map(({ number }) => [number, port(store.revision(number))]),
    [
      [2, 5070],
      [1, 5070],
    ],
  );
  t.is(readFileSync(places.active, 'utf8'), before, 'the other slot still understands it');

  // what is written now says so, and is not carried over a second time
  const next = upon(active, entry(3, { ...TREE, sip: { port: 5080 } }));
  store.write([
    { name: 'revision', content: next.entry },
    { name: 'active', content: next },
    { name: 'prepared', content: { entry: next.entry, confirmMin: 0 } },
  ]);
  for (const path of [places.active, places.prepared, join(places.revisions, '00003.json')]) {
    t.is(json(path)['format'], 3, path);
  }
  const again = new Store(places, STEPS).load().durable;
  t.deepEqual(again.active, next);
  t.deepEqual(again.prepared, { entry: next.entry, confirmMin: 0 });
});

test('what a newer release kept is not guessed at: the newest revision that is understood is used', (t) => {
  const places = oldFiles(t);
  const newer = new Store(places, STEPS);
  const next = upon(newer.load().durable.active, entry(3, { ...TREE, sip: { port: 5080 } }));
  newer.write([
    { name: 'revision', content: next.entry },
    { name: 'active', content: next },
    { name: 'prepared', content: { entry: next.entry, confirmMin: 0 } },
  ]);
  const store = new Store(places);
  const { durable, wrong } = store.load();
  t.is(durable.active.entry.number, 2);
  t.is(durable.active.top, 3, 'its number is not given away again');
  t.is(durable.prepared, undefined);
  t.regex(wrong, /written by a newer release.*revision 2 is used/);
  t.is(store.revision(3), undefined);
  t.deepEqual(
    store.heads().map(({ number }) => number),
    [2, 1],
  );
});

test('a disk that refuses: the fault is told, and what was there is there', (t) => {
  const dir = root(t);
  const path = join(dir, 'file');
  t.is(writeWhole(path, 'old'), '');
  // a folder in the way of the new file, as a full disk would be
  mkdirSync(`${path}.new`);
  t.not(writeWhole(path, 'new'), '');
  t.is(readFileSync(path, 'utf8'), 'old');
});

// ── judging ──────────────────────────────────────────────────────────────────

test('a tree is judged by its schema and by the daemon, for both boxes, in words of the tree', (t) => {
  const places = placesOf('/');
  t.deepEqual(judgeTree(TREE, places), []);
  const same = { ...TREE, vip: { address: '192.0.2.12' } };
  t.true(judgeTree(same, places).length > 0);
  const timers = { ...TREE, timers: { leaseMs: 5000 } };
  const places2 = judgeTree(timers, places).map((f) => f.place);
  t.true(places2.length > 0 && places2.every((p) => p.startsWith('timers')), places2.join());
});

test('a time zone this box does not have is refused, at its place', (t) => {
  const places = placesOf(root(t));
  t.deepEqual(judgeTree(TREE, places), [], 'a machine without zones knows nothing better');
  mkdirSync(join(places.zones, 'Europe'), { recursive: true });
  writeFileSync(join(places.zones, 'UTC'), '');
  t.deepEqual(
    judgeTree(TREE, places).map((f) => f.place),
    ['system timeZone'],
  );
  writeFileSync(join(places.zones, 'Europe/Berlin'), '');
  t.deepEqual(judgeTree(TREE, places), []);
});

test('a certificate that this box does not have, or cannot show, is refused where it is proposed', (t) => {
  const dir = root(t);
  const places = placesOf(dir);
  const file = '/data/secret/tls/sip.pem';
  const tls = { certificate: file, key: '/data/secret/tls/sip.key' };
  const next: Tree = { ...TREE, sip: { tls } };
  const against = (active: Tree) =>
    vetTree(next, active, 'a', places).map((f) => `${f.code} ${f.place}`);
  const missing = ['config-file sip tls certificate'];
  t.deepEqual(against(TREE), missing);
  t.deepEqual(
    judgeTree(next, places),
    [],
    'what is committed is taken: one must be able to go back',
  );
  t.deepEqual(against(next), [], 'no reason to refuse another change');
  mkdirSync(dirname(join(dir, file)), { recursive: true });
  const { certificate, key } = ownIdentity(new Uint8Array(32), ['192.0.2.10']);
  writeFileSync(join(dir, file), certificate);
  writeFileSync(join(dir, tls.key), 'no key');
  t.deepEqual(against(TREE), missing);
  writeFileSync(join(dir, tls.key), key);
  t.deepEqual(against(TREE), []);
  const believes: Tree = { ...TREE, sip: { outgoing: { ca: '/data/secret/tls/ca.pem' } } };
  const proposed = (): string[] =>
    vetTree(believes, TREE, 'a', places).map((f) => `${f.code} ${f.place}`);
  t.deepEqual(proposed(), ['config-file sip outgoing ca']);
  writeFileSync(join(dir, '/data/secret/tls/ca.pem'), 'nothing');
  t.deepEqual(proposed(), ['config-file sip outgoing ca']);
  writeFileSync(join(dir, '/data/secret/tls/ca.pem'), certificate);
  t.deepEqual(proposed(), []);
});

// ── applying ───────────────────────────────────────────────────────────────────────────────────

test('what both boxes say in their greeting is changed on both at once', (t) => {
  for (const place of ['vip.address', 'sip.port', 'sip.tls.port', 'redundancy', 'vip.more[0]']) {
    t.true(isTogether([place]), place);
  }
  for (const place of ['vip.vrrp.id', 'witnesses', 'media.ports', 'timers.leaseMs', 'sip.portly']) {
    t.false(isTogether([place]), place);
  }
});

test('the live part of a change is taken over before the rest of it restarts', (t) => {
  const runs = { sip: { port: 5060, minSeS: 90 }, site: { rules: [1] }, timers: { a: 1 } };
  const wanted = { sip: { port: 5070 }, users: { from: 1 }, timers: { a: 2 } };
  t.deepEqual(liveFirst(runs, wanted, ['users', 'site', 'sip.minSeS']), {
    sip: { port: 5060 },
    users: { from: 1 },
    timers: { a: 1 },
  });
});

/** A daemon that answers as it is told, and writes down what came of everything. */
class Play {
  readonly places;
  readonly seen: string[] = [];
  role = 'backup';
  places2restart: string[] = [];
  peer = false;
  peerRuns = '';
  private server: Server | undefined;
  readonly applier: Applier;
  readonly settled: string[] = [];

  constructor(t: ExecutionContext) {
    this.places = placesOf(root(t));
    mkdirSync(dirname(this.places.key), { recursive: true });
    writeFileSync(this.places.key, 'a key');
    const machine: Machine = {
      unit: (verb, unit) => {
        this.seen.push(`${verb} ${unit}`);
        if (verb === 'restart') this.places2restart = [];
        if (verb !== 'stop') this.up();
        return Promise.resolve('');
      },
      settle: (part) => {
        this.seen.push(`settle ${part}`);
        return Promise.resolve('');
      },
      power: () => Promise.resolve(''),
      unport: (...words) => {
        this.seen.push(`settle ${words.join(' ')}`);
        return Promise.resolve('');
      },
      reset: () => Promise.resolve(''),
      journal: () => Promise.resolve(''),
    };
    const events = {
      alarm: (code: string, text: string) => {
        if (text !== '') this.seen.push(`${code}: ${text}`);
      },
      log: () => {},
      settled: (id: string) => this.settled.push(id),
      peerIsThere: () => this.peer,
      peerRuns: () => this.peerRuns,
    };
    this.applier = new Applier(this.places, machine, events, {
      start: 3000,
      step: 3000,
      peer: 20_000,
    });
    t.teardown(() => this.server?.close());
  }

  up(): void {
    if (this.server !== undefined) return;
    mkdirSync(this.places.run, { recursive: true });
    this.server = createServer((socket) => {
      socket.on('data', (text) => {
        const { command } = JSON.parse(text.toString()) as { command: string };
        socket.write(`${JSON.stringify(this.answer(command))}\n`);
      });
      socket.on('error', () => {});
    });
    this.server.listen(this.places.control);
  }

  private answer(command: string): object {
    if (command === 'status') return { role: this.role, epoch: 1, inStep: true };
    const box = readJson<{ vip?: { address?: string }; site?: object }>(this.places.box);
    this.seen.push(`reload ${JSON.stringify(box?.site ?? {})}`);
    const places = this.places2restart;
    return places.length === 0 ? { ok: true } : { error: 'reload-restart', text: '', places };
  }

  async done(id: string): Promise<void> {
    for (let n = 0; !this.settled.includes(id); n += 1) {
      if (n > 400) throw new Error(`not settled: ${this.seen.join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** What was done to the machine's files is not looked at. */
  get acts(): string[] {
    return this.seen.filter((s) => !s.startsWith('settle'));
  }
}

test('a first configuration: files, then the service is started, then it is asked', async (t) => {
  const play = new Play(t);
  const first = entry(1);
  play.applier.apply(first, 'a');
  await play.done(first.id);
  t.deepEqual(play.acts, ['start sipair.service', 'reload {}']);
  t.true(play.seen.includes('settle network') && play.seen.includes('settle hostname'));
  t.like(readJson(play.places.box), { box: 'a', lan: { peerAddress: '192.0.2.12' } });
  t.is(play.applier.state.step, 'settled');
  // the same once more touches nothing of the machine
  play.seen.length = 0;
  play.applier.apply(first, 'a');
  while (play.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  t.deepEqual(play.seen, ['reload {}']);
});

test('a box that is not paired gets its files, and its service waits', async (t) => {
  const play = new Play(t);
  rmSync(play.places.key);
  const first = entry(1);
  play.applier.apply(first, 'b');
  await play.done(first.id);
  t.deepEqual(play.acts, []);
  t.true(existsSync(play.places.box));
});

test('a backup restarts at once; a primary when the backup runs with it', async (t) => {
  for (const role of ['backup', 'primary']) {
    const play = new Play(t);
    play.up();
    play.role = role;
    play.peer = true;
    const first = entry(1);
    play.applier.apply(first, 'a');
    await play.done(first.id);
    play.places2restart = ['witnesses'];
    play.seen.length = 0;
    const second = entry(3, { ...TREE, site: { extensions: { '7001': { mwi: true } } } });
    play.applier.apply(second, 'a');
    if (role === 'primary') {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      t.false(play.acts.includes('restart sipair.service'), 'it waits for its turn');
      t.is(play.applier.state.step, 'waiting');
      play.peerRuns = second.id;
    }
    await play.done(second.id);
    t.is(play.acts.at(-1), 'restart sipair.service');
    const live = play.acts.filter((s) => s.includes('7001')).length;
    t.is(live, 2, 'what is live was taken over before');
  }
});

test('what both must have in common restarts both at once', async (t) => {
  const play = new Play(t);
  play.up();
  play.role = 'primary';
  play.peer = true;
  play.places2restart = ['vip.address'];
  const first = entry(1);
  play.applier.apply(first, 'a');
  await play.done(first.id);
  t.deepEqual(play.acts, ['reload {}', 'restart sipair.service']);
});

test('a port that has another address loses the old one', async (t) => {
  const play = new Play(t);
  play.up();
  const first = entry(1);
  play.applier.apply(first, 'a');
  await play.done(first.id);
  const lan = { address: '192.0.2.13', gateway: '192.0.2.1' };
  const box = { ...(TREE['box'] as Tree), a: { name: 'one', lan } };
  const second = entry(3, { ...TREE, box });
  play.applier.apply(second, 'a');
  await play.done(second.id);
  t.true(play.seen.includes('settle address eth0 192.0.2.11/24'), play.seen.join());
});

test('a primary that waits for its turn leaves the configuration to a newer one', async (t) => {
  const play = new Play(t);
  play.up();
  play.role = 'primary';
  play.peer = true;
  const first = entry(1);
  play.applier.apply(first, 'a');
  await play.done(first.id);
  play.places2restart = ['timers.leaseMs'];
  play.seen.length = 0;
  const waiting = async (number: number): Promise<void> => {
    for (;;) {
      const { revision, step } = play.applier.state;
      if (revision === number && step === 'waiting') return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const timers = { leaseMs: 10_000 };
  play.applier.apply(entry(2, { ...TREE, timers }), 'a');
  await waiting(2);
  // the other box is through with both before anybody looked
  const third = entry(3, { ...TREE, timers, site: { extensions: { '7001': { mwi: true } } } });
  play.applier.apply(third, 'a');
  await waiting(3);
  const runs = readJson<{ site?: object; timers?: object }>(play.places.box);
  t.is(runs?.timers, undefined, 'what needs the restart is not in the file before it');
  t.like(runs?.site, { extensions: { '7001': { mwi: true } } });
  play.peerRuns = third.id;
  await play.done(third.id);
  t.is(play.acts.filter((s) => s.startsWith('restart')).length, 1);
  t.like(readJson(play.places.box), { timers });
});
