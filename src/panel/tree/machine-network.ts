/**
 * What systemd-networkd, the resolver and the kernel are told of one box. Each function is a file of
 * text; `machine-files.ts` says where each belongs.
 *
 * The virtual addresses are the daemon's: networkd must neither know nor remove them (KeepConfiguration),
 * and both ports keep their address without a carrier, because a box must start beside a dead switch.
 */

import { effective, listOf, numberOf, textOf } from './defaults.ts';
import type { Which } from './generate.ts';
import { type Fault, faultAt, type Tree } from './terms.ts';

export const MADE = '# Made from the configuration: changes here do not last.';

/** Written the same for both ports. */
const KEPT = ['ConfigureWithoutCarrier=yes', 'IgnoreCarrierLoss=yes', 'KeepConfiguration=yes'];
/** Nothing is asked, announced or listened for besides what stands here. */
const QUIET = ['DHCP=no', 'LLDP=no', 'EmitLLDP=no', 'MulticastDNS=no', 'LLMNR=no'];

function file(lines: readonly string[]): string {
  return `${[MADE, ...lines].join('\n')}\n`;
}

function addressOf(tree: Tree, box: Which, port: 'lan' | 'crossover'): string {
  const at = `box ${box} ${port}`;
  return `${textOf(tree, `${at} address`)}/${numberOf(tree, `${at} prefix`)}`;
}

function match(tree: Tree, box: Which, port: 'lan' | 'crossover'): readonly string[] {
  const name = textOf(tree, `box ${box} ${port} interface`);
  return ['[Match]', `Name=${name}`, '', '[Link]', 'RequiredForOnline=no', ''];
}

export function hasIpv6(tree: Tree): boolean {
  return listOf(tree, 'vip more').some((ip) => String(ip).includes(':'));
}

/**
 * The service LAN. An IPv6 virtual address needs a link-local one beside it, and learns its router from
 * advertisements; the box takes no further address of its own from them.
 */
export function lanNetwork(tree: Tree, box: Which): string {
  const six = hasIpv6(tree);
  const gateway = effective(tree, ['box', box, 'lan', 'gateway']);
  return file([
    ...match(tree, box, 'lan'),
    '[Network]',
    `Address=${addressOf(tree, box, 'lan')}`,
    ...(typeof gateway === 'string' ? [`Gateway=${gateway}`] : []),
    `LinkLocalAddressing=${six ? 'ipv6' : 'no'}`,
    `IPv6AcceptRA=${six ? 'yes' : 'no'}`,
    ...QUIET,
    ...KEPT,
    ...(six
      ? ['', '[IPv6AcceptRA]', 'UseAutonomousPrefix=no', 'UseDNS=no', 'DHCPv6Client=no']
      : []),
  ]);
}

/** The cable to the other box: one address, nothing else is heard or said there. */
export function crossoverNetwork(tree: Tree, box: Which): string {
  return file([
    ...match(tree, box, 'crossover'),
    '[Network]',
    `Address=${addressOf(tree, box, 'crossover')}`,
    'LinkLocalAddressing=no',
    'IPv6AcceptRA=no',
    ...QUIET,
    ...KEPT,
  ]);
}

/** An address or the default route that a port had by an older configuration. */
export type Leftover = {
  readonly kind: 'address' | 'route';
  readonly interface: string;
  /** `address/length`, or the router. */
  readonly what: string;
};

/**
 * What networkd leaves on the ports when it takes over a new configuration: for the virtual addresses'
 * sake it removes nothing, so whoever tells it takes these away.
 */
export function leftovers(old: Tree, now: Tree, box: Which): readonly Leftover[] {
  const out: Leftover[] = [];
  for (const port of ['lan', 'crossover'] as const) {
    const of = (tree: Tree): string => textOf(tree, `box ${box} ${port} interface`);
    const [before, after] = [addressOf(old, box, port), addressOf(now, box, port)];
    const moved = of(old) !== of(now);
    if (!before.startsWith('/') && (moved || before !== after)) {
      out.push({ kind: 'address', interface: of(old), what: before });
    }
    const gateway = textOf(old, `box ${box} ${port} gateway`);
    if (gateway !== '' && (moved || gateway !== textOf(now, `box ${box} ${port} gateway`))) {
      out.push({ kind: 'route', interface: of(old), what: gateway });
    }
  }
  return out;
}

/** The system's own resolver knows three servers, at port 53. */
const MOST_NAMESERVERS = 3;

export function resolvConf(tree: Tree): string {
  const servers = listOf(tree, 'dns servers').flatMap((one) => {
    const m =
      /^\[(.*)\](?::(\d+))?$/.exec(String(one)) ?? /^([\d.]+)(?::(\d+))?$/.exec(String(one));
    const [host, port] = m === null ? [String(one), undefined] : [m[1] as string, m[2]];
    return port === undefined || port === '53' ? [`nameserver ${host}`] : [];
  });
  return file([...servers.slice(0, MOST_NAMESERVERS), 'options timeout:2 attempts:2']);
}

export function hostName(tree: Tree, box: Which): string {
  return textOf(tree, `box ${box} name`);
}

/** The time zone's file below /usr/share/zoneinfo. */
export function timeZone(tree: Tree): string {
  return textOf(tree, 'system timeZone');
}

/** A time zone that a machine has no file of. */
export function zoneFault(tree: Tree, has: (zone: string) => boolean): Fault | undefined {
  const zone = timeZone(tree);
  if (has(zone)) return undefined;
  return faultAt('tree-reference', ['system', 'timeZone'], `no time zone is called ${zone}`);
}
