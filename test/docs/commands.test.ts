/** What the operator's pages tell to type is understood by the console; where they lead to is there. */

import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { CONFIGURATION, OPERATIONAL } from '../../src/panel/console/grammar.ts';
import { isWrong, parse } from '../../src/panel/console/parse.ts';
import { readPipes } from '../../src/panel/console/pipes.ts';
import { split } from '../../src/panel/console/words.ts';
import { nodeAt } from '../../src/panel/tree/defaults.ts';
import { isTreeFault } from '../../src/panel/tree/terms.ts';
import { setPath } from '../../src/panel/tree/tree.ts';
import { ROOT } from '../lab/places.ts';
import { readDocument } from './pictures.ts';

/** Pages for whoever sits at the console; the reference is made from the grammar and has words in place of values. */
const PAGES = readdirSync(join(ROOT, 'docs')).filter(
  (name) => name.endsWith('.md') && name !== 'cli.md',
);
const ROOTS = new Set([...OPERATIONAL, ...CONFIGURATION].map((node) => node.word));

/** `code`, and lines of code by themselves. */
function commandsOf(page: string): readonly string[] {
  const inline = [...page.matchAll(/`([^`\n]+)`/g)].map((m) => m[1] as string);
  // a command by itself, perhaps with what it is for behind it
  const lines = [...page.matchAll(/^ {4,}(\w.*?)(?: {2,}.*)?$/gm)].map((m) => m[1] as string);
  return [...inline, ...lines].filter((c) => ROOTS.has(c.split(' ')[0] ?? '') && c.includes(' '));
}

/** `show` of configuration mode takes any place: what an operator is told to type is meant at the prompt. */
function isKnown(command: string): boolean {
  const { words, pipes, end } = split(command);
  const [first, ...rest] = words.map((w) => w.text);
  if (first === 'set' && rest[0] !== 'cli') return isSettable(rest);
  const trees = first === 'show' ? [OPERATIONAL] : [OPERATIONAL, CONFIGURATION];
  const parsed = trees.map((tree) => parse(tree, words, end));
  const typed = parsed.some((p) => !isWrong(p) || p.at === end);
  return typed && !('choices' in readPipes(pipes, end));
}

/** A place of the configuration, alone or with a value that fits. */
function isSettable(words: readonly string[]): boolean {
  return nodeAt(words) !== undefined || !isTreeFault(setPath({}, words));
}

for (const page of PAGES) {
  test(`docs/${page}: commands as the console knows them`, (t) => {
    for (const command of commandsOf(readDocument(page))) {
      t.true(isKnown(command), command);
    }
    t.pass();
  });
}

/** As GitHub names the place of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replace(/ /g, '-');
}

const ALL = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

function headings(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map((m) => anchorOf(m[1] as string));
}

for (const page of ALL) {
  test(`${page}: what it links to is there`, (t) => {
    const text = readDocument(join('..', page));
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = '', anchor = ''] = link.split('#');
      const at = file === '' ? page : join(dirname(page), file);
      if (!t.true(existsSync(join(ROOT, at)), `${link}: no such file`) || anchor === '') continue;
      t.true(headings(readDocument(join('..', at))).includes(anchor), `${link}: no such heading`);
    }
    t.pass();
  });
}
