/** What makes two boxes a pair: each one's own addresses, the virtual address, and how they judge. */

import { PAIR_DEFAULTS } from '../../pair/settings.ts';
import { type Container, type Leaf, type Node, nodes, type Type } from './terms.ts';

const live = nodes('live');
const { leaf, list, group, map } = nodes('restart');
const IP: Type = { type: 'ip' };
const IPV4: Type = { type: 'ipv4' };

/** a and b have their crossover addresses of the same net, unless told otherwise. */
function own(which: 'a' | 'b'): Container {
  return group(
    `What only box ${which} has`,
    {
      name: live.leaf('Name of this box: its host name', { type: 'hostname' }, { must: true }),
      lan: group(
        'The port to the service LAN',
        {
          interface: leaf('Network port', { type: 'interface' }, { default: 'eth0' }),
          address: leaf('Own address of this box (not the virtual one)', IPV4, { must: true }),
          prefix: leaf('Length of the network prefix', int(1, 32), { default: 24 }),
          gateway: live.leaf('Default router', IPV4),
        },
        { must: true },
      ),
      crossover: group('The port of the cable to the other box', {
        interface: leaf('Network port', { type: 'interface' }, { default: 'eth1' }),
        address: leaf('Address on the cable', IPV4, {
          default: which === 'a' ? '169.254.77.1' : '169.254.77.2',
        }),
        prefix: leaf('Length of the network prefix', int(8, 31), { default: 24 }),
      }),
    },
    { must: true },
  );
}

function int(min: number, max: number, unit?: string): Type {
  return { type: 'int', min, max, ...(unit === undefined ? {} : { unit }) };
}

export const BOX = group(
  'What each box has of its own',
  { a: own('a'), b: own('b') },
  { must: true },
);

function timer(
  name: keyof typeof PAIR_DEFAULTS,
  help: string,
  least: number,
  most: number,
  unit?: string,
): Leaf {
  return leaf(help, int(least, most, unit), { default: PAIR_DEFAULTS[name] as number });
}

const TIMERS = group('Times by which the boxes judge each other; the defaults are good', {
  heartbeatMs: timer('heartbeatMs', 'Between two heartbeats on a path', 5, 1000, 'ms'),
  missed: timer('missed', 'Heartbeats in a row that make a path red', 2, 20),
  leaseMs: timer('leaseMs', 'How long a renewed lease lasts', 200, 10_000, 'ms'),
  vipLifetimeS: timer('vipLifetimeS', 'Lifetime of the virtual address on its port', 1, 60, 's'),
  renewMs: timer('renewMs', 'Lease and address are renewed this often', 20, 2000, 'ms'),
  probeMs: timer('probeMs', 'Between two ARP probes before a takeover', 2, 30, 'ms'),
  holdMs: timer('holdMs', 'How long a starting box looks for the other', 100, 600_000, 'ms'),
  mirrorWaitMaxMs: timer(
    'mirrorWaitMaxMs',
    'Acknowledgements later than this: the primary goes on alone',
    5,
    5000,
    'ms',
  ),
  engineStuckMs: timer('engineStuckMs', 'A stuck engine is given up', 100, 10_000, 'ms'),
  engineStuckAloneMs: timer(
    'engineStuckAloneMs',
    'A stuck engine is given up when nobody could go on',
    100,
    60_000,
    'ms',
  ),
  witnessMs: timer('witnessMs', 'Between two questions to a witness', 50, 10_000, 'ms'),
  witnessFastMs: timer('witnessFastMs', 'The same while the peer is not heard', 5, 1000, 'ms'),
  witnessMissed: timer('witnessMissed', 'Unanswered questions that lose a witness', 2, 20),
  flapMs: timer('flapMs', 'Between two switchovers nobody asked for', 0, 3_600_000, 'ms'),
  flapMost: timer('flapMost', 'So many of them within flapWindowMs', 1, 100),
  flapWindowMs: timer('flapWindowMs', 'The window of flapMost', 0, 86_400_000, 'ms'),
  lanDeadMs: timer('lanDeadMs', 'A LAN dead for so long overrides the guard', 0, 600_000, 'ms'),
  garpRefreshMs: timer(
    'garpRefreshMs',
    'Between two announcements of the virtual address',
    1000,
    3_600_000,
    'ms',
  ),
});

/** In the order in which a person would fill them in. */
export const PAIR: { readonly [name: string]: Node } = {
  redundancy: leaf(
    'What a takeover keeps',
    {
      type: 'enum',
      words: {
        'hot-standby': 'Calls, registrations, everything: every answer waits for the peer',
        'warm-standby': 'Registrations only; nothing waits',
      },
    },
    { default: 'hot-standby' },
  ),
  vip: group(
    'The virtual address: where phones find the pair',
    {
      address: leaf('The virtual IPv4 address', IPV4, { must: true }),
      more: list('Further virtual addresses', IP, 7),
      vrrp: group('Be a VRRPv3 router (RFC 9568) for the rest of the LAN', {
        id: leaf('Virtual router id', int(1, 255), { must: true }),
        priority: leaf('Priority', int(1, 254), { default: 200 }),
        intervalCs: leaf('Between two advertisements', int(1, 4095, 'centiseconds'), {
          default: 100,
        }),
        virtualMac: leaf(
          'Known by the MAC 00:00:5e:00:01:ID instead of the own one',
          { type: 'flag' },
          { default: false },
        ),
      }),
      carrierBounce: leaf(
        'After a takeover the LAN port goes down and up once',
        { type: 'flag' },
        { default: false },
      ),
    },
    { must: true },
  ),
  witnesses: map(
    'Addresses that show whether the LAN works: the gateway and something on other power',
    { keyName: 'address', key: IP, most: 8, array: 'address' },
    {
      by: leaf('How it is asked; by default arp for IPv4, icmp for IPv6', {
        type: 'enum',
        words: { arp: 'By ARP: it is on the LAN itself', icmp: 'By echo: behind a router, IPv6' },
      }),
    },
  ),
  fence: group('A program that cuts the power of the other box before its address is taken', {
    program: leaf('Path of the program', { type: 'path' }, { must: true }),
    arguments: list('Its arguments', { type: 'text' }, 32),
    timeoutMs: leaf('How long it may take', int(100, 60_000, 'ms'), {
      default: PAIR_DEFAULTS.fenceMs,
    }),
  }),
  timers: TIMERS,
};
