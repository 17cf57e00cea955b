/**
 * Files of the machine that follow from the configuration: the network of both ports, host name, time zone.
 * Addresses stay when a cable is out: a box whose LAN comes back must not have to wait for them.
 */

import type { BoxId } from '../../pair/terms.ts';
import { numberOf, textOf } from '../tree/defaults.ts';
import type { Tree } from '../tree/terms.ts';

export type MachineFile = {
  /** Below the root. */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** What of the machine has to look at it, and with which word. */
  readonly part: 'network' | 'hostname' | 'timezone' | 'time' | 'snmp';
  readonly value: string;
};

function port(tree: Tree, box: BoxId, name: 'lan' | 'crossover'): MachineFile | undefined {
  const of = (leaf: string): string => textOf(tree, `box ${box} ${name} ${leaf}`);
  const [ifname, address] = [of('interface'), of('address')];
  if (ifname === '' || address === '') return undefined;
  const gateway = name === 'lan' ? of('gateway') : '';
  const text = [
    '# made from the configuration by sipair-system: changes are lost',
    '[Match]',
    `Name=${ifname}`,
    '[Network]',
    `Address=${address}/${numberOf(tree, `box ${box} ${name} prefix`)}`,
    ...(gateway === '' ? [] : [`Gateway=${gateway}`]),
    'LinkLocalAddressing=ipv6',
    'IPv6AcceptRA=no',
    'ConfigureWithoutCarrier=yes',
    'IgnoreCarrierLoss=yes',
    '',
  ].join('\n');
  const path = `run/systemd/network/10-${name}.network`;
  return { path, text, mode: 0o644, part: 'network', value: '' };
}

/** For one box; of a tree that is not complete yet, what there is. */
export function machineFiles(tree: Tree, box: BoxId): readonly MachineFile[] {
  const files = [port(tree, box, 'lan'), port(tree, box, 'crossover')].filter(
    (f) => f !== undefined,
  );
  const name = textOf(tree, `box ${box} name`);
  const zone = textOf(tree, 'system timeZone');
  const word = (path: string, part: 'hostname' | 'timezone', value: string): MachineFile[] =>
    value === '' ? [] : [{ path, text: `${value}\n`, mode: 0o644, part, value }];
  return [
    ...files,
    ...word('run/sipair/hostname', 'hostname', name),
    ...word('run/sipair/timezone', 'timezone', zone),
  ];
}
