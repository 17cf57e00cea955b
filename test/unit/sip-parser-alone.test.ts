// sip-parser is a module of its own: its files import one another and nothing else, a copy of the
// folder works elsewhere, and the examples of its README run and have the types they show.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';
import { LIMITS } from '../../src/sip-parser/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'src/sip-parser');
const files = readdirSync(folder).filter((f) => f.endsWith('.ts'));
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

test('the files import one another and nothing else', (t) => {
  t.true(files.length > 15);
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    const names = [...text.matchAll(/\bfrom\s+'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g)];
    for (const [, from, called] of names) t.regex(from ?? called ?? '', /^\.\/[a-z-]+\.ts$/, file);
    t.notRegex(text, /\brequire\s*\(|\bprocess\.|\bBuffer\b|\bglobalThis\b/, file);
  }
});

test('a copy of the folder works elsewhere', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'sip-parser-'));
  try {
    writeFileSync(join(place, 'package.json'), '{"type":"module"}');
    cpSync(folder, join(place, 'p'), { recursive: true });
    const copy = (await import(pathToFileURL(join(place, 'p/index.ts')).href)) as {
      parseMessage: (text: string) => { readonly status: number };
    };
    t.is(copy.parseMessage('SIP/2.0 200 OK\r\n\r\n').status, 200);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

test('the examples of the README run, and have the types they show', async (t) => {
  const examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((m) => m[1] ?? '');
  t.true(examples.length >= 5);
  // Inside the repository, where the name sipair/sip-parser means what package.json says.
  mkdirSync(join(root, 'build'), { recursive: true });
  const place = mkdtempSync(join(root, 'build/readme-'));
  try {
    for (const [i, text] of examples.entries()) writeFileSync(join(place, `example${i}.ts`), text);
    const config = { extends: '../../tsconfig.json', include: ['*.ts'] };
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const checked = spawnSync(process.execPath, [tsc, '-p', place], { encoding: 'utf8' });
    t.is(checked.stdout + checked.stderr, '');
    for (const i of examples.keys()) {
      await t.notThrowsAsync(import(pathToFileURL(join(place, `example${i}.ts`)).href), `${i}`);
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

test('the README names what there is', (t) => {
  const index = readFileSync(join(folder, 'index.ts'), 'utf8');
  const table = readme.slice(readme.indexOf('## Header values'), readme.indexOf('## Limits'));
  const names = [
    ...table.matchAll(/`((?:parse|format|uri|rewrite)[A-Za-z]+|words|hasWord|addresses)`/g),
  ];
  t.true(names.length > 25);
  for (const [, name] of names) t.regex(index, new RegExp(`\\b${name}\\b`), name);
  const limits = readme.slice(readme.indexOf('## Limits')).replaceAll(',', '');
  for (const [name, value] of Object.entries(LIMITS))
    t.regex(limits, new RegExp(`\\b${value}\\b`), name);
});
