/**
 * The schema and the reading of the daemon's file hold together: each knows what the other knows, with
 * the same limits and defaults, and a mistake found in the file is told at its place in the tree.
 */

import test from 'ava';
import fc from 'fast-check';
import { type Config, type ConfigFault, readConfig } from '../../src/edge/config.ts';
import { restartPlaces } from '../../src/edge/config-live.ts';
import {
  boxFile,
  MACHINE_KEYS,
  PEER_KEYS,
  placeOf,
  type Which,
} from '../../src/panel/tree/generate.ts';
import { SCHEMA } from '../../src/panel/tree/schema.ts';
import type { Container, Node, Tree, Value } from '../../src/panel/tree/terms.ts';
import { asSetLines } from '../../src/panel/tree/text.ts';
import { entryOf, valueAt, withValue } from '../../src/panel/tree/tree.ts';
import { visit } from '../../src/panel/tree/walk.ts';
import { sources } from '../tidy/source.ts';
import { fullTree, LEAST, RICH, sampleOf, treeArb } from './tree-lab.ts';

const PATHS = {
  data: '/data/state',
  control: '/run/sipair/control.sock',
  keyFile: '/data/secret/pair.key',
};

type Json = { readonly [name: string]: unknown };

function read(tree: Tree, box: Which): Config | readonly ConfigFault[] {
  return readConfig(JSON.parse(JSON.stringify(boxFile(tree, box, PATHS))), false);
}

function config(tree: Tree, box: Which = 'a'): Config {
  const result = read(tree, box);
  if (!('node' in result)) throw new Error(JSON.stringify(result));
  return result;
}

function faultsOf(tree: Tree, box: Which = 'a'): readonly ConfigFault[] {
  const result = read(tree, box);
  return 'node' in result ? [] : result;
}

/** The place of each fault in words of the tree. */
function places(tree: Tree, box: Which = 'a'): readonly string[] {
  return faultsOf(tree, box).map((f) => placeOf(tree, box, f.place));
}

const FULL = fullTree((node, words) => {
  const one = sampleOf(node.type);
  return (valueAt(LEAST, words) as Value | undefined) ?? (node.kind === 'list' ? [one] : one);
});

for (const box of ['a', 'b'] as const) {
  test(`a whole configuration is accepted by the daemon of box ${box}`, (t) => {
    t.deepEqual(faultsOf(RICH, box), []);
    t.deepEqual(faultsOf(LEAST, box), []);
    const c = config(RICH, box);
    t.is(c.box, box);
    t.is(c.lan.address, box === 'a' ? '192.0.2.11' : '192.0.2.12');
    t.is(c.peerLan, box === 'a' ? '192.0.2.12' : '192.0.2.11');
    t.is(c.crossover.peerAddress, box === 'a' ? '169.254.77.2' : '169.254.77.1');
  });
}

test('the tree says the same to the daemon as a file written by hand', (t) => {
  const c = config(RICH);
  const { site } = c.node.sip;
  t.deepEqual(
    site.rules.map((r) => [r.match, r.to, r.refuse]),
    [
      ['9X.', ['out'], 0],
      ['0900!', [], 403],
    ],
  );
  t.deepEqual(site.emergency.numbers, [
    { match: '112', as: '' },
    { match: '911', as: '112' },
  ]);
  t.deepEqual(
    site.trunks.map((k) => k.name),
    ['backup', 'provider'],
  );
  t.deepEqual(c.media.ports, [20_000, 20_999]);
  t.is(c.media.prompts, '/data/state/prompts');
  t.deepEqual(c.node.pair.witnesses, [
    { address: '192.0.2.1', by: 'arp' },
    { address: '198.51.100.7', by: 'icmp' },
  ]);
  t.deepEqual(c.fence, ['/usr/lib/fence', '--off', 'port 3']);
  t.is(site.centre.musicOnHold, '');
  t.deepEqual(Object.keys(site.centre.agents).length, 101);
  t.deepEqual(c.node.sip.digest, ['MD5', 'SHA-256']);
});

