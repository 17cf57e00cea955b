/** A tree and its texts are the same thing; a secret is in neither text. */

import test from 'ava';
import fc from 'fast-check';
import { checkTree } from '../../src/panel/tree/check.ts';
import { mergeSecrets, parseText } from '../../src/panel/tree/parse.ts';
import { type Fault, isTreeFault, MASK, type Tree } from '../../src/panel/tree/terms.ts';
import { asSetLines, compareTrees, showTree } from '../../src/panel/tree/text.ts';
import { deletePath, setPath } from '../../src/panel/tree/tree.ts';
import { maskTree } from '../../src/panel/tree/walk.ts';
import { built, LEAST, RICH, treeArb } from './tree-lab.ts';

const RUNS = { numRuns: 60 };

for (const [form, write] of [
  ['curly', showTree.bind(undefined)],
  ['set lines', (tree: Tree, _path: readonly string[], o: object) => asSetLines(tree, o)],
] as const) {
  test(`any tree as ${form} reads as itself`, (t) => {
    fc.assert(
      fc.property(treeArb(), (tree) => {
        const text = write(tree, [], { secrets: true }).join('\n');
        t.deepEqual(parseText(text), tree, text);
      }),
      RUNS,
    );
  });

  test(`any tree as ${form} without secrets, merged with the old one, is itself`, (t) => {
    fc.assert(
      fc.property(treeArb(), (tree) => {
        const shown = parseText(write(tree, [], {}).join('\n'));
        t.deepEqual(shown, maskTree(tree));
        t.deepEqual(mergeSecrets(tree, shown as Tree), tree);
      }),
      RUNS,
    );
  });
}

test('any tree is right by its schema, and the same after JSON', (t) => {
  fc.assert(
    fc.property(treeArb(), (tree) => {
      t.deepEqual(checkTree(JSON.parse(JSON.stringify(tree))), tree);
    }),
    RUNS,
  );
});

test('no text that a person sees has a secret', (t) => {
  const all = [...showTree(RICH), ...asSetLines(RICH), ...compareTrees(LEAST, RICH)].join('\n');
  for (const secret of ['hunter2', 'a b', 'secret1', 'pw', 'authauth1', 'privpriv1', 'capture']) {
    t.false(all.includes(secret), secret);
  }
  t.true(showTree(RICH).includes('        password /* secret */; ## SECRET'), 'an extension');
  t.true(asSetLines(RICH).includes('## SECRET set site extensions 1000 password'));
  t.true(
    asSetLines(RICH, { secrets: true }).includes(
      'set site trunks provider register password hunter2',
    ),
  );
});

test('what is shown reads like a configuration', (t) => {
  t.deepEqual(showTree(RICH, ['site', 'rules']), [
    '10 {',
    '    match 9X.;',
    '    to out;',
    '    strip 1;',
    '}',
    '20 {',
    '    match 0900!;',
    '    refuse 403;',
    '}',
  ]);
  t.deepEqual(showTree(RICH, ['sip']), [
    'tls {',
    '    port 5061;',
    '}',
    'ws;',
    'sessionExpiresS 900;',
  ]);
  t.deepEqual(showTree(RICH, ['users', 'digest']), ['digest [ MD5 SHA-256 ];']);
  t.deepEqual(showTree(RICH, ['nonsense']), []);
  const top = showTree(RICH);
  t.true(top.includes('witnesses 192.0.2.1;'));
  t.true(top.includes('    centre {'));
  t.true(top.includes('        musicOnHold "";'));
  t.true(top.includes('    arguments [ --off "port 3" ];'));
});

