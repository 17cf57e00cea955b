/** The table of ports is what the sources open, the generated files say, and the schema can change. */

import test from 'ava';
import { HEARTBEAT_PORT, MIRROR_PORT, PAIRING_PORT, SYSTEM_PORT } from '../../src/edge/config.ts';
import { expectedPorts, PORTS, portText, SENDS } from '../../src/panel/ports.ts';
import { chronyConf } from '../../src/panel/telemetry/chrony-conf.ts';
import { nodeAt } from '../../src/panel/tree/defaults.ts';
import { machineFiles } from '../../src/panel/tree/machine-files.ts';
import { parseText } from '../../src/panel/tree/parse.ts';
import { SCHEMA } from '../../src/panel/tree/schema.ts';
import type { Node, Tree } from '../../src/panel/tree/terms.ts';
import { entryOf } from '../../src/panel/tree/tree.ts';
import { START_TREE } from '../console/fake-pair.ts';
import { codeOnly, sources } from '../tidy/source.ts';
import { beyond, openOf } from '../vm/port-scan.ts';

const port = (name: string): unknown => PORTS.find((row) => row.name === name)?.port;

test('fixed ports are those of the sources', (t) => {
  for (const [name, number] of [
    ['heartbeat-lan', HEARTBEAT_PORT],
    ['heartbeat-crossover', HEARTBEAT_PORT],
    ['mirror', MIRROR_PORT],
    ['pairing', PAIRING_PORT],
    ['agent-link', SYSTEM_PORT],
  ] as const) {
    t.is(port(name), number, name);
  }
});