test('everything in the schema has a name that the daemon knows', (t) => {
  const unknown = faultsOf(FULL).filter((f) => f.code === 'config-unknown');
  t.deepEqual(unknown, []);
  let leaves = 0;
  visit(FULL, () => {
    leaves += 1;
  });
  t.true(leaves > 150, `${leaves} things are said`);
  t.deepEqual(
    faultsOf(FULL).filter((f) => f.code === 'config-shape' || f.code === 'config-missing'),
    [],
  );
});

/** Every name that stands in the source of the configuration's readers, and of what they read into. */
function candidates(): readonly string[] {
  const homes = [...sources('src/edge'), ...sources('src/proto'), ...sources('src/pair')].filter(
    (f) => /edge\/config|proto\/(site|centre)|pair\/(terms|settings)/.test(f.path),
  );
  const names = homes.flatMap((f) => [
    ...[...f.text.matchAll(/'([a-z][A-Za-z0-9]*)'/g)].map((m) => m[1] as string),
    ...[...f.text.matchAll(/\b([a-z][A-Za-z0-9]*)\??: /g)].map((m) => m[1] as string),
  ]);
  return [...new Set(names)];
}

type Spot = {
  readonly place: string;
  readonly keys: readonly (string | number)[];
  readonly known: readonly string[];
};

/** Every object of the file whose names are fixed: its place, and what the schema says stands there. */
function spots(
  node: Node,
  tree: Tree,
  place: string,
  keys: readonly (string | number)[],
): readonly Spot[] {
  if (node.kind === 'map') {
    return Object.entries(tree).flatMap(([name, value], i) => {
      const index = node.array !== undefined;
      const at = index ? `${place}[${i}]` : `${place}.${name}`;
      const own = spots(entryOf(node), value as Tree, at, [...keys, index ? i : name]);
      const field = node.array === undefined || node.array === '' ? [] : [node.array];
      return own.map((s) => (s.place === `${at}.` ? { ...s, known: [...s.known, ...field] } : s));
    });
  }
  if (node.kind !== 'container') return [];
  const front = place === '' ? '' : `${place}.`;
  const below = Object.entries(node.children).flatMap(([name, child]) => {
    const value = valueAt(tree, [name]);
    const group = child.kind === 'map' || child.kind === 'container';
    return group ? spots(child, value as Tree, `${front}${name}`, [...keys, name]) : [];
  });
  return [{ place: front, keys, known: Object.keys(node.children) }, ...below];
}

function injected(file: Json, keys: readonly (string | number)[], names: readonly string[]): Json {
  const copy = JSON.parse(JSON.stringify(file)) as { [k: string]: unknown };
  let here: { [k: string | number]: unknown } = copy;
  for (const key of keys) here = here[key] as typeof here;
  for (const name of names) here[name] ??= null;
  return copy;
}

/** A password that is made of a number is for labs: an appliance has no way to say it. */
const LAB: readonly string[] = ['users.passwordPrefix'];

test('everything the daemon knows is in the schema', (t) => {
  const file = boxFile(FULL, 'a', PATHS);
  const names = candidates();
  let known = 0;
  const all = spots(SCHEMA, FULL, '', [])
    .filter((s) => !/^(box|system)\b/.test(s.place) || s.place === 'system.hep.')
    .map((s) => (s.place === 'system.hep.' ? { ...s, place: 'hep.', keys: ['hep'] } : s));
  t.true(all.length >= 25);
  const lan = { known: ['interface', 'address', 'prefix', 'peerAddress'] };
  const more: readonly Spot[] = [
    { place: 'lan.', keys: ['lan'], ...lan },
    { place: 'crossover.', keys: ['crossover'], known: lan.known.filter((n) => n !== 'prefix') },
  ];
  for (const spot of [...all, ...more]) {
    const result = readConfig(injected(file, spot.keys, names), false);
    const faults = 'node' in result ? [] : result;
    const refused = new Set(faults.filter((f) => f.code === 'config-unknown').map((f) => f.place));
    const takes = names.filter((n) => !refused.has(`${spot.place}${n}`));
    known += takes.length;
    const ours =
      spot.place === '' ? [...spot.known, 'lan', 'crossover', 'hep', ...MACHINE_KEYS] : spot.known;
    t.deepEqual(
      takes.filter((n) => !ours.includes(n) && !LAB.includes(`${spot.place}${n}`)),
      [],
      `${spot.place} has names the schema lacks`,
    );
  }
  t.true(known > 150, `${known} names are known`);
});

