/** Certificates and prompts of the operator: on both boxes, whoever was away; what is none is refused. */

import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ownIdentity } from '../../src/edge/certificate.ts';
import type { AgentLink } from '../../src/edge/system/link.ts';
import { SiteFiles } from '../../src/edge/system/site-files.ts';
import { SITE_FILE_BYTES, type SiteFile, toGive } from '../../src/panel/system/site-files.ts';
import type { Tree } from '../../src/panel/system/terms.ts';

const OWN = ownIdentity(Buffer.alloc(32, 1), ['192.0.2.10']);
const PEM = `${OWN.certificate.trimEnd()}\n`;

const LOCKED = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n';

function wav(samples: number): Buffer {
  const bytes = Buffer.alloc(44 + samples * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(16_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples * 2, 40);
  return bytes;
}

class Boxes {
  readonly roots: { readonly a: string; readonly b: string };
  readonly sides: { readonly a: SiteFiles; readonly b: SiteFiles };
  readonly changed = { a: 0, b: 0 };
  readonly told: string[] = [];
  linked = true;
  /** What is active on both. */
  trees: readonly Tree[] = [{}];
  /** In place of the other box. */
  readonly holds: { a?: AgentLink } = {};

  constructor(t: ExecutionContext) {
    const folder = (): string => mkdtempSync(join(tmpdir(), 'sipair-site-'));
    this.roots = { a: folder(), b: folder() };
    t.teardown(() => {
      for (const root of Object.values(this.roots)) rmSync(root, { recursive: true });
    });
    const side = (own: 'a' | 'b'): SiteFiles =>
      new SiteFiles({
        root: this.roots[own],
        link: () => this.link(own),
        trees: () => this.trees,
        changed: () => {
          this.changed[own] += 1;
        },
        log: (text) => this.told.push(`${own}: ${text}`),
        run: () => Promise.reject(new Error('nothing is run')),
      });
    this.sides = { a: side('a'), b: side('b') };
  }

  /** What is sent is JSON, as on the wire. */
  private link(own: 'a' | 'b'): AgentLink | undefined {
    if (own === 'a' && this.holds.a !== undefined) return this.holds.a;
    if (!this.linked) return undefined;
    const peer = own === 'a' ? 'b' : 'a';
    const send = (kind: string, json: object): boolean =>
      this.sides[peer].message(kind, JSON.parse(JSON.stringify(json)));
    return { send } as unknown as AgentLink;
  }

  meet(): void {
    this.linked = true;
    this.sides.a.linkUp();
    this.sides.b.linkUp();
  }

  file(own: 'a' | 'b', path: string): string {
    return join(this.roots[own], path);
  }

  names(own: 'a' | 'b'): readonly string[] {
    return this.sides[own].list().map((f) => f.name);
  }
}

/** A file that a person has on a stick. */
function source(t: ExecutionContext, name: string, content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-source-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('installed at one box, there on both, readable by root alone', async (t) => {
  const both = new Boxes(t);
  const { a, b } = both.sides;
  t.deepEqual(await a.install(source(t, 'north.pem', PEM)), {
    ok: true,
    path: both.file('a', 'data/secret/tls/north.pem'),
    peer: true,
  });
  t.like(await b.install(source(t, 'hello.wav', wav(80))), { ok: true, peer: true });
  for (const side of ['a', 'b'] as const) {
    t.deepEqual(both.names(side), ['hello.wav', 'north.pem']);
    const path = both.file(side, 'data/secret/tls/north.pem');
    t.is(readFileSync(path, 'utf8'), PEM);
    t.is(statSync(path).mode & 0o777, 0o600);
    t.true(both.changed[side] >= 2);
  }
  t.deepEqual(a.list(), b.list(), 'moments too');
  t.deepEqual(a.remove('north.pem'), { ok: true });
  t.deepEqual([both.names('a'), both.names('b')], [['hello.wav'], ['hello.wav']]);
});

test('a box that was away, or is new, gets what it lacks, and the newer of two', async (t) => {
  const both = new Boxes(t);
  await both.sides.a.install(source(t, 'north.pem', PEM));
  both.linked = false;
  t.like(await both.sides.a.install(source(t, 'hello.wav', wav(80))), { peer: false });
  await both.sides.b.install(source(t, 'north.pem', `${PEM}newer\n`));
  const soon = Date.now() / 1000 + 5;
  utimesSync(both.file('b', 'data/secret/tls/north.pem'), soon, soon);
  t.like(both.sides.a.remove('hello.wav'), { error: 'file-peer' });
  both.meet();
  t.deepEqual(both.names('b'), ['hello.wav', 'north.pem']);
  t.regex(readFileSync(both.file('a', 'data/secret/tls/north.pem'), 'utf8'), /newer/);
  t.deepEqual(both.sides.a.list(), both.sides.b.list());
  const { changed } = both;
  const before = { ...changed };
  both.meet();
  t.deepEqual(changed, before, 'nothing is given twice');
});

test('what is none is refused with its reason, wherever it comes from', async (t) => {
  const both = new Boxes(t);
  const { a, b } = both.sides;
  for (const [name, content, error, why] of [
    ['north.txt', PEM, 'file-name', /\.wav, \.pem/],
    ['.pem', PEM, 'file-name', /a name/],
    ['north.pem', 'hello', 'file-unusable', /no certificate and no key in PEM/],
    ['north.pem', PEM.replace(/\n.{9}/, '\nhello'), 'file-unusable', /it cannot be read/],
    ['north.key', OWN.key.replace(/\n.{9}/, '\nhello'), 'file-unusable', /it cannot be read/],
    ['north.key', LOCKED, 'file-unusable', /passphrase/],
    ['north.key', Buffer.alloc(SITE_FILE_BYTES + 1, PEM), 'file-unusable', /more than 8 MB/],
    ['north.crt', Buffer.alloc(SITE_FILE_BYTES + 2, PEM), 'file-source', /more than 8 MB/],
    ['hello.wav', 'RIFF', 'file-unusable', /wav-shape: 8000 Hz/],
  ] as const) {
    const answer = (await a.install(source(t, name, content))) as { error?: string; text?: string };
    t.is(answer.error, error, name);
    t.regex(answer.text ?? '', why, name);
  }
  t.like(await a.install('/nowhere/north.pem'), {
    error: 'file-source',
    text: 'there is no /nowhere/north.pem',
  });
  t.like(await a.install('usb:north.pem'), { error: 'file-source', text: 'there is no USB stick' });
  t.like(a.remove('north.pem'), { error: 'file-none' });
  t.like(a.remove('../../x.pem'), { error: 'file-name' });
  // a peer is not believed more than a person
  for (const name of ['../x.pem', 'x.sh', 'x.pem']) {
    t.true(b.message('site-file', { name, at: 1, content: 'aGVsbG8=' }));
  }
  b.message('site-file-gone', { name: '../../../etc/passwd.pem' });
  t.deepEqual(both.names('b'), []);
  t.is(both.told.length, 3);
  t.false(b.message('draft', {}));
});

test('what the configuration names is not removed', async (t) => {
  const both = new Boxes(t);
  const { a } = both.sides;
  await a.install(source(t, 'north.pem', PEM));
  await a.install(source(t, 'hello.wav', wav(80)));
  const named: Tree = {
    sip: { tls: { certificate: '/data/secret/tls/north.pem' } },
    site: { centre: { musicOnHold: 'hello' } },
  };
  both.trees = [{}, named];
  t.like(a.remove('north.pem'), {
    error: 'file-used',
    text: 'north.pem is in use: sip tls certificate',
  });
  t.like(a.remove('hello.wav'), {
    error: 'file-used',
    text: 'hello.wav is in use: site centre musicOnHold',
  });
  await a.install(source(t, 'syslog-ca.pem', PEM));
  both.trees = [{ system: { syslog: { main: { address: '192.0.2.1', transport: 'tls' } } } }];
  t.like(a.remove('syslog-ca.pem'), { error: 'file-used' });
  both.trees = [{}];
  t.deepEqual(a.remove('syslog-ca.pem'), { ok: true });
  t.deepEqual([a.remove('north.pem'), a.remove('hello.wav')], [{ ok: true }, { ok: true }]);
});

test('one file at a time, however many the other box lacks', async (t) => {
  const both = new Boxes(t);
  both.linked = false;
  const names = ['a.pem', 'b.pem', 'c.pem'];
  for (const name of names) await both.sides.a.install(source(t, name, `${PEM}${name}`));
  const sent: { readonly kind: string; readonly name: string }[] = [];
  const send = (kind: string, json: { readonly name?: string }): boolean =>
    sent.push({ kind, name: json.name ?? '' }) > 0;
  const { a } = both.sides;
  both.holds.a = { send } as unknown as AgentLink;
  a.message('site-files', { files: [] });
  for (const [i, name] of names.entries()) {
    t.deepEqual(
      sent,
      names.slice(0, i + 1).map((n) => ({ kind: 'site-file', name: n })),
    );
    a.message('site-file-taken', { name: 'z.pem' });
    a.message('site-file-taken', { name });
  }
  t.is(sent.length, 3);
  // one that went meanwhile holds nobody up
  a.message('site-files', { files: [] });
  rmSync(both.file('a', 'data/secret/tls/b.pem'));
  a.message('site-file-taken', { name: 'a.pem' });
  t.deepEqual(
    sent.slice(3).map(({ name }) => name),
    ['a.pem', 'c.pem'],
  );
});

test('what was installed last is right, whatever a clock said before', async (t) => {
  const both = new Boxes(t);
  const { a, b } = both.sides;
  await a.install(source(t, 'north.pem', PEM));
  const ahead = Date.now() / 1000 + 1_000_000;
  for (const side of ['a', 'b'] as const) {
    utimesSync(both.file(side, 'data/secret/tls/north.pem'), ahead, ahead);
  }
  both.linked = false;
  await b.install(source(t, 'north.pem', `${PEM}renewed\n`));
  both.meet();
  for (const side of ['a', 'b'] as const) {
    t.regex(readFileSync(both.file(side, 'data/secret/tls/north.pem'), 'utf8'), /renewed/);
  }
  // an older one that was under way, and moments that are none
  const content = Buffer.from(PEM).toString('base64');
  for (const at of [1, 1e300, -1, 'soon']) {
    a.message('site-file', { name: 'north.pem', at, content });
    const text = readFileSync(both.file('a', 'data/secret/tls/north.pem'), 'utf8');
    t.regex(text, /renewed/, `${at}`);
  }
});

test('two consoles at once: the second is told, and each file has its own content', async (t) => {
  const { a } = new Boxes(t).sides;
  const first = a.install(source(t, 'one.pem', `${PEM}1`));
  t.like(await a.install(source(t, 'two.pem', `${PEM}2`)), { error: 'file-busy' });
  t.like(await first, { ok: true });
  t.like(await a.install(source(t, 'two.pem', `${PEM}2`)), { ok: true });
});

test('of two boxes one gives, and not both', (t) => {
  const file = (at: number, digest: string): SiteFile => ({ name: 'n.pem', at, bytes: 1, digest });
  for (const [one, two, gives] of [
    [file(1, 'x'), file(2, 'y'), 'two'],
    [file(2, 'x'), file(1, 'y'), 'one'],
    [file(1, 'x'), file(1, 'y'), 'two'],
    [file(1, 'x'), file(2, 'x'), 'nobody'],
  ] as const) {
    const by = [...toGive([one], [two]).map(() => 'one'), ...toGive([two], [one]).map(() => 'two')];
    t.deepEqual(by, gives === 'nobody' ? [] : [gives]);
  }
});
