/**
 * Every port of an appliance: what it listens on and what it sends to, at which address, who opens it,
 * when, for whom, and the line of the configuration that changes it. docs/ports.md is printed from it; a
 * scan of a box that runs is held against `expectedPorts`.
 */

import { flagOf, numberOf, textOf } from './tree/defaults.ts';
import type { Tree } from './tree/terms.ts';
import { valueAt } from './tree/tree.ts';

/** vip: the virtual addresses, at the primary. own: the box's own LAN address. */
export const PORT_PLACES = {
  vip: 'LAN, virtual addresses',
  own: 'LAN, own address',
  crossover: 'crossover',
  loopback: 'loopback',
} as const;
export type PortPlace = keyof typeof PORT_PLACES;

export const OPENERS = {
  service: 'the service (`sipair.service`)',
  agent: 'the system agent (`sipair-system.service`)',
  monitor: 'the monitor (`sipair-monitor.service`)',
  snmpd: '`snmpd.service`',
  chronyd: '`chrony.service`',
} as const;

/** A number, the two ends of a range, or where the configuration has it. */
type Where = number | { readonly path: string };

type Row = {
  readonly name: string;
  readonly protocol: 'udp' | 'tcp';
  readonly port: Where;
  readonly place: PortPlace;
  readonly opener: keyof typeof OPENERS;
  readonly about: string;
  readonly when: string;
  readonly who: string;
  /** Words after `set` that move it or switch it; '' when nothing does. */
  readonly line: string;
};

export type ListenRow = Row & {
  /** Only this box listens; the other one connects. */
  readonly box?: 'a';
  /** Whether it is open with this configuration; left out: always. */
  readonly open?: (tree: Tree) => boolean;
  /** Open for a while only: nobody misses it in a scan, nobody is surprised by it. */
  readonly passing?: true;
};

const there =
  (path: string) =>
  (tree: Tree): boolean =>
    valueAt(tree, path.split(' ')) !== undefined;
const set =
  (path: string) =>
  (tree: Tree): boolean =>
    numberOf(tree, path) !== 0;
const cti = (tree: Tree): boolean => flagOf(tree, 'cti enabled');

const PHONES = 'phones, trunks; strangers as [sip.md](sip.md) says';
const PROGRAMS = 'programs by name and password; the wallboard is open to all';
const PEER = 'the other box only';
const PROVEN = 'the other box only, by the pair key';

