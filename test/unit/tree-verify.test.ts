/** What a whole configuration needs, what differs between two, and how one is kept. */

import test from 'ava';
import { changed, restarts } from '../../src/panel/tree/changes.ts';
import { checkTree, verifyTree } from '../../src/panel/tree/check.ts';
import { carried, FORMAT, isFormatFault, MIGRATIONS } from '../../src/panel/tree/stored.ts';
import { FAULT_CODES, type Fault, type Tree } from '../../src/panel/tree/terms.ts';
import { deletePath } from '../../src/panel/tree/tree.ts';
import { sources } from '../tidy/source.ts';
import { built, LEAST, RICH } from './tree-lab.ts';

function verdict(lines: string, onto: Tree = RICH): string[] {
  return verifyTree(built(lines, onto)).map((f) => `${f.code} ${f.place}`);
}

function without(words: string, tree: Tree = RICH): Tree {
  return deletePath(tree, words.split(' ')) as Tree;
}

test('a whole configuration has no faults', (t) => {
  t.deepEqual(verifyTree(RICH), []);
  t.deepEqual(verifyTree(LEAST), []);
});

test('an empty one is told all it needs', (t) => {
  t.deepEqual(
    verifyTree({}).map((f) => `${f.code} ${f.place}`),
    [
      'tree-missing box a name',
      'tree-missing box a lan address',
      'tree-missing box b name',
      'tree-missing box b lan address',
      'tree-missing vip address',
      'tree-missing users from',
      'tree-missing users to',
    ],
  );
});

test('a group or entry that is there needs its parts, one that is not does not', (t) => {
  t.deepEqual(verdict('fence timeoutMs 500', LEAST), ['tree-missing fence program']);
  t.deepEqual(verdict('site trunks t priority 1', LEAST), ['tree-missing site trunks t contact']);
  t.deepEqual(verdict('site trunks provider auth user x'), [
    'tree-missing site trunks provider auth password',
  ]);
  t.deepEqual(verdict('system hep id 3', LEAST), ['tree-missing system hep address']);
});

test("names that are nobody's are told", (t) => {
  t.deepEqual(verdict('site rules 10 to nobody'), ['tree-reference site rules 10 to nobody']);
  t.deepEqual(verdict('site extensions 1000 class vip'), [
    'tree-reference site extensions 1000 class',
  ]);
  t.deepEqual(verdict('site defaultClass internal'), []);
  t.deepEqual(verdict('site centre agents x1 queues [ 6150 6200 ]'), [
    'tree-reference site centre agents x1 queues 6200',
  ]);
  t.deepEqual(verdict('system snmp traps nms user root'), [
    'tree-reference system snmp traps nms user',
  ]);
});

test('parts that do not fit together are told', (t) => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['box b name LEFT', ['box b name']],
    ['box b lan address 192.0.2.11', ['box b lan address']],
    ['box b crossover address 169.254.77.1', ['box b crossover address']],
    ['vip address 192.0.2.12', ['vip address']],
    ['vip address 198.51.100.10', ['vip address']],
    ['vip address 192.0.2.255', ['vip address']],
    ['vip more 198.51.100.10', ['vip more 198.51.100.10']],
    ['witnesses 192.0.2.10', ['witnesses 192.0.2.10']],
    ['box a lan gateway 198.51.100.1', ['box a lan gateway']],
    ['box a lan gateway 192.0.2.10', ['box a lan gateway']],
    ['box b lan prefix 25', ['box b lan prefix']],
    ['box b lan address 198.51.100.12', ['box b lan address', 'box b lan gateway']],
    ['box b crossover address 169.254.78.2', ['box b crossover address']],
    ['box b crossover prefix 30', ['box b crossover prefix']],
    ['box a crossover interface eth0', ['box a crossover interface']],
    ['system metrics port 8090', ['system metrics port']],
    ['system metrics port 5408', ['system metrics port']],
    ['sip ws port 5061', ['sip ws port']],
    ['users to 999', ['users to']],
  ];
  for (const [line, at] of table) {
    t.deepEqual(
      verdict(line),
      at.map((place) => `tree-conflict ${place}`),
      line,
    );
  }
  t.deepEqual(
    verifyTree(without('system snmp users', without('system snmp traps'))).map((f) => f.place),
    ['system snmp users'],
  );
  const lan = built(
    'box a crossover address 192.0.2.201\nbox b crossover address 192.0.2.202',
    LEAST,
  );
  t.deepEqual(
    verifyTree(lan).map((f) => f.place),
    ['box a crossover address', 'box b crossover address'],
  );
  t.deepEqual(verdict('sip tcp false\nsip ws port 5060'), []);
});

