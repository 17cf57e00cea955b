/** Words that change a tree, and what is said when they are wrong. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { verifyTree } from '../../src/panel/tree/check.ts';
import { completions } from '../../src/panel/tree/complete.ts';
import { SCHEMA } from '../../src/panel/tree/schema.ts';
import { isTreeFault, type Node, quoted, type Tree } from '../../src/panel/tree/terms.ts';
import { deletePath, entryOf, getPath, resolve, setPath } from '../../src/panel/tree/tree.ts';
import { typeText } from '../../src/panel/tree/values.ts';
import { tokenise } from '../../src/panel/tree/words.ts';
import { ROOT } from '../tidy/source.ts';
import { built, LEAST, RICH } from './tree-lab.ts';

function words(line: string): string[] {
  const tokens = tokenise(line);
  if ('code' in tokens) throw new Error(tokens.text);
  return tokens.words.map((w) => w.text);
}

function said(line: string): string {
  const r = setPath(RICH, words(line));
  return isTreeFault(r) ? `${r.code} | ${r.place}` : 'accepted';
}

test('each mistake has its code and its place', (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['sip prot 1', 'tree-unknown | sip prot'],
    ['constructor 1', 'tree-unknown | constructor'],
    ['si port 1', 'tree-ambiguous | si'],
    ['sip port', 'tree-missing-value | sip port'],
    ['dns servers', 'tree-missing-value | dns servers'],
    ['sip', 'tree-incomplete | sip'],
    ['site trunks', 'tree-incomplete | site trunks'],
    ['sip port x', 'tree-type | sip port x'],
    ['sip port 0x10', 'tree-type | sip port 0x10'],
    ['sip port 0', 'tree-range | sip port 0'],
    ['sip port 5060 5061', 'tree-extra | sip port 5060 5061'],
    ['redundancy cold', 'tree-choice | redundancy cold'],
    ['sip tcp maybe', 'tree-choice | sip tcp maybe'],
    ['witnesses here', 'tree-key | witnesses here'],
    ['site rules x match 1', 'tree-key | site rules x'],
    ['site rules 0 match 1', 'tree-key | site rules 0'],
    ['site centre queues 10-9 name x', 'tree-key | site centre queues 10-9'],
    ['site centre agents a1-b9 record true', 'tree-key | site centre agents a1-b9'],
    ['site trunks "a,b" contact sip:x', 'tree-key | site trunks a,b'],
    ['site extensions 1000 name ""', 'tree-type | site extensions 1000 name ""'],
    ['box a name -x', 'tree-type | box a name -x'],
    ['vip address 192.0.2.256', 'tree-type | vip address 192.0.2.256'],
    ['vip more 2001:db8::1%eth0', 'tree-type | vip more 2001:db8::1%eth0'],
    ['system metrics allow 192.0.2.1/24', 'tree-type | system metrics allow 192.0.2.1/24'],
    ['system ntp 192.0.2.300', 'tree-type | system ntp 192.0.2.300'],
    ['media ports 20000-19999', 'tree-type | media ports 20000-19999'],
    ['dns servers 192.0.2.1:70000', 'tree-type | dns servers 192.0.2.1:70000'],
    ['site rules 10 match 9.9', 'tree-type | site rules 10 match 9.9'],
    ['site trunks t contact tel:112', 'tree-type | site trunks t contact tel:112'],
    ['fence program fence', 'tree-type | fence program fence'],
    ['system snmp users x authKey short', 'tree-type | system snmp users x authKey'],
    ['site extensions 1 password a b', 'tree-extra | site extensions 1 password'],
    ['system timeZone ../etc', 'tree-type | system timeZone ../etc'],
    ['users digest [ MD5 SHA-256 SHA-1 ]', 'tree-choice | users digest SHA-1'],
    [
      'dns servers [ 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 ]',
      'tree-full | dns servers',
    ],
  ];
  for (const [line, answer] of table) t.is(said(line), answer, line);
});

test('a sentence says what would be right', (t) => {
  const text = (line: string): string => {
    const r = setPath(RICH, words(line));
    return isTreeFault(r) ? r.text : '';
  };
  t.is(text('sip prot 1'), 'prot is not here: port?');
  t.is(text('sip port 0'), 'a whole number 1 .. 65535 is needed here');
  t.is(text('redundancy cold'), 'one of hot-standby, warm-standby is needed here');
  t.is(text('si port 1'), 'si may be sip or site: write more of it');
  t.is(text('site rules 10'), '');
  t.regex(text('vip'), /^one of these is needed after this: address, more/);
});

test('beginnings of words are enough, capitals are not needed', (t) => {
  const tree = setPath({}, ['sit', 'ce', 'q', '7000', 'maxw', '60']);
  t.deepEqual(tree, { site: { centre: { queues: { '7000': { maxWaitS: 60 } } } } });
  t.deepEqual(setPath({}, ['red', 'w']), { redundancy: 'warm-standby' });
  t.deepEqual(setPath({}, ['users', 'digest', 'md5']), { users: { digest: ['MD5'] } });
});

test('addresses are kept in their one form', (t) => {
  t.deepEqual(setPath({}, ['vip', 'more', '2001:DB8:0::0010']), {
    vip: { more: ['2001:db8::10'] },
  });
  const twice = built('vip more 2001:DB8:0::10', built('vip more 2001:db8::10'));
  t.deepEqual(twice, { vip: { more: ['2001:db8::10'] } });
});

test('a list grows by set and shrinks by delete; what is empty is gone', (t) => {
  let tree: Tree = built('dns servers 192.0.2.53\ndns servers 192.0.2.54');
  tree = deletePath(tree, ['dns', 'servers', '192.0.2.53']) as Tree;
  t.deepEqual(tree, { dns: { servers: ['192.0.2.54'] } });
  const gone = deletePath(tree, ['dns', 'servers', '192.0.2.53']);
  t.true(isTreeFault(gone) && gone.code === 'tree-absent');
  t.deepEqual(deletePath(tree, ['dns', 'servers', '192.0.2.54']), {});
});

test('delete takes a value, an entry, a group; not what is not there', (t) => {
  const tree = built('sip ws port 8081\nsip tls\nwitnesses 192.0.2.1 by arp');
  t.deepEqual(deletePath(tree, ['sip', 'ws', 'port']), { ...tree, sip: { tls: {}, ws: {} } });
  t.deepEqual(deletePath(tree, ['sip', 'ws', 'port', '8081']), {
    ...tree,
    sip: { tls: {}, ws: {} },
  });
  t.deepEqual(deletePath(tree, ['witnesses', '192.0.2.1', 'by']), {
    ...tree,
    witnesses: { '192.0.2.1': {} },
  });
  t.deepEqual(deletePath(tree, ['witnesses', '192.0.2.1']), { sip: tree['sip'] });
  t.deepEqual(deletePath(tree, []), {});
  for (const line of ['sip port', 'witnesses 192.0.2.2', 'users', 'sip ws port 8082', 'nothing']) {
    t.true(isTreeFault(deletePath(tree, words(line))), line);
  }
});

test('a change leaves the old tree as it was', (t) => {
  const before = JSON.stringify(RICH);
  setPath(RICH, words('site rules 10 strip 5'));
  deletePath(RICH, words('site rules 10'));
  t.is(JSON.stringify(RICH), before);
});

test('an entry called like something of every object is an entry', (t) => {
  const tree = built('site centre programs __proto__ rate 5\nsite trunks constructor priority 1');
  t.is(getPath(tree, words('site centre programs __proto__ rate')), 5);
  t.is(getPath(RICH, words('site centre programs __proto__ rate')), undefined);
  t.is(getPath(tree, words('site trunks constructor priority')), 1);
  t.is(getPath(tree, words('site trunks toString')), undefined);
});

test('more entries than there may be are refused', (t) => {
  const eight = Array.from({ length: 8 }, (_, i) => `witnesses 192.0.2.${100 + i}`).join('\n');
  const full = setPath(built(eight), ['witnesses', '192.0.2.200']);
  t.true(isTreeFault(full) && full.code === 'tree-full' && full.place === 'witnesses');
  t.false(isTreeFault(setPath(built(eight), ['witnesses', '192.0.2.100', 'by', 'icmp'])));
});

test('get answers a group, a value or nothing', (t) => {
  t.is(getPath(RICH, ['site', 'rules', '10', 'strip']), 1);
  t.deepEqual(getPath(LEAST, ['users']), { from: 1000, to: 1999 });
  t.is(getPath(LEAST, ['dns']), undefined);
  t.true(isTreeFault(getPath(LEAST, ['users', 'from', '1000'])));
});

test('Tab and ? offer what fits', (t) => {
  const offer = (line: string, partial: string): string[] =>
    completions(SCHEMA, words(line), partial, RICH).map((c) => c.word);
  t.deepEqual(offer('', 's'), ['sip', 'site', 'system']);
  t.deepEqual(offer('sip', 'T'), ['tcp', 'tls']);
  t.deepEqual(offer('redundancy', ''), ['hot-standby', 'warm-standby']);
  t.deepEqual(offer('redundancy', 'w'), ['warm-standby']);
  t.deepEqual(offer('sip tcp', ''), ['true', 'false']);
  t.deepEqual(offer('sip port', ''), ['<1..65535>']);
  t.deepEqual(offer('sip port 5060', ''), []);
  t.deepEqual(offer('site rules', ''), ['10', '20', '<rule>']);
  t.deepEqual(offer('site rules 10 to', ''), ['provider', 'backup', 'out', '<name>']);
  t.deepEqual(offer('site rules 10 to out', 'p'), ['provider', '<name>']);
  t.deepEqual(offer('site extensions 1000 class', ''), ['all', 'internal', 'office', '<name>']);
  t.deepEqual(offer('nonsense', ''), []);
  const many = built(
    Array.from({ length: 600 }, (_, i) => `site extensions ${2000 + i} mwi true`).join('\n'),
  );
  const offered = completions(SCHEMA, ['site', 'extensions'], '', many);
  t.deepEqual([offered.length, offered.at(-1)?.word], [500, '<number>']);
  t.true(completions(SCHEMA, ['sip', 'port'], '').every((c) => c.placeholder === true));
});

test('every node has a help that fits a line of a terminal, every type a sign', (t) => {
  let count = 0;
  const look = (node: Node, path: string): void => {
    count += 1;
    t.true(node.help.length > 3 && node.help.length <= 90, `${path}: ${node.help}`);
    t.notRegex(node.help, /\.$/, path);
    if (node.kind === 'leaf' || node.kind === 'list') t.true(typeText(node.type).length > 1, path);
    else {
      for (const [name, child] of Object.entries(node.children)) {
        t.regex(name, /^[a-z][A-Za-z0-9]*$/, `${path} ${name}`);
        look(child, `${path} ${name}`);
      }
    }
    if (node.kind === 'map') t.true(entryOf(node).presence === true);
  };
  look(SCHEMA, '');
  t.true(count > 180);
});

test('what was resolved is written out, values apart', (t) => {
  const place = resolve(['sit', 'ru', '10', 'to', 'x', 'y']);
  t.true('node' in place);
  if (!('node' in place)) return;
  t.deepEqual(
    [place.words, place.rest],
    [
      ['site', 'rules', '10', 'to'],
      ['x', 'y'],
    ],
  );
});

test('a line is cut into words', (t) => {
  const cut = (line: string): unknown => {
    const r = tokenise(line);
    return 'code' in r ? [r.code, r.column] : r.words.map((w) => w.text);
  };
  t.deepEqual(cut('  set a  "b c" d\\ e \'f"g\' h"i"j '), ['set', 'a', 'b c', 'd e', 'f"g', 'hij']);
  t.deepEqual(cut('""'), ['']);
  t.deepEqual(cut('a "b'), ['tree-quote', 3]);
  t.deepEqual(cut('a b\\'), ['tree-quote', 4]);
  t.deepEqual(cut('x '.repeat(300)), ['tree-quote', 513]);
  const open = tokenise('set a ');
  t.true('words' in open && open.open);
  const closed = tokenise('set a');
  t.true('words' in closed && !closed.open && closed.words[1]?.column === 5);
});

test('any words quoted and joined are cut into themselves', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 8 }), (all) => {
      const r = tokenise(all.map(quoted).join(' '));
      t.deepEqual('words' in r && r.words.map((w) => w.text), all);
    }),
  );
});

test('docs/configuration.md shows words and mistakes as they are', (t) => {
  const text = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  const [sets = '', mistakes = ''] = text.split('\n```\n').filter((_, i) => i % 2 === 1);
  let tree: Tree = {};
  for (const line of sets.split('\n')) {
    const [verb, ...rest] = words((line.split(/ {3,}/)[0] as string).trim());
    const next = verb === 'set' ? setPath(tree, rest) : deletePath(tree, rest);
    t.false(isTreeFault(next), line);
    tree = next as Tree;
  }
  t.is(sets.split('\n').length, 7);
  for (const line of mistakes.split('\n')) {
    const [, code = '', place = '', say = ''] = /^(\S+) (.+?): (.*)$/.exec(line) ?? [];
    const whole = WRONG[code];
    const set = setPath(RICH, words(place));
    const found =
      whole !== undefined ? verifyTree(built(whole, RICH)) : isTreeFault(set) ? [set] : [];
    t.deepEqual(
      found.map((f) => `${f.code} ${f.place}: ${f.text}`),
      [line],
      say,
    );
  }
});

/** What makes a mistake that only the whole configuration shows. */
const WRONG: { readonly [code: string]: string } = {
  'tree-conflict': 'vip address 198.51.100.10',
  'tree-reference': 'site rules 10 to nobody',
};
