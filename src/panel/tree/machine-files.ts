/**
 * Every file of the machine that is made from the configuration: where it belongs, what is in it, and
 * who reads it anew. The agent writes what differs and tells those; a file without text must not be
 * there, and who reads it is stopped.
 */

import { type SnmpSettings, snmpdConf } from '../mib/snmpd-conf.ts';
import { chronyConf } from '../telemetry/chrony-conf.ts';
import { flagOf, listOf, textOf } from './defaults.ts';
import type { Which } from './generate.ts';
import { crossoverNetwork, lanNetwork, resolvConf } from './machine-network.ts';
import type { Tree } from './terms.ts';
import { valueAt } from './tree.ts';

export type MachineFile = {
  /** From the root. */
  readonly path: string;
  readonly text: string | undefined;
  readonly mode: number;
  readonly tell: 'networkd' | 'chrony' | 'snmpd' | 'none';
};

const SNMP_PORT = 161;
const AGENTX = '/run/sipair/agentx.sock';
const DRIFT = '/data/chrony/chrony.drift';

function snmpText(tree: Tree, box: Which): string | undefined {
  if (!flagOf(tree, 'system snmp enabled')) return undefined;
  // its shape is that of the schema, which was checked
  const settings = valueAt(tree, ['system', 'snmp']) as SnmpSettings;
  return snmpdConf(settings, {
    address: textOf(tree, `box ${box} lan address`),
    port: SNMP_PORT,
    interface: textOf(tree, `box ${box} lan interface`),
    agentx: AGENTX,
  });
}

function chronyText(tree: Tree, step: boolean): string | undefined {
  const servers = listOf(tree, 'system ntp').map(String);
  return servers.length === 0 ? undefined : chronyConf(servers, { drift: DRIFT, step });
}

/** @param boot.step the clock was not set since this boot: it may be stepped. */
export function machineFiles(
  tree: Tree,
  box: Which,
  boot: { readonly step: boolean },
): readonly MachineFile[] {
  return [
    {
      path: '/run/systemd/network/10-lan.network',
      text: lanNetwork(tree, box),
      mode: 0o644,
      tell: 'networkd',
    },
    {
      path: '/run/systemd/network/20-crossover.network',
      text: crossoverNetwork(tree, box),
      mode: 0o644,
      tell: 'networkd',
    },
    { path: '/run/resolv.conf', text: resolvConf(tree), mode: 0o644, tell: 'none' },
    {
      path: '/run/chrony/chrony.conf',
      text: chronyText(tree, boot.step),
      mode: 0o644,
      tell: 'chrony',
    },
    // it has the passwords of SNMP users
    { path: '/run/snmp/snmpd.conf', text: snmpText(tree, box), mode: 0o600, tell: 'snmpd' },
  ];
}
