/** What a console shows of a configuration can be pasted into a console again, and is the same. */

import test from 'ava';
import fc from 'fast-check';
import { LINE_MAX } from '../../src/panel/console/editor.ts';
import { mergeSecrets, parseText } from '../../src/panel/tree/parse.ts';
import { isTree, type Tree } from '../../src/panel/tree/terms.ts';
import { asSetLines, showTree } from '../../src/panel/tree/text.ts';
import { setPath } from '../../src/panel/tree/tree.ts';
import { Bench } from '../console/bench.ts';
import { FakePair, START_TREE } from '../console/fake-pair.ts';
import { built, RICH, treeArb } from './tree-lab.ts';

function configuring(tree: Tree = START_TREE): Bench {
  const b = new Bench({ pair: new FakePair(tree) }).login();
  b.line('configure');
  return b;
}

/** The candidate, as the console would commit it, whether it is right or not. */
function candidate(b: Bench): Tree {
  b.line('save kept');
  const text = b.pair.files.get('kept') ?? '';
  return parseText(text) as Tree;
}

/** A list as long as the schema lets it be, and values as long as they may be. */
function large(): Tree {
  let tree = built('site centre programs wallboard password pw', RICH);
  for (let i = 0; i < 1000; i += 1) {
    const device = `${2000 + i}`;
    tree = setPath(tree, ['site', 'centre', 'programs', 'wallboard', 'devices', device]) as Tree;
  }
  for (const [i, sign] of ['"', 'x ', '|', '?', "'", '\\', 'a;{#'].entries()) {
    const words = ['site', 'extensions', `900${i}`, 'name', sign.repeat(255).slice(0, 255)];
    tree = setPath(tree, words) as Tree;
  }
  return tree;
}

const LARGE = large();
const RUNS = { numRuns: 12, examples: [[LARGE]] as [Tree][] };

test('any configuration that was shown is loaded as itself, secrets from the one before', (t) => {
  fc.assert(
    fc.property(treeArb(), (tree) => {
      const b = configuring(tree);
      b.line('load');
      b.keys(
        showTree(tree)
          .map((line) => `${line}\r`)
          .join(''),
      );
      const said = b.line('\x04');
      if (Object.keys(tree).length === 0) return;
      t.regex(said.join('\n'), /loaded into the candidate/);
      t.deepEqual(candidate(b), tree);
    }),
    RUNS,
  );
});

test('the commands that make any configuration make it again where they are pasted', (t) => {
  fc.assert(
    fc.property(treeArb(), (tree) => {
      const b = configuring({});
      b.keys(
        asSetLines(tree, { secrets: true })
          .map((line) => `${line}\r`)
          .join(''),
      );
      t.deepEqual(candidate(b), tree);
    }),
    RUNS,
  );
});

test('a long list is shown over lines that fit a screen', (t) => {
  const lines = showTree(LARGE);
  const devices = lines.filter((l) => /^ +(2\d{3} ?)+$/.test(l));
  t.true(devices.length > 50);
  for (const line of devices) t.true(line.length < 80, line);
  const read = parseText(lines.join('\n'));
  t.true(isTree(read as Tree));
  t.deepEqual(mergeSecrets(LARGE, read as Tree), LARGE);
});

test('a line that is too long is not taken in part: it is said, and a load with one is refused', (t) => {
  const b = configuring();
  const long = `set system snmp location "${'x'.repeat(LINE_MAX)}"`;
  t.regex(b.line(long).join('\n'), /longer than 1024 characters: nothing of it was taken/);
  t.regex(b.line('compare').join('\n'), /no differences/);
  b.line('load');
  b.line('set sip port 5070');
  b.line(long);
  b.line('set sip port 5071');
  t.regex(b.line('\x04').join('\n'), /line 2 [\s\S]*nothing was loaded/);
  t.regex(b.line('compare').join('\n'), /no differences/);
});

test('a load of more lines than there may be is refused as a whole; its rest is no command', (t) => {
  const b = configuring();
  b.line('load');
  b.keys('\r'.repeat(100_001));
  b.keys('set sip port 5070\r');
  t.regex(b.line('\x04').join('\n'), /more than 100000 lines: nothing was loaded/);
  t.regex(b.line('compare').join('\n'), /no differences/);
});
