/**
 * How the parts of a configuration must fit together. Each rule is one row: what it looks at, and
 * what it has to say. Rules about a part that is not there, or is wrong by itself, say nothing.
 */

import { ipBytes } from '../../wire/ip.ts';
import { PORTS } from '../ports.ts';
import { flagOf, listOf, numberOf, textOf } from './defaults.ts';
import { type Fault, faultAt, isTree, type Tree } from './terms.ts';
import { valueAt } from './tree.ts';

type Say = (path: string, text: string) => void;
type Rule = (tree: Tree, say: Say) => void;

const BOXES = ['a', 'b'] as const;
/** Ports of the pair itself, at each box. */
const RESERVED = PORTS.flatMap(({ port, opener }) =>
  typeof port === 'number' && (opener === 'service' || opener === 'agent') ? [port] : [],
);

function bits(ip: string): number | undefined {
  const b = ipBytes(ip);
  if (b?.length !== 4) return undefined;
  return (
    (((b[0] as number) << 24) |
      ((b[1] as number) << 16) |
      ((b[2] as number) << 8) |
      (b[3] as number)) >>>
    0
  );
}

/** Whether two IPv4 addresses are of one network; true when either is none. */
function sameNet(a: string, b: string, length: number): boolean {
  const [x, y] = [bits(a), bits(b)];
  if (x === undefined || y === undefined || length <= 0) return true;
  const host = 2 ** (32 - length);
  return Math.floor(x / host) === Math.floor(y / host);
}

/** The first or the last address of its network: nobody's own, where a network has room for both. */
function isEdge(ip: string, length: number): boolean {
  const x = bits(ip);
  if (x === undefined || length < 1 || length > 30) return false;
  const host = 2 ** (32 - length);
  return x % host === 0 || x % host === host - 1;
}

function twins(tree: Tree, say: Say): void {
  for (const leaf of ['name', 'lan address', 'crossover address']) {
    const [a, b] = [textOf(tree, `box a ${leaf}`), textOf(tree, `box b ${leaf}`)];
    const same = leaf === 'name' ? a.toLowerCase() === b.toLowerCase() : a === b;
    if (a !== '' && same) say(`box b ${leaf}`, `${b} is that of box a: each box needs its own`);
  }
}

/** Addresses that stand for one thing each. */
function owners(tree: Tree, say: Say): void {
  const seen = new Map<string, string>();
  const own = (path: string, ip: string): void => {
    if (ip === '') return;
    const other = seen.get(ip);
    if (other !== undefined) say(path, `${ip} is ${other} too`);
    else seen.set(ip, path);
  };
  for (const box of BOXES) {
    // the same of both boxes is said by `twins`
    const [lan, x] = [
      textOf(tree, `box ${box} lan address`),
      textOf(tree, `box ${box} crossover address`),
    ];
    if (!seen.has(lan) || lan !== textOf(tree, 'box a lan address'))
      own(`box ${box} lan address`, lan);
    if (!seen.has(x) || x !== textOf(tree, 'box a crossover address'))
      own(`box ${box} crossover address`, x);
  }
  own('vip address', textOf(tree, 'vip address'));
  for (const ip of listOf(tree, 'vip more')) own(`vip more ${String(ip)}`, String(ip));
  const witnesses = valueAt(tree, ['witnesses']);
  for (const ip of isTree(witnesses) ? Object.keys(witnesses) : []) own(`witnesses ${ip}`, ip);
}