/** What a box listens on. */
export const PORTS: readonly ListenRow[] = [
  {
    name: 'sip-udp',
    protocol: 'udp',
    port: { path: 'sip port' },
    place: 'vip',
    opener: 'service',
    about: 'SIP',
    when: 'always',
    who: PHONES,
    line: 'sip port',
  },
  {
    name: 'sip-tcp',
    protocol: 'tcp',
    port: { path: 'sip port' },
    place: 'vip',
    opener: 'service',
    about: 'SIP',
    when: 'unless `sip tcp false`',
    who: PHONES,
    line: 'sip tcp',
    open: (tree) => flagOf(tree, 'sip tcp'),
  },
  {
    name: 'sip-tls',
    protocol: 'tcp',
    port: { path: 'sip tls port' },
    place: 'vip',
    opener: 'service',
    about: 'SIP in TLS',
    when: 'where `sip tls` is set',
    who: `${PHONES}; with \`mutual\` those with a certificate`,
    line: 'sip tls port',
    open: there('sip tls'),
  },
  {
    name: 'sip-ws',
    protocol: 'tcp',
    port: { path: 'sip ws port' },
    place: 'vip',
    opener: 'service',
    about: 'SIP in WebSocket',
    when: 'where `sip ws` is set',
    who: PHONES,
    line: 'sip ws port',
    open: there('sip ws'),
  },
  {
    name: 'sip-wss',
    protocol: 'tcp',
    port: { path: 'sip wss port' },
    place: 'vip',
    opener: 'service',
    about: 'SIP in WebSocket in TLS',
    when: 'where `sip wss` is set',
    who: PHONES,
    line: 'sip wss port',
    open: there('sip wss'),
  },
  {
    name: 'media',
    protocol: 'udp',
    port: { path: 'media ports' },
    place: 'vip',
    opener: 'service',
    about:
      'RTP of music, announcements and conferences; calls between two phones do not pass the box',
    when: 'one port a session, while it lasts; `media max 0`: none',
    who: 'the phone or trunk of that session',
    line: 'media ports',
    open: set('media max'),
    passing: true,
  },
  {
    name: 'cti',
    protocol: 'tcp',
    port: { path: 'cti port' },
    place: 'own',
    opener: 'service',
    about: 'programs (CTI), the wallboard, call records at `/cdr/`',
    when: 'unless `cti port 0` or `cti enabled false`',
    who: PROGRAMS,
    line: 'cti port',
    open: (tree) => cti(tree) && set('cti port')(tree),
  },
  {
    name: 'cti-tls',
    protocol: 'tcp',
    port: { path: 'cti tlsPort' },
    place: 'own',
    opener: 'service',
    about: 'the same in TLS',
    when: 'where `cti tlsPort` is set',
    who: PROGRAMS,
    line: 'cti tlsPort',
    open: (tree) => cti(tree) && set('cti tlsPort')(tree),
  },
  {
    name: 'metrics',
    protocol: 'tcp',
    port: { path: 'system metrics port' },
    place: 'own',
    opener: 'monitor',
    about: '`/metrics` for Prometheus, `/health`, `/SIPAIR-MIB.txt`',
    when: 'while `system metrics port` is not 0',
    who: 'the networks of `system metrics allow`; others are cut off',
    line: 'system metrics port',
    open: set('system metrics port'),
  },
  {
    name: 'snmp',
    protocol: 'udp',
    port: 161,
    place: 'own',
    opener: 'snmpd',
    about: 'SNMP, read only',
    when: 'where `system snmp enabled true`',
    who: 'SNMPv3 users; a community only where one is set',
    line: 'system snmp enabled',
    open: (tree) => flagOf(tree, 'system snmp enabled'),
  },
  {
    name: 'heartbeat-lan',
    protocol: 'udp',
    port: 5405,
    place: 'own',
    opener: 'service',
    about: 'heartbeats of the pair, encrypted',
    when: 'always',
    who: PROVEN,
    line: '',
  },
  {
    name: 'heartbeat-crossover',
    protocol: 'udp',
    port: 5405,
    place: 'crossover',
    opener: 'service',
    about: 'the same over the cable',
    when: 'always',
    who: PROVEN,
    line: '',
  },
  {
    name: 'mirror',
    protocol: 'tcp',
    port: 5406,
    place: 'crossover',
    opener: 'service',
    about: 'the mirror of calls and registrations, TLS 1.3',
    when: 'always, at box a',
    who: PROVEN,
    line: '',
    box: 'a',
  },
  {
    name: 'pairing',
    protocol: 'tcp',
    port: 5407,
    place: 'crossover',
    opener: 'agent',
    about: 'two boxes agree on the pair key',
    when: 'at box a, while `request pair` runs: two minutes at most',
    who: `${PEER}, and two people who compare six digits`,
    line: '',
    box: 'a',
    passing: true,
  },
  {
    name: 'agent-link',
    protocol: 'tcp',
    port: 5408,
    place: 'crossover',
    opener: 'agent',
    about: 'configuration and images between the boxes, TLS 1.3',
    when: 'from the pairing on, at box a',
    who: PROVEN,
    line: '',
    box: 'a',
  },
  {
    name: 'chrony',
    protocol: 'udp',
    port: 323,
    place: 'loopback',
    opener: 'chronyd',
    about: 'how well the clock follows: questions only',
    when: 'where `system ntp` is set',
    who: 'the box itself',
    line: 'system ntp',
    open: there('system ntp'),
  },
];

export type SendRow = {
  readonly name: string;
  /** `ip` and `ethernet` have no ports. */
  readonly protocol: 'udp' | 'tcp' | 'udp, tcp' | 'ip' | 'ethernet';
  /** As it is printed. */
  readonly port: string;
  readonly from: PortPlace | 'lan';
  readonly to: string;
  readonly opener: keyof typeof OPENERS;
  readonly when: string;
  readonly line: string;
};