test('a tree from outside is looked at in every part', (t) => {
  const table: readonly (readonly [unknown, string])[] = [
    [null, 'tree-type '],
    [[], 'tree-type '],
    ['x', 'tree-type '],
    [{ sip: 5060 }, 'tree-type sip'],
    [{ sip: null }, 'tree-type sip'],
    [{ sip: { port: '5060' } }, 'tree-type sip port'],
    [{ sip: { port: 5060.5 } }, 'tree-type sip port'],
    [{ sip: { port: 0 } }, 'tree-range sip port'],
    [{ sip: { tcp: 'true' } }, 'tree-type sip tcp'],
    [{ sip: { prot: 1 } }, 'tree-unknown sip prot'],
    [{ redundancy: 'hot' }, 'tree-choice redundancy'],
    [{ dns: { servers: '192.0.2.1' } }, 'tree-type dns servers'],
    [{ dns: { servers: ['192.0.2.1', 'x'] } }, 'tree-type dns servers x'],
    [{ dns: { servers: ['192.0.2.1', '192.0.2.1'] } }, 'tree-conflict dns servers'],
    [{ witnesses: { x: {} } }, 'tree-key witnesses x'],
    [{ witnesses: { '2001:DB8::1': {} } }, 'tree-key witnesses 2001:DB8::1'],
    [JSON.parse('{"__proto__": {"x": 1}}'), 'tree-unknown __proto__'],
    [{ system: { hep: { key: '/* secret */' } } }, 'tree-secret system hep key'],
    [{ vip: { address: 'x'.repeat(10_000) } }, 'tree-type vip address'],
  ];
  for (const [value, said] of table) {
    const faults = checkTree(value) as readonly Fault[];
    t.deepEqual(Array.isArray(faults) && faults.map((f) => `${f.code} ${f.place}`), [said]);
  }
  t.deepEqual(checkTree({ sip: {}, dns: { servers: [] }, site: { rules: {} } }), {});
  t.deepEqual(checkTree({ sip: { ws: {} } }), { sip: { ws: {} } });
});

test('what changed says whether it is taken over live', (t) => {
  const say = (lines: string): string[] =>
    changed(RICH, built(lines, RICH)).map((c) => `${c.place}: ${c.apply}`);
  t.deepEqual(say('site extensions 1002 password x'), [
    'site extensions 1002: live',
    'site extensions 1002 password: live',
  ]);
  t.deepEqual(say('sip port 5070\nsip sessionExpiresS 90'), [
    'sip port: restart',
    'sip sessionExpiresS: live',
  ]);
  t.deepEqual(say('witnesses 192.0.2.2'), ['witnesses 192.0.2.2: restart']);
  t.deepEqual(say('sip wss'), ['sip wss: restart']);
  t.deepEqual(say('system console idleMin 5'), ['system console idleMin: live']);
  t.deepEqual(say('dns servers 192.0.2.55\nusers auth false'), [
    'users auth: live',
    'dns servers: live',
  ]);
  t.deepEqual(changed(RICH, RICH), []);
  t.deepEqual(restarts(RICH, without('sip tls', without('site rules'))), [
    'sip tls',
    'sip tls port',
  ]);
});

test('a configuration is kept with its format; what is newer is refused', (t) => {
  t.is(FORMAT, MIGRATIONS.length + 1);
  t.deepEqual(carried({ format: FORMAT, tree: RICH }), RICH);
  const bad = [
    undefined,
    null,
    {},
    { format: 0, tree: {} },
    { format: 1 },
    { format: 1, tree: [] },
  ];
  for (const value of [...bad, { format: FORMAT + 1, tree: {} }]) {
    t.true(isFormatFault(carried(value)), JSON.stringify(value));
  }
  t.false(isFormatFault(carried({ format: FORMAT, tree: {} })));
});

test('an old one is carried over a step at a time', (t) => {
  const steps = [
    (tree: { readonly [k: string]: unknown }) => ({ ...tree, redundancy: 'warm-standby' }),
    ({ telephony, ...tree }: { readonly [k: string]: unknown }) => ({ ...tree, sip: telephony }),
  ];
  const old = { telephony: { port: 5070 } };
  t.deepEqual(carried({ format: 1, tree: old }, steps), {
    redundancy: 'warm-standby',
    sip: { port: 5070 },
  });
  t.deepEqual(carried({ format: 2, tree: old }, steps), { sip: { port: 5070 } });
  t.deepEqual(carried({ format: 3, tree: old }, steps), old);
});

test('every code of a fault is used', (t) => {
  const all = sources('src/panel/tree').filter((f) => !f.path.endsWith('terms.ts'));
  for (const code of FAULT_CODES) {
    t.true(
      all.some((f) => f.text.includes(`'${code}'`)),
      code,
    );
  }
});
