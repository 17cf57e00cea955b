/** Configuration trees for tests: one as an operator would write it, one that says everything, and any. */

import fc from 'fast-check';
import { SCHEMA } from '../../src/panel/tree/schema.ts';
import type { Container, Node, Scalar, Tree, Type, Value } from '../../src/panel/tree/terms.ts';
import { entryOf, setPath } from '../../src/panel/tree/tree.ts';
import { tokenise } from '../../src/panel/tree/words.ts';

/** Sets lines into a tree; a wrong one ends the test. */
export function built(lines: string, onto: Tree = {}): Tree {
  let tree = onto;
  for (const line of lines.split('\n').filter((l) => l.trim() !== '')) {
    const words = tokenise(line.trim());
    if ('code' in words) throw new Error(`${line}: ${words.text}`);
    const next = setPath(
      tree,
      words.words.map((w) => w.text),
    );
    if ('code' in next) throw new Error(`${line}: ${JSON.stringify(next)}`);
    tree = next as Tree;
  }
  return tree;
}

/** The least two boxes need. */
export const LEAST = built(`
  box a name left
  box a lan address 192.0.2.11
  box b name right
  box b lan address 192.0.2.12
  vip address 192.0.2.10
  users from 1000
  users to 1999
`);

/** A site with everything that names something else. */
export const RICH = built(
  `
  redundancy hot-standby
  box a lan gateway 192.0.2.1
  box b lan gateway 192.0.2.1
  vip more 2001:db8::10
  vip vrrp id 51
  witnesses 192.0.2.1
  witnesses 198.51.100.7 by icmp
  fence program /usr/lib/fence
  fence arguments [ --off "port 3" ]
  timers holdMs 4000
  sip tls port 5061
  sip ws
  sip sessionExpiresS 900
  users auth true
  users digest [ MD5 SHA-256 ]
  users voicemail 1500
  users voicemail 192.0.2.40
  cti port 8090
  media ports 20000-20999
  media max 500
  dns servers 192.0.2.53
  dns servers 192.0.2.54:5353
  site extensions 1000 name "Front desk"
  site extensions 1000 password "a b\\"c"
  site extensions 1000 class office
  site extensions 1001 control answer auto
  site extensions *5 contact sip:gate@192.0.2.77
  site trunks provider contact sip:sip.example.net
  site trunks provider backup sip:192.0.2.81
  site trunks provider prefixes [ 0 00 ]
  site trunks provider register user 4711
  site trunks provider register password hunter2
  site trunks provider inbound addresses 192.0.2.80
  site trunks backup contact sip:192.0.2.90
  site trunks backup transport tcp
  site groups out trunks [ provider backup ]
  site groups out order round-robin
  site rules 10 match 9X.
  site rules 10 to out
  site rules 10 strip 1
  site rules 20 match 0900!
  site rules 20 refuse 403
  site classes office allow [ 0! 1XXX ]
  site classes office deny 00!
  site emergency numbers 10 match 112
  site emergency numbers 20 match 911
  site emergency numbers 20 as 112
  site emergency to provider
  site centre points 5000-5009 defaults 6000
  site centre points 5000-5009 timeoutS 5
  site centre queues 6000 name Sales
  site centre queues 6000 noAnswer afterS 20
  site centre queues 6000 noAnswer overflow [ recall 1000 ]
  site centre queues 6000 overflow 1000
  site centre queues 6100-6199
  site centre agents agent1000-agent1099 queues 6000
  site centre agents agent1000-agent1099 wrapUpS -1
  site centre agents a.b queues 6150
  site centre agents a.b password secret1
  site centre services ivr kinds [ treatment music ]
  site centre services ivr contact sip:192.0.2.70
  site centre programs router roles [ observe route ]
  site centre programs router password pw
  site centre programs phone roles own-device
  site centre programs phone devices 1000
  site centre programs phone password pw2
  site centre musicOnHold ""
  system timeZone Europe/Berlin
  system ntp ntp.example.net
  system ntp 192.0.2.123
  system syslog central address log.example.net
  system syslog central transport tcp
  system snmp enabled true
  system snmp location "Room 3"
  system snmp users noc authKey authauth1
  system snmp users noc privKey privpriv1
  system snmp traps nms address 192.0.2.60
  system snmp traps nms user noc
  system snmp traps nms kind inform
  system metrics allow 192.0.2.0/24
  system hep address 192.0.2.61
  system hep key capture
  system leds status green sipair:green:status
  system console idleMin 30
`,
  LEAST,
);