test('the limits of numbers are those of the daemon', (t) => {
  let looked = 0;
  visit(FULL, (words, node) => {
    if (
      node.kind !== 'leaf' ||
      (words[0] === 'system' && words[1] !== 'hep') ||
      words.includes('gateway')
    )
      return;
    const { type } = node;
    if (type.type !== 'int' && type.type !== 'port') return;
    const at = words.join(' ');
    // these have no number in the daemon's file
    if (/^box . crossover prefix$/.test(at)) return;
    const min = type.type === 'int' ? type.min : type.off === true ? 0 : 1;
    const max = type.type === 'int' ? type.max : 65_535;
    const box: Which = words[1] === 'b' && words[0] === 'box' ? 'b' : 'a';
    const wrong = (value: number): boolean => {
      const tree = withValue(FULL, words, value);
      return faultsOf(tree, box).some(
        (f) => f.code === 'config-range' && placeOf(tree, box, f.place) === at,
      );
    };
    looked += 1;
    t.true(wrong(min - 1), `${at} ${min - 1}`);
    t.true(wrong(max + 1), `${at} ${max + 1}`);
    t.false(wrong(max), `${at} ${max}`);
    // the last extension is not before the first
    if (at !== 'users to') t.false(wrong(min), `${at} ${min}`);
  });
  t.true(looked > 55, `${looked} numbers`);
});

test('the words one may choose from are those of the daemon', (t) => {
  let looked = 0;
  visit(FULL, (words, node) => {
    if (node.kind !== 'leaf' && node.kind !== 'list') return;
    if (node.type.type !== 'enum' || words[0] === 'system') return;
    const at = words.join(' ');
    const wrong = withValue(FULL, words, node.kind === 'list' ? ['nonsense'] : 'nonsense');
    const fault = faultsOf(wrong).find(
      (f) => f.code === 'config-choice' && placeOf(wrong, 'a', f.place) === at,
    );
    const all = / of (.+) (?:is|are) needed here$/.exec(` ${fault?.text}`)?.[1]?.split(', ') ?? [];
    t.deepEqual(all.sort(), Object.keys(node.type.words).sort(), at);
    looked += 1;
  });
  t.true(looked >= 17, `${looked} choices`);
});

/** The tree with every default written out that holds in it. */
function spelled(node: Node, tree: Tree): Tree {
  if (node.kind === 'map') {
    return Object.fromEntries(
      Object.entries(tree).map(([name, value]) => [name, spelled(entryOf(node), value as Tree)]),
    );
  }
  if (node.kind !== 'container') return tree;
  let out = tree;
  for (const [name, child] of Object.entries(node.children)) {
    const value = valueAt(tree, [name]);
    if (child.kind === 'leaf' || child.kind === 'list') {
      if (value === undefined && child.default !== undefined) {
        out = withValue(out, [name], child.default);
      }
    } else if (value !== undefined) out = withValue(out, [name], spelled(child, value as Tree));
    // a group that is there only when somebody says so has no defaults before; `control` left out is
    // PLAIN_CONTROL without being written
    else if (child.kind === 'container' && !isOptional(child) && name !== 'control') {
      const below = spelled(child, {});
      if (Object.keys(below).length > 0) out = withValue(out, [name], below);
    }
  }
  return out;
}

function isOptional(node: Container): boolean {
  const needs = Object.values(node.children).some((c) => c.kind === 'leaf' && c.must === true);
  return node.presence === true || (needs && node.must !== true);
}

test('the defaults are those of the daemon', (t) => {
  for (const tree of [LEAST, RICH]) {
    const out = spelled(SCHEMA, tree);
    t.true(asSetLines(out).length - asSetLines(tree).length > 50);
    t.deepEqual(config(out), config(tree));
  }
});

