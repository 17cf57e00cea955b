/** The support bundle: what may not be in it, and that a long journal is in it with its end. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { placesOf } from '../../src/edge/system/files.ts';
import { lastOf, recordingMachine } from '../../src/edge/system/machine.ts';
import { masker } from '../../src/edge/system/masked.ts';
import { Store } from '../../src/edge/system/store.ts';
import { supportBundle } from '../../src/edge/system/support.ts';
import { EMPTY } from '../../src/panel/system/revision.ts';
import type { Tree } from '../../src/panel/tree/terms.ts';
import { after } from './revision-samples.ts';

function root(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-support-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function snmp(community: string): Tree {
  return { system: { snmp: { community } } };
}

test('no secret of any revision that is kept is in the bundle, nor of one that is prepared', async (t) => {
  const places = placesOf(root(t));
  const store = new Store(places);
  const old = after(EMPTY, { number: 1, tree: snmp('old-swordfish') });
  const now = after(old, { number: 2, tree: snmp('new-swordfish') });
  const next = after(now, { number: 3, tree: snmp('next-swordfish') });
  const provisional = {
    until: 1,
    minutes: 1,
    before: after(EMPTY, { number: 9, tree: snmp('was-swordfish') }).entry,
  };
  store.write([
    { name: 'revision', content: old.entry },
    { name: 'active', content: { ...now, provisional } },
    { name: 'prepared', content: { entry: next.entry, confirmMin: 0 } },
  ]);
  mkdirSync(places.log, { recursive: true });
  const said = 'old-swordfish new-swordfish next-swordfish was-swordfish north "a\\"b-swordfish"';
  writeFileSync(join(places.log, 'console.log'), `${said}\n`);
  const { tree } = now.entry;
  const machine = { ...recordingMachine(join(places.run, 'orders')), journal: async () => said };
  const facts = { places, machine, tree, state: { said }, revisions: store.heads() };
  const text = gunzipSync(await supportBundle(facts, new Date(0))).toString('latin1');
  t.notRegex(text, /(old|new|next|was)-swordfish/);
  t.is(text.match(/\*\*\* \*\*\* \*\*\* \*\*\* north/g)?.length, 3, 'log, journal, state');
});

test('a mask: the longest first, also as it stands in JSON, and nothing else', (t) => {
  const mask = masker(['abcd', 'abcdef', 'q"uote', 'été!']);
  t.is(mask('xabcdefx abcd abc'), 'x***x *** abc');
  t.is(mask(JSON.stringify({ v: 'q"uote' })), '{"v":"***"}');
  t.is(mask('un été! là'), 'un *** là');
  t.is(masker([])('abc'), 'abc');
});

test('a hundred thousand secrets do not take the agent away', (t) => {
  const secrets = Array.from({ length: 100_000 }, (_, i) => `secret-${i * 7919}-x`);
  const text = `${'nothing of interest in this line\n'.repeat(60_000)}${secrets.at(-1)}\n`;
  t.true(masker(secrets)(text).endsWith('line\n***\n'));
});

test('of more than there is room for the end is kept, from the begin of a line', async (t) => {
  const script =
    'for (let i = 0; i < 20000; i += 1) console.log("line " + i + " " + "x".repeat(90))';
  const { out, fault } = await lastOf(process.execPath, ['-e', script], 100_000);
  t.is(fault, '');
  t.regex(out, /^line \d+ x+\n/);
  t.true(out.length <= 100_000 && out.length > 90_000, `${out.length}`);
  t.true(out.endsWith(`line 19999 ${'x'.repeat(90)}\n`));
  const few = await lastOf(process.execPath, ['-e', 'console.log("é")'], 100);
  t.is(few.out, 'é\n');
  const wrong = await lastOf(process.execPath, ['-e', 'console.error("why"); process.exit(3)'], 9);
  t.regex(wrong.fault, /why/);
  t.regex((await lastOf('/nowhere/journalctl', [], 9)).fault, /ENOENT/);
});