/** One right value of a type. */
export function sampleOf(type: Type): Scalar {
  switch (type.type) {
    case 'int':
      return Math.min(type.max, type.min + 7);
    case 'port':
      return 7000;
    case 'flag':
      return true;
    case 'enum':
      return Object.keys(type.words).at(-1) as string;
    case 'name':
      return type.words?.at(-1) ?? 'thing';
    case 'text':
      return type.what === 'an address or an extension' || type.what?.startsWith('a number')
        ? '1001'
        : 'text-1234';
    case 'pattern':
      return '9';
    case 'extension':
    case 'numbers':
      return '7000';
    default:
      return SAMPLES[type.type];
  }
}

const SAMPLES = {
  ipv4: '192.0.2.99',
  ip: '192.0.2.98',
  prefix: '192.0.2.0/24',
  ports: '20000-20009',
  hostname: 'host',
  host: 'host.example.net',
  server: '192.0.2.53',
  uri: 'sip:192.0.2.97',
  digits: '49',
  path: '/some/file',
  interface: 'port0',
  timeZone: 'Europe/Berlin',
  agents: 'agent7',
} as const;

/**
 * A tree that says everything once: each leaf what `value` gives (undefined leaves it out), each map
 * one entry.
 */
export function fullTree(
  value: (
    node: Extract<Node, { kind: 'leaf' | 'list' }>,
    words: readonly string[],
  ) => Value | undefined,
  node: Container = SCHEMA,
  words: readonly string[] = [],
): Tree {
  const out: { [name: string]: Tree | Value } = {};
  for (const [name, child] of Object.entries(node.children)) {
    const at = [...words, name];
    if (child.kind === 'leaf' || child.kind === 'list') {
      const v = value(child, at);
      if (v !== undefined) out[name] = v;
      continue;
    }
    if (child.kind === 'map') {
      const key = String(sampleOf(child.key));
      out[name] = { [key]: fullTree(value, entryOf(child), [...at, key]) };
      continue;
    }
    const below = fullTree(value, child, at);
    if (Object.keys(below).length > 0 || child.presence === true) out[name] = below;
  }
  return out;
}

/** Any right value of a type. */
function valueArb(type: Type): fc.Arbitrary<Scalar> {
  const texts = (max: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...' "\'\\;{}[]#/*ab9'), minLength: 1, maxLength: max });
  switch (type.type) {
    case 'int':
      return fc.integer({ min: type.min, max: type.max });
    case 'port':
      return fc.integer({ min: type.off === true ? 0 : 1, max: 65_535 });
    case 'flag':
      return fc.boolean();
    case 'enum':
      return fc.constantFrom(...Object.keys(type.words));
    case 'text':
      return type.pattern === undefined ? texts(12) : fc.constantFrom(sampleOf(type), '12345678');
    case 'name':
      return fc.constantFrom('one', 'two', '"', '{', ...(type.words ?? []));
    case 'ip':
      return fc.constantFrom('192.0.2.1', '2001:db8::1', '::1');
    case 'numbers':
      return fc.constantFrom('10', '9', '100-199', '*5', '007');
    case 'agents':
      return fc.constantFrom('agent1-agent9', 'a.b', '7');
    case 'extension':
      return fc.constantFrom('10', '9', '#5', '007');
    default:
      return fc.constant(sampleOf(type));
  }
}

/** Any tree the schema allows. */
export function treeArb(node: Container = SCHEMA): fc.Arbitrary<Tree> {
  const parts = Object.fromEntries(
    Object.entries(node.children).map(([name, child]) => [name, childArb(child)]),
  );
  return fc
    .record(parts, { requiredKeys: [] })
    .map((all) => pruned(all as { [name: string]: Tree | Value }, node));
}

function childArb(node: Node): fc.Arbitrary<Tree | Value> {
  if (node.kind === 'leaf') return valueArb(node.type);
  if (node.kind === 'list') {
    return fc.uniqueArray(valueArb(node.type), { minLength: 1, maxLength: Math.min(3, node.most) });
  }
  if (node.kind === 'container') return treeArb(node);
  return fc.dictionary(
    valueArb(node.key).map((key) => String(key)),
    treeArb(entryOf(node)),
    { maxKeys: 2, noNullPrototype: true },
  );
}

/** Without groups that say nothing. */
function pruned(tree: { [name: string]: Tree | Value }, node: Container): Tree {
  return Object.fromEntries(
    Object.entries(tree).filter(([name, value]) => {
      const child = node.children[name];
      const group = child?.kind === 'container' || child?.kind === 'map';
      const speaks = child?.kind === 'container' && child.presence === true;
      return !group || speaks || Object.keys(value as Tree).length > 0;
    }),
  );
}