/** What a box sends to, answers to what it was asked left out. */
export const SENDS: readonly SendRow[] = [
  {
    name: 'SIP',
    protocol: 'udp, tcp',
    port: 'of the phone or trunk; 5060, TLS 5061 where it names none',
    from: 'vip',
    to: 'phones where they registered, contacts of trunks',
    opener: 'service',
    when: 'as primary',
    line: 'site trunks',
  },
  {
    name: 'RTP',
    protocol: 'udp',
    port: 'as the phone or trunk says',
    from: 'vip',
    to: 'who hears music, an announcement, a conference',
    opener: 'service',
    when: 'while a session lasts',
    line: 'media ports',
  },
  {
    name: 'names',
    protocol: 'udp, tcp',
    port: '53, or as the line says',
    from: 'own',
    to: 'name servers',
    opener: 'service',
    when: 'where trunks, log or time servers have names',
    line: 'dns servers',
  },
  {
    name: 'time',
    protocol: 'udp',
    port: '123',
    from: 'own',
    to: 'time servers',
    opener: 'chronyd',
    when: 'where `system ntp` is set',
    line: 'system ntp',
  },
  {
    name: 'log',
    protocol: 'udp, tcp',
    port: '514, in TLS 6514, or as the line says',
    from: 'own',
    to: 'log servers',
    opener: 'monitor',
    when: 'where `system syslog` is set',
    line: 'system syslog',
  },
  {
    name: 'traps',
    protocol: 'udp',
    port: '162, or as the line says',
    from: 'own',
    to: 'SNMP managers',
    opener: 'snmpd',
    when: 'where `system snmp traps` is set',
    line: 'system snmp traps',
  },
  {
    name: 'bundles, certificates, prompts',
    protocol: 'tcp',
    port: '80, https 443, or as the address says',
    from: 'own',
    to: 'the web server that the operator types',
    opener: 'agent',
    when: 'while `request system image install` or `request file install` fetches from `http(s)://…`',
    line: '',
  },
  {
    name: 'HEP',
    protocol: 'udp',
    port: '9060, or as the line says',
    from: 'own',
    to: 'Homer: a copy of every SIP message, not encrypted',
    opener: 'service',
    when: 'where `system hep` is set',
    line: 'system hep address',
  },
  {
    name: 'heartbeats',
    protocol: 'udp',
    port: '5405',
    from: 'own',
    to: 'the own LAN address of the other box; over the cable too',
    opener: 'service',
    when: 'always',
    line: '',
  },
  {
    name: 'mirror, agents, pairing',
    protocol: 'tcp',
    port: '5406, 5408, 5407',
    from: 'crossover',
    to: 'box a; box b begins',
    opener: 'service',
    when: 'always; 5407 while `request pair` runs; 5408 and 5407 by the system agent',
    line: '',
  },
  {
    name: 'ARP, for IPv6 neighbour discovery',
    protocol: 'ethernet',
    port: '',
    from: 'lan',
    to: 'everybody: whose the virtual addresses are; witnesses: are you there',
    opener: 'service',
    when: 'always',
    line: 'witnesses',
  },
  {
    name: 'ICMP echo',
    protocol: 'ip',
    port: '',
    from: 'own',
    to: 'witnesses that are asked so',
    opener: 'service',
    when: 'where a witness has `by icmp`',
    line: 'witnesses',
  },
  {
    name: 'VRRP (protocol 112)',
    protocol: 'ip',
    port: '',
    from: 'lan',
    to: '224.0.0.18, ff02::12',
    opener: 'service',
    when: 'where `vip vrrp` is set, as primary',
    line: 'vip vrrp id',
  },
];

/** One port or a range, at one kind of address. */
export type PortRange = {
  readonly name: string;
  readonly protocol: 'udp' | 'tcp';
  readonly place: PortPlace;
  readonly first: number;
  readonly last: number;
  /** Whether a scan must find it. */
  readonly sure: boolean;
};

function rangeOf(tree: Tree, port: Where): readonly [number, number] {
  if (typeof port === 'number') return [port, port];
  const text = textOf(tree, port.path);
  if (text === '') {
    const number = numberOf(tree, port.path);
    return [number, number];
  }
  const [first = 0, last = first] = text.split('-').map(Number);
  return [first, last];
}

/** What box `box` has open with this configuration; `leads`: it is primary. */
export function expectedPorts(tree: Tree, box: 'a' | 'b', leads: boolean): readonly PortRange[] {
  return PORTS.filter(
    (row) =>
      (row.box ?? box) === box &&
      (row.place !== 'vip' || leads) &&
      (row.open === undefined || row.open(tree)),
  ).map(({ name, protocol, place, port, passing }) => {
    const [first, last] = rangeOf(tree, port);
    return { name, protocol, place, first, last, sure: passing !== true };
  });
}

/** The port as a person reads it: the default, where the configuration may have another. */
export function portText({ port }: Row): string {
  const [first, last] = rangeOf({}, port);
  if (first === 0) return 'off';
  return first === last ? String(first) : `${first} to ${last}`;
}