test('live is what a running daemon takes over, and nothing else', (t) => {
  const said = spelled(SCHEMA, RICH);
  const before = boxFile(said, 'a', PATHS);
  const looked = { live: 0, restart: 0 };
  visit(said, (words, node, value) => {
    if (node.kind === 'container' || (words[0] === 'system' && words[1] !== 'hep')) return;
    const other = otherValue(node, value as Value);
    if (other === undefined) return;
    const after = boxFile(withValue(said, words, other), 'a', PATHS);
    // a part of the machine that the daemon does not see
    if (JSON.stringify(after) === JSON.stringify(before)) return;
    looked[node.apply] += 1;
    const asked = restartPlaces(before, after);
    t.is(asked.length === 0 ? 'live' : 'restart', node.apply, words.join(' '));
    // an array differs as a whole
    for (const place of asked) t.true(words.join(' ').startsWith(placeOf(said, 'a', place)), place);
  });
  t.true(looked.live > 80 && looked.restart > 35, JSON.stringify(looked));
});

function otherValue(node: Node, value: Value): Value | undefined {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value > 1 ? value - 1 : value + 1;
  if (node.kind === 'leaf' && node.type.type === 'text') return 'another-1';
  if (node.kind === 'leaf' && node.type.type === 'enum') {
    return Object.keys(node.type.words).find((w) => w !== value);
  }
  return node.kind === 'list' && Array.isArray(value) && value.length > 1
    ? value.slice(1)
    : undefined;
}

test('a mistake of the file is told at its place in the tree', (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['lan.address', 'box a lan address'],
    ['lan.peerAddress', 'box b lan address'],
    ['crossover.peerAddress', 'box b crossover address'],
    ['crossover.interface', 'box a crossover interface'],
    ['vip.more[0]', 'vip more 2001:db8::10'],
    ['vip.vrrp.id', 'vip vrrp id'],
    ['witnesses[1].by', 'witnesses 198.51.100.7 by'],
    ['witnesses[1].address', 'witnesses 198.51.100.7'],
    ['site.trunks[0].contact', 'site trunks backup contact'],
    ['site.trunks[1].name', 'site trunks provider'],
    ['site.trunks[1].backup[0]', 'site trunks provider backup sip:192.0.2.81'],
    ['site.rules[1].match', 'site rules 20 match'],
    ['site.rules[1]', 'site rules 20'],
    ['site.emergency.numbers[1].as', 'site emergency numbers 20 as'],
    ['site.centre.agents.a.b.password', 'site centre agents a.b password'],
    [
      'site.centre.agents.agent1000-agent1099.queues[0]',
      'site centre agents agent1000-agent1099 queues 6000',
    ],
    [
      'site.centre.points.5000-5009.noAnswer.overflow',
      'site centre points 5000-5009 noAnswer overflow',
    ],
    ['site.centre.programs[1].password', 'site centre programs router password'],
    ['site.extensions.*5.contact', 'site extensions *5 contact'],
    [
      'site.centre.agents.agent1042.queues[0]',
      'site centre agents agent1000-agent1099 queues 6000',
    ],
    ['site.centre.points.5007', 'site centre points 5000-5009'],
    ['site.centre.points.5010', 'site centre points'],
    ['media.ports', 'media ports'],
    ['fence.arguments[1]', 'fence arguments "port 3"'],
    ['timers', 'timers'],
    ['sip.tls.key', 'sip tls key'],
    ['hep.key', 'system hep key'],
    ['keyFile', ''],
    ['', ''],
    ['site.trunks[9].contact', 'site trunks'],
  ];
  for (const [file, words] of table) t.is(placeOf(RICH, 'a', file), words, file);
  t.is(placeOf(RICH, 'b', 'lan.address'), 'box b lan address');
  t.is(placeOf(RICH, 'b', 'lan.peerAddress'), 'box a lan address');
  t.is(PEER_KEYS.length, 2);
  const wrong = withValue(RICH, ['site', 'rules', '10', 'to'], ['nobody']);
  t.deepEqual(places(wrong), ['site rules 10 to']);
  t.deepEqual(
    places(withValue(RICH, ['box', 'b', 'lan', 'address'], '192.0.2.11'), 'b').slice(0, 1),
    ['box a lan address'],
  );
});

test('what any tree says is what the daemon can read', (t) => {
  fc.assert(
    fc.property(treeArb(), (tree) => {
      for (const box of ['a', 'b'] as const) {
        const bad = faultsOf(tree, box).filter((f) => /-(shape|unknown|file|json)$/.test(f.code));
        t.deepEqual(bad, []);
      }
    }),
    { numRuns: 60 },
  );
});