function lans(tree: Tree, say: Say): void {
  const [a, b] = BOXES.map((box) => textOf(tree, `box ${box} lan address`)) as [string, string];
  const length = numberOf(tree, 'box a lan prefix');
  if (length !== numberOf(tree, 'box b lan prefix')) {
    say('box b lan prefix', 'the service LAN is one network: the same as of box a');
    return;
  }
  if (!sameNet(a, b, length))
    say('box b lan address', `must be in the network of box a, ${a}/${length}`);
  const vip = textOf(tree, 'vip address');
  if (a !== '' && !sameNet(a, vip, length)) {
    say('vip address', `must be in the network of the service LAN, ${a}/${length}`);
  }
  for (const ip of listOf(tree, 'vip more').map(String)) {
    if (a !== '' && !sameNet(a, ip, length)) {
      say(`vip more ${ip}`, `must be in the network of the service LAN, ${a}/${length}`);
    }
  }
  if (isEdge(vip, length))
    say('vip address', "the first and last address of a network are nobody's");
  for (const box of BOXES) {
    const own = textOf(tree, `box ${box} lan address`);
    if (isEdge(own, length))
      say(`box ${box} lan address`, "the first and last address of a network are nobody's");
    const gateway = textOf(tree, `box ${box} lan gateway`);
    if (gateway === '') continue;
    const path = `box ${box} lan gateway`;
    if (!sameNet(own, gateway, length))
      say(path, `must be in the network of the box, ${own}/${length}`);
    if ([a, b, vip].includes(gateway)) say(path, 'the router is neither a box nor the pair');
  }
}

function crossovers(tree: Tree, say: Say): void {
  const of = (box: string, leaf: string): string => textOf(tree, `box ${box} crossover ${leaf}`);
  const length = numberOf(tree, 'box a crossover prefix');
  if (length !== numberOf(tree, 'box b crossover prefix')) {
    say('box b crossover prefix', 'the cable is one network: the same as of box a');
  } else if (!sameNet(of('a', 'address'), of('b', 'address'), length)) {
    say(
      'box b crossover address',
      `must be in the network of box a, ${of('a', 'address')}/${length}`,
    );
  }
  for (const box of BOXES) {
    const lan = textOf(tree, `box ${box} lan address`);
    const shorter = Math.min(length, numberOf(tree, `box ${box} lan prefix`));
    if (lan !== '' && sameNet(lan, of(box, 'address'), shorter)) {
      say(`box ${box} crossover address`, 'must not be in the network of the service LAN');
    }
    if (of(box, 'interface') === textOf(tree, `box ${box} lan interface`)) {
      say(
        `box ${box} crossover interface`,
        "the crossover is a cable of its own: another port than the LAN's",
      );
    }
  }
}

/** Ports one host serves: two servers at one would be one that starts and one that does not. */
function ports(tree: Tree, say: Say): void {
  const unique = (paths: readonly string[]): void => {
    const seen = new Map<number, string>();
    for (const path of paths) {
      const port = numberOf(tree, path);
      if (port === 0) continue;
      const other = seen.get(port);
      if (other !== undefined) say(path, `${port} is the port of ${other} too`);
      else if (RESERVED.includes(port)) say(path, `${port} is a port of the pair itself`);
      seen.set(port, path);
    }
  };
  const there = (name: string): readonly string[] =>
    valueAt(tree, ['sip', name]) === undefined ? [] : [`sip ${name} port`];
  unique(['cti port', 'cti tlsPort', 'system metrics port']);
  unique([
    ...(flagOf(tree, 'sip tcp') ? ['sip port'] : []),
    ...there('tls'),
    ...there('ws'),
    ...there('wss'),
  ]);
}

function users(tree: Tree, say: Say): void {
  if (valueAt(tree, ['users', 'from']) === undefined) return;
  if (valueAt(tree, ['users', 'to']) === undefined) return;
  if (numberOf(tree, 'users from') > numberOf(tree, 'users to')) {
    say('users to', 'the last extension is not before the first');
  }
}

function snmp(tree: Tree, say: Say): void {
  if (!flagOf(tree, 'system snmp enabled')) return;
  const users = valueAt(tree, ['system', 'snmp', 'users']);
  if (users === undefined && textOf(tree, 'system snmp community') === '') {
    say('system snmp users', 'nobody could ask: a user is needed, or a community');
  }
}

const RULES: readonly Rule[] = [twins, owners, lans, crossovers, ports, users, snmp];

export function relations(tree: Tree): readonly Fault[] {
  const faults: Fault[] = [];
  for (const rule of RULES) {
    rule(tree, (path, text) => faults.push(faultAt('tree-conflict', path.split(' '), text)));
  }
  return faults;
}