test('Debian services listen where their generated files say', (t) => {
  const chrony = chronyConf(['192.0.2.1'], { drift: '/d' });
  t.regex(chrony, /^port 0$/m, 'no time is served');
  t.deepEqual([...chrony.matchAll(/^bindcmdaddress (.*)$/gm)].map((m) => m[1]).sort(), [
    '127.0.0.1',
    '::1',
  ]);
  t.notRegex(chrony, /^cmdport/m, '323, as it is without');
  t.is(port('chrony'), 323);
  const tree = parseText(
    'set system snmp enabled true\nset system snmp community public-word',
    START_TREE,
  ) as Tree;
  const files = machineFiles(tree, 'b');
  const snmpd = files.find((f) => f.path.endsWith('snmpd.conf'))?.text ?? '';
  t.regex(snmpd, new RegExp(`^agentAddress udp:192\\.0\\.2\\.12:${port('snmp')}$`, 'm'));
  t.regex(snmpd, /^agentXSocket \//m, 'and its subagent by a file');
});

/** Who opens a socket of the network: file → rows of the table, or sends. */
const OPENERS: { readonly [file: string]: readonly string[] } = {
  'src/edge/box.ts': ['heartbeat-lan', 'heartbeat-crossover'],
  'src/edge/datagrams.ts': ['sip-udp'],
  'src/edge/flows.ts': ['sip-tcp', 'sip-tls', 'sip-ws', 'sip-wss'],
  'src/edge/media-sockets.ts': ['media'],
  'src/edge/link.ts': ['mirror', 'agent-link'],
  'src/edge/pair-command.ts': ['pairing'],
  'src/edge/cti-server.ts': ['cti', 'cti-tls'],
  'src/edge/monitor/metrics.ts': ['metrics'],
};
/** Listeners of unix sockets, and senders that bind nothing anybody reaches. */
const OTHERS = [
  // one file, all unix
  'src/edge/control.ts',
  'src/edge/monitor/socket.ts',
  'src/edge/system/socket.ts',
  // take connections that were accepted elsewhere
  'src/edge/flow-secure.ts',
  'src/edge/flow-web.ts',
  // asks the own virtual address, and hears the answer
  'src/edge/system/answers-sip.ts',
  // send, from a port of the moment
  'src/edge/hep.ts',
  'src/edge/monitor/syslog-way.ts',
  // ICMP has no ports
  'src/edge/raw.ts',
  'src/edge/raw-socket.d.ts',
];
const OPENS =
  /\b(?:UdpSocket|StreamListener)\.open\(|\bcreateServer\(|\bcreateSecureServer\(|\bcreateSocket\(/;

test('whoever opens a port has a row', (t) => {
  const found = sources('src')
    .filter(({ text }) => OPENS.test(codeOnly(text)))
    .map(({ path }) => path);
  const known = [...Object.keys(OPENERS), ...OTHERS];
  for (const path of found) t.true(known.includes(path), `${path}: a row in src/panel/ports.ts`);
  for (const path of known) t.true(found.includes(path), `${path} opens nothing any more`);
  const rows = Object.values(OPENERS).flat();
  t.deepEqual(
    PORTS.map((row) => row.name)
      .filter((name) => !rows.includes(name))
      .sort(),
    ['chrony', 'snmp'],
  );
});

/** Every place of the schema that is a port. */
function portPaths(path: readonly string[], node: Node): readonly string[] {
  if (node.kind === 'map') return portPaths(path, entryOf(node));
  if (node.kind === 'container') {
    return Object.entries(node.children).flatMap(([name, child]) =>
      portPaths([...path, name], child),
    );
  }
  return /^ports?$/.test(node.type.type) ? [path.join(' ')] : [];
}

test('every port of the configuration is in a table, every line is one of the configuration', (t) => {
  const listens = PORTS.flatMap((row) => (typeof row.port === 'number' ? [] : [row.port.path]));
  const sends = SENDS.map((row) => row.line.replace(/ address$/, '')).filter((line) => line !== '');
  for (const path of portPaths([], SCHEMA)) {
    const known = listens.includes(path) || sends.some((line) => path.startsWith(line));
    t.true(known, path);
  }
  for (const { name, line } of [...PORTS, ...SENDS]) {
    if (line !== '') t.truthy(nodeAt(line.split(' ')), `${name}: ${line}`);
  }
  for (const path of listens) t.truthy(nodeAt(path.split(' ')), path);
});

test('a port is printed with its default', (t) => {
  const text = (name: string): string =>
    portText(PORTS.find((row) => row.name === name) as (typeof PORTS)[number]);
  t.is(text('sip-udp'), '5060');
  t.is(text('sip-tls'), '5061');
  t.is(text('media'), '16384 to 18383');
  t.is(text('cti-tls'), 'off');
  t.is(text('snmp'), '161');
});

const line = (tree: Tree, box: 'a' | 'b', leads: boolean): readonly string[] =>
  expectedPorts(tree, box, leads).map(
    (p) => `${p.place} ${p.protocol} ${p.first}${p.last === p.first ? '' : `-${p.last}`}`,
  );

test('what is open follows box, role and configuration', (t) => {
  const base = parseText('set system metrics port 0', START_TREE) as Tree;
  t.deepEqual(line(base, 'b', false), [
    'own tcp 8088',
    'own udp 5405',
    'crossover udp 5405',
    'loopback udp 323',
  ]);
  t.deepEqual(line(base, 'a', true), [
    'vip udp 5060',
    'vip tcp 5060',
    'vip udp 16384-18383',
    'own tcp 8088',
    'own udp 5405',
    'crossover udp 5405',
    'crossover tcp 5406',
    'crossover tcp 5407',
    'crossover tcp 5408',
    'loopback udp 323',
  ]);
  const more = parseText(
    [
      'set sip tls port 5071',
      'set sip tcp false',
      'set sip ws',
      'set media max 0',
      'set cti enabled false',
      'set system metrics port 9464',
      'set system snmp enabled true',
      'delete system ntp',
    ].join('\n'),
    base,
  ) as Tree;
  t.deepEqual(line(more, 'b', true), [
    'vip udp 5060',
    'vip tcp 5071',
    'vip tcp 8080',
    'own tcp 9464',
    'own udp 161',
    'own udp 5405',
    'crossover udp 5405',
  ]);
});

/** As nmap 7.95 writes it (-oX). */
const XML = `<?xml version="1.0"?><nmaprun><host><address addr="192.0.2.11" addrtype="ipv4"/>
<ports><extraports state="closed" count="65533"/>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh"/></port>
<port protocol="tcp" portid="8088"><state state="open" reason="syn-ack"/></port>
<port protocol="tcp" portid="25"><state state="filtered" reason="no-response"/></port>
<port protocol="udp" portid="5405"><state state="open|filtered" reason="no-response"/></port>
<port protocol="udp" portid="161"><state state="closed" reason="port-unreach"/></port>
</ports></host></nmaprun>`;

test('a scan: what is open, what nobody expects, what is missing', (t) => {
  const open = openOf(XML);
  t.deepEqual(open, [
    { protocol: 'tcp', port: 22 },
    { protocol: 'tcp', port: 8088 },
    { protocol: 'udp', port: 5405 },
  ]);
  const base = parseText('set system metrics port 0', START_TREE) as Tree;
  const at = (box: 'a' | 'b', place: 'own' | 'vip'): { strange: unknown; missing: unknown } =>
    beyond(open, expectedPorts(base, box, true), place);
  t.deepEqual(at('b', 'own'), { strange: [{ protocol: 'tcp', port: 22 }], missing: [] });
  t.deepEqual(at('b', 'vip').missing, ['sip-udp', 'sip-tcp']);
  t.deepEqual(openOf('<nmaprun></nmaprun>'), []);
  t.deepEqual(
    beyond([{ protocol: 'udp', port: 17_000 }], expectedPorts(base, 'a', true), 'vip').strange,
    [],
    'inside a range',
  );
});