test('a comparison says the place once and each difference with its sign', (t) => {
  const now = built(
    `
    site rules 10 strip 2
    site rules 30 match 7!
    site rules 30 replace 112
    dns servers 192.0.2.55
    site extensions 1000 password other
    `,
    deletePath(RICH, ['witnesses', '192.0.2.1']) as Tree,
  );
  t.deepEqual(compareTrees(RICH, now), [
    '[edit witnesses]',
    '-   192.0.2.1;',
    '[edit dns]',
    '-   servers [ 192.0.2.53 192.0.2.54:5353 ];',
    '+   servers [ 192.0.2.53 192.0.2.54:5353 192.0.2.55 ];',
    '[edit site extensions 1000]',
    '-   password /* secret */; ## SECRET',
    '+   password /* secret */; ## SECRET',
    '[edit site rules]',
    '+   30 {',
    '+       match 7!;',
    '+       replace 112;',
    '+   }',
    '[edit site rules 10]',
    '-   strip 1;',
    '+   strip 2;',
  ]);
  t.deepEqual(compareTrees(RICH, RICH), []);
});

function faults(text: string): string[] {
  const read = parseText(text);
  return Array.isArray(read)
    ? (read as Fault[]).map((f) => `${f.line}:${f.column} ${f.code} ${f.place}`)
    : ['accepted'];
}

test('every mistake of a text is told with line and column', (t) => {
  t.deepEqual(
    faults(`sip {
  port 99999;
  prot 5;
  ws {
  }
}
/* a comment
   of two lines */ users { from x; to 1999 }
vip { address 192.0.2.10;
`),
    [
      '2:3 tree-range sip port 99999',
      '3:3 tree-unknown sip prot',
      '8:28 tree-type users from x',
      '8:36 tree-syntax users',
      '9:1 tree-syntax vip',
    ],
  );
  t.deepEqual(faults('set sip port 5060\nset sip prot 1\nshow sip\nset users from "1000\n'), [
    '2:5 tree-unknown sip prot',
    '3:1 tree-syntax ',
    '4:16 tree-quote ',
  ]);
  t.deepEqual(faults('}'), ['1:1 tree-syntax ']);
  t.deepEqual(faults('{ }'), ['1:1 tree-syntax ']);
  t.deepEqual(faults('sip { port /* secret */; }'), ['1:7 tree-missing-value sip port']);
  t.deepEqual(faults('sip { port 5060; } /* open'), ['1:20 tree-syntax ']);
  t.is(faults('sip {\n'.repeat(3) + 'x;\n'.repeat(200)).length, 50);
});

test('a text is added to a tree when one is given', (t) => {
  const more = parseText(
    'set sip port 5070\ndelete sip ws\nset dns servers 192.0.2.55',
    RICH,
  ) as Tree;
  t.is((more['sip'] as Tree)['port'], 5070);
  t.false(Object.hasOwn(more['sip'] as Tree, 'ws'));
  t.deepEqual((more['dns'] as Tree)['servers'], ['192.0.2.53', '192.0.2.54:5353', '192.0.2.55']);
  t.true(Object.hasOwn(RICH['sip'] as Tree, 'ws'), 'the old tree is as it was');
});

test('a secret that was shown and is not known is asked for; nobody can set what stands for one', (t) => {
  const shown = parseText(showTree(RICH).join('\n')) as Tree;
  const lost = mergeSecrets(LEAST, shown) as readonly Fault[];
  t.true(lost.length >= 8);
  t.true(lost.every((f) => f.code === 'tree-secret'));
  t.true(lost.some((f) => f.place === 'site trunks provider register password'));
  const set = setPath(RICH, ['site', 'extensions', '1000', 'password', MASK]);
  t.true(isTreeFault(set) && set.code === 'tree-secret');
  const check = checkTree(shown) as readonly Fault[];
  t.true(check.every((f) => f.code === 'tree-secret') && check.length === lost.length);
});

test('ten thousand extensions are read in a moment', (t) => {
  const lines = Array.from(
    { length: 10_000 },
    (_, i) => `set site extensions ${10_000 + i} name N${i}`,
  );
  const tree = parseText(lines.join('\n')) as Tree;
  t.is(Object.keys((tree['site'] as Tree)['extensions'] as Tree).length, 10_000);
  t.deepEqual(parseText(showTree(tree).join('\n')), tree);
});
